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
import datetime
import re
import sys
from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import Literal, cast

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3

from secure_bucket.cdk.fix.outcome import Fixed, Left, Outcome
from secure_bucket.cdk.gate.acknowledgments import find_construct, read_acknowledgments
from secure_bucket.cdk.gate.after_synth import wrap_synth
from secure_bucket.cdk.gate.cloud_assembly import imported_buckets
from secure_bucket.cdk.gate.own_deny import about_own_deny
from secure_bucket.cdk.gate.record import write_record
from secure_bucket.cdk.gate.state import AppState, state_of
from secure_bucket.cdk.gate.violations import (
    IMPORTED_BUCKET,
    PLUGIN,
    fails,
    id_of,
    of_end,
    of_fault,
    of_finding,
    of_import,
    of_lost,
    of_sum,
)
from secure_bucket.cdk.versions import (
    PolicyViolation,
    has_acknowledgments,
    has_reliable_plugins,
    implements,
    require_cdk,
)
from secure_bucket.checks.check import check_assembly
from secure_bucket.checks.judged_files import forget_judged_files, write_judged_files
from secure_bucket.errors import TemplateError
from secure_bucket.findings.acknowledgments import RecordedException, expiry_of
from secure_bucket.findings.finding import Finding, GrantedException, Level, Report
from secure_bucket.findings.rules import REFUTED, RULES, UNDECIDED, UNREAD
from secure_bucket.findings.rules.sb010 import describe_unread
from secure_bucket.proof.verdict import Proven
from secure_bucket.template.manifest import StackArtifact, read_manifests
from secure_bucket.template.resolve import Acknowledged
from secure_bucket.version import installed_version

__all__ = ["Gate", "SecureTransportValidation", "new_gate"]

# Buckets that AWS owns, or whose policy the bootstrap stack of the AWS CDK writes, with the deny.
_OF_AWS = re.compile(
    r":s3:::(?:aws-(?:codedeploy|ssm|windows-downloads|glue-assets)-|amazoncloudwatch-agent|elasticmapreduce$|"
    r"prod-[a-z0-9-]*-starport-layer-bucket$|cdk-[a-z0-9]+-assets-)|\.elasticmapreduce$"
)

_NAMES = {id_of(rule.id): rule.name for rule in RULES} | {id_of(IMPORTED_BUCKET): IMPORTED_BUCKET}


class Gate:
    """Judge a synthesized app, and say what fails it.

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

    def judge(self, app: cdk.App, templates: Iterable[str] = ()) -> list[PolicyViolation]:
        """Judge the finished assembly of an app.

        Args:
            app: The app.
            templates: Files that have to be among those that are judged.
        """
        try:
            state = state_of(app)
            if self._stands_by and state.judged_by_hand:
                return []
            state.judged_by_hand = not self._stands_by
            state.tighten(self)
            return self._judge(app, templates, state)
        except Exception as fault:
            # INVARIANT: nothing is raised from here. The CDK ignores a plugin that raises, and `cdk synth`
            # would exit with 0.
            return [of_fault(fault)]

    def stand_by(self) -> None:
        """Leave the judgement to a gate that was registered before this one."""
        self._stands_by = True

    def join(self, other: Gate) -> None:
        """Be as strict, and as talkative, as another gate that somebody asked for."""
        if other._undecided is Level.ERROR:
            self._undecided = Level.ERROR
        self._quiet = self._quiet and other._quiet

    def _judge(self, app: cdk.App, templates: Iterable[str], state: AppState) -> list[PolicyViolation]:
        directory = Path(app.outdir)
        today = datetime.date.today()
        forget_judged_files(directory)
        report = check_assembly(directory, exceptions_as_of=None if has_acknowledgments() else today)
        _demand_every_template(report, templates)
        assembly = read_manifests(directory)
        acknowledgments = read_acknowledgments(app, assembly)

        violations: list[PolicyViolation] = []
        granted: dict[Acknowledged, list[tuple[str, str]]] = {}

        def is_acknowledged(rule: str, path: str, message: str) -> bool:
            covering = acknowledgments.covering(id_of(rule), path)
            if covering:
                granted.setdefault(covering, []).append((path, message))
            return covering is not None

        # Errors in a stack that the command line shows only when it is asked for that stack.
        selectable: list[str] = []
        for finding in report.findings:
            finding = about_own_deny(app, finding)
            path = finding.construct_path
            stack = assembly.stack_of(path)
            hidden = stack is None or stack.stage != ""
            level = self._undecided if finding.rule in (UNDECIDED, UNREAD) else finding.level
            acknowledged = is_acknowledged(finding.rule, path, finding.message)
            hint = _hint(finding, stack, state)
            violations.append(
                of_finding(finding, level, repeat_on_app=hidden and not acknowledged, hint=hint)
            )
            if level is Level.ERROR and not hidden and not acknowledged:
                selectable.append(path)
        if selectable:
            violations.append(of_sum(selectable))
        accepted = sum(map(len, granted.values())) + sum(len(each.findings) for each in report.exceptions)

        imports = _foreign_buckets(app, directory, report)
        for arn, paths in imports:
            repeat = False
            for path in paths:
                stack = assembly.stack_of(path)
                acknowledged = is_acknowledged(IMPORTED_BUCKET, path, f"imported bucket `{path}`")
                repeat |= (stack is None or stack.stage != "") and not acknowledged
            violations.append(of_import(paths, arn, repeat_on_app=repeat))

        # Hold the exceptions against the day: each one holds up to and including its last.
        exceptions: list[RecordedException] = []
        for each, covered in sorted(granted.items(), key=lambda item: (item[0].path, item[0].id)):
            end = expiry_of(each.reason)
            holds = end is None or (isinstance(end, datetime.date) and today <= end)
            holds = holds and each.reason.strip() != ""
            expires = None if end is None else str(end)
            where = tuple(path for path, _ in covered)
            exceptions.append(RecordedException(each.id, each.path, each.reason, expires, holds, where))
            if not holds:
                violations += [of_end(each, end, message) for _, message in covered]
        violations += [of_lost(*lost) for lost in acknowledgments.without_effect(granted, _NAMES)]
        proven = {each.construct_path for each in report.buckets if isinstance(each.verdict, Proven)}
        outcomes = {path: _as_it_came_out(outcome, proven) for path, outcome in state.outcomes.items()}
        if state.gate is not None:
            # Whoever registers a gate by hand has had no chance to remove the record of an earlier synthesis,
            # and a plugin must not change what it finds.
            write_record(directory, outcomes, [*exceptions, *map(_declared, report.exceptions)])
            write_judged_files(directory, (*assembly.files, *report.templates))
        if not self._quiet:
            fixed = [outcome for outcome in outcomes.values() if isinstance(outcome, Fixed)]
            for outcome in fixed:
                _say(f"{PLUGIN} fixed {outcome}")
            _say(_summary(report, accepted, len(imports), len(fixed)))
        return violations


@implements("IPolicyValidationPlugin")
class SecureTransportValidation(Gate):
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
        MissingDependencyError: The CDK is too old for a plugin that always fails the synthesis; use
            `enforce_secure_transport(app)` there.
        ValueError: `undecided` is neither.
    """

    def __init__(self, *, undecided: Literal["error", "warning"] = "error", quiet: bool = False) -> None:
        require_cdk("SecureTransportValidation")
        super().__init__(undecided=undecided, quiet=quiet)

    @property
    def name(self) -> str:
        """The name in the validation report, and in front of each acknowledgment id."""
        return PLUGIN

    @property
    def version(self) -> str:
        """The version of this library."""
        return installed_version()

    @property
    def rule_ids(self) -> list[str]:
        """The rules that it checks."""
        return [rule.id for rule in RULES]

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        """Judge the finished assembly; the AWS CDK calls this."""
        try:
            violations = self.judge(cast(cdk.App, context.app_construct), context.template_paths)
        except Exception as fault:
            violations = [of_fault(fault)]
        return cdk.PolicyValidationPluginReport(
            success=not any(map(fails, violations)), violations=violations
        )


def new_gate(*, undecided: Literal["error", "warning"], quiet: bool) -> Gate:
    """Return a gate for `AppState.register`: a plugin, where this CDK fails the synthesis for one."""
    if has_reliable_plugins():
        return SecureTransportValidation(undecided=undecided, quiet=quiet)
    wrap_synth()
    return Gate(undecided=undecided, quiet=quiet)


def _as_it_came_out(outcome: Outcome, proven: Container[str]) -> Outcome:
    """Return what FIX did as the finished templates have it: a bucket that is not proven was not fixed."""
    if isinstance(outcome, Fixed) and outcome.bucket not in proven:
        return Left(outcome.bucket, f"the deny in `{outcome.policy}` was undone by what came after FIX")
    return outcome


def _declared(exception: GrantedException) -> RecordedException:
    """Record an exception of the `Metadata` of a resource, for a CDK without acknowledgments."""
    end = None if exception.expires is None else str(exception.expires)
    paths = tuple(finding.construct_path for finding in exception.findings)
    path = paths[0] if paths else exception.construct_path
    return RecordedException(id_of(exception.rule), path, exception.reason, end, not exception.expired, paths)


def _hint(finding: Finding, stack: StackArtifact | None, state: AppState) -> str:
    """What there is to say about a finding that FIX would have mended, had it got there, or dared."""
    outcome = state.outcomes.get(finding.construct_path)
    if isinstance(outcome, Left):
        return f"(FIX left it as it is: {outcome.why}.)"
    if isinstance(outcome, Fixed) and finding.rule in (REFUTED, UNDECIDED):
        return f"(FIX wrote the deny into `{outcome.policy}`, and what came after it undid that.)"
    if stack is not None and any(f"{stack.path}/".startswith(stage) for stage in state.synthesized):
        return (
            f"(FIX did not reach the stack `{stack.path}`: its Stage was synthesized before the call of "
            "`enforce_secure_transport`, as CDK Pipelines does in `add_stage`. Call it before that.)"
        )
    if not state.fixed or stack is None or stack.path in state.fixed:
        return ""
    if state.entered:
        return (
            f"(FIX did not reach the stack `{stack.path}`: its Stage was made after the call of "
            "`enforce_secure_transport`, and no `s3.Bucket` is in it. Call it once the Stage is there.)"
        )
    scope = "the Stage" if stack.stage else "the stack"
    return (
        f"(FIX did not reach the stack `{stack.path}`: an Aspect does not enter a Stage from outside. "
        f"Attach one to {scope} itself: `cdk.Aspects.of(…).add(SecureTransportAspect(mode=Mode.FIX))`, "
        "or use `enforce_secure_transport(app, mode=Mode.FIX)` instead.)"
    )


def _demand_every_template(report: Report, templates: Iterable[str]) -> None:
    for fault in report.faults:
        raise TemplateError(fault.message)
    judged = {Path(template).resolve() for template in report.templates}
    for template in templates:
        if Path(template).resolve() not in judged:
            raise TemplateError(f"`{template}` is part of the app, but was not judged")


def _foreign_buckets(app: cdk.App, directory: Path, report: Report) -> list[tuple[object, list[str]]]:
    """Return the ARNs of the buckets that the app imports from elsewhere, with the paths that import each."""
    own = {bucket.logical_id for bucket in report.buckets}
    foreign: list[tuple[object, list[str]]] = []
    for path in imported_buckets(directory):
        bucket = find_construct(app, path)
        if bucket is not None:
            arn = _literal(cdk.Stack.of(bucket).resolve(cast(s3.IBucket, bucket).bucket_arn))
            if own.intersection(_referenced(arn)) or (isinstance(arn, str) and _OF_AWS.search(arn)):
                continue
            paths = next((paths for other, paths in foreign if other == arn), None)
            if paths is None:
                foreign.append((arn, [path]))
            else:
                paths.append(path)
    return foreign


def _literal(arn: object) -> object:
    """Return an ARN of which only the partition is open as its owner can paste it; another one as it is."""
    match arn:
        case {"Fn::Join": ["", [str(first), {"Ref": "AWS::Partition"}, *rest]]} if all(
            isinstance(part, str) for part in rest
        ):
            # Who deploys to another partition than `aws` names a Region, and the AWS CDK its partition.
            return "".join([first, "aws", *rest])
        case _:
            return arn


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


def _summary(report: Report, acknowledged: int, imported: int, fixed: int) -> str:
    total = len(report.buckets)
    counts = [f"{total} bucket{'' if total == 1 else 's'}", f"{report.proven} proven"]
    for number, what in (
        (fixed, "of them fixed"),
        (report.refuted, "answering plain HTTP"),
        (report.undecided, "undecided"),
        (acknowledged, "acknowledged"),
        (len(report.not_applicable), "of another kind (not judged)"),
        (len(report.never_created), "never created"),
        (imported, "imported (not covered)"),
    ):
        if number:
            counts.append(f"{number} {what}")
    if report.partners:
        counts.append(f"proven only together with {', '.join(f'`{name}`' for name in report.partners)}")
    if report.unread:
        counts.append(describe_unread(report.unread))
    return f"{PLUGIN}: {', '.join(counts)}"


def _say(line: str) -> None:
    # stdout belongs to the template. A stderr that is gone is no reason to fail a synthesis.
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            print(line, file=sys.stderr, flush=True)
