"""Findings for products that keep them over time: Security Hub (ASFF) and the readers of OCSF."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from secure_bucket.checks.running_buckets import judge_bucket, report_of
from secure_bucket.findings.finding import GrantedException, Report, joined
from secure_bucket.findings.running import RunningBucket
from secure_bucket.formats import FORMATS, Run
from secure_bucket.policy.statements import deny_plain_http
from secure_bucket.values.unknown import Place

ACCOUNT = "111122223333"
RUN = Run("1.2.3", datetime.datetime(2027, 3, 1, 12, tzinfo=datetime.timezone.utc), 1)


def reviewed(name: str, denies: bool, *, website: bool = False, partition: str = "aws") -> Report:
    arn = f"arn:{partition}:s3:::{name}"
    policy = {"Version": "2012-10-17", "Statement": [deny_plain_http(arn)]} if denies else None
    bucket = RunningBucket(arn, policy, ACCOUNT, "eu-west-1", website, None, None)
    return report_of([judge_bucket(bucket)])


def written(name: str, *reports: Report) -> Any:
    return json.loads(FORMATS[name](joined(reports), RUN))


def test_security_hub_takes_the_findings() -> None:
    botocore = pytest.importorskip("botocore.session")
    from botocore.validate import ParamValidator

    findings = written("asff", reviewed("good", True), reviewed("open", False, website=True))
    model = botocore.get_session().get_service_model("securityhub")
    shape = model.operation_model("BatchImportFindings").input_shape
    problems = ParamValidator().validate({"Findings": findings}, shape)
    assert not problems.has_errors(), problems.generate_report()
    allowed = {name: set(shape.members["Findings"].member.members) for name in ("Findings",)}["Findings"]
    assert all(set(each) <= allowed for each in findings)


def test_a_bucket_keeps_its_id_when_it_is_closed() -> None:
    (before,), (after,) = written("asff", reviewed("a", False)), written("asff", reviewed("a", True))
    assert before["Id"] == after["Id"]
    assert (before["Compliance"]["Status"], after["Compliance"]["Status"]) == ("FAILED", "PASSED")
    assert (before["Severity"]["Label"], after["Severity"]["Label"]) == ("HIGH", "INFORMATIONAL")
    assert "accepts" in before["Description"] or "anyone can" in before["Description"]
    (before,), (after,) = written("ocsf", reviewed("a", False)), written("ocsf", reviewed("a", True))
    assert before["finding_info"]["uid"] == after["finding_info"]["uid"]
    assert (before["compliance"]["status"], after["compliance"]["status"]) == ("Fail", "Pass")
    assert (before["status"], after["status"]) == ("New", "Resolved")


def test_the_partition_is_that_of_the_bucket() -> None:
    (found,) = written("asff", reviewed("a", True, partition="aws-cn"))
    assert found["ProductArn"].startswith("arn:aws-cn:securityhub:eu-west-1:111122223333:product/")
    assert found["Resources"][0]["Partition"] == "aws-cn"


def test_an_excepted_finding_is_told_with_its_reason() -> None:
    report = reviewed("a", False)
    (finding,) = report.findings
    granted = GrantedException(
        finding.subject, "SB001", "The scanner speaks no TLS", Place(), None, False, (finding,)
    )
    excepted = Report(buckets=report.buckets, exceptions=(granted,))
    (found,) = written("asff", excepted)
    assert found["ProductFields"]["secure-bucket/exception"] == "The scanner speaks no TLS"
    assert found["Severity"]["Label"] == "INFORMATIONAL"
    (event,) = written("ocsf", excepted)
    assert (event["status"], event["comment"]) == ("Suppressed", "The scanner speaks no TLS")


def test_further_findings_have_ids_of_their_own() -> None:
    found = written("asff", reviewed("a", True, website=True), reviewed("b", True, website=True))
    assert len({each["Id"] for each in found}) == len(found) == 4
    assert [each["GeneratorId"] for each in found].count("secure-bucket/SB004") == 2


def test_events_have_the_members_that_their_class_requires() -> None:
    for event in written("ocsf", reviewed("good", True), reviewed("open", False)):
        assert (event["category_uid"], event["class_uid"], event["type_uid"]) == (2, 2003, 200301)
        required = {"activity_id", "compliance", "finding_info", "metadata", "severity_id", "time", "cloud"}
        assert required <= set(event)
        assert event["time"] == 1803902400000
        assert event["metadata"]["profiles"] == ["cloud"]
