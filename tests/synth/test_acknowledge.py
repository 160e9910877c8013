"""Accepting a finding: with the CDK's own acknowledgments, and never by mistake."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from secure_bucket import check_assembly
from tests.synth.harness import Run, cdk_synth, write_app

pytestmark = pytest.mark.slow

APP = """
top = cdk.Stack(app, "Top")
plain = s3.Bucket(top, "Plain")
nested = cdk.NestedStack(top, "Nested")
inside = s3.Bucket(nested, "Inside")
stage = cdk.Stage(app, "Prod")
staged = cdk.Stack(stage, "Data")
hidden = s3.Bucket(staged, "Hidden")
deep = s3.Bucket(cdk.NestedStack(staged, "Nested"), "Deep")

def acknowledge(scope, id="secure-bucket::SB001"):
    cdk.Validations.of(scope).acknowledge(cdk.Acknowledgment(id=id, reason="the old scanner has no TLS"))

where = app.node.try_get_context("where")
for name in where.split(",") if where else []:
    acknowledge({"app": app, "l1": plain.node.default_child}.get(name) or globals()[name])
"""

EVERY_BUCKET = ["Prod/Data/Hidden", "Prod/Data/Nested/Deep", "Top/Nested/Inside", "Top/Plain"]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Run:
    directory = tmp_path_factory.mktemp("acknowledge")
    write_app(directory, APP)
    return Run(0, "", "", directory)


@pytest.mark.parametrize(
    ("where", "at"),
    [
        ("plain,inside,hidden,deep", EVERY_BUCKET),
        ("l1,inside,hidden,deep", [*EVERY_BUCKET[:3], "Top/Plain/Resource"]),
        ("top,staged", ["Prod/Data", "Prod/Data", "Top", "Top"]),
        ("top,stage", ["Prod", "Prod", "Top", "Top"]),
        ("app", None),
    ],
)
def test_an_acknowledged_finding_passes_and_is_kept_with_its_reason(
    app: Run, where: str, at: list[str] | None
) -> None:
    run = app.again("-c", f"where={where}")
    assert run.code == 0, run.stderr
    report = run.report()
    assert report["violations"] == []
    kept = report["suppressedViolations"]
    assert {each["reason"] for each in kept} == {"the old scanner has no TLS"}
    assert {each["acknowledgedId"] for each in kept} == {"secure-bucket::SB001"}
    paths = [construct["constructPath"] for each in kept for construct in each["violatingConstructs"]]
    assert sorted(path.removesuffix("/Resource") for path in paths) == EVERY_BUCKET
    if at is not None:
        assert sorted(each["acknowledgedAt"] for each in kept) == at
    assert run.summary == "secure-bucket: 4 buckets, 0 proven, 4 accepting plain HTTP, 4 acknowledged"
    # The command line reads them in the assembly, and those on the App and on a Stage in the gate's record.
    assert open_to_check(run) == []


def open_to_check(run: Run) -> list[str]:
    """The buckets that still fail the check of the assembly, with what is excepted there taken off."""
    report = check_assembly(run.directory / "cdk.out", exceptions_as_of=datetime.date(2027, 3, 1))
    assert len(report.findings) + sum(map(len, (each.findings for each in report.exceptions))) == 4
    assert {each.reason for each in report.exceptions} <= {"the old scanner has no TLS"}
    return sorted(each.construct_path.removesuffix("/Resource") for each in report.findings)


@pytest.mark.parametrize(
    ("where", "left"),
    [("plain,inside,hidden", EVERY_BUCKET[1:2]), ("top", EVERY_BUCKET[:2]), ("stage", EVERY_BUCKET[2:])],
)
def test_an_acknowledgment_covers_nothing_but_what_it_is_on(app: Run, where: str, left: list[str]) -> None:
    run = app.again("-c", f"where={where}", "**")
    assert run.code == 1
    assert [path for path in EVERY_BUCKET if f"ERROR `{path}`" in run.stderr] == left
    assert open_to_check(run) == left


LOST = {
    "SB001": "the id is `secure-bucket::SB001`",
    "sb001": "the id is `secure-bucket::SB001`",
    "plaintext-http": "the id is `secure-bucket::SB001`",
    "secure_bucket::SB001": "the id is `secure-bucket::SB001`",
    "secure-bucket::plaintext-http": "the id is `secure-bucket::SB001`",
    "secure-bucket:SB001": "the id is `secure-bucket::SB001`",
    "secure-bucket::SB1": "there is no such rule",
    "secure-bucket::SB002": "there is no such finding",
}


def test_an_acknowledgment_that_matches_nothing_is_said(tmp_path: Path) -> None:
    run = cdk_synth(tmp_path, APP + f"\nfor id in {list(LOST)}: acknowledge(hidden, id)\n", "**")
    assert run.code == 1
    assert "ERROR `Prod/Data/Hidden`" in run.stderr
    for id, advice in LOST.items():
        assert advice in run.block(
            f"WARNING the acknowledgment of `{id}` on `Prod/Data/Hidden` has no effect"
        )


def test_acknowledgments_for_others_are_left_alone(tmp_path: Path) -> None:
    body = """
    bucket = SecureBucket(cdk.Stack(app, "Top"), "Good", access_control=s3.BucketAccessControl.PRIVATE)
    for id in ("AwsSolutions-S10", "cdk-nag::AwsSolutions-S1", "W3045", "CloudFormation-Validate::E3019"):
        cdk.Validations.of(bucket).acknowledge(cdk.Acknowledgment(id=id, reason="theirs"))
    """
    run = cdk_synth(tmp_path, body)
    assert run.code == 0
    assert "no effect" not in run.stderr


def test_without_paths_in_the_templates_it_works_as_well(app: Run) -> None:
    run = app.again("-c", "where=plain,inside,hidden,deep", "--no-path-metadata")
    assert run.code == 0, run.stderr
    run = app.again("-c", "where=plain,inside", "--no-path-metadata")
    assert run.code == 1
    assert "`Prod/Data/Nested/Deep`" in run.stderr
