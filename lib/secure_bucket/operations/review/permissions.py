"""Write the IAM policy with the permissions that a review needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from secure_bucket.operations.aws.accounts import Scope
from secure_bucket.operations.aws.permissions import Allow, allow, policy_of
from secure_bucket.operations.review.account_review import ReviewQuestion

__all__ = ["review_permissions"]


def review_permissions(
    scope: Scope, question: ReviewQuestion, aggregator: str | None = None, *, partition: str = "aws"
) -> dict[str, Any]:
    """Return the smallest IAM policy for a review.

    It does not contain `sts:GetCallerIdentity`, which needs no permission.

    Args:
        scope: As for `review_accounts`.
        question: As for `review_accounts`.
        aggregator: The aggregator to query instead of S3 (default: read from S3).
        partition: The partition of the buckets (default: `aws`).

    Returns:
        The policy. If the review assumes roles, the policy of the caller as `Caller`, and the policy of each
        role as `Role`.
    """
    members = [allow("ListAccounts", ["organizations:ListAccounts"])] if scope.organization else []
    if aggregator is not None:
        job = [*_aggregator(partition), *members]
        assumed = scope.role_arns
        members = []
    else:
        job = list(_buckets(question, partition))
        assumed = scope.role_arns
        if scope.role_name is not None:
            accounts = () if scope.organization else scope.accounts
            assumed += tuple(
                f"arn:{partition}:iam::{account}:role/{scope.role_name}" for account in accounts or ("*",)
            )
    if not assumed:
        return policy_of(job)
    caller = [allow("AssumeRoles", ["sts:AssumeRole"], assumed), *members]
    if scope.organization and aggregator is None:
        # The review reads the account of the caller without a role.
        caller += job
    return {"Caller": policy_of(caller), "Role": policy_of(job)}


def _buckets(question: ReviewQuestion, partition: str) -> Iterator[Allow]:
    if not question.buckets:
        yield allow("ListBuckets", ["s3:ListAllMyBuckets"])
    yield allow(
        "ReadBuckets",
        ["s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock", "s3:GetBucketWebsite"],
        [f"arn:{partition}:s3:::{name}" for name in question.buckets or ("*",)],
    )
    yield allow("ReadAccountSettings", ["s3:GetAccountPublicAccessBlock"])


def _aggregator(partition: str) -> Iterator[Allow]:
    yield allow("FindAggregator", ["config:DescribeConfigurationAggregators"])
    # The ARN of an aggregator contains an id, which does not follow from its name.
    yield allow(
        "AskAggregator",
        ["config:DescribeConfigurationAggregatorSourcesStatus", "config:SelectAggregateResourceConfig"],
        [f"arn:{partition}:config:*:*:config-aggregator/*"],
    )
