"""Report the parts of templates that can be read in two ways, or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from secure_bucket.findings.finding import Fault
from secure_bucket.template import Inventory
from secure_bucket.template.policy_text import PolicyTextError, read_policy_text
from secure_bucket.template.resource_types import matters
from secure_bucket.template.scan import Duplicate
from secure_bucket.template.stack import Resource, Stack, pointer_of
from secure_bucket.template.unreplaced import placeholders_as_holes
from secure_bucket.values.unknown import Unknown

__all__ = ["faults_of", "remarks_of"]

# No bucket depends on these sections.
_INERT = frozenset(("AWSTemplateFormatVersion", "Description", "Metadata"))


def faults_of(inventory: Inventory) -> Iterator[Fault]:
    """Yield a fault for each part of a template that can be read in two ways, or not at all."""
    for stack in inventory.assembly.stacks:
        for duplicate in stack.document.duplicates:
            if not _can_matter(stack, duplicate):
                continue
            resource = _resource(stack, duplicate)
            of = f"`{resource.logical_id}`: " if resource is not None else ""
            message = f"{of}{duplicate.reason}: which of them counts is undefined"
            yield Fault(stack.document.name, message, stack.document.place(duplicate.at.pointer))
    for policy in inventory.policies:
        properties = policy.resource.properties
        document = properties.get("PolicyDocument") if isinstance(properties, Mapping) else None
        wrong = _wrong_with(document)
        if wrong:
            place = policy.stack.document.place(
                f"{pointer_of(policy.resource.path)}/Properties/PolicyDocument"
            )
            yield Fault(policy.stack.document.name, f"policy `{policy.resource.logical_id}`: {wrong}", place)


def _resource(stack: Stack, duplicate: Duplicate) -> Resource | None:
    """Return the resource that contains a key; `None` if the key is elsewhere."""
    section, _, rest = duplicate.at.pointer[1:].partition("/")
    return stack.resources.get(rest.partition("/")[0]) if section == "Resources" else None


def _can_matter(stack: Stack, duplicate: Duplicate) -> bool:
    """Tell whether a duplicate key can matter to a bucket."""
    resource = _resource(stack, duplicate)
    if resource is not None:
        return matters(resource.type)
    return duplicate.at.pointer[1:].partition("/")[0] not in _INERT


def remarks_of(inventory: Inventory) -> Iterator[str]:
    """Yield a warning for each duplicate key that does not change a verdict."""
    for stack in inventory.assembly.stacks:
        document = stack.document
        for duplicate in document.repeated:
            yield f"`{document.name}`: {duplicate.reason}, with the same value"
        for duplicate in document.duplicates:
            if not _can_matter(stack, duplicate):
                yield f"`{document.name}`: {duplicate.reason}; no bucket depends on it"


def _wrong_with(document: object) -> str:
    """Return why a policy document is not an object with `Statement`; `""` when it is, or may be."""
    if isinstance(document, str) and placeholders_as_holes(document) == document:
        try:
            read_policy_text(document)
        except PolicyTextError as error:
            return str(error)
    if document is None or isinstance(document, (str, Mapping, Unknown)):
        return ""
    kind = {list: "a list", bool: "a Boolean"}.get(type(document), "a number")
    return f"the policy is {kind}, and not an object with `Statement`"
