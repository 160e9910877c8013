"""# SB003 several-policies

## What it does

Finds a bucket that several `AWS::S3::BucketPolicy` resources apply to at the same time.

## Why it matters

A bucket has one policy, and CloudFormation does not merge two: the second fails the deployment or replaces
the first, in an unspecified order. The deny may be in the policy that is lost.

## Example

```yaml
  ReportsPolicy:
    Type: AWS::S3::BucketPolicy
    Properties: {Bucket: !Ref Reports, PolicyDocument: …the deny…}
  ReportsCrossAccount:
    Type: AWS::S3::BucketPolicy
    Properties: {Bucket: !Ref Reports, PolicyDocument: …an allow…}
```

## Use instead

One `AWS::S3::BucketPolicy` with the statements of both. In a CDK app, `bucket.add_to_resource_policy(…)`
always uses the same policy.

## References

- https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
- https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucketpolicy.html
"""

from __future__ import annotations

from collections.abc import Iterator

from secure_bucket.findings.declared import DeclaredJudgement
from secure_bucket.findings.finding import Finding, Level
from secure_bucket.findings.rules.rule import Judgement, Rule, finding, subject

__all__ = ["RULE"]


def _check(judgement: Judgement) -> Iterator[Finding]:
    if not isinstance(judgement, DeclaredJudgement) or not judgement.several:
        return
    names = ", ".join(f"`{policy.resource.logical_id}`" for policy in judgement.several)
    second = judgement.several[1]
    yield finding(
        judgement,
        "SB003",
        Level.ERROR,
        f"{subject(judgement)}: the policies {names} apply to it, and it can have only one",
        "put the statements of all of them into one policy",
        judgement.place(second.resource, second.stack),
    )


RULE = Rule("SB003", "several-policies", __doc__, _check)
