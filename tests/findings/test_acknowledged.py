"""Acknowledgments of a CDK app, as the assembly notes them: when they hold, and when they do not."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from secure_bucket import Report, check_assembly, check_template
from secure_bucket.findings.finding import ExceptionOrigin
from secure_bucket.findings.gate_record import RECORD, GateRecord, RecordedException

SET = "AWS::CloudFormation::StackSet"
PLAIN = {"Type": "AWS::S3::Bucket", "Metadata": {"aws:cdk:path": "Top/Plain/Resource"}}


@pytest.fixture
def assembly(tmp_path: Path) -> Path:
    """An assembly with one bucket that answers plain HTTP."""
    (tmp_path / "Top.template.json").write_text(json.dumps({"Resources": {"Plain": PLAIN}}))
    return tmp_path


def check(assembly: Path, **acknowledged: dict[str, str]) -> Report:
    """Check it, with what is acknowledged on each path, in which `__` stands for `/`."""
    metadata: dict[str, Any] = {
        f"/{path.replace('__', '/')}": [{"type": "aws:cdk:acknowledged-rules", "data": rules}]
        for path, rules in acknowledged.items()
    }
    artifact = {
        "type": "aws:cloudformation:stack",
        "properties": {"templateFile": "Top.template.json"},
        "metadata": metadata,
    }
    (assembly / "manifest.json").write_text(json.dumps({"artifacts": {"Top": artifact}}))
    return check_assembly(assembly, exceptions_as_of=datetime.date(2027, 3, 1))


@pytest.mark.parametrize("is_of_an_app", [True, False])
def test_a_text_that_the_template_of_an_app_deploys_excepts_nothing(is_of_an_app: bool) -> None:
    exception = {"Rule": "SB001", "Reason": "no TLS there"}
    plain = {"Type": "AWS::S3::Bucket", "Metadata": {"SecureBucket": {"Exceptions": [exception]}}}
    inner = {"Type": SET, "Properties": {"TemplateBody": json.dumps({"Resources": {"Plain": plain}})}}
    outer = {"Type": SET, "Properties": {"TemplateBody": json.dumps({"Resources": {"Set": inner}})}}
    for set in (inner, outer):
        made = {**set, "Metadata": {"aws:cdk:path": "Top/Set"}} if is_of_an_app else set
        report = check_template({"Resources": {"Set": made}}, exceptions_as_of=datetime.date(2027, 3, 1))
        assert [finding.rule for finding in report.findings] == (["SB001"] if is_of_an_app else [])


@pytest.mark.parametrize("path", ["Top", "Top__Plain", "Top__Plain__Resource"])
def test_it_excepts_what_it_is_on_and_what_is_inside(assembly: Path, path: str) -> None:
    report = check(assembly, **{path: {"secure-bucket::SB001": "no TLS there, expires 2027-03-01"}})
    assert report.findings == ()
    (exception,) = report.exceptions
    assert (exception.logical_id, exception.expires) == ("Plain", datetime.date(2027, 3, 1))
    assert exception.origin is ExceptionOrigin.ACKNOWLEDGMENT
    assert exception.reach == f"/{path.replace('__', '/')}"
    assert exception.at.file == str(assembly / "manifest.json")


@pytest.mark.parametrize(
    ("path", "id", "reason", "rules"),
    [
        ("Top__Plai", "secure-bucket::SB001", "no TLS there", ["SB001", "SB007"]),
        ("Top__Plain", "secure-bucket::SB003", "no TLS there", ["SB001", "SB007"]),
        ("Top__Plain", "other::SB001", "no TLS there", ["SB001"]),
        ("Top__Plain", "secure-bucket::SB001", "no TLS there, expires 2027-02-28", ["SB001", "SB008"]),
        ("Top__Plain", "secure-bucket::SB001", "no TLS there, expires soon", ["SB001", "SB009"]),
        ("Top__Plain", "secure-bucket::SB001", "", ["SB001", "SB009"]),
        ("Top__Plain", "secure-bucket::SB1", "no TLS there", ["SB001", "SB007"]),
        ("Top__Plain", "secure-bucket::SB009", "no TLS there", ["SB001", "SB007"]),
        ("Top__Plain", "secure-bucket::unproven-buckets", "no TLS there", ["SB001", "SB007"]),
        ("Top__Theirs", "secure-bucket::imported-bucket", "its owner denies it", ["SB001"]),
    ],
)
def test_what_does_not_hold_leaves_the_finding(
    assembly: Path, path: str, id: str, reason: str, rules: list[str]
) -> None:
    report = check(assembly, **{path: {id: reason}})
    assert sorted(finding.rule for finding in report.findings) == rules


def test_the_nearest_one_counts(assembly: Path) -> None:
    report = check(
        assembly,
        Top={"secure-bucket::SB001": "all of it"},
        Top__Plain={"secure-bucket::SB001": "this one, expires 2027-01-31"},
    )
    assert sorted(finding.rule for finding in report.findings) == ["SB001", "SB007", "SB008"]


def test_without_a_day_none_is_granted(assembly: Path) -> None:
    check(assembly, Top={"secure-bucket::SB001": "all of it"})
    assert [finding.rule for finding in check_assembly(assembly).findings] == ["SB001"]


def record(assembly: Path, path: str, reason: str = "no TLS there") -> None:
    """Write the record of the gate, with one exception."""
    granted = GateRecord(
        exceptions=(RecordedException("secure-bucket::SB001", path, reason, None, True, ()),)
    )
    (assembly / RECORD).write_bytes(msgspec.json.encode(granted))


@pytest.mark.parametrize("path", ["", "Top"])
def test_one_around_the_buckets_is_read_from_the_record_of_the_gate(assembly: Path, path: str) -> None:
    assert [finding.rule for finding in check(assembly).findings] == ["SB001"]
    record(assembly, path)
    report = check(assembly)
    assert report.findings == ()
    (exception,) = report.exceptions
    assert (exception.reason, exception.at.file) == ("no TLS there", str(assembly / RECORD))
    assert (exception.origin, exception.reach) == (ExceptionOrigin.RECORD, f"/{path}")


def test_the_record_of_the_gate_is_held_against_the_day(assembly: Path) -> None:
    record(assembly, "", "no TLS there, expires 2027-02-28")
    assert {finding.rule for finding in check(assembly).findings} == {"SB001", "SB008"}


def test_an_acknowledgment_in_a_stack_is_nearer_than_one_on_the_app(assembly: Path) -> None:
    record(assembly, "", "no TLS there, expires 2027-02-28")
    report = check(assembly, Top={"secure-bucket::SB001": "the scanner, expires 2028-01-01"})
    assert [finding.rule for finding in report.findings] == ["SB007"]
    assert [each.reason for each in report.exceptions if each.used] == ["the scanner, expires 2028-01-01"]


def test_an_expired_one_on_the_app_is_not_revived_by_a_nearer_one_without_an_end(assembly: Path) -> None:
    record(assembly, "", "no TLS there, expires 2027-02-28")
    report = check(assembly, Top={"secure-bucket::SB001": "the scanner"})
    assert {finding.rule for finding in report.findings} == {"SB001", "SB007", "SB008"}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"exceptions": [{"id": 1}]}'])
def test_a_record_that_cannot_be_read_excuses_nothing(assembly: Path, text: str) -> None:
    (assembly / RECORD).write_text(text)
    assert [finding.rule for finding in check(assembly).findings] == ["SB001"]


def test_a_missing_record_is_reported_where_a_finding_counts(assembly: Path) -> None:
    (remark,) = check(assembly).remarks
    assert remark.startswith(f"`{assembly / RECORD}` is missing, so acknowledgments on the App")
    assert check(assembly, Top={"secure-bucket::SB001": "the scanner"}).remarks == ()
    record(assembly, "Other")
    assert check(assembly).remarks == ()


def test_an_exception_of_the_metadata_counts_once_although_the_gate_records_it(assembly: Path) -> None:
    exception = {"Rule": "SB001", "Reason": "no TLS there", "Expires": "2027-02-28"}
    metadata = {**PLAIN["Metadata"], "SecureBucket": {"Exceptions": [exception]}}  # type: ignore[dict-item]
    template = {"Resources": {"Plain": {**PLAIN, "Metadata": metadata}}}
    (assembly / "Top.template.json").write_text(json.dumps(template))
    recorded = RecordedException(
        "secure-bucket::SB001", "Top/Plain", "no TLS there", "2027-02-28", True, (), ExceptionOrigin.METADATA
    )
    (assembly / RECORD).write_bytes(msgspec.json.encode(GateRecord(exceptions=(recorded,))))
    # The record has no right to an exception whose end it does not check.
    assert sorted(finding.rule for finding in check(assembly).findings) == ["SB001", "SB008"]
