"""`secure-bucket review`: the command on an AWS that answers over real HTTP."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("boto3", reason="boto3 is not installed: pip install 'secure-bucket[aws]'")

from secure_bucket.operations.review.journal import Journal
from secure_bucket.policy.statements import deny_plain_http
from tests.cli.harness import Outcome, command, environment, heed_interrupts
from tests.operations.review.aws import ACCOUNT, Aws, Request, bucket, forget_aws, reset, s3_error, serving
from tests.operations.review.test_aggregator import holds, record

Command = Callable[..., Outcome]


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


@pytest.fixture
def review(run: Command, aws: Aws) -> Command:
    return lambda *arguments: run("review", "--endpoint-url", aws.url, *arguments)


def test_all_proven(aws: Aws, review: Command) -> None:
    bucket("a-1")
    bucket("b-2", region="eu-west-1")
    outcome = review()
    assert outcome.code == 0
    assert outcome.out == (
        "Passed: 2 of 2 buckets deny plain HTTP. "
        "2 buckets in 1 account: 2 proven, 0 refuted, 0 undecided, 0 skipped\n"
    )
    assert outcome.err == ""


def test_an_account_without_buckets_lets_nothing_through(aws: Aws, review: Command) -> None:
    outcome = review()
    assert outcome.code == 0
    assert outcome.out.startswith("Nothing was checked: no bucket was found. 0 buckets in 1 account")


def test_an_open_bucket(aws: Aws, review: Command) -> None:
    bucket("open", None, region="eu-west-1")
    outcome = review()
    assert outcome.code == 1
    finding, fix, summary = outcome.out.splitlines()
    assert finding == (
        f"SB001 error: bucket `open` (account {ACCOUNT}, eu-west-1): anyone can GET `report.csv` over plain "
        "HTTP: the bucket has no policy; public access is not blocked"
    )
    assert fix.startswith(
        "  fix: it has no policy: look again with `aws s3api get-bucket-policy --bucket open`"
    )
    assert summary == (
        "Failed: 1 of 1 bucket accepts plain HTTP. "
        "1 bucket in 1 account: 0 proven, 1 refuted, 0 undecided, 0 skipped"
    )


def test_a_bucket_that_may_not_be_read_is_not_fine(aws: Aws, review: Command) -> None:
    bucket("closed")
    bucket("fine")
    aws.answer("policy", "closed", s3_error(403, "AccessDenied"))
    outcome = review("--quiet")
    assert outcome.code == 2
    assert outcome.err.startswith(
        f"secure-bucket: bucket `closed` (account {ACCOUNT}) is not reviewed: access denied"
    )


def policy(name: str, **changed: object) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": [deny_plain_http(f"arn:aws:s3:::{name}") | changed]}


def test_undecided(aws: Aws, review: Command) -> None:
    bucket("odd", policy("odd", Condition={"StringEquals": {"aws:SecureTransport": "false"}}))
    assert review().code == 3
    assert review("--undecided", "warn").code == 0


def test_strict(aws: Aws, review: Command) -> None:
    bucket("aws-star", policy("aws-star", Principal={"AWS": "*"}))
    assert review().code == 0
    assert review("--strict").code == 1


def test_a_minimum_tls_version(aws: Aws, review: Command) -> None:
    bucket("a-1")
    outcome = review("--minimum-tls", "1.2")
    assert (outcome.code, outcome.out[:11]) == (1, "SB006 error")


def test_only_some_buckets(aws: Aws, review: Command) -> None:
    bucket("a-1")
    bucket("open", None)
    assert review("--bucket", "a-1").code == 0
    assert review("--bucket", "a-1", "--bucket", "not-there").code == 2
    outcome = review("--exclude", "op*")
    assert outcome.code == 0
    assert "skipped: `arn:aws:s3:::open`: it is left out by --exclude" in outcome.out
    report = json.loads(review("--bucket", "a-1", "--exclude", "op*", "--format", "json").out)
    asked = [(each["name"], each["value"]) for each in report["run"]["options"]]
    assert asked[-2:] == [("bucket", "a-1"), ("exclude", "op*")]


def test_every_format_into_files(aws: Aws, review: Command, directory: Path) -> None:
    bucket("open", None)
    names = ("json", "sarif", "junit", "github", "html")
    outcome = review(*(word for name in names for word in ("--format", name, "--output", f"out.{name}")))
    assert (outcome.code, outcome.out) == (1, "")
    document = json.loads((directory / "out.json").read_text())
    assert document["accounts"] == [ACCOUNT]
    options = {each["name"]: each["value"] for each in document["run"]["options"]}
    assert options == {"source": "S3", "undecided": "error", "strict": "no", "minimum-tls": "not asked"}
    assert all((directory / f"out.{name}").stat().st_size for name in names)


def test_what_changed_since_an_earlier_review(aws: Aws, review: Command, directory: Path) -> None:
    bucket("closes", None)
    bucket("opens")
    assert review("--format", "json", "--output", "earlier.json").code == 1
    s3 = aws.client("s3")
    s3.put_bucket_policy(Bucket="closes", Policy=json.dumps(policy("closes")))
    s3.delete_bucket_policy(Bucket="opens")
    outcome = review("--compare", "earlier.json")
    assert outcome.code == 1
    assert "became open: bucket `arn:aws:s3:::opens` was proven and is refuted\n" in outcome.out
    assert "closed: bucket `arn:aws:s3:::closes` was refuted and is proven\n" in outcome.out
    assert re.search(r"since `earlier.json` of \S+Z: 1 became open, 1 closed, 0 unchanged\n", outcome.out)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "`earlier.json` cannot be read"),
        ("{", "`earlier.json` is not JSON"),
        ('{"schema": "secure-bucket/audit/1"}', "`earlier.json`"),
    ],
)
def test_an_earlier_review_that_is_none(
    review: Command, directory: Path, content: str | None, said: str
) -> None:
    if content is not None:
        (directory / "earlier.json").write_text(content)
    outcome = review("--compare", "earlier.json")
    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err


@pytest.mark.parametrize("format", ["asff", "ocsf"])
def test_findings_for_products(aws: Aws, review: Command, format: str) -> None:
    bucket("open", None)
    outcome = review("--format", format)
    assert outcome.code == 1
    assert len(json.loads(outcome.out)) == 1


def test_a_baseline_knows_buckets_by_account_and_arn(aws: Aws, review: Command, directory: Path) -> None:
    bucket("old", None)
    assert review("--write-baseline", "b.json").code == 0
    findings = json.loads((directory / "b.json").read_text())["findings"]
    assert findings == [{"rule": "SB001", "template": f"account {ACCOUNT}", "resource": "arn:aws:s3:::old"}]
    assert review("--baseline", "b.json").code == 0
    bucket("new", None)
    outcome = review("--baseline", "b.json")
    assert outcome.code == 1
    assert "`new`" in outcome.out.splitlines()[0]


def test_a_baseline_keeps_what_was_not_looked_at(
    aws: Aws, review: Command, run: Command, directory: Path
) -> None:
    bucket("old", None)
    bucket("older", None)
    review("--write-baseline", "b.json")
    known = json.loads((directory / "b.json").read_text())
    other = {"rule": "SB001", "template": "account 444455556666", "resource": "arn:aws:s3:::far"}
    (directory / "b.json").write_text(json.dumps(known | {"findings": [*known["findings"], other]}))
    before = (directory / "b.json").read_text()
    aws.client("s3").delete_bucket(Bucket="older")
    review("--bucket", "old", "--write-baseline", "b.json")
    assert json.loads((directory / "b.json").read_text()) == json.loads(before)
    (directory / "t.json").write_text('{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}')
    run("check", "t.json", "--write-baseline", "b.json")
    assert json.loads((directory / "b.json").read_text()) == json.loads(before)
    # Nobody narrowed this one: the bucket that is gone is taken out.
    review("--write-baseline", "b.json")
    left = {each["resource"] for each in json.loads((directory / "b.json").read_text())["findings"]}
    assert left == {"arn:aws:s3:::old", "arn:aws:s3:::far"}


EXCEPTION = """
[[exceptions]]
bucket = "legacy"
account = "{account}"
rule = "SB001"
reason = "The old scanner speaks no TLS"
expires = {expires}
"""


def test_an_exception_in_the_settings(aws: Aws, review: Command, directory: Path) -> None:
    bucket("legacy", None)
    settings = directory / "secure-bucket.toml"
    settings.write_text(EXCEPTION.format(account=ACCOUNT, expires="2999-01-01"))
    outcome = review()
    assert outcome.code == 0
    assert "SB001 accepted: bucket `legacy`" in outcome.out
    settings.write_text(EXCEPTION.format(account=ACCOUNT, expires="2020-01-01"))
    outcome = review()
    assert outcome.code == 1
    assert "SB008" in outcome.out
    settings.write_text(EXCEPTION.format(account="444455556666", expires="2999-01-01"))
    outcome = review()
    assert outcome.code == 1
    assert "SB007" not in outcome.out


def test_an_exception_that_nothing_needs(aws: Aws, review: Command, directory: Path) -> None:
    bucket("other")
    (directory / "secure-bucket.toml").write_text(EXCEPTION.format(account=ACCOUNT, expires="2999-01-01"))
    outcome = review()
    assert outcome.code == 0
    assert "SB007 warning: `legacy`" in outcome.out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('bucket = "a-1"\nrule = "SB001"', "has no `reason`"),
        ('account = "1"\nrule = "SB001"\nreason = "r"', "has no `bucket`"),
        ('bucket = "a-1"\npath = "t"\nrule = "SB001"\nreason = "r"', "write two exceptions"),
        ('bucket = "a-1"\nrule = "SB099"\nreason = "r"', "there is no rule `SB099`"),
    ],
)
def test_an_exception_that_is_none(
    aws: Aws, review: Command, directory: Path, text: str, message: str
) -> None:
    bucket("a-1")
    (directory / "secure-bucket.toml").write_text(f"[[exceptions]]\n{text}\n")
    outcome = review()
    assert outcome.code == 2
    assert message in outcome.err


def test_a_review_that_was_broken_off_goes_on(aws: Aws, review: Command, directory: Path) -> None:
    for number in range(8):
        bucket(f"b-{number}", None if number == 3 else "ok")
    aws.answer("policy", "b-6", s3_error(403, "AccessDenied"))
    assert review("--resume", "j.jsonl").code == 2
    asked = aws.count("policy")
    aws.rules.clear()
    outcome = review("--resume", "j.jsonl")
    assert outcome.code == 1
    assert "8 buckets in 1 account: 7 proven, 1 refuted" in outcome.out
    assert aws.count("policy") == asked + 1
    assert re.search(
        r"the journal `j.jsonl` answered for 7 buckets; its oldest answer is from 20\d\d-", outcome.err
    )
    assert "; as it was read at 20" in outcome.out
    # That one is finished, and what it says is history.
    outcome = review("--resume", "j.jsonl")
    assert "belongs to a finished review: this review starts from the beginning" in outcome.err
    assert aws.count("policy") == asked + 1 + 8


def test_the_journal_of_another_review(aws: Aws, review: Command, directory: Path) -> None:
    bucket("a-1")
    bucket("b-2")
    Journal("j.jsonl", {"--bucket": ["b-2"]}).close()
    outcome = review("--resume", "j.jsonl", "--bucket", "a-1")
    assert outcome.code == 2
    assert "belongs to another review (it differs in " in outcome.err


def test_an_aggregator(aws: Aws, review: Command) -> None:
    holds(aws, record("denies"), record("open", None))
    outcome = review("--aggregator", "org", "--verbose")
    assert outcome.code == 1
    assert "; as AWS Config recorded it at 2026-11-20T10:00:00Z" in outcome.out
    assert "is denied, as of 2026-11-20T10:00:00Z" in outcome.out
    assert aws.count("policy") == 0


def test_permissions_are_printed_and_nothing_is_asked(aws: Aws, review: Command) -> None:
    outcome = review("--show-permissions", "--region", "cn-north-1", "--bucket", "a-1")
    assert outcome.code == 0
    policy = json.loads(outcome.out)
    assert policy["Version"] == "2012-10-17"
    assert policy["Statement"][0]["Resource"] == ["arn:aws-cn:s3:::a-1"]
    roles = json.loads(review("--show-permissions", "--role-name", "A", "--account", ACCOUNT).out)
    assert sorted(roles) == ["Caller", "Role"]
    assert not aws.seen


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--account", ACCOUNT), "--account and --organization need --role-name or --aggregator"),
        (("--organization",), "--account and --organization need --role-name or --aggregator"),
        (("--profile", ""), "a --profile is empty"),
        (("--bucket", ""), "a --bucket is empty"),
        (("--bucket", "a b"), "`a b` is not the name of a bucket"),
        (("--max-age", "3"), "--max-age needs --resume FILE"),
        (("--aggregator", "a", "--resume", "f"), "--resume cannot continue it"),
        (("--external-id", "x"), "--external-id is for a role"),
        (("--profile", "nobody"), "there is no profile `nobody`"),
        (("--role-arn", "Audit"), "`Audit` is not the ARN of a role"),
        (("--resume", "no/such/file"), "the journal `no/such/file` cannot be used"),
        (("--ca-bundle", "none.pem"), "`none.pem`, given as --ca-bundle, is not there"),
        (("--endpoint-url", "nowhere"), "`nowhere`, given as --endpoint-url"),
        (("--endpoint-url", "http://127.0.0.1:9"), "nothing answers at `http://127.0.0.1:9/`"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    aws: Aws, review: Command, arguments: tuple[str, ...], message: str
) -> None:
    outcome = review(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    (line,) = outcome.err.splitlines()
    assert message in line


def test_no_credentials(aws: Aws, review: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    outcome = review()
    assert outcome.code == 2
    assert outcome.err.startswith("secure-bucket: there are no AWS credentials: give --profile NAME")


def test_no_region(aws: Aws, review: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    outcome = review()
    assert outcome.code == 2
    assert outcome.err.startswith("secure-bucket: there is no AWS region: give --region NAME")


def test_in_a_process_of_its_own(aws: Aws, process: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    bucket("open", None)
    outcome = process("review", "--endpoint-url", aws.url, env=environment())
    assert outcome.returncode == 1
    assert outcome.stdout.startswith("SB001 error: bucket `open`")
    assert outcome.stderr == ""


@pytest.mark.skipif(os.name == "nt", reason="interrupts are signals")
def test_an_interrupted_review_goes_on(
    aws: Aws, process: Callable[..., subprocess.CompletedProcess[str]], directory: Path
) -> None:
    for number in range(60):
        bucket(f"b-{number:02}")

    def slowly(request: Request) -> None:
        time.sleep(0.1 if request.operation == "policy" else 0)

    aws.rules.append(slowly)
    words = ("review", "--endpoint-url", aws.url, "--threads", "2", "--resume", "j.jsonl")
    with subprocess.Popen(
        command(*words),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    ) as running:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and aws.count("website") < 5:
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        out, _ = running.communicate(timeout=30)
    assert (running.returncode, out) == (130, "")
    known = len((directory / "j.jsonl").read_text().splitlines()) - 1
    assert 5 <= known < 60
    aws.rules.clear()
    asked = aws.count("policy")
    outcome = process(*words, env=environment())
    assert (outcome.returncode, outcome.stdout[:11]) == (0, "Passed: 60 ")
    assert aws.count("policy") == asked + 60 - known
