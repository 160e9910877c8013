"""What templates, accounts and logs say, as values: built in as few words as a test needs."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from secure_bucket.findings.finding import Fault, Finding, GrantedException, JudgedBucket, Level, Report
from secure_bucket.findings.subject import Declared, Running
from secure_bucket.operations.audit.audit import (
    Answer,
    Audit,
    AuditedBucket,
    Breaks,
    CannotTell,
    ClientGroup,
    Key,
    Malformed,
    Safe,
    Trouble,
)
from secure_bucket.policy.request import Request
from secure_bucket.proof.verdict import Proven, Refuted, Undecided, Verdict
from secure_bucket.values.unknown import Place, Unknown

NOW = datetime.datetime(2027, 3, 1, 12, tzinfo=datetime.timezone.utc)
ACCOUNT = "111122223333"
TEMPLATE = "app.template.json"
REQUEST = Request("anonymous", "s3:GetObject", "arn:aws:s3:::reports/a", {"aws:SecureTransport": "false"})

PROVEN = Proven((0,))
REFUTED = Refuted(REQUEST, "there is no policy")
UNDECIDED = Undecided((Unknown("the parameter `Name` is not known", Place("/Resources", TEMPLATE, 3, 5)),))
VERDICTS: dict[str, Verdict | None] = {
    "proven": PROVEN,
    "refuted": REFUTED,
    "undecided": UNDECIDED,
    "none": None,
}
ANSWERS: dict[str, Answer | None] = {
    "safe": Safe(),
    "breaks": Breaks(1, 12),
    "cannot tell": CannotTell(("the logs span 3 days",)),
    "none": None,
}


def finding(bucket: JudgedBucket, rule: str, fix: str, level: Level = Level.ERROR) -> Finding:
    return Finding(bucket.subject, rule, level, f"bucket `{bucket.subject.label}` is found", fix, bucket.at)


def report_of(
    *buckets: JudgedBucket,
    websites: Iterable[str] = (),
    excepted: Iterable[str] = (),
    faults: Sequence[str] = (),
) -> Report:
    """Return a report on buckets, with the findings that the rules make of them.

    Args:
        buckets: The buckets.
        websites: The logical ids of those that are websites.
        excepted: The logical ids of those that somebody decided to live with.
        faults: What could not be checked.
    """
    found: list[Finding] = []
    exceptions = []
    for each in buckets:
        if not isinstance(each.verdict, Proven):
            rule = "SB001" if isinstance(each.verdict, Refuted) else "SB002"
            made = finding(each, rule, f"add the deny to `{each.subject.label}`")
            if each.subject.label in excepted:
                reason = "the old printers speak nothing else"
                exceptions.append(
                    GrantedException(
                        each.subject,
                        rule,
                        reason,
                        expires=datetime.date(2027, 6, 30),
                        findings=(made,),
                    )
                )
            else:
                found.append(made)
        if each.subject.label in websites:
            found.append(finding(each, "SB004", "serve it through CloudFront", Level.WARNING))
    return Report(
        buckets,
        tuple(found),
        tuple(dict.fromkeys(each.template for each in buckets if each.template)),
        exceptions=tuple(exceptions),
        faults=tuple(Fault("", message) for message in faults),
        accounts=tuple(dict.fromkeys(each.account for each in buckets if each.account)),
    )


def declared(
    verdict: Verdict,
    name: str = "reports",
    *,
    logical_id: str = "Reports",
    template: str = TEMPLATE,
    path: str = "",
    stack: str = "",
) -> JudgedBucket:
    at = Place(f"/Resources/{logical_id}", template, 4, 3)
    return JudgedBucket(Declared(logical_id, template, path, name, stack), verdict, at)


def running(
    verdict: Verdict, name: str = "reports", *, account: str = ACCOUNT, as_of: str = ""
) -> JudgedBucket:
    arn = f"arn:aws:s3:::{name}"
    return JudgedBucket(Running(name, arn, account, "eu-west-1", as_of), verdict)


def logged(answer: Answer, name: str = "reports", *, ended: int = 0, requests: int = 100) -> AuditedBucket:
    """Return what the logs say of a bucket; they ended so many days ago."""
    breaking = answer.requests if isinstance(answer, Breaks) else 0
    last = NOW - datetime.timedelta(days=ended, hours=1)
    first = last - datetime.timedelta(days=40)
    return AuditedBucket(name, answer, requests, requests - breaking, breaking, 0, 0, 0, first, last, 41, 0)


def group(
    bucket: str | None = "reports",
    requester: str | None = "arn:aws:iam::111122223333:role/Reader",
    user_agent: str | None = "curl/8",
    address: str | None = "192.0.2.3",
    requests: int = 12,
) -> ClientGroup:
    return ClientGroup(
        Trouble.BREAKS,
        "http",
        "",
        bucket,
        requester,
        user_agent,
        address,
        "REST.GET.OBJECT",
        "200",
        requests,
        1,
        NOW - datetime.timedelta(days=9),
        NOW - datetime.timedelta(days=2),
    )


def audit_of(
    *buckets: AuditedBucket, groups: Sequence[ClientGroup] = (), faults: Sequence[str] = ()
) -> Audit:
    return Audit(
        Safe(),
        buckets,
        tuple(groups),
        (),
        Malformed(),
        (),
        ("logs",),
        1,
        (),
        tuple(Fault("", message) for message in faults),
        None,
        30,
        (Key.BUCKET, Key.REQUESTER, Key.USER_AGENT, Key.ADDRESS, Key.OPERATION),
    )


def with_clients(needs: dict[str, Sequence[str]]) -> Audit:
    """Return an audit in which each bucket is asked over plain HTTP by some requesters, 10 times each."""
    groups = [
        group(bucket, requester, requests=10) for bucket, asking in needs.items() for requester in asking
    ]
    buckets = [
        logged(Breaks(len(asking), 10 * len(asking)), bucket, requests=1000)
        for bucket, asking in needs.items()
    ]
    return audit_of(*buckets, groups=groups)


def cut_off(audit: Audit, bucket: str) -> Audit:
    """Return an audit whose limit cut off the clients of a bucket."""
    return replace(audit, groups=tuple(group for group in audit.groups if group.bucket != bucket))
