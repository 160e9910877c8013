"""Each file in `cases/` is a template that says itself, under `Metadata`, what comes out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from secure_bucket.checks import check_template
from secure_bucket.findings import Report
from secure_bucket.template import load_document

yaml = pytest.importorskip("yaml", reason="the cases are YAML")

CASES = sorted((Path(__file__).parent / "cases").iterdir())


def expected(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = load_document(path).root["Metadata"]["Case"]
    return case


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case_comes_out_as_it_says(path: Path) -> None:
    case = expected(path)
    report = check_template(path)
    assert verdicts(report) == case["verdicts"], [finding.message for finding in report.findings]
    if "rules" in case:
        assert [finding.rule for finding in report.findings] == case["rules"]
    if "levels" in case:
        assert [finding.level.value for finding in report.findings] == case["levels"]
    assert [logical_id for _, logical_id, _ in report.never_created] == case.get("never_created", [])
    if "not_applicable" in case:
        assert [logical_id for _, logical_id, _ in report.not_applicable] == case["not_applicable"]
    for logical_id, parameters in case.get("parameters", {}).items():
        found = [dict(finding.parameters) for finding in report.findings if finding.logical_id == logical_id]
        assert found == [parameters]


def verdicts(report: Report) -> dict[str, str]:
    return {bucket.logical_id: type(bucket.verdict).__name__.lower() for bucket in report.buckets}


def test_no_two_cases_say_the_same() -> None:
    texts = [expected(path)["what"] for path in CASES]
    assert len(set(texts)) == len(texts)
