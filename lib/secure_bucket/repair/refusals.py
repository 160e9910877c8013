"""Refuse unsafe fixes with a reason, and find a related mistake that the deny does not fix."""

from __future__ import annotations

import json
from collections.abc import Mapping

from secure_bucket.findings.declared import DeclaredJudgement
from secure_bucket.findings.rules.rule import when
from secure_bucket.policy.size import MAX_POLICY_BYTES
from secure_bucket.repair.edit import CannotEdit
from secure_bucket.template import Bucket, BucketPolicy, Inventory
from secure_bucket.template.deployments import deployments_of
from secure_bucket.values.unknown import Hole, Text

__all__ = [
    "MADE_BY_CDK",
    "find_inverted_deny",
    "refuse_large_policy",
    "refuse_unless_one_policy",
]

MADE_BY_CDK = (
    "the AWS CDK made this template, and will overwrite it: fix the app, with "
    "`SecureTransportAspect(mode=Mode.FIX)` or `enforce_ssl=True`"
)
"""The reason not to fix a synthesized template."""

_LONGEST_NAME = 63


def refuse_unless_one_policy(judgement: DeclaredJudgement, policy: BucketPolicy | None) -> None:
    """Refuse a bucket that does not have exactly one policy, and a policy for a list of buckets."""
    if judgement.several:
        named = " and ".join(f"`{each.resource.logical_id}`" for each in judgement.several)
        raise CannotEdit(f"it has the policies {named}, of which the last one that is written wins: keep one")
    if policy is None:
        named = " and ".join(f"`{each.resource.logical_id}`" for each in judgement.policies)
        raise CannotEdit(
            f"it has no policy{when(judgement.http)}, or none that is certainly its own: give {named} the "
            "`Bucket` and the `Condition` of the bucket"
        )
    properties = policy.resource.properties
    target = properties.get("Bucket") if isinstance(properties, Mapping) else None
    if isinstance(target, list):
        raise CannotEdit(
            f"the policy `{policy.resource.logical_id}` is for a list of buckets: write one for each"
        )


def refuse_large_policy(inventory: Inventory, bucket: Bucket) -> None:
    """Refuse a policy that may exceed the size limit of S3.

    Each unknown part counts as long as the longest name of a bucket.
    """
    for deployment in deployments_of(inventory, bucket):
        for applied in deployment.policies:
            text = json.dumps(
                applied.document, separators=(",", ":"), ensure_ascii=False, default=_at_its_longest
            )
            size = len(text.encode("utf-8", "replace"))
            if size > MAX_POLICY_BYTES:
                raise CannotEdit(
                    f"with the deny the policy `{applied.policy.resource.logical_id}` would have up to "
                    f"{size:,} bytes, and S3 takes {MAX_POLICY_BYTES:,}"
                )


def _at_its_longest(value: object) -> str:
    parts = value.parts if isinstance(value, Text) else ()
    return "".join("x" * _LONGEST_NAME if isinstance(part, Hole) else part for part in parts)


def find_inverted_deny(policy: BucketPolicy | None) -> str:
    """Return the problem of a statement that denies HTTPS, which the deny does not fix; `""` without one."""
    properties = policy.resource.properties if policy is not None else None
    document = properties.get("PolicyDocument") if isinstance(properties, Mapping) else None
    statements = document.get("Statement") if isinstance(document, Mapping) else None
    for index, statement in enumerate(statements if isinstance(statements, list) else [statements], 1):
        condition = statement.get("Condition") if isinstance(statement, Mapping) else None
        if not isinstance(condition, Mapping) or statement.get("Effect") != "Deny":
            continue
        tests = condition.get("Bool")
        for key, value in tests.items() if isinstance(tests, Mapping) else ():
            value = value[0] if isinstance(value, list) and len(value) == 1 else value
            if key.casefold() == "aws:securetransport" and str(value).casefold() == "true":
                sid = statement.get("Sid")
                named = f"`{sid}`" if isinstance(sid, str) else f"{index}"
                return (
                    f"its statement {named} denies requests over HTTPS, so that with the deny nothing may "
                    "get through at all: did `true` mean `false`?"
                )
    return ""
