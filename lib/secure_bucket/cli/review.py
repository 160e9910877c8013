"""`secure-bucket review`: every bucket of the accounts that the arguments lead to."""

from __future__ import annotations

import argparse
import datetime
import json
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from secure_bucket.cli.arguments.common import baseline_of
from secure_bucket.cli.config import Config, config_of
from secure_bucket.cli.delivery import deliver, reports_of
from secure_bucket.cli.exits import PROVEN, exit_code, undecided_as_warnings
from secure_bucket.cli.output import Progress, to_stderr, to_stdout
from secure_bucket.cli.sessions import partition_of
from secure_bucket.errors import SecureBucketError
from secure_bucket.findings.finding import Report
from secure_bucket.formats.summary import count
from secure_bucket.operations.aws.accounts import Scope
from secure_bucket.operations.aws.session import Access
from secure_bucket.operations.probe.probed_bucket import bucket_named
from secure_bucket.operations.review.account_review import Question
from secure_bucket.operations.review.journal import MAX_AGE, Journal
from secure_bucket.operations.review.review import review_accounts

__all__ = ["review_permissions_of", "review_report", "run"]


class _Options(Struct, frozen=True):
    """The arguments, completed by the settings: what stands on the command line counts."""

    scope: Scope
    question: Question
    undecided_fails: bool
    baseline: str | None

    def words(self, aggregator: str | None) -> tuple[tuple[str, str], ...]:
        """Return what was asked for, for the reports."""
        minimum = self.question.minimum_tls
        return (
            ("source", "S3" if aggregator is None else f"AWS Config aggregator {aggregator}"),
            ("undecided", "error" if self.undecided_fails else "warn"),
            ("strict", "yes" if self.question.strict else "no"),
            ("minimum-tls", "not asked" if minimum is None else f"{minimum:g}"),
            *(("bucket", name) for name in self.question.buckets),
            *(("exclude", pattern) for pattern in self.question.exclude),
        )


def run(arguments: argparse.Namespace) -> int:
    """Review the buckets and write the reports.

    Returns:
        The exit code.

    Raises:
        SecureBucketError: If it cannot be done at all.
    """
    reports = reports_of(arguments.reports)
    config = config_of(arguments)
    options = _complete(arguments, config)
    options.scope.check()
    if arguments.show_permissions:
        to_stdout(json.dumps(_permissions(arguments, options), indent=2) + "\n")
        return PROVEN
    report = _review(arguments, config, options)
    if options.baseline is not None:
        from secure_bucket.cli.apply_baseline import against_baseline

        whole = not (arguments.buckets or arguments.exclude)
        report = against_baseline(report, arguments, options.baseline, whole=whole)
    if not options.undecided_fails:
        report = undecided_as_warnings(report)
    code = exit_code(report)
    deliver(report, reports, arguments, options.words(arguments.aggregator), code)
    return code


def review_report(arguments: argparse.Namespace, config: Config) -> Report:
    """Return the report on the accounts that the arguments lead to, with the exceptions of the settings.

    Args:
        arguments: The arguments, with those of this command.
        config: The settings.

    Raises:
        SecureBucketError: If it cannot be done at all.
    """
    options = _complete(arguments, config)
    options.scope.check()
    return _review(arguments, config, options)


def review_permissions_of(arguments: argparse.Namespace, config: Config) -> dict[str, Any]:
    """Return the IAM policy that a review with these arguments needs.

    Raises:
        SecureBucketError: If the arguments contradict each other.
    """
    options = _complete(arguments, config)
    options.scope.check()
    return _permissions(arguments, options)


def _complete(arguments: argparse.Namespace, config: Config) -> _Options:
    for name, values in (
        ("--profile", arguments.profiles),
        ("--bucket", arguments.buckets),
        ("--exclude", arguments.exclude),
    ):
        if "" in values:
            raise SecureBucketError(f"a {name} is empty: is a variable not set?")
    if arguments.max_age is not None and arguments.resume is None:
        raise SecureBucketError("--max-age is for --resume FILE: give that, too")
    if arguments.aggregator is not None and arguments.resume is not None:
        raise SecureBucketError("--aggregator asks everything at once: there is nothing to --resume")
    strict = config.strict if arguments.strict is None else arguments.strict
    minimum = config.minimum_tls if arguments.minimum_tls is None else arguments.minimum_tls
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
            "--account and --organization need --role-name or --aggregator: give that, too"
        )
    question = Question(
        tuple(dict.fromkeys(map(bucket_named, arguments.buckets))),
        tuple(arguments.exclude),
        bool(strict),
        minimum,
        arguments.threads,
    )
    undecided = arguments.undecided or config.undecided or "error"
    return _Options(scope, question, undecided == "error", baseline_of(arguments, config.baseline))


def _review(arguments: argparse.Namespace, config: Config, options: _Options) -> Report:
    report = _ask(arguments, options)
    return _grant(report, config, options) if config.exceptions else report


def _ask(arguments: argparse.Namespace, options: _Options) -> Report:
    journal = _journal(arguments)
    try:
        with Progress(0, shown=not arguments.quiet, what="reviewed") as progress:

            def advance(done: int, total: int) -> None:
                progress.total = total
                progress(done)

            question = replace(options.question, journal=journal, advance=advance)
            if arguments.aggregator is not None:
                from secure_bucket.operations.review.aggregator import review_aggregator

                return review_aggregator(arguments.aggregator, options.scope, question)
            report = review_accounts(options.scope, question)
        if journal is not None and not report.faults:
            journal.finish()
        return report
    finally:
        if journal is not None:
            journal.close()
            if not arguments.quiet:
                _tell(journal)


def _journal(arguments: argparse.Namespace) -> Journal | None:
    if arguments.resume is None:
        return None
    scope = {
        "--profile": arguments.profiles,
        "--role-arn": arguments.role_arns,
        "--role-name": arguments.role_name,
        "--account": arguments.accounts,
        "--organization": arguments.organization,
        "--endpoint-url": arguments.endpoint_url,
        "--bucket": arguments.buckets,
    }
    age = MAX_AGE if arguments.max_age is None else datetime.timedelta(hours=arguments.max_age)
    return Journal(arguments.resume, scope, age)


def _tell(journal: Journal) -> None:
    named = f"secure-bucket: the journal `{journal.file}`"
    if journal.finished_before:
        to_stderr(f"{named} was of a review that was finished: this one started anew")
    if journal.reused:
        oldest = f"{journal.oldest:%Y-%m-%dT%H:%M:%SZ}"
        to_stderr(f"{named} answered for {count(journal.reused, 'bucket')}; its oldest answer is of {oldest}")
    if journal.stale:
        to_stderr(f"{named}: {count(journal.stale, 'answer')} too old to count, so S3 was asked again")


def _grant(report: Report, config: Config, options: _Options) -> Report:
    from secure_bucket.cli.settings_exceptions import bucket_exceptions
    from secure_bucket.findings.exceptions import grant_exceptions

    unasked = () if options.question.minimum_tls is not None else ("SB006",)
    exceptions = bucket_exceptions(config, report)
    return grant_exceptions(report, exceptions, datetime.date.today(), unasked=unasked)


def _permissions(arguments: argparse.Namespace, options: _Options) -> dict[str, Any]:
    from secure_bucket.operations.review.permissions import review_permissions

    profile = options.scope.profiles[0] if options.scope.profiles else None
    partition = partition_of(replace(options.scope.access, profile=profile))
    return review_permissions(options.scope, options.question, arguments.aggregator, partition=partition)
