"""Find the buckets of a report that `fix` must leave, for reasons outside their own template."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from secure_bucket.checks.find_targets import STDIN, CheckTarget, TargetKind, Targets
from secure_bucket.checks.possible_policies import possible_policies
from secure_bucket.errors import TemplateError
from secure_bucket.findings.finding import JudgedBucket, Report
from secure_bucket.findings.rules import REFUTED as REFUTED_RULE
from secure_bucket.findings.rules import rule_of
from secure_bucket.proof.verdict import Proven, Refuted, Undecided
from secure_bucket.repair import MADE_BY_CDK, policies_elsewhere
from secure_bucket.template import Document, load_document
from secure_bucket.template.load import STDIN_NAME

__all__ = [
    "BucketsToLeave",
    "given_templates",
    "open_buckets",
    "policies_in_other_templates",
    "templates_in_assemblies",
    "why_only_nested",
]


class BucketsToLeave(Struct, frozen=True):
    """The facts about a report and its files that forbid a fix.

    Args:
        report: The report of the check before the fix.
        elsewhere: The buckets whose policies are in another template, each with the reason to leave it.
        given: The templates that the user named; `None` to also fix the templates that they nest.
        synthesized: The templates in a cloud assembly, which `fix` leaves.
        plain_viewers: Whether to fix buckets that CloudFront requests over plain HTTP.
    """

    report: Report
    elsewhere: Mapping[tuple[str, str], str]
    given: frozenset[str] | None
    synthesized: frozenset[str]
    plain_viewers: bool = False

    def in_file(self, file: str, buckets: Sequence[JudgedBucket]) -> dict[str, str]:
        """Return the buckets of a file to leave, by logical id, each with the reason."""
        excepted = self.excepted(file)
        # A nested template alone may look open, because its parent provides a value.
        leave = {each.logical_id: "it is proven" for each in buckets}
        for logical_id, bucket in open_buckets(buckets).items():
            why = excepted.get(logical_id) or self._why(file, bucket)
            if why:
                leave[logical_id] = why
            else:
                del leave[logical_id]
        return leave

    def excepted(self, file: str) -> dict[str, str]:
        """Return the buckets of a file that have an exception, each with its reason."""
        return {
            finding.logical_id: f"an exception is granted: {exception.reason}"
            for exception in self.report.exceptions
            for finding in exception.findings
            if finding.template == file and rule_of(finding).about_verdict
        }

    def _why(self, file: str, bucket: JudgedBucket) -> str:
        """Return the reason to leave a bucket; `""` without one."""
        if isinstance(bucket.verdict, Undecided):
            reasons = "; ".join(dict.fromkeys(map(str, bucket.verdict.reasons)))
            return f"it cannot be decided: {reasons}"
        if (file, bucket.logical_id) in self.elsewhere:
            return self.elsewhere[file, bucket.logical_id]
        if self.given is not None and file != STDIN_NAME and os.path.normpath(file) not in self.given:
            return f"only the template that nests `{file}` was given"
        if bucket.viewers and not self.plain_viewers:
            viewers = "; ".join(bucket.viewers)
            return f"with the deny CloudFront gets 403: {viewers}; --plain-viewers fixes it anyway"
        return MADE_BY_CDK if file in self.synthesized else ""


def given_templates(targets: Targets, pairs: Iterable[tuple[CheckTarget, Report]]) -> frozenset[str]:
    """Return the templates that the user named, without the templates that they nest."""
    given = {target.path for target in targets.found if target.kind is not TargetKind.ASSEMBLY}
    for target, report in pairs:
        if target.kind is TargetKind.ASSEMBLY:
            given.update(map(os.path.normpath, report.templates))
    return frozenset(STDIN_NAME if path == STDIN else path for path in given)


def templates_in_assemblies(pairs: Iterable[tuple[CheckTarget, Report]]) -> frozenset[str]:
    """Return the templates that are in a cloud assembly."""
    return frozenset(
        name
        for target, report in pairs
        for name in report.templates
        if target.kind is TargetKind.ASSEMBLY
        or os.path.isfile(os.path.join(os.path.dirname(name), "cdk.out"))
    )


def open_buckets(buckets: Iterable[JudgedBucket]) -> dict[str, JudgedBucket]:
    """Return the buckets that are not proven, by logical id.

    A template that is nested twice has each bucket twice, and the worse verdict counts.
    """
    found: dict[str, JudgedBucket] = {}
    listed = [each for each in buckets if not isinstance(each.verdict, Proven)]
    for kind in (Undecided, Refuted):
        found |= {each.logical_id: each for each in listed if isinstance(each.verdict, kind)}
    return found


def policies_in_other_templates(report: Report) -> dict[tuple[str, str], str]:
    """Return the buckets whose policies are in another template, each with the reason to leave it."""
    found: dict[tuple[str, str], str] = {}
    for finding in report.findings:
        # The check already followed imports and the values that a nested stack receives.
        if finding.rule == REFUTED_RULE and finding.at.file and finding.at.file != finding.template:
            found[finding.template, finding.logical_id] = f"its policy is in `{finding.at.file}`"
    if len(report.templates) > 1 and any(isinstance(bucket.verdict, Refuted) for bucket in report.buckets):
        for bucket, (file, policy) in policies_elsewhere(_documents(report)).items():
            found.setdefault(bucket, f"its policy `{policy}` is in `{file}`: add the deny there")
    for bucket, (file, policy) in possible_policies(report).items():
        found.setdefault(
            bucket,
            f"the policy `{policy}` in `{file}` may be its own, and a second one would replace it: keep "
            "both in one template, or fix this template alone if it is not",
        )
    return found


def _documents(report: Report) -> Iterator[Document]:
    for name in report.templates:
        try:
            yield load_document(name)
        except TemplateError:
            continue  # The check reported it as a fault.


def why_only_nested(bucket: JudgedBucket) -> str:
    """Return why a bucket accepts plain HTTP although its own template alone proves it."""
    why = bucket.verdict.why if isinstance(bucket.verdict, Refuted) else ""
    return f"it is open only with the values from the stack that nests it: {why}"
