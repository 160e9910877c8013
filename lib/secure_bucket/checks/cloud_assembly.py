"""Check a cloud assembly, with the record of the gate and the lines of the program that made the buckets."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator

from msgspec.structs import replace

from secure_bucket.checks.check import Settings, report_on
from secure_bucket.checks.judged_files import JUDGED, changes_since_judged
from secure_bucket.checks.refusal import is_refused
from secure_bucket.errors import TemplateError
from secure_bucket.findings.finding import Report
from secure_bucket.findings.gate_record import RECORD, recorded_acknowledgments
from secure_bucket.findings.origin import with_origins
from secure_bucket.policy.messages import name_some
from secure_bucket.template.assembly import read_assembly
from secure_bucket.template.resolve import Assembly

__all__ = ["check_assembly"]


def check_assembly(
    directory: str | os.PathLike[str],
    *,
    strict: bool = False,
    minimum_tls_version: float | str | None = None,
    exceptions_as_of: datetime.date | None = None,
) -> Report:
    """Check every bucket of a CDK cloud assembly: of its stacks, Stages, nested stacks and products.

    Args:
        directory: The directory, `cdk.out` unless the app says otherwise.
        strict: As for `check_template`.
        minimum_tls_version: As for `check_template`.
        exceptions_as_of: As for `check_template`.

    Returns:
        The verdict on each bucket, and the findings, with the line of the program that created
        the bucket, where the assembly tells.

    Raises:
        TemplateError: If a file that the assembly refers to is missing or cannot be read.
    """
    named = f"`{os.fspath(directory)}`"
    if is_refused(os.fspath(directory)):
        raise TemplateError(f"the gate refused {named}: synthesize it again")
    try:
        assembly = read_assembly(directory)
        assert assembly.manifests is not None
    except RecursionError:
        raise TemplateError(f"{named}: nested too deeply to be read") from None
    # The acknowledgments that the assembly itself notes come last, and so count more.
    acknowledged = (*recorded_acknowledgments(directory), *assembly.acknowledged)
    whole = replace(assembly, acknowledged=acknowledged)
    report = report_on(lambda: whole, named, Settings(strict, minimum_tls_version, exceptions_as_of))
    needs_record = exceptions_as_of is not None and bool(report.findings)
    remarks = _remarks(directory, assembly, needs_record=needs_record)
    report = replace(
        report, faults=(*report.faults, *changes_since_judged(directory)), remarks=(*report.remarks, *remarks)
    )
    return with_origins(report, assembly.manifests)


def _remarks(directory: str | os.PathLike[str], assembly: Assembly, *, needs_record: bool) -> Iterator[str]:
    record = os.path.join(directory, RECORD)
    if needs_record and not any(map(os.path.exists, (record, os.path.join(directory, JUDGED)))):
        yield f"`{record}` is missing, so acknowledgments on the App or on a Stage are not known"
    left = [file for file, is_read in assembly.unlisted if not is_read]
    judged = [file for file, is_read in assembly.unlisted if is_read]
    if left:
        named = name_some(left)
        yield f"not judged, because no manifest leads to it: {named}; an earlier synthesis may have left it"
    if judged:
        named = name_some(judged)
        yield (
            f"no manifest leads to it, but it is as new as the stacks and therefore judged: {named}; remove "
            "it if nothing deploys it"
        )
