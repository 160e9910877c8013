"""Add the deny to buckets as a mixin."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import IConstruct

from secure_bucket.cdk.fix.fixer import Fixer
from secure_bucket.cdk.fix.outcome import Left
from secure_bucket.cdk.fix.survey import SeenBucket
from secure_bucket.cdk.versions import Mixin
from secure_bucket.errors import ConstructError

__all__ = ["BucketSecureTransport"]


class BucketSecureTransport(Mixin):
    """Deny plain HTTP on a bucket, L1 or L2, for the bucket and for every object in it.

        s3.Bucket(self, "Reports").with_(BucketSecureTransport())

    It immediately adds the deny to the present policy of the bucket, or to a new one, and gives the policy
    the lifetime of the bucket. It leaves buckets that already refuse plain HTTP unchanged. To cover every
    bucket below a construct, or get an error:

        buckets = cdk.ConstructSelector.resources_of_type("AWS::S3::Bucket")
        cdk.Mixins.of(app, buckets).require_all().apply(BucketSecureTransport())

    Args:
        websites: Whether it applies to website buckets (default: `False`). A website endpoint speaks only
            plain HTTP, so the deny closes it.
    """

    def __init__(self, *, websites: bool = False) -> None:
        super().__init__()
        self._websites = websites

    def supports(self, construct: IConstruct) -> bool:
        """Tell whether a construct is a bucket that this mixin applies to; the AWS CDK calls this."""
        return isinstance(construct, s3.CfnBucket) and (
            self._websites or construct.website_configuration is None
        )

    def apply_to(self, construct: IConstruct) -> None:
        """Add the deny to a bucket; the AWS CDK calls this.

        Raises:
            ConstructError: The policy cannot hold the deny, or an acknowledgment allows plain HTTP on the
                bucket; the message says why.
        """
        if not isinstance(construct, s3.CfnBucket):
            return
        # The app may have changed since the last call: cache nothing.
        fixer = Fixer(
            cdk.Stage.of(construct) or construct.node.root,
            websites=self._websites,
            plain_viewers=True,
            keeps=True,
        )
        outcome = fixer.fix(SeenBucket(construct))
        if isinstance(outcome, Left):
            bucket = outcome.bucket.removesuffix("/Resource")
            raise ConstructError(f"bucket `{bucket}` still accepts plain HTTP: {outcome.why}")
