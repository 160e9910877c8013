"""Run `secure-bucket audit`: find the clients that still use plain HTTP in the logs."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from secure_bucket.cli.arguments.common import refuse_empty
from secure_bucket.cli.codes import COULD_NOT_RUN, PROVEN, REFUTED, UNDECIDED
from secure_bucket.cli.delivery import deliver_document, reports_of, run_of
from secure_bucket.cli.output import Progress, to_stderr, to_stdout
from secure_bucket.cli.sessions import access_of, partition_of
from secure_bucket.errors import SecureBucketError
from secure_bucket.formats.summary import count
from secure_bucket.operations.audit import Audit, Breaks, CannotTell, Key, Question, Safe, audit_logs
from secure_bucket.operations.audit.sentences import verdict
from secure_bucket.operations.aws.session import Access, Session, open_session
from secure_bucket.values.never import assert_never

if TYPE_CHECKING:
    from secure_bucket.operations.audit.s3 import Location
    from secure_bucket.operations.audit.sql_tables import Stored

__all__ = ["audit_permissions_of", "audit_report", "run"]

_S3 = "s3://"
_WORTH_TELLING = 1_000_000_000


def run(arguments: argparse.Namespace) -> int:
    """Read the logs and write the reports.

    Returns:
        The exit code.

    Raises:
        SecureBucketError: If the audit cannot run.
    """
    reports = reports_of(arguments.reports)
    _check(arguments)
    if arguments.show_permissions:
        to_stdout(json.dumps(_permissions(arguments), indent=2) + "\n")
        return PROVEN
    if arguments.print_sql is not None:
        to_stdout(_sql(arguments))
        return PROVEN
    if arguments.athena:
        audit = _athena(arguments)
    else:
        access = access_of(arguments, connections=16)
        audit = audit_report(arguments.logs, _question(arguments), access, arguments)
    if audit is None:
        to_stderr("secure-bucket: the query did not run")
        return COULD_NOT_RUN
    code = _exit_code(audit, arguments)
    faults = [fault.message for fault in audit.faults]
    run = run_of(_words(arguments), code)
    deliver_document(audit, "audit", reports, arguments, run, faults=faults, notes=(verdict(audit),))
    return code


def _check(arguments: argparse.Namespace) -> None:
    refuse_empty(LOG=arguments.logs, bucket=arguments.buckets)
    access_of(arguments)
    if arguments.since is not None and arguments.until is not None and arguments.since >= arguments.until:
        raise SecureBucketError("--since must be before --until")
    if (arguments.athena or arguments.print_sql == "athena") and (
        len(arguments.logs) != 1 or not arguments.logs[0].startswith(_S3)
    ):
        raise SecureBucketError("Athena reads one `s3://BUCKET/PREFIX`: give it as the only LOG")
    _refuse_to_overwrite_logs(arguments)


def _refuse_to_overwrite_logs(arguments: argparse.Namespace) -> None:
    named = {os.path.realpath(log) for log in arguments.logs if not log.startswith(_S3)}
    for report in arguments.reports or ():
        if report.file is not None and os.path.realpath(report.file) in named:
            raise SecureBucketError(f"`{report.file}` is a log, and the report would overwrite it")


def audit_report(
    logs: Sequence[str], question: Question, access: Access, arguments: argparse.Namespace
) -> Audit:
    """Audit logs on this machine.

    Args:
        logs: The logs.
        question: The question to the logs.
        access: How to reach AWS, for logs in S3.
        arguments: The arguments: `memory`, `jobs` and `quiet`.

    Raises:
        SecureBucketError: If the audit cannot run.
    """
    stored = [log for log in logs if log.startswith(_S3)]
    session = open_session(access) if stored else None
    if session is not None and not arguments.quiet:
        _report_download(stored, session, question)
    # The number of files is unknown.
    with Progress(None, shown=not arguments.quiet, what="files read") as progress:
        return audit_logs(
            logs,
            buckets=question.buckets,
            since=question.since,
            until=question.until,
            minimum_tls=question.minimum_tls,
            group_by=question.keys,
            limit=question.limit,
            minimum_window=question.minimum_window,
            maximum_age=question.maximum_age,
            now=question.now,
            tolerated_unknown=question.tolerated_unknown,
            skip_copies=question.skip_copies,
            days=question.days,
            session=session,
            memory=arguments.memory,
            threads=arguments.jobs,
            progress=progress,
        )


def _report_download(logs: Sequence[str], session: Session, question: Question) -> None:
    """Report the size and the price of a large download from S3 before it starts."""
    # Loads in 9 ms, which only logs in S3 pay.
    from secure_bucket.operations.audit.s3 import download_of
    from secure_bucket.prices import EGRESS_GIGABYTE

    try:
        download = download_of(logs, session, since=question.since, until=question.until)
    except SecureBucketError:
        return  # The audit itself reports the error.
    if download.size < _WORTH_TELLING:
        return
    to_stderr(
        f"secure-bucket: reading {download.files:,} objects of {download.size / 1e9:,.1f} GB from S3: free "
        f"within the region, about {download.dollars:,.2f} US dollars from outside of AWS, if a GB costs "
        f"{EGRESS_GIGABYTE:g} (--athena reads them within AWS)"
    )


def _athena(arguments: argparse.Namespace) -> Audit | None:
    # Loads in 72 ms, which only Athena pays.
    from secure_bucket.operations.audit.athena import Athena, Estimate, audit_athena
    from secure_bucket.prices import ATHENA_TERABYTE

    if not arguments.yes and not (sys.stdin is not None and sys.stdin.isatty()):
        raise SecureBucketError(
            "an Athena query costs money, and nobody can confirm it without a terminal: give --yes"
        )

    def confirm(estimate: Estimate) -> bool:
        to_stderr(
            f"secure-bucket: Athena will read {estimate.files:,} files of {estimate.size / 1e9:,.3f} GB "
            f"below `{estimate.location}`: about {estimate.dollars:,.4f} US dollars and "
            f"{estimate.request_dollars:,.4f} for requests to S3 ({count(estimate.partitions, 'folder')}), "
            f"if a TB costs {ATHENA_TERABYTE:g}. The audit creates tables in the database "
            f"`{arguments.database}`, and drops them"
        )
        if arguments.yes:
            return True
        sys.stderr.write("run it? [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().casefold() in ("y", "yes")

    session = open_session(access_of(arguments, connections=16))
    athena = Athena(session, arguments.database, arguments.workgroup, arguments.output_location)
    return audit_athena(
        arguments.logs[0], _question(arguments), athena, stored=arguments.logs_are, confirm=confirm
    )


def _question(arguments: argparse.Namespace) -> Question:
    return Question(
        datetime.datetime.now(datetime.timezone.utc),
        tuple(dict.fromkeys(arguments.buckets)),
        arguments.since,
        arguments.until,
        arguments.minimum_tls,
        tuple(map(Key, arguments.group_by)),
        arguments.limit,
        arguments.minimum_window,
        arguments.maximum_age,
        arguments.tolerate_unknown,
        arguments.skip_copies,
        any(report.format == "html" for report in arguments.reports or ()),
    )


def _permissions(arguments: argparse.Namespace) -> dict[str, Any]:
    # Loads in 9 ms, most of it for S3.
    from secure_bucket.operations.audit.s3 import parse_location

    location = arguments.output_location
    return audit_permissions_of(
        arguments.logs,
        access_of(arguments),
        athena=(arguments.workgroup, arguments.database) if arguments.athena else None,
        results=None if location is None else parse_location(location),
    )


def audit_permissions_of(
    logs: Sequence[str],
    access: Access,
    *,
    athena: tuple[str, str] | None = None,
    results: Location | None = None,
) -> dict[str, Any]:
    """Return the IAM policy that an audit of logs needs.

    Args:
        logs: The logs.
        access: How to reach AWS.
        athena: The workgroup and the database of Athena; `None` without Athena.
        results: The location of the results of Athena.

    Raises:
        SecureBucketError: If a prefix is invalid.
    """
    # Loads in 9 ms, most of it for S3.
    from secure_bucket.operations.audit.permissions import audit_permissions
    from secure_bucket.operations.audit.s3 import parse_location

    locations = [parse_location(log) for log in logs if log.startswith(_S3)]
    if not locations:
        to_stderr("secure-bucket: these logs are on this machine: no permission is needed")
    return audit_permissions(
        locations,
        partition=partition_of(access),
        role_arn=access.role_arn,
        athena=athena,
        results=results,
    )


def _sql(arguments: argparse.Namespace) -> str:
    # Loads in 42 ms, which only --print-sql pays.
    from secure_bucket.operations.audit.athena_text import athena_sql, duckdb_sql

    question, stored = _question(arguments), cast("Stored", arguments.logs_are or "access")
    if arguments.print_sql == "duckdb":
        return duckdb_sql(stored, question)
    return athena_sql(stored, arguments.logs[0], arguments.database, question)


def _exit_code(audit: Audit, arguments: argparse.Namespace) -> int:
    if audit.faults:
        return COULD_NOT_RUN
    match audit.answer:
        case Safe():
            return PROVEN
        case Breaks():
            return REFUTED
        case CannotTell():
            return UNDECIDED if arguments.undecided == "error" else PROVEN
        case _:
            assert_never(audit.answer)


def _words(arguments: argparse.Namespace) -> tuple[tuple[str, str], ...]:
    minimum = arguments.minimum_tls
    return (
        ("undecided", arguments.undecided),
        ("minimum-tls", "not asked" if minimum is None else f"{minimum:g}"),
        ("minimum-window", f"{arguments.minimum_window}d"),
        ("maximum-age", f"{arguments.maximum_age}d"),
        ("tolerate-unknown", f"{100 * arguments.tolerate_unknown:g}%"),
        ("skip-copies", "yes" if arguments.skip_copies else "no"),
        ("group-by", ",".join(arguments.group_by)),
        ("limit", str(arguments.limit)),
        ("athena", "yes" if arguments.athena else "no"),
    )
