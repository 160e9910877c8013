"""List the buckets that an app imports, from its construct tree."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from msgspec import Struct

from secure_bucket.cdk.gate.acknowledgments import find_construct

__all__ = ["ImportedBucket", "imported_buckets"]

# Buckets that AWS owns, or to which the bootstrap stack of the AWS CDK gives a policy with the deny.
_OF_AWS = re.compile(
    r":s3:::(?:aws-(?:codedeploy|ssm|windows-downloads|glue-assets)-|amazoncloudwatch-agent|elasticmapreduce$|"
    r"prod-[a-z0-9-]*-starport-layer-bucket$|cdk-[a-z0-9]+-assets-)|\.elasticmapreduce$"
)

# `Bucket.from_…` makes an object of a private class; this is its nearest public name.
_IMPORTED = "aws-cdk-lib.aws_s3.BucketBase"
# Places where the CDK itself imports a bucket: the asset bucket, which the bootstrap stack owns, and the L2
# of a bucket or a policy that the same template declares.
_IMPORTED_BY_THE_CDK = frozenset(
    {
        "aws-cdk-lib.aws_s3.CfnBucket",
        "aws-cdk-lib.aws_s3.CfnBucketPolicy",
        "aws-cdk-lib.aws_s3_assets.Asset",
    }
)


class ImportedBucket(Struct, frozen=True):
    """A bucket that the app imports.

    Args:
        arn: Its ARN, resolved; literal if its name is.
        paths: The paths of the constructs that import it.
    """

    arn: object
    paths: list[str]


def imported_buckets(app: cdk.App, directory: Path, own: Container[str]) -> list[ImportedBucket]:
    """List the buckets that the app imports, without those of AWS itself.

    Args:
        app: The app.
        directory: Its cloud assembly. Without a construct tree there (`treeMetadata` is off), the list is
            empty.
        own: The logical ids of the buckets that the app declares.
    """
    imported: list[ImportedBucket] = []
    for path in _paths(directory):
        bucket = find_construct(app, path)
        if bucket is None:
            continue
        arn = _literal(cdk.Stack.of(bucket).resolve(cast(s3.IBucket, bucket).bucket_arn))
        if any(id in own for id in _referenced(arn)) or (isinstance(arn, str) and _OF_AWS.search(arn)):
            continue
        known = next((each for each in imported if each.arn == arn), None)
        if known is None:
            imported.append(ImportedBucket(arn, [path]))
        else:
            known.paths.append(path)
    return imported


def _paths(directory: Path) -> Iterator[str]:
    tree = directory / "tree.json"
    text = tree.read_bytes() if tree.is_file() else b""
    # Most apps import no bucket, and parsing a tree takes half as long as reading all templates.
    if _IMPORTED.encode() in text or b'"fileName"' in text:
        yield from _imports(json.loads(text)["tree"], "", directory)


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


def _literal(arn: object) -> object:
    """Return an ARN with only the partition open in a form that its owner can paste; any other one
    unchanged."""
    match arn:
        case {"Fn::Join": ["", [str(first), {"Ref": "AWS::Partition"}, *rest]]} if all(
            isinstance(part, str) for part in rest
        ):
            # An app for another partition than `aws` names a Region, and the AWS CDK then names the
            # partition.
            return "".join([first, "aws", *rest])
        case _:
            return arn


def _referenced(value: object) -> Iterator[str]:
    """Return the logical ids that a resolved value refers to."""
    if isinstance(value, list):
        for each in value:
            yield from _referenced(each)
    elif isinstance(value, dict):
        for function, argument in value.items():
            if function == "Ref":
                yield argument
            elif function == "Fn::GetAtt":
                yield argument[0]
            else:
                yield from _referenced(argument)
