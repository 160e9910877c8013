"""Check a cloud assembly, with the record of the gate and the lines that created the buckets."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from secure_bucket.checks.check import Settings, report_on
from secure_bucket.checks.gate import missing_context
from secure_bucket.checks.judged_files import JUDGED, changes_since_judged, left_over_files
from secure_bucket.checks.refusal import is_refused
from secure_bucket.errors import TemplateError
from secure_bucket.findings.finding import Report
from secure_bucket.findings.gate_record import RECORD, recorded_acknowledgments
from secure_bucket.findings.origin import with_origins
from secure_bucket.policy.messages import name_some
from secure_bucket.template.assembly import read_assembly
from secure_bucket.template.leftovers import Leftovers
from secure_bucket.template.manifest import Acknowledged, CloudAssembly
from secure_bucket.template.resolve import Assembly

__all__ = ["CheckedAssembly", "check_assembly", "check_written_assembly"]


class CheckedAssembly(Struct, frozen=True):
    """A checked cloud assembly.

    Args:
        report: The verdict on each bucket, and the findings.
        left: The templates that an earlier synthesis left in it.
        manifests: The content of its manifests.
    """

    report: Report
    left: Sequence[str]
    manifests: CloudAssembly


def check_assembly(
    directory: str | os.PathLike[str],
    *,
    strict: bool = False,
    minimum_tls_version: float | str | None = None,
    exceptions_as_of: datetime.date | None = None,
) -> Report:
    """Check every bucket of a CDK cloud assembly: in its stacks, Stages, nested stacks and products.

    Args:
        directory: The directory, usually `cdk.out`.
        strict: As for `check_template`.
        minimum_tls_version: As for `check_template`.
        exceptions_as_of: As for `check_template`.

    Returns:
        The verdict on each bucket, and the findings, with the line of the program that created the bucket, if
        the assembly records it.

    Raises:
        TemplateError: If a file that the assembly refers to is missing or cannot be read.
    """
    settings = Settings(strict, minimum_tls_version, exceptions_as_of)
    report = check_written_assembly(directory, settings, Leftovers(left_over_files(directory))).report
    return replace(report, faults=(*report.faults, *missing_context(directory)))


def check_written_assembly(
    directory: str | os.PathLike[str],
    settings: Settings,
    leftovers: Leftovers,
) -> CheckedAssembly:
    """Check a cloud assembly.

    Args:
        directory: The directory.
        settings: The options.
        leftovers: How to recognize templates of an earlier synthesis.

    Raises:
        TemplateError: If a file that the assembly refers to is missing or cannot be read.
    """
    named = f"`{os.fspath(directory)}`"
    if is_refused(os.fspath(directory)):
        raise TemplateError(f"the gate refused {named}: synthesize it again")
    try:
        assembly = read_assembly(directory, leftovers)
        assert assembly.manifests is not None
    except RecursionError:
        raise TemplateError(f"{named}: nested too deeply to be read") from None
    acknowledged: tuple[Acknowledged, ...] = ()
    if settings.acknowledged is not None:
        # Acknowledgments in the assembly itself come last, and so take precedence.
        recorded = recorded_acknowledgments(directory)
        acknowledged = (*recorded, *settings.acknowledged, *assembly.acknowledged)
    whole = replace(assembly, acknowledged=acknowledged)
    report = report_on(lambda: whole, named, settings)
    needs_record = settings.today is not None and bool(report.findings)
    remarks = _remarks(directory, assembly, needs_record=needs_record)
    report = replace(
        report, faults=(*report.faults, *changes_since_judged(directory)), remarks=(*report.remarks, *remarks)
    )
    left = [file for file, is_read in assembly.unlisted if not is_read]
    return CheckedAssembly(with_origins(report, assembly.manifests), left, assembly.manifests)


def _remarks(directory: str | os.PathLike[str], assembly: Assembly, *, needs_record: bool) -> Iterator[str]:
    record = os.path.join(directory, RECORD)
    if needs_record and not any(map(os.path.exists, (record, os.path.join(directory, JUDGED)))):
        yield (
            f"`{record}` is missing, so acknowledgments on the App or on a Stage are not known; only a gate "
            "in a Python app writes it: acknowledge on the bucket"
        )
    left = [file for file, is_read in assembly.unlisted if not is_read]
    judged = [file for file, is_read in assembly.unlisted if is_read]
    if left:
        named = name_some(left)
        yield f"not judged, because no manifest leads to it: {named}; an earlier synthesis may have left it"
    if judged:
        named = name_some(judged)
        yield (
            "judged, although no manifest leads to it, because the last synthesis may have written it: "
            f"{named}; remove it if nothing deploys it"
        )
