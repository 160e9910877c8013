"""Write the IAM policy with the permissions that an audit needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from secure_bucket.operations.audit.s3 import Location
from secure_bucket.operations.aws.permissions import Allow, allow, literal, policy_of

__all__ = ["audit_permissions"]


def audit_permissions(
    locations: Sequence[Location],
    *,
    partition: str = "aws",
    role_arn: str | None = None,
    athena: tuple[str, str] | None = None,
    results: Location | None = None,
) -> dict[str, Any]:
    """Return the smallest IAM policy for an audit.

    Args:
        locations: The prefixes to read.
        partition: The partition of the buckets (default: `aws`).
        role_arn: The role to assume (default: no role).
        athena: The workgroup and the database of Athena (default: read on this machine).
        results: The location of the results of Athena (default: any bucket).

    Returns:
        The policy. If the audit assumes a role, the policy of the caller as `Caller`, and the policy of the
        role as `Role`.
    """
    statements: list[Allow] = []
    for number, location in enumerate(locations, 1):
        bucket = f"arn:{partition}:s3:::{location.bucket}"
        end = "" if len(locations) == 1 else str(number)
        statements += [
            allow(f"ListLogs{end}", ["s3:ListBucket"], [bucket])
            | {"Condition": {"StringLike": {"s3:prefix": [f"{literal(location.prefix)}*"]}}},
            allow(f"ReadLogs{end}", ["s3:GetObject"], [f"{bucket}/{literal(location.prefix)}*"]),
        ]
    if athena is not None:
        statements += _athena(partition, *athena, results)
    if role_arn is None:
        return policy_of(statements)
    caller = [allow("BecomeTheRole", ["sts:AssumeRole"], [role_arn])]
    return {"Caller": policy_of(caller), "Role": policy_of(statements)}


def _athena(partition: str, workgroup: str, database: str, results: Location | None) -> list[Allow]:
    bucket = f"arn:{partition}:s3:::{results.bucket if results else '*'}"
    objects = f"{bucket}/{literal(results.prefix) if results else ''}*"
    glue = f"arn:{partition}:glue:*:*"
    return [
        allow(
            "AskAthena",
            [
                *("athena:GetQueryExecution", "athena:GetQueryResults"),
                *("athena:StartQueryExecution", "athena:StopQueryExecution"),
            ],
            [f"arn:{partition}:athena:*:*:workgroup/{workgroup}"],
        ),
        allow(
            "DescribeTheLogs",
            [
                "glue:CreateTable",
                "glue:DeleteTable",
                "glue:GetDatabase",
                "glue:GetPartitions",
                "glue:GetTable",
            ],
            [
                f"{glue}:catalog",
                f"{glue}:database/{database}",
                f"{glue}:table/{database}/secure_bucket_audit_*",
            ],
        ),
        allow("FindTheResults", ["s3:GetBucketLocation", "s3:ListBucket"], [bucket]),
        allow("WriteTheResults", ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"], [objects]),
    ]
