"""Find policies in another template than their bucket, which a second policy would replace."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from secure_bucket.template.load import Document

__all__ = ["policies_elsewhere"]

_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def policies_elsewhere(documents: Iterable[Document]) -> dict[tuple[str, str], tuple[str, str]]:
    """Return the policies that certainly belong to a bucket of another template.

    The function identifies a bucket by its export, or by its name if the name depends only on the account
    and the Region.

    Returns:
        The file and logical id of the policy, by the file and logical id of the bucket.
    """
    buckets: dict[tuple[str, str], list[tuple[str, str]]] = {}
    policies: list[tuple[tuple[str, str], tuple[str, str]]] = []
    for document in documents:
        for logical_id, kind, properties in _resources(document):
            if kind == "AWS::S3::Bucket" and (name := _known_name(properties.get("BucketName"))):
                buckets.setdefault(("name", name), []).append((document.name, logical_id))
            elif kind == "AWS::S3::BucketPolicy":
                target = properties.get("Bucket")
                policy = (document.name, logical_id)
                if name := _known_name(target):
                    policies.append((("name", name), policy))
                elif name := _known_name(_argument(target, "Fn::ImportValue")):
                    policies.append((("export", name), policy))
        for logical_id, name in _exports(document):
            buckets.setdefault(("export", name), []).append((document.name, logical_id))
    return {
        bucket: policy
        for name, policy in policies
        for bucket in buckets.get(name, ())
        if bucket[0] != policy[0]
    }


def _resources(document: Document) -> Iterable[tuple[str, object, Mapping[str, object]]]:
    resources = document.root.get("Resources")
    for logical_id, body in resources.items() if isinstance(resources, Mapping) else ():
        if isinstance(body, Mapping):
            properties = body.get("Properties")
            yield str(logical_id), body.get("Type"), properties if isinstance(properties, Mapping) else {}


def _exports(document: Document) -> Iterable[tuple[str, str]]:
    """Yield the logical ids that the template exports by reference, with the names of the exports."""
    outputs = document.root.get("Outputs")
    for output in outputs.values() if isinstance(outputs, Mapping) else ():
        if isinstance(output, Mapping) and isinstance(output.get("Export"), Mapping):
            logical_id = _argument(output.get("Value"), "Ref")
            name = _known_name(output["Export"].get("Name"))
            if isinstance(logical_id, str) and name:
                yield logical_id, name


def _argument(value: object, function: str) -> object:
    return value.get(function) if isinstance(value, Mapping) and len(value) == 1 else None


def _known_name(value: object) -> str:
    """Return a name that means the same in every template; `""` for other values."""
    text = _argument(value, "Fn::Sub") if isinstance(value, Mapping) else value
    if not isinstance(text, str) or not all(
        variable in ("AWS::AccountId", "AWS::Partition", "AWS::Region")
        for variable in _VARIABLE.findall(text)
    ):
        return ""
    return text
