"""Add the deny to every new `s3.Bucket`, as a property injector."""

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
    """Add the deny to every new `s3.Bucket` below a construct, as `enforce_ssl=True` does.

        app = cdk.App(property_injectors=[BucketSecureTransportInjector()])

    Each policy gets the lifetime of its bucket.

    It covers buckets in Stages and nested stacks, in constructs of other libraries and of the CDK, and
    changes no other prop. It does not cover L1 buckets and buckets that already exist: use it together with
    the gate, which reports those.

    Args:
        override: Whether to override an explicit `enforce_ssl=False` (default: `False`; the gate then reports
            the bucket).
        websites: Whether to add the deny to buckets with `website_*` props (default: `False`). A website
            endpoint speaks only plain HTTP, so the deny closes it.
    """

    def __init__(self, *, override: bool = False, websites: bool = False) -> None:
        self._override = override
        self._websites = websites

    @property
    def construct_unique_id(self) -> str:
        """Name the class whose props it changes."""
        return s3.Bucket.PROPERTY_INJECTION_ID

    def inject(self, original_props: Any, *, scope: Construct, id: str) -> Any:
        """Return the props with the deny switched on; the AWS CDK calls this."""
        props = with_deny(original_props, override=self._override, websites=self._websites)
        if props.get("enforceSSL"):
            keep_made(scope, id)
        return props


def with_deny(props: Any, *, override: bool = False, websites: bool = False) -> Any:
    """Return the props of an `s3.Bucket`, as jsii passes them, with the deny switched on.

    Args:
        props: A dictionary with the TypeScript names of the props.
        override: Whether to override an explicit `False`.
        websites: Whether to close websites too.
    """
    props = dict(props or {})
    if not websites and any(props.get(name) is not None for name in _WEBSITE_PROPS):
        return props
    # INVARIANT: `enforceSSL`, as TypeScript spells it. The CDK would ignore the Python name.
    if props.get("enforceSSL") is None or override:
        props["enforceSSL"] = True
    return props
