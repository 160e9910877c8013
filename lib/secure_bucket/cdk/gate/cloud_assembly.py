"""What the gate reads in a cloud assembly besides the templates: metadata and the construct tree."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

__all__ = ["CloudAssembly", "StackArtifact", "imported_buckets", "read_cloud_assembly"]

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


class StackArtifact(Struct, frozen=True):
    """A stack of the assembly.

    Args:
        path: Its construct path.
        in_stage: Whether it is inside a Stage.
        metadata: The metadata of its constructs, by `"/" + path`, as the CDK wrote it.
    """

    path: str
    in_stage: bool
    metadata: Mapping[str, list[Mapping[str, Any]]]


class CloudAssembly(Struct, frozen=True):
    """The stacks of an assembly, those of its Stages included."""

    stacks: tuple[StackArtifact, ...]

    def stack_of(self, path: str) -> StackArtifact | None:
        """Find the stack that a construct is in; one in a nested stack is in the stack around it."""
        for stack in self.stacks:
            if path == stack.path or path.startswith(f"{stack.path}/"):
                return stack
        return None


def read_cloud_assembly(directory: Path) -> CloudAssembly:
    """Read the manifests of an assembly and the metadata they name."""
    return CloudAssembly(tuple(_stacks(directory, in_stage=False)))


def _stacks(directory: Path, *, in_stage: bool) -> Iterator[StackArtifact]:
    for id, artifact in _json(directory / "manifest.json").get("artifacts", {}).items():
        if artifact["type"] == "cdk:cloud-assembly":
            yield from _stacks(directory / artifact["properties"]["directoryName"], in_stage=True)
        elif artifact["type"] == "aws:cloudformation:stack":
            metadata = artifact.get("metadata", {})
            if "additionalMetadataFile" in artifact:
                metadata = metadata | _json(directory / artifact["additionalMetadataFile"])
            yield StackArtifact(artifact.get("displayName", id), in_stage, metadata)


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
