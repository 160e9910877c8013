"""# SB001 plaintext-http

## What it does

Finds a bucket that accepts a request over plain HTTP, and shows the request. A website endpoint speaks only
plain HTTP, so the advice for a website is different.

## Why it matters

S3 answers on port 80 as it does on port 443. A request over plain HTTP carries its object, its query
and its signature in clear: everybody on the network path can read and change them. Only the bucket policy can
refuse it for every principal, every action, the bucket itself and every object. An `Allow` with a condition
on `aws:SecureTransport` refuses nothing, because another policy may allow the request.

## Example

```yaml
Resources:
  Reports:
    Type: AWS::S3::Bucket
  ReportsPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Reports
      PolicyDocument:
        Statement:
          - Effect: Deny
            Principal: "*"
            Action: s3:*
            Resource: !Sub ${Reports.Arn}/*        # the objects, but not the bucket
            Condition: {Bool: {aws:SecureTransport: false}}
```

## Use instead

```yaml
            Resource: [!GetAtt Reports.Arn, !Sub "${Reports.Arn}/*"]
```

In a CDK app `SecureBucket`, or `s3.Bucket(…, enforce_ssl=True)`. For a live bucket, `secure-bucket review`
prints the statement to add to its policy.

## References

- https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html#transit
- https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html#example-bucket-policies-HTTP-HTTPS
"""

from __future__ import annotations

from collections.abc import Iterator

from secure_bucket.findings.finding import Finding, Level
from secure_bucket.findings.rules.rule import (
    Judgement,
    Rule,
    decided_at,
    describe_refutation,
    finding,
    is_foreign,
    remedy,
)
from secure_bucket.proof.verdict import Refuted

__all__ = ["RULE"]


def _check(judgement: Judgement) -> Iterator[Finding]:
    verdict = judgement.http.verdict
    if is_foreign(judgement) or not isinstance(verdict, Refuted):
        return
    message = describe_refutation(judgement, judgement.http, verdict)
    if judgement.website:
        message += "; its website endpoint speaks plain HTTP only, and would answer 403 with the deny"
    yield finding(
        judgement,
        "SB001",
        Level.ERROR,
        message,
        remedy(judgement, judgement.http),
        decided_at(judgement, judgement.http, verdict),
        judgement.http,
    )


RULE = Rule("SB001", "plaintext-http", __doc__, _check, about_verdict=True)
