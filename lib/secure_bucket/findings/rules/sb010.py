"""# SB010 unread-template

## What it does

Finds a template that is deployed together with the checked ones, but was not available or readable: a nested
stack, a stack set or a product at a URL, a module, a template that a macro rewrites.

## Why it matters

A bucket in that template may accept plain HTTP, and no other finding reports it.

## Example

```yaml
  Vpc:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: https://s3.amazonaws.com/templates/vpc.yaml     # not a file of this run
```

## Use instead

Check the other template in the same run: `secure-bucket check parent.yaml vpc.yaml` reads `vpc.yaml` as the
nested stack, because the URL ends in its name. In a CDK app, use `cdk.NestedStack` instead of a URL, and
`CfnInclude(…, load_nested_stacks=…)` for a parent with its children. If somebody else checks the template,
accept the finding with a reason: in the `Metadata` of the resource, with `Validations.acknowledge` in a CDK
app, or by a pattern of files in the settings.

## References

- https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-nested-stacks.html
- https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-macros.html
- https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/modules.html
"""

from __future__ import annotations

from collections.abc import Sequence

from secure_bucket.findings.finding import Finding, Level
from secure_bucket.findings.rules.rule import Rule
from secure_bucket.findings.subject import Declared
from secure_bucket.policy.messages import name_some
from secure_bucket.template.buckets import Unread

__all__ = ["RULE", "describe_unread", "unread"]


def unread(template: Unread) -> Finding:
    """Return the finding on a template that nobody could read."""
    document = template.stack.document
    reason = template.why.reason
    return Finding(
        Declared(
            template.logical_id,
            document.file,
            template.construct_path,
            stack=template.stack.stack_name,
        ),
        RULE.id,
        Level.ERROR,
        " ".join(f"`{template.logical_id}`: {template.what} is not read: {reason}".split()),
        (
            "check that template in the same run, or accept this finding with a reason"
            if template.is_elsewhere
            else "write the resources without it, or accept this finding with a reason"
        ),
        document.place(template.why.at.pointer),
    )


def describe_unread(findings: Sequence[Finding]) -> str:
    """Return how many templates are unread, with the names of the first few."""
    names = [finding.subject.path for finding in findings]
    return f"{len(names):,} template{'' if len(names) == 1 else 's'} unread ({name_some(names)})"


# A template is not a bucket to judge: `checks/check.py` reports each unread template of the inventory.
RULE = Rule("SB010", "unread-template", __doc__, lambda judgement: iter(()), undecidable=True)
