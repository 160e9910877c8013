#!/usr/bin/env python3
"""One bucket that refuses plain HTTP, and the gate that fails the synthesis if another one does not.

cd examples/first_bucket && cdk synth
"""

# --8<-- [start:app]
import aws_cdk as cdk
from aws_cdk import aws_s3 as s3

from secure_bucket import SecureBucket, SecureTransportAspect

app = cdk.App()
stack = cdk.Stack(app, "Reports")

SecureBucket(
    stack,
    "Reports",
    versioned=True,
    lifecycle_rules=[s3.LifecycleRule(noncurrent_version_expiration=cdk.Duration.days(90))],
)

cdk.Aspects.of(app).add(SecureTransportAspect())
app.synth()
# --8<-- [end:app]
