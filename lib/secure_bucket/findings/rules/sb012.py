"""# SB012 call-at-deployment

## What it does

Finds a custom resource that calls S3 itself while the stack is deployed, to make a bucket or to change the
policy of one: an `AwsCustomResource` of the AWS CDK. It is a warning: what the call leads to is in no
template.

## Why it matters

A bucket that such a call makes has no policy, and accepts plain HTTP. A call that deletes or replaces the
policy of a bucket takes the deny away that the template declares.

## Example

```python
call = cr.AwsSdkCall(service="S3", action="deleteBucketPolicy", parameters={"Bucket": bucket.bucket_name})
cr.AwsCustomResource(self, "Cleanup", on_create=call, …)
```

## Use instead

An `AWS::S3::Bucket` and an `AWS::S3::BucketPolicy`. Where the call has to stay, have it write a policy with
the deny, and accept the finding with that reason.

## References

- https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.custom_resources.AwsCustomResource.html
- https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
- https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketPolicy.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from secure_bucket.findings.finding import Finding, Level
from secure_bucket.findings.rules.rule import Rule
from secure_bucket.findings.subject import Declared
from secure_bucket.template.buckets import Inventory
from secure_bucket.template.stack import Resource, Stack, pointer_of
from secure_bucket.template.text import as_text
from secure_bucket.template.worlds import Fork, Infeasible

__all__ = ["RULE", "calls_at_deployment"]

_EVENTS = {"Create": "is created", "Update": "is updated", "Delete": "is deleted"}
_EFFECTS = {
    "createbucket": ("CreateBucket", "makes {bucket}, which has no policy and accepts plain HTTP"),
    "deletebucketpolicy": ("DeleteBucketPolicy", "takes the deny of {bucket} away"),
    "putbucketpolicy": ("PutBucketPolicy", "replaces the policy of {bucket}, and with it the deny"),
}


def calls_at_deployment(inventory: Inventory) -> Iterator[Finding]:
    """Return the findings on the custom resources of an assembly that call S3 themselves."""
    for stack in inventory.assembly.stacks:
        for resource in stack.resources.values():
            if resource.type.startswith("Custom::") or resource.type == "AWS::CloudFormation::CustomResource":
                yield from _of_resource(inventory, stack, resource)


def _of_resource(inventory: Inventory, stack: Stack, resource: Resource) -> Iterator[Finding]:
    for event, when in _EVENTS.items():
        call = _call(inventory, stack, resource, event)
        service = str(call.get("service", "")).casefold().removeprefix("@aws-sdk/client-")
        action = str(call.get("action", "")).casefold().removesuffix("command")
        if service != "s3" or action not in _EFFECTS:
            continue
        name, effect = _EFFECTS[action]
        parameters = call.get("parameters")
        bucket = parameters.get("Bucket") if isinstance(parameters, Mapping) else None
        named = f"bucket `{bucket}`" if bucket else "a bucket"
        message = (
            f"custom resource `{resource.logical_id}` calls `{name}` when it {when}: that "
            f"{effect.format(bucket=named)}"
        )
        yield Finding(
            Declared(
                resource.logical_id,
                stack.document.file,
                stack.construct_path(resource),
                stack=stack.stack_name,
            ),
            RULE.id,
            Level.WARNING,
            " ".join(message.split()),
            "declare the bucket and its policy in a template instead, with the deny",
            stack.document.place(f"{pointer_of(resource.properties_path)}/{event}"),
        )


def _call(inventory: Inventory, stack: Stack, resource: Resource, event: str) -> Mapping[str, object]:
    """Return a call as `AwsCustomResource` writes it: JSON text, in which values of the deployment stand."""
    properties = resource.properties
    if not isinstance(properties, Mapping) or event not in properties:
        return {}
    try:
        text = as_text(inventory.resolver(inventory.start, False).property(stack, resource, event))
        call = json.loads(str(text)) if text is not None else None
    except (Fork, Infeasible, ValueError, RecursionError):
        return {}
    return call if isinstance(call, Mapping) else {}


# It is about custom resources, and not about a bucket that is judged: `checks/check.py` asks for it.
RULE = Rule("SB012", "call-at-deployment", __doc__, lambda judgement: iter(()))
