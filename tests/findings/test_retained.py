"""SB011: a bucket that is kept while its deny is deleted is a note, and a finding with `strict`."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from secure_bucket import check_template
from secure_bucket.findings.finding import Level
from secure_bucket.formats.json_format import render as as_json
from secure_bucket.formats.run import Run
from secure_bucket.formats.text import render as as_text
from secure_bucket.policy.statements import deny_plain_http

RETAINED = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}


def template(bucket: dict[str, Any], policy: dict[str, Any], **properties: Any) -> dict[str, Any]:
    statement = deny_plain_http({"Fn::GetAtt": ["Reports", "Arn"]})
    written = {"Bucket": {"Ref": "Reports"}, "PolicyDocument": {"Statement": [statement]}, **properties}
    return {
        "Resources": {
            "Reports": {"Type": "AWS::S3::Bucket", **bucket},
            "ReportsPolicy": {"Type": "AWS::S3::BucketPolicy", "Properties": written, **policy},
        }
    }


def test_a_default_run_only_notes_it() -> None:
    report = check_template(template(RETAINED, {}))
    assert report.findings == ()
    (note,) = report.notes
    assert (note.rule, note.level, note.logical_id) == ("SB011", Level.NOTE, "Reports")
    assert note.message == (
        "bucket `Reports`: deleting the stack or replacing the bucket keeps the bucket and deletes its deny: "
        "the policy `ReportsPolicy` is not retained"
    )
    assert "SB011" not in as_text(report, Run())
    written = json.loads(as_json(report, Run()))
    assert [each["rule"] for each in written["findings"]] == ["SB011"]
    assert written["summary"]["notes"] == 1


def test_strict_makes_it_a_finding() -> None:
    report = check_template(template(RETAINED, {}), strict=True)
    assert [(each.rule, each.level) for each in report.findings] == [("SB011", Level.NOTE)]
    assert report.notes == ()
    assert "SB011 note" in as_text(report, Run())


@pytest.mark.parametrize(
    ("bucket", "policy"),
    [
        ({}, {}),
        (RETAINED, RETAINED),
        ({"DeletionPolicy": "Delete"}, {}),
        ({"DeletionPolicy": "RetainExceptOnCreate"}, {"DeletionPolicy": "Retain"}),
        ({"DeletionPolicy": "Retain"}, {"DeletionPolicy": "RetainExceptOnCreate"}),
        # The language extensions allow a function here: nobody can tell.
        ({"DeletionPolicy": {"Ref": "Kept"}}, {"DeletionPolicy": {"Ref": "Kept"}}),
        ({"DeletionPolicy": "Retain"}, {"DeletionPolicy": {"Ref": "Kept"}}),
    ],
)
def test_a_policy_that_lives_as_long_is_not_noted(bucket: dict[str, Any], policy: dict[str, Any]) -> None:
    assert check_template(template(bucket, policy), strict=True).findings == ()


@pytest.mark.parametrize(
    ("attribute", "event"), [("DeletionPolicy", "deleting"), ("UpdateReplacePolicy", "replacing")]
)
def test_one_attribute_is_enough(attribute: str, event: str) -> None:
    lost = {key: value for key, value in RETAINED.items() if key != attribute}
    (note,) = check_template(template(RETAINED, lost)).notes
    assert note.message.startswith(f"bucket `Reports`: {event} the ")
    assert note.fix == f"give the policy `ReportsPolicy` `{attribute}: Retain` too"


def test_a_bucket_that_accepts_plain_http_has_no_deny_to_keep() -> None:
    report = check_template(template(RETAINED, {}, PolicyDocument={"Statement": []}), strict=True)
    assert [each.rule for each in report.findings] == ["SB001"]


@pytest.mark.parametrize("strict", [True, False])
def test_it_can_be_excepted(strict: bool) -> None:
    exception = {"Rule": "SB011", "Reason": "the bucket is emptied before"}
    metadata = {"Metadata": {"SecureBucket": {"Exceptions": [exception]}}}
    today = datetime.date(2027, 1, 1)
    report = check_template(template({**RETAINED, **metadata}, {}), strict=strict, exceptions_as_of=today)
    assert report.findings == report.notes == ()
    assert [granted.used for granted in report.exceptions] == [True]
