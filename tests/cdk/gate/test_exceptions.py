"""Exceptions have an end, which the gate enforces; and stand together in one list."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3

from secure_bucket import Mode, check_assembly, enforce_secure_transport

TODAY = datetime.date.today()
YESTERDAY = TODAY - datetime.timedelta(days=1)


def app_with(mode: Mode = Mode.FLAG, *reasons: str) -> cdk.App:
    app = cdk.App()
    enforce_secure_transport(app, mode=mode, quiet=True)
    staged = cdk.Stack(cdk.Stage(app, "Prod"), "Data")
    for number, reason in enumerate(reasons):
        bucket = s3.Bucket(staged, f"Plain{number}")
        cdk.Validations.of(bucket).acknowledge(cdk.Acknowledgment(id="secure-bucket::SB001", reason=reason))
    return app


def recorded(app: cdk.App) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(app.outdir) / "secure-bucket.json").read_text(encoding="utf-8"))
    return found


def test_one_holds_up_to_and_including_its_last_day_and_is_listed() -> None:
    app = app_with(Mode.FLAG, f"no TLS, expires {TODAY}", "no TLS")
    app.synth()
    assert recorded(app)["exceptions"] == [
        {
            "id": "secure-bucket::SB001",
            "constructPath": f"Prod/Data/Plain{number}",
            "reason": reason,
            "expires": expires,
            "holds": True,
            "findings": [f"Prod/Data/Plain{number}/Resource"],
            "origin": "acknowledgment",
        }
        for number, reason, expires in ((0, f"no TLS, expires {TODAY}", str(TODAY)), (1, "no TLS", None))
    ]


@pytest.mark.parametrize("mode", Mode)
def test_one_that_expired_fails_whatever_the_mode_and_the_bucket_is_left_as_it_is(mode: Mode) -> None:
    app = app_with(mode, f"no TLS, expires {YESTERDAY}", "no TLS")
    with pytest.raises(RuntimeError) as caught:
        app.synth()
    said = (
        f"the acknowledgment of `secure-bucket::SB001` on `Prod/Data/Plain0` expired on {YESTERDAY}: bucket"
    )
    assert said in str(caught.value)
    assert "FATAL" in str(caught.value)
    assert "anyone can GET `report.csv` over plain HTTP" in str(caught.value)
    assert "Plain1" not in str(caught.value)
    assert [each["holds"] for each in recorded(app)["exceptions"]] == [False, True]
    assert recorded(app)["fixed"] == []


def test_a_day_that_is_none_fails_too() -> None:
    app = app_with(Mode.FLAG, "no TLS, expires 2027-02-30", "no TLS, expires")
    with pytest.raises(RuntimeError) as caught:
        app.synth()
    assert "`Prod/Data/Plain0` says `expires 2027-02-30`; a day is written as `expires 2027-03-01`" in str(
        caught.value
    )
    assert "`Prod/Data/Plain1` says `expires` without a day" in str(caught.value)


@pytest.mark.parametrize("reason", ["", "  "])
def test_one_without_a_reason_fails(reason: str) -> None:
    with pytest.raises(RuntimeError, match="`Prod/Data/Plain0` gives no reason"):
        app_with(Mode.FLAG, reason).synth()


def test_an_expired_one_is_not_revived_by_one_without_an_end() -> None:
    app = app_with(Mode.FLAG, "no TLS")
    scope = app.node.find_child("Prod")
    expired = cdk.Acknowledgment(id="secure-bucket::SB001", reason=f"no TLS, expires {YESTERDAY}")
    cdk.Validations.of(scope).acknowledge(expired)
    with pytest.raises(RuntimeError, match=f"on `Prod` expired on {YESTERDAY}"):
        app.synth()


def test_the_nearest_acknowledgment_counts_with_its_end() -> None:
    app = app_with(Mode.FLAG, f"no TLS, expires {YESTERDAY}")
    scope = app.node.find_child("Prod")
    cdk.Validations.of(scope).acknowledge(cdk.Acknowledgment(id="secure-bucket::SB001", reason="all of it"))
    with pytest.raises(RuntimeError, match="`Prod/Data/Plain0` expired on"):
        app.synth()


def test_an_end_on_an_exception_that_is_for_nothing_is_no_matter(
    capsys: pytest.CaptureFixture[str],
) -> None:
    app = cdk.App()
    enforce_secure_transport(app, quiet=True)
    bucket = s3.Bucket(cdk.Stack(app, "Top"), "Good", enforce_ssl=True)
    reason = f"no TLS, expires {YESTERDAY}"
    cdk.Validations.of(bucket).acknowledge(cdk.Acknowledgment(id="secure-bucket::SB001", reason=reason))
    app.synth()
    assert not (Path(app.outdir) / "secure-bucket.json").exists()


def except_in_metadata(bucket: s3.Bucket, **changes: str) -> None:
    resource = bucket.node.default_child
    assert isinstance(resource, s3.CfnBucket)
    exception = {"Rule": "SB001", "Reason": "the scanner speaks no TLS", **changes}
    resource.add_metadata("SecureBucket", {"Exceptions": [exception]})


@pytest.mark.parametrize("mode", Mode)
def test_one_in_the_metadata_of_a_bucket_holds_as_in_check(mode: Mode) -> None:
    app = app_with(mode)
    except_in_metadata(s3.Bucket(cdk.NestedStack(cdk.Stack(app, "Top"), "Inner"), "Plain"))
    app.synth()
    (exception,) = recorded(app)["exceptions"]
    assert (exception["constructPath"], exception["origin"]) == ("Top/Inner/Plain/Resource", "metadata")
    report = check_assembly(app.outdir, exceptions_as_of=TODAY)
    assert (report.findings, len(report.exceptions)) == ((), 1)


def test_one_from_a_note_that_the_gate_does_not_look_for_is_not_unused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    app = app_with()
    except_in_metadata(s3.Bucket(cdk.Stack(app, "Top"), "Good", enforce_ssl=True), Rule="SB011")
    app.synth()
    assert "SB007" not in capsys.readouterr().err
    assert not check_assembly(app.outdir, exceptions_as_of=TODAY).findings


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Expires": str(YESTERDAY)}, "the exception from SB001 expired"),
        ({"Reason": ""}, "it has no `Reason`"),
        ({"Reason": "no TLS until the 31st of December 2020"}, "which is not a day"),
    ],
)
def test_nobody_can_acknowledge_that_one_in_the_metadata_does_not_hold(
    changes: dict[str, str], words: str
) -> None:
    app = app_with()
    except_in_metadata(s3.Bucket(cdk.Stack(app, "Top"), "Plain"), **changes)
    for rule in ("SB001", "SB008", "SB009"):
        cdk.Validations.of(app).acknowledge(cdk.Acknowledgment(id=f"secure-bucket::{rule}", reason="no TLS"))
    with pytest.raises(RuntimeError, match=words):
        app.synth()


def test_one_in_the_metadata_does_not_revive_an_acknowledgment_that_expired() -> None:
    app = app_with(Mode.FLAG, f"no TLS, expires {YESTERDAY}")
    bucket = app.node.find_child("Prod").node.find_child("Data").node.find_child("Plain0")
    assert isinstance(bucket, s3.Bucket)
    except_in_metadata(bucket)
    with pytest.raises(RuntimeError, match=f"expired on {YESTERDAY}"):
        app.synth()
    report = check_assembly(app.outdir, exceptions_as_of=TODAY)
    assert {"SB001", "SB008"} <= {finding.rule for finding in report.findings}


def test_a_template_that_is_not_of_the_app_excuses_nothing() -> None:
    app = app_with()
    exception = {"Rule": "SB001", "Reason": "the scanner speaks no TLS"}
    plain = {"Type": "AWS::S3::Bucket", "Metadata": {"SecureBucket": {"Exceptions": [exception]}}}
    body = json.dumps({"Resources": {"Theirs": plain}})
    cdk.CfnStackSet(
        cdk.Stack(app, "Top"),
        "Set",
        stack_set_name="set",
        permission_model="SELF_MANAGED",
        template_body=body,
    )
    with pytest.raises(RuntimeError, match="bucket `Theirs`: anyone can"):
        app.synth()
    report = check_assembly(app.outdir, exceptions_as_of=TODAY)
    assert [finding.rule for finding in report.findings] == ["SB001"]
    cdk.Validations.of(app).acknowledge(cdk.Acknowledgment(id="secure-bucket::SB001", reason="of the vendor"))
    app.synth(force=True)
