"""What a template leaves to the time after the synthesis, and what only some runs ask about."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from aws_cdk import custom_resources as resources

from secure_bucket import SecureBucket
from tests.synth.situations.situation import situation, stack


@situation(
    "bucket that a custom resource makes, which is named", synth=0, check=0, named="makes bucket `made-later`"
)
@situation("custom resource that calls `deleteBucketPolicy`, which is named", synth=0, check=0,
           named="takes the deny of bucket `opened-later` away")  # fmt: skip
def custom_resources(app: cdk.App) -> None:
    top = stack(app)
    SecureBucket(top, "Good", bucket_name="opened-later")
    for action, name in (("createBucket", "made-later"), ("deleteBucketPolicy", "opened-later")):
        call = resources.AwsSdkCall(
            service="S3",
            action=action,
            parameters={"Bucket": name},
            physical_resource_id=resources.PhysicalResourceId.of(name),
        )
        allowed = resources.AwsCustomResourcePolicy.from_sdk_calls(
            resources=resources.AwsCustomResourcePolicy.ANY_RESOURCE
        )
        resources.AwsCustomResource(top, action, on_create=call, policy=allowed)


@situation("imported bucket, whose owner is told", synth=0, check=0, says="arn:aws:s3:::of-somebody-else")
def imported(app: cdk.App) -> None:
    top = stack(app)
    bucket = s3.Bucket.from_bucket_name(top, "Imported", "of-somebody-else")
    SecureBucket(top, "Good", server_access_logs_bucket=bucket)


@situation("deny that is not retained with its bucket", synth=0, check=0, never="SB011")
def not_retained(app: cdk.App) -> None:
    s3.Bucket(stack(app), "Good", enforce_ssl=True)
