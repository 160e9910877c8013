"""Add the gate to a whole app with one call, and in FIX mode the missing denies."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Literal
from weakref import WeakKeyDictionary

import aws_cdk as cdk
import jsii
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct

from secure_bucket.cdk.buckets.injector import with_deny
from secure_bucket.cdk.fix.acknowledged import known_acknowledgments, note_acknowledgments
from secure_bucket.cdk.fix.aspect import Mode
from secure_bucket.cdk.fix.fixer import Fixer
from secure_bucket.cdk.fix.giving_way import give_way, is_made_here, is_of_a_library
from secure_bucket.cdk.fix.lifetime import keep_made
from secure_bucket.cdk.fix.outcome import Fixed
from secure_bucket.cdk.fix.stack_traces import without_traces
from secure_bucket.cdk.fix.survey import path_of
from secure_bucket.cdk.fix.synthesized import outdir_of, synthesized_stages
from secure_bucket.cdk.gate.record import remove_record
from secure_bucket.cdk.gate.state import AppState
from secure_bucket.cdk.gate.validation import new_gate, register
from secure_bucket.cdk.versions import add_late_aspect, has_injectors, implements
from secure_bucket.errors import ConstructError

__all__ = ["enforce_secure_transport"]

_STABILIZATION = "@aws-cdk/core:aspectStabilization"
# An id that no author would give to a construct.
_LEAF = "secure-bucket::enforce"
_TOO_LATE = (
    "FIX cannot change an app that is synthesized already: call `enforce_secure_transport` before the first "
    "`app.synth()`, or synthesize again with `app.synth(force=True)`"
)


def enforce_secure_transport(
    app: cdk.App,
    *,
    mode: Mode = Mode.FLAG,
    undecided: Literal["error", "warning"] = "error",
    websites: bool = False,
    plain_viewers: bool = False,
    quiet: bool = False,
) -> None:
    """Fail the synthesis if a bucket of the app accepts plain HTTP; in FIX mode, fix the buckets first.

        enforce_secure_transport(app, mode=Mode.FIX)

    The gate judges every bucket of the app: L1 or L2, in Stages and nested stacks, from included templates,
    and those that the CDK makes itself. FIX adds the deny to the policy of a bucket, or to a new one, and
    reports it on stderr and in `secure-bucket.json` in the cloud assembly. It skips acknowledged buckets.

    An `s3.Bucket` that Python code makes after the call has the deny from the start. Before the CDK writes
    the templates, FIX removes it again from buckets that it must skip, and fixes all other buckets. In an app
    that uses a library in TypeScript it fixes all buckets then, so that the library can give them policies.

    FIX covers Stages that exist at the call, and later ones before they are synthesized. It cannot fix a
    Stage that is synthesized before the call, as by `add_stage` of CDK Pipelines; the gate then reports the
    buckets with that reason. So call it right after `cdk.App()`. A second call changes nothing.

    It is much faster than `SecureTransportAspect`, because it does not visit constructs.

    Args:
        app: The app.
        mode: Report, or with `Mode.FIX` fix first (default: `Mode.FLAG`).
        undecided: Whether undecided buckets and unread templates are errors or warnings (default: "error").
        websites: Whether FIX also closes the website endpoints of buckets (default: False).
        plain_viewers: Whether FIX also denies plain HTTP to CloudFront distributions that request objects
            over it, and then get 403 (default: False).
        quiet: Whether to omit the summary and the report of FIX on stderr (default: False).

    Raises:
        ConstructError: `app` is not an App.
        ValueError: `mode` or `undecided` has another value.
    """
    mode = Mode(mode)
    gate = new_gate(undecided=undecided, quiet=quiet)
    given: object = app
    if not isinstance(given, cdk.App):
        path = given.node.path if isinstance(given, Construct) else repr(given)
        raise ConstructError(
            f"`{path}` is not a `cdk.App`: give `enforce_secure_transport` the app, and it covers all inside "
            "it; to fix a part of an app only, attach `SecureTransportAspect(mode=Mode.FIX)` there"
        )
    state = register(app, gate)
    if mode is Mode.FIX:
        constructs = app.node.find_all()
        note_acknowledgments(app, constructs)
        state.has_library = state.has_library or any(map(is_of_a_library, constructs))
        state.websites = state.websites or websites
        state.plain_viewers = state.plain_viewers or plain_viewers
        _Reach(app, state).enter_all(app)


@implements("IPropertyInjector")
class _Reach:
    """Add FIX to each Stage of an app that exists, or is made later.

    An Aspect on the App does not reach a Stage, but a property injector does. The CDK calls it for each new
    `s3.Bucket`, with its scope. CDK Pipelines synthesizes a Stage when it is added to a pipeline, long before
    the app: `_prepare` comes just before that.
    """

    def __init__(self, app: cdk.App, state: AppState) -> None:
        self._state = state
        # The paths of the scopes of buckets and of their Stages, which take three calls to the kernel.
        self._places: WeakKeyDictionary[Construct, tuple[str, str]] = WeakKeyDictionary()
        # A construct has one injector for each class: call an existing one first.
        self._earlier: cdk.IPropertyInjector | None = None
        self._app = app
        state.before_stage = self._prepare
        give_way()
        if not has_injectors():
            # This is late enough for every Stage that the app itself synthesizes.
            state.before_synth = self.enter_all
            return
        self._wrap_synth()
        injectors = cdk.PropertyInjectors.of(app)
        earlier = injectors.for_(self.construct_unique_id)
        self._earlier = earlier._earlier if isinstance(earlier, _Reach) else earlier
        injectors.add(self)

    @property
    def construct_unique_id(self) -> str:
        """Name the class whose creation it observes."""
        return s3.Bucket.PROPERTY_INJECTION_ID

    def inject(self, original_props: Any, *, scope: Construct, id: str) -> Any:
        """Note the scope of a new bucket."""
        props = original_props
        if self._earlier is not None:
            props = self._earlier.inject(props, scope=scope, id=id)
        place = self._places.get(scope)
        if place is None:
            found = cdk.Stage.of(scope)
            place = self._places[scope] = (path_of(scope), "" if found is None else path_of(found))
            if found is not None:
                self.enter(found)
            self.enter(self._app)
        path, stage = place
        denied = with_deny(props, websites=self._state.websites)
        if denied == props:
            return props
        bucket = f"{path}/{id}".lstrip("/")
        if self._state.entered.get(stage):
            # Another Aspect makes it after FIX handled this Stage.
            if Fixer(self._app, acknowledged=known_acknowledgments(self._state)).is_acknowledged_at(scope):
                return props
            keep_made(scope, id)
            self._state.note(Fixed(f"{bucket}/Resource", f"{bucket}/Policy/Resource", is_new=True))
        elif self._state.has_library or not is_made_here(id):
            # A library in TypeScript may give the bucket its own child `Policy`. FIX handles this bucket
            # together with the others of its Stage.
            return props
        # When FIX handles this Stage, it removes the deny again if it must skip the bucket.
        self._state.denied.add(f"{bucket}/Resource")
        return denied

    def _wrap_synth(self) -> None:
        """Enter the Stages once more before the app is synthesized, when the last Stage exists."""
        app, original = self._app, self._app.synth

        @functools.wraps(original)
        def synth(**options: Any) -> Any:
            early = set(self._state.synthesized)
            self.enter_all(app)
            state = self._state
            # CDK Pipelines has already read the assembly of a synthesized Stage.
            state.may_repeat = not state.synthesized
            # The other Stages were made later: the call of FIX was not too late for them.
            state.synthesized = early
            try:
                assembly = original(**options)
            except RuntimeError as error:
                if f"+{_LEAF}" in str(error):
                    raise ConstructError(_TOO_LATE) from error
                raise
            finally:
                state.may_repeat = False
            if state.undo_first:
                self._undo(app)
                assembly = original(**{**options, "force": True})
            return assembly

        app.synth = synth  # type: ignore[method-assign]  # Of this App alone.

    def _undo(self, app: cdk.App) -> None:
        """Remove what FIX wrote for buckets that it must skip, and synthesize their Stages again."""
        paths, state = self._state.undo_first, self._state
        for path in paths:
            for fixer in state.fixers.values():
                if path in fixer.undo:
                    fixer.undo.pop(path)()
        state.undo_first = ()
        # An App reuses the assembly of a synthesized Stage. The innermost Stage comes first.
        for stage in reversed(app.node.find_all()):
            if isinstance(stage, cdk.Stage):
                within = f"{path_of(stage)}/"
                if any(path.startswith(within) for path in paths):
                    stage.synth(force=True)

    def enter_all(self, app: cdk.App) -> None:
        """Add FIX to every Stage of an app."""
        everything = app.node.find_all()
        synthesized = synthesized_stages(everything)
        for construct in everything:
            if isinstance(construct, cdk.Stage):
                within = f"{path_of(construct)}/"
                if within in synthesized:
                    self._state.synthesized.add(within)
                else:
                    self._enter_at_the_end(construct)

    def _prepare(self, stage: cdk.Stage) -> None:
        """Add FIX to a Stage, and to the Stages in it, before the Stage is synthesized."""
        everything = stage.node.find_all()
        synthesized = synthesized_stages(everything)
        for construct in everything:
            if isinstance(construct, cdk.Stage) and f"{path_of(construct)}/" not in synthesized:
                self._enter_at_the_end(construct)

    def _enter_at_the_end(self, stage: cdk.Stage) -> None:
        """Add FIX to a Stage, behind what was made since: the Aspects of the app come first everywhere."""
        if path_of(stage) in self._state.entered:
            self.attach(stage)
        self.enter(stage)

    def enter(self, stage: cdk.Stage) -> None:
        """Add FIX to a Stage."""
        path = path_of(stage)
        # The CDK refuses `set_context` on an App that has a child, so our leaf must not be the first child.
        if path not in self._state.entered and (path or stage.node.children):
            self._state.entered[path] = False
            self.attach(stage)

    def attach(self, stage: IConstruct) -> None:
        """Put a leaf at the end of a Stage, with an Aspect that visits only this leaf."""
        stage.node.try_remove_child(_LEAF)
        leaf = Construct(stage, _LEAF)  # type: ignore[arg-type]  # A Stage is a `Construct`.
        add_late_aspect(leaf, _FixStage(self, self._state))


@jsii.implements(cdk.IAspect)
class _FixStage:
    """Fix the buckets of a Stage."""

    def __init__(self, reach: _Reach, state: AppState) -> None:
        self._reach = reach
        self._state = state

    def visit(self, node: IConstruct) -> None:
        """Fix them; the AWS CDK calls this with the leaf."""
        with without_traces():
            stage = node.node.scope
            if stage is not None:
                self._fix(node, stage)

    def _fix(self, leaf: IConstruct, stage: IConstruct) -> None:
        if isinstance(stage, cdk.App):
            remove_record(Path(outdir_of(stage)))
        state, path = self._state, path_of(stage)
        earlier = state.fixers.get(path)
        fixer = state.fixers[path] = Fixer(
            stage,
            websites=state.websites,
            plain_viewers=state.plain_viewers,
            acknowledged=known_acknowledgments(state),
            left=state.left,
        )
        if earlier is not None:
            fixer.undo |= earlier.undo
        state.fixed.update(fixer.survey.stacks)
        for outcome in fixer.fix_all(state.denied):
            state.note(outcome)
        state.denied.difference_update(fixer.survey.buckets)
        state.entered[path] = True
        # With stabilization the CDK repeats the walk until no Aspect changes the tree. An Aspect can still
        # add a bucket behind the leaf: come at the end again.
        is_stable = leaf.node.try_get_context(_STABILIZATION) in (True, "true")
        if is_stable and stage.node.children[-1].node.id != _LEAF:
            self._reach.attach(stage)
