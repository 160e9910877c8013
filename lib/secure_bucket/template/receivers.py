"""Find unreadable resources that may contain a policy for a bucket, such as a nested stack that gets its
name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from secure_bucket.template.buckets import Bucket, Receiver
from secure_bucket.template.inventory import Inventory
from secure_bucket.template.loops import exists
from secure_bucket.template.resolve import MAX_VALUES, Resolver
from secure_bucket.template.stack import TRANSFORM, Path, Stack, is_function, pointer_of
from secure_bucket.template.text import strings_of, texts_in
from secure_bucket.template.unreplaced import placeholders_as_holes
from secure_bucket.template.worlds import Infeasible
from secure_bucket.values.unknown import Place, Text, Unknown

__all__ = ["may_name", "receiver_of"]

# Values that a nested stack cannot read.
_NOT_PASSED = ("Location", "NotificationARNs", "Tags", "TemplateBody", "TemplateURL")
_WORD = re.compile(r"[A-Za-z0-9.-]{3,}")
_OF_A_NAME = r"[a-zA-Z0-9.-]"
# Values that contain the name. *AWS::S3::Bucket*, *Return values*, read 2026-11.
_HOLDS_THE_NAME = "(?:DomainName|DualStackDomainName|RegionalDomainName|WebsiteURL)"


def receiver_of(inventory: Inventory, resolver: Resolver, bucket: Bucket, name: str | Text) -> Unknown | None:
    """Return the unreadable resource that may contain a policy for a bucket, in the world of a resolver.

    Raises:
        Fork: That depends on something that the world leaves open.
    """
    attribute = inventory.assembly.qualify(bucket.stack, f"{bucket.resource.logical_id}.")
    names = re.compile(
        f"(?<!{_OF_A_NAME}){re.escape(str(name))}(?!{_OF_A_NAME})|<{re.escape(attribute)}{_HOLDS_THE_NAME}>"
    )
    # INVARIANT: the first one is enough, so a hundred conditional ones make only a hundred worlds.
    for receiver in inventory.receivers:
        stack, resource, reason = receiver.stack, receiver.resource, receiver.why
        if receiver.gets_all:
            if stack is not bucket.stack:
                continue
        elif _may_hold_policy(inventory, resolver, receiver, bucket, names):
            reason += f" `{resource.logical_id}`, which gets the name of this bucket"
            if stack.found.get(resource.logical_id, "a loop makes it"):
                reason += " and whose template is not at hand"
        else:
            continue
        return Unknown(reason, Place(pointer_of(receiver.path), stack.document.name))
    return None


def may_name(written: object, stack: Stack, bucket: Bucket) -> bool:
    """Tell from the source whether a value of a stack may contain the name of a bucket."""
    if stack is not bucket.stack and stack.outermost is bucket.stack.outermost:
        # A stack can pass a name on to its nested stacks.
        return True
    properties = bucket.resource.properties
    named = properties.get("BucketName") if isinstance(properties, Mapping) else properties
    words = {word for text in _texts(named, bucket.stack) for word in _WORD.findall(text)}
    words.add(bucket.resource.logical_id if stack is bucket.stack else "Fn::ImportValue")
    # A macro can write any reference.
    words.add(TRANSFORM)
    return any(word in text for text in _texts(written, stack) for word in words)


def _texts(value: object, stack: Stack) -> list[str]:
    """Return the texts of a value, and those of mappings that it may look up."""
    texts = list(strings_of(value))
    return texts + list(strings_of(stack.sections["Mappings"])) if "Fn::FindInMap" in texts else texts


def _may_hold_policy(
    inventory: Inventory, resolver: Resolver, receiver: Receiver, bucket: Bucket, names: re.Pattern[str]
) -> bool:
    stack, resource = receiver.stack, receiver.resource
    try:
        return _gets(inventory, resolver, receiver, bucket, names) and exists(resolver, stack, resource)
    except Infeasible:
        # A stack that is deployed apart, or not at all, does not prevent the deployment of the bucket.
        if stack.outermost is bucket.stack.outermost and exists(resolver, stack, resource):
            raise
        return False


def _gets(
    inventory: Inventory, resolver: Resolver, receiver: Receiver, bucket: Bucket, names: re.Pattern[str]
) -> bool:
    """Tell whether a receiver gets the name of a bucket, and stop resolving then."""
    for part, path in _passed(inventory, receiver, bucket):
        if id(part) not in resolver.received:
            passed = resolver.resolve(receiver.stack, part, path)
            lost = isinstance(passed, Unknown) and (
                path is receiver.resource.properties_path
                or resolver.values > MAX_VALUES
                or _names(bucket, part)
            )
            resolver.received[id(part)] = None if lost else "\n".join(map(str, texts_in(passed)))
        received = resolver.received[id(part)]
        if received is None or names.search(received):
            return True
    return False


def _passed(inventory: Inventory, receiver: Receiver, bucket: Bucket) -> Sequence[tuple[object, Path]]:
    """Return the values that a receiver gets, with their paths; nothing if no value may name the bucket.

    Values with the logical id of the bucket come first: the others depend on more parameters.
    """
    key = id(receiver), id(bucket.resource)
    if key not in inventory.passed:
        properties, path = receiver.resource.properties, receiver.resource.properties_path
        if isinstance(properties, Mapping):
            properties = {key: value for key, value in properties.items() if key not in _NOT_PASSED}
        parts: list[tuple[object, Path]] = []
        if may_name(properties, receiver.stack, bucket):
            # The name of a loop's variable in a key leaves the whole mapping open.
            looped = receiver.stack.loop_variables
            parts = [(properties, path)] if looped else list(_parts(properties, path))
            parts.sort(key=lambda part: not _names(bucket, part[0]))
        inventory.passed[key] = parts
    return inventory.passed[key]


def _names(bucket: Bucket, written: object) -> bool:
    return any(bucket.resource.logical_id in text or text == TRANSFORM for text in strings_of(written))


def _parts(value: object, path: Path) -> Iterator[tuple[object, Path]]:
    """Yield the values inside mappings and lists that can be resolved independently."""
    if isinstance(value, Mapping) and not is_function(value) and not any(map(_is_open, value)):
        for key, member in value.items():
            yield from _parts(member, (path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _parts(item, (path, index))
    else:
        yield value, path


def _is_open(key: object) -> bool:
    return not isinstance(key, str) or not isinstance(placeholders_as_holes(key), str)
