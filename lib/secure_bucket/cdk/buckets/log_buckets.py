"""Buckets for the logs of AWS services: the deny, and beside it the statement that lets them deliver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct
from typing_extensions import Unpack

from secure_bucket.cdk.buckets.bucket import SecureBucket
from secure_bucket.cdk.buckets.log_checks import (
    check_access,
    check_place,
    check_source,
    encryption_for,
    lifecycle_for,
    ownership_for,
)
from secure_bucket.cdk.buckets.log_delivery import is_covered, missing_conditions
from secure_bucket.cdk.buckets.log_sources import LogPlace, LogSource, delivery_statements, key_statement
from secure_bucket.cdk.buckets.props import SecureBucketProps
from secure_bucket.cdk.buckets.refuse import path_in

__all__ = ["LogSource", "SecureLogBucket"]


class SecureLogBucket(SecureBucket):
    """Make a bucket that takes the logs of one AWS service, and refuses plain HTTP to everyone.

        logs = SecureLogBucket(self, "Logs", source=LogSource.ELB)
        load_balancer.log_access_logs(logs)

    It is a `SecureBucket`, in whose policy the service may deliver: with the statement of the guide of that
    service, on behalf of this account only. The constructs of the AWS CDK add their own; what is allowed
    already is not written again, and a statement without the account gets it.

    AWS documents no delivery over plain HTTP. CloudTrail delivers into buckets with the same deny in *Amazon
    S3 bucket policy in the audit account* of the Control Tower User Guide; for the other services the
    documentation does not name the protocol.

    Delivery of access logs is free, flow logs cost as vended logs do, CloudTrail as its price list says; what
    arrives is billed as storage. It is kept for a year by default.

    Args:
        scope: The construct it belongs to.
        id: Its id in that scope.
        source: Whose logs it takes; one bucket for each.
        prefix: What the service is told to put before each key, where no construct of the AWS CDK tells the
            bucket (default: nothing). For server access logs end it with a slash if it is a folder.
        source_accounts: The accounts whose logs it takes (default: this one).
        retention: How long a log is kept (default: 365 days). To keep logs for ever, or move them to cheaper
            storage, leave it out and write `lifecycle_rules`.
        encryption: The encryption (default: `S3_MANAGED`). A key of your own (`KMS`) goes with flow logs and
            CloudFront logs (v2), for which its policy is extended; with others it raises.
        object_ownership: The bucket owns what is delivered and has no ACLs (`BUCKET_OWNER_ENFORCED`);
            `LogSource.CLOUDFRONT_LEGACY` needs ACLs (`BUCKET_OWNER_PREFERRED`). Another one raises.
        **props: As for `SecureBucket`.

    Raises:
        ConstructError: A prop would keep the logs out, or let somebody else in.
    """

    # What the policy allows the service, resolved. Empty while the bucket is made.
    _own: Sequence[Mapping[str, Any]] = ()

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        source: LogSource,
        prefix: str | None = None,
        source_accounts: Sequence[str] | None = None,
        retention: cdk.Duration | None = None,
        **props: Unpack[SecureBucketProps],
    ) -> None:
        path = path_in(scope, id)
        check_source(path, source)
        check_place(path, prefix, source_accounts)
        check_access(path, source, props)
        props["encryption"] = encryption_for(path, source, props)
        props["lifecycle_rules"] = lifecycle_for(path, retention, props)
        if source is not LogSource.S3:
            props["object_ownership"] = ownership_for(source)
        super().__init__(scope, id, **props)
        if source is LogSource.S3:
            _keep_acls_off(cast(s3.CfnBucket, self.node.default_child))
        stack = self.stack
        before = prefix or ""
        if before and source is not LogSource.S3:
            before = f"{before.rstrip('/')}/"
        accounts = source_accounts or [stack.account]
        place = LogPlace(self.bucket_arn, stack.partition, stack.region, accounts, before)
        own = delivery_statements(source, place)
        for statement in own:
            super().add_to_resource_policy(iam.PolicyStatement.from_json(statement))
        self._own = [stack.resolve(statement) for statement in own]
        if self.encryption_key is not None:
            added = self.encryption_key.add_to_resource_policy(
                iam.PolicyStatement.from_json(key_statement(source, place))
            )
            if not added.statement_added:
                cdk.Annotations.of(self).add_warning_v2(
                    "log-bucket:imported-key",
                    f"the key of `{path}` is imported: add to its policy the statement of *Amazon S3 bucket "
                    "server-side encryption* in the CloudWatch Logs User Guide, else no logs arrive",
                )

    def add_to_resource_policy(self, permission: iam.PolicyStatement) -> iam.AddToResourcePolicyResult:
        """Add a statement to the policy, as for `s3.Bucket`.

        What lets the service of this bucket in on behalf of anybody is narrowed to the accounts whose logs it
        takes; what the bucket allows it already is not added again.

        Args:
            permission: The statement.
        """
        statement = self.stack.resolve(permission.to_statement_json())
        missing = missing_conditions(statement, self._own)
        if missing:
            conditions = {**permission.conditions}
            for operator, keys in missing.items():
                conditions[operator] = {**conditions.get(operator, {}), **keys}
            permission = permission.copy(conditions=conditions)
            statement = self.stack.resolve(permission.to_statement_json())
        if is_covered(statement, self._own):
            return iam.AddToResourcePolicyResult(statement_added=True, policy_dependable=self.policy)
        return super().add_to_resource_policy(permission)


def _keep_acls_off(bucket: s3.CfnBucket) -> None:
    """Undo what the AWS CDK does without `@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy`.

    It then lets S3 deliver by an ACL, and enables ACLs for that; the policy of this bucket does it without.
    """
    rules = [{"ObjectOwnership": "BucketOwnerEnforced"}]
    bucket.add_property_override("OwnershipControls", {"Rules": rules})
    bucket.add_property_deletion_override("AccessControl")
