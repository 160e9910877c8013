"""One situation, and what the apps of several share."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

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
        fix: Whether FIX runs `"first"` or, after `build`, `"last"` (default: it does not run).
        undecided: What undecided buckets are to the gate and to `check`: `"error"` or `"warning"`.
        check_arguments: Further arguments of `check`.
        settings: The settings file of `check`.
        helper: Whether `assert_denies_http(app)` passes; `None` if the way is not in the app itself.
        named: What both commands have to name.
        says: What `cdk synth` has to print as well.
        never: What neither command may print.
    """

    title: str
    build: Callable[[cdk.App], Any]
    synth: int
    check: int
    arguments: tuple[str, ...] = ()
    after: Callable[[cdk.App], Any] | None = None
    edit: Callable[[Path], Any] | None = None
    is_run_alone: bool = False
    fix: Literal["", "first", "last"] = ""
    undecided: Literal["error", "warning"] = "error"
    check_arguments: tuple[str, ...] = ()
    settings: str = ""
    helper: bool | None = None
    named: str = ""
    says: str = ""
    never: str = ""

    @property
    def is_in_the_app(self) -> bool:
        """Whether the app alone is the situation, and not how it is run, or with which options."""
        return not (
            self.arguments
            or self.after
            or self.edit
            or self.is_run_alone
            or self.fix
            or self.undecided == "warning"
            or self.check_arguments
            or self.settings
        )


SITUATIONS: dict[str, Situation] = {}


def situation(
    title: str, *, synth: int = 1, check: int = 1, named: str = "", **ways: Any
) -> Callable[[Callable[[cdk.App], Any]], Callable[[cdk.App], Any]]:
    """Register the app that the function fills as a situation; as several, each with its own name in it."""

    def register(build: Callable[[cdk.App], Any]) -> Callable[[cdk.App], Any]:
        case = f"{build.__name__}-{named}" if named else build.__name__
        made = Situation(title, build, synth, check, named=named, **ways)
        if made.is_in_the_app and made.helper is None:
            made = replace(made, helper=(synth, check) == (0, 0))
        SITUATIONS[case] = made
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


def bucket_with_policy(
    scope: cdk.Stack, *statements: Callable[[s3.CfnBucket], object], id: str = "Plain"
) -> s3.CfnBucketPolicy:
    bucket = s3.CfnBucket(scope, id)
    written = document(*(statement(bucket) for statement in statements))
    return s3.CfnBucketPolicy(scope, f"{id}Policy", bucket=bucket.ref, policy_document=written)


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
