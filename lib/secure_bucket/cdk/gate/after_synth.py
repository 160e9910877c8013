"""Fail an app after its synthesis, with a CDK that ignores the findings of a plugin.

Before aws-cdk-lib 2.274 (`versions.RELIABLE_PLUGINS`) no plugin is registered. Instead a wrapper around
`synth` of every App raises an error if the gate refuses the assembly. For an app that swallows the error, or
calls `synth` past the wrapper, `process_end` ends the process with 1. The manifest of a refused assembly is
also moved aside, so that `cdk deploy -a cdk.out` rejects the directory.
"""

from __future__ import annotations

import contextlib
import functools
import os
from typing import Any

import aws_cdk as cdk
import jsii
from constructs import IConstruct

from secure_bucket.cdk.fix.synthesized import is_of_this_run, outdir_of
from secure_bucket.cdk.gate.process_end import end_last, is_changed, is_under_the_cli, running, say
from secure_bucket.cdk.gate.state import AppState, find_state, state_of, states
from secure_bucket.cdk.gate.violations import PLUGIN, SUM, fails, id_of
from secure_bucket.cdk.versions import PolicyViolation, has_acknowledgments
from secure_bucket.checks.gate import ManifestStamp, forget_context, refuse_run, stamp_of, waits_for_context
from secure_bucket.errors import NotProvenError, SecureBucketError
from secure_bucket.findings.rules import EXCUSABLE

__all__ = ["WatchedAssembly", "text_of", "watch", "watch_files", "wrap_synth"]

_JUDGES = "judges_for_secure_bucket"


class WatchedAssembly:
    """The assembly of an App, and the judgement of the gate.

    Args:
        app: The App.
    """

    def __init__(self, app: cdk.App) -> None:
        self.directory: str = os.path.abspath(outdir_of(app))
        self.process: int = os.getpid()
        self.refused: bool = False
        # Judge an app that was synthesized before it got its gate at the end.
        self.judged: ManifestStamp | None = None if is_of_this_run(self.directory) else self._stamp()
        self.waits: bool = False

    def _stamp(self) -> ManifestStamp | None:
        # Judge, and refuse, an unreadable assembly.
        with contextlib.suppress(SecureBucketError):
            return stamp_of(self.directory)
        return None

    def judge(self, app: cdk.App) -> str:
        """Judge the assembly, and return the findings that fail it; `""` if nothing fails it."""
        text, self.refused = self._findings(app)
        if text:
            say(text)
        if self.refused:
            with contextlib.suppress(OSError):
                refuse_run(self.directory)
        self.judged = self._stamp()
        return text if self.refused else ""

    def _findings(self, app: cdk.App) -> tuple[str, bool]:
        """Return the findings as text, and whether they fail the app."""
        try:
            # Without the CLI, as in tests, nothing looks context up: judge the placeholders.
            if is_under_the_cli():
                if self.waits:
                    # A repeated call of `synth`: the CDK CLI has not looked anything up yet.
                    forget_context(self.directory)
                self.waits = waits_for_context(self.directory, called_by_cdk=True)
                if self.waits:
                    return "", False
        except SecureBucketError as error:
            return f"{PLUGIN}: {error}", True
        gate = state_of(app).gate
        violations = [] if gate is None else gate.judge(app)
        # The CDK CLI needs the sum in order to fail; here all findings are shown.
        shown = [text_of(each) for each in violations if each.rule_name != SUM]
        return "\n\n".join(shown), any(map(fails, violations))

    def ends_in_failure(self, app: cdk.App, state: AppState) -> bool:
        """Tell at the end of the process whether it must not exit with 0."""
        if os.getpid() != self.process:
            return False
        stamp = self._stamp()
        if stamp is not None and stamp != self.judged:
            # Code wrote the assembly past the wrapper.
            self.judge(app)
        return self.refused or is_changed(self.directory, state)


def watch(app: IConstruct) -> None:
    """Judge an app after each of its syntheses; call this once for each app."""
    if isinstance(app, cdk.App):
        state = state_of(app)
        state.watched = WatchedAssembly(app)
        if is_under_the_cli():
            _judge_at_the_end(app, state)


def watch_files(app: IConstruct) -> None:
    """Fail the process at its end if the plugin did not judge the assembly, or it was changed afterwards."""
    if isinstance(app, cdk.App) and is_under_the_cli():
        state, writer = state_of(app), (os.getpid(), os.path.abspath(outdir_of(app)))
        # If two apps write into one directory, the files are those of the last one.
        for other in states():
            other.writer = None if other.writer == writer else other.writer
        state.writer = writer
        _judge_at_the_end(app, state)


def _judge_at_the_end(app: cdk.App, state: AppState) -> None:
    # Under the CLI, keep the app alive until the process ends: its refusal decides the exit code.
    state.kept = app
    end_last()


def wrap_synth() -> None:
    """Wrap `synth` of every App, to judge the assembly if no plugin does, and to note when `synth` ends.

    It wraps the method that `cdk.App.synth` calls: an earlier reference to `app.synth`, or `cdk.Stage.synth`,
    would bypass a wrapper of `cdk.App.synth`.
    """
    original: Any = jsii.invoke
    # A wrapper around this one has its attributes too.
    if hasattr(original, _JUDGES):
        return

    @functools.wraps(original)
    def invoke(obj: Any, method: str, args: list[Any] | None = None) -> Any:
        if method != "synth" or not isinstance(obj, cdk.App):
            return original(obj, method, args)
        state = find_state(obj)
        if state is not None and state.watched is not None and state.before_synth is not None:
            state.before_synth(obj)
        running[obj] = os.getpid()
        if is_under_the_cli():
            end_last()
        try:
            assembly = original(obj, method, args)
            refusal = _judge_written(obj)
        finally:
            running.pop(obj, None)
        if refusal and is_under_the_cli():
            raise SystemExit(1)  # The findings are on stderr, and a traceback would bury them.
        if refusal:
            raise NotProvenError(refusal)
        return assembly

    setattr(invoke, _JUDGES, True)
    jsii.invoke = invoke


def _judge_written(app: cdk.App) -> str:
    """Judge the assembly of an App, and return the findings that fail it."""
    # Ask only now: an Aspect registers its gate during the synthesis.
    state = find_state(app)
    if state is not None and state.watched is not None:
        if is_under_the_cli():
            _judge_at_the_end(app, state)
        return state.watched.judge(app)
    # An App without a gate can write into the directory of one that has a gate.
    others = [each for each in states() if each is not state and each.kept is not None]
    directory = os.path.realpath(outdir_of(app)) if others else ""
    refusals = []
    for other in others:
        if other.watched is not None and os.path.realpath(other.watched.directory) == directory:
            assert other.kept is not None
            refusals.append(other.watched.judge(other.kept))
        written = "" if other.writer is None else os.path.realpath(other.writer[1])
        if written == directory and is_changed(directory, other):
            refusals.append(f"{PLUGIN}: another app wrote `{directory}`")
    return "\n\n".join(filter(None, refusals))


def text_of(violation: PolicyViolation) -> str:
    """Return a violation as the CDK shows it, with the way to accept it in this CDK version.

    Exceptions in `Metadata` exist only for the rules on buckets: nobody can accept an expired exception.
    """
    lines = [f"{(violation.severity or 'error').upper()} {violation.description} ({PLUGIN})"]
    for resource in violation.violating_resources:
        if resource.construct_path:
            lines.append(f"   {resource.construct_path}")
    if violation.fix:
        lines.append(f"   Suggested fix: {violation.fix}")
    if violation.severity != "fatal" and has_acknowledgments():
        lines.append(f"   Acknowledge with '{id_of(violation.rule_name)}'")
    elif violation.severity != "fatal" and violation.rule_name.casefold() in EXCUSABLE:
        entry = f"SecureBucket: {{Exceptions: [{{Rule: {violation.rule_name}, Reason: …}}]}}"
        lines.append(f"   Accept it in the `Metadata` of the resource: {entry}")
    return "\n".join(lines)
