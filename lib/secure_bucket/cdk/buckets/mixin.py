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

    It acts at once: into the policy that the bucket has at that moment, or into a new one. On a bucket that
    refuses plain HTTP already it changes nothing. The policy is kept as long as the bucket. To have every
    bucket below a construct covered, or else an error:

        buckets = cdk.ConstructSelector.resources_of_type("AWS::S3::Bucket")
        cdk.Mixins.of(app, buckets).require_all().apply(BucketSecureTransport())

    Args:
        websites: Whether it applies to website buckets (default: `False`). A website endpoint speaks plain
            HTTP only, so that the deny closes it.
    """

    def __init__(self, *, websites: bool = False) -> None:
        super().__init__()
        self._websites = websites

    def supports(self, construct: IConstruct) -> bool:
        """Whether a construct is a bucket that this mixin applies to; the AWS CDK calls this."""
        return isinstance(construct, s3.CfnBucket) and (
            self._websites or construct.website_configuration is None
        )

    def apply_to(self, construct: IConstruct) -> None:
        """Add the deny to a bucket; the AWS CDK calls this.

        Raises:
            ConstructError: The deny was not added, because the policy of the bucket cannot take it or because
                somebody acknowledged that it accepts plain HTTP; the message says why.
        """
        if not isinstance(construct, s3.CfnBucket):
            return
        # What stands in the app may have changed since the last time: nothing is remembered.
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
