"""Compute the lines to replace in a template, for each finding that `fix` can fix."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher

from secure_bucket.cli.buckets_to_leave import BucketsToLeave, policies_in_other_templates
from secure_bucket.errors import SecureBucketError
from secure_bucket.findings.finding import Finding, JudgedBucket, Report
from secure_bucket.findings.rules import REFUTED as REFUTED_RULE
from secure_bucket.formats.characters import lines_of
from secure_bucket.formats.run import Replacement
from secure_bucket.repair import repair_document
from secure_bucket.template import load_document

__all__ = ["Suggestions"]

_MOST_LINES = 20_000


class Suggestions:
    """The fixes for the findings of a report.

    Args:
        report: The report.
        strict: Whether `{"AWS": "*"}` does not cover AWS services.
    """

    def __init__(self, report: Report, *, strict: bool) -> None:
        self._report = report
        self._strict = strict
        self._to_leave: BucketsToLeave | None = None
        self._files: dict[str, Mapping[str, tuple[Replacement, ...]]] = {}
        self._buckets: dict[str, list[JudgedBucket]] = {}
        for bucket in report.buckets:
            self._buckets.setdefault(bucket.template, []).append(bucket)

    def of(self, finding: Finding) -> tuple[Replacement, ...]:
        """Return the lines to replace to fix a finding; empty if `fix` would leave its bucket."""
        file = finding.template
        if finding.rule != REFUTED_RULE or not finding.logical_id or file not in self._buckets:
            return ()
        if file not in self._files:
            try:
                self._files[file] = dict(self._repaired(file))
            except (SecureBucketError, OSError, ValueError):
                # A suggestion is an extra: the finding itself is reported without it.
                self._files[file] = {}
        return self._files[file].get(finding.logical_id, ())

    def _repaired(self, file: str) -> Iterator[tuple[str, tuple[Replacement, ...]]]:
        if self._to_leave is None:
            self._to_leave = BucketsToLeave(
                self._report, policies_in_other_templates(self._report), None, frozenset()
            )
        document = load_document(file)
        leave = self._to_leave.in_file(file, self._buckets[file])
        repair = repair_document(document, strict=self._strict, leave=leave)
        before, after = lines_of(document.text), lines_of(repair.document.text)
        if not repair.fixed or len(before) > _MOST_LINES:
            return
        fixed = [each.logical_id for each in repair.fixed]
        replacements = [_with_context(file, before, after, *span) for span in _spans(before, after)]
        owners = [_owners(replacement, fixed) for replacement in replacements]
        # Only the added text names the bucket of a fix. If it does not name exactly one, suggest no fix.
        if all(len(each) == 1 for each in owners):
            for name in fixed:
                mine = (one for one, owner in zip(replacements, owners, strict=True) if owner == [name])
                yield name, tuple(mine)


def _spans(before: list[str], after: list[str]) -> Iterator[tuple[int, int, int, int]]:
    for kind, start, end, new_start, new_end in SequenceMatcher(None, before, after).get_opcodes():
        if kind != "equal":
            yield start, end, new_start, new_end


def _with_context(
    file: str, before: list[str], after: list[str], start: int, end: int, new_start: int, new_end: int
) -> Replacement:
    """Return a replacement of at least one line: an insertion repeats the line before it."""
    if start == end and start > 0:
        start, new_start = start - 1, new_start - 1
    elif start == end:
        end, new_end = end + 1, new_end + 1
    return Replacement(file, start + 1, tuple(before[start:end]), tuple(after[new_start:new_end]))


def _owners(replacement: Replacement, logical_ids: list[str]) -> list[str]:
    """Return the buckets whose ARN the new lines name."""
    # Compare with the added lines only: the repeated line may name another bucket.
    added = "".join(line for line in replacement.new if line not in replacement.old)
    named = set(re.findall(r"(\w+)\.Arn|\"(\w+)\"\s*,\s*\"Arn\"", added))
    found = {one or other for one, other in named}
    return [each for each in logical_ids if each in found]
