"""Reports in JSON, read back: what `check`, `review` and `audit` wrote before."""

from __future__ import annotations

import datetime
import os
from collections import Counter
from typing import Final

from msgspec.structs import replace
from typing_extensions import assert_never

from secure_bucket.findings.finding import Fault, Finding, GrantedException, JudgedBucket, Level, Report
from secure_bucket.findings.subject import Declared, Running, Subject
from secure_bucket.formats import json_format as reports
from secure_bucket.operations.audit import json_report as audits
from secure_bucket.operations.audit.audit import (
    Answer,
    Audit,
    AuditedBucket,
    Breaks,
    CannotTell,
    ClientGroup,
    Count,
    Key,
    Malformed,
    Safe,
    Trouble,
)
from secure_bucket.operations.audit.audit import Place as LogPlace
from secure_bucket.operations.plan.errors import RolloutError
from secure_bucket.operations.plan.members import Members, read_members
from secure_bucket.policy.request import Request
from secure_bucket.proof.verdict import Proven, Refuted, Undecided, Verdict
from secure_bucket.values.unknown import Place, Unknown

__all__ = ["read_audit", "read_check", "read_review"]

_OPTIONS: Final = {reports.SCHEMA: "--check or --review", audits.SCHEMA: "--audit"}


def read_check(file: str | os.PathLike[str]) -> Report:
    """Return the report that `secure-bucket check --format json` wrote.

    Args:
        file: The file.

    Raises:
        RolloutError: If it cannot be read, is something else, or holds no bucket.
    """
    document = _document(file, reports.SCHEMA, "check")
    report = _report(document)
    if report.accounts or any(isinstance(bucket.subject, Running) for bucket in report.buckets):
        raise RolloutError(f"`{document.file}` was written by `review`: give it with --review")
    return _not_empty(report, document)


def read_review(file: str | os.PathLike[str]) -> Report:
    """Return the report that `secure-bucket review --format json` wrote.

    Args:
        file: The file.

    Raises:
        RolloutError: If it cannot be read, is something else, or is of no account.
    """
    document = _document(file, reports.SCHEMA, "review")
    report = _report(document)
    if report.templates or any(isinstance(bucket.subject, Declared) for bucket in report.buckets):
        raise RolloutError(f"`{document.file}` was written by `check`: give it with --check")
    # That an account has no bucket is something to know about it.
    return report if report.accounts else _not_empty(report, document)


def read_audit(file: str | os.PathLike[str]) -> Audit:
    """Return the audit that `secure-bucket audit --format json` wrote.

    Args:
        file: The file.

    Raises:
        RolloutError: If it cannot be read, is something else, or knows no bucket.
    """
    document = _document(file, audits.SCHEMA, "audit")
    asked = document.object("asked")
    malformed = document.object("malformed")
    audit = Audit(
        _answer(document.object("answer")),
        tuple(map(_audited, document.objects("buckets"))),
        tuple(map(_group, document.objects("groups"))),
        tuple(
            (trouble, more)
            for trouble in Trouble
            if (more := document.object("more_groups").number(trouble.value))
        ),
        Malformed(
            malformed.number("lines"),
            tuple(
                LogPlace(place.text("file"), place.number("line"), place.text("why"))
                for place in malformed.objects("places")
            ),
        ),
        tuple(Count(each.text("what"), each.number("records")) for each in document.objects("passed_over")),
        asked.texts("sources"),
        document.number("files"),
        tuple((each.text("file"), each.text("why")) for each in document.objects("ignored")),
        tuple(Fault(each.text("file"), each.text("message")) for each in document.objects("faults")),
        asked.real("minimum_tls"),
        asked.number("minimum_window_days"),
        tuple(key for key in Key if key.value in asked.texts("group_by")),
        asked.time("since"),
        asked.time("until"),
    )
    _check_audit(audit, document)
    if not audit.buckets and not audit.faults:
        raise RolloutError(f"`{document.file}` knows no bucket: there was no request in the logs")
    return audit


def _check_audit(audit: Audit, document: Members) -> None:
    """Check that an audit does not say of a bucket what its own numbers deny."""
    names = Counter(bucket.name for bucket in audit.buckets)
    broken = {group.bucket for group in audit.groups if group.trouble is Trouble.BREAKS and group.bucket}
    for number, bucket in enumerate(audit.buckets):
        match bucket.answer:
            case Safe():
                wrong = bool(bucket.breaking or bucket.unknown) or bucket.name in broken
                wrong = wrong or not bucket.requests or bucket.first_seen is None or bucket.last_seen is None
            case Breaks():
                wrong = not bucket.breaking
            case CannotTell():
                wrong = bool(bucket.breaking)
            case _:
                assert_never(bucket.answer)
        at = f"`{document.file}`: `/buckets/{number}"
        if not bucket.name or names[bucket.name] > 1:
            raise RolloutError(f"{at}/name` is no name, or another one's too: was the file changed by hand?")
        if wrong:
            raise RolloutError(f"{at}/answer` is not what its numbers say: was the file changed by hand?")


def _document(file: str | os.PathLike[str], schema: str, command: str) -> Members:
    document = read_members(file)
    name = document.file
    found = document.values.get("schema")
    if found == schema:
        return document
    if isinstance(found, str) and found in _OPTIONS:
        raise RolloutError(f"`{name}` is of the form `{found}`: give it with {_OPTIONS[found]}")
    wanted = f"`secure-bucket {command} --format json --output FILE` writes one"
    if isinstance(found, str) and found.startswith("secure-bucket/"):
        raise RolloutError(f"`{name}` is of the form `{found}`, and not of `{schema}`: {wanted}")
    raise RolloutError(f"`{name}` is no report of secure-bucket, whose first member is `schema`: {wanted}")


def _not_empty(report: Report, document: Members) -> Report:
    if not report.buckets and not report.faults:
        raise RolloutError(f"`{document.file}` holds no bucket: there is nothing to plan from it")
    return report


def _report(document: Members) -> Report:
    # What was read just then is as old as the report.
    written = _time(document.object("run"), "finished_at")
    if not written and document.values.get("buckets"):
        raise RolloutError(
            f"`{document.file}`: `/run/finished_at` is not there, so nothing tells how old it is"
        )
    return Report(
        buckets=tuple(_judged(each, written) for each in document.objects("buckets")),
        findings=tuple(map(_finding, document.objects("findings"))),
        templates=document.texts("templates"),
        not_applicable=tuple(
            (_place(each.object("at")), each.text("name"), each.text("why"))
            for each in document.objects("skipped")
        ),
        exceptions=tuple(map(_exception, document.objects("exceptions"))),
        baselined=tuple(map(_finding, document.objects("baselined"))),
        faults=tuple(
            Fault(each.text("file"), each.text("message"), _place(each.object("at")))
            for each in document.objects("faults")
        ),
        accounts=document.texts("accounts"),
    )


def _judged(bucket: Members, written: str) -> JudgedBucket:
    subject = _subject(bucket)
    if isinstance(subject, Running):
        subject = replace(subject, region=bucket.text("region"), as_of=_time(bucket, "as_of") or written)
    else:
        subject = replace(subject, name=bucket.text("name"), stack=bucket.text("stack"))
    return JudgedBucket(subject, _verdict(bucket.object("verdict")), _place(bucket.object("at")))


def _subject(of: Members) -> Subject:
    if arn := of.text("arn"):
        return Running(arn.partition(":::")[2] or arn, arn, of.text("account"))
    return Declared(of.text("logical_id"), of.text("template"), of.text("construct_path"))


def _time(members: Members, key: str) -> str:
    members.time(key)
    return members.text(key)


def _verdict(verdict: Members) -> Verdict:
    outcome = verdict.text("outcome")
    if outcome == "proven":
        return Proven()
    if outcome == "refuted":
        request = verdict.object("request")
        context = request.object("context")
        return Refuted(
            Request(
                request.text("principal"),
                request.text("action"),
                request.text("resource"),
                {
                    key: context.texts(key) if isinstance(value, list) else context.text(key)
                    for key, value in context.values.items()
                },
            ),
            verdict.text("why"),
            _place(verdict.object("at")),
        )
    if outcome == "undecided":
        reasons = [
            Unknown(each.text("reason"), _place(each.object("at"))) for each in verdict.objects("reasons")
        ]
        return Undecided(tuple(reasons) or (Unknown("the report does not tell why"),))
    raise RolloutError(
        f"`{verdict.file}`: `{verdict.pointer}/outcome` is `{outcome}`, and neither proven, refuted nor "
        "undecided"
    )


def _finding(finding: Members) -> Finding:
    level = finding.text("level")
    if level not in {each.value for each in Level}:
        raise RolloutError(f"`{finding.file}`: `{finding.pointer}/level` is `{level}`, and no level")
    return Finding(
        _subject(finding),
        finding.text("rule"),
        Level(level),
        finding.text("message"),
        finding.text("fix"),
        _place(finding.object("at")),
    )


def _exception(granted: Members) -> GrantedException:
    expires = granted.text("expires")
    try:
        day = datetime.date.fromisoformat(expires) if expires else None
    except ValueError:
        raise RolloutError(
            f"`{granted.file}`: `{granted.pointer}/expires` is `{expires}`, and no day as 2027-03-01"
        ) from None
    return GrantedException(
        _subject(granted),
        granted.text("rule"),
        granted.text("reason"),
        _place(granted.object("at")),
        day,
        granted.truth("expired"),
        tuple(map(_finding, granted.objects("findings"))),
    )


def _place(at: Members) -> Place:
    return Place(at.text("pointer"), at.text("file"), at.number("line"), at.number("column"))


def _answer(answer: Members) -> Answer:
    outcome = answer.text("outcome")
    if outcome == "safe":
        return Safe()
    if outcome == "breaks":
        return Breaks(answer.number("clients"), answer.number("requests"))
    if outcome == "cannot-tell":
        return CannotTell(answer.texts("reasons"))
    raise RolloutError(
        f"`{answer.file}`: `{answer.pointer}/outcome` is `{outcome}`, and neither safe, breaks nor "
        "cannot-tell"
    )


def _audited(bucket: Members) -> AuditedBucket:
    return AuditedBucket(
        bucket.text("name"),
        _answer(bucket.object("answer")),
        bucket.number("requests"),
        bucket.number("https"),
        bucket.number("breaking"),
        bucket.number("refused"),
        bucket.number("unknown"),
        bucket.number("internal"),
        bucket.time("first_seen"),
        bucket.time("last_seen"),
        bucket.number("days"),
        bucket.number("data_events"),
    )


def _group(group: Members) -> ClientGroup:
    trouble, first, last = group.text("trouble"), group.time("first_seen"), group.time("last_seen")
    if trouble not in {each.value for each in Trouble} or first is None or last is None:
        raise RolloutError(f"`{group.file}`: `{group.pointer}` is no group of clients")

    def key(name: str) -> str | None:
        return group.text(name) if group.values.get(name) is not None else None

    return ClientGroup(
        Trouble(trouble),
        group.text("transport"),
        group.text("why"),
        key("bucket"),
        key("requester"),
        key("user_agent"),
        key("address"),
        key("operation"),
        group.text("status"),
        group.number("requests"),
        group.number("clients"),
        first,
        last,
    )
