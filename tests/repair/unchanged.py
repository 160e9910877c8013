"""What a repair may do to a template, said without the code that does it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from secure_bucket.template import Document


def without_what_was_added(before: Mapping[str, Any], after: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a template without the policies and statements that another one does not have."""
    resources: dict[str, Any] = {}
    for name, body in after["Resources"].items():
        if name in before["Resources"]:
            resources[name] = _without_statements(before["Resources"][name], body)
        else:
            assert body["Type"] == "AWS::S3::BucketPolicy"
    return {**after, "Resources": resources}


def _without_statements(before: Any, after: Any) -> Any:
    if before == after or after.get("Type") != "AWS::S3::BucketPolicy":
        return after
    old = before["Properties"]["PolicyDocument"]
    document = dict(after["Properties"]["PolicyDocument"])
    *statements, added = document["Statement"]
    assert added["Effect"] == "Deny"
    assert added["Sid"].startswith("DenyPlainHttp")
    assert all(added["Sid"] != each.get("Sid") for each in statements if isinstance(each, Mapping))
    if "Statement" not in old:
        assert not statements
        del document["Statement"]
    else:
        document["Statement"] = statements if isinstance(old["Statement"], list) else statements[0]
    return {**after, "Properties": {**after["Properties"], "PolicyDocument": document}}


def assert_nothing_else_changed(before: Document, after: Document) -> None:
    """Assert that the values and the text of a template are still there, in their order."""
    assert without_what_was_added(before.root, after.root) == before.root
    characters = iter(after.text)
    for line in before.text.split("\n"):
        # Between two characters something may have been put, but none may be missing.
        assert all(each in characters for each in line.strip()), f"lost: {line!r}"


def assert_lines_stay(before: Document, after: Document) -> None:
    """Assert that every line of a template is still one line, which may be indented further and go on."""
    remaining = iter(after.text.split("\n"))
    for line in before.text.split("\n"):
        wanted = line.strip()
        assert any(_goes_on(wanted, other) for other in remaining), f"lost: {line!r}"


def _goes_on(line: str, other: str) -> bool:
    characters = iter(other)
    return all(each in characters for each in line)
