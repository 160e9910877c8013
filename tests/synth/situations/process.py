"""What the process of an app does about the gate."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from secure_bucket import SecureBucket, SecureTransportAspect
from tests.synth.situations.places import in_a_stack
from tests.synth.situations.situation import (
    PLAIN,
    situation,
    stack,
)


@situation("context or `CDK_VALIDATION=false` that switches the validation of the CDK off")
def validation_off(app: cdk.App) -> None:
    app.node.set_context("@aws-cdk/core:failSynthOnValidationErrors", True)
    os.environ["CDK_VALIDATION"] = "false"
    in_a_stack(app)


@situation("app that ends with `os._exit(0)` after its synthesis", after=lambda app: os._exit(0))
def ends_at_once(app: cdk.App) -> None:
    in_a_stack(app)


def remove_report(app: cdk.App) -> None:
    Path(app.outdir, "validation-report.json").unlink()


@situation("script that removes the report of the CDK", check=2, after=remove_report)
def report_removed(app: cdk.App) -> None:
    in_a_stack(app)


def edit_template(app: cdk.App) -> None:
    file = Path(app.outdir, "Top.template.json")
    file.write_text(json.dumps(PLAIN), encoding="utf-8")


@jsii.implements(cdk.IPolicyValidationPlugin)
class LaterPlugin:
    """Change every template after the gate."""

    @property
    def name(self) -> str:
        return "later"

    @property
    def version(self) -> str:
        return "1"

    @property
    def rule_ids(self) -> list[str]:
        return []

    def validate(self, context: Any) -> cdk.PolicyValidationPluginReport:
        for path in context.template_paths:
            Path(path).write_text(json.dumps(PLAIN), encoding="utf-8")
        return cdk.PolicyValidationPluginReport(success=True, violations=[])


@situation("plugin registered later that changes the templates", check=2)
def later_plugin(app: cdk.App) -> None:
    SecureBucket(stack(app), "Good")
    plugin: Any = LaterPlugin()
    cdk.Validations.of(app).add_plugins(plugin)


@situation("`python app.py`, then `cdk synth -a cdk.out`", is_run_alone=True)
def run_alone(app: cdk.App) -> None:
    in_a_stack(app)


def in_another_app(app: cdk.App) -> None:
    aspect = SecureTransportAspect(quiet=True)
    for each in (app, cdk.App(outdir=f"{app.outdir}.other")):
        cdk.Aspects.of(each).add(aspect)
        top = stack(each, "More")
        if each is not app:
            s3.Bucket(top, "Plain")
            each.synth()


@situation("bucket in a second App that shares the Aspect of the first", check=0, after=in_another_app)
def second_app_with_the_aspect(app: cdk.App) -> None:
    SecureBucket(stack(app), "Good")


@situation("Stage that is changed and synthesized again (`stage.synth(force=True)`)")
def synthesized_again(app: cdk.App) -> None:
    stage = cdk.Stage(app, "Prod")
    top = stack(stage, "Data")
    SecureBucket(top, "Good")
    stage.synth()
    s3.Bucket(top, "Late")
    stage.synth(force=True)


def synthesize_stage_again(app: cdk.App) -> None:
    stage = app.node.find_child("Prod")
    assert isinstance(stage, cdk.Stage)
    s3.Bucket(stack(stage, "More"), "Late")
    stage.synth(force=True)


@situation("the same after `app.synth()`", check=2, after=synthesize_stage_again)
def synthesized_again_at_the_end(app: cdk.App) -> None:
    SecureBucket(stack(cdk.Stage(app, "Prod"), "Data"), "Good")


@situation("app whose context nobody looked up", check=2, helper=True)
def missing_context(app: cdk.App) -> None:
    top = stack(app, env=cdk.Environment(account="111122223333", region="eu-west-1"))
    SecureBucket(top, "Good")
    cdk.ContextProvider.get_value(top, provider="ami", props={"owners": ["amazon"]}, dummy_value="ami-1")


@situation("script that edits a template after the gate", check=2, after=edit_template)
def template_edited(app: cdk.App) -> None:
    SecureBucket(stack(app), "Good")


def edit_assembly(directory: Path) -> None:
    (directory / "cdk.out" / "Top.template.json").write_text(json.dumps(PLAIN), encoding="utf-8")


@situation("script that edits `cdk.out` after `cdk synth`", synth=0, check=2, edit=edit_assembly)
def edited_after_synth(app: cdk.App) -> None:
    SecureBucket(stack(app), "Good")


def second_app(app: cdk.App) -> None:
    second = cdk.App(outdir=app.outdir)
    in_a_stack(second)
    second.synth()


@situation("second App into the same directory", check=2, after=second_app)
def second_app_in_the_directory(app: cdk.App) -> None:
    SecureBucket(stack(app), "Good")


@situation("app without a plain bucket", synth=0, check=0)
def clean(app: cdk.App) -> None:
    bucket = SecureBucket(stack(app), "Good")
    bucket.grant_read(iam.AccountPrincipal("111122223333"))
