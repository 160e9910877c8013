"""# SB008 expired-exception

## What it does

Finds an exception whose last day has passed while the finding it was granted for is still there. The
finding itself counts again, too.

## Why it matters

The author of the exception accepted an open bucket only until that day.

## Example

```yaml
  Reports:
    Type: AWS::S3::Bucket
    Metadata:
      SecureBucket:
        Exceptions:
          - Rule: SB001
            Reason: The old scanner speaks no TLS, its replacement is ordered
            Expires: 2024-03-31                # the last day on which it holds
```

## Use instead

Deny plain HTTP and remove the exception, or renew it with a new day and a reason that is still true.

## References

- https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-metadata.html
"""

from __future__ import annotations

from secure_bucket.findings.finding import Finding, GrantedException, Level
from secure_bucket.findings.rules.rule import Rule

__all__ = ["RULE", "expired"]


def expired(exception: GrantedException) -> Finding:
    """Return the finding on an exception whose last day has passed."""
    return Finding(
        exception.subject,
        RULE.id,
        Level.ERROR,
        f"`{exception.subject.label}`: the exception from {exception.rule} expired on {exception.expires}",
        "fix the resource, or renew the exception",
        exception.at,
    )


# `findings/exceptions.py` compares exceptions with all findings at once.
RULE = Rule("SB008", "expired-exception", __doc__, lambda judgement: iter(()), excusable=False)
