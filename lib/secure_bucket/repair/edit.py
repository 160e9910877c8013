"""Add a policy to a template, or a statement to an existing policy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from secure_bucket.errors import TemplateError
from secure_bucket.policy.statements import deny_plain_http
from secure_bucket.repair.insert import Edit, append_to_single_item, apply_edits, insert_item, insert_member
from secure_bucket.repair.layout import LayoutError, LayoutKind, TextLayout, read_layout
from secure_bucket.repair.style import Style, read_style
from secure_bucket.template.load import Document, parse_document
from secure_bucket.template.scan import Duplicate

__all__ = ["CannotEdit", "Change", "add_policy", "add_statement", "apply_changes"]

_LONGEST_LOGICAL_ID = 255


class CannotEdit(Exception):
    """A template cannot be changed safely; the message gives the reason as a clause."""


class Change(Struct, frozen=True):
    """One change of a template, in its text and in its values.

    Args:
        what: The change, as a clause.
        policy: The logical id of the policy that gets the deny.
        edits: Returns the edits of the text.
        expected: Returns the changed template for the template before the change.
    """

    what: str
    policy: str
    edits: Callable[[TextLayout, Style], list[Edit]]
    expected: Callable[[Mapping[str, Any]], Mapping[str, Any]]


def add_policy(document: Document, bucket: str, taken: Iterable[str]) -> Change:
    """Return the change that gives a bucket a policy that denies plain HTTP.

    The policy has the lifetime of the bucket: the same `Condition`, `DeletionPolicy` and
    `UpdateReplacePolicy`.

    Args:
        document: The template.
        bucket: The logical id of the bucket.
        taken: The logical ids that are in use.
    """
    logical_id = _free(f"{bucket[: _LONGEST_LOGICAL_ID - 10]}Policy", frozenset(taken))
    body = document.root["Resources"][bucket]
    resource: dict[str, Any] = {"Type": "AWS::S3::BucketPolicy"}
    for attribute in ("Condition", "DeletionPolicy", "UpdateReplacePolicy"):
        if body.get(attribute) is not None:
            resource[attribute] = body[attribute]
    resource["Properties"] = {
        "Bucket": {"Ref": bucket},
        "PolicyDocument": {"Version": "2012-10-17", "Statement": [_deny(bucket, frozenset())]},
    }

    def edits(layout: TextLayout, style: Style) -> list[Edit]:
        resources = layout.at("Resources")
        return insert_member(layout, style, resources, resources.index(bucket), logical_id, resource)

    def expected(root: Mapping[str, Any]) -> Mapping[str, Any]:
        resources: dict[str, object] = {}
        for key, value in root["Resources"].items():
            resources[key] = value
            if key == bucket:
                resources[logical_id] = resource
        return {**root, "Resources": resources}

    return Change(f"the policy `{logical_id}` is new", logical_id, edits, expected)


def add_statement(document: Document, policy: str, bucket: str) -> Change:
    """Return the change that adds the statement that denies plain HTTP to a policy.

    Args:
        document: The template.
        policy: The logical id of the policy.
        bucket: The logical id of its bucket.

    Raises:
        CannotEdit: If the statement cannot be added to the policy.
    """
    written = _policy_document(document, policy)
    statement = _deny(bucket, _sids(written.get("Statement")))
    path = ("Resources", policy, "Properties", "PolicyDocument")

    def edits(layout: TextLayout, style: Style) -> list[Edit]:
        node = layout.at(*path)
        if node.kind is not LayoutKind.MAPPING:
            raise LayoutError("the document stands behind a YAML alias, so that it belongs to others, too")
        if "Statement" not in written:
            return insert_member(layout, style, node, len(node.children) - 1, "Statement", [statement])
        node = layout.at(*path, "Statement")
        if node.kind is LayoutKind.SEQUENCE:
            return insert_item(layout, style, node, statement)
        if node.kind is LayoutKind.MAPPING:
            return append_to_single_item(layout, style, node, statement)
        raise LayoutError("`Statement` stands behind a YAML alias, so that it belongs to others, too")

    def expected(root: Mapping[str, Any]) -> Mapping[str, Any]:
        statements = written.get("Statement", [])
        listed = statements if isinstance(statements, list) else [statements]
        replaced: Mapping[str, Any] = _replaced(root, (*path, "Statement"), [*listed, statement])
        return replaced

    return Change(f"the policy `{policy}` has the deny in addition", policy, edits, expected)


def apply_changes(document: Document, changes: Iterable[Change]) -> Document:
    """Return a template after changes of its text.

    Raises:
        CannotEdit: If the changed text does not have exactly the expected values.
    """
    expected = document.root
    edits: list[Edit] = []
    try:
        layout = read_layout(document.text)
        style = read_style(layout)
        for change in changes:
            edits += change.edits(layout, style)
            expected = change.expected(expected)
        result = parse_document(apply_edits(document.text, edits), document.name)
    except (LayoutError, RecursionError) as error:
        raise CannotEdit(str(error) or "the template is nested too deeply") from None
    except TemplateError as error:
        raise CannotEdit(f"with the deny written into it the template could not be read: {error}") from None
    # INVARIANT: the returned text differs from the template only in the expected values.
    if not _same(result.root, expected):
        if any(node.kind is LayoutKind.ALIAS for node in layout.root.walk()):
            raise CannotEdit(
                "the place of the deny is shared with other parts of the template by a YAML alias"
            )
        raise CannotEdit("the template is written in a way in which the deny cannot be put into it safely")
    return result


def _policy_document(document: Document, policy: str) -> Mapping[str, Any]:
    properties = document.root["Resources"][policy].get("Properties")
    written = properties.get("PolicyDocument") if isinstance(properties, Mapping) else None
    for value, what in ((properties, "`Properties`"), (written, "`PolicyDocument`")):
        if isinstance(value, str):
            raise CannotEdit(f"{what} of the policy `{policy}` is written as text")
        if not isinstance(value, Mapping):
            raise CannotEdit(f"the policy `{policy}` has no {what} that is a mapping")
        for key in value:
            if key == "Ref" or key.startswith("Fn::"):
                raise CannotEdit(f"{what} of the policy `{policy}` is what `{key}` comes to")
    assert isinstance(written, Mapping)
    statements = written.get("Statement", [])
    if isinstance(statements, Mapping):
        for key in statements:
            if key == "Ref" or key.startswith("Fn::"):
                raise CannotEdit(f"`Statement` of the policy `{policy}` is what `{key}` comes to")
    elif not isinstance(statements, list):
        kind = {str: "text", type(None): "`null`", bool: "a Boolean"}.get(type(statements), "a number")
        raise CannotEdit(f"`Statement` of the policy `{policy}` is {kind}, and not a list")
    return written


def _deny(bucket: str, taken: frozenset[str]) -> dict[str, Any]:
    statement = deny_plain_http({"Fn::GetAtt": [bucket, "Arn"]})
    statement["Sid"] = _free(statement["Sid"], taken)
    # Equal to the `Fn::Join` of `deny_plain_http`, and shorter.
    statement["Resource"][1] = {"Fn::Sub": f"${{{bucket}.Arn}}/*"}
    return statement


def _sids(statements: object) -> frozenset[str]:
    """Return every `Sid` inside the statements, including the branches of an `Fn::If`."""
    found: set[str] = set()
    pending, visited = [statements], {id(statements)}
    while pending:
        current = pending.pop()
        if isinstance(current, Mapping):
            sid = current.get("Sid")
            if isinstance(sid, str):
                found.add(sid)
            current = list(current.values())
        for value in current if isinstance(current, list) else ():
            if isinstance(value, (Mapping, list)) and id(value) not in visited:
                visited.add(id(value))
                pending.append(value)
    return frozenset(found)


def _free(name: str, taken: frozenset[str]) -> str:
    number, free = 2, name
    while free in taken:
        free, number = f"{name}{number}", number + 1
    return free


def _replaced(value: Any, path: tuple[str, ...], new: object) -> Any:
    """Return a mapping with another value at the end of a path; it shares the other values."""
    key, *rest = path
    return {**value, key: _replaced(value[key], tuple(rest), new) if rest else new}


def _same(one: object, other: object) -> bool:
    """Tell whether two values are equal, including the order of their keys.

    The function compares each pair of values once, even if several aliases lead to it.
    """
    pending: list[tuple[object, object]] = [(one, other)]
    visited: set[tuple[int, int]] = set()
    while pending:
        first, second = pending.pop()
        if (id(first), id(second)) in visited or first is second:
            continue
        visited.add((id(first), id(second)))
        if isinstance(first, Mapping) and isinstance(second, Mapping):
            if list(first) != list(second):
                return False
            pending.extend(zip(first.values(), second.values(), strict=True))
        elif isinstance(first, Duplicate) and isinstance(second, Duplicate):
            # The reason contains line numbers, which the edits shift.
            pending.append((list(first.values), list(second.values)))
        elif isinstance(first, list) and isinstance(second, list):
            if len(first) != len(second):
                return False
            pending.extend(zip(first, second, strict=True))
        elif type(first) is not type(second) or first != second:
            return False
    return True
