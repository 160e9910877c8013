"""Make a bucket that always has the deny."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import Construct

from secure_bucket.cdk.buckets.mfa import BucketMfa
from secure_bucket.cdk.buckets.refuse import path_in, refuse, shown
from secure_bucket.cdk.buckets.tls import check_tls_version
from secure_bucket.cdk.fix.lifetime import keep_own, keep_through_overrides
from secure_bucket.cdk.fix.policy_finder import own_policy
from secure_bucket.policy.statements import MINIMUM_TLS_VERSION

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from secure_bucket.cdk.buckets.props import SecureBucketProps

__all__ = ["SecureBucket"]

_WHAT = "secure bucket"

_WEBSITE_PROPS = (
    "website_error_document",
    "website_index_document",
    "website_redirect",
    "website_routing_rules",
)


class SecureBucket(s3.Bucket):
    """Make an S3 bucket that refuses plain HTTP, for itself and every object in it.

    It is an `s3.Bucket` with three different defaults, and takes all its props. The statements follow
    *Example bucket policies* in the S3 User Guide.

        SecureBucket(self, "Reports", versioned=True)

    Its policy has the `DeletionPolicy` and `UpdateReplacePolicy` of the bucket, and follows a removal policy
    that the app or an Aspect applies later. If an override sets them on the bucket, the policy is retained.

    Args:
        scope: The construct it belongs to.
        id: Its id in that scope.
        enforce_ssl: Always on. `False` raises an error.
        minimum_tls_version: A second statement refuses TLS below this version (default: 1.2). A version below
            1.2, which AWS no longer serves, or above 1.3, which would lock everyone out, raises an error. 1.3
            locks out AWS PrivateLink for S3 and Multi-Region Access Points, which do not support it.
        mfa: `True` requires multi-factor authentication for deleting objects and their versions, and turns
            versioning on; a `BucketMfa` chooses other operations and exempts principals (default: `False`).
        block_public_access: Which public access to block (default: `BLOCK_ALL`).
        website_error_document: A website endpoint speaks only plain HTTP, so each `website_*` prop raises an
            error.
        **props: As for `s3.Bucket`.

    Raises:
        ConstructError: A prop contradicts the purpose of this bucket.
    """

    def __init__(self, scope: Construct, id: str, **props: Unpack[SecureBucketProps]) -> None:
        _refuse_plain_http(scope, id, props)
        props["enforce_ssl"] = True
        version = props.get("minimum_tls_version")
        if version is None:
            version = MINIMUM_TLS_VERSION
        elif version not in (1.2, 1.3):
            # Reading the path takes calls to the jsii kernel, and most buckets do not need it.
            version = check_tls_version(_WHAT, path_in(scope, id), version)
        props["minimum_tls_version"] = version
        if props.get("block_public_access") is None:
            props["block_public_access"] = _block_all()
        mfa = _mfa(scope, id, props)
        super().__init__(scope, id, **props)  # type: ignore[misc]
        keep_own(self, scope)
        if props.get("removal_policy") not in (None, cdk.RemovalPolicy.RETAIN):
            policy = own_policy(self)
            if policy is not None:
                keep_through_overrides(policy, cast(s3.CfnBucket, self.node.default_child))
        if mfa is not None:
            mfa.apply_to(cast(s3.CfnBucket, self.node.default_child))


@functools.cache
def _block_all() -> s3.BlockPublicAccess:
    # Read once: each read is a call to the jsii kernel, and a bucket must not cost more than `s3.Bucket`.
    return s3.BlockPublicAccess.BLOCK_ALL


def _refuse_plain_http(scope: Construct, id: str, props: SecureBucketProps) -> None:
    enforce_ssl = props.get("enforce_ssl")
    if enforce_ssl is not None and enforce_ssl is not True:
        refuse(
            _WHAT,
            path_in(scope, id),
            f"`enforce_ssl={enforce_ssl!r}` asks for a bucket that accepts plain HTTP. Leave the prop out, "
            "or use `s3.Bucket` for this bucket and acknowledge the finding of the gate with your reason",
        )
    for name in _WEBSITE_PROPS:
        value = props.get(name)
        if value is not None:
            refuse(
                _WHAT,
                path_in(scope, id),
                f"`{name}={shown(value)}` makes a website endpoint, which speaks plain HTTP only, so that "
                "the deny would answer 403 to everyone. Serve the bucket through CloudFront: "
                "`origins.S3BucketOrigin.with_origin_access_control(bucket)`",
            )


def _mfa(scope: Construct, id: str, props: SecureBucketProps) -> BucketMfa | None:
    """Take the `mfa` prop, which `s3.Bucket` does not have, and adjust the props that it affects."""
    mfa = props.pop("mfa", None)
    if mfa is None or mfa is False:
        return None
    path = path_in(scope, id)
    if mfa is True:
        mfa = BucketMfa()
    elif not isinstance(mfa, BucketMfa):
        refuse(_WHAT, path, f"`mfa={shown(mfa)}` is neither `True` nor a `BucketMfa(…)`. Use one of those")
    mfa.check(path, auto_delete_objects=bool(props.get("auto_delete_objects")))
    if props.get("versioned") is False:
        refuse(
            _WHAT,
            path,
            "`versioned=False` lets everybody delete an object without MFA, by overwriting it. "
            "Leave the prop out: `mfa` turns versioning on",
        )
    props["versioned"] = True
    return mfa
