"""What the gate writes into `validation-report.json` is what the schema of the CDK asks for."""

from __future__ import annotations

import json
import tarfile
from datetime import date
from pathlib import Path
from typing import Any

import aws_cdk.cloud_assembly_schema as package
import jsonschema
import pytest
from msgspec.structs import replace

from secure_bucket.checks.cloud_assembly import check_assembly
from secure_bucket.findings.finding import Fault
from secure_bucket.formats.cdk_validation import with_report
from tests.cli.harness import write_assembly


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """The schema that the installed CDK brings."""
    (archive,) = (Path(package.__file__).parent / "_jsii").glob("*.tgz")
    with tarfile.open(archive) as files:
        member = files.extractfile("package/schema/validation-report.schema.json")
        assert member is not None
        found: dict[str, Any] = json.load(member)
        return found


@pytest.mark.parametrize("passed", [True, False])
def test_the_report_follows_the_schema_of_the_cdk(
    schema: dict[str, Any], tmp_path: Path, passed: bool
) -> None:
    write_assembly(tmp_path / "cdk.out")
    report = check_assembly(tmp_path / "cdk.out", exceptions_as_of=date.today())
    assert len(report.findings) == 4
    first, *rest = report.findings
    report = replace(
        report, findings=tuple(rest), baselined=(first,), faults=(Fault("a.json", "cannot be read"),)
    )
    written = with_report(None, report, str(tmp_path / "cdk.out"), passed=passed, version="1.0.0")
    assert written is not None
    jsonschema.validate(written, schema)
    (ours,) = written["pluginReports"]
    assert len(ours["violations"]) == 4
    assert len(ours["suppressedViolations"]) == 1
    # The CDK CLI shows a refused assembly without its stacks, and of its findings only those on the App.
    paths = [
        {each["constructPath"] for each in violation["violatingConstructs"]}
        for violation in ours["violations"]
        if violation["ruleName"] == "SB001"
    ]
    assert all("" in each or passed for each in paths)


def test_properties_have_the_names_of_the_schema(schema: dict[str, Any], tmp_path: Path) -> None:
    write_assembly(tmp_path / "cdk.out")
    report = check_assembly(tmp_path / "cdk.out")
    written = with_report(None, report, str(tmp_path / "cdk.out"), passed=False, version="1.0.0")
    assert written is not None
    definitions = schema["definitions"]
    (ours,) = written["pluginReports"]
    assert ours.keys() <= definitions["PluginReportJson"]["properties"].keys()
    violation = ours["violations"][0]
    assert violation.keys() <= definitions["PolicyViolationJson"]["properties"].keys()
    construct = violation["violatingConstructs"][0]
    assert construct.keys() <= definitions["ViolatingConstructJson"]["properties"].keys()
