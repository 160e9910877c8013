"""Weaken the policies of proven templates from the field, one change at a time: no proof may survive.

`python -m tests.template.field_weakened` makes every change to every policy, and prints the proofs that
survive.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

from secure_bucket.checks import check_template
from secure_bucket.errors import SecureBucketError
from secure_bucket.proof.verdict import Proven
from secure_bucket.template import load_document, parse_document
from tests.template.field_verdicts import TEMPLATES

Json = Any
Change = Callable[[Json], None]


def _only(key: str, value: Json) -> Change:
    def change(statement: Json) -> None:
        statement.pop(f"Not{key}", None)
        statement[key] = value

    return change


def _and(operator: str, key: str, value: Json) -> Change:
    def change(statement: Json) -> None:
        statement["Condition"].setdefault(operator, {})[key] = value

    return change


def _part(index: int) -> Change:
    def change(statement: Json) -> None:
        written = statement["Resource"]
        # A single resource may cover everything: name another bucket.
        statement["Resource"] = (
            written[index] if isinstance(written, list) and len(written) > 1 else "arn:aws:s3:::x"
        )

    return change


def _perhaps(statement: Json) -> None:
    kept = copy.deepcopy(statement)
    statement.clear()
    statement["Fn::If"] = ["Weaker", kept, {"Ref": "AWS::NoValue"}]


ON_STATEMENTS: dict[str, Change] = {
    "allows": _only("Effect", "Allow"),
    "effect by a parameter": _only("Effect", {"Ref": "Weaker"}),
    "effect by a condition": _only("Effect", {"Fn::If": ["Weaker", "Deny", "Allow"]}),
    "effect by a mapping": _only("Effect", {"Fn::FindInMap": ["Weaker", {"Ref": "Weaker"}, "Effect"]}),
    "statement by a condition": _perhaps,
    "HTTPS": _only("Condition", {"Bool": {"aws:SecureTransport": "true"}}),
    "misspelt key": _only("Condition", {"Bool": {"aws:SecureTransports": "false"}}),
    "and no endpoint": _and("Null", "aws:SourceVpce", "true"),
    "and other addresses": _and("NotIpAddress", "aws:SourceIp", "10.0.0.0/8"),
    "one action": _only("Action", "s3:GetObject"),
    "one account": _only("Principal", {"AWS": "111122223333"}),
    "first resource": _part(0),
    "last resource": _part(-1),
}
ON_POLICIES: dict[str, Change] = {
    "policy by a condition": lambda resource: resource.update(Condition="Weaker"),
    "policy of another bucket": lambda resource: resource["Properties"].update(Bucket="some-other-bucket"),
}

ADDED: Json = {
    "Parameters": {"Type": "String"},
    "Conditions": {"Fn::Equals": [{"Ref": "Weaker"}, "x"]},
    "Mappings": {"a": {"Effect": "Deny"}, "b": {"Effect": "Allow"}},
}


def proofs() -> Iterator[tuple[str, Json, str, set[str]]]:
    """Yield each policy that a proof needs: its file, the template, its id, and the proven buckets."""
    for file in sorted(path for path in TEMPLATES.rglob("*") if path.is_file()):
        try:
            root = json.loads(json.dumps(load_document(file).root, default=str))
            proven = _proven(root)
        except (SecureBucketError, ValueError):
            continue
        # A section that is unknown, such as one that stands twice, takes no addition.
        is_open = any(not isinstance(root.get(section, {}), dict) for section in ADDED)
        for logical_id, resource in root["Resources"].items() if proven and not is_open else ():
            if isinstance(resource, dict) and resource.get("Type") == "AWS::S3::BucketPolicy":
                without = copy.deepcopy(root)
                del without["Resources"][logical_id]
                if needing := proven - _proven(without):
                    yield str(file.relative_to(TEMPLATES)), root, logical_id, needing


def weakened(root: Json, logical_id: str) -> Iterator[tuple[str, Json]]:
    """Yield a template with each change, and the name of the change."""
    for name, change in {**ON_STATEMENTS, **ON_POLICIES}.items():
        changed = copy.deepcopy(root)
        for section, added in (
            ("Parameters", {"Type": "String"}),
            ("Conditions", {"Fn::Equals": [{"Ref": "Weaker"}, "x"]}),
        ):
            changed.setdefault(section, {})["Weaker"] = added
        changed.setdefault("Mappings", {})["Weaker"] = {"a": {"Effect": "Deny"}, "b": {"Effect": "Allow"}}
        policy = changed["Resources"][logical_id]
        for target in [policy] if name in ON_POLICIES else list(_transport_statements(policy)):
            change(target)
        yield name, changed


def survivors(root: Json, logical_id: str, needing: set[str]) -> Iterator[str]:
    """Yield the changes after which every bucket is still proven."""
    for name, changed in weakened(root, logical_id):
        if needing <= _proven(changed):
            yield name


def _proven(root: Json) -> set[str]:
    report = check_template(parse_document(root))
    return {bucket.logical_id for bucket in report.buckets if isinstance(bucket.verdict, Proven)}


def _transport_statements(value: Json) -> Iterator[Json]:
    if isinstance(value, dict):
        if "Effect" in value and "SecureTransport" in json.dumps(value.get("Condition", "")):
            yield value
        else:
            for member in value.values():
                yield from _transport_statements(member)
    elif isinstance(value, list):
        for member in value:
            yield from _transport_statements(member)


if __name__ == "__main__":
    number = 0
    for file, root, logical_id, needing in proofs():
        number += 1
        for name in survivors(root, logical_id, needing):
            print(f"{file} {logical_id}: proven after `{name}`")
    print(f"{number} policies, {number * len({**ON_STATEMENTS, **ON_POLICIES})} changes")
