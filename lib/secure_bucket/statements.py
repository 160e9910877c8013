"""The two deny statements, written down once, as plain data.

They are the forms that AWS documents: *Restrict access to only HTTPS requests* and *Require a specific
TLS version* in the S3 User Guide's example bucket policies. Two statements on purpose: conditions in
one statement are ANDed, so the two tests in one statement would deny next to nothing.
"""

from __future__ import annotations

from typing import Any

__all__ = ["MINIMUM_TLS_VERSION", "deny_old_tls", "deny_plain_http"]

MINIMUM_TLS_VERSION = 1.2
"""The oldest TLS version that AWS itself still accepts, since February 2024."""


def deny_plain_http(bucket_arn: object) -> dict[str, Any]:
    """Write the statement that denies every request over plain HTTP.

    Args:
        bucket_arn: The ARN of the bucket, in any partition: a string, or an intrinsic function of a
            CloudFormation template as `{"Fn::GetAtt": ["Reports", "Arn"]}`.

    Returns:
        A new statement; change it as you like.
    """
    return _deny("DenyPlainHttp", bucket_arn, {"Bool": {"aws:SecureTransport": "false"}})


def deny_old_tls(bucket_arn: object, version: float = MINIMUM_TLS_VERSION) -> dict[str, Any]:
    """Write the statement that denies every request over a TLS version below `version`.

    It says nothing about plain HTTP: it is an addition to `deny_plain_http`, never a substitute.

    Args:
        bucket_arn: As for `deny_plain_http`.
        version: The lowest version to let in: 1.2 unless set.

    Returns:
        A new statement; change it as you like.
    """
    return _deny("DenyOldTls", bucket_arn, {"NumericLessThan": {"s3:TlsVersion": version}})


def _deny(sid: str, bucket_arn: object, condition: dict[str, Any]) -> dict[str, Any]:
    objects: object = f"{bucket_arn}/*"
    if not isinstance(bucket_arn, str):
        objects = {"Fn::Join": ["", [bucket_arn, "/*"]]}
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket_arn, objects],
        "Condition": condition,
    }
