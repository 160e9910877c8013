"""Make buckets for the logs of AWS services, with the deny and the statement that lets a service deliver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

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
from secure_bucket.cdk.buckets.refuse import path_in

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from secure_bucket.cdk.buckets.props import SecureBucketProps

__all__ = ["LogSource", "SecureLogBucket"]


class SecureLogBucket(SecureBucket):
    """Make a bucket that takes the logs of one AWS service and refuses plain HTTP.

        logs = SecureLogBucket(self, "Logs", source=LogSource.ELB)
        load_balancer.log_access_logs(logs)

    It is a `SecureBucket` whose policy also contains the statement from the AWS guide of that service,
    restricted to this account. Constructs of the AWS CDK add their own statements: this bucket omits those
    that repeat its own, and adds the account to those without one.

    AWS documents no delivery over plain HTTP. CloudTrail delivers into buckets with the same deny in *Amazon
    S3 bucket policy in the audit account* of the Control Tower User Guide; for the other services the
    documentation does not name the protocol.

    Delivery of access logs is free, flow logs are billed as vended logs, and CloudTrail by its price list.
    The logs are billed as storage.

    Args:
        scope: The construct it belongs to.
        id: Its id in that scope.
        source: The service whose logs the bucket takes. Use one bucket for each source.
        prefix: The text that the service puts before each key, if you configure the service without a CDK
            construct (default: none). For server access logs, end a folder with a slash.
        source_accounts: The accounts whose logs the bucket takes (default: this one).
        retention: How long to keep a log (default: 365 days). To keep logs for ever, or move them to cheaper
            storage, use `lifecycle_rules` instead.
        encryption: The encryption (default: `S3_MANAGED`). Flow logs and CloudFront logs (v2) also take a key
            of your own (`KMS`), whose policy this construct extends; other sources raise an error.
        object_ownership: The bucket owns what is delivered and has no ACLs (`BUCKET_OWNER_ENFORCED`);
            `LogSource.CLOUDFRONT_LEGACY` needs ACLs (`BUCKET_OWNER_PREFERRED`). Another one raises.
        **props: As for `SecureBucket`.

    Raises:
        ConstructError: A prop would keep the logs out, or let somebody else in.
    """

    # The statements for the service, resolved. Empty while the bucket is being made.
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

        It restricts a statement for the service of this bucket to the accounts whose logs the bucket takes,
        and omits a statement that repeats an existing one.

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
    """Undo the ACL that the AWS CDK adds without `@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy`.

    Without that flag the CDK enables ACLs and admits S3 by one; the policy of this bucket admits S3 already.
    """
    rules = [{"ObjectOwnership": "BucketOwnerEnforced"}]
    bucket.add_property_override("OwnershipControls", {"Rules": rules})
    bucket.add_property_deletion_override("AccessControl")
