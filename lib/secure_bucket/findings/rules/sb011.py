"""# SB011 deny-not-retained

## What it does

Finds a bucket that CloudFormation keeps when it deletes the stack or replaces the bucket, although it deletes
the policy with the deny. It is a note in reports, and counts with `strict`: every bucket of the AWS CDK is
like this by default.

## Why it matters

The objects stay, and from then on the bucket accepts plain HTTP, without a trace of the earlier deny.

## Example

```yaml
  Reports:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
  ReportsPolicy:
    Type: AWS::S3::BucketPolicy              # deleted with the stack
    Properties:
      Bucket: !Ref Reports
```

## Use instead

```yaml
  ReportsPolicy:
    Type: AWS::S3::BucketPolicy
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
```

In a CDK app `SecureBucket` does it, or `bucket.policy.apply_removal_policy(cdk.RemovalPolicy.RETAIN)`.

## References

- https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
- https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatereplacepolicy.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from secure_bucket.findings.finding import Finding, Level
from secure_bucket.findings.rules.rule import Judgement, Rule, finding, subject
from secure_bucket.findings.running import RunningJudgement
from secure_bucket.proof.verdict import Proven

__all__ = ["RULE"]

# CloudFormation deletes a resource without the attribute. `RetainExceptOnCreate` deletes only resources that
# the same failed operation created.
_DELETES = (None, "Delete")
_KEEPS = ("Retain", "RetainExceptOnCreate")
_EVENTS = {"DeletionPolicy": "deleting the stack", "UpdateReplacePolicy": "replacing the bucket"}


def _check(judgement: Judgement) -> Iterator[Finding]:
    if isinstance(judgement, RunningJudgement) or judgement.foreign:
        return
    if not isinstance(judgement.http.verdict, Proven):
        return
    for policy in judgement.policies:
        lost = list(_lost(judgement.resource.body, policy.resource.body))
        if lost:
            named = policy.resource.logical_id
            kept = " and ".join(f"`{attribute}: {judgement.resource.body[attribute]}`" for attribute in lost)
            if judgement.subject.construct_path:
                fix = "use `SecureBucket`, or give the policy of the bucket the removal policy of the bucket"
            else:
                fix = f"give the policy `{named}` {kept} too"
            events = " or ".join(_EVENTS[attribute] for attribute in lost)
            yield finding(
                judgement,
                "SB011",
                Level.NOTE,
                f"{subject(judgement)}: {events} keeps the bucket and deletes its deny: the policy `{named}` "
                "is not retained",
                fix,
                judgement.place(policy.resource, policy.stack),
            )
            return


def _lost(bucket: Mapping[str, object], policy: Mapping[str, object]) -> Iterator[str]:
    for attribute in _EVENTS:
        if bucket.get(attribute) in _KEEPS and policy.get(attribute) in _DELETES:
            yield attribute


RULE = Rule("SB011", "deny-not-retained", __doc__, _check, only_if_strict=True, about_later_change=True)
