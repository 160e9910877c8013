"""Find what may hold a policy for a bucket and cannot be read, such as a nested stack that gets its name."""

from __future__ import annotations

import re
from collections.abc import Mapping

from secure_bucket.template.buckets import Bucket, Receiver
from secure_bucket.template.inventory import Inventory
from secure_bucket.template.loops import exists
from secure_bucket.template.resolve import Resolver
from secure_bucket.template.stack import Stack, pointer_of
from secure_bucket.template.text import strings_of, texts_in
from secure_bucket.values.unknown import Place, Text, Unknown

__all__ = ["may_name", "receiver_of"]

# What a nested stack cannot read.
_NOT_PASSED = ("Location", "NotificationARNs", "Tags", "TemplateBody", "TemplateURL")
_WORD = re.compile(r"[A-Za-z0-9.-]{3,}")
_OF_A_NAME = r"[a-zA-Z0-9.-]"


def receiver_of(inventory: Inventory, resolver: Resolver, bucket: Bucket, name: str | Text) -> Unknown | None:
    """Return why the policies of a bucket are not all known: what may hold one, in the world of a resolver.

    Raises:
        Fork: If that depends on something that the world leaves open.
    """
    # INVARIANT: the first one is enough, so that a hundred conditional ones make a hundred worlds.
    for receiver in inventory.receivers:
        stack, resource = receiver.stack, receiver.resource
        at = Place(pointer_of(receiver.path), stack.document.name)
        if receiver.gets_all:
            if stack is bucket.stack:
                return Unknown(receiver.why, at)
        elif (
            may_name(_passed(receiver), stack, bucket)
            and _gets(resolver, receiver, name)
            and exists(resolver, stack, resource)
        ):
            reason = f"{receiver.why} `{resource.logical_id}`, which gets the name of this bucket"
            if stack.found.get(resource.logical_id, "a loop makes it"):
                reason += " and whose template is not at hand"
            return Unknown(reason, at)
    return None


def may_name(written: object, stack: Stack, bucket: Bucket) -> bool:
    """Tell from what is written whether a value of a stack may hold the name of a bucket."""
    if stack is not bucket.stack and stack.outermost is bucket.stack.outermost:
        # A stack passes a name on to those that it nests.
        return True
    properties = bucket.resource.properties
    named = properties.get("BucketName") if isinstance(properties, Mapping) else properties
    words = {word for text in strings_of(named) for word in _WORD.findall(text)}
    words.add(bucket.resource.logical_id if stack is bucket.stack else "Fn::ImportValue")
    return any(word in text for text in strings_of(written) for word in words)


def _passed(receiver: Receiver) -> object:
    properties = receiver.resource.properties
    if not isinstance(properties, Mapping):
        return properties
    return {key: value for key, value in properties.items() if key not in _NOT_PASSED}


def _gets(resolver: Resolver, receiver: Receiver, name: str | Text) -> bool:
    key = id(receiver)
    if key not in resolver.received:
        path = receiver.resource.properties_path
        passed = resolver.resolve(receiver.stack, _passed(receiver), path)
        resolver.received[key] = (
            None if isinstance(passed, Unknown) else "\n".join(map(str, texts_in(passed)))
        )
    received = resolver.received[key]
    if received is None:
        return True
    pattern = f"(?<!{_OF_A_NAME}){re.escape(str(name))}(?!{_OF_A_NAME})"
    return re.search(pattern, received) is not None
