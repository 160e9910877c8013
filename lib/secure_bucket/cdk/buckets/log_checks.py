"""Reject props of a log bucket that would keep the logs out, or let others in."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3

from secure_bucket.cdk.buckets.log_sources import LogSource
from secure_bucket.cdk.buckets.mfa import BucketMfa, MfaOperation
from secure_bucket.cdk.buckets.refuse import refuse, shown

if TYPE_CHECKING:
    from secure_bucket.cdk.buckets.props import SecureBucketProps

__all__ = [
    "WHAT",
    "check_access",
    "check_place",
    "check_source",
    "encryption_for",
    "lifecycle_for",
    "ownership_for",
]

WHAT = "log bucket"

_YEAR = 365
"""Days: PCI DSS 4.0.1 asks for twelve months of audit logs (10.5.1)."""

_ACCOUNT = re.compile(r"[0-9]{12}")
# The characters that S3 calls safe in a key: they contain no wildcard and no policy variable.
_PREFIX = re.compile(r"[0-9A-Za-z!_.'()=-][0-9A-Za-z!_.'()=/-]*")


def check_source(path: str, source: object) -> None:
    """Reject a value that is not a `LogSource`."""
    if not isinstance(source, LogSource):
        names = ", ".join(f"`LogSource.{one.name}`" for one in LogSource)
        refuse(WHAT, path, f"`source={shown(source)}` is not a source of logs. Choose among {names}")


def ownership_for(source: LogSource) -> s3.ObjectOwnership:
    """Return the object ownership for a source: the bucket owner, with ACLs only if the source needs them."""
    ownership = s3.ObjectOwnership
    return ownership.BUCKET_OWNER_PREFERRED if source.needs_acl else ownership.BUCKET_OWNER_ENFORCED


def check_place(path: str, prefix: object, accounts: object) -> None:
    """Reject a prefix that is not the beginning of a key, and accounts without a valid id."""
    if prefix is not None and not (isinstance(prefix, str) and _PREFIX.fullmatch(prefix)):
        refuse(
            WHAT,
            path,
            f"`prefix={shown(prefix)}` is not the beginning of a key. Use letters, digits and "
            "`! - _ . ' ( ) = /`, without a slash in front",
        )
    if isinstance(prefix, str) and "AWSLogs" in prefix:
        refuse(
            WHAT, path, f"`prefix={prefix!r}` holds `AWSLogs`, which the service adds itself. Leave that out"
        )
    if accounts is None:
        return
    if isinstance(accounts, str) or not isinstance(accounts, Sequence) or not accounts:
        refuse(
            WHAT,
            path,
            f"`source_accounts={shown(accounts)}` is not a list of accounts. Write `['111122223333']`",
        )
    for account in accounts:
        known = isinstance(account, str) and (_ACCOUNT.fullmatch(account) or cdk.Token.is_unresolved(account))
        if not known:
            refuse(
                WHAT,
                path,
                f"`source_accounts` holds {shown(account)}, which is not the id of an account. Write its "
                "twelve digits as a text: `'111122223333'`",
            )


def check_access(path: str, source: LogSource, props: SecureBucketProps) -> None:
    """Reject props that let others in, or keep the service out."""
    if props.get("public_read_access"):
        refuse(WHAT, path, "`public_read_access=True` shows the logs to everybody. Leave the prop out")
    if props.get("access_control") is not None:
        why = (
            "which AWS adds by itself"
            if source.needs_acl
            else "which nothing needs here: the policy lets them in"
        )
        refuse(WHAT, path, f"`access_control` sets an ACL, {why}. Leave the prop out")
    ownership = props.get("object_ownership")
    needed = ownership_for(source)
    if ownership is not None and ownership is not needed:
        refuse(
            WHAT,
            path,
            f"`object_ownership={_name(ownership)}` does not go with {source.value}. Leave the prop out: "
            f"it is `{needed.name}`",
        )
    if source is LogSource.S3 and props.get("object_lock_default_retention") is not None:
        refuse(
            WHAT,
            path,
            "`object_lock_default_retention` keeps server access logs out: S3 does not deliver into such a "
            "bucket. Leave the prop out",
        )
    mfa = props.get("mfa")
    if isinstance(mfa, BucketMfa):
        mfa.check(path)
        if MfaOperation.ALL in mfa.operations:
            refuse(
                WHAT,
                path,
                "`mfa` with `MfaOperation.ALL` asks the service that delivers the logs for MFA. Name the "
                "operations that delete",
            )


def encryption_for(path: str, source: LogSource, props: SecureBucketProps) -> s3.BucketEncryption:
    """Return the encryption with which the logs arrive, or reject the given one."""
    given, key = props.get("encryption"), props.get("encryption_key")
    if given is None:
        given = s3.BucketEncryption.S3_MANAGED if key is None else s3.BucketEncryption.KMS
    if given is s3.BucketEncryption.S3_MANAGED and key is None:
        return given
    if source.takes_kms and given is s3.BucketEncryption.KMS:
        # Without a bucket key, each delivered object needs a request to KMS.
        props.setdefault("bucket_key_enabled", True)
        return given
    allowed = "`S3_MANAGED` or `KMS`" if source.takes_kms else "`S3_MANAGED`, the default"
    advice = " and give the key to the trail (`encryption_key`)" if source is LogSource.CLOUDTRAIL else ""
    refuse(
        WHAT,
        path,
        f"`encryption={_name(given)}` is not documented to take {source.value}, which would then not arrive. "
        f"Use {allowed}{advice}",
    )


def lifecycle_for(
    path: str, retention: object, props: SecureBucketProps
) -> Sequence[s3.LifecycleRule | dict[str, Any]]:
    """Return the lifecycle rules for the retention of logs."""
    rules = props.get("lifecycle_rules")
    if rules is not None:
        if retention is not None:
            refuse(
                WHAT,
                path,
                "`retention` and `lifecycle_rules` both say how long a log is kept. Leave one of them out",
            )
        return rules
    if retention is None:
        retention = cdk.Duration.days(_YEAR)
    if not isinstance(retention, cdk.Duration):
        refuse(
            WHAT,
            path,
            f"`retention={shown(retention)}` is no `cdk.Duration`. Write `cdk.Duration.days(365)`",
        )
    versioned = props.get("versioned") or props.get("mfa")
    return [
        s3.LifecycleRule(
            id="ExpireLogs",
            abort_incomplete_multipart_upload_after=cdk.Duration.days(7),
            expiration=retention,
            noncurrent_version_expiration=retention if versioned else None,
        )
    ]


def _name(value: object) -> str:
    return value.name if isinstance(value, enum.Enum) else shown(value)
