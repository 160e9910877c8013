"""The page about TypeScript, done by the letter: its app is run by Node, which removes the types."""

from __future__ import annotations

import json
import sys
import tarfile
from importlib.resources import files
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks
from tests.synth.harness import Run, synth_here

pytestmark = pytest.mark.slow

PAGE = ROOT / "docs" / "how-to" / "typescript.md"
HEAD = """\
import * as cdk from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';

const app = new cdk.App();
"""
PLAIN, SECURE, ACKNOWLEDGE, METADATA = (block.text for block in blocks(PAGE) if block.language == "ts")
FAILS, PASSES = (block.text for block in blocks(PAGE) if block.language == "text")


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a `node_modules` with the packages that the CDK for Python brings along."""
    directory = tmp_path_factory.mktemp("typescript") / "node_modules"
    for package, module in (
        ("aws-cdk-lib", "aws_cdk"),
        ("constructs", "constructs"),
        ("@aws-cdk/cloud-assembly-schema", "aws_cdk.cloud_assembly_schema"),
    ):
        (archive,) = (each for each in files(f"{module}._jsii").iterdir() if each.name.endswith(".tgz"))
        with tarfile.open(str(archive)) as tar:
            inner = [each for each in tar.getmembers() if each.name.startswith("package/")]
            for each in inner:
                each.name = each.name.removeprefix("package/")
            tar.extractall(directory / package, inner)
    return directory


def synthesize(modules: Path, directory: Path, body: str) -> Run:
    (directory / "bin").mkdir()
    (directory / "node_modules").symlink_to(modules)
    (directory / "bin" / "app.ts").write_text(HEAD + body, encoding="utf-8")
    gate = f"{sys.executable} -m secure_bucket gate -- node --preserve-symlinks bin/app.ts"
    (directory / "cdk.json").write_text(json.dumps({"app": gate}), encoding="utf-8")
    return synth_here(directory)


def test_the_app_fails_as_the_page_shows(modules: Path, tmp_path: Path) -> None:
    run = synthesize(modules, tmp_path, PLAIN)
    assert run.code == 1
    assert FAILS in run.stderr


def test_the_app_passes_as_the_page_shows(modules: Path, tmp_path: Path) -> None:
    stack, _ = PLAIN.splitlines()
    run = synthesize(modules, tmp_path, f"{stack}\n{SECURE}")
    assert run.code == 0, run.stderr
    assert PASSES in run.stderr


@pytest.mark.parametrize("exception", [ACKNOWLEDGE, METADATA], ids=["acknowledged", "in metadata"])
def test_the_exceptions_of_the_page_are_granted(modules: Path, tmp_path: Path, exception: str) -> None:
    stack, bucket = PLAIN.splitlines()
    run = synthesize(modules, tmp_path, f"{stack}\nconst bucket = {bucket}\n{exception}")
    assert run.code == 0, run.stderr
    assert "1 refuted" in run.stderr
    assert "1 exception in use" in run.stderr
