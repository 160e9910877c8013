"""`secure-bucket plan`: over real templates, an AWS that answers over HTTP, and real log files."""

from __future__ import annotations

import csv
import datetime
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

pytest.importorskip("boto3", reason="boto3 is not installed: pip install 'secure-bucket[aws]'")
pytest.importorskip("duckdb", reason="duckdb is not installed: pip install 'secure-bucket[audit]'")

from secure_bucket.policy.statements import deny_plain_http
from tests.cli.harness import OPEN, SECURE, Outcome
from tests.operations.audit.records import Record, http
from tests.operations.review.aws import ACCOUNT, Aws, bucket, forget_aws, reset, s3_error, serving

Command = Callable[..., Outcome]

NOW = datetime.datetime.now(datetime.timezone.utc)
ROLE = "arn:aws:sts::111122223333:assumed-role/batch/i-0abc"
DENY = deny_plain_http("arn:aws:s3:::{}")

APP = f"""\
Resources:
  Enforced:
    Type: AWS::S3::Bucket
    Properties: {{BucketName: enforced}}
  EnforcedPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Enforced
      PolicyDocument: {{Statement: [{json.dumps(DENY).replace("{}", "enforced")}]}}
  Closes:
    Type: AWS::S3::Bucket
  ClosesPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Closes
      PolicyDocument:
        Statement:
          - Effect: Deny
            Principal: "*"
            Action: s3:*
            Resource: [!GetAtt Closes.Arn, !Sub "${{Closes.Arn}}/*"]
            Condition: {{Bool: {{aws:SecureTransport: false}}}}
  Unrepaired:
    Type: AWS::S3::Bucket
    Properties: {{BucketName: unrepaired}}
  Reopens:
    Type: AWS::S3::Bucket
    Properties: {{BucketName: reopens}}
  Site:
    Type: AWS::S3::Bucket
    Properties: {{BucketName: site, WebsiteConfiguration: {{IndexDocument: index.html}}}}
  Unmatched:
    Type: AWS::S3::Bucket
"""
RESOURCES = {
    "StackResources": [
        {
            "StackName": "App",
            "StackId": f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/App/1a2b",
            "LogicalResourceId": "Closes",
            "PhysicalResourceId": "app-closes-1x2y",
            "ResourceType": "AWS::S3::Bucket",
            "ResourceStatus": "CREATE_COMPLETE",
        }
    ]
}


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    forget_aws(monkeypatch, tmp_path)
    monkeypatch.setenv("AWS_REGION", "us-east-1")


@pytest.fixture(scope="module")
def server() -> Iterator[Aws]:
    with serving() as aws:
        yield aws


@pytest.fixture
def aws(server: Aws) -> Iterator[Aws]:
    reset(server)
    yield server
    reset(server)


def days_of(record: Record, days: int = 41) -> Iterator[Record]:
    for day in range(days):
        yield replace(record, time=NOW - datetime.timedelta(days=day, hours=1))


def write_logs(file: str, *records: Record) -> None:
    Path(file).write_text("".join(f"{record.line}\n" for record in records))


@pytest.fixture
def everything(directory: Path, aws: Aws) -> Aws:
    """Templates, an account and logs that know the same buckets, and each some others."""
    bucket("enforced")
    bucket("reopens")
    for name in ("app-closes-1x2y", "unrepaired", "site", "unowned", "shared", "quiet"):
        bucket(name, None)
    (directory / "app.yaml").write_text(APP)
    (directory / "resources.json").write_text(json.dumps(RESOURCES))
    batch = replace(http(Record()), requester=ROLE, user_agent="old-agent/1.0")
    printer = replace(http(Record()), requester="-", user_agent="printer", address="203.0.113.9")
    write_logs(
        "access.log",
        *days_of(Record(bucket="app-closes-1x2y")),
        *days_of(Record(bucket="unrepaired")),
        *days_of(replace(batch, bucket="unowned"), 5),
        *days_of(replace(batch, bucket="shared"), 5),
        *days_of(replace(printer, bucket="shared"), 3),
        *days_of(Record(bucket="elsewhere"), 3),
    )
    return aws


WAVES = {
    "enforced": "enforced",
    "reopens": "now",
    "app-closes-1x2y": "now",
    "unrepaired": "now",
    "unowned": "clients",
    "shared": "clients",
    "elsewhere": "evidence",
    "quiet": "evidence",
    "Unmatched in app.yaml": "evidence",
    "site": "redesign",
}


def test_templates_an_account_and_logs_together(everything: Aws, run: Command) -> None:
    reports = ("--format", "text", "--format", "json", "--output", "plan.json", "--format", "csv")
    reports += ("--output", "plan.csv", "--format", "markdown", "--output", "plan.md")
    outcome = run(
        *("plan", "app.yaml", "--stack-resources", "resources.json", "--live"),
        *("--endpoint-url", everything.url, "--logs", "access.log", *reports),
    )
    assert outcome.err == ""
    assert outcome.code == 1
    document = json.loads(Path("plan.json").read_text())
    assert {each["label"]: each["wave"] for each in document["buckets"]} == WAVES
    assert document["run"]["exit_code"] == 1
    assert [move["frees"] for move in document["moves"]] == [["unowned"], ["shared"]]
    assert document["moves"][0]["clients"][0]["requester"] == ROLE
    assert document["moves"][1]["clients"][0]["address"] == "203.0.113.9"
    closes = next(each for each in document["buckets"] if each["label"] == "app-closes-1x2y")
    assert (closes["state"], closes["in_force"], closes["in_template"]) == ("closes", "refuted", "proven")
    assert closes["account"] == ACCOUNT
    unowned = next(each for each in document["buckets"] if each["label"] == "unowned")
    assert "put-bucket-policy" in unowned["actions"][-1]
    assert outcome.out.endswith(
        "10 buckets: 1 enforced, 3 safe now, 2 after clients have moved, 3 without evidence, 1 to redesign\n"
    )
    assert len(list(csv.DictReader(io.StringIO(Path("plan.csv").read_text())))) == 10
    assert "### Move 1: 1 client, which frees 1 bucket" in Path("plan.md").read_text()


def test_the_reports_of_the_three_commands_give_the_same_plan(everything: Aws, run: Command) -> None:
    now = run(
        *("plan", "app.yaml", "--stack-resources", "resources.json", "--live"),
        *("--endpoint-url", everything.url, "--logs", "access.log", "--format", "json"),
    )
    run("check", "app.yaml", "--format", "json", "--output", "check.json", "-q")
    run("review", "--endpoint-url", everything.url, "--format", "json", "--output", "review.json", "-q")
    run("audit", "access.log", "--format", "json", "--output", "audit.json", "-q")
    before = len(everything.seen)
    later = run(
        *("plan", "--check", "check.json", "--review", "review.json", "--audit", "audit.json"),
        *("--stack-resources", "app.yaml=resources.json", "--format", "json"),
    )
    assert (later.code, later.err) == (1, now.err)
    assert len(everything.seen) == before, "a plan of reports asks nobody"

    def essence(outcome: Outcome) -> list[object]:
        buckets = json.loads(outcome.out)["buckets"]
        return [{key: value for key, value in each.items() if key != "as_of"} for each in buckets]

    assert essence(later) == essence(now)


def test_logs_in_s3_are_read_as_the_account_is(directory: Path, aws: Aws, run: Command) -> None:
    bucket("reports", None)
    bucket("logs", None)
    lines = "".join(f"{record.line}\n" for record in days_of(Record(bucket="reports")))
    aws.client("s3").put_object(Bucket="logs", Key="s3/2027-03-01", Body=lines.encode())
    outcome = run("plan", "--live", "--endpoint-url", aws.url, "--logs", "s3://logs/s3/", "--format", "json")
    assert outcome.code == 1
    waves = {each["label"]: each["wave"] for each in json.loads(outcome.out)["buckets"]}
    assert waves == {"reports": "now", "logs": "evidence"}


def test_nothing_is_left_to_do(directory: Path, aws: Aws, run: Command) -> None:
    bucket("a-1")
    outcome = run("plan", "--live", "--endpoint-url", aws.url)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines()[0] == "wave 0, already enforced: 1 bucket"


def test_only_evidence_is_missing(directory: Path, aws: Aws, run: Command) -> None:
    bucket("a-1", None)
    outcome = run("plan", "--live", "--endpoint-url", aws.url)
    assert outcome.code == 3
    assert "no logs were given" in outcome.out


def test_a_bucket_that_cannot_be_read_makes_the_plan_not_whole(
    directory: Path, aws: Aws, run: Command
) -> None:
    bucket("a-1")
    bucket("denied")
    aws.answer("policy", "denied", s3_error(403, "AccessDenied"))
    outcome = run("plan", "--live", "--endpoint-url", aws.url)
    assert outcome.code == 2
    assert "error: " in outcome.out
    assert "`denied`" in outcome.out
    assert "so the plan is incomplete" in outcome.out
    assert "wave 0, already enforced: 1 bucket" in outcome.out


def test_copies_and_a_tolerance_count_for_logs(directory: Path, run: Command) -> None:
    found = days_of(Record(bucket="reports"))
    copied = replace(http(Record(bucket="reports", time=NOW)), operation="REST.COPY.OBJECT_GET")
    write_logs("access.log", *found, copied, Record(bucket="copies", time=NOW, operation="REST.COPY.OBJECT"))
    asked = ("plan", "--logs", "access.log", "--format", "csv")
    safe = [("--skip-copies",), ("--tolerate-unknown", "50%")]
    for options, told in [((), "cannot tell"), *((each, "safe") for each in safe)]:
        rows = csv.DictReader(io.StringIO(run(*asked, *options).out))
        assert [row["logs"] for row in rows if row["bucket"] == "reports"] == [told]


def test_a_log_that_is_cut_off_makes_nothing_safe(directory: Path, run: Command) -> None:
    import gzip

    write_logs("good.log", *days_of(Record(bucket="reports")))
    text = "".join(f"{record.line}\n" for record in days_of(Record(bucket="reports"), 2000)).encode()
    (directory / "cut.log.gz").write_bytes(gzip.compress(text)[:-2000])
    (directory / "app.yaml").write_text(
        SECURE.replace("AWS::S3::Bucket\n", "AWS::S3::Bucket\n    Properties: {BucketName: reports}\n", 1)
    )
    whole = run("plan", "app.yaml", "--logs", "good.log")
    assert whole.code == 1
    assert "wave 1, safe now: 1 bucket" in whole.out
    outcome = run("plan", "app.yaml", "--logs", "good.log", "--logs", "cut.log.gz")
    assert outcome.code == 2
    assert "wave 1" not in outcome.out
    assert "why: the logs cannot tell" in outcome.out


def test_a_template_that_cannot_be_read_makes_the_plan_not_whole(directory: Path, run: Command) -> None:
    (directory / "app.yaml").write_text(OPEN)
    (directory / "broken.yaml").write_text("Resources: [")
    outcome = run("plan", "app.yaml", "broken.yaml", "--format", "json", "-q")
    assert outcome.code == 2
    assert "broken.yaml" in outcome.err
    assert len(json.loads(outcome.out)["faults"]) == 1


def test_exceptions_of_the_settings_count(directory: Path, aws: Aws, run: Command) -> None:
    bucket("printers", None)
    (directory / "secure-bucket.toml").write_text(
        '[[exceptions]]\nrule = "SB001"\nbucket = "printers"\nreason = "the printers speak nothing else"\n'
    )
    outcome = run("plan", "--live", "--endpoint-url", aws.url)
    assert outcome.code == 0
    assert "an exception is granted: the printers speak nothing else" in outcome.out


def test_the_stack_of_an_assembly_tells_the_template(directory: Path, aws: Aws, run: Command) -> None:
    assembly = directory / "cdk.out"
    assembly.mkdir()
    for name in ("One", "App"):
        template = {"Resources": {"Closes": {"Type": "AWS::S3::Bucket"}}}
        (assembly / f"{name}.template.json").write_text(json.dumps(template))
    artifacts = {
        name: {
            "type": "aws:cloudformation:stack",
            "environment": "aws://unknown-account/unknown-region",
            "properties": {"templateFile": f"{name}.template.json", "stackName": name},
        }
        for name in ("One", "App")
    }
    (assembly / "manifest.json").write_text(json.dumps({"version": "48.0.0", "artifacts": artifacts}))
    (directory / "resources.json").write_text(json.dumps(RESOURCES))
    outcome = run("plan", "cdk.out", "--stack-resources", "resources.json", "--format", "json", "-q")
    named = {each["declarations"][0]["template"]: each["name"] for each in json.loads(outcome.out)["buckets"]}
    assert named == {"cdk.out/App.template.json": "app-closes-1x2y", "cdk.out/One.template.json": None}


def test_old_reports_are_warned_about(directory: Path, run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    (directory / "app.yaml").write_text(OPEN)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int((NOW - datetime.timedelta(days=30)).timestamp())))
    run("check", "app.yaml", "--format", "json", "--output", "check.json", "-q")
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    outcome = run("plan", "--check", "check.json")
    assert "warning: what is known of the templates is 30 days old" in outcome.out
    assert "30 days ago" in outcome.out
    young = run("plan", "--check", "check.json", "--maximum-age", "40d")
    assert "warning" not in young.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "there is nothing to plan from: give a PATH or --check, --live or --review, --logs or --audit"),
        (("",), "a PATH is empty"),
        (("--check", ""), "a --check is empty"),
        (("a.yaml", "--stack-resources", "a.yaml="), "a --stack-resources is empty"),
        (("a.yaml", "--stack-resources", "=a.json"), "a --stack-resources is empty"),
        (("a.yaml", "--check", "c.json"), "PATH and --check exclude each other"),
        (("--live", "--review", "c.json"), "--live and --review exclude each other"),
        (("--logs", "a.log", "--audit", "c.json"), "--logs and --audit exclude each other"),
        (("--logs", "a.log", "--stack-resources", "c.json"), "give a PATH or --check"),
        (
            ("a.yaml", "--profile", "audit"),
            "--profile is for requests to AWS: give --live",
        ),
        (("--audit", "c.json", "--since", "30d"), "--since is for the logs to read: give --logs as well"),
        (("a.yaml", "--until", "2027-01-01"), "--until is for the logs to read: give --logs as well"),
        (("--audit", "c.json", "--skip-copies"), "--skip-copies is for the logs to read"),
        (("--audit", "c.json", "--tolerate-unknown", "1%"), "--tolerate-unknown is for the logs to read"),
        (("--logs", "empty", "--since", "2027-02-01", "--until", "2027-01-01"), "must be before --until"),
        (("--check", "c.json", "--minimum-tls", "1.2"), "--minimum-tls cannot change the report of --check"),
        (("--review", "c.json", "--strict"), "give it to `secure-bucket review`"),
        (("--audit", "c.json", "--strict"), "--strict is for policies that `plan` judges itself"),
        (("-", "--logs", "-"), "standard input is either a template or a log"),
        (("--check", "none.json"), "`none.json` cannot be read: No such file or directory"),
        (("--check", "c.json"), "`c.json` is not a report of secure-bucket"),
        (
            ("--audit", "c.json", "--format", "json", "--output", "c.json"),
            "the report would overwrite `c.json`",
        ),
        (("a.yaml", "--format", "json", "--output", "a.yaml"), "would overwrite it"),
        (("a.yaml", "--stack-resources", "c.json"), "`c.json` is not a list of the resources of a stack"),
        (("--logs", "empty"), "nothing"),
        (
            ("--logs", "s3://b/p", "--profile", "a", "--profile", "b"),
            "`plan` reads logs in S3 as one identity, and you give several",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_words(
    arguments: tuple[str, ...], message: str, directory: Path, run: Command
) -> None:
    (directory / "a.yaml").write_text(OPEN)
    (directory / "c.json").write_text("{}")
    (directory / "empty").mkdir()
    outcome = run("plan", *arguments)
    assert outcome.code == 2
    assert message in outcome.err + outcome.out
    assert "Traceback" not in outcome.err
    assert (directory / "c.json").read_text() == "{}"


def test_an_audit_that_was_asked_less_is_not_enough(directory: Path, run: Command) -> None:
    (directory / "app.yaml").write_text(OPEN)
    write_logs("access.log", *days_of(Record(bucket="reports"), 20))
    run("audit", "access.log", "--minimum-window", "10d", "--format", "json", "--output", "audit.json", "-q")
    assert json.loads(Path("audit.json").read_text())["answer"] == {"outcome": "safe"}
    outcome = run("plan", "--audit", "audit.json")
    assert "the logs span 20 days, and 30 days are asked for" in outcome.out
    outcome = run("plan", "app.yaml", "--audit", "audit.json", "--minimum-tls", "1.2")
    assert outcome.code == 2
    assert "`audit.json` covers plain HTTP alone" in outcome.err
    run("audit", "access.log", "--minimum-tls", "1.2", "--format", "json", "--output", "audit.json", "-q")
    assert run("plan", "app.yaml", "--audit", "audit.json", "--minimum-tls", "1.2").code == 3


def test_a_stack_of_another_account_is_refused(directory: Path, aws: Aws, run: Command) -> None:
    (directory / "app.yaml").write_text(APP)
    (directory / "resources.json").write_text(json.dumps(RESOURCES).replace(ACCOUNT, "444455556666"))
    bucket("a-1")
    outcome = run(
        *("plan", "app.yaml", "--stack-resources", "resources.json"),
        *("--live", "--endpoint-url", aws.url),
    )
    assert outcome.code == 2
    assert f"is of account 444455556666, and the review is of {ACCOUNT}" in outcome.err


def test_two_reviews_of_one_account_are_refused(directory: Path, aws: Aws, run: Command) -> None:
    bucket("a-1")
    run("review", "--endpoint-url", aws.url, "--format", "json", "--output", "r.json", "-q")
    outcome = run("plan", "--review", "r.json", "--review", "r.json")
    assert outcome.code == 2
    assert "bucket `a-1` was reviewed twice" in outcome.err


def test_permissions_of_everything_that_is_asked_are_printed_and_nothing_is_asked(run: Command) -> None:
    outcome = run("plan", "--live", "--logs", "s3://logs/app/", "--show-permissions")
    assert outcome.code == 0
    both = json.loads(outcome.out)
    assert both.keys() == {"Review", "Logs"}
    assert "s3:GetBucketPolicy" in json.dumps(both["Review"])
    assert "s3:GetObject" in json.dumps(both["Logs"])
    assert json.loads(run("plan", "--live", "--show-permissions").out) == both["Review"]
    assert json.loads(run("plan", "--logs", "s3://logs/app/", "--show-permissions").out) == both["Logs"]
    role = ("--role-arn", "arn:aws:iam::111122223333:role/Audit")
    assert json.loads(run("plan", "--live", *role, "--show-permissions").out).keys() == {"Caller", "Role"}
    nothing = run("plan", "app.yaml", "--show-permissions")
    assert json.loads(nothing.out)["Statement"] == []
    assert "no permission is needed" in nothing.err


def test_the_help_states_the_waves_and_the_exit_codes(run: Command) -> None:
    text = run("plan", "--help").out
    for words in ("wave 4", "exit codes:", "3    only evidence is missing", "--stack-resources"):
        assert words in text
