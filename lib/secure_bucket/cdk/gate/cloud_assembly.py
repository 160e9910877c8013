"""List the buckets that an app imports, which only its construct tree tells."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["imported_buckets"]

# `Bucket.from_…` makes an object of a private class, whose nearest public name is this one.
_IMPORTED = "aws-cdk-lib.aws_s3.BucketBase"
# Where the CDK imports a bucket by itself: the bucket of the assets, which the bootstrap stack owns,
# and the L2 face of a bucket or a policy that the same template declares.
_IMPORTED_BY_THE_CDK = frozenset(
    {
        "aws-cdk-lib.aws_s3.CfnBucket",
        "aws-cdk-lib.aws_s3.CfnBucketPolicy",
        "aws-cdk-lib.aws_s3_assets.Asset",
    }
)


def imported_buckets(directory: Path) -> Iterator[str]:
    """List the construct paths of the buckets that the app imports, and so does not declare.

    They stand in the construct tree only. An app that switched `treeMetadata` off has none to read.
    """
    tree = directory / "tree.json"
    if tree.is_file():
        yield from _imports(_json(tree)["tree"], "", directory)


def _imports(node: Mapping[str, Any], parent: str, directory: Path) -> Iterator[str]:
    if "fileName" in node and "treeId" in node:
        # A large tree is spread over several files.
        node = _json(directory / node["fileName"])["forest"][node["treeId"]]
    kind = node.get("constructInfo", {}).get("fqn", "")
    if kind == _IMPORTED and parent not in _IMPORTED_BY_THE_CDK:
        yield node["path"]
    for child in node.get("children", {}).values():
        yield from _imports(child, kind, directory)


def _json(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))
