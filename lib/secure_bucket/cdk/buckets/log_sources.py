"""List the services that deliver logs, and write the statements that admit them, as plain data.

Each statement comes from the AWS guide of its service, narrowed to the given accounts: otherwise the service
would write on behalf of any account (IAM User Guide, *The confused deputy problem*).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

__all__ = ["LogPlace", "LogSource", "delivery_statements", "key_statement"]

_VENDED_LOGS = "delivery.logs.amazonaws.com"


class LogSource(enum.Enum):
    """The AWS service whose logs a bucket takes."""

    S3 = "server access logs of S3"
    """Server access logs of other buckets: `s3.Bucket(…, server_access_logs_bucket=logs)`."""
    ELB = "load balancer logs"
    """Logs of Application, Network and Classic Load Balancers: `load_balancer.log_access_logs(logs)`."""
    CLOUDFRONT = "CloudFront logs"
    """Standard logs (v2) of CloudFront, which CloudWatch Logs delivers: `AWS::Logs::DeliveryDestination`."""
    CLOUDFRONT_LEGACY = "CloudFront logs (legacy)"
    """Standard logs (legacy): `cloudfront.Distribution(…, log_bucket=logs)`. They need an ACL."""
    VPC_FLOW = "VPC flow logs"
    """Flow logs of VPCs, subnets and interfaces: `ec2.FlowLogDestination.to_s3(logs)`."""
    CLOUDTRAIL = "CloudTrail logs"
    """Events of CloudTrail: `cloudtrail.Trail(…, bucket=logs)`."""

    @property
    def takes_kms(self) -> bool:
        """Whether AWS documents delivery by this source into a bucket with a customer managed KMS key."""
        return self in (LogSource.CLOUDFRONT, LogSource.VPC_FLOW)

    @property
    def needs_acl(self) -> bool:
        """Whether an ACL admits the service, which adds the ACL itself."""
        return self is LogSource.CLOUDFRONT_LEGACY


class LogPlace(Struct, frozen=True):
    """The bucket and the accounts of the statements; each value may be a token.

    Args:
        bucket_arn: The bucket.
        partition: Its partition.
        region: Its region.
        accounts: The accounts whose logs it takes.
        prefix: The text before the path that the service generates; `""`, or with a slash at its end.
    """

    bucket_arn: str
    partition: str
    region: str
    accounts: Sequence[str]
    prefix: str

    def objects_in(self, folder: str) -> list[str]:
        """The objects below a folder for each account: `AWSLogs/<account>/`."""
        return [f"{self.bucket_arn}/{self.prefix}{folder}{account}/*" for account in self.accounts]

    def arns(self, service: str, region: str, resource: str) -> list[str]:
        """The ARNs of something in each account."""
        return [f"arn:{self.partition}:{service}:{region}:{account}:{resource}" for account in self.accounts]


_FOLDER = "AWSLogs/"
# The folders of a delivery with Hive-compatible paths.
_HIVE = f"{_FOLDER}aws-account-id="
_OWNER = {"s3:x-amz-acl": "bucket-owner-full-control"}


def delivery_statements(source: LogSource, place: LogPlace) -> list[dict[str, Any]]:
    """Write the statements that let a service deliver, and check whether it can.

    Args:
        source: The service that delivers the logs.
        place: The bucket and the accounts.

    Returns:
        New statements; none if an ACL admits the service.
    """
    folder = place.objects_in(_FOLDER)
    match source:
        case LogSource.S3:
            # S3 User Guide, *Enabling Amazon S3 server access logging*.
            objects = [f"{place.bucket_arn}/{place.prefix}*"]
            return [_put("logging.s3.amazonaws.com", objects, _of_accounts(place))]
        case LogSource.ELB:
            # *Enable access logs for your Application Load Balancer*: the folder names the account, and a
            # prefix "must not include AWSLogs". Those of a Network Load Balancer come as vended logs.
            service = "logdelivery.elasticloadbalancing.amazonaws.com"
            put = _allow("AllowLoadBalancerLogDelivery", service, ["s3:PutObject"], folder, {})
            return [put, *_vended(folder, place, place.arns("logs", place.region, "*"))]
        case LogSource.VPC_FLOW:
            # Amazon VPC User Guide, *Amazon S3 bucket permissions for flow logs*.
            return _vended([*folder, *place.objects_in(_HIVE)], place, place.arns("logs", place.region, "*"))
        case LogSource.CLOUDFRONT:
            # CloudWatch Logs User Guide, *Logs sent to Amazon S3* (v2). CloudFront is in `us-east-1`.
            sources = place.arns("logs", "us-east-1", "delivery-source:*")
            if place.prefix:
                # "If you specified a prefix for your S3 bucket, your logs appear under that path", without a
                # folder for the account (CloudFront Developer Guide, *Specify an S3 bucket*).
                return _vended([f"{place.bucket_arn}/{place.prefix}*"], place, sources)
            return _vended([*folder, *place.objects_in(_HIVE)], place, sources)
        case LogSource.CLOUDTRAIL:
            # CloudTrail User Guide, *Amazon S3 bucket policy for CloudTrail*.
            trails = {"ArnLike": {"aws:SourceArn": _one(place.arns("cloudtrail", "*", "trail/*"))}}
            service = "cloudtrail.amazonaws.com"
            put = _put(service, folder, {"StringEquals": dict(_OWNER), **trails})
            return [put, _check(service, ["s3:GetBucketAcl"], place, trails)]
        case LogSource.CLOUDFRONT_LEGACY:
            return []


def key_statement(source: LogSource, place: LogPlace) -> dict[str, Any]:
    """Write the statement of a key policy that lets a service encrypt its logs.

    It is that of *Amazon S3 bucket server-side encryption* in the CloudWatch Logs User Guide.
    """
    actions = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
    # The statement that lets the service check names the accounts that it may act for.
    *_, look = delivery_statements(source, place)
    return _allow("AllowLogDelivery", _VENDED_LOGS, actions, ["*"], look["Condition"])


def _vended(objects: Sequence[str], place: LogPlace, sources: Sequence[str]) -> list[dict[str, Any]]:
    accounts = _of_accounts(place)
    origin = {"ArnLike": {"aws:SourceArn": _one(sources)}}
    owner = {"StringEquals": {**_OWNER, **accounts["StringEquals"]}}
    return [
        _put(_VENDED_LOGS, objects, {**owner, **origin}),
        _check(_VENDED_LOGS, ["s3:GetBucketAcl", "s3:ListBucket"], place, {**accounts, **origin}),
    ]


def _of_accounts(place: LogPlace) -> dict[str, dict[str, Any]]:
    return {"StringEquals": {"aws:SourceAccount": _one(place.accounts)}}


def _one(values: Sequence[str]) -> object:
    """Unwrap a list of one value, as the AWS CDK does."""
    return values[0] if len(values) == 1 else list(values)


def _put(service: str, objects: Sequence[str], condition: Mapping[str, Any]) -> dict[str, Any]:
    return _allow("AllowLogDelivery", service, ["s3:PutObject"], objects, condition)


def _check(
    service: str, actions: Sequence[str], place: LogPlace, condition: Mapping[str, Any]
) -> dict[str, Any]:
    return _allow("AllowLogDeliveryCheck", service, actions, [place.bucket_arn], condition)


def _allow(
    sid: str, service: str, actions: Sequence[str], resources: Sequence[str], condition: Mapping[str, Any]
) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": list(actions),
        "Resource": list(resources),
    }
    return {**statement, "Condition": dict(condition)} if condition else statement
