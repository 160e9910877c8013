"""Run `secure-bucket review`: review every bucket of the given accounts."""

from __future__ import annotations

import argparse
import datetime
import json
from typing import Any

from msgspec.structs import replace

from secure_bucket.cli.arguments.common import refuse_empty
from secure_bucket.cli.codes import PROVEN
from secure_bucket.cli.frame import frame_of
from secure_bucket.cli.output import Progress, to_stderr, to_stdout
from secure_bucket.cli.sessions import partition_of
from secure_bucket.errors import SecureBucketError
from secure_bucket.findings.comparison import compare_reports
from secure_bucket.findings.finding import Report
from secure_bucket.formats.summary import count
from secure_bucket.operations.aws.accounts import Scope
from secure_bucket.operations.aws.session import Access
from secure_bucket.operations.probe.probed_bucket import parse_bucket_name
from secure_bucket.operations.review.account_review import ReviewQuestion
from secure_bucket.operations.review.journal import MAX_AGE, Journal
from secure_bucket.operations.review.permissions import review_permissions
from secure_bucket.operations.review.review import review_accounts

__all__ = ["review_permissions_of", "review_report", "run", "scope_of"]


def run(arguments: argparse.Namespace) -> int:
    """Review the buckets and write the reports.

    Returns:
        The exit code.

    Raises:
        SecureBucketError: If the review cannot run.
    """
    refuse_empty(bucket=arguments.buckets, exclude=arguments.exclude)
    frame = frame_of(arguments)
    scope = scope_of(arguments)
    question = ReviewQuestion(
        tuple(dict.fromkeys(map(parse_bucket_name, arguments.buckets))),
        tuple(arguments.exclude),
        frame.claim.strict,
        frame.claim.minimum_tls,
        arguments.threads,
    )
    if arguments.show_permissions:
        needed = review_permissions_of(scope, question, arguments.aggregator)
        to_stdout(json.dumps(needed, indent=2) + "\n")
        return PROVEN
    earlier = None if arguments.compare is None else _earlier(arguments.compare)
    report = review_report(arguments, scope, question)
    words = (
        ("source", _source(arguments.aggregator)),
        *frame.words,
        *(("bucket", name) for name in question.buckets),
        *(("exclude", pattern) for pattern in question.exclude),
    )
    report = frame.claim.grant(report, frame.config)
    if earlier is not None:
        report = replace(report, comparison=compare_reports(earlier, report, arguments.compare))
    return frame.finish(report, arguments, words, whole=not (question.buckets or question.exclude))


def _earlier(file: str) -> Report:
    """Return the report of an earlier review.

    Raises:
        SecureBucketError: If the file cannot be read, or is not a review.
    """
    # Load in 5 ms together, which only --compare pays.
    from secure_bucket.formats.form import decode, read_bytes_of
    from secure_bucket.formats.json_format import report_of
    from secure_bucket.formats.report_form import ReportForm

    document = decode(read_bytes_of(file), ReportForm, file)
    if document.templates or not document.accounts:
        raise SecureBucketError(f"`{file}`, given as --compare, was not written by `review --format json`")
    return report_of(document)


def _source(aggregator: str | None) -> str:
    return "S3" if aggregator is None else f"AWS Config aggregator {aggregator}"


def scope_of(arguments: argparse.Namespace) -> Scope:
    """Return the accounts that the arguments select.

    Raises:
        SecureBucketError: If the arguments contradict each other.
    """
    refuse_empty(profile=arguments.profiles)
    if arguments.max_age is not None and arguments.resume is None:
        raise SecureBucketError("--max-age needs --resume FILE")
    if arguments.aggregator is not None and arguments.resume is not None:
        raise SecureBucketError("--aggregator reads everything in one query, so --resume cannot continue it")
    access = Access(
        region=arguments.region,
        endpoint_url=arguments.endpoint_url,
        ca_bundle=arguments.ca_bundle,
        connections=arguments.threads,
    )
    scope = Scope(
        access,
        tuple(arguments.profiles),
        tuple(arguments.role_arns),
        arguments.role_name,
        tuple(arguments.accounts),
        arguments.organization,
        tuple(arguments.skip_accounts),
        arguments.external_id,
    )
    if arguments.aggregator is None and not arguments.role_name and (scope.accounts or scope.organization):
        raise SecureBucketError(
            "--account and --organization need --role-name or --aggregator: give one of them as well"
        )
    scope.check()
    return scope


def review_report(arguments: argparse.Namespace, scope: Scope, question: ReviewQuestion) -> Report:
    """Return the report on the accounts, without the exceptions of the settings.

    Args:
        arguments: The arguments: `aggregator`, `resume`, `max_age`, `quiet`, and those that a journal names.
        scope: The accounts.
        question: The question to each account.

    Raises:
        SecureBucketError: If the review cannot run.
    """
    journal = _journal(arguments, question)
    try:
        with Progress(0, shown=not arguments.quiet, what="reviewed") as progress:
            question = replace(question, journal=journal, advance=progress)
            if arguments.aggregator is not None:
                # Loads in 12 ms.
                from secure_bucket.operations.review.aggregator import review_aggregator

                return review_aggregator(arguments.aggregator, scope, question)
            report = review_accounts(scope, question)
        if journal is not None and not report.faults:
            journal.finish()
        return report
    finally:
        if journal is not None:
            journal.close()
            if not arguments.quiet:
                _report_journal(journal)


def review_permissions_of(scope: Scope, question: ReviewQuestion, aggregator: str | None) -> dict[str, Any]:
    """Return the IAM policy that a review needs.

    Raises:
        LiveError: If the profile does not exist.
    """
    profile = scope.profiles[0] if scope.profiles else None
    partition = partition_of(replace(scope.access, profile=profile))
    return review_permissions(scope, question, aggregator, partition=partition)


def _journal(arguments: argparse.Namespace, question: ReviewQuestion) -> Journal | None:
    if arguments.resume is None:
        return None
    scope = {
        "--profile": arguments.profiles,
        "--role-arn": arguments.role_arns,
        "--role-name": arguments.role_name,
        "--account": arguments.accounts,
        "--organization": arguments.organization,
        "--endpoint-url": arguments.endpoint_url,
        "--bucket": list(question.buckets),
    }
    age = MAX_AGE if arguments.max_age is None else datetime.timedelta(hours=arguments.max_age)
    return Journal(arguments.resume, scope, age)


def _report_journal(journal: Journal) -> None:
    named = f"secure-bucket: the journal `{journal.file}`"
    if journal.finished_before:
        to_stderr(f"{named} belongs to a finished review: this review starts from the beginning")
    if journal.reused:
        oldest = f"{journal.oldest:%Y-%m-%dT%H:%M:%SZ}"
        to_stderr(
            f"{named} answered for {count(journal.reused, 'bucket')}; its oldest answer is from {oldest}"
        )
    if journal.stale:
        to_stderr(f"{named}: {count(journal.stale, 'answer')} too old, so the review asked S3 again")
