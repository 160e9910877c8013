"""Snapshots of templates: quiet about assets, and about nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template

from secure_bucket.testing import TemplateSnapshotExtension, mask_hashes

HASH = "0123456789abcdef" * 4


def stack_with(code: str, directory: Path, *, memory: int = 128) -> cdk.Stack:
    directory.mkdir()
    (directory / "index.py").write_text(code, encoding="utf-8")
    stack = cdk.Stack(cdk.App(outdir=str(directory / "out")), "Top")
    function = lambda_.Function(
        stack,
        "Function",
        code=lambda_.Code.from_asset(str(directory), exclude=["out"]),
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_13,
        memory_size=memory,
    )
    lambda_.Alias(stack, "Live", alias_name="live", version=function.current_version)
    return stack


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    directory = tmp_path_factory.mktemp("snapshots")
    extension = TemplateSnapshotExtension()
    return {
        "first": extension.serialize(stack_with("1", directory / "first")),
        "other code": extension.serialize(Template.from_stack(stack_with("2", directory / "second"))),
        "other memory": extension.serialize(stack_with("1", directory / "third", memory=256)),
    }


def test_other_code_makes_no_other_snapshot(snapshots: dict[str, object]) -> None:
    assert snapshots["first"] == snapshots["other code"]
    assert "<hash>" in str(snapshots["first"])


def test_another_property_does(snapshots: dict[str, object]) -> None:
    assert snapshots["first"] != snapshots["other memory"]


def test_only_hashes_are_masked() -> None:
    template = {
        "Resources": {
            "Plain": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": f"cdk-assets-{HASH}"}},
            "CDKMetadata": {"Type": "AWS::CDK::Metadata", "Properties": {"Analytics": "v2:deflate64:H4s"}},
            "Short": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": HASH[:63]}},
            "Long": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": HASH + "a"}},
        }
    }
    before = json.dumps(template)
    resources = mask_hashes(template)["Resources"]
    assert resources["Plain"]["Properties"] == {"BucketName": "cdk-assets-<hash>"}
    assert resources["CDKMetadata"]["Properties"] == {"Analytics": "<hash>"}
    assert resources["Short"] == template["Resources"]["Short"]
    assert resources["Long"] == template["Resources"]["Long"]
    assert json.dumps(template) == before, "the template itself is left alone"


def test_without_syrupy_it_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['syrupy.extensions.json'] = None\n"
        "from secure_bucket.testing import assert_denies_http\n"
        "from secure_bucket.testing import TemplateSnapshotExtension\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "MissingDependencyError" in done.stderr
    assert "pip install 'secure-bucket[snapshots]'" in done.stderr
