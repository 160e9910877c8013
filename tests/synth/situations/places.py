"""Plain buckets in every place of an assembly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_servicecatalog as catalog
from aws_cdk import cloudformation_include as include

from secure_bucket import SecureBucket
from tests.synth.situations.situation import (
    PLAIN,
    situation,
    stack,
    template_file,
)


@situation("plain bucket in a stack", check=1)
def in_a_stack(app: cdk.App) -> None:
    s3.Bucket(stack(app), "Plain")


@situation("plain bucket as an L1 or a raw `CfnResource`")
def raw(app: cdk.App) -> None:
    cdk.CfnResource(stack(app), "Plain", type="AWS::S3::Bucket")


@situation("another resource whose `Type` an override makes a bucket")
def type_override(app: cdk.App) -> None:
    cdk.CfnResource(stack(app), "Plain", type="AWS::SQS::Queue").add_override("Type", "AWS::S3::Bucket")


@situation("plain bucket in a nested stack")
def in_a_nested_stack(app: cdk.App) -> None:
    s3.Bucket(cdk.NestedStack(stack(app), "Nested"), "Plain")


@situation("the same with `--no-asset-metadata`", arguments=("--no-asset-metadata", "--no-path-metadata"))
def without_asset_metadata(app: cdk.App) -> None:
    in_a_nested_stack(app)


@situation("the same under `LegacyStackSynthesizer`")
def legacy_synthesizer(app: cdk.App) -> None:
    s3.Bucket(cdk.NestedStack(stack(app, synthesizer=cdk.LegacyStackSynthesizer()), "Nested"), "Plain")


class Company(cdk.StackSynthesizer):
    """Upload assets as a company of its own does."""

    def add_file_asset(self, asset: cdk.FileAssetSource) -> cdk.FileAssetLocation:
        key = f"templates/{asset.file_name}"
        url = f"https://example.com/{key}"
        return cdk.FileAssetLocation(
            bucket_name="company", object_key=key, http_url=url, s3_object_url=f"s3://company/{key}"
        )

    def add_docker_image_asset(self, asset: cdk.DockerImageAssetSource) -> cdk.DockerImageAssetLocation:
        raise NotImplementedError

    def synthesize(self, session: cdk.ISynthesisSession) -> None:
        self._synthesize_template(session)
        self._emit_artifact(session)


@situation("the same under a synthesizer of a company's own, whose keys are not hashes")
def own_synthesizer(app: cdk.App) -> None:
    s3.Bucket(cdk.NestedStack(stack(app, synthesizer=Company()), "Nested"), "Plain")


class Sneaking(Company):
    """Add a bucket to the template that it has written."""

    def synthesize(self, session: cdk.ISynthesisSession) -> None:
        self._synthesize_template(session)
        for file in Path(session.outdir).glob("*.template.json"):
            template = json.loads(file.read_text(encoding="utf-8"))
            template.setdefault("Resources", {}).update(PLAIN["Resources"])
            file.write_text(json.dumps(template), encoding="utf-8")
        self._emit_artifact(session)


@situation("bucket that a synthesizer adds to the written template")
def added_by_a_synthesizer(app: cdk.App) -> None:
    SecureBucket(stack(app, synthesizer=Sneaking()), "Good")


class Publishing(Company):
    """Write a template that no manifest names, for another tool."""

    def synthesize(self, session: cdk.ISynthesisSession) -> None:
        super().synthesize(session)
        Path(session.outdir, "Baseline.template.json").write_text(json.dumps(PLAIN), encoding="utf-8")


@situation("template that a synthesizer writes and that no manifest names")
def published_by_a_synthesizer(app: cdk.App) -> None:
    SecureBucket(stack(app, synthesizer=Publishing()), "Good")


@situation("plain bucket in a Stage")
def in_a_stage(app: cdk.App) -> None:
    s3.Bucket(stack(cdk.Stage(app, "Prod"), "Data"), "Plain")


@situation("plain bucket in a Stage inside of a nested stack")
def in_a_stage_in_a_nested_stack(app: cdk.App) -> None:
    holder = cdk.NestedStack(stack(app), "Nested")
    s3.Bucket(stack(cdk.Stage(holder, "Inner"), "Data"), "Plain")


@situation("plain bucket in a stack that is not asked for (`cdk synth Other --exclusively`)",
           arguments=("Other", "--exclusively"))  # fmt: skip
def in_another_stack_than_asked_for(app: cdk.App) -> None:
    s3.Bucket(stack(app), "Plain")
    SecureBucket(stack(app, "Other"), "Good")


@situation("bucket in an included template (`CfnInclude`)")
def included(app: cdk.App) -> None:
    include.CfnInclude(stack(app), "Old", template_file=template_file(PLAIN))


@situation("bucket in a Service Catalog product")
def in_a_product(app: cdk.App) -> None:
    offer_bucket(stack(app))


@situation("the same with `--no-asset-metadata`", arguments=("--no-asset-metadata", "--no-path-metadata"))
def product_without_asset_metadata(app: cdk.App) -> None:
    in_a_product(app)


@situation("the same under `LegacyStackSynthesizer`")
def product_of_the_legacy_synthesizer(app: cdk.App) -> None:
    offer_bucket(stack(app, synthesizer=cdk.LegacyStackSynthesizer()))


def offer_bucket(top: cdk.Stack) -> None:
    class Offer(catalog.ProductStack):
        def __init__(self) -> None:
            super().__init__(top, "Offer")
            s3.Bucket(self, "Plain")

    offer(top, catalog.CloudFormationTemplate.from_product_stack(Offer()))


def offer(scope: cdk.Stack, template: catalog.CloudFormationTemplate) -> None:
    version = catalog.CloudFormationProductVersion(cloud_formation_template=template)
    catalog.CloudFormationProduct(
        scope, "Product", owner="us", product_name="bucket", product_versions=[version]
    )


def stack_set(app: cdk.App, id: str = "Set", **template: Any) -> None:
    top = app.node.try_find_child("Top")
    if not isinstance(top, cdk.Stack):
        top = stack(app)
    cdk.CfnStackSet(top, id, stack_set_name="set", permission_model="SELF_MANAGED", **template)


@situation("bucket in the `TemplateBody` of a StackSet")
def in_a_stack_set(app: cdk.App) -> None:
    stack_set(app, template_body=json.dumps(PLAIN))


@situation("the same behind `Fn::Sub`")
def in_a_stack_set_behind_sub(app: cdk.App) -> None:
    stack_set(
        app, template_body=cdk.Fn.sub("Resources: {Plain: {Type: 'AWS::S3::${Kind}'}}", {"Kind": "Bucket"})
    )


@situation("the same behind `Fn::Join`")
def in_a_stack_set_behind_join(app: cdk.App) -> None:
    stack_set(app, template_body="")
    written = app.node.find_child("Top").node.find_child("Set")
    assert isinstance(written, cdk.CfnStackSet)
    body = ["", ["Resources: {Plain: {Type: ", "'AWS::S3::Bucket'", "}}"]]
    written.add_property_override("TemplateBody", {"Fn::Join": body})


@situation("bucket in a template that is a file asset")
def in_an_asset(app: cdk.App) -> None:
    top = stack(app)
    cdk.CfnStack(top, "Nested", template_url=assets.Asset(top, "File", path=template_file(PLAIN)).http_url)
