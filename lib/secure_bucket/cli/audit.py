"""`secure-bucket audit`: who still uses plain HTTP, told by the logs."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import assert_never

from secure_bucket.cli.arguments.common import ReportTo
from secure_bucket.cli.delivery import deliver_in, reports_of, run_of
from secure_bucket.cli.exits import COULD_NOT_RUN, PROVEN, REFUTED, UNDECIDED
from secure_bucket.cli.output import Progress, to_stderr, to_stdout
from secure_bucket.cli.sessions import access_of, partition_of
from secure_bucket.errors import SecureBucketError
from secure_bucket.formats.run import Run
from secure_bucket.operations.audit import Audit, Breaks, CannotTell, Key, Question, Safe, audit_logs
from secure_bucket.operations.audit.sentences import verdict
from secure_bucket.operations.aws.session import Session, open_session

if TYPE_CHECKING:
    from secure_bucket.operations.audit.tables import Stored

__all__ = ["audit_permissions_of", "audit_report", "run"]

_S3 = "s3://"


def run(arguments: argparse.Namespace) -> int:
    """Read the logs and write the reports.

    Returns:
        The exit code.

    Raises:
        SecureBucketError: If it cannot be done at all.
    """
    reports = reports_of(arguments.reports)
    _check(arguments)
    if arguments.show_permissions:
        to_stdout(json.dumps(audit_permissions_of(arguments), indent=2) + "\n")
        return PROVEN
    if arguments.print_sql is not None:
        to_stdout(_sql(arguments))
        return PROVEN
    audit = _athena(arguments) if arguments.athena else audit_report(arguments)
    if audit is None:
        to_stderr("secure-bucket: nothing was run")
        return COULD_NOT_RUN
    code = _exit_code(audit, arguments)
    _deliver(audit, arguments, run_of(_words(arguments), code), reports)
    return code


def _check(arguments: argparse.Namespace) -> None:
    if "" in arguments.logs:
        raise SecureBucketError("a LOG is empty: is a variable not set?")
    if "" in arguments.buckets:
        raise SecureBucketError("a --bucket is empty: is a variable not set?")
    access_of(arguments)
    if arguments.since is not None and arguments.until is not None and arguments.since >= arguments.until:
        raise SecureBucketError("--since has to lie before --until")
    if (arguments.athena or arguments.print_sql == "athena") and (
        len(arguments.logs) != 1 or not arguments.logs[0].startswith(_S3)
    ):
        raise SecureBucketError("Athena reads one `s3://BUCKET/PREFIX`: give that as the only LOG")
    _spare_the_logs(arguments)


def _spare_the_logs(arguments: argparse.Namespace) -> None:
    named = {os.path.realpath(log) for log in arguments.logs if not log.startswith(_S3)}
    for report in arguments.reports or ():
        if report.file is not None and os.path.realpath(report.file) in named:
            raise SecureBucketError(f"`{report.file}` is a log, and would be written over")


def audit_report(arguments: argparse.Namespace) -> Audit:
    """Return the audit of the logs that the arguments lead to, made on this machine.

    Args:
        arguments: The arguments, with those of this command.

    Raises:
        SecureBucketError: If it cannot be done at all.
    """
    session = _session(arguments) if any(log.startswith(_S3) for log in arguments.logs) else None
    question = _question(arguments)
    # Nobody knows how many files there are.
    with Progress(None, shown=not arguments.quiet, what="files read") as progress:
        return audit_logs(
            arguments.logs,
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
            session=session,
            memory=arguments.memory,
            threads=arguments.jobs,
            progress=progress,
        )


def _athena(arguments: argparse.Namespace) -> Audit | None:
    from secure_bucket.operations.audit.athena import PRICE_PER_TB, Athena, Estimate, audit_athena

    if not arguments.yes and not (sys.stdin is not None and sys.stdin.isatty()):
        raise SecureBucketError(
            "a query of Athena costs money, and there is no terminal to ask at: give --yes"
        )

    def confirm(estimate: Estimate) -> bool:
        to_stderr(
            f"secure-bucket: Athena will read {estimate.files:,} files of {estimate.size / 1e9:,.3f} GB "
            f"below `{estimate.location}`: about {estimate.dollars:,.4f} US dollars, if a TB costs "
            f"{PRICE_PER_TB:g}. A table is made in the database `{arguments.database}`, and dropped"
        )
        if arguments.yes:
            return True
        sys.stderr.write("run it? [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().casefold() in ("y", "yes")

    athena = Athena(_session(arguments), arguments.database, arguments.workgroup, arguments.output_location)
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
    )


def _session(arguments: argparse.Namespace) -> Session:
    return open_session(access_of(arguments, connections=16))


def audit_permissions_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the IAM policy that an audit with these arguments needs.

    Raises:
        SecureBucketError: If a prefix is none.
    """
    from secure_bucket.operations.audit.permissions import audit_permissions
    from secure_bucket.operations.audit.s3 import parse_location

    locations = [parse_location(log) for log in arguments.logs if log.startswith(_S3)]
    if not locations:
        to_stderr("secure-bucket: these logs lie on this machine, so nobody has to allow anything")
    results = None if arguments.output_location is None else parse_location(arguments.output_location)
    return audit_permissions(
        locations,
        partition=partition_of(access_of(arguments)),
        role_arn=arguments.role_arn,
        athena=(arguments.workgroup, arguments.database) if arguments.athena else None,
        results=results,
    )


def _sql(arguments: argparse.Namespace) -> str:
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
        ("group-by", ",".join(arguments.group_by)),
        ("limit", str(arguments.limit)),
        ("athena", "yes" if arguments.athena else "no"),
    )


def _deliver(audit: Audit, arguments: argparse.Namespace, run: Run, reports: Sequence[ReportTo]) -> None:
    def text(**options: Any) -> str:
        from secure_bucket.operations.audit.text_report import render

        return render(audit, **options)

    def render(format: str, run: Run) -> str:
        from secure_bucket.operations.audit import csv_report, json_report

        formats = {"csv": csv_report.render, "json": json_report.render}
        return formats[format](audit, run)

    faults = [fault.message for fault in audit.faults]
    deliver_in(reports, arguments, run, text=text, render=render, faults=faults, notes=(verdict(audit),))
