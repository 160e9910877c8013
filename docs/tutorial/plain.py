import aws_cdk as cdk
from aws_cdk import aws_s3 as s3

from secure_bucket import SecureTransportAspect

app = cdk.App()
stack = cdk.Stack(app, "Reports")

s3.Bucket(stack, "Reports", versioned=True)

cdk.Aspects.of(app).add(SecureTransportAspect())
app.synth()
