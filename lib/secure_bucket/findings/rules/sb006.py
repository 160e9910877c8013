"""# SB006 old-tls

## What it does

Finds a bucket that accepts a request over a TLS version below the required minimum. The rule only applies if
you set a minimum.

## Why it matters

S3 itself refuses TLS below 1.2 on all its endpoints. To prove a minimum of 1.3, or to state the minimum in
the policy, use a separate statement: in one statement with `aws:SecureTransport` both conditions have to
hold, and the statement denies next to nothing.

## Example

```yaml
            Condition:
              Bool: {aws:SecureTransport: false}
              NumericLessThan: {s3:TlsVersion: 1.2}      # both at once: never
```

## Use instead

```yaml
          - Effect: Deny
            Principal: "*"
            Action: s3:*
            Resource: [!GetAtt Reports.Arn, !Sub "${Reports.Arn}/*"]
            Condition: {NumericLessThan: {s3:TlsVersion: 1.2}}
```

In a CDK app `SecureBucket(…, minimum_tls_version=1.3)`.

## References

- https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html
- https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from secure_bucket.findings.declared import DeclaredJudgement
from secure_bucket.findings.finding import Finding, Level
from secure_bucket.findings.rules.rule import (
    Judgement,
    Rule,
    decided_at,
    describe_refutation,
    finding,
    is_foreign,
    reasons,
    subject,
)
from secure_bucket.findings.running import RunningJudgement
from secure_bucket.policy.statements import deny_old_tls
from secure_bucket.proof.verdict import Proven, Refuted, Undecided
from secure_bucket.values.never import assert_never

__all__ = ["RULE"]


def _check(judgement: Judgement) -> Iterator[Finding]:
    outcome = judgement.tls
    minimum = judgement.minimum_tls_version
    if outcome is None or minimum is None or is_foreign(judgement) or isinstance(outcome.verdict, Proven):
        return
    if isinstance(outcome.verdict, Refuted):
        message = describe_refutation(judgement, outcome, outcome.verdict)
        at = decided_at(judgement, outcome, outcome.verdict)
    else:
        assert isinstance(outcome.verdict, Undecided)
        unknown = reasons(outcome.verdict)
        message = f"{subject(judgement)}: cannot tell whether TLS below {minimum:g} is denied — {unknown}"
        at = None
    match judgement:
        case RunningJudgement():
            fix = judgement.bucket.remedy(deny_old_tls(judgement.bucket.arn, minimum))
        case DeclaredJudgement() if judgement.subject.construct_path:
            fix = f"use `SecureBucket`, or `minimum_tls_version={minimum:g}`"
        case DeclaredJudgement():
            bucket_arn = {"Fn::GetAtt": [judgement.resource.logical_id, "Arn"]}
            fix = f"add the statement {json.dumps(deny_old_tls(bucket_arn, minimum))}"
        case _:
            assert_never(judgement)
    yield finding(judgement, "SB006", Level.ERROR, message, fix, at, outcome)


RULE = Rule("SB006", "old-tls", __doc__, _check, undecidable=True)
