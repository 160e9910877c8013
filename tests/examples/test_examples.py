"""Each example synthesizes as its reader would do it, and fails once a bucket of it accepts plain HTTP."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from secure_bucket import check_assembly
from tests.synth.harness import ROOT, Run, synth_here

pytestmark = pytest.mark.slow

EXAMPLES = ROOT / "examples"

SUMMARIES = {
    "existing_app": "3 buckets, 2 proven, 2 of them fixed, 1 accepting plain HTTP, 1 acknowledged",
    "first_bucket": "1 bucket, 1 proven",
    "organization": "3 buckets, 3 proven",
    "pipeline": "5 buckets, 5 proven, 2 of them fixed",
}

# What a reader might change, and the bucket that then accepts plain HTTP.
CHANGES = {
    "existing_app": ("2099-12-31", "2026-01-31", "Scans/Incoming"),
    "first_bucket": ("SecureBucket(\n", "s3.Bucket(\n", "Reports/Reports"),
    "organization": (
        "records = SecureBucket(",
        'cdk.aws_s3.Bucket(self, "Plain")\n        records = SecureBucket(',
        "Records/Plain",
    ),
    "pipeline": ("mode=Mode.FIX", "mode=Mode.FLAG", "Production/Storage/Scratch"),
}


def synthesize(name: str, directory: Path, old: str = "", new: str = "") -> Run:
    """Run `cdk synth` in a copy of an example, with a change in its app."""
    shutil.copytree(EXAMPLES / name, directory, dirs_exist_ok=True)
    source = (directory / "app.py").read_text(encoding="utf-8")
    assert old in source
    (directory / "app.py").write_text(source.replace(old, new, 1) if old else source, encoding="utf-8")
    return synth_here(directory)


def test_every_example_is_tried() -> None:
    apps = {file.parent.name for file in EXAMPLES.glob("*/app.py")}
    assert apps == SUMMARIES.keys() == CHANGES.keys()


@pytest.mark.parametrize("name", SUMMARIES)
def test_an_example_synthesizes(name: str, tmp_path: Path) -> None:
    run = synthesize(name, tmp_path)
    assert run.code == 0, run.stderr
    assert run.summary == f"secure-bucket: {SUMMARIES[name]}"
    assert "WARNING" not in run.stderr
    assert "ERROR" not in run.stderr
    report = check_assembly(tmp_path / "cdk.out")
    assert f"{len(report.buckets)} bucket" in SUMMARIES[name]


@pytest.mark.parametrize("name", CHANGES)
def test_an_example_fails_when_a_bucket_answers_plain_http(name: str, tmp_path: Path) -> None:
    old, new, bucket = CHANGES[name]
    run = synthesize(name, tmp_path, old, new)
    assert run.code == 1
    assert bucket in run.stderr
