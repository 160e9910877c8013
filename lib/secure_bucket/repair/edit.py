"""The two changes that a repair makes to a template: a new policy, or a statement in one that exists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from secure_bucket.errors import TemplateError
from secure_bucket.repair.insert import Edit, apply_edits, insert_item, insert_member, item_of_one
from secure_bucket.repair.layout import Kind, Layout, LayoutError, read_layout
from secure_bucket.repair.style import Style, read_style
from secure_bucket.statements import deny_plain_http
from secure_bucket.template.load import Document, parse_document

__all__ = ["CannotEdit", "add_policy", "add_statement"]

_LONGEST_LOGICAL_ID = 255


class CannotEdit(Exception):
    """Say, as a clause, why a template cannot be changed safely."""


def add_policy(document: Document, bucket: str, taken: Iterable[str]) -> tuple[Document, str]:
    """Return a template in which a bucket has a policy that denies plain HTTP, and the policy's logical id.

    The policy comes and goes with the bucket: it has the same `Condition`, `DeletionPolicy` and
    `UpdateReplacePolicy`.

    Args:
        document: The template.
        bucket: The logical id of the bucket.
        taken: The logical ids that are taken.

    Raises:
        CannotEdit: If it cannot be changed safely.
    """
    logical_id = _free(f"{bucket[: _LONGEST_LOGICAL_ID - 10]}Policy", frozenset(taken))
    body = document.root["Resources"][bucket]
    resource: dict[str, Any] = {"Type": "AWS::S3::BucketPolicy"}
    for attribute in ("Condition", "DeletionPolicy", "UpdateReplacePolicy"):
        if attribute in body:
            resource[attribute] = body[attribute]
    resource["Properties"] = {
        "Bucket": {"Ref": bucket},
        "PolicyDocument": {"Version": "2012-10-17", "Statement": [_deny(bucket, frozenset())]},
    }

    def change(layout: Layout, style: Style) -> list[Edit]:
        resources = layout.at("Resources")
        return insert_member(layout, style, resources, resources.index(bucket), logical_id, resource)

    resources: dict[str, object] = {}
    for key, value in document.root["Resources"].items():
        resources[key] = value
        if key == bucket:
            resources[logical_id] = resource
    return _changed(document, change, {**document.root, "Resources": resources}), logical_id


def add_statement(document: Document, policy: str, bucket: str) -> Document:
    """Return a template in which a policy also has the statement that denies plain HTTP.

    Args:
        document: The template.
        policy: The logical id of the policy.
        bucket: The logical id of its bucket.

    Raises:
        CannotEdit: If it cannot be changed safely.
    """
    written = _policy_document(document, policy)
    statements = written.get("Statement", [])
    sids = _sids(statements)
    statement = _deny(bucket, sids)
    path = ("Resources", policy, "Properties", "PolicyDocument")

    def change(layout: Layout, style: Style) -> list[Edit]:
        node = layout.at(*path)
        if node.kind is not Kind.MAPPING:
            raise LayoutError("the document stands behind a YAML alias, so that it belongs to others, too")
        if "Statement" not in written:
            return insert_member(layout, style, node, len(node.children) - 1, "Statement", [statement])
        node = layout.at(*path, "Statement")
        if node.kind is Kind.SEQUENCE:
            return insert_item(layout, style, node, statement)
        if node.kind is Kind.MAPPING:
            return item_of_one(layout, style, node, statement)
        raise LayoutError("`Statement` stands behind a YAML alias, so that it belongs to others, too")

    listed = statements if isinstance(statements, list) else [statements]
    expected = _replaced(document.root, (*path, "Statement"), [*listed, statement])
    return _changed(document, change, expected)


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
        shown = "null" if statements is None else type(statements).__name__
        raise CannotEdit(f"`Statement` of the policy `{policy}` is `{shown}`, and not a list")
    return written


def _deny(bucket: str, taken: frozenset[str]) -> dict[str, Any]:
    statement = deny_plain_http({"Fn::GetAtt": [bucket, "Arn"]})
    statement["Sid"] = _free(statement["Sid"], taken)
    # The same as its `Fn::Join`, as people write it by hand.
    statement["Resource"][1] = {"Fn::Sub": f"${{{bucket}.Arn}}/*"}
    return statement


def _sids(statements: object) -> frozenset[str]:
    """Return every `Sid` inside the statements, also in the branches of an `Fn::If`."""
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
    """Return a mapping with another value at the end of a path; all beside the path is shared."""
    key, *rest = path
    return {**value, key: _replaced(value[key], tuple(rest), new) if rest else new}


def _changed(document: Document, change: Any, expected: Mapping[str, Any]) -> Document:
    """Return a template with its text edited, if it then says what is expected and nothing else."""
    try:
        layout = read_layout(document.text)
        edits = change(layout, read_style(layout))
        changed = parse_document(apply_edits(document.text, edits), document.name)
    except (LayoutError, RecursionError) as error:
        raise CannotEdit(str(error) or "the template is nested too deeply") from None
    except TemplateError as error:
        raise CannotEdit(f"with the deny written into it the template could not be read: {error}") from None
    # INVARIANT: no text leaves this module that differs from the template in anything else.
    if not _same(changed.root, expected):
        raise CannotEdit(
            "the deny would reach other parts of the template, which share the place by an alias"
        )
    return changed


def _same(one: object, other: object) -> bool:
    """Tell whether two values are written alike, the order of their keys included.

    Each pair of values is compared once, however many aliases lead to it.
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
        elif isinstance(first, list) and isinstance(second, list):
            if len(first) != len(second):
                return False
            pending.extend(zip(first, second, strict=True))
        elif type(first) is not type(second) or first != second:
            return False
    return True
