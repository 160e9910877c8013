"""One situation, and what the apps of several share."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import IConstruct

__all__ = [
    "PLAIN",
    "SITUATIONS",
    "URL",
    "Situation",
    "bucket_with_policy",
    "deny",
    "document",
    "policy_of",
    "situation",
    "stack",
    "template_file",
]

URL = "https://s3.amazonaws.com/templates/vpc.yaml"
PLAIN = {"Resources": {"Plain": {"Type": "AWS::S3::Bucket"}}}


@dataclass(frozen=True)
class Situation:
    """One way, with the exit codes that it has to have.

    Args:
        title: The situation, as the documentation says it.
        build: Fills the app.
        synth: The exit code of `cdk synth`.
        check: The exit code of `secure-bucket check cdk.out` afterwards.
        arguments: The arguments of `cdk synth`.
        after: What the app does after `app.synth()`.
        edit: What somebody does to the directory of the app after `cdk synth`.
        is_run_alone: Whether `python app.py` runs first, and `cdk synth` reads what that wrote.
        is_fixed: Whether FIX runs, after `build`.
        named: What both commands have to name, where the app holds several situations.
    """

    title: str
    build: Callable[[cdk.App], Any]
    synth: int
    check: int
    arguments: tuple[str, ...] = ()
    after: Callable[[cdk.App], Any] | None = None
    edit: Callable[[Path], Any] | None = None
    is_run_alone: bool = False
    is_fixed: bool = False
    named: str = ""


SITUATIONS: dict[str, Situation] = {}


def situation(
    title: str, *, synth: int = 1, check: int = 1, named: str = "", **ways: Any
) -> Callable[[Callable[[cdk.App], Any]], Callable[[cdk.App], Any]]:
    """Register the app that the function fills as a situation; as several, each with its own name in it."""

    def register(build: Callable[[cdk.App], Any]) -> Callable[[cdk.App], Any]:
        case = f"{build.__name__}-{named}" if named else build.__name__
        SITUATIONS[case] = Situation(title, build, synth, check, named=named, **ways)
        return build

    return register


def stack(app: IConstruct, id: str = "Top", **props: Any) -> cdk.Stack:
    return cdk.Stack(app, id, **props)  # type: ignore[arg-type]


def document(*statements: object) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def deny(bucket: s3.CfnBucket | str, **changes: object) -> dict[str, Any]:
    arn = f"arn:aws:s3:::{bucket}" if isinstance(bucket, str) else bucket.attr_arn
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        **changes,
    }


def bucket_with_policy(scope: cdk.Stack, *statements: Callable[[s3.CfnBucket], object]) -> s3.CfnBucketPolicy:
    bucket = s3.CfnBucket(scope, "Plain")
    written = document(*(statement(bucket) for statement in statements))
    return s3.CfnBucketPolicy(scope, "Policy", bucket=bucket.ref, policy_document=written)


def policy_of(bucket: s3.Bucket) -> s3.CfnBucketPolicy:
    policy = bucket.policy
    assert policy is not None
    resource = policy.node.default_child
    assert isinstance(resource, s3.CfnBucketPolicy)
    return resource


def template_file(template: object) -> str:
    file = Path(tempfile.mkdtemp()) / "included.json"
    file.write_text(json.dumps(template), encoding="utf-8")
    return str(file)
