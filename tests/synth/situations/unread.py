"""Templates that the gate cannot read."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_servicecatalog as catalog
from aws_cdk import cloudformation_include as include

from secure_bucket import SecureBucket
from tests.synth.situations.places import offer, stack_set
from tests.synth.situations.situation import (
    PLAIN,
    URL,
    situation,
    stack,
    template_file,
)


@situation("nested stack at a URL, in an app without a bucket", check=3)
def nested_at_a_url(app: cdk.App) -> None:
    cdk.CfnStack(stack(app), "Nested", template_url=URL)


@situation("nested stack whose `TemplateURL` an override changes", check=3)
def nested_with_another_url(app: cdk.App) -> None:
    nested = cdk.NestedStack(stack(app), "Nested")
    SecureBucket(nested, "Good")
    resource = nested.nested_stack_resource
    assert resource is not None
    resource.add_property_override("TemplateURL", URL)


@situation("included parent without its nested templates", check=3)
def included_parent(app: cdk.App) -> None:
    nested = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "child.json"}}
    include.CfnInclude(stack(app), "Old", template_file=template_file({"Resources": {"Nested": nested}}))


@situation("StackSet or product at a URL", check=3)
def stack_set_at_a_url(app: cdk.App) -> None:
    stack_set(app, template_url=URL)
    offer(stack(app, "Products"), catalog.CloudFormationTemplate.from_url(URL))


@situation("`TemplateBody` that only the deployment tells", check=3)
def unknown_body(app: cdk.App) -> None:
    stack_set(app, template_body=cdk.Fn.ref("AWS::Region"))


REFUSED = {
    "Broken": "{" + json.dumps(PLAIN),
    "Surrogate": json.dumps({**PLAIN, "Description": "\ud800"}),
    "Twice": json.dumps({"Resources": {}})[:-1] + ', "Resources": {"Plain": {"Type": "AWS::S3::Bucket"}}}',
    "Documents": "Resources: {}\n---\nResources: {Plain: {Type: 'AWS::S3::Bucket'}}\n",
    "Deep": '{"Resources": {"Plain": {"Type": "AWS::S3::Bucket"}}, "Metadata": '
    + "[" * 9000
    + "]" * 9000
    + "}",
}
"""Bodies that the reader refuses, each in the StackSet of the same name."""


@situation("`TemplateBody` that is nested too deep", check=2, named="Deep")
@situation("`TemplateBody` of two documents", check=2, named="Documents")
@situation("`TemplateBody` with its resources twice", check=2, named="Twice")
@situation("`TemplateBody` with a lone surrogate", check=2, named="Surrogate")
@situation("`TemplateBody` that is broken", check=2, named="Broken")
def refused_bodies(app: cdk.App) -> None:
    for name, body in REFUSED.items():
        stack_set(app, name, template_body=body)


@situation("unread template that is accepted with a reason", synth=0, check=0)
def accepted_unread(app: cdk.App) -> None:
    nested = cdk.CfnStack(stack(app), "Nested", template_url=URL)
    accepted = cdk.Acknowledgment(id="secure-bucket::SB010", reason="the network team checks it")
    cdk.Validations.of(nested).acknowledge(accepted)


@situation("unread templates that are accepted on the stack around them", synth=0, check=0)
def accepted_around(app: cdk.App) -> None:
    stack_set_at_a_url(app)
    accepted = cdk.Acknowledgment(id="secure-bucket::SB010", reason="the network team checks it")
    for child in app.node.children:
        cdk.Validations.of(child).acknowledge(accepted)


PATTERN = """
[[exceptions]]
path = "cdk.out/*"
logical-id = "Ne*"
rule = "SB010"
reason = "the network team checks it"
"""


@situation("unread template that a pattern in the settings of `check` accepts", check=0, settings=PATTERN)
def accepted_by_a_pattern(app: cdk.App) -> None:
    nested_at_a_url(app)


@situation("unread template with `undecided` as a warning", synth=0, check=0, undecided="warning",
           named="is not read")  # fmt: skip
def warned(app: cdk.App) -> None:
    nested_at_a_url(app)


@situation("the same beside a plain bucket", undecided="warning", named="is not read", says="over plain HTTP")
def warned_beside_a_bucket(app: cdk.App) -> None:
    nested_at_a_url(app)
    s3.Bucket(stack(app, "Other"), "Plain")


@situation("private type, or stack that CloudFormation takes from a repository", check=3)
def registered(app: cdk.App) -> None:
    top = stack(app)
    cdk.CfnResource(top, "Bucket", type="Acme::S3::SecureBucket")
    cdk.CfnResource(top, "Sync", type="AWS::CodeConnections::SyncConfiguration")


@situation("change set or SageMaker project at a URL", check=3)
def change_set_at_a_url(app: cdk.App) -> None:
    top = stack(app)
    cdk.CfnResource(top, "Changes", type="AWS::CloudFormation::ChangeSet", properties={"TemplateURL": URL})
    details = [{"CfnTemplateProviderDetail": {"TemplateName": "data", "TemplateURL": URL}}]
    cdk.CfnResource(
        top, "Project", type="AWS::SageMaker::Project", properties={"TemplateProviderDetails": details}
    )


@situation("module, provisioned product or nested application", check=3)
def module(app: cdk.App) -> None:
    top = stack(app)
    cdk.CfnResource(top, "Module", type="Acme::S3::Bucket::MODULE")
    catalog.CfnCloudFormationProvisionedProduct(top, "Provisioned", product_name="bucket")
    cdk.CfnResource(top, "App", type="AWS::Serverless::Application", properties={"Location": URL})


@situation("resource or template that a macro rewrites", check=3)
def macro(app: cdk.App) -> None:
    top = stack(app)
    top.add_transform("Acme")
    cdk.CfnResource(top, "Queue", type="AWS::SQS::Queue").add_override(
        "Fn::Transform", {"Name": "AWS::Include"}
    )
