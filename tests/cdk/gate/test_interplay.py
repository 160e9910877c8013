"""FIX and the gate beside what else there is in an app: nobody gets in the way of anybody."""

from __future__ import annotations

import importlib.metadata
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import IConstruct

from secure_bucket import Mode, SecureTransportAspect, enforce_secure_transport
from tests.cdk.fix.test_fix import denies, policies


def fill(scope: Any, **props: Any) -> cdk.Stack:
    stack = cdk.Stack(scope, "Top", **props)
    s3.Bucket(stack, "L2", auto_delete_objects=True, removal_policy=cdk.RemovalPolicy.DESTROY)
    s3.CfnBucket(stack, "L1")
    return stack


def tags(app: cdk.App) -> None:
    fill(app)
    cdk.Tags.of(app).add("team", "reports")
    cdk.RemovalPolicies.of(app).destroy()


def permissions_boundary(app: cdk.App) -> None:
    stack = fill(app, permissions_boundary=cdk.PermissionsBoundary.from_name("boundary"))
    iam.PermissionsBoundary.of(stack).apply(
        iam.ManagedPolicy.from_managed_policy_name(stack, "M", "boundary")
    )


def custom_synthesizer(app: cdk.App) -> None:
    fill(app, synthesizer=cdk.DefaultStackSynthesizer(qualifier="other"))
    s3.Bucket(cdk.Stack(app, "Legacy", synthesizer=cdk.LegacyStackSynthesizer()), "Plain")
    s3.Bucket(cdk.Stack(app, "Bare", synthesizer=cdk.BootstraplessSynthesizer()), "Other")


def nothing_reported(app: cdk.App) -> None:
    fill(app, analytics_reporting=False)


APPS: dict[str, tuple[Callable[[cdk.App], None], dict[str, Any]]] = {
    "tags and removal policies": (tags, {}),
    "a permissions boundary": (permissions_boundary, {}),
    "custom synthesizers": (custom_synthesizer, {}),
    "no analytics": (nothing_reported, {"analytics_reporting": False}),
    "no tree, no paths": (
        fill,
        {"tree_metadata": False, "context": {"aws:cdk:disable-asset-staging": True}},
    ),
    "paths": (fill, {"context": {"aws:cdk:enable-path-metadata": True}}),
    "stack traces off": (fill, {"stack_traces": False}),
    "plugins watched": (fill, {"confirm_validation_plugins_do_not_mutate": True}),
}


def by_enforce(app: cdk.App) -> None:
    enforce_secure_transport(app, mode=Mode.FIX, quiet=True)


def by_aspect(app: cdk.App) -> None:
    cdk.Aspects.of(app).add(SecureTransportAspect(mode=Mode.FIX, quiet=True))


def skip_unless_known(props: dict[str, Any]) -> None:
    """Skip what the installed CDK is too old for."""
    unknown = sorted(props.keys() - inspect.signature(cdk.App.__init__).parameters.keys())
    if unknown:
        pytest.skip(f"the installed `aws-cdk-lib` has no {', '.join(unknown)}")


@pytest.mark.parametrize("protect", [by_enforce, by_aspect])
@pytest.mark.parametrize("name", APPS)
def test_everything_is_fixed_and_proven(
    name: str, protect: Callable[[cdk.App], None], tmp_path: Path
) -> None:
    make, props = APPS[name]
    skip_unless_known(props)
    for _ in range(2):
        # The second one finds what the first one left in the directory.
        app = cdk.App(outdir=str(tmp_path), **props)
        protect(app)
        make(app)
        found = policies(app)
        assert len(found) == (4 if make is custom_synthesizer else 2)
        assert {denies(policy) for policy in found.values()} == {1}
        record = json.loads((tmp_path / "secure-bucket.json").read_text(encoding="utf-8"))
        assert len(record["fixed"]) == len(found)


@jsii.implements(cdk.IAspect)
class Reader:
    """An Aspect of somebody else, that adds a statement of its own to each bucket."""

    def visit(self, node: IConstruct) -> None:
        if isinstance(node, s3.Bucket):
            node.add_to_resource_policy(
                iam.PolicyStatement(
                    actions=["s3:GetObject"],
                    principals=[iam.AccountPrincipal("111122223333")],
                    resources=[node.arn_for_objects("*")],
                )
            )


@pytest.mark.parametrize("protect", [by_enforce, by_aspect])
@pytest.mark.parametrize("stabilization", [True, False])
@pytest.mark.parametrize("priority", [10, 500, 1000])
def test_another_aspect_comes_before_or_after(
    priority: int, stabilization: bool, protect: Callable[[cdk.App], None]
) -> None:
    app = cdk.App(context={"@aws-cdk/core:aspectStabilization": stabilization})
    protect(app)
    cdk.Aspects.of(app).add(Reader(), priority=priority)
    stack = cdk.Stack(app, "Top")
    s3.Bucket(stack, "L2")
    (policy,) = policies(app).values()
    assert denies(policy) == 1
    assert len(policy["Properties"]["PolicyDocument"]["Statement"]) == 2


def test_without_the_validation_of_the_cdk_itself_the_gate_still_judges() -> None:
    props = {"builtin_cloud_formation_validation": False}
    skip_unless_known(props)
    app = cdk.App(**props)
    enforce_secure_transport(app, quiet=True)
    s3.Bucket(cdk.Stack(app, "Top"), "Plain")
    with pytest.raises(RuntimeError, match="`Top/Plain`"):
        app.synth()


@pytest.mark.parametrize("mode", Mode)
def test_cdk_nag_says_its_own_and_we_say_ours(mode: Mode) -> None:
    cdk_nag = pytest.importorskip("cdk_nag", reason="cdk-nag is not installed: `pip install cdk-nag`")
    app = cdk.App()
    # Called first: cdk-nag 2 is an Aspect, which sees what has been fixed before it comes by, and no more.
    enforce_secure_transport(app, mode=mode, quiet=True)
    fill(app)
    if int(importlib.metadata.version("cdk-nag").split(".")[0]) < 3:
        cdk.Aspects.of(app).add(cdk_nag.AwsSolutionsChecks())
    else:
        cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))
    text = said(app)
    assert "AwsSolutions-S1" in text
    # S10 is its rule about HTTPS: once the buckets are fixed, both of us are content.
    assert ("AwsSolutions-S10" in text) == ("secure-bucket::SB001" in text) == (mode is Mode.FLAG)


def said(app: cdk.App) -> str:
    """Everything that was found, by whomever."""
    error = ""
    try:
        app.synth()
    except RuntimeError as raised:
        error = str(raised)
    # cdk-nag 2 leaves its findings in the metadata of the constructs.
    metadata = Path(app.outdir).glob("*.metadata.json")
    return "\n".join([error, *(file.read_text(encoding="utf-8") for file in metadata)])
