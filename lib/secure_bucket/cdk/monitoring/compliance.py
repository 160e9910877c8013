"""Add the managed rule of AWS Config, and the runbook that fixes its findings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_config as config
from aws_cdk import aws_iam as iam
from constructs import Construct

from secure_bucket.cdk.monitoring.monitored_buckets import Watched
from secure_bucket.detection import CONFIG_RULE, REMEDIATION, RULE_DESCRIPTION

__all__ = ["add_remediation", "make_rules"]


def make_rules(scope: Construct, watched: Watched, *, whole_account: bool) -> list[config.ManagedRule]:
    """Have AWS Config judge the bucket policies: one rule for each bucket, or one for the whole account."""
    if whole_account or not watched.names:
        scopes = [config.RuleScope.from_resources([config.ResourceType.S3_BUCKET])]
    else:
        # The scope of a rule takes one id.
        scopes = [
            config.RuleScope.from_resource(config.ResourceType.S3_BUCKET, name) for name in watched.names
        ]
    return [
        config.ManagedRule(
            scope,
            f"ConfigRule{number or ''}",
            description=RULE_DESCRIPTION,
            identifier=CONFIG_RULE,
            rule_scope=each,
        )
        for number, each in enumerate(scopes)
    ]


def add_remediation(
    scope: Construct,
    watched: Watched,
    rules: Sequence[config.ManagedRule],
    *,
    mode: Literal["automatic", "manual"],
    whole_account: bool,
) -> iam.Role:
    """Have Systems Manager add a missing deny, with a role that allows nothing else.

    Returns:
        The role of the runbook.
    """
    partition, account, region = cdk.Aws.PARTITION, cdk.Aws.ACCOUNT_ID, cdk.Aws.REGION
    role = iam.Role(
        scope,
        "RemediationRole",
        assumed_by=iam.ServicePrincipal(
            "ssm.amazonaws.com",
            conditions={
                "StringEquals": {"aws:SourceAccount": account},
                "ArnLike": {"aws:SourceArn": f"arn:{partition}:ssm:*:{account}:automation-execution/*"},
            },
        ),
        description=f"{REMEDIATION}: adds the deny for plain HTTP to bucket policies",
    )
    # The reference of the runbook lists these actions, and gives no reason for `PutEncryptionConfiguration`.
    role.add_to_policy(
        iam.PolicyStatement(
            actions=[
                "s3:DeleteBucketPolicy",
                "s3:GetBucketPolicy",
                "s3:PutBucketPolicy",
                "s3:PutEncryptionConfiguration",
            ],
            conditions={"StringEquals": {"aws:ResourceAccount": account}},
            resources=[f"arn:{partition}:s3:::*"] if whole_account else list(watched.arns),
        )
    )
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["ssm:StartAutomationExecution"],
            resources=[f"arn:{partition}:ssm:{region}:*:automation-definition/{REMEDIATION}:*"],
        )
    )
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["ssm:GetAutomationExecution"],
            resources=[f"arn:{partition}:ssm:{region}:{account}:automation-execution/*"],
        )
    )
    for number, rule in enumerate(rules):
        config.CfnRemediationConfiguration(
            scope,
            f"Remediation{number or ''}",
            automatic=mode == "automatic",
            config_rule_name=rule.config_rule_name,
            # AWS Config requires both for automatic remediation.
            maximum_automatic_attempts=3 if mode == "automatic" else None,
            retry_attempt_seconds=300 if mode == "automatic" else None,
            parameters={
                "AutomationAssumeRole": {"StaticValue": {"Values": [role.role_arn]}},
                "BucketName": {"ResourceValue": {"Value": "RESOURCE_ID"}},
            },
            resource_type="AWS::S3::Bucket",
            target_id=REMEDIATION,
            target_type="SSM_DOCUMENT",
        )
    return role
