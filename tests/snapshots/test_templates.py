"""The templates that come out, as they were reviewed: a change shows in the diff of a snapshot.

make test ARGS="tests/snapshots --snapshot-update"
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from syrupy.assertion import SnapshotAssertion

from secure_bucket import Mode, SecureBucket, SecureTransportAspect
from secure_bucket.testing import TemplateSnapshotExtension
from tests.cdk.fix.test_fix import FORMS
from tests.synth.harness import ROOT, Run


@pytest.fixture
def snapshot_json(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(TemplateSnapshotExtension)


def reviewed(template: dict[str, Any]) -> dict[str, Any]:
    """The parts of a template that somebody wrote; the others the CDK adds to each."""
    return {part: template[part] for part in ("Resources", "Outputs") if part in template}


BUCKETS: dict[str, Callable[[cdk.Stack], object]] = {
    "default": lambda stack: SecureBucket(stack, "Reports"),
    "kms": lambda stack: SecureBucket(
        stack, "Reports", bucket_key_enabled=True, encryption_key=kms.Key(stack, "Key")
    ),
    "tls-1.3": lambda stack: SecureBucket(stack, "Reports", minimum_tls_version=1.3),
    "logs": lambda stack: SecureBucket(
        stack, "Reports", server_access_logs_bucket=SecureBucket(stack, "Logs"), versioned=True
    ),
    "lifecycle": lambda stack: SecureBucket(
        stack, "Reports", lifecycle_rules=[s3.LifecycleRule(expiration=cdk.Duration.days(30))]
    ),
    "public-acls": lambda stack: SecureBucket(
        stack, "Reports", block_public_access=s3.BlockPublicAccess.BLOCK_ACLS
    ),
    "auto-delete": lambda stack: SecureBucket(
        stack, "Reports", auto_delete_objects=True, removal_policy=cdk.RemovalPolicy.DESTROY
    ),
}


def template_of(app: cdk.App, stack: cdk.Stack) -> dict[str, Any]:
    return cast("dict[str, Any]", app.synth().get_stack_by_name(stack.stack_name).template)


@pytest.mark.parametrize("name", BUCKETS)
def test_secure_bucket(name: str, snapshot_json: SnapshotAssertion) -> None:
    app = cdk.App()
    stack = cdk.Stack(app, "Top")
    BUCKETS[name](stack)
    assert reviewed(template_of(app, stack)) == snapshot_json


def l1_with(form: str) -> Callable[[cdk.Stack], object]:
    def make(stack: cdk.Stack) -> object:
        bucket = s3.CfnBucket(stack, "Plain")
        return s3.CfnBucketPolicy(stack, "Policy", bucket=bucket.ref, policy_document=FORMS[form](bucket))

    return make


FIXED: dict[str, Callable[[cdk.Stack], object]] = {
    "l2": lambda stack: s3.Bucket(stack, "Plain"),
    "l2-auto-delete": lambda stack: s3.Bucket(
        stack, "Plain", auto_delete_objects=True, removal_policy=cdk.RemovalPolicy.DESTROY
    ),
    "l1": lambda stack: s3.CfnBucket(stack, "Plain"),
    **{f"l1-{form.replace(' ', '-')}": l1_with(form) for form in FORMS},
}


@pytest.mark.parametrize("name", FIXED)
def test_fix(name: str, snapshot_json: SnapshotAssertion) -> None:
    app = cdk.App()
    stack = cdk.Stack(app, "Top")
    FIXED[name](stack)
    cdk.Aspects.of(app).add(SecureTransportAspect(mode=Mode.FIX, quiet=True))
    assert reviewed(template_of(app, stack)) == snapshot_json


@pytest.mark.slow
def test_the_example_app(tmp_path: Path, snapshot_json: SnapshotAssertion) -> None:
    for name in ("app.py", "cdk.json"):
        shutil.copy(ROOT / name, tmp_path)
    run = Run(0, "", "", tmp_path).again("--no-version-reporting", "--no-path-metadata")
    assert run.code == 0, run.stderr
    assert run.summary == "secure-bucket: 7 buckets, 7 proven"
    out = tmp_path / "cdk.out"
    found = {
        str(file.relative_to(out)): reviewed(json.loads(file.read_text(encoding="utf-8")))
        for file in sorted(out.rglob("*.template.json"))
    }
    assert found == snapshot_json


@pytest.mark.slow
def test_the_example_app_made_insecure(tmp_path: Path) -> None:
    for name in ("app.py", "cdk.json"):
        shutil.copy(ROOT / name, tmp_path)
    run = Run(0, "", "", tmp_path).again("-c", "insecure=true")
    assert run.code == 1
    for path in ("Legacy/PlainL1", "Reports/Archive/Plain", "Reports/Plain"):
        run.block(f"ERROR `{path}`", "over plain HTTP")
    # Without `**` the CDK shows the findings of the top level only, and the sum names the others.
    for path in ("Production/Data/Archive/Plain", "Production/Data/Plain"):
        run.block("FATAL this app does not synthesize", f"`{path}`", "cdk synth '**'")
    assert run.summary == "secure-bucket: 12 buckets, 7 proven, 5 accepting plain HTTP"
