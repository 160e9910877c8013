#!/usr/bin/env python3
"""An app that was there before: one line mends what can be mended, and an exception says what cannot yet.

cd examples/existing_app && cdk synth
"""

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import Construct

from secure_bucket import Mode, enforce_secure_transport


class Reports(cdk.Stack):
    """Two buckets as teams wrote them, one by the L2 and one by the L1."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        s3.Bucket(self, "Monthly", versioned=True)
        s3.CfnBucket(self, "Daily")


class Scans(cdk.Stack):
    """A bucket that an old machine writes to, which speaks no TLS."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        bucket = s3.Bucket(self, "Incoming")
        # --8<-- [start:exception]
        cdk.Validations.of(bucket).acknowledge(
            cdk.Acknowledgment(
                id="secure-bucket::SB001",
                reason="The scanner speaks no TLS, its replacement is ordered; expires 2099-12-31",
            )
        )
        # --8<-- [end:exception]


app = cdk.App()
Reports(app, "Reports")
Scans(app, "Scans")

# --8<-- [start:gate]
enforce_secure_transport(app, mode=Mode.FIX)
# --8<-- [end:gate]
app.synth()
