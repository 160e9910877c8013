"""# SB007 unused-exception

## What it does

Finds an exception without an effect: its resource has no finding of its rule, or another exception already
covers that finding.

## Why it matters

The exception hides the next mistake on the same bucket. This is a warning, because nothing is open today.

## Example

```yaml
  Reports:
    Type: AWS::S3::Bucket
    Metadata:
      SecureBucket:
        Exceptions:
          - Rule: SB001                        # the policy below denies plain HTTP
            Reason: The old scanner speaks no TLS
```

## Use instead

Remove the exception.

## References

- https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-metadata.html
"""

from __future__ import annotations

from secure_bucket.findings.finding import Finding, GrantedException, Level
from secure_bucket.findings.rules.rule import Rule
from secure_bucket.findings.subject import Subject
from secure_bucket.values.unknown import Place

__all__ = ["RULE", "unused", "without_effect"]


def unused(exception: GrantedException) -> Finding:
    """Return the finding on an exception without an effect."""
    expired = f", and it expired on {exception.expires}" if exception.expired else ""
    return Finding(
        exception.subject,
        RULE.id,
        Level.WARNING,
        f"`{exception.subject.label}`: the exception from {exception.rule} is not needed{expired}",
        "remove the exception",
        exception.at,
    )


def without_effect(id: str, subject: Subject, at: Place) -> Finding:
    """Return the finding on an acknowledgment in a CDK app that names no rule."""
    return Finding(
        subject,
        RULE.id,
        Level.WARNING,
        f"`{subject.label}`: the acknowledgment of `{id}` has no effect: there is no such rule",
        "write the id as `cdk synth` prints it, or remove the acknowledgment",
        at,
    )


# `findings/exceptions.py` compares exceptions with all findings at once.
RULE = Rule("SB007", "unused-exception", __doc__, lambda judgement: iter(()), excusable=False)
