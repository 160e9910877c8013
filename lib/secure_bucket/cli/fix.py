"""Run `secure-bucket fix`: add the deny to every bucket that provably accepts plain HTTP."""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from secure_bucket.checks.check import Settings
from secure_bucket.checks.check_paths import CheckOptions, checked_targets
from secure_bucket.checks.check_targets import merge_reports
from secure_bucket.checks.find_targets import STDIN, TargetKind
from secure_bucket.checks.read_target import standard_input
from secure_bucket.cli.arguments.common import refuse_empty
from secure_bucket.cli.buckets_to_leave import (
    BucketsToLeave,
    given_templates,
    open_buckets,
    policies_in_other_templates,
    templates_in_assemblies,
    why_only_nested,
)
from secure_bucket.cli.codes import COULD_NOT_RUN, PROVEN, REFUTED, UNDECIDED
from secure_bucket.cli.config import Config, config_of
from secure_bucket.cli.exits import is_undecided
from secure_bucket.cli.fix_options import FixOptions, fix_options
from secure_bucket.cli.fix_source import SourceFix, fix_sources
from secure_bucket.cli.fix_synth import read_templates, synthesize, unproven_and_changed
from secure_bucket.cli.frame import ClaimOptions
from secure_bucket.cli.output import Progress, to_stderr
from secure_bucket.cli.rewrite import replace_file, show_difference, unreadable, write_utf8
from secure_bucket.errors import SecureBucketError
from secure_bucket.findings.finding import Fault, JudgedBucket, Level, Report
from secure_bucket.formats.summary import count
from secure_bucket.proof.verdict import Proven, Refuted, Undecided
from secure_bucket.repair import MADE_BY_CDK, repair_document
from secure_bucket.template import Document, parse_document
from secure_bucket.template.load import STDIN_NAME, read_bytes

__all__ = ["fix_paths", "run"]

_BOM = "\ufeff"


def run(arguments: argparse.Namespace) -> int:
    """Fix the given templates, or show the changes.

    Returns:
        The exit code.

    Raises:
        SecureBucketError: If the arguments contradict each other, or the settings cannot be read.
    """
    config = config_of(arguments)
    options = fix_options(
        arguments,
        config,
        write=bool(arguments.write),
        synthesized=arguments.synthesized,
        synth=arguments.synth or "",
        plain_viewers=arguments.plain_viewers,
    )
    return fix_paths(options, config)


def fix_paths(options: FixOptions, config: Config) -> int:
    """Fix templates, or show the changes, and return the exit code.

    Raises:
        SecureBucketError: If the options contradict each other.
    """
    refuse_empty(PATH=options.paths)
    if STDIN in options.paths and len(options.paths) > 1:
        raise SecureBucketError("`-` fixes standard input: give no other PATH with it")
    if options.synth and not options.write:
        raise SecureBucketError("--synth needs --write: without it the program does not change")
    claim = ClaimOptions(options.strict, None)
    asked = CheckOptions(
        options.paths,
        Settings(options.strict, None, datetime.date.today()),
        options.exclude,
        options.together,
        jobs=config.jobs,
    )
    with Progress(None, shown=not options.quiet, what="looked at") as progress:
        targets, pairs = checked_targets(asked, progress)
    report = merge_reports(pairs)
    fruitless = (
        Fault(path, f"`{path}` contains no template") for path in targets.fruitless(options.paths, report)
    )
    report = claim.grant(replace(report, faults=(*targets.faults, *report.faults, *fruitless)), config)
    synthesized = frozenset() if options.synthesized else templates_in_assemblies(pairs)
    to_leave = BucketsToLeave(
        report,
        policies_in_other_templates(report),
        given_templates(targets, pairs),
        synthesized,
        options.plain_viewers,
    )
    assemblies = (
        [] if options.synthesized else [each.path for each, _ in pairs if each.kind is TargetKind.ASSEMBLY]
    )
    if options.synth and not assemblies:
        raise SecureBucketError("--synth needs a cloud assembly (cdk.out) among the PATHs")
    fix = _Fix(options, report, to_leave, assemblies)
    fix.fix_files()
    if report.buckets and not options.quiet:
        fix.summarize()
    return fix.exit_code()


class _Fix(Struct):
    """One run, with its results so far.

    Args:
        options: The options of the fix.
        report: The report of the check before the fix.
        to_leave: Finds the buckets to leave.
        assemblies: The cloud assemblies whose buckets are fixed in the program.
        source: The results for those buckets.
        fixed: The number of buckets that the changes prove.
        refuted: The number of remaining buckets and policies that accept plain HTTP.
        undecided: The number of remaining buckets and policies that are undecided.
        excepted: The number of buckets that an exception leaves unchanged.
        faults: The errors.
    """

    options: FixOptions
    report: Report
    to_leave: BucketsToLeave
    assemblies: Sequence[str] = ()
    source: SourceFix = SourceFix()
    fixed: int = 0
    refuted: int = 0
    undecided: int = 0
    excepted: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def filters(self) -> bool:
        """Whether the template goes from standard input to standard output."""
        return STDIN in self.options.paths and not self.options.diff

    @property
    def writes(self) -> bool:
        """Whether to make the changes, and not only show them."""
        return self.filters or (self.options.write and STDIN not in self.options.paths)

    def fix_files(self) -> None:
        """Fix every file."""
        report = self.report
        # Without `tell_left`, the report of the check lists them.
        for fault in report.faults if self.options.tell_left else ():
            self._fault(fault.message)
        if not (report.buckets or report.findings or report.faults):
            if not self.options.tell_left:
                return
            paths = [STDIN_NAME if path == STDIN else path for path in self.options.paths]
            named = ", ".join(f"`{path}`" for path in paths[:5])
            self._fault(f"there is no bucket in {named}: a fix needs at least one bucket to pass")
            return
        files: dict[str, list[JudgedBucket]] = {}
        for bucket in report.buckets:
            files.setdefault(bucket.template, []).append(bucket)
        if self.assemblies:
            self._program(files)
        for file, buckets in files.items():
            if self.filters or not all(isinstance(bucket.verdict, Proven) for bucket in buckets):
                try:
                    self._file(file, buckets)
                except (SecureBucketError, OSError, ValueError) as error:
                    self._fault(unreadable(file, error))
                    self.undecided += sum(isinstance(each.verdict, Undecided) for each in buckets)
                    self.refuted += sum(isinstance(each.verdict, Refuted) for each in buckets)
        for finding in report.findings:
            if finding.rule == "SB005" and finding.level is Level.ERROR:
                self._leave(is_undecided(finding), f"{finding.at}: {finding.message}: fix it by hand")

    def summarize(self) -> None:
        """Print the numbers of proven, fixed and remaining buckets."""
        parts = [f"{count(len(self.report.buckets), 'bucket')}: {self.report.proven:,} proven before"]
        if self.writes:
            parts.append(f"{self.fixed:,} fixed")
        else:
            parts.append(f"{self.fixed:,} to fix{' with --write' if self.fixed else ''}")
        parts.append(f"{self.refuted + self.undecided + self.excepted:,} left")
        to_stderr(f"secure-bucket: {', '.join(parts)}")

    def exit_code(self) -> int:
        """Return the exit code of `check` after the fix, and 1 if `--write` would change a file."""
        if self.faults:
            return COULD_NOT_RUN
        if self.refuted or (self.fixed and not self.writes):
            return REFUTED
        return UNDECIDED if self.undecided and self.options.undecided_fails else PROVEN

    def _program(self, files: Mapping[str, Sequence[JudgedBucket]]) -> None:
        """Fix the buckets of the cloud assemblies in the program, and synthesize it again if asked to."""
        fixable = frozenset(
            (file, logical_id)
            for file, buckets in files.items()
            for logical_id, why in self.to_leave.in_file(file, buckets).items()
            if why == MADE_BY_CDK
        )
        options = self.options
        before = read_templates(self.report.templates) if options.synth else {}
        self.source = fix_sources(
            self.assemblies,
            self.report.buckets,
            fixable,
            write=options.write,
            colour=options.colour,
            quiet=options.quiet,
        )
        for fault in self.source.faults:
            self._fault(fault)
        if not self.source.fixed or not options.write:
            return
        if not options.synth:
            self._leave(False, "the templates are unchanged: synthesize the app again, and check it")
            return
        synthesize(options.synth)
        unproven, changed = unproven_and_changed(
            self.assemblies, self.source.fixed, before, strict=options.strict
        )
        for each in unproven:
            self._leave(True, f"bucket {each} is not proven after `{options.synth}`: look at its policy")
        for each in changed:
            self._leave(True, f"{each} changed as well, besides the policies of the fixed buckets")
        if not unproven and not changed and not options.quiet:
            proven = count(len(self.source.fixed), "fixed bucket")
            to_stderr(f"secure-bucket: {proven} proven after `{options.synth}`; nothing else changed")

    def _fault(self, message: str) -> None:
        self.faults.append(message)
        to_stderr(f"secure-bucket: {message}")

    def _leave(self, undecided: bool, message: str) -> None:
        if undecided:
            self.undecided += 1
        else:
            self.refuted += 1
        if self.options.tell_left:
            to_stderr(f"secure-bucket: {message}")

    def _file(self, file: str, buckets: Sequence[JudgedBucket]) -> None:
        data = standard_input() if file == STDIN_NAME else read_bytes(file)
        left = open_buckets(buckets)
        leave = self.to_leave.in_file(file, buckets)
        repair = repair_document(
            parse_document(data, file),
            strict=self.options.strict,
            synthesized=self.options.synthesized,
            leave=leave,
        )
        self._deliver(file, data, repair.document)
        for fixed in repair.fixed:
            left.pop(fixed.logical_id, None)
            self.fixed += 1
            what = f"{fixed.what}; but look at it: {fixed.note}" if fixed.note else fixed.what
            if fixed.note or not self.options.quiet:
                to_stderr(f"secure-bucket: {fixed.at}: bucket `{fixed.logical_id}`: {what}")
        reasons = {each.logical_id: each.why for each in repair.left}
        excepted = self.to_leave.excepted(file)
        for logical_id, bucket in left.items():
            if (file, logical_id) in self.source.fixed:
                self.fixed += 1
                continue
            why = (
                self.source.left.get((file, logical_id))
                or leave.get(logical_id)
                or reasons.get(logical_id)
                or why_only_nested(bucket)
            )
            if why == MADE_BY_CDK:
                why = f"{why}; --synthesized fixes it anyway"
            message = f"{bucket.at}: bucket `{logical_id}` is left as it is: {why}"
            if logical_id in excepted:
                self.excepted += 1
                if self.options.tell_left and not self.options.quiet:
                    to_stderr(f"secure-bucket: {message}")
            else:
                self._leave(isinstance(bucket.verdict, Undecided), message)

    def _deliver(self, file: str, data: bytes, document: Document) -> None:
        """Show the difference, or write the template."""
        before = data.decode("utf-8")
        after = (_BOM if before.startswith(_BOM) else "") + document.text
        if self.filters:
            write_utf8(after)
        elif before != after:
            if self.options.diff or not self.options.write:
                show_difference(before, after, file, colour=self.options.colour)
            if self.options.write and file != STDIN_NAME:
                replace_file(file, data, after)
