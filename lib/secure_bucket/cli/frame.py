"""Read the options that the judging commands share, and finish their reports."""

from __future__ import annotations

import argparse
import datetime
import os

from msgspec import Struct
from msgspec.structs import replace

from secure_bucket.cli.arguments.common import ReportTo
from secure_bucket.cli.codes import COULD_NOT_RUN, PROVEN
from secure_bucket.cli.config import Config, config_of
from secure_bucket.cli.delivery import deliver, reports_of, write_file
from secure_bucket.cli.exits import exit_code, undecided_as_warnings
from secure_bucket.cli.output import to_stderr
from secure_bucket.cli.selection import Selection, selection_of
from secure_bucket.errors import SecureBucketError
from secure_bucket.findings.finding import Report

__all__ = ["ClaimOptions", "Frame", "baseline_of", "claim_of", "frame_of", "undecided_fails"]


class ClaimOptions(Struct, frozen=True):
    """What to prove about each bucket.

    Args:
        strict: Assume that `{"AWS": "*"}` does not cover AWS services.
        minimum_tls: The oldest TLS version that a bucket may accept; `None` ignores TLS versions.
    """

    strict: bool
    minimum_tls: float | None

    @property
    def words(self) -> tuple[tuple[str, str], ...]:
        """The options in force, for the reports."""
        minimum = "not asked" if self.minimum_tls is None else f"{self.minimum_tls:g}"
        return ("strict", "yes" if self.strict else "no"), ("minimum-tls", minimum)

    def grant(self, report: Report, config: Config) -> Report:
        """Grant the exceptions of the settings to a report.

        Raises:
            ConfigError: If an exception has no reason, no rule, or an end that is not a day.
        """
        if not config.exceptions:
            return report
        # Loads in 4 ms.
        from secure_bucket.cli.settings_exceptions import grant_configured

        return grant_configured(report, config, minimum_tls=self.minimum_tls, today=datetime.date.today())


class Frame(Struct, frozen=True):
    """The options that several commands share, from the command line or else the settings.

    Args:
        reports: The reports to write.
        config: The settings.
        claim: What to prove.
        undecided_fails: Whether an undecided bucket fails.
        baseline: The baseline to read or write; `None` if no baseline is used.
        selection: The rules whose findings count.
    """

    reports: tuple[ReportTo, ...]
    config: Config
    claim: ClaimOptions
    undecided_fails: bool
    baseline: str | None
    selection: Selection

    @property
    def words(self) -> tuple[tuple[str, str], ...]:
        """The options in force, for the reports."""
        undecided = ("undecided", "error" if self.undecided_fails else "warn")
        return undecided, *self.claim.words, *self.selection.words

    def finish(
        self,
        report: Report,
        arguments: argparse.Namespace,
        words: tuple[tuple[str, str], ...],
        *,
        whole: bool = True,
        never_fails: bool = False,
    ) -> int:
        """Apply the baseline to a report, write the reports, and return the exit code.

        Args:
            report: The report, after the exceptions.
            arguments: The arguments of the command.
            words: The options in force, for the reports.
            whole: Whether the command checked every bucket of the accounts in the report.
            never_fails: Whether findings leave the exit code at 0.

        Raises:
            SecureBucketError: If the baseline cannot be read, or a file cannot be written.
        """
        if self.baseline is not None:
            report = _against_baseline(report, arguments, self.baseline, whole=whole)
        # The baseline comes first, so that it keeps its entries for rules that this run ignores.
        report = self.selection.apply(report)
        if not self.undecided_fails:
            report = undecided_as_warnings(report)
        code = exit_code(report)
        if never_fails and code != COULD_NOT_RUN:
            code = PROVEN
        deliver(report, self.reports, arguments, words, code)
        return code


def claim_of(arguments: argparse.Namespace, config: Config) -> ClaimOptions:
    """Return what to prove, from the arguments or else the settings."""
    strict = config.strict if arguments.strict is None else arguments.strict
    return ClaimOptions(
        bool(strict), config.minimum_tls if arguments.minimum_tls is None else arguments.minimum_tls
    )


def undecided_fails(arguments: argparse.Namespace, config: Config) -> bool:
    """Tell whether an undecided bucket fails, from the arguments or else the settings."""
    return (arguments.undecided or config.undecided or "error") == "error"


def baseline_of(arguments: argparse.Namespace, configured: str | None) -> str | None:
    """Return the baseline to read or write, or `None`.

    Args:
        arguments: The arguments of the command.
        configured: The baseline that the settings name.

    Raises:
        SecureBucketError: If the arguments contradict each other.
    """
    if arguments.grow_baseline and arguments.write_baseline is None:
        raise SecureBucketError("--grow-baseline needs --write-baseline FILE")
    file: str | None = arguments.write_baseline or arguments.baseline or configured
    return file


def frame_of(arguments: argparse.Namespace) -> Frame:
    """Return the options that the commands share.

    Raises:
        SecureBucketError: If the arguments contradict each other, or the settings cannot be read.
    """
    reports = reports_of(arguments.reports)
    config = config_of(arguments)
    baseline = baseline_of(arguments, config.baseline)
    return Frame(
        reports,
        config,
        claim_of(arguments, config),
        undecided_fails(arguments, config),
        baseline,
        selection_of(arguments, config),
    )


def _against_baseline(report: Report, arguments: argparse.Namespace, file: str, *, whole: bool) -> Report:
    """Apply a baseline to a report, and write the baseline if the arguments request it."""
    # Loads in 4 ms.
    from secure_bucket.cli.baseline import Baseline, apply_baseline, read_baseline, update_baseline

    new = arguments.write_baseline is not None and not os.path.lexists(file)
    baseline = Baseline(file) if new else read_baseline(file)
    report, used = apply_baseline(report, baseline)
    kept = update_baseline(report, baseline, used, grow=new or arguments.grow_baseline, whole=whole)
    if arguments.write_baseline is None:
        gone = len(baseline.entries - kept.entries - used)
        if gone and not arguments.quiet:
            to_stderr(
                f"secure-bucket: {gone} entries of the baseline `{file}` are no longer found: "
                f"--write-baseline {file} removes them"
            )
        return report
    if report.faults:
        to_stderr(f"secure-bucket: the baseline `{file}` is not written, because the check is incomplete")
        return report
    write_file(file, kept.text())
    if not arguments.quiet:
        to_stderr(f"secure-bucket: the baseline `{file}` contains {len(kept.entries)} findings")
    return apply_baseline(
        replace(report, findings=(*report.findings, *report.baselined), baselined=()), kept
    )[0]
