"""One line in an app that is there already, under the real `cdk synth`."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path

import pytest

from tests.synth.harness import Run, write_app

pytestmark = pytest.mark.slow

APP = """
from secure_bucket import enforce_secure_transport

mode = Mode(app.node.try_get_context("mode"))
enforce_secure_transport(app, mode=mode)
top = cdk.Stack(app, "Top")
s3.Bucket(top, "L2")
s3.CfnBucket(cdk.NestedStack(top, "Nested"), "L1")
staged = cdk.Stack(cdk.Stage(app, "Prod"), "Data")
s3.Bucket(staged, "L2")
s3.CfnBucket(staged, "L1")
excused = s3.Bucket(staged, "Excused")
reason = f"the old scanner speaks no TLS, expires {app.node.try_get_context('expires') or '2999-12-31'}"
cdk.Validations.of(excused).acknowledge(cdk.Acknowledgment(id="secure-bucket::SB001", reason=reason))
"""

BUCKETS = ["Prod/Data/L1", "Prod/Data/L2", "Top/L2", "Top/Nested/L1"]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Run:
    directory = tmp_path_factory.mktemp("adopt")
    write_app(directory, APP, gate="")
    return Run(0, "", "", directory)


def fixed(run: Run) -> list[str]:
    return sorted(re.findall(r"^secure-bucket fixed `(.*?)`: ", run.stderr, re.MULTILINE))


@pytest.mark.parametrize(
    "options", [[], ["--no-path-metadata", "--no-version-reporting", "--no-asset-metadata"]]
)
def test_fix_mends_and_says_so(app: Run, options: list[str]) -> None:
    run = app.again("-c", "mode=fix", *options)
    assert run.code == 0, run.stderr
    assert fixed(run) == BUCKETS
    summary = "secure-bucket: 5 buckets, 4 proven, 4 of them fixed, 1 accepting plain HTTP, 1 acknowledged"
    assert run.summary == summary
    assert "secure-bucket" not in run.stdout
    record = json.loads((run.directory / "cdk.out" / "secure-bucket.json").read_text(encoding="utf-8"))
    assert [each["bucket"].removesuffix("/Resource") for each in record["fixed"]] == BUCKETS
    assert [each["constructPath"] for each in record["exceptions"]] == ["Prod/Data/Excused"]
    assert [each["bucket"] for each in record["left"]] == ["Prod/Data/Excused/Resource"]


def test_flag_fails_and_names_each(app: Run) -> None:
    run = app.again("-c", "mode=flag", "**")
    assert run.code == 1
    assert fixed(run) == []
    for path in BUCKETS:
        run.block(f"ERROR `{path}`", "anyone can ", "over plain HTTP")
    assert "Excused" not in run.stderr


@pytest.mark.parametrize("mode", ["flag", "fix"])
def test_an_exception_inside_a_stage_ends_on_its_day(app: Run, mode: str) -> None:
    yesterday = datetime.date.today() - datetime.timedelta(days=1)
    run = app.again("-c", f"mode={mode}", "-c", f"expires={yesterday}")
    assert run.code == 1
    run.block("FATAL", f"on `Prod/Data/Excused` expired on {yesterday}", "anyone can ", "over plain HTTP")


def test_the_gate_judges_where_the_validation_of_the_cdk_is_off(app: Run) -> None:
    for mode, code in (("flag", 1), ("fix", 0)):
        run = app.python(CDK_CONTEXT_JSON=json.dumps({"mode": mode}), CDK_VALIDATION="false")
        assert run.code == code, run.stderr
        assert run.summary is not None


def test_an_app_that_says_where_it_goes_has_its_record_there(tmp_path: Path) -> None:
    body = APP.replace('app.node.try_get_context("mode")', '"fix"')
    write_app(tmp_path, f'app = cdk.App(outdir="elsewhere")\n{body}', gate="")
    run = Run(0, "", "", tmp_path).python()
    assert run.code == 0, run.stderr
    record = json.loads((tmp_path / "elsewhere" / "secure-bucket.json").read_text(encoding="utf-8"))
    assert len(record["fixed"]) == 4
