"""# SB005 foreign-policy

## What it does

Finds a policy for a bucket that no checked template declares: an imported bucket, a parameter, or a literal
name. It judges the policy as if it were the whole policy of that bucket: an error if a request over plain
HTTP gets through, a warning if that is undecided, otherwise a note.

## Why it matters

The policy replaces the earlier policy of the bucket, including its deny on plain HTTP. The template of the
bucket does not show this.

## Example

```yaml
Parameters:
  BucketName: {Type: String}
Resources:
  Access:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref BucketName
      PolicyDocument:
        Statement: [{Effect: Allow, Principal: {AWS: "123456789012"}, Action: s3:GetObject, Resource: …}]
```

## Use instead

Keep a bucket and its policy in one template, or add the deny to this policy as well:

```yaml
          - Effect: Deny
            Principal: "*"
            Action: s3:*
            Resource:
              - !Sub arn:${AWS::Partition}:s3:::${BucketName}
              - !Sub arn:${AWS::Partition}:s3:::${BucketName}/*
            Condition: {Bool: {aws:SecureTransport: false}}
```

## References

- https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
"""

from __future__ import annotations

from collections.abc import Iterator

from secure_bucket.findings.finding import Finding, Level
from secure_bucket.findings.rules.rule import (
    Judgement,
    Rule,
    describe_refutation,
    finding,
    is_foreign,
    reasons,
    remedy,
    subject,
)
from secure_bucket.proof.verdict import Proven, Refuted, Undecided
from secure_bucket.values.never import assert_never

__all__ = ["RULE"]


def _check(judgement: Judgement) -> Iterator[Finding]:
    if not is_foreign(judgement):
        return
    verdict = judgement.http.verdict
    at = judgement.at
    match verdict:
        case Refuted():
            level, message, at = (
                Level.ERROR,
                describe_refutation(judgement, judgement.http, verdict),
                verdict.at,
            )
        case Undecided():
            level = Level.WARNING
            message = f"{subject(judgement)}: cannot tell whether plain HTTP is denied — {reasons(verdict)}"
        case Proven():
            level = Level.NOTE
            message = f"{subject(judgement)}: it denies plain HTTP if it is the policy of that bucket"
        case _:
            assert_never(verdict)
    fix = (
        "keep the bucket and its policy in one template"
        if isinstance(verdict, Proven)
        else remedy(judgement, judgement.http)
    )
    yield finding(judgement, "SB005", level, message, fix, at, judgement.http)


RULE = Rule("SB005", "foreign-policy", __doc__, _check, undecidable=True)
