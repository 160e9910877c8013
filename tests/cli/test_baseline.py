"""A baseline: only new findings fail, and it only shrinks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.harness import OPEN, SECURE, Outcome, write_assembly

Run = Callable[..., Outcome]

MORE = OPEN + "  Extra:\n    Type: AWS::S3::Bucket\n"


def entries(file: str = "base.json") -> list[tuple[str, str, str]]:
    value: Any = json.loads(Path(file).read_text())
    assert value["schema"] == "secure-bucket/baseline/1"
    return [(each["template"], each["resource"], each["rule"]) for each in value["findings"]]


def test_only_new_findings_fail(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(OPEN)
    written = run("check", "a.yaml", "--write-baseline", "base.json")
    assert written.code == 0
    assert "the baseline `base.json` contains 1 findings" in written.err
    assert entries() == [("a.yaml", "Logs", "SB001")]
    assert run("check", "a.yaml", "--baseline", "base.json").code == 0
    (directory / "a.yaml").write_text(MORE)
    outcome = run("check", "a.yaml", "--baseline", "base.json")
    assert outcome.code == 1
    assert "SB001 error: bucket `Extra`" in outcome.out
    assert "SB001 accepted: bucket `Logs`" in outcome.out


def test_lines_and_messages_may_change(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(OPEN)
    run("check", "a.yaml", "--write-baseline", "base.json")
    (directory / "a.yaml").write_text("# a comment\n\nMetadata: {}\n" + OPEN + "    DeletionPolicy: Retain\n")
    assert run("check", "a.yaml", "--baseline", "base.json").code == 0


def test_it_never_grows_by_itself(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(OPEN)
    run("check", "a.yaml", "--write-baseline", "base.json")
    (directory / "a.yaml").write_text(MORE)
    assert run("check", "a.yaml", "--write-baseline", "base.json").code == 1
    assert entries() == [("a.yaml", "Logs", "SB001")]
    assert run("check", "a.yaml", "--write-baseline", "base.json", "--grow-baseline").code == 0
    assert entries() == [("a.yaml", "Extra", "SB001"), ("a.yaml", "Logs", "SB001")]


def test_what_is_mended_is_said_and_taken_out(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(MORE)
    run("check", "a.yaml", "--write-baseline", "base.json")
    (directory / "a.yaml").write_text(OPEN)
    outcome = run("check", "a.yaml", "--baseline", "base.json")
    assert outcome.code == 0
    assert "1 entries of the baseline `base.json` are no longer found" in outcome.err
    run("check", "a.yaml", "--write-baseline", "base.json")
    assert entries() == [("a.yaml", "Logs", "SB001")]
    (directory / "a.yaml").write_text(MORE)
    assert run("check", "a.yaml", "--baseline", "base.json").code == 1


def test_entries_of_templates_that_were_not_checked_stay(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(OPEN)
    (directory / "b.yaml").write_text(OPEN)
    run("check", ".", "--write-baseline", "base.json")
    outcome = run("check", "a.yaml", "--write-baseline", "base.json")
    assert outcome.code == 0
    assert [template for template, _, _ in entries()] == ["a.yaml", "b.yaml"]
    assert "no longer found" not in run("check", "a.yaml", "--baseline", "base.json").err


def test_template_that_was_moved_is_found_again_once(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(OPEN)
    run("check", ".", "--write-baseline", "base.json")
    (directory / "infra").mkdir()
    (directory / "a.yaml").rename("infra/a.yaml")
    assert run("check", ".", "--baseline", "base.json").code == 0
    (directory / "copy").mkdir()
    (directory / "copy" / "a.yaml").write_text(OPEN)
    # One finding was there before, and now there are two.
    assert run("check", ".", "--baseline", "base.json").code == 1
    (directory / "copy" / "a.yaml").unlink()
    run("check", ".", "--write-baseline", "base.json")
    assert entries() == [("infra/a.yaml", "Logs", "SB001")]


def test_copy_of_a_template_is_new(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(OPEN)
    run("check", ".", "--write-baseline", "base.json")
    (directory / "infra").mkdir()
    (directory / "infra" / "a.yaml").write_text(OPEN)
    assert run("check", ".", "--baseline", "base.json").code == 1


def test_constructs_are_named_by_their_paths(directory: Path, run: Run) -> None:
    write_assembly(directory / "cdk.out")
    run("check", "cdk.out", "--write-baseline", "base.json")
    assert ("cdk.out/Top.template.json", "Top/Logs/Resource", "SB001") in entries()
    template = directory / "cdk.out/Top.template.json"
    template.write_text(template.read_text().replace('"Logs"', '"LogsOfAnotherName"'))
    assert run("check", "cdk.out", "--baseline", "base.json").code == 0


def test_paths_start_from_the_baseline(directory: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (directory / "infra").mkdir()
    (directory / "infra" / "a.yaml").write_text(OPEN)
    run("check", ".", "--write-baseline", "base.json")
    monkeypatch.chdir(directory / "infra")
    assert run("check", "a.yaml", "--baseline", "../base.json").code == 0


def test_nothing_is_written_when_not_everything_was_read(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(OPEN)
    (directory / "b.yaml").write_text("AWS: [")
    outcome = run("check", ".", "--write-baseline", "base.json")
    assert outcome.code == 2
    assert "the baseline `base.json` is not written" in outcome.err
    assert not (directory / "base.json").exists()


def test_undecided_and_other_rules_can_stand_in_it_and_mistakes_in_exceptions_cannot(
    directory: Path, run: Run
) -> None:
    exception = "    Metadata: {SecureBucket: {Exceptions: [{Rule: SB001}]}}\n"
    (directory / "a.yaml").write_text(OPEN + exception)
    outcome = run("check", "a.yaml", "--write-baseline", "base.json")
    assert outcome.code == 1
    assert [rule for _, _, rule in entries()] == ["SB001"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "`base.json` cannot be read: No such file or directory"),
        ("{", "is not JSON"),
        ("[]", 'does not say `"schema": "secure-bucket/baseline/1"`'),
        ('{"schema": "secure-bucket/baseline/2", "findings": []}', "does not say"),
        ('{"schema": "secure-bucket/baseline/1"}', "has no list `findings`"),
        ('{"schema": "secure-bucket/baseline/1", "findings": [{}]}', "`findings[0]` does not have"),
        (
            '{"schema": "secure-bucket/baseline/1", "findings": '
            '[{"rule": "SB009", "template": "a", "resource": "b"}]}',
            "`findings[0]` is not a finding that a baseline can contain",
        ),
    ],
)
def test_baseline_that_is_none(directory: Path, run: Run, text: str | None, said: str) -> None:
    (directory / "a.yaml").write_text(SECURE)
    if text is not None:
        (directory / "base.json").write_text(text)
    outcome = run("check", "a.yaml", "--baseline", "base.json")
    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err
    if text is not None:
        # What cannot be read is not written over.
        assert run("check", "a.yaml", "--write-baseline", "base.json").code == 2
        assert (directory / "base.json").read_text() == text
