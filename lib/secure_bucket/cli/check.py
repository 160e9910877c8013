"""Run `secure-bucket check`: check every bucket of the given templates."""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Sequence

from secure_bucket.checks.check import Settings
from secure_bucket.checks.check_paths import CheckOptions, check_paths
from secure_bucket.checks.find_targets import STDIN
from secure_bucket.cli.codes import COULD_NOT_RUN, PROVEN
from secure_bucket.cli.config import Config, config_of
from secure_bucket.cli.fix_options import fix_options
from secure_bucket.cli.frame import ClaimOptions, frame_of
from secure_bucket.cli.output import Progress
from secure_bucket.cli.selection import selection_of
from secure_bucket.cli.show_settings import show_settings
from secure_bucket.errors import SecureBucketError
from secure_bucket.findings.finding import Report
from secure_bucket.findings.rules import REFUTED as REFUTED_RULE

__all__ = ["check_options", "check_report", "run"]


def run(arguments: argparse.Namespace) -> int:
    """Check the templates and write the reports.

    Returns:
        The exit code.

    Raises:
        SecureBucketError: If the check cannot run.
    """
    if arguments.show_settings:
        return show_settings(arguments)
    code = _fix(arguments) if arguments.fix or arguments.diff else PROVEN
    if arguments.diff:
        return PROVEN if arguments.exit_zero and code != COULD_NOT_RUN else code
    frame = frame_of(arguments)
    options = check_options(
        arguments,
        frame.config,
        frame.claim,
        exclude=arguments.exclude,
        only_candidates=arguments.skip_other_files,
        written=(*(each.file for each in frame.reports), arguments.write_baseline),
    )
    report = check_report(options, frame.config, frame.claim, quiet=arguments.quiet)
    checked = frame.finish(report, arguments, frame.words, never_fails=arguments.exit_zero)
    # A template that should have been written and was not makes the run incomplete.
    return COULD_NOT_RUN if code == COULD_NOT_RUN else checked


def _fix(arguments: argparse.Namespace) -> int:
    """Fix the templates before the check, or show the changes, and return the exit code of the fix.

    Raises:
        SecureBucketError: If the arguments contradict each other.
    """
    # Loads in 12 ms, which only a fix pays.
    from secure_bucket.cli.fix import fix_paths

    config = config_of(arguments)
    if arguments.fix and not arguments.diff and STDIN in arguments.paths:
        raise SecureBucketError("--fix cannot write standard input: use `secure-bucket fix -`")
    if REFUTED_RULE not in selection_of(arguments, config):
        return PROVEN
    # Without --diff, the report of the check lists the remaining buckets.
    options = fix_options(arguments, config, write=not arguments.diff, tell_left=arguments.diff)
    return fix_paths(options, config)


def check_options(
    arguments: argparse.Namespace,
    config: Config,
    claim: ClaimOptions,
    *,
    written: Sequence[str | None],
    exclude: Sequence[str] = (),
    only_candidates: bool = False,
) -> CheckOptions:
    """Return the options of the check, from the arguments or else the settings."""
    return CheckOptions(
        tuple(arguments.paths) or config.paths or (".",),
        Settings(claim.strict, claim.minimum_tls, datetime.date.today()),
        (*config.exclude, *exclude),
        arguments.together,
        only_candidates,
        arguments.jobs or config.jobs,
        tuple(written),
    )


def check_report(options: CheckOptions, config: Config, claim: ClaimOptions, *, quiet: bool) -> Report:
    """Return the report of a check, with the exceptions of the settings.

    Raises:
        SecureBucketError: If the check cannot run.
    """
    with Progress(None, shown=not quiet, what="checked") as progress:
        return check_paths(options, progress, lambda report: claim.grant(report, config))
