"""The gate: a validation plugin that judges what `cdk synth` wrote, and fails it.

The order in which the AWS CDK works makes this the place to judge from. Aspects and construct code
write; then the Stages are synthesized, then the App; then, once, the plugins on the App are called,
with every template of the whole assembly on disk as it will be deployed.

Three habits of the CDK would let a finding pass in silence, and are answered here:

- The command line shows, and fails for, only what belongs to the stacks it was asked for, which without
  arguments are those outside of any Stage. What belongs to the App itself always counts: a finding
  inside a Stage is reported there as well, and so is the sum of the others.
- A plugin that raises is ignored. Every fault here becomes a violation.
- Templates of nested stacks are not handed to plugins. They are read through the assembly.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast
from weakref import WeakKeyDictionary

import aws_cdk as cdk
import jsii
from aws_cdk import aws_s3 as s3
from constructs import IConstruct

import secure_bucket
from secure_bucket.cdk.acknowledgments import Acknowledgment, find_construct, read_acknowledgments
from secure_bucket.cdk.cloud_assembly import StackArtifact, imported_buckets, read_cloud_assembly
from secure_bucket.cdk.fix import Fixer
from secure_bucket.cdk.violations import (
    IMPORTED_BUCKET,
    PLUGIN,
    id_of,
    of_fault,
    of_finding,
    of_import,
    of_lost,
    of_sum,
)
from secure_bucket.errors import TemplateError
from secure_bucket.findings.check import check_assembly
from secure_bucket.findings.finding import Level, Report
from secure_bucket.findings.rules import RULES

__all__ = ["SecureTransportValidation"]

_UNDECIDED = "SB002"

_NAMES = {id_of(rule.id): rule.name for rule in RULES} | {id_of(IMPORTED_BUCKET): IMPORTED_BUCKET}


@jsii.implements(cdk.IPolicyValidationPlugin)
class SecureTransportValidation:
    """Fail the synthesis while any bucket of the app is not proven to refuse plain HTTP.

        cdk.Validations.of(app).add_plugins(SecureTransportValidation())

    Register it on the App, once. It judges the finished templates of the whole assembly: those of
    Stages and of nested stacks, and what aspects and overrides did to them, included. A finding that
    somebody accepts is acknowledged on its bucket, or around it:

        cdk.Validations.of(bucket).acknowledge(
            cdk.Acknowledgment(id="secure-bucket::SB001", reason="read by a device that has no TLS")
        )

    Args:
        undecided: What a bucket is about which something needed is not known: an `"error"` unless set
            to `"warning"`.
        quiet: Keep the summary line from stderr.

    Raises:
        ValueError: `undecided` is neither.
    """

    def __init__(self, *, undecided: Literal["error", "warning"] = "error", quiet: bool = False) -> None:
        if undecided not in ("error", "warning"):
            raise ValueError(f'undecided={undecided!r}: use "error" (the default) or "warning"')
        self._undecided = Level(undecided)
        self._quiet = quiet
        self._stands_by = False

    @property
    def name(self) -> str:
        """The name in the validation report, and in front of each acknowledgment id."""
        return PLUGIN

    @property
    def version(self) -> str:
        """The version of this library."""
        return secure_bucket.__version__

    @property
    def rule_ids(self) -> list[str]:
        """The rules that it checks."""
        return [rule.id for rule in RULES]

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        """Judge the finished assembly; the AWS CDK calls this."""
        try:
            app = cast(cdk.App, context.app_construct)
            state = state_of(app)
            if self._stands_by and state.judged_by_hand:
                return _report([])
            state.judged_by_hand = not self._stands_by
            state.tighten(self)
            return _report(self._judge(app, context.template_paths, state.fixed))
        except Exception as fault:
            # INVARIANT: nothing is raised from here. The CDK ignores a plugin that raises, and `cdk synth`
            # would exit with 0.
            return _report([of_fault(fault)])

    def _judge(self, app: cdk.App, templates: Iterable[str], fixed: set[str]) -> list[cdk.PolicyViolation]:
        directory = Path(app.outdir)
        report = check_assembly(directory)
        _demand_every_template(report, templates)
        assembly = read_cloud_assembly(directory)
        acknowledgments = read_acknowledgments(app, assembly)

        used: list[Acknowledgment] = []

        def is_acknowledged(rule: str, path: str) -> bool:
            covering = acknowledgments.covering(id_of(rule), path)
            if covering:
                used.append(covering)
            return covering is not None

        violations: list[cdk.PolicyViolation] = []
        # Errors in a stack that the command line shows only when it is asked for that stack.
        selectable: list[str] = []
        for finding in report.findings:
            path = finding.construct_path
            stack = assembly.stack_of(path)
            hidden = stack is None or stack.in_stage
            level = self._undecided if finding.rule == _UNDECIDED else finding.level
            acknowledged = is_acknowledged(finding.rule, path)
            hint = _hint(stack, fixed)
            violations.append(
                of_finding(finding, level, repeat_on_app=hidden and not acknowledged, hint=hint)
            )
            if level is Level.ERROR and not hidden and not acknowledged:
                selectable.append(path)
        if selectable:
            violations.append(of_sum(selectable))
        accepted = len(used)

        imports = _foreign_buckets(app, directory, report)
        for path, arn in imports.items():
            stack = assembly.stack_of(path)
            hidden = stack is None or stack.in_stage
            acknowledged = is_acknowledged(IMPORTED_BUCKET, path)
            violations.append(of_import(path, arn, repeat_on_app=hidden and not acknowledged))

        violations += [of_lost(*lost) for lost in acknowledgments.without_effect(used, _NAMES)]
        if not self._quiet:
            _say(_summary(report, accepted, len(imports)))
        return violations


@dataclass(slots=True)
class AppState:
    """What the Aspects in an app and its gates know of each other.

    Args:
        gate: The gate that the Aspects have registered.
        judged_by_hand: Whether a gate that somebody registered by hand has judged the app. It comes
            first, because the Aspects register theirs during the synthesis.
        fixer: What mends buckets for every Aspect in FIX mode, so that all know what one of them did.
        fixed: The construct paths of the stacks that such an Aspect went through.
    """

    gate: SecureTransportValidation | None = None
    judged_by_hand: bool = False
    fixer: Fixer = field(default_factory=Fixer)
    fixed: set[str] = field(default_factory=set)

    def register(self, app: IConstruct, asked_for: SecureTransportValidation) -> None:
        """Register the gate that an Aspect asks for; the strictest, when several ask for one."""
        if self.gate is None:
            self.gate = asked_for
            asked_for._stands_by = True
            cdk.Validations.of(app).add_plugins(asked_for)
        else:
            self._merge(self.gate, asked_for)

    def tighten(self, judging: SecureTransportValidation) -> None:
        """Let the gate that is about to judge be as strict as what the Aspects asked for."""
        if self.gate is not None:
            self._merge(judging, self.gate)

    @staticmethod
    def _merge(into: SecureTransportValidation, other: SecureTransportValidation) -> None:
        if other._undecided is Level.ERROR:
            into._undecided = Level.ERROR
        into._quiet = into._quiet and other._quiet


_states: WeakKeyDictionary[IConstruct, AppState] = WeakKeyDictionary()


def state_of(app: IConstruct) -> AppState:
    """Return the state of an app."""
    return _states.setdefault(app, AppState())


def _hint(stack: StackArtifact | None, fixed: set[str]) -> str:
    """What to do about a finding that an Aspect in FIX mode would have mended, had it got there."""
    if not fixed or stack is None or stack.path in fixed:
        return ""
    scope = "the Stage" if stack.in_stage else "the stack"
    return (
        f"FIX did not reach the stack `{stack.path}`: an Aspect does not enter a Stage from outside. "
        f"Attach one to {scope} itself: `cdk.Aspects.of(…).add(SecureTransportAspect(mode=Mode.FIX))`"
    )


def _demand_every_template(report: Report, templates: Iterable[str]) -> None:
    for fault in report.faults:
        raise TemplateError(fault.message)
    judged = {Path(template).resolve() for template in report.templates}
    for template in templates:
        if Path(template).resolve() not in judged:
            raise TemplateError(f"`{template}` is part of the app, but was not judged")


def _foreign_buckets(app: cdk.App, directory: Path, report: Report) -> dict[str, object]:
    """The ARNs of the buckets that the app imports from elsewhere, by construct path."""
    own = {bucket.logical_id for bucket in report.buckets}
    foreign: dict[str, object] = {}
    for path in imported_buckets(directory):
        bucket = find_construct(app, path)
        if bucket is not None:
            arn = cdk.Stack.of(bucket).resolve(cast(s3.IBucket, bucket).bucket_arn)
            if not own.intersection(_referenced(arn)):
                foreign[path] = arn
    return foreign


def _referenced(value: object) -> Iterator[str]:
    """The logical ids that a resolved value refers to."""
    if isinstance(value, list):
        for each in value:
            yield from _referenced(each)
    elif isinstance(value, dict):
        for function, argument in value.items():
            if function == "Ref":
                yield argument
            elif function == "Fn::GetAtt":
                yield argument[0]
            else:
                yield from _referenced(argument)


def _summary(report: Report, acknowledged: int, imported: int) -> str:
    total = len(report.buckets)
    counts = [f"{total} bucket{'' if total == 1 else 's'}", f"{report.proven} proven"]
    for number, what in (
        (report.refuted, "answering plain HTTP"),
        (report.undecided, "undecided"),
        (acknowledged, "acknowledged"),
        (len(report.not_applicable), "of another kind (not judged)"),
        (imported, "imported (not covered)"),
    ):
        if number:
            counts.append(f"{number} {what}")
    return f"{PLUGIN}: {', '.join(counts)}"


def _say(line: str) -> None:
    # stdout belongs to the template. A stderr that is gone is no reason to fail a synthesis.
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            print(line, file=sys.stderr, flush=True)


def _report(violations: list[cdk.PolicyViolation]) -> cdk.PolicyValidationPluginReport:
    return cdk.PolicyValidationPluginReport(
        success=all(violation.severity not in ("error", "fatal") for violation in violations),
        violations=violations,
    )
