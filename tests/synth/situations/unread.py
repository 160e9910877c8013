"""Templates that the gate cannot read."""

from __future__ import annotations

import json

import aws_cdk as cdk
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


@situation("nested stack at a URL", check=3)
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


@situation("`TemplateBody` that is broken", check=2)
def broken_body(app: cdk.App) -> None:
    stack_set(app, template_body="{" + json.dumps(PLAIN))


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
