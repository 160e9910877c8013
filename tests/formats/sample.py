"""One report with everything in it, and reports made from it."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from secure_bucket.checks.running_buckets import check_buckets
from secure_bucket.findings.finding import (
    ExceptionOrigin,
    Fault,
    Finding,
    GrantedException,
    JudgedBucket,
    Level,
    Report,
)
from secure_bucket.findings.running import PublicAccess, RunningBucket
from secure_bucket.findings.subject import Declared
from secure_bucket.formats import Run
from secure_bucket.policy.request import Request
from secure_bucket.policy.statements import deny_plain_http
from secure_bucket.proof.verdict import Proven, Refuted, Undecided
from secure_bucket.values.unknown import Place, Unknown

__all__ = [
    "FULL",
    "HOSTILE",
    "MODULES",
    "RUN",
    "RUNNING",
    "SOURCES",
    "bucket",
    "finding",
    "hostile_report",
    "node_file",
]

MODULES = Path(__file__).with_name("node_modules")
APP = "templates/app.yaml"
SOURCES = {
    APP: """Resources:
  Reports:
    Type: AWS::S3::Bucket
  ReportsPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Reports
      PolicyDocument:
        Statement:
          - Sid: DenyHttp
            Effect: Deny
            Principal: "*"
            Action: s3:*
            Resource: !Sub ${Reports.Arn}/*   # not the bucket

            Condition: {Bool: {aws:SecureTransport: false}}
          - Effect: Allow
  Legacy:
    Type: AWS::S3::Bucket
  Open:
    Type: AWS::S3::Bucket
  Good:
    Type: AWS::S3::Bucket
""",
    "app.py": 'stack = Stack(app, "App")\n  s3.Bucket(stack, "Reports")\n',
}
STATEMENT = Place("/Resources/ReportsPolicy/Properties/PolicyDocument/Statement/0", APP, 10, 13)
REQUEST = Request(
    "anonymous",
    "s3:ListBucket",
    "arn:aws:s3:::<Reports>",
    {"aws:SecureTransport": "false", "aws:PrincipalOrgPaths": ["o-1/r-1", "o-1/r-2"]},
)
RUN = Run(
    "1.2.3",
    datetime.datetime(2027, 3, 1, 13, 0, 0, tzinfo=datetime.timezone(datetime.timedelta(hours=1))),
    1,
    (("--minimum-tls", "1.3"), ("--strict", "no")),
    "/repo",
    source=SOURCES.get,
)


def at(logical_id: str) -> Place:
    """Return where a resource of the template is written."""
    lines = SOURCES[APP].split("\n")
    line = next((n for n, text in enumerate(lines, 1) if text == f"  {logical_id}:"), 0)
    return Place(f"/Resources/{logical_id}", APP, line, 3 if line else 0)


def finding(
    rule: str = "SB001",
    level: Level = Level.ERROR,
    logical_id: str = "Reports",
    message: str = "",
    fix: str = "use `SecureBucket`, or `enforce_ssl=True`",
    place: Place | None = None,
    construct_path: str = "",
    request: Request | None = REQUEST,
    parameters: tuple[tuple[str, str], ...] = (),
    created_at: Place | None = None,
) -> Finding:
    """Return a finding on the template."""
    said = message or f"bucket `{logical_id}`: anyone can call `s3:ListBucket` over plain HTTP"
    where = place or at(logical_id)
    subject = Declared(logical_id, APP, construct_path)
    return Finding(subject, rule, level, said, fix, where, request, parameters, created_at)


def bucket(logical_id: str, verdict: Proven | Refuted | Undecided, construct_path: str = "") -> JudgedBucket:
    """Return a bucket of the template."""
    return JudgedBucket(Declared(logical_id, APP, construct_path), verdict, at(logical_id))


REFUTED = Refuted(REQUEST, "statement `DenyHttp` covers only `arn:aws:s3:::<Reports>/*`", STATEMENT, 0)

FULL = Report(
    buckets=(
        bucket("Reports", REFUTED, "App/Reports/Resource"),
        bucket("Legacy", Refuted(REQUEST, "the bucket has no policy")),
        bucket("Open", Undecided((Unknown("the parameter `Arn` is not known", at("Open")),))),
        bucket("Good", Proven((0, 2))),
    ),
    findings=(
        finding(
            place=STATEMENT,
            construct_path="App/Reports/Resource",
            parameters=(("Stage", "prod"),),
            created_at=Place("", "app.py", 2, 1),
        ),
        finding("SB002", Level.WARNING, "Open", "bucket `Open`: cannot tell", request=None),
        finding("SB004", Level.NOTE, "Good", "bucket `Good`: its website speaks plain HTTP", request=None),
        finding("SB005", Level.ERROR, "Foreign", "policy `Foreign`: lets through", 'add {"Effect": "Deny"}'),
    ),
    templates=(APP, "templates/other.json"),
    not_applicable=((at("Good"), "Express", "a directory bucket has no plain HTTP endpoint"),),
    exceptions=(
        GrantedException(
            Declared("Legacy", APP),
            "SB001",
            "The old scanner speaks no TLS, its replacement is ordered",
            at("Legacy"),
            datetime.date(2027, 3, 31),
            findings=(finding(logical_id="Legacy"),),
        ),
        GrantedException(
            Declared("Gone", "templates/other.json"),
            "SB006",
            "Needed once",
            Place("/Resources/Gone", "templates/other.json", 4, 5),
            datetime.date(2026, 1, 31),
            True,
        ),
    ),
    baselined=(finding("SB006", Level.ERROR, "Good", "bucket `Good`: anyone can GET `a` over TLS 1.2"),),
    faults=(Fault("templates/bad.yaml", "`templates/bad.yaml` is not UTF-8 text: save the file as UTF-8"),),
    ignored=(("package.json", "it has no `Resources`"),),
)

HOSTILE = (
    '<script>document.title="owned"</script><img src=x onerror=\'document.title="owned"\'> & "quoted" ]]>'
    "\x00\x07\x1b[31m\x9b2J\u202egnp.exe \ud800 \ufffe 100% `:,::error::\r\n::set-output name=x::y"
)
"""A text with everything in it that some format gives a meaning to."""


def hostile_report() -> Report:
    """Return a report in which every text that a template can choose is hostile."""
    place = Place(f"/Resources/{HOSTILE}", HOSTILE, 1, 1)
    request = Request(HOSTILE, HOSTILE, HOSTILE, {HOSTILE: HOSTILE, "aws:PrincipalOrgPaths": [HOSTILE]})
    subject = Declared(HOSTILE, HOSTILE, HOSTILE)
    found = Finding(
        subject, "SB001", Level.ERROR, HOSTILE, HOSTILE, place, request, ((HOSTILE, HOSTILE),), place
    )
    verdicts = (Refuted(request, HOSTILE, place), Undecided((Unknown(HOSTILE, place),)), Proven())
    return Report(
        buckets=tuple(JudgedBucket(subject, verdict, place) for verdict in verdicts),
        findings=(found,),
        templates=(HOSTILE,),
        not_applicable=((place, HOSTILE, HOSTILE),),
        exceptions=(
            GrantedException(Declared(HOSTILE, HOSTILE), "SB001", HOSTILE, place, None, False, (found,)),
            GrantedException(Declared(HOSTILE, HOSTILE), "SB001", HOSTILE, place),
        ),
        baselined=(found,),
        faults=(Fault(HOSTILE, HOSTILE, place),),
        ignored=((HOSTILE, HOSTILE),),
    )


def node_file(path: str) -> Path:
    """Return a file of a package of npm; skip the test where the packages are not installed."""
    file = MODULES / path
    if not file.is_file():
        pytest.skip("`npm ci --prefix tests/formats` has not been run")
    return file


def _running() -> Report:
    """Return a report on buckets that run, in two accounts, with everything that can be said about them."""
    recorded = datetime.datetime(2027, 2, 28, 23, 30, tzinfo=datetime.timezone.utc)
    arn = "arn:aws:s3:::{}".format
    report = check_buckets(
        [
            RunningBucket(arn("open"), None, "111122223333", "eu-west-1", True, PublicAccess.BLOCKED),
            RunningBucket(
                arn("denies"),
                {"Version": "2012-10-17", "Statement": [deny_plain_http(arn("denies"))]},
                "111122223333",
                "us-east-1",
                as_of=recorded,
                recorded_by="AWS Config",
            ),
            RunningBucket(arn("unread"), Unknown("AWS Config recorded no policy"), "444455556666"),
            RunningBucket(arn("known"), {"Statement": []}, "444455556666"),
        ],
        minimum_tls_version=1.2,
    )
    last = [each for each in report.findings if each.subject.label == arn("known")]
    excepted = GrantedException(
        last[0].subject,
        "SB001",
        "It goes in March",
        findings=tuple(last[:1]),
        origin=ExceptionOrigin.SETTINGS,
    )
    return replace(
        report,
        findings=tuple(each for each in report.findings if each not in last),
        exceptions=(excepted,),
        baselined=tuple(last[1:]),
        faults=(Fault("", "bucket `closed` (account 111122223333) is not reviewed: access denied"),),
        not_applicable=((Place(), arn("gone"), "it was deleted while the review ran"),),
    )


RUNNING = _running()
"""A report on buckets that run."""
