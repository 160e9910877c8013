"""The text that a terminal shows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from secure_bucket.checks import check_template
from secure_bucket.findings.finding import Level, Report
from secure_bucket.formats import Run
from secure_bucket.formats.text import render
from secure_bucket.values.unknown import Place
from tests.formats.sample import FULL, RUN, finding, hostile_report


def test_a_finding_is_one_line_that_an_editor_can_jump_from() -> None:
    first = render(FULL, RUN).splitlines()[0]
    assert first == (
        "templates/app.yaml:10:13: SB001 error: bucket `Reports`: anyone can call `s3:ListBucket` "
        "over plain HTTP"
    )


def test_the_fix_and_the_line_of_the_program_stand_under_it() -> None:
    assert render(FULL, RUN).splitlines()[1:6] == [
        "  fix: use `SecureBucket`, or `enforce_ssl=True`",
        "  construct `App/Reports`",
        "  created at app.py:2:1",
        ' 2 |   s3.Bucket(stack, "Reports")',
        "   |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^",
    ]


def test_the_guilty_statement_is_marked_from_its_first_to_its_last_character() -> None:
    report = replace(FULL, findings=(replace(FULL.findings[0], created_at=None),))
    assert render(report, RUN).splitlines()[3:12] == [
        " 10 |             - Sid: DenyHttp",
        "    |  _____________^",
        " 11 | |             Effect: Deny",
        ' 12 | |             Principal: "*"',
        " 13 | |             Action: s3:*",
        " 14 | |             Resource: !Sub ${Reports.Arn}/*   # not the bucket",
        " 15 | |",
        " 16 | |             Condition: {Bool: {aws:SecureTransport: false}}",
        "    | |___________________________________________________________^",
    ]


def test_a_bucket_without_a_policy_is_marked_by_its_name() -> None:
    assert render(Report(findings=(finding(logical_id="Legacy"),)), RUN).splitlines()[2:4] == [
        " 18 |   Legacy:",
        "    |   ^^^^^^",
    ]


def test_a_long_statement_is_shortened_in_the_middle() -> None:
    text = "\n".join(["- a:"] + [f"    k{number}: 1" for number in range(40)] + ["end: 1"])
    place = Place("/a/b/c/0", "x", 1, 3)
    lines = render(Report(findings=(finding(place=place),)), Run(source={"x": text}.get)).splitlines()[2:-1]
    assert lines[0] == "   1 |   - a:"
    assert lines[8:] == [" ... | |", "  40 | |     k38: 1", "  41 | |     k39: 1", "     | |__________^"]


def test_the_last_line_starts_with_the_number_that_matters() -> None:
    assert render(FULL, RUN).splitlines()[-1] == (
        "Incomplete: 1 thing could not be checked; 1 of 4 buckets accepts plain HTTP, 1 other finding. "
        "4 buckets in 2 templates: 1 proven, 2 refuted, 1 undecided, 1 skipped; 1 exception in use; "
        "1 finding in the baseline; 1 fault that left something unchecked"
    )
    assert render(Report(), RUN) == (
        "Nothing was checked: no bucket was found. "
        "0 buckets in 0 templates: 0 proven, 0 refuted, 0 undecided, 0 skipped\n"
    )


def test_more_findings_than_a_screen_shows_are_grouped_by_file() -> None:
    report = replace(FULL, findings=tuple(finding(message=f"bucket {number}") for number in range(11)))
    lines = render(report, RUN).splitlines()
    assert lines[:2] == ["templates/app.yaml: 11 findings", "  2:3: SB001 error: bucket 0"]
    assert lines[12] == "note: one line for each finding; --verbose also shows fixes and statements"
    assert "  fix: use `SecureBucket`, or `enforce_ssl=True`" in render(report, RUN, verbose=True)
    coloured = render(report, RUN, colour=True, width=60)
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == render(report, RUN, width=60)


def test_exceptions_are_listed_with_reason_and_end() -> None:
    text = render(FULL, RUN)
    excepted = "  excepted, until 2027-03-31: The old scanner speaks no TLS, its replacement is ordered"
    assert f"{excepted} (metadata of the template)\n" in text
    assert "templates/other.json:4:5: expired exception: the exception for SB006 on `Gone`" in text
    assert ", which ended on 2026-01-31: Needed once\n" in text
    assert "  it is in the baseline\n" in text


def test_what_was_not_checked_and_not_judged_is_said() -> None:
    text = render(FULL, RUN)
    assert (
        "templates/bad.yaml: error: `templates/bad.yaml` is not UTF-8 text: save the file as UTF-8\n" in text
    )
    assert "skipped: `Express`: a directory bucket has no plain HTTP endpoint\n" in text
    assert "1 file ignored: no templates\n" in text


def test_more_is_listed_when_asked_for() -> None:
    text = render(FULL, RUN, verbose=True)
    assert "package.json: ignored: it has no `Resources`\n" in text
    assert "proven: bucket `Good`: every request over plain HTTP is denied\n" in text


def test_plain_text_has_no_colours_and_coloured_text_says_the_same() -> None:
    plain = render(FULL, RUN)
    coloured = render(FULL, RUN, colour=True)
    assert "\x1b" not in plain
    assert coloured != plain
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured).split() == plain.split()


@pytest.mark.parametrize("width", [1, 20, 60, 100])
def test_lines_follow_the_width_of_the_terminal(width: int) -> None:
    long = replace(FULL, findings=(finding(message="word " * 60, fix="fix " * 60),), faults=())
    lines = render(long, RUN, width=width).splitlines()
    unbroken = [line for line in lines if " " in line.strip()]
    assert max(map(len, unbroken)) <= max(width, 20)
    assert "".join(lines).count("word") == 60


@pytest.mark.parametrize("width", [40, 41, 60])
def test_marked_lines_fit_the_terminal(width: int) -> None:
    source = json.dumps({"a": {"b": "x" * 80, "c": "y" * 80}}, indent=2)
    report = Report(findings=(finding(place=Place("/a/b/c/0", "x", 2, 8)),))
    lines = render(report, Run(source={"x": source}.get), width=width).splitlines()
    marked = [line for line in lines if " |" in line]
    assert len(marked) == 6
    assert max(map(len, marked)) == width


def test_text_for_a_pipe_that_speaks_only_ascii_is_ascii() -> None:
    report = Report(findings=(finding(message="é — 桶… “x”"),))
    text = render(report, RUN, ascii_only=True)
    assert text.isascii()
    assert '\\xe9 - \\u6876... "x"' in text


def test_a_template_cannot_steer_the_terminal() -> None:
    for colour in (False, True):
        text = render(hostile_report(), RUN, colour=colour, verbose=True)
        left = re.sub(r"\x1b\[[\d;]*m", "", text).replace("\n", "") if colour else text.replace("\n", "")
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202e]", left)
        assert "\\x1b[31m" in text
        text.encode("utf-8")
        assert not any(line.startswith("::") for line in text.splitlines())


def test_wide_characters_and_tabs_keep_the_mark_in_its_place() -> None:
    source = '{"桶桶":\t{"a": [1, {"b": 2}]}}'
    place = Place("/a/b/c/d", "x", 1, source.index('{"b"') + 1)
    lines = render(Report(findings=(finding(place=place),)), Run(source={"x": source}.get)).splitlines()
    shown, mark = lines[2][5:], lines[3][5:]
    before = shown[: shown.index('{"b"')]
    assert mark.index("^") == len(before) + before.count("桶")
    assert mark.count("^") == len('{"b": 2}')


def test_a_source_that_has_changed_since_gives_no_excerpt() -> None:
    gone = replace(RUN, source={"templates/app.yaml": "short"}.get)
    assert "|" not in render(Report(findings=(finding(),)), gone)


def test_real_findings_are_shown_on_the_statement(tmp_path: Path) -> None:
    template = tmp_path / "t.json"
    template.write_text(
        """{"Resources": {
  "B": {"Type": "AWS::S3::Bucket"},
  "P": {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": "B"}, "PolicyDocument": {
    "Statement": [
      {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": {"Ref": "B"},
       "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    ]}}}}}""",
        encoding="utf-8",
    )
    text = render(
        check_template(template),
        Run(directory=str(tmp_path), source=lambda file: Path(file).read_text(encoding="utf-8")),
    )
    lines = text.splitlines()
    assert lines[0].startswith("t.json:5:7: SB001 error: bucket `B`: ")
    assert lines[2:6] == [
        ' 5 |         {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": {"Ref": "B"},',
        "   |  _______^",
        ' 6 | |        "Condition": {"Bool": {"aws:SecureTransport": "false"}}}',
        "   | |_______________________________________________________________^",
    ]
    assert lines[-1] == (
        "Failed: 1 of 1 bucket accepts plain HTTP. "
        "1 bucket in 1 template: 0 proven, 1 refuted, 0 undecided, 0 skipped"
    )


def test_levels_are_told_apart_without_colour() -> None:
    for level in Level:
        assert f" {level.value}: " in render(Report(findings=(finding(level=level),)), RUN)
