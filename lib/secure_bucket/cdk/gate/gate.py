"""Judge the finished assembly of an app.

The gate judges at the end of the synthesis. First constructs and Aspects run; then the CDK synthesizes the
Stages, and then the App; then it calls the validation plugins of the App once, when every template of the
assembly is on disk as it will be deployed.
"""

from __future__ import annotations

import contextlib
import datetime
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import aws_cdk as cdk

from secure_bucket.cdk.fix.outcome import Fixed
from secure_bucket.cdk.fix.synthesized import outdir_of, path_from_node
from secure_bucket.cdk.gate.about_fix import hint_about_fix, needs_plain_http, outcome_in_templates
from secure_bucket.cdk.gate.acknowledgments import Acknowledgments, read_acknowledgments
from secure_bucket.cdk.gate.after_synth import watch_files
from secure_bucket.cdk.gate.imported_buckets import ImportedBucket, imported_buckets
from secure_bucket.cdk.gate.own_deny import about_own_deny
from secure_bucket.cdk.gate.record import write_record
from secure_bucket.cdk.gate.state import AppState, state_of
from secure_bucket.cdk.gate.summary import summary_of
from secure_bucket.cdk.gate.violations import (
    PLUGIN,
    id_of,
    of_fault,
    of_finding,
    of_import,
    of_sum,
    of_too_early,
)
from secure_bucket.cdk.versions import PolicyViolation, has_reliable_plugins
from secure_bucket.checks.check import Settings
from secure_bucket.checks.cloud_assembly import CheckedAssembly, check_written_assembly
from secure_bucket.checks.judged_files import forget_judged_files, write_judged_files
from secure_bucket.errors import TemplateError
from secure_bucket.findings.acknowledgments import IMPORTED_BUCKET
from secure_bucket.findings.finding import Finding, GrantedException, Level, Report
from secure_bucket.findings.gate_record import RecordedException
from secure_bucket.findings.rules import UNDECIDED, UNREAD
from secure_bucket.proof.verdict import Proven
from secure_bucket.template.leftovers import Leftovers
from secure_bucket.template.manifest import CloudAssembly

__all__ = ["Gate"]


class Gate:
    """Judge a synthesized app, and report the findings that fail it.

    Args:
        undecided: Whether undecided buckets and unread templates are errors or warnings (default: "error").
        quiet: Whether to omit the summary line on stderr (default: False).

    Raises:
        ValueError: `undecided` has another value.
    """

    def __init__(self, *, undecided: Literal["error", "warning"] = "error", quiet: bool = False) -> None:
        if undecided not in ("error", "warning"):
            raise ValueError(f'undecided={undecided!r}: use "error" (the default) or "warning"')
        self._undecided = Level(undecided)
        self._quiet = quiet
        self._stands_by = False

    def judge(self, app: cdk.App, templates: Iterable[str] = ()) -> list[PolicyViolation]:
        """Judge the finished assembly of an app.

        Args:
            app: The app.
            templates: Files that the judgement must include.
        """
        try:
            state = state_of(app)
            if self._stands_by and state.judged_by_hand:
                return []
            state.judged_by_hand = not self._stands_by
            state.judged = True
            state.tighten(self)
            # Refuse the app until the judgement is complete.
            state.refused = True
            if has_reliable_plugins():
                watch_files(app)
            return self._judge(app, templates, state)
        except Exception as fault:
            # INVARIANT: raise nothing from here. The CDK ignores a plugin that raises, and `cdk synth` would
            # exit with 0.
            return [of_fault(fault)]

    def stand_by(self) -> None:
        """Let a gate that was registered earlier judge instead of this one."""
        self._stands_by = True

    def join(self, other: Gate) -> None:
        """Become as strict, and as talkative, as another gate of the app."""
        if other._undecided is Level.ERROR:
            self._undecided = Level.ERROR
        self._quiet = self._quiet and other._quiet

    def _judge(self, app: cdk.App, templates: Iterable[str], state: AppState) -> list[PolicyViolation]:
        directory, today = Path(outdir_of(app)), datetime.date.today()
        forget_judged_files(directory)
        # The AWS CDK grants acknowledgments, and lists them in its own report.
        settings = Settings(today=today, acknowledged=None, notes=False, details=False)
        checked = check_written_assembly(directory, settings, Leftovers(is_fresh=True))
        report, assembly = checked.report, checked.manifests
        _demand_every_template(report, map(path_from_node, templates))

        needy = needs_plain_http(report, state)
        if needy and state.may_repeat:
            # INVARIANT: `_Reach` synthesizes once more, and until then the app is refused.
            state.left |= needy
            state.undo_first = tuple(needy)
            for path in needy:
                del state.outcomes[path]
            return []

        acknowledgments = read_acknowledgments(app, assembly, today)
        violations, refused = self._of_findings(app, checked, acknowledgments, state)
        violations[:0] = (of_too_early(*each) for each in needy.items())
        accepted = sum(map(len, acknowledgments.covered.values()))
        for finding in (each for exception in report.exceptions for each in exception.findings):
            # INVARIANT: an acknowledgment that has expired is not revived by an exception in a template.
            acknowledgments.cover(finding.rule, finding.construct_path, finding.message)
            accepted += 1
        imports = imported_buckets(app, directory, {bucket.logical_id for bucket in report.buckets})
        violations += (_of_import(imported, assembly, acknowledgments) for imported in imports)
        violations += acknowledgments.ended()
        violations += acknowledgments.without_effect()

        proven = {each.construct_path for each in report.buckets if isinstance(each.verdict, Proven)}
        outcomes = {path: outcome_in_templates(outcome, proven) for path, outcome in state.outcomes.items()}
        if state.gate is not None:
            # A gate that the app registers itself cannot remove the record of an earlier synthesis in time,
            # and a plugin must not change existing files.
            exceptions = [*acknowledgments.recorded(), *map(_declared, report.exceptions)]
            write_record(directory, outcomes, exceptions)
            write_judged_files(directory, (*assembly.files, *report.templates), checked.left)
        # A finding that cannot be acknowledged, such as an expired exception, is fatal.
        state.refused = refused or any(each.severity == "fatal" for each in violations)
        if not self._quiet:
            fixed = [outcome for outcome in outcomes.values() if isinstance(outcome, Fixed)]
            for outcome in fixed:
                _say(f"{PLUGIN} fixed {outcome}")
            _say(summary_of(report, accepted, len(imports), len(fixed)))
        return violations

    def _of_findings(
        self, app: cdk.App, checked: CheckedAssembly, acknowledgments: Acknowledgments, state: AppState
    ) -> tuple[list[PolicyViolation], bool]:
        """Return the violations for the findings of the templates, and whether any of them fails the app."""
        violations: list[PolicyViolation] = []
        failing: list[Finding] = []
        some_in_stages = refused = False
        for finding in checked.report.findings:
            finding = about_own_deny(app, finding)
            stack = checked.manifests.stack_of(finding.construct_path)
            level = self._undecided if finding.rule in (UNDECIDED, UNREAD) else finding.level
            acknowledged = acknowledgments.cover(finding.rule, finding.construct_path, finding.message)
            if acknowledged and not has_reliable_plugins():
                # With a plugin, the CDK removes the finding, and lists it in its own report.
                continue
            is_open = level is Level.ERROR and not acknowledged
            in_stage = stack is not None and stack.stage != ""
            # The command line shows findings on the App, and those in the selected stacks. The sum is on the
            # App, and names the open ones.
            on_app = stack is None or (in_stage and not is_open)
            if is_open and stack is not None:
                failing.append(finding)
                some_in_stages = some_in_stages or in_stage
            refused = refused or is_open
            hint = hint_about_fix(finding, stack, state)
            violations.append(of_finding(finding, level, on_app=on_app and not acknowledged, hint=hint))
        if failing:
            violations.append(of_sum(failing, some_in_stages=some_in_stages))
        return violations, refused


def _of_import(
    imported: ImportedBucket, assembly: CloudAssembly, acknowledgments: Acknowledgments
) -> PolicyViolation:
    on_app = False
    for path in imported.paths:
        stack = assembly.stack_of(path)
        acknowledged = acknowledgments.cover(IMPORTED_BUCKET, path, f"imported bucket `{path}`")
        on_app = on_app or (not acknowledged and (stack is None or stack.stage != ""))
    return of_import(imported.paths, imported.arn, on_app=on_app)


def _declared(exception: GrantedException) -> RecordedException:
    """Record an exception of the `Metadata` of a resource, for a CDK without acknowledgments."""
    end = None if exception.expires is None else str(exception.expires)
    paths = tuple(finding.construct_path for finding in exception.findings)
    path = paths[0] if paths else exception.construct_path
    return RecordedException(
        id_of(exception.rule), path, exception.reason, end, not exception.expired, paths, exception.origin
    )


def _demand_every_template(report: Report, templates: Iterable[str]) -> None:
    if report.faults:
        raise TemplateError("; ".join(fault.message for fault in report.faults))
    judged = {Path(template).resolve() for template in report.templates}
    for template in templates:
        if Path(template).resolve() not in judged:
            raise TemplateError(f"`{template}` is part of the app, but was not judged")


def _say(line: str) -> None:
    # stdout is for the template. A closed stderr must not fail a synthesis.
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            print(line, file=sys.stderr, flush=True)
