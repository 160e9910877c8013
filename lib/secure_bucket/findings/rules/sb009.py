"""# SB009 malformed-exception

## What it does

Finds an exception that has no effect because it is malformed: without a reason, for a rule that does not
exist, with an end that is not a day, or with a misspelt key.

## Why it matters

The author believes that the finding is accepted. And neither an auditor nor a later engineer can judge an
exception without a reason.

## Example

```yaml
    Metadata:
      SecureBucket:
        Exceptions:
          - Rule: SB001
            Expires: next year
```

## Use instead

```yaml
    Metadata:
      SecureBucket:
        Exceptions:
          - Rule: SB001                        # or its name, plaintext-http
            Reason: The old scanner speaks no TLS, its replacement is ordered
            Expires: 2027-03-31                # optional: the last day on which it holds
```

Write exceptions into the `Metadata` of the bucket, or of the policy that the finding is about.

## References

- https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-metadata.html
"""

from __future__ import annotations

from secure_bucket.findings.finding import Finding, Level
from secure_bucket.findings.rules.rule import Rule
from secure_bucket.findings.subject import Subject
from secure_bucket.values.unknown import Place

__all__ = ["RULE", "malformed"]


def malformed(problem: str, subject: Subject, at: Place) -> Finding:
    """Return the finding on a malformed exception, with the reason."""
    return Finding(
        subject,
        RULE.id,
        Level.ERROR,
        " ".join(f"`{subject.label}`: this exception is not granted: {problem}".split()),
        "write it as `Rule`, `Reason` and, if it has an end, `Expires: YYYY-MM-DD`",
        at,
    )


# `findings/exceptions.py` reads exceptions together with their resources.
RULE = Rule("SB009", "malformed-exception", __doc__, lambda judgement: iter(()), excusable=False)
