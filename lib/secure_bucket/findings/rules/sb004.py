"""# SB004 website-needs-http

## What it does

Finds a bucket that is configured as a website but denies plain HTTP, and so serves nobody. It is a warning.
SB001 finds a website that accepts plain HTTP.

## Why it matters

A website endpoint (`http://<bucket>.s3-website-<region>.amazonaws.com`) speaks only HTTP. With the deny on
plain HTTP it answers 403 to everyone; without the deny the bucket accepts plain HTTP.

## Example

```yaml
  Site:
    Type: AWS::S3::Bucket
    Properties:
      WebsiteConfiguration: {IndexDocument: index.html}
```

## Use instead

A private bucket without `WebsiteConfiguration` behind CloudFront with origin access control, which speaks
HTTPS to the bucket and to the visitors. For redirects, a CloudFront function.

## References

- https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteEndpoints.html
- https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
"""

from __future__ import annotations

from collections.abc import Iterator

from secure_bucket.findings.finding import Finding, Level
from secure_bucket.findings.rules.rule import Judgement, Rule, finding, subject, website_remedy
from secure_bucket.proof.verdict import Proven

__all__ = ["RULE"]


def _check(judgement: Judgement) -> Iterator[Finding]:
    if judgement.website and isinstance(judgement.http.verdict, Proven):
        yield finding(
            judgement,
            "SB004",
            Level.WARNING,
            f"{subject(judgement)}: its website endpoint speaks plain HTTP only, and the deny makes it "
            "answer 403 to everyone",
            website_remedy(judgement),
        )


RULE = Rule("SB004", "website-needs-http", __doc__, _check, about_website=True)
