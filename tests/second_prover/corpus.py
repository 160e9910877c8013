"""Read the policies that others wrote: the labelled cases, and the bucket policies of real templates."""

from __future__ import annotations

import functools
import json
import pathlib
import re
from typing import Any

import yaml

from tests.second_prover.request import BUCKET

__all__ = ["TEMPLATES", "kept_cases", "labelled", "real_policies"]

HERE = pathlib.Path(__file__).parent
CASES = HERE / "cases"
LABELLED = HERE.parent / "cases"
_SHARED = HERE.parents[2] / "shared"
SHARED_CASES = _SHARED / "policy-cases.jsonl"
TEMPLATES = _SHARED / "templates"


@functools.cache
def labelled() -> tuple[dict[str, Any], ...]:
    """Return the labelled cases, those of ../shared included where they are there."""
    files = [*sorted(LABELLED.glob("*.jsonl")), *([SHARED_CASES] if SHARED_CASES.exists() else [])]
    return tuple(json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines())


def kept_cases() -> list[dict[str, Any]]:
    """Return the disagreements that `fuzz` kept."""
    files = sorted(CASES.glob("*.json"))
    return [{"id": file.stem, **json.loads(file.read_text(encoding="utf-8"))} for file in files]


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads the short forms of intrinsic functions as the long ones."""


def _intrinsic(loader: Any, tag: str, node: Any) -> Any:
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {"Ref" if tag == "Ref" else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _intrinsic)  # type: ignore[no-untyped-call]
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@functools.cache
def real_policies() -> tuple[Any, ...]:
    """Return the distinct bucket policies of ../shared/templates, with a value for each parameter."""
    found: dict[str, Any] = {}
    for file in sorted(TEMPLATES.rglob("*")):
        if file.suffix not in (".json", ".yaml", ".yml"):
            continue
        try:
            text = file.read_text(encoding="utf-8")
            if "AWS::S3::BucketPolicy" not in text:
                continue
            template = yaml.load(text, Loader=_Loader)
        except (yaml.YAMLError, UnicodeDecodeError, ValueError, TypeError):
            continue
        resources = template.get("Resources") if isinstance(template, dict) else None
        for resource in resources.values() if isinstance(resources, dict) else ():
            if isinstance(resource, dict) and resource.get("Type") == "AWS::S3::BucketPolicy":
                document = (resource.get("Properties") or {}).get("PolicyDocument")
                policy = _filled(document)
                if isinstance(policy, dict):
                    found.setdefault(json.dumps(policy, sort_keys=True, default=str), policy)
    return tuple(json.loads(text) for text in found)


def _filled(value: Any, key: str = "") -> Any:
    """Return JSON values without intrinsic functions; every bucket becomes the one that is asked about."""
    if isinstance(value, list):
        return [one for part in value for one in _branches(_filled(part, key))]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, inside),) = value.items()
        if name == "Ref":
            return _named(str(inside))
        if name == "Fn::GetAtt":
            return (
                BUCKET
                if "Bucket" in str(inside) or "Resource" in key
                else "arn:aws:iam::111122223333:role/app"
            )
        if name == "Fn::Sub":
            text = inside[0] if isinstance(inside, list) else str(inside)
            return re.sub(r"\$\{([^!}]*)\}", lambda found: _named(found[1]), text).replace("${!", "${")
        if name == "Fn::Join" and isinstance(inside, list) and isinstance(inside[1], list):
            return str(inside[0]).join(str(_filled(part)) for part in inside[1])
        if name == "Fn::If" and isinstance(inside, list):
            return _filled(inside[1], key)
        if name.startswith("Fn::"):
            return "something"
    filled = {name: _filled(inside, str(name)) for name, inside in value.items()}
    return {name: inside for name, inside in filled.items() if inside != "AWS::NoValue"}


def _branches(value: Any) -> list[Any]:
    return [] if value == "AWS::NoValue" else [value]


def _named(name: str) -> str:
    known = {
        "AWS::Partition": "aws",
        "AWS::AccountId": "111122223333",
        "AWS::Region": "us-east-1",
        "AWS::URLSuffix": "amazonaws.com",
        "AWS::StackName": "stack",
        "AWS::NoValue": "AWS::NoValue",
    }
    if name in known:
        return known[name]
    if name.endswith(".Arn"):
        return BUCKET if "role" not in name.lower() else "arn:aws:iam::111122223333:role/app"
    if "account" in name.lower():
        return "444455556666"
    return BUCKET.rpartition(":")[2] if "bucket" in name.lower() else "something"
