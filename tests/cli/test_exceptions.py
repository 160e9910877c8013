"""Exceptions: in the `Metadata` of a template, and in the settings."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from secure_bucket import check_template
from tests.cli.harness import OPEN, SECURE, UNDECIDED, Outcome

Run = Callable[..., Outcome]

TOMORROW = datetime.date.today() + datetime.timedelta(days=2)
YESTERDAY = datetime.date.today() - datetime.timedelta(days=2)


def metadata(*exceptions: str) -> str:
    listed = "".join(f"          - {each}\n" for each in exceptions)
    return f"    Metadata:\n      SecureBucket:\n        Exceptions:\n{listed}"


def check(run: Run, text: str, *arguments: str) -> Outcome:
    Path("a.yaml").write_text(text)
    return run("check", "a.yaml", *arguments)


def test_exception_with_a_reason_and_an_end(run: Run) -> None:
    outcome = check(run, OPEN + metadata(f"{{Rule: SB001, Reason: no TLS there, Expires: {TOMORROW}}}"))
    assert outcome.code == 0
    assert "a.yaml:2:3: SB001 accepted: bucket `Logs`" in outcome.out
    assert f"excepted, until {TOMORROW}: no TLS there" in outcome.out
    assert "0 proven, 1 refuted, 0 undecided, 0 skipped; 1 exception in use" in outcome.out


def test_what_is_excused_can_be_left_out_of_sarif(run: Run) -> None:
    excused = OPEN + metadata("{Rule: SB001, Reason: no TLS there}") + "  Extra: {Type: AWS::S3::Bucket}\n"
    check(run, excused, "--write-baseline", "base.json")
    known = excused + "  New: {Type: AWS::S3::Bucket}\n"

    def results(*arguments: str) -> list[tuple[str, bool]]:
        outcome = check(run, known, "--baseline", "base.json", "--format", "sarif", *arguments)
        assert outcome.code == 1
        (log,) = json.loads(outcome.out)["runs"]
        return [(each["message"]["text"].split("`")[1], "suppressions" in each) for each in log["results"]]

    assert sorted(results()) == [("Extra", True), ("Logs", True), ("New", False)]
    assert results("--omit-suppressed") == [("New", False)]


def test_exception_by_name_without_an_end(run: Run) -> None:
    assert check(run, OPEN + metadata("{Rule: plaintext-http, Reason: no TLS there}")).code == 0


def test_exception_that_has_expired_brings_the_finding_back(run: Run) -> None:
    outcome = check(run, OPEN + metadata(f"{{Rule: SB001, Reason: x, Expires: {YESTERDAY}}}"))
    assert outcome.code == 1
    assert f"a.yaml:7:13: SB008 error: `Logs`: the exception from SB001 expired on {YESTERDAY}" in outcome.out
    assert "SB001 error" in outcome.out


def test_exception_holds_on_its_last_day() -> None:
    template = {
        "Resources": {
            "Logs": {
                "Type": "AWS::S3::Bucket",
                "Metadata": {
                    "SecureBucket": {
                        "Exceptions": [{"Rule": "SB001", "Reason": "x", "Expires": "2027-03-01"}]
                    }
                },
            }
        }
    }
    last = datetime.date(2027, 3, 1)
    assert check_template(template, exceptions_as_of=last).findings == ()
    after = check_template(template, exceptions_as_of=last + datetime.timedelta(days=1))
    assert [finding.rule for finding in after.findings] == ["SB001", "SB008"]
    # Nobody who does not ask for them gets them.
    assert [finding.rule for finding in check_template(template).findings] == ["SB001"]


def test_exception_that_nothing_needs_is_a_warning(run: Run) -> None:
    on_bucket = SECURE.replace(
        "    Type: AWS::S3::Bucket\n", f"    Type: AWS::S3::Bucket\n{metadata('{Rule: SB001, Reason: x}')}"
    )
    outcome = check(run, on_bucket)
    assert outcome.code == 0
    assert "a.yaml:8:13: SB007 warning: `Reports`: the exception from SB001 is not needed" in outcome.out
    twice = OPEN + metadata("{Rule: SB001, Reason: x}", "{Rule: SB001, Reason: y}")
    assert "a.yaml:8:13: SB007 warning" in check(run, twice).out


def test_exception_from_another_rule_excuses_nothing(run: Run) -> None:
    outcome = check(run, UNDECIDED.replace(
        "    Type: AWS::S3::Bucket\n", f"    Type: AWS::S3::Bucket\n{metadata('{Rule: SB001, Reason: x}')}"
    ))  # fmt: skip
    assert outcome.code == 3
    assert "SB007 warning" in outcome.out


def test_exception_from_a_rule_that_was_not_asked_about(run: Run) -> None:
    text = OPEN + metadata("{Rule: SB001, Reason: x}", "{Rule: SB006, Reason: y}")
    assert "SB007" not in check(run, text).out
    assert check(run, text, "--minimum-tls", "1.2").code == 0


@pytest.mark.parametrize(
    ("exception", "said"),
    [
        ("{Rule: SB001}", "it has no `Reason`, in words"),
        ("{Rule: SB001, Reason: ' '}", "it has no `Reason`, in words"),
        ("{Rule: SB001, Reason: [x]}", "it has no `Reason`, in words"),
        ("{Rule: SB001, Reason: ...}", "it has no `Reason`, in words"),
        ('{Rule: SB001, Reason: "\\u200b"}', "it has no `Reason`, in words"),
        ("{Rule: SB001, Reason: until March 2031}", "its reason names the end `March`, which is not a day"),
        ("{Rule: SB001, Reason: x, Expires: 20310301}", "`Expires` is `20310301`, not a day"),
        ("{Rule: SB001, Reason: x, Expires: 2031-W09-1}", "`Expires` is `2031-W09-1`, not a day"),
        ("{Reason: x}", "it has no `Rule`"),
        ("{Rule: SB099, Reason: x}", "there is no rule `SB099`"),
        ("{Rule: SB007, Reason: x}", "there is no rule `SB007` that an exception can be granted from"),
        ("{Rule: SB001, Reason: x, Expires: soon}", "`Expires` is `soon`, not a day"),
        ("{Rule: SB001, Reason: x, Expires: 2027}", "`Expires` is `2027`, not a day"),
        ("{Rule: SB001, Reason: x, Until: 2027-01-01}", "`Until` is not one of `Rule`, `Reason`, `Expires`"),
        ("{Rule: SB001, Reasn: x}", "did you mean `Reason`?"),
        ("SB001", "it is not a mapping"),
    ],
)
def test_exception_that_is_none_excuses_nothing(run: Run, exception: str, said: str) -> None:
    outcome = check(run, OPEN + metadata(exception))
    assert outcome.code == 1
    assert "a.yaml:7:13: SB009 error: `Logs`: this exception is not granted" in outcome.out
    assert said in outcome.out
    assert "SB001 error" in outcome.out


@pytest.mark.parametrize("inner", ["{Exceptions: SB001}", "{Exception: []}", "[]", "null"])
def test_metadata_that_holds_no_list_of_exceptions(run: Run, inner: str) -> None:
    outcome = check(run, f"{OPEN}    Metadata: {{SecureBucket: {inner}}}\n")
    assert outcome.code == 1
    assert "SB009 error" in outcome.out


def test_exception_on_the_policy_of_a_bucket_that_is_elsewhere(run: Run) -> None:
    policy = """\
Resources:
  Access:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: somebody-elses
      PolicyDocument: {Statement: []}
"""
    assert check(run, policy).code == 1
    assert check(run, policy + metadata("{Rule: SB005, Reason: its owner denies it}")).code == 0


def configure(**exception: str) -> None:
    lines = "".join(f"{key.replace('_', '-')} = {value}\n" for key, value in exception.items())
    Path("secure-bucket.toml").write_text(f"[[exceptions]]\n{lines}")


def test_exception_in_the_settings(run: Run) -> None:
    configure(path='"*.yaml"', logical_id='"Logs"', rule='"SB001"', reason='"x"', expires=str(TOMORROW))
    outcome = check(run, OPEN)
    assert outcome.code == 0
    assert f"excepted, until {TOMORROW}: x" in outcome.out
    configure(path='"*.yaml"', logical_id='"Logs"', rule='"SB001"', reason='"x"', expires=f'"{YESTERDAY}"')
    outcome = check(run, OPEN)
    assert outcome.code == 1
    assert "secure-bucket.toml:1:1: SB008 error" in outcome.out
    configure(path='"*.yaml"', logical_id='"Lgos"', rule='"SB001"', reason='"x"')
    outcome = check(run, OPEN)
    assert outcome.code == 1
    assert "secure-bucket.toml:1:1: SB007 warning" in outcome.out
    # What is not checked now may need it.
    configure(path='"other/*.yaml"', logical_id='"Logs"', rule='"SB001"', reason='"x"')
    assert "SB007" not in check(run, OPEN).out


def test_exception_for_several_templates_is_used_if_one_needs_it(run: Run) -> None:
    for name, text in (("a", OPEN), ("b", OPEN), ("c", SECURE.replace("Reports", "Logs"))):
        Path(f"{name}.yaml").write_text(text)
    assert "Logs" in Path("c.yaml").read_text()
    configure(path='"*"', logical_id='"Logs"', rule='"SB001"', reason='"x"')
    outcome = run("check", ".")
    assert outcome.code == 0
    assert "SB007" not in outcome.out
    Path("a.yaml").unlink()
    Path("b.yaml").unlink()
    assert run("check", ".").out.count("SB007 warning") == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rule": '"SB1"'}, "there is no rule `SB1`"),
        ({"expires": "2027"}, "not a day"),
        ({"reason": '" "'}, "text"),
    ],
)
def test_wrong_exception_in_the_settings(run: Run, change: dict[str, str], said: str) -> None:
    exception = {"path": '"*"', "logical_id": '"Logs"', "rule": '"SB001"', "reason": '"x"'}
    configure(**(exception | change))
    outcome = check(run, OPEN)
    assert outcome.code == 2
    assert said in outcome.err


def test_every_report_lists_exceptions(run: Run, directory: Path) -> None:
    (directory / "a.yaml").write_text(OPEN + metadata("{Rule: SB001, Reason: the scanner speaks no TLS}"))
    for name in ("text", "json", "sarif", "junit", "html"):
        assert "the scanner speaks no TLS" in run("check", "a.yaml", "--format", name).out, name
    report = json.loads(run("check", "a.yaml", "--format", "json").out)
    assert report["exceptions"]


@pytest.mark.parametrize("expires", ["", f", Expires: {TOMORROW}"])
def test_the_end_in_a_reason_counts_in_a_template_too(run: Run, expires: str) -> None:
    outcome = check(run, OPEN + metadata(f"{{Rule: SB001, Reason: accepted until {YESTERDAY}{expires}}}"))
    assert outcome.code == 1
    assert f"the exception from SB001 expired on {YESTERDAY}" in outcome.out


def test_one_without_an_end_does_not_revive_one_that_has_expired(run: Run) -> None:
    expired = f"{{Rule: SB001, Reason: no TLS, Expires: {YESTERDAY}}}"
    for listed in ([expired, "{Rule: SB001, Reason: no TLS}"], ["{Rule: SB001, Reason: no TLS}", expired]):
        outcome = check(run, OPEN + metadata(*listed))
        assert outcome.code == 1
        assert "SB008 error" in outcome.out
        assert "SB001 error" in outcome.out
    renewed = f"{{Rule: SB001, Reason: no TLS, Expires: {TOMORROW}}}"
    assert "SB001 accepted" in check(run, OPEN + metadata(expired, renewed)).out
