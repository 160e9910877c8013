"""Run `secure-bucket plan`: plan the order of enforcement from templates, accounts and logs."""

from __future__ import annotations

import argparse
import datetime
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from secure_bucket.checks.find_targets import STDIN
from secure_bucket.cli.arguments.common import ReportTo, refuse_empty
from secure_bucket.cli.audit import audit_permissions_of, audit_report
from secure_bucket.cli.check import check_options, check_report
from secure_bucket.cli.codes import COULD_NOT_RUN, PROVEN, REFUTED, UNDECIDED
from secure_bucket.cli.config import Config, config_of
from secure_bucket.cli.delivery import deliver_document, reports_of, run_of
from secure_bucket.cli.frame import ClaimOptions, claim_of
from secure_bucket.cli.output import to_stderr, to_stdout
from secure_bucket.cli.review import review_permissions_of, review_report, scope_of
from secure_bucket.errors import SecureBucketError
from secure_bucket.findings.finding import Report, joined
from secure_bucket.operations.audit import question as audits
from secure_bucket.operations.audit.audit import Audit
from secure_bucket.operations.aws.session import Access
from secure_bucket.operations.plan import (
    Rollout,
    names_of_buckets,
    plan_rollout,
    read_audit,
    read_check,
    read_review,
    read_stack_resources,
)
from secure_bucket.operations.plan.sentences import summary
from secure_bucket.operations.review import account_review as reviews

__all__ = ["run"]

_S3 = "s3://"
# The plan names all clients, but memory is limited.
_MOST_GROUPS = 200_000


def run(arguments: argparse.Namespace) -> int:
    """Plan the rollout and write the reports.

    Returns:
        The exit code.

    Raises:
        SecureBucketError: If the plan cannot be made.
    """
    reports = reports_of(arguments.reports)
    config = config_of(arguments)
    _check(arguments, reports)
    if arguments.show_permissions:
        to_stdout(json.dumps(_permissions(arguments, config), indent=2) + "\n")
        return PROVEN
    # Read the reports first, so that an error in them shows before an hour of requests to AWS.
    check = None if arguments.check is None else read_check(arguments.check)
    review = _read_reviews(arguments.reviews)
    audit = None if arguments.audit is None else read_audit(arguments.audit)
    if audit is not None:
        _check_minimum_tls(audit, arguments)
    resources = [read_stack_resources(file, template or "") for template, file in _resource_lists(arguments)]
    claim = claim_of(arguments, config)
    if arguments.paths:
        options = check_options(arguments, config, claim, written=[each.file for each in reports])
        check = check_report(options, config, claim, quiet=arguments.quiet)
    if arguments.live:
        review = claim.grant(
            review_report(arguments, scope_of(arguments), _review_question(arguments, claim)), config
        )
    names: Mapping[tuple[str, str], str] = {}
    if check is not None and resources:
        names = names_of_buckets(check, resources, accounts=() if review is None else review.accounts)
    if arguments.logs:
        audit = audit_report(arguments.logs, _audit_question(arguments), _audit_access(arguments), arguments)
    run = run_of(_words(arguments), PROVEN)
    rollout = plan_rollout(
        check=check,
        review=review,
        audit=audit,
        names=names,
        now=run.finished_at,
        maximum_age=arguments.maximum_age,
        minimum_window=arguments.minimum_window,
    )
    code = _exit_code(rollout)
    faults = [fault.message for fault in rollout.faults]
    notes = (*rollout.warnings, summary(rollout))
    run = replace(run, exit_code=code)
    deliver_document(rollout, "plan", reports, arguments, run, faults=faults, notes=notes)
    return code


def _check(arguments: argparse.Namespace, reports: Sequence[ReportTo]) -> None:
    """Refuse arguments that contradict each other."""
    lists = list(_resource_lists(arguments))
    refuse_empty(
        PATH=arguments.paths,
        logs=arguments.logs,
        review=arguments.reviews,
        stack_resources=[file and template for template, file in lists if template is not None],
        check=[arguments.check],
        audit=[arguments.audit],
    )
    pairs = (
        (arguments.paths, "PATH", arguments.check, "--check"),
        (arguments.live, "--live", arguments.reviews, "--review"),
        (arguments.logs, "--logs", arguments.audit, "--audit"),
    )
    for first, one, second, other in pairs:
        if first and second:
            raise SecureBucketError(f"{one} and {other} exclude each other: give one of them")
    if not any(first or second for first, _, second, _ in pairs):
        raise SecureBucketError(
            "there is nothing to plan from: give a PATH or --check, --live or --review, --logs or --audit"
        )
    if lists and not (arguments.paths or arguments.check):
        raise SecureBucketError("--stack-resources names the buckets of templates: give a PATH or --check")
    if _session_option(arguments) and not (arguments.live or _logs_in_s3(arguments)):
        raise SecureBucketError(
            f"{_session_option(arguments)} is for requests to AWS: give --live to review the account"
        )
    if STDIN in arguments.paths and STDIN in arguments.logs:
        raise SecureBucketError("standard input is either a template or a log: give the other one as a file")
    _refuse_unused_options(arguments)
    _refuse_to_overwrite_sources(arguments, reports)


def _refuse_unused_options(arguments: argparse.Namespace) -> None:
    """Refuse options that have no effect on an earlier report."""
    options = {
        "--since": arguments.since,
        "--until": arguments.until,
        "--tolerate-unknown": arguments.tolerate_unknown or None,
        "--skip-copies": arguments.skip_copies or None,
    }
    for name, value in options.items():
        if value is not None and not arguments.logs:
            raise SecureBucketError(
                f"{name} is for the logs to read: give --logs as well, or give {name} to "
                "`secure-bucket audit`"
            )
    if arguments.since is not None and arguments.until is not None and arguments.since >= arguments.until:
        raise SecureBucketError("--since must be before --until")
    for name, given in (("--strict", arguments.strict), ("--minimum-tls", arguments.minimum_tls)):
        command = "check" if arguments.check else "review" if arguments.reviews else ""
        if given is not None and command:
            raise SecureBucketError(
                f"{name} cannot change the report of --{command}: give it to `secure-bucket {command}`, and "
                "omit it here"
            )
    if arguments.strict is not None and not (arguments.paths or arguments.live):
        raise SecureBucketError("--strict is for policies that `plan` judges itself: give a PATH or --live")


def _check_minimum_tls(audit: Audit, arguments: argparse.Namespace) -> None:
    minimum = arguments.minimum_tls
    if minimum is not None and (audit.minimum_tls is None or audit.minimum_tls < minimum):
        asked = "plain HTTP alone" if audit.minimum_tls is None else f"TLS below {audit.minimum_tls:g}"
        raise SecureBucketError(
            f"`{arguments.audit}` covers {asked}, and not all clients of TLS below {minimum:g}: run "
            f"`secure-bucket audit --minimum-tls {minimum:g}` again"
        )


def _session_option(arguments: argparse.Namespace) -> str:
    """Return the first option on the AWS session; `""` without such an option."""
    options = {
        "--profile": arguments.profiles,
        "--role-arn": arguments.role_arns,
        "--role-name": arguments.role_name,
        "--account": arguments.accounts,
        "--organization": arguments.organization,
        "--aggregator": arguments.aggregator,
        "--resume": arguments.resume,
        "--endpoint-url": arguments.endpoint_url,
    }
    return next((name for name, value in options.items() if value), "")


def _logs_in_s3(arguments: argparse.Namespace) -> bool:
    return any(log.startswith(_S3) for log in arguments.logs)


def _refuse_to_overwrite_sources(arguments: argparse.Namespace, reports: Sequence[ReportTo]) -> None:
    given = [*arguments.reviews, *(file for _, file in _resource_lists(arguments))]
    given += [log for log in arguments.logs if not log.startswith(_S3)]
    given += [file for file in (arguments.check, arguments.audit) if file is not None]
    sources = {os.path.realpath(file) for file in given}
    for report in reports:
        if report.file is not None and os.path.realpath(report.file) in sources:
            raise SecureBucketError(f"the report would overwrite `{report.file}`, a source of the plan")


def _resource_lists(arguments: argparse.Namespace) -> Iterator[tuple[str | None, str]]:
    """Yield the template and the file of each list of resources; `None` for an unnamed template."""
    for each in arguments.stack_resources:
        template, equals, file = each.partition("=")
        # The name of a file may contain `=`.
        yield (template, file) if equals and not os.path.exists(each) else (None, each)


def _read_reviews(files: Sequence[str]) -> Report | None:
    if not files:
        return None
    return joined(map(read_review, files))


def _review_question(arguments: argparse.Namespace, claim: ClaimOptions) -> reviews.ReviewQuestion:
    return reviews.ReviewQuestion((), (), claim.strict, claim.minimum_tls, arguments.threads)


def _audit_question(arguments: argparse.Namespace) -> audits.Question:
    return audits.Question(
        datetime.datetime.now(datetime.timezone.utc),
        (),
        arguments.since,
        arguments.until,
        arguments.minimum_tls,
        audits.ALL_KEYS,
        _MOST_GROUPS,
        arguments.minimum_window,
        arguments.maximum_age,
        arguments.tolerate_unknown,
        arguments.skip_copies,
    )


def _audit_access(arguments: argparse.Namespace) -> Access:
    """Return the access to logs in S3, as one identity.

    Raises:
        SecureBucketError: If the arguments name several identities.
    """
    several = len(arguments.profiles) > 1 or len(arguments.role_arns) > 1 or arguments.role_name is not None
    if several and _logs_in_s3(arguments):
        raise SecureBucketError(
            "`plan` reads logs in S3 as one identity, and you give several: run `secure-bucket audit` first, "
            "and give --audit"
        )
    return Access(
        next(iter(arguments.profiles), None),
        arguments.region,
        next(iter(arguments.role_arns), None),
        arguments.external_id if arguments.role_arns else None,
        arguments.endpoint_url,
        arguments.ca_bundle,
        16,
    )


def _permissions(arguments: argparse.Namespace, config: Config) -> dict[str, Any]:
    """Return the IAM policy that the plan needs; one policy each if it reads both accounts and logs."""
    needed: dict[str, dict[str, Any]] = {}
    if arguments.live:
        question = _review_question(arguments, claim_of(arguments, config))
        needed["Review"] = review_permissions_of(scope_of(arguments), question, arguments.aggregator)
    if _logs_in_s3(arguments):
        needed["Logs"] = audit_permissions_of(arguments.logs, _audit_access(arguments))
    if not needed:
        to_stderr("secure-bucket: all sources are on this machine: no permission is needed")
        return {"Version": "2012-10-17", "Statement": []}
    return needed if len(needed) > 1 else next(iter(needed.values()))


def _exit_code(rollout: Rollout) -> int:
    if rollout.faults:
        return COULD_NOT_RUN
    if rollout.done:
        return PROVEN
    return UNDECIDED if rollout.only_evidence else REFUTED


def _words(arguments: argparse.Namespace) -> tuple[tuple[str, str], ...]:
    """Return the options in force, for the reports."""
    minimum = arguments.minimum_tls
    return (
        ("templates", "read now" if arguments.paths else "from a report" if arguments.check else "none"),
        ("accounts", "read now" if arguments.live else "from a report" if arguments.reviews else "none"),
        ("logs", "read now" if arguments.logs else "from a report" if arguments.audit else "none"),
        ("strict", "yes" if arguments.strict else "no"),
        ("minimum-tls", "not asked" if minimum is None else f"{minimum:g}"),
        ("minimum-window", f"{arguments.minimum_window}d"),
        ("maximum-age", f"{arguments.maximum_age}d"),
        ("tolerate-unknown", f"{100 * arguments.tolerate_unknown:g}%"),
    )
