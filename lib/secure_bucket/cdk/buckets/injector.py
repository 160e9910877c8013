"""The deny as a property injector: every `s3.Bucket` that is made from then on has it."""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_s3 as s3
from constructs import Construct

from secure_bucket.cdk.fix.lifetime import keep_made
from secure_bucket.cdk.versions import implements

__all__ = ["BucketSecureTransportInjector", "with_deny"]

_WEBSITE_PROPS = ("websiteErrorDocument", "websiteIndexDocument", "websiteRedirect", "websiteRoutingRules")


@implements("IPropertyInjector")
class BucketSecureTransportInjector:
    """Give every `s3.Bucket` below a construct the deny when it is made, as `enforce_ssl=True` does.

        app = cdk.App(property_injectors=[BucketSecureTransportInjector()])

    The policy of each such bucket is kept as long as the bucket.

    It reaches the buckets in Stages and nested stacks, and those that the constructs of other libraries and
    the CDK itself make. Every other prop stays what it is. It does not reach L1 buckets, nor what was made
    before it; the gate, which it does not replace, reports those.

    Args:
        override: Whether to override an explicit `enforce_ssl=False` (default: `False`, and the gate reports
            the bucket).
        websites: Whether a bucket with `website_*` props gets the deny (default: `False`). A website endpoint
            speaks plain HTTP only, so that the deny closes it.
    """

    def __init__(self, *, override: bool = False, websites: bool = False) -> None:
        self._override = override
        self._websites = websites

    @property
    def construct_unique_id(self) -> str:
        """The class whose props it changes."""
        return s3.Bucket.PROPERTY_INJECTION_ID

    def inject(self, original_props: Any, *, scope: Construct, id: str) -> Any:
        """Return the props with the deny switched on; the AWS CDK calls this."""
        props = with_deny(original_props, override=self._override, websites=self._websites)
        if props.get("enforceSSL"):
            keep_made(scope, id)
        return props


def with_deny(props: Any, *, override: bool = False, websites: bool = False) -> Any:
    """Return the props of an `s3.Bucket`, as jsii hands them over, with the deny switched on.

    Args:
        props: A dictionary with the names that the props have in TypeScript.
        override: Whether to override an explicit `False`.
        websites: Whether to close a website.
    """
    props = dict(props or {})
    if not websites and any(props.get(name) is not None for name in _WEBSITE_PROPS):
        return props
    # INVARIANT: `enforceSSL`, as TypeScript spells it. The name that Python has for it would be ignored.
    if props.get("enforceSSL") is None or override:
        props["enforceSSL"] = True
    return props
