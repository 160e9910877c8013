"""The fixes in reports: the lines to replace in a template."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.harness import OPEN, UNDECIDED, Outcome

Run = Callable[..., Outcome]

NARROW = """\
Resources:
  Reports:
    Type: AWS::S3::Bucket
  ReportsPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Reports
      PolicyDocument:
        Statement:
          - Effect: Deny
            Principal: "*"
            Action: s3:*
            Resource: !Sub ${Reports.Arn}/*
            Condition: {Bool: {aws:SecureTransport: false}}
"""
AS_JSON = """\
{
  "Resources": {
    "Logs": {"Type": "AWS::S3::Bucket"},
    "Data": {
      "Type": "AWS::S3::Bucket"
    }
  }
}
"""
TEMPLATES = {
    "a new policy": OPEN,
    "a statement": NARROW,
    "both": OPEN + NARROW.partition("\n")[2],
    "JSON": AS_JSON,
    "other line ends in a text": AS_JSON.replace("{", '{\n  "Description": "a\u2028b\x85c",', 1),
    "JSON in one line": '{"Resources": {"Logs": {"Type": "AWS::S3::Bucket"}}}',
    "without a last line end": OPEN.removesuffix("\n"),
    "line ends of Windows": OPEN.replace("\n", "\r\n"),
    "many": "Resources:\n" + "".join(f"  B{n}:\n    Type: AWS::S3::Bucket\n" for n in range(30)),
}


def results(run: Run) -> list[dict[str, Any]]:
    log = json.loads(run("check", "t.yaml", "--format", "sarif").out)
    return list(log["runs"][0]["results"])


def applied(text: str, replacements: list[dict[str, Any]]) -> str:
    """Return a text with the replacements of SARIF, from the last to the first."""
    lines = text.split("\n")
    for each in sorted(replacements, key=lambda one: -one["deletedRegion"]["startLine"]):
        region = each["deletedRegion"]
        first, last = region["startLine"] - 1, region["endLine"] - 1
        rest = lines[last][region["endColumn"] - 1 :]
        lines[first : last + 1] = (each["insertedContent"]["text"] + rest).split("\n")
    return "\n".join(lines)


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_fixes_of_a_report_prove_every_bucket(directory: Path, run: Run, name: str) -> None:
    (directory / "t.yaml").write_bytes(TEMPLATES[name].encode())
    replacements = [
        replacement
        for result in results(run)
        for fix in result["fixes"]
        for change in fix["artifactChanges"]
        for replacement in change["replacements"]
    ]
    (directory / "t.yaml").write_bytes(applied(TEMPLATES[name], replacements).encode())
    assert run("check", "t.yaml").code == 0


def test_each_fix_fixes_its_bucket_alone(directory: Path, run: Run) -> None:
    text = TEMPLATES["both"]
    (directory / "t.yaml").write_text(text)
    first, second = results(run)
    for result, other in ((first, "Reports"), (second, "Logs")):
        (change,) = result["fixes"][0]["artifactChanges"]
        (directory / "t.yaml").write_text(applied(text, change["replacements"]))
        (left,) = results(run)
        assert left["locations"][0]["logicalLocations"][0]["name"] == other


WEBSITE = OPEN + "    Properties: {WebsiteConfiguration: {IndexDocument: index.html}}\n"
EXCEPTED = OPEN + "    Metadata: {SecureBucket: {Exceptions: [{Rule: SB001, Reason: no TLS}]}}\n"
CDK = OPEN + "    Metadata: {aws:cdk:path: App/Logs/Resource}\n"


@pytest.mark.parametrize("text", [WEBSITE, EXCEPTED, CDK, UNDECIDED])
def test_a_bucket_that_fix_leaves_has_no_suggestion(directory: Path, run: Run, text: str) -> None:
    (directory / "t.yaml").write_text(text)
    assert results(run)
    assert not any("fixes" in result for result in results(run))


def test_markdown_shows_the_request_and_the_lines_to_paste(directory: Path, run: Run) -> None:
    (directory / "t.yaml").write_text(OPEN)
    text = run("check", "t.yaml", "--format", "markdown").out
    assert text.startswith("### Failed: 1 of 1 bucket accepts plain HTTP\n\n| | bucket | where | finding |\n")
    assert "| `aws:SecureTransport` | `false` |\n" in text
    assert "In `t.yaml`, line 3 becomes:\n\n```suggestion\n    Type: AWS::S3::Bucket\n  LogsPolicy:\n" in text
    block = re.search(r"```suggestion\n(.*?)```", text, re.DOTALL)
    assert block is not None
    (directory / "t.yaml").write_text(OPEN.replace("    Type: AWS::S3::Bucket\n", block[1]))
    assert run("check", "t.yaml").code == 0
    assert run("check", "t.yaml", "--format", "markdown").out == (
        "### Passed: 1 of 1 bucket denies plain HTTP\n\n"
        "1 bucket in 1 template: 1 proven, 0 refuted, 0 undecided, 0 skipped.\n"
    )


def test_markdown_fits_into_a_comment(directory: Path, run: Run) -> None:
    (directory / "t.yaml").write_text(
        "Resources:\n" + "".join(f"  Bucket{n}:\n    Type: AWS::S3::Bucket\n" for n in range(400))
    )
    text = run("check", "t.yaml", "--format", "markdown").out
    assert text.startswith("### Failed: 400 of 400 buckets accept plain HTTP\n")
    assert len(text) < 65_536
    assert re.search(r"The details of \d+ more findings do not fit here\.", text)
