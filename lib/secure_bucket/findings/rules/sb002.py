"""# SB002 undecided-policy

## What it does

Finds a bucket whose template does not decide whether it accepts plain HTTP, and names what is unknown and
where.

## Why it matters

The effect of such a policy depends on a value that only the deployment knows, or on behaviour that AWS does
not document. It may be secure in one account and open in another.

## Example

```yaml
Parameters:
  LogBucketArn: {Type: String}
…
          - Effect: Deny
            Principal: "*"
            Action: s3:*
            Resource: [!Ref LogBucketArn, !Sub "${LogBucketArn}/*"]     # is that this bucket?
            Condition: {Bool: {aws:SecureTransport: false}}
```

## Use instead

```yaml
            Resource: [!GetAtt Logs.Arn, !Sub "${Logs.Arn}/*"]
```

Write the deny without unknown values: for the bucket's own ARN, with `Principal: "*"`, `Action: s3:*`, and
only the condition on `aws:SecureTransport`. Other statements do no harm.

## References

- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
- https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

from collections.abc import Iterator

from secure_bucket.findings.finding import Finding, Level
from secure_bucket.findings.rules.rule import (
    Judgement,
    Rule,
    circumstances,
    finding,
    is_foreign,
    reasons,
    remedy,
    subject,
    when,
)
from secure_bucket.proof.verdict import Undecided

__all__ = ["RULE"]


def _check(judgement: Judgement) -> Iterator[Finding]:
    verdict = judgement.http.verdict
    if is_foreign(judgement) or not isinstance(verdict, Undecided):
        return
    at = verdict.reasons[0].at
    denied = f"plain HTTP is denied{when(judgement.http)}"
    more = circumstances(judgement)
    yield finding(
        judgement,
        "SB002",
        Level.ERROR,
        f"{subject(judgement)}: cannot tell whether {denied} — {reasons(verdict)}{more}",
        remedy(judgement, judgement.http),
        at if at.pointer or at.file else None,
        judgement.http,
    )


RULE = Rule("SB002", "undecided-policy", __doc__, _check, about_verdict=True, undecidable=True)
