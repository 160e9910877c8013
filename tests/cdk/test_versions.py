"""Which AWS CDK each name needs, and what an app with another one is told."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.test_imports import NEEDS_CDK

ROOT = Path(__file__).parents[2]
TRY = """
    try:
        exec(f"from secure_bucket import {name}")
        print("imported")
    except ImportError as error:
        print(f"{type(error).__name__}: {error}")
""".splitlines()


def imported(names: Iterable[str], path: Path, *before: str) -> list[str]:
    """Return what a new Python says about the import of each name, with `path` before the real CDK."""
    code = "\n".join([*before, f"for name in {sorted(names)}:", *TRY])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(path), str(ROOT / "lib")])},
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def pretend(directory: Path, version: str) -> None:
    """Write a CDK of which nothing but the version is there."""
    (directory / "aws_cdk" / "_jsii").mkdir(parents=True)
    (directory / "aws_cdk" / "__init__.py").touch()
    (directory / "aws_cdk" / "_jsii" / "__init__.py").write_text(
        f"class __jsii_assembly__:\n    version = {version!r}\n", encoding="utf-8"
    )


def test_import_without_a_cdk_says_what_to_install(tmp_path: Path) -> None:
    missing = """raise ModuleNotFoundError("No module named 'aws_cdk'")"""
    (tmp_path / "aws_cdk.py").write_text(missing, encoding="utf-8")
    for name, said in zip(sorted(NEEDS_CDK), imported(NEEDS_CDK, tmp_path), strict=True):
        assert said.startswith(f"MissingDependencyError: `{name}` needs aws-cdk-lib 2.")
        assert "none can be imported (No module named 'aws_cdk')" in said
        assert "Templates need no CDK: `secure-bucket check` judges them" in said
        assert said.endswith(": pip install 'secure-bucket[cdk]', or: uv add 'secure-bucket[cdk]'")


def test_import_with_an_old_cdk_says_which_is_there_and_which_is_needed(tmp_path: Path) -> None:
    pretend(tmp_path, "2.149.3")
    for name, said in zip(sorted(NEEDS_CDK), imported(NEEDS_CDK, tmp_path), strict=True):
        assert said.startswith(f"MissingDependencyError: `{name}` needs aws-cdk-lib 2.")
        assert "and 2.149.3 is installed: pip install 'aws-cdk-lib>=2." in said
        assert ", or: uv add 'aws-cdk-lib>=2." in said
        assert "secure-bucket gate --" in said


def test_import_from_a_broken_cdk_keeps_the_reason(tmp_path: Path) -> None:
    broken = "from aws_cdk import aws_s3; del aws_s3.Bucket"
    (said,) = imported(["SecureBucket"], tmp_path, broken)
    assert said == (
        "ImportError: `SecureBucket` cannot be loaded: module 'aws_cdk.aws_s3' has no attribute 'Bucket'"
    )
