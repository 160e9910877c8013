"""# SB012 changed-at-deployment

## What it does

Finds what changes buckets while the stack is deployed, past the templates. It is a warning, of two kinds:

- a custom resource that makes a bucket or changes the policy of one: an `AwsCustomResource` of the AWS CDK
  that calls S3 or Cloud Control, or has CloudFormation or Service Catalog deploy another template;
- a VPC flow log to a bucket whose policy does not let `delivery.logs.amazonaws.com` deliver: AWS then
  "automatically" attaches a policy, which "overwrites any existing policy".

## Why it matters

A bucket that such a call makes has no policy, and accepts plain HTTP. A policy that is deleted or replaced
takes the deny along that the template declares.

## Example

```python
call = cr.AwsSdkCall(service="S3", action="deleteBucketPolicy", parameters={"Bucket": bucket.bucket_name})
cr.AwsCustomResource(self, "Cleanup", on_create=call, …)
```

## Use instead

An `AWS::S3::Bucket` and an `AWS::S3::BucketPolicy`. Where the call has to stay, have it write a policy with
the deny, and accept the finding with that reason. For flow logs, the statements of *Amazon S3 bucket
permissions for flow logs* in the policy: `SecureLogBucket(source=LogSource.VPC_FLOW)` has them.

## References

- https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.custom_resources.AwsCustomResource.html
- https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
- https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketPolicy.html
- https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_CreateResource.html
- https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
- https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-permissions.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from secure_bucket.findings.finding import Finding, Level
from secure_bucket.findings.rules.rule import Rule
from secure_bucket.findings.subject import Declared
from secure_bucket.template.inventory import Inventory
from secure_bucket.template.references import bucket_arn, bucket_name
from secure_bucket.template.stack import Resource, Stack, pointer_of
from secure_bucket.template.text import as_text, strings_of
from secure_bucket.template.worlds import Fork, Infeasible, Undecidable

__all__ = ["RULE", "changes_at_deployment"]

_DELIVERY = "delivery.logs.amazonaws.com"
_EVENTS = {"Create": "is created", "Update": "is updated", "Delete": "is deleted"}
_DEPLOYS = "deploys a template that nobody checks here"
# By what they do: the service, the action, and the type of the resource where the action has one.
_CALLS = {
    "makes {bucket}, which has no policy and accepts plain HTTP": (
        "s3 CreateBucket",
        "cloudcontrol CreateResource AWS::S3::Bucket",
    ),
    "takes the deny of {bucket} away": (
        "s3 DeleteBucketPolicy",
        "cloudcontrol DeleteResource AWS::S3::BucketPolicy",
    ),
    "replaces the policy of {bucket}, and with it the deny": (
        "s3 PutBucketPolicy",
        "cloudcontrol CreateResource AWS::S3::BucketPolicy",
        "cloudcontrol UpdateResource AWS::S3::BucketPolicy",
    ),
    _DEPLOYS: (
        "cloudformation CreateStack",
        "cloudformation UpdateStack",
        "cloudformation CreateStackSet",
        "cloudformation UpdateStackSet",
        "cloudformation CreateStackInstances",
        "cloudformation ExecuteChangeSet",
        "cloudcontrol CreateResource AWS::CloudFormation::Stack",
        "cloudcontrol UpdateResource AWS::CloudFormation::Stack",
        "cloudcontrol CreateResource AWS::CloudFormation::StackSet",
        "cloudcontrol UpdateResource AWS::CloudFormation::StackSet",
        "servicecatalog ProvisionProduct",
        "servicecatalog UpdateProvisionedProduct",
    ),
}
_EFFECTS = {call.casefold(): (call, effect) for effect, calls in _CALLS.items() for call in calls}


def changes_at_deployment(inventory: Inventory) -> Iterator[Finding]:
    """Return the findings on what changes the buckets of an assembly while it is deployed."""
    for stack in inventory.assembly.stacks:
        for resource in stack.resources.values():
            if resource.type.startswith("Custom::") or resource.type == "AWS::CloudFormation::CustomResource":
                yield from _of_custom_resource(inventory, stack, resource)
            elif resource.type == "AWS::EC2::FlowLog":
                yield from _of_flow_log(inventory, stack, resource)


def _of_flow_log(inventory: Inventory, stack: Stack, resource: Resource) -> Iterator[Finding]:
    resolver = inventory.resolver(inventory.start, False)
    try:
        destination = str(resolver.property(stack, resource, "LogDestination"))
        for bucket in inventory.buckets:
            policies = inventory.direct.get(id(bucket.resource), ())
            name = bucket_name(resolver, bucket.stack, bucket.resource)
            arn = str(bucket_arn(resolver, bucket.stack, name))
            if not policies or not f"{destination}/".startswith(f"{arn}/"):
                continue
            if not any(
                _DELIVERY in text for each in policies for text in strings_of(each.resource.properties)
            ):
                message = (
                    f"flow log `{resource.logical_id}` goes to bucket `{bucket.resource.logical_id}`, whose "
                    f"policy does not let `{_DELIVERY}` deliver: AWS replaces the policy when it makes the "
                    "flow log, and with it the deny"
                )
                fix = (
                    "add the statements of *Amazon S3 bucket permissions for flow logs* to the policy, or "
                    "use `SecureLogBucket(source=LogSource.VPC_FLOW)`"
                )
                yield _finding(stack, resource, message, fix, "LogDestination")
    except (Fork, Infeasible, Undecidable):
        return


def _of_custom_resource(inventory: Inventory, stack: Stack, resource: Resource) -> Iterator[Finding]:
    for event, when in _EVENTS.items():
        call = _call(inventory, stack, resource, event)
        parameters = call.get("parameters")
        parameters = parameters if isinstance(parameters, Mapping) else {}
        service = str(call.get("service", "")).casefold().rpartition("client-")[2].replace("-", "")
        action = str(call.get("action", "")).casefold().removesuffix("command")
        known = _EFFECTS.get(f"{service} {action} {parameters.get('TypeName', '')}".casefold().strip())
        if known is None:
            continue
        name, effect = known[0].split()[1], known[1]
        bucket = parameters.get("Bucket") or parameters.get("Identifier")
        named = f"bucket `{bucket}`" if bucket else "a bucket"
        message = (
            f"custom resource `{resource.logical_id}` calls `{name}` when it {when}: that "
            f"{effect.format(bucket=named)}"
        )
        fix = (
            "deploy that template as a nested stack, or as a stack of its own, and check it"
            if effect is _DEPLOYS
            else "declare the bucket and its policy in a template instead, with the deny"
        )
        yield _finding(stack, resource, message, fix, event)


def _finding(stack: Stack, resource: Resource, message: str, fix: str, property: str) -> Finding:
    return Finding(
        Declared(
            resource.logical_id,
            stack.document.file,
            stack.construct_path(resource),
            stack=stack.stack_name,
        ),
        RULE.id,
        Level.WARNING,
        " ".join(message.split()),
        fix,
        stack.document.place(f"{pointer_of(resource.properties_path)}/{property}"),
    )


def _call(inventory: Inventory, stack: Stack, resource: Resource, event: str) -> Mapping[str, object]:
    """Return a call as `AwsCustomResource` writes it: JSON text, in which values of the deployment stand."""
    properties = resource.properties
    if not isinstance(properties, Mapping) or event not in properties:
        return {}
    try:
        text = as_text(inventory.resolver(inventory.start, False).property(stack, resource, event))
        call = json.loads(str(text)) if text is not None else None
    except (Fork, Infeasible, Undecidable, ValueError, RecursionError):
        return {}
    return call if isinstance(call, Mapping) else {}


# It is about other resources than the buckets that are judged: `checks/check.py` asks for it.
RULE = Rule("SB012", "changed-at-deployment", __doc__, lambda judgement: iter(()), about_later_change=True)
