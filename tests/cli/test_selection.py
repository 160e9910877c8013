"""`--select` and `--ignore`: which rules count."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.harness import OPEN, SECURE, UNDECIDED, Outcome

Run = Callable[..., Outcome]

UNREAD = OPEN.replace("AWS::S3::Bucket", "AWS::CloudFormation::Stack") + (
    "    Properties: {TemplateURL: https://example.com/other.yaml}\n"
)


@pytest.mark.parametrize("name", ["SB001", "sb001", "plaintext-http", "SB004,SB001"])
def test_an_ignored_rule_does_not_fail_the_check(directory: Path, run: Run, name: str) -> None:
    (directory / "a.yaml").write_text(OPEN)
    outcome = run("check", "a.yaml", "--ignore", name)
    assert outcome.code == 0
    assert "SB001 error" not in outcome.out
    assert outcome.out.startswith("Passed with reservations: 1 of 1 bucket is not proven, and accepted. ")
    assert outcome.out.endswith("; 1 finding of ignored rules (SB001)\n")


def test_only_selected_rules_count(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(SECURE)
    old_tls = ("check", "a.yaml", "--minimum-tls", "1.2")
    outcome = run(*old_tls, "--select", "old-tls")
    assert outcome.code == 1
    assert outcome.out.splitlines()[-1].startswith("Failed: 1 finding. 1 bucket in 1 template: 1 proven")
    assert run(*old_tls, "--select", "SB001").code == 0
    assert run(*old_tls, "--select", "SB006", "--ignore", "SB006").code == 0


def test_an_ignored_unread_template_is_still_counted(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(UNREAD)
    assert run("check", "a.yaml").code == 3
    outcome = run("check", "a.yaml", "--ignore", "SB010")
    assert outcome.code == 0
    assert "1 template unread (`Logs`), and accepted" in outcome.out


def test_a_file_that_cannot_be_read_fails_whatever_is_ignored(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(OPEN)
    (directory / "b.yaml").write_text("Resources: [")
    rules = ",".join(f"SB{number:03}" for number in range(1, 13))
    outcome = run("check", "a.yaml", "b.yaml", "--ignore", rules)
    assert outcome.code == 2
    assert outcome.out.splitlines()[-1].startswith("Incomplete: 1 thing could not be checked. ")


def test_the_last_line_of_an_incomplete_run_says_what_was_refuted(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(OPEN)
    (directory / "b.yaml").write_text("Resources: [")
    last = run("check", "a.yaml", "b.yaml").out.splitlines()[-1]
    assert last.startswith("Incomplete: 1 thing could not be checked; 1 of 1 bucket accepts plain HTTP. ")


def test_the_settings_select_rules_and_the_command_line_takes_precedence(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(OPEN)
    (directory / "secure-bucket.toml").write_text('ignore = ["plaintext-http"]\n')
    assert run("check", "a.yaml").code == 0
    assert run("check", "a.yaml", "--ignore", "SB004").code == 1
    (directory / "secure-bucket.toml").write_text('select = ["SB004"]\n')
    assert run("check", "a.yaml").code == 0


def test_a_word_that_is_not_a_rule_is_an_error(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(OPEN)
    outcome = run("check", "a.yaml", "--ignore", "plaintxt-http")
    assert outcome.code == 2
    assert "ignore: `plaintxt-http` is not a rule; did you mean `plaintext-http`?" in outcome.err
    (directory / "secure-bucket.toml").write_text('select = ["SB999x"]\n')
    assert run("check", "a.yaml").code == 2


def test_reports_keep_ignored_findings_apart(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(UNDECIDED)
    report = json.loads(run("check", "a.yaml", "--ignore", "SB002", "--format", "json").out)
    assert [each["rule"] for each in report["deselected"]] == ["SB002"]
    assert report["summary"]["deselected"] == 1
    assert {"name": "ignore", "value": "SB002"} in report["run"]["options"]
    sarif = json.loads(run("check", "a.yaml", "--ignore", "SB002", "--format", "sarif").out)
    (result,) = sarif["runs"][0]["results"]
    assert result["suppressions"][0]["justification"] == "rule SB002 is ignored"


def test_a_baseline_keeps_its_entries_for_ignored_rules(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(OPEN)
    run("check", "a.yaml", "--write-baseline", "b.json")
    run("check", "a.yaml", "--write-baseline", "b.json", "--ignore", "SB001")
    assert run("check", "a.yaml", "--baseline", "b.json").code == 0
