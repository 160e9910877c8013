"""One line for a whole app: the gate, and in FIX mode what writes the missing denies first."""

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
from secure_bucket.cdk.fix.giving_way import give_way, is_made_here
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
# No id that anybody would give to a construct of theirs.
_LEAF = "secure-bucket::enforce"


def enforce_secure_transport(
    app: cdk.App,
    *,
    mode: Mode = Mode.FLAG,
    undecided: Literal["error", "warning"] = "error",
    websites: bool = False,
    plain_viewers: bool = False,
    quiet: bool = False,
) -> None:
    """Fail the synthesis while a bucket of the app accepts plain HTTP; in FIX mode, fix it first.

        enforce_secure_transport(app, mode=Mode.FIX)

    The gate judges every bucket of the app: in Stages and nested stacks, L1 or L2, included from templates,
    made by the CDK itself. FIX fixes all of them that it can, through the policy that a bucket has, or else
    with a new one. It reports what it did on stderr, and in `secure-bucket.json` in the cloud assembly.
    It leaves alone what somebody acknowledged.

    An `s3.Bucket` that Python code makes after the call has the deny from the start. Before the templates are
    written FIX takes it back where it leaves a bucket alone, and fixes all other buckets, such as those that
    libraries in TypeScript make.

    FIX enters every Stage that exists when it is called, each later one as soon as an `s3.Bucket` is made
    in it, and all others before the app is synthesized. It leaves a Stage that is synthesized by then, as CDK
    Pipelines does in `add_stage`, and the gate reports the buckets there with that reason. So call it right
    after `cdk.App()`; where a Stage in a pipeline holds L1 buckets only, call it after that Stage is made and
    before it is added to the pipeline. A second call changes nothing.

    It costs far less than `SecureTransportAspect`, because no construct is visited.

    Args:
        app: The app.
        mode: Report, or with `Mode.FIX` fix first (default: `Mode.FLAG`).
        undecided: Whether undecided buckets and unread templates are errors or warnings (default: "error").
        websites: Whether FIX closes the website endpoints of buckets too (default: False).
        plain_viewers: Whether FIX also denies plain HTTP where a CloudFront distribution requests objects
            over it, which then gets 403 (default: False).
        quiet: Whether to omit the summary, and what FIX did, on stderr (default: False).

    Raises:
        ConstructError: `app` is not an App.
        ValueError: `mode` or `undecided` is not one of those.
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
        note_acknowledgments(app, app.node.find_all())
        state.websites = state.websites or websites
        state.plain_viewers = state.plain_viewers or plain_viewers
        _Reach(app, state).enter_all(app)


@implements("IPropertyInjector")
class _Reach:
    """Enter each Stage of an app: those that exist, and those in which somebody makes an `s3.Bucket` later.

    An Aspect does not go from the App into a Stage, but a property injector does. It is called whenever an
    `s3.Bucket` is made, and sees where, early enough: CDK Pipelines synthesizes a Stage at once when it is
    added to a pipeline, long before the app.
    """

    def __init__(self, app: cdk.App, state: AppState) -> None:
        self._state = state
        # The paths of what buckets are made in, and of its Stage, which take three calls to the kernel.
        self._places: WeakKeyDictionary[Construct, tuple[str, str]] = WeakKeyDictionary()
        # There is one injector for a class in one place: the one that was added first is asked first.
        self._earlier: cdk.IPropertyInjector | None = None
        self._app = app
        if not has_injectors():
            # Late enough for every Stage that the app itself synthesizes.
            state.before_synth = self.enter_all
            return
        self._wrap_synth()
        give_way()
        injectors = cdk.PropertyInjectors.of(app)
        earlier = injectors.for_(self.construct_unique_id)
        self._earlier = earlier._earlier if isinstance(earlier, _Reach) else earlier
        injectors.add(self)

    @property
    def construct_unique_id(self) -> str:
        """The class of which it sees the making."""
        return s3.Bucket.PROPERTY_INJECTION_ID

    def inject(self, original_props: Any, *, scope: Construct, id: str) -> Any:
        """Note where a bucket is made."""
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
            # Another Aspect makes it, after the buckets of this Stage were fixed.
            if Fixer(self._app, acknowledged=known_acknowledgments(self._state)).is_acknowledged_at(scope):
                return props
            keep_made(scope, id)
            self._state.note(Fixed(f"{bucket}/Resource", f"{bucket}/Policy/Resource", is_new=True))
        elif not is_made_here(id):
            # A construct of a library in TypeScript may give its bucket a child `Policy` of its own. FIX
            # comes to this bucket with the others of its Stage.
            return props
        # When FIX comes to this Stage, it takes the deny back if it must leave the bucket alone.
        self._state.denied.add(f"{bucket}/Resource")
        return denied

    def _wrap_synth(self) -> None:
        """Enter once more before the app is synthesized: only then the last Stage is there."""
        app, original = self._app, self._app.synth

        @functools.wraps(original)
        def synth(**options: Any) -> Any:
            early = set(self._state.synthesized)
            self.enter_all(app)
            state = self._state
            # CDK Pipelines has read what a Stage came to that is synthesized by now.
            state.may_repeat = not state.synthesized
            # The others were made later, so that the call of FIX was not too late for them.
            state.synthesized = early
            try:
                assembly = original(**options)
            finally:
                state.may_repeat = False
            if state.undo_first:
                self._undo(app)
                assembly = original(**{**options, "force": True})
            return assembly

        app.synth = synth  # type: ignore[method-assign]  # Of this App alone.

    def _undo(self, app: cdk.App) -> None:
        """Take back what FIX wrote for buckets that it has to leave, and synthesize their Stages again."""
        paths, state = self._state.undo_first, self._state
        for path in paths:
            for fixer in state.fixers.values():
                if path in fixer.undo:
                    fixer.undo.pop(path)()
        state.undo_first = ()
        # An App takes a Stage as it is that is synthesized already. The innermost comes first.
        for stage in reversed(app.node.find_all()):
            if isinstance(stage, cdk.Stage):
                within = f"{path_of(stage)}/"
                if any(path.startswith(within) for path in paths):
                    stage.synth(force=True)

    def enter_all(self, app: cdk.App) -> None:
        """See to it that the buckets of every Stage of an app are fixed."""
        everything = app.node.find_all()
        synthesized = synthesized_stages(everything)
        for construct in everything:
            if isinstance(construct, cdk.Stage):
                within = f"{path_of(construct)}/"
                if within in synthesized:
                    self._state.synthesized.add(within)
                else:
                    self.enter(construct)

    def enter(self, stage: cdk.Stage) -> None:
        """See to it that the buckets of a Stage are fixed."""
        path = path_of(stage)
        # The CDK refuses `set_context` on an App that has a child, so that ours must not be the first one.
        if path not in self._state.entered and (path or stage.node.children):
            self._state.entered[path] = False
            self.attach(stage)

    def attach(self, stage: IConstruct) -> None:
        """Put a leaf at the end of a Stage, for an Aspect that visits nothing but this leaf."""
        stage.node.try_remove_child(_LEAF)
        leaf = Construct(stage, _LEAF)  # type: ignore[arg-type]  # A Stage is a `Construct`.
        add_late_aspect(leaf, _FixStage(self, self._state))


@jsii.implements(cdk.IAspect)
class _FixStage:
    """Fixes the buckets of the Stage that it is called in."""

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
        # With stabilization the CDK goes around until no Aspect has anything left to do. What stands
        # behind the leaf was not visited yet, and an Aspect can add a bucket there: come at the end again.
        is_stable = leaf.node.try_get_context(_STABILIZATION) in (True, "true")
        if is_stable and stage.node.children[-1].node.id != _LEAF:
            self._reach.attach(stage)
