"""The findings that a baseline knows already."""

from __future__ import annotations

import argparse
import os

from msgspec.structs import replace

from secure_bucket.cli.baseline import Baseline, apply_baseline, read_baseline, shrink
from secure_bucket.cli.output import OutputError, to_stderr
from secure_bucket.findings.finding import Report
from secure_bucket.formats.write import write_atomically

__all__ = ["against_baseline"]


def against_baseline(
    report: Report, arguments: argparse.Namespace, file: str, *, whole: bool = True
) -> Report:
    """Return a report without the findings that a baseline holds, and write the baseline if that is asked.

    Args:
        report: The report.
        arguments: The arguments of the command, with those of `add_baseline`.
        file: The baseline, as `baseline_of` returns it.
        whole: Whether every bucket of the accounts in the report was looked at.

    Raises:
        SecureBucketError: If the baseline cannot be read.
        OutputError: If it cannot be written.
    """
    new = arguments.write_baseline is not None and not os.path.lexists(file)
    baseline = Baseline(file) if new else read_baseline(file)
    report, used = apply_baseline(report, baseline)
    kept = shrink(report, baseline, used, grow=new or arguments.grow_baseline, whole=whole)
    if arguments.write_baseline is None:
        gone = len(baseline.entries - kept.entries - used)
        if gone and not arguments.quiet:
            to_stderr(
                f"secure-bucket: {gone} entries of the baseline `{file}` are no longer found: "
                f"--write-baseline {file} takes them out"
            )
        return report
    if report.faults:
        to_stderr(f"secure-bucket: the baseline `{file}` is not written, as not everything could be checked")
        return report
    try:
        write_atomically(file, kept.text())
    except OSError as error:
        raise OutputError(f"`{file}` cannot be written: {error.strerror or error}") from None
    if not arguments.quiet:
        to_stderr(f"secure-bucket: the baseline `{file}` holds {len(kept.entries)} findings")
    return apply_baseline(
        replace(report, findings=(*report.findings, *report.baselined), baselined=()), kept
    )[0]
