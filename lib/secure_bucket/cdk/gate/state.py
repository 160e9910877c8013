"""Share state between the gate, the Aspects and `enforce_secure_transport` of one app."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import aws_cdk as cdk
from constructs import IConstruct
from msgspec import Struct, field

from secure_bucket.cdk.fix.outcome import Fixed, Outcome

if TYPE_CHECKING:
    from secure_bucket.cdk.fix.fixer import Fixer
    from secure_bucket.cdk.gate.after_synth import WatchedAssembly
    from secure_bucket.cdk.gate.gate import Gate

__all__ = ["AppState", "find_state", "state_of", "states", "states_by_app"]


class AppState(Struct):
    """The state of one app.

    Args:
        gate: The gate that the Aspects have registered.
        judged_by_hand: Whether a gate that the app registered itself has judged the app. It runs first,
            because the Aspects register theirs during the synthesis.
        judged: Whether a gate has judged the app.
        refused: Whether the last judgement fails the app.
        fixers: The `Fixer` of each Stage, by path, which all Aspects of the app share.
        acknowledged: The paths of the constructs that may have an acknowledgment; `None` if any construct
            may.
        has_library: Whether the app runs the code of a library in TypeScript, for which FIX has to wait.
        denied: The paths of the buckets that were made with a deny and that FIX has not handled yet.
        fixed: The construct paths of the stacks in which FIX looked for buckets.
        entered: Whether `enforce_secure_transport` has fixed the buckets of a Stage, by the path of the
            Stage.
        synthesized: The paths, each with a `/` at the end, of the Stages that FIX found synthesized.
        websites: Whether FIX covers website buckets too.
        plain_viewers: Whether FIX covers buckets too that CloudFront requests over plain HTTP.
        outcomes: What FIX did about each bucket, by its construct path.
        closed: The construct paths of the buckets that an Aspect fixed although they may need plain HTTP.
        left: Why FIX leaves the buckets that the finished templates showed to need plain HTTP, by path.
        undo_first: The paths of those for which FIX must remove what it wrote.
        may_repeat: Whether FIX may repeat the running synthesis after it removed what it wrote.
        before_stage: What to call before a Stage is synthesized by itself.
        before_synth: What to call before the app is synthesized, if the CDK has no plugins.
        watched: The assembly to judge after the synthesis, if the CDK has no plugins.
        writer: The process that writes the assembly for a plugin, and the directory.
        kept: The app, which keeps it alive until the process ends.
    """

    gate: Gate | None = None
    judged_by_hand: bool = False
    judged: bool = False
    refused: bool = False
    fixers: dict[str, Fixer] = field(default_factory=dict)
    acknowledged: dict[str, IConstruct] | None = None
    has_library: bool = False
    denied: set[str] = field(default_factory=set)
    fixed: set[str] = field(default_factory=set)
    entered: dict[str, bool] = field(default_factory=dict)
    synthesized: set[str] = field(default_factory=set)
    websites: bool = False
    plain_viewers: bool = False
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    left: dict[str, str] = field(default_factory=dict)
    undo_first: tuple[str, ...] = ()
    may_repeat: bool = False
    before_stage: Callable[[cdk.Stage], None] | None = None
    before_synth: Callable[[cdk.App], None] | None = None
    watched: WatchedAssembly | None = None
    writer: tuple[int, str] | None = None
    kept: cdk.App | None = None

    def tighten(self, judging: Gate) -> None:
        """Make the gate that is about to judge as strict as the app demands elsewhere."""
        if self.gate is not None and self.gate is not judging:
            judging.join(self.gate)

    def note(self, outcome: Outcome | None) -> None:
        """Record what FIX did about a bucket; keep a fixed one for the life of the app."""
        if outcome is not None and not isinstance(self.outcomes.get(outcome.bucket), Fixed):
            self.outcomes[outcome.bucket] = outcome


# All apps of a process share the wrapped methods of the AWS CDK, which look the state of an app up here.
_states: WeakKeyDictionary[IConstruct, AppState] = WeakKeyDictionary()


def state_of(app: IConstruct) -> AppState:
    """Return the state of an app."""
    return _states.setdefault(app, AppState())


def find_state(app: IConstruct) -> AppState | None:
    """Return the state of an app; `None` if the app does not use this library."""
    return _states.get(app)


def states() -> list[AppState]:
    """Return the states of all live apps."""
    return list(_states.values())


def states_by_app() -> dict[IConstruct, AppState]:
    """Return the states of all live apps, by app."""
    return dict(_states)
