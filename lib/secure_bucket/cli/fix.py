"""`secure-bucket fix`: the deny for every bucket that provably answers plain HTTP."""

from __future__ import annotations

import argparse
import datetime
import os
from collections.abc import Iterator, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from secure_bucket.checks.check_targets import (
    STDIN_NAME,
    Settings,
    check_all,
    check_together,
    merge_reports,
    standard_input,
)
from secure_bucket.checks.find_targets import STDIN, Kind, Target, Targets, find_targets
from secure_bucket.cli.codes import COULD_NOT_RUN, PROVEN, REFUTED, UNDECIDED
from secure_bucket.cli.config import Config, config_of
from secure_bucket.cli.exits import is_undecided
from secure_bucket.cli.output import Progress, to_stderr
from secure_bucket.cli.rewrite import pass_on, replace_file, show_difference
from secure_bucket.errors import SecureBucketError, TemplateError
from secure_bucket.findings.finding import Fault, JudgedBucket, Level, Report
from secure_bucket.findings.rules import REFUTED as REFUTED_RULE
from secure_bucket.findings.rules import rule_of
from secure_bucket.formats.summary import count
from secure_bucket.proof.verdict import Proven, Refuted, Undecided
from secure_bucket.repair import MADE_BY_CDK, policies_elsewhere, repair_document
from secure_bucket.template import Document, load_document, parse_document
from secure_bucket.template.load import read_bytes

__all__ = ["run"]

_BOM = "\ufeff"


def run(arguments: argparse.Namespace) -> int:
    """Fix the templates that the arguments lead to, or show how.

    Returns:
        The exit code.

    Raises:
        SecureBucketError: If it cannot be done at all.
    """
    if "" in arguments.paths:
        raise SecureBucketError("a PATH is empty: is a variable not set?")
    if STDIN in arguments.paths and len(arguments.paths) > 1:
        raise SecureBucketError("`-` fixes standard input: give no other PATH with it")
    config = config_of(arguments)
    strict = bool(config.strict if arguments.strict is None else arguments.strict)
    undecided = arguments.undecided or config.undecided or "error"
    given, pairs = _check(arguments, config, Settings(strict, None, datetime.date.today()))
    report = _report(arguments, given, pairs, config)
    fix = _Fix(arguments, report, strict, _given(given, pairs), _in_assemblies(pairs))
    fix.everything()
    if not arguments.quiet:
        fix.summarize()
    return fix.exit_code(undecided_fails=undecided == "error")


def _check(
    arguments: argparse.Namespace, config: Config, settings: Settings
) -> tuple[Targets, list[tuple[Target, Report]]]:
    targets = find_targets(arguments.paths, exclude=(*config.exclude, *arguments.exclude))
    if arguments.together:
        return targets, list(check_together(targets.found, settings))
    with Progress(len(targets.found), shown=not arguments.quiet, what="looked at") as progress:
        return targets, list(check_all(targets.found, settings, jobs=config.jobs, progress=progress))


def _report(
    arguments: argparse.Namespace, targets: Targets, pairs: list[tuple[Target, Report]], config: Config
) -> Report:
    report = merge_reports(pairs)
    fruitless = [
        Fault(path, f"`{path}` holds no template: nothing was looked at there")
        for path in targets.fruitless(arguments.paths, report)
    ]
    report = replace(report, faults=(*targets.faults, *report.faults, *fruitless))
    if not config.exceptions:
        return report
    from secure_bucket.cli.settings_exceptions import grant_configured

    return grant_configured(report, config, minimum_tls=None, today=datetime.date.today())


def _given(targets: Targets, pairs: list[tuple[Target, Report]]) -> frozenset[str]:
    """Return the templates that the arguments lead to; those that they only nest are not among them."""
    given = {target.path for target in targets.found if target.kind is not Kind.ASSEMBLY}
    for target, report in pairs:
        if target.kind is Kind.ASSEMBLY:
            given.update(map(os.path.normpath, report.templates))
    return frozenset(STDIN_NAME if path == STDIN else path for path in given)


def _in_assemblies(pairs: Sequence[tuple[Target, Report]]) -> frozenset[str]:
    """Return the templates that lie in a cloud assembly."""
    return frozenset(
        name
        for target, report in pairs
        for name in report.templates
        if target.kind is Kind.ASSEMBLY or os.path.isfile(os.path.join(os.path.dirname(name), "cdk.out"))
    )


class _Fix(Struct):
    """One run: what was checked, and what came out so far.

    Args:
        arguments: The arguments.
        report: What a check says before anything is changed.
        strict: Whether `{"AWS": "*"}` does not cover AWS services.
        given: The templates that the arguments lead to.
        synthesized: The templates that a cloud assembly holds.
        fixed: How many buckets the changes prove.
        refuted: How many things are left that answer plain HTTP.
        undecided: How many things are left of which that is not known.
        excepted: How many buckets are left because somebody decided so.
        faults: What could not be done.
    """

    arguments: argparse.Namespace
    report: Report
    strict: bool
    given: frozenset[str]
    synthesized: frozenset[str]
    fixed: int = 0
    refuted: int = 0
    undecided: int = 0
    excepted: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def filters(self) -> bool:
        """Whether the template goes from standard input to standard output."""
        return STDIN in self.arguments.paths and not self.arguments.diff

    @property
    def writes(self) -> bool:
        """Whether changes are made, and not only shown."""
        return self.filters or (bool(self.arguments.write) and STDIN not in self.arguments.paths)

    def everything(self) -> None:
        """Fix every file."""
        report = self.report
        for fault in report.faults:
            self._fault(fault.message)
        if not (report.buckets or report.findings or report.faults):
            paths = [STDIN_NAME if path == STDIN else path for path in self.arguments.paths]
            named = ", ".join(f"`{path}`" for path in paths[:5])
            self._fault(f"there is no bucket in {named}: nothing to fix is not a pass")
            return
        files: dict[str, list[JudgedBucket]] = {}
        for bucket in report.buckets:
            files.setdefault(bucket.template, []).append(bucket)
        elsewhere = self._elsewhere(files)
        for file, buckets in files.items():
            if self.filters or not all(isinstance(bucket.verdict, Proven) for bucket in buckets):
                try:
                    self._file(file, buckets, elsewhere)
                except (SecureBucketError, OSError, ValueError) as error:
                    self._fault(_in_words(file, error))
                    self.undecided += sum(isinstance(each.verdict, Undecided) for each in buckets)
                    self.refuted += sum(isinstance(each.verdict, Refuted) for each in buckets)
        for finding in report.findings:
            if finding.rule == "SB005" and finding.level is Level.ERROR:
                self._leave(is_undecided(finding), f"{finding.at}: {finding.message}: fix it by hand")

    def summarize(self) -> None:
        """Say what was done."""
        parts = [f"{count(len(self.report.buckets), 'bucket')}: {self.report.proven:,} proven before"]
        if self.writes:
            parts.append(f"{self.fixed:,} fixed")
        else:
            parts.append(f"{self.fixed:,} to fix{' with --write' if self.fixed else ''}")
        parts.append(f"{self.refuted + self.undecided + self.excepted:,} left")
        to_stderr(f"secure-bucket: {', '.join(parts)}")

    def exit_code(self, *, undecided_fails: bool) -> int:
        """Return the exit code: as `check` would exit now, and 1 where `--write` would change something."""
        if self.faults:
            return COULD_NOT_RUN
        if self.refuted or (self.fixed and not self.writes):
            return REFUTED
        return UNDECIDED if self.undecided and undecided_fails else PROVEN

    def _fault(self, message: str) -> None:
        self.faults.append(message)
        to_stderr(f"secure-bucket: {message}")

    def _leave(self, undecided: bool, message: str) -> None:
        if undecided:
            self.undecided += 1
        else:
            self.refuted += 1
        to_stderr(f"secure-bucket: {message}")

    def _elsewhere(self, files: dict[str, list[JudgedBucket]]) -> dict[tuple[str, str], str]:
        """Return the buckets whose policies stand in another template, each with why it is left."""
        found: dict[tuple[str, str], str] = {}
        for finding in self.report.findings:
            # What a nested stack is given, and what is imported, has been followed already.
            if finding.rule == REFUTED_RULE and finding.at.file and finding.at.file != finding.template:
                found[finding.template, finding.logical_id] = f"its policy stands in `{finding.at.file}`"
        if len(self.report.templates) > 1 and any(
            isinstance(bucket.verdict, Refuted) for bucket in self.report.buckets
        ):
            policies = policies_elsewhere(self._documents())
            for bucket, (file, policy) in policies.items():
                found.setdefault(bucket, f"its policy `{policy}` stands in `{file}`: add the deny there")
        return found

    def _documents(self) -> Iterator[Document]:
        for name in self.report.templates:
            try:
                yield load_document(name)
            except TemplateError:
                continue  # It is among the faults already.

    def _file(
        self, file: str, buckets: Sequence[JudgedBucket], elsewhere: dict[tuple[str, str], str]
    ) -> None:
        data = standard_input() if file == STDIN_NAME else read_bytes(file)
        # A template that is nested twice has each bucket twice: the worse verdict counts.
        open_buckets: dict[str, JudgedBucket] = {}
        for kind in (Undecided, Refuted):
            open_buckets |= {each.logical_id: each for each in buckets if isinstance(each.verdict, kind)}
        excepted = {
            finding.logical_id: f"an exception is granted: {exception.reason}"
            for exception in self.report.exceptions
            for finding in exception.findings
            if finding.template == file and rule_of(finding).about_verdict
        }
        # A nested template by itself may leave open what is settled by what it is given.
        hands_off = {each.logical_id: "it is proven" for each in buckets}
        for logical_id, bucket in open_buckets.items():
            why = excepted.get(logical_id) or self._hindrance(file, bucket, elsewhere)
            if why:
                hands_off[logical_id] = why
            else:
                del hands_off[logical_id]
        repair = repair_document(
            parse_document(data, file),
            strict=self.strict,
            synthesized=self.arguments.synthesized,
            hands_off=hands_off,
        )
        self._deliver(file, data, repair.document)
        for fixed in repair.fixed:
            open_buckets.pop(fixed.logical_id, None)
            self.fixed += 1
            what = f"{fixed.what}; but look at it: {fixed.note}" if fixed.note else fixed.what
            if fixed.note or not self.arguments.quiet:
                to_stderr(f"secure-bucket: {fixed.at}: bucket `{fixed.logical_id}`: {what}")
        reasons = {left.logical_id: left.why for left in repair.left}
        for logical_id, bucket in open_buckets.items():
            why = hands_off.get(logical_id) or reasons.get(logical_id) or _by_itself(bucket)
            if why == MADE_BY_CDK:
                why = f"{why}; --synthesized fixes it all the same"
            message = f"{bucket.at}: bucket `{logical_id}` is left as it is: {why}"
            if logical_id in excepted:
                self.excepted += 1
                if not self.arguments.quiet:
                    to_stderr(f"secure-bucket: {message}")
            else:
                self._leave(isinstance(bucket.verdict, Undecided), message)

    def _hindrance(self, file: str, bucket: JudgedBucket, elsewhere: dict[tuple[str, str], str]) -> str:
        """Return why a bucket is to be left that its own template would let be fixed; `""` when it is not."""
        if isinstance(bucket.verdict, Undecided):
            reasons = "; ".join(dict.fromkeys(map(str, bucket.verdict.reasons)))
            return f"it cannot be decided: {reasons}"
        if (file, bucket.logical_id) in elsewhere:
            return elsewhere[file, bucket.logical_id]
        if file != STDIN_NAME and os.path.normpath(file) not in self.given:
            return f"only the template that nests `{file}` was given"
        if bucket.viewers and not self.arguments.plain_viewers:
            viewers = "; ".join(bucket.viewers)
            return f"with the deny CloudFront gets 403: {viewers}; --plain-viewers fixes it all the same"
        if file in self.synthesized and not self.arguments.synthesized:
            return MADE_BY_CDK
        return ""

    def _deliver(self, file: str, data: bytes, document: Document) -> None:
        """Show the difference, or write the template."""
        before = data.decode("utf-8")
        after = (_BOM if before.startswith(_BOM) else "") + document.text
        if self.filters:
            pass_on(after)
        elif before != after:
            if self.arguments.diff or not self.arguments.write:
                show_difference(before, after, file, colour=self.arguments.colour)
            if self.arguments.write and file != STDIN_NAME:
                replace_file(file, data, after)


def _by_itself(bucket: JudgedBucket) -> str:
    """Return why a bucket is open of which its own template says that it is not."""
    why = bucket.verdict.why if isinstance(bucket.verdict, Refuted) else ""
    return f"it is open only as the stack that nests it has it: {why}"


def _in_words(file: str, error: Exception) -> str:
    if isinstance(error, OSError):
        return f"`{file}` cannot be read: {error.strerror or error}"
    return " ".join(str(error).split())
