"""# SB012 changed-at-deployment

## What it does

Finds resources that change buckets during the deployment, outside the templates. It warns about:

- a custom resource that makes a bucket or changes the policy of one: an `AwsCustomResource` of the AWS CDK
  that calls S3 or Cloud Control, or has CloudFormation or Service Catalog deploy another template;
- a VPC flow log to a bucket whose policy does not let `delivery.logs.amazonaws.com` deliver: AWS then
  "automatically" attaches a policy, which "overwrites any existing policy";
- a pipeline of CodePipeline with a CloudFormation action for a template that is not checked in the same run.

## Why it matters

A bucket that such a call makes has no policy, and accepts plain HTTP. If a call deletes or replaces a policy,
the deny in the template is lost.

## Example

```python
call = cr.AwsSdkCall(service="S3", action="deleteBucketPolicy", parameters={"Bucket": bucket.bucket_name})
cr.AwsCustomResource(self, "Cleanup", on_create=call, …)
```

## Use instead

An `AWS::S3::Bucket` and an `AWS::S3::BucketPolicy`. If you need the call, let it write a policy with the
deny, and accept the finding with that reason. For flow logs, add the statements of *Amazon S3 bucket
permissions for flow logs* to the policy: `SecureLogBucket(source=LogSource.VPC_FLOW)` has them.

## References

- https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.custom_resources.AwsCustomResource.html
- https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
- https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketPolicy.html
- https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_CreateResource.html
- https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
- https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-permissions.html
- https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from secure_bucket.findings.finding import Finding, Level
from secure_bucket.findings.rules.rule import Rule
from secure_bucket.findings.subject import Declared
from secure_bucket.template.inventory import Inventory
from secure_bucket.template.references import bucket_arn, bucket_name
from secure_bucket.template.resolve import Resolver
from secure_bucket.template.stack import Resource, Stack, is_function, pointer_of
from secure_bucket.template.text import as_text, strings_of
from secure_bucket.template.worlds import Infeasible, Undecidable, explore

__all__ = ["RULE", "changes_at_deployment"]

_T = TypeVar("_T")
_MEMBER = re.compile(r'"(service|action|TypeName|Bucket|Identifier)"\s*:\s*"([^"]*)"')
_DELIVERY = "delivery.logs.amazonaws.com"
_EVENTS = {"Create": "is created", "Update": "is updated", "Delete": "is deleted"}
_DEPLOYS = "deploys a template that nobody checks here"
# Calls by their effect: the service, the action, and the resource type, if the action has one.
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
    """Return the findings on resources that change the buckets of an assembly during its deployment."""
    for stack in inventory.assembly.stacks:
        for resource in stack.resources.values():
            if resource.type.startswith("Custom::") or resource.type == "AWS::CloudFormation::CustomResource":
                yield from _of_custom_resource(inventory, stack, resource)
            elif resource.type == "AWS::EC2::FlowLog":
                yield from _of_flow_log(inventory, stack, resource)
            elif resource.type == "AWS::CodePipeline::Pipeline":
                yield from _of_pipeline(inventory, stack, resource)


def _of_flow_log(inventory: Inventory, stack: Stack, resource: Resource) -> Iterator[Finding]:
    def replaced(resolver: Resolver) -> list[str]:
        """Return the buckets whose policies AWS replaces."""
        destination = str(resolver.property(stack, resource, "LogDestination"))
        found = []
        for bucket in inventory.buckets:
            policies = inventory.direct.get(id(bucket.resource), ())
            name = bucket_name(resolver, bucket.stack, bucket.resource)
            arn = str(bucket_arn(resolver, bucket.stack, name))
            if policies and f"{destination}/".startswith(f"{arn}/"):
                texts = (text for each in policies for text in strings_of(each.resource.properties))
                if not any(_DELIVERY in text for text in texts):
                    found.append(bucket.resource.logical_id)
        return found

    for bucket in dict.fromkeys(each for found in _in_each_world(inventory, replaced) for each in found):
        message = (
            f"flow log `{resource.logical_id}` goes to bucket `{bucket}`, whose policy does not let "
            f"`{_DELIVERY}` deliver: AWS replaces the policy when it makes the flow log, and with it the deny"
        )
        fix = (
            "add the statements of *Amazon S3 bucket permissions for flow logs* to the policy, or "
            "use `SecureLogBucket(source=LogSource.VPC_FLOW)`"
        )
        yield _finding(stack, resource, message, fix, "LogDestination")


def _of_pipeline(inventory: Inventory, stack: Stack, resource: Resource) -> Iterator[Finding]:
    read = tuple(f"/{each.document.name}".replace("\\", "/") for each in inventory.assembly.stacks)

    def deployed(resolver: Resolver) -> list[str]:
        """Return the templates outside this assembly that a pipeline deploys."""
        stages = resolver.property(stack, resource, "Stages")
        actions = [each for stage in _objects(stages) for each in _objects(stage.get("Actions"))]
        paths = []
        for action in actions:
            kind, settings = action.get("ActionTypeId"), action.get("Configuration")
            if not isinstance(kind, Mapping) or not isinstance(settings, Mapping):
                continue
            path = str(settings.get("TemplatePath", "")).rpartition("::")[2]
            deploys = path and str(kind.get("Provider", "")).startswith("CloudFormation")
            if deploys and not any(each.endswith(f"/{path}") for each in read):
                paths.append(path)
        return paths

    for path in dict.fromkeys(each for found in _in_each_world(inventory, deployed) for each in found):
        message = (
            f"pipeline `{resource.logical_id}` deploys `{path}` from an artifact, which nobody checks here"
        )
        fix = f"run `secure-bucket check {path}` in the pipeline before the action that deploys it"
        yield _finding(stack, resource, message, fix, "Stages")


def _objects(value: object) -> Iterator[Mapping[str, object]]:
    for each in value if isinstance(value, list) else ():
        if isinstance(each, Mapping):
            yield each


def _in_each_world(inventory: Inventory, question: Callable[[Resolver], _T]) -> Iterator[_T]:
    """Yield the answers to a question in all distinguishable deployments of the templates."""
    with contextlib.suppress(Infeasible, Undecidable):
        for _, answer in explore(lambda world: question(inventory.resolver(world, True)), inventory.start):
            yield answer


def _of_custom_resource(inventory: Inventory, stack: Stack, resource: Resource) -> Iterator[Finding]:
    properties = resource.properties
    for event, when in _EVENTS.items():
        if isinstance(properties, Mapping) and not is_function(properties) and event not in properties:
            continue

        def effects(resolver: Resolver, event: str = event) -> list[tuple[str, str]]:
            return list(_effect_of(_call(resolver.property(stack, resource, event))))

        found = _in_each_world(inventory, effects)
        for what, fix in dict.fromkeys(effect for each in found for effect in each):
            message = f"custom resource `{resource.logical_id}` {what.format(when=when)}"
            yield _finding(stack, resource, message, fix, event)


def _effect_of(call: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield the effect of a call, with advice; nothing for an unknown call."""
    parameters = call.get("parameters")
    parameters = parameters if isinstance(parameters, Mapping) else {}
    service = str(call.get("service", "")).casefold().rpartition("client-")[2].replace("-", "")
    action = str(call.get("action", "")).casefold().removesuffix("command")
    known = _EFFECTS.get(f"{service} {action} {parameters.get('TypeName', '')}".casefold().strip())
    if known is None:
        return
    name, effect = known[0].split()[1], known[1]
    bucket = parameters.get("Bucket") or parameters.get("Identifier")
    named = f"bucket `{bucket}`" if bucket else "a bucket"
    fix = (
        "deploy that template as a nested stack, or as a stack of its own, and check it"
        if effect is _DEPLOYS
        else "declare the bucket and its policy in a template instead, with the deny"
    )
    yield f"calls `{name}` when it {{when}}: that {effect.format(bucket=named)}", fix


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


def _call(value: object) -> Mapping[str, object]:
    """Parse a call as `AwsCustomResource` writes it: JSON text with values of the deployment."""
    text = as_text(value) if not isinstance(value, Mapping) else None
    if text is not None:
        try:
            value = json.loads(str(text))
        except (ValueError, RecursionError):
            # A number that only the deployment knows has no quotation marks there.
            return _words_of(str(text))
    return value if isinstance(value, Mapping) else {}


def _words_of(text: str) -> Mapping[str, object]:
    """Return the members of a call that are plain text, at any depth."""
    words = dict(_MEMBER.findall(text))
    return {**words, "parameters": words}


# This rule is about other resources than the judged buckets: `checks/check.py` calls it.
RULE = Rule("SB012", "changed-at-deployment", __doc__, lambda judgement: iter(()), about_later_change=True)
