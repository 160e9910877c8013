"""A bucket that cannot be written down without its deny."""

from __future__ import annotations

import math
from typing import NoReturn

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import Construct
from typing_extensions import Unpack

from secure_bucket.cdk.props import SecureBucketProps
from secure_bucket.errors import ConstructError
from secure_bucket.statements import MINIMUM_TLS_VERSION

__all__ = ["SecureBucket", "SecureBucketProps"]

# Read once: every reading is a call to the jsii kernel, and a bucket must not cost more than `s3.Bucket`.
_BLOCK_ALL = s3.BlockPublicAccess.BLOCK_ALL

_NEWEST_TLS_VERSION = 1.3

_WEBSITE_PROPS = (
    "website_error_document",
    "website_index_document",
    "website_redirect",
    "website_routing_rules",
)


class SecureBucket(s3.Bucket):
    """Make an S3 bucket that refuses plain HTTP, for the bucket and for every object in it.

    It is an `s3.Bucket` and takes every prop of one; three defaults differ. The statements are those
    of *Example bucket policies* in the S3 User Guide.

        SecureBucket(self, "Reports", versioned=True)

    Args:
        scope: The construct it belongs to.
        id: Its id in that scope.
        enforce_ssl: Always on. `False` raises.
        minimum_tls_version: TLS below this version is refused as well, by a second statement; 1.2
            unless set. A version below 1.2, which AWS does not serve any more, or above 1.3, which would
            lock everyone out, raises.
        block_public_access: Everything public is blocked (`BLOCK_ALL`) unless set.
        website_error_document: A website endpoint speaks plain HTTP only, so each `website_*` prop raises.
        **props: As for `s3.Bucket`.

    Raises:
        ConstructError: A prop contradicts the purpose of this bucket.
    """

    def __init__(self, scope: Construct, id: str, **props: Unpack[SecureBucketProps]) -> None:
        _refuse_plain_http(scope, id, props)
        props["enforce_ssl"] = True
        props["minimum_tls_version"] = _tls_version(scope, id, props.get("minimum_tls_version"))
        if props.get("block_public_access") is None:
            props["block_public_access"] = _BLOCK_ALL
        super().__init__(scope, id, **props)


def _refuse_plain_http(scope: Construct, id: str, props: SecureBucketProps) -> None:
    enforce_ssl = props.get("enforce_ssl")
    if enforce_ssl is not None and enforce_ssl is not True:
        _refuse(
            scope,
            id,
            f"`enforce_ssl={enforce_ssl!r}` asks for a bucket that answers plain HTTP. Leave the prop out, "
            "or use `s3.Bucket` for this bucket and acknowledge the finding of the gate with your reason",
        )
    for name in _WEBSITE_PROPS:
        value = props.get(name)
        if value is not None:
            _refuse(
                scope,
                id,
                f"`{name}={_shown(value)}` makes a website endpoint, which speaks plain HTTP only, so that "
                "the deny would answer 403 to everyone. Serve the bucket through CloudFront: "
                "`origins.S3BucketOrigin.with_origin_access_control(bucket)`",
            )


def _tls_version(scope: Construct, id: str, version: object) -> float:
    if version is None:
        return MINIMUM_TLS_VERSION
    if isinstance(version, (int, float)) and not isinstance(version, bool):
        if MINIMUM_TLS_VERSION <= version <= _NEWEST_TLS_VERSION:
            return version
        if version > _NEWEST_TLS_VERSION:
            _refuse(
                scope,
                id,
                f"`minimum_tls_version={version!r}` would lock everyone out: TLS {_NEWEST_TLS_VERSION} is "
                f"the newest there is. Use {MINIMUM_TLS_VERSION} (the default) or {_NEWEST_TLS_VERSION}",
            )
        # A token (`Lazy.number`, a parameter) is encoded as a huge negative number. Asked last, because
        # the question is a jsii call, and never about a NaN, of which the jsii kernel dies.
        if math.isfinite(version) and cdk.Token.is_unresolved(version):
            return version
    _refuse(
        scope,
        id,
        f"`minimum_tls_version={_shown(version)}` is below {MINIMUM_TLS_VERSION}, the oldest that AWS "
        f"serves, or no number. Use {MINIMUM_TLS_VERSION} (the default) or {_NEWEST_TLS_VERSION}",
    )


def _shown(value: object) -> str:
    """A value as a reader wrote it; an object of the CDK, whose `repr` is an address, by its class."""
    if isinstance(value, (str, int, float, list, dict)):
        return repr(value)
    return f"{type(value).__name__}(…)"


def _refuse(scope: Construct, id: str, why: str) -> NoReturn:
    path = f"{scope.node.path}/{id}".lstrip("/")
    raise ConstructError(f"secure bucket `{path}`: {why}.")
