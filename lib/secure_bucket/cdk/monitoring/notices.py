"""Make the topic of a monitoring, and the key that encrypts it."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

__all__ = ["let_alarms_publish", "make_key", "make_topic", "share_key", "share_key_of_topic"]


def make_key(scope: Construct, removal_policy: cdk.RemovalPolicy) -> kms.Key:
    """Make the key of a monitoring, which rotates every year; without this key nobody can read old logs."""
    return kms.Key(
        scope,
        "Key",
        description=f"{scope.node.path}: trail, log group and topic",
        enable_key_rotation=True,
        removal_policy=removal_policy,
    )


def share_key(key: kms.IKey) -> None:
    """Let the services of a monitoring use a key, each as its documentation says.

    An imported key stays unchanged: its owner must allow the same.
    """
    # The account and region as pseudo parameters, so that the key may be in another stack.
    account, region, partition = cdk.Aws.ACCOUNT_ID, cdk.Aws.REGION, cdk.Aws.PARTITION
    logs = f"arn:{partition}:logs:{region}:{account}:log-group:*"
    trails = f"arn:{partition}:cloudtrail:*:{account}:trail/*"
    for service, actions, conditions in (
        (
            f"logs.{region}.{cdk.Aws.URL_SUFFIX}",
            ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
            {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": logs}},
        ),
        (
            "cloudtrail.amazonaws.com",
            ["kms:GenerateDataKey*"],
            {"StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": trails}},
        ),
        ("cloudtrail.amazonaws.com", ["kms:DescribeKey"], {"ArnLike": {"aws:SourceArn": trails}}),
    ):
        _let_use(key, service, actions, conditions)
    share_key_of_topic(key)


def share_key_of_topic(key: kms.IKey) -> None:
    """Let CloudWatch and EventBridge use the key of a topic; otherwise their messages are silently lost.

    An imported key stays unchanged.
    """
    actions = ["kms:Decrypt", "kms:GenerateDataKey*"]
    own = {"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}}
    _let_use(key, "cloudwatch.amazonaws.com", actions, own)
    # EventBridge sends no `aws:SourceAccount`: with a condition on it, no message would arrive.
    _let_use(key, "events.amazonaws.com", actions, {})


def make_topic(scope: Construct, key: kms.IKey) -> sns.Topic:
    """Make an encrypted topic that refuses messages over plain HTTP."""
    return sns.Topic(
        scope, "Topic", display_name="Plain HTTP to S3 buckets", enforce_ssl=True, master_key=key
    )


def let_alarms_publish(topic: sns.ITopic) -> None:
    """Let the alarms of this account publish; a topic with a policy does not allow it by default."""
    account = cdk.Aws.ACCOUNT_ID
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["sns:Publish"],
            conditions={
                "ArnLike": {
                    "aws:SourceArn": f"arn:{cdk.Aws.PARTITION}:cloudwatch:{cdk.Aws.REGION}:{account}:alarm:*"
                },
                "StringEquals": {"aws:SourceAccount": account},
            },
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            resources=[topic.topic_arn],
            sid="AlarmsOfThisAccount",
        )
    )


def _let_use(key: kms.IKey, service: str, actions: list[str], conditions: dict[str, dict[str, str]]) -> None:
    key.add_to_resource_policy(
        iam.PolicyStatement(
            actions=actions,
            conditions=conditions,
            principals=[iam.ServicePrincipal(service)],
            resources=["*"],
        )
    )
