"""Hold what the gate, the Aspects and `enforce_secure_transport` in one app know of each other."""

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

__all__ = ["AppState", "find_state", "state_of", "states"]


class AppState(Struct):
    """The state of one app.

    Args:
        gate: The gate that the Aspects have registered.
        judged_by_hand: Whether a gate that somebody registered by hand has judged the app. It comes
            first, because the Aspects register theirs during the synthesis.
        judged: Whether a gate has judged the app.
        refused: Whether the last judgement fails the app.
        fixers: What fixes the buckets of each Stage, by its path, for all Aspects of the app, so that each
            knows what another one did.
        acknowledged: The constructs of the app that may have an acknowledgment, by path; `None` where
            others may have one as well.
        denied: The paths of the buckets that were made with a deny, which FIX has not looked at yet.
        fixed: The construct paths of the stacks in which FIX looked for buckets.
        entered: The Stages that `enforce_secure_transport` looks after, by path; whether it has fixed
            their buckets already.
        synthesized: The paths, each with a `/` at the end, of the Stages that FIX found synthesized.
        websites: Whether it fixes website buckets too.
        plain_viewers: Whether it fixes buckets too that CloudFront requests over plain HTTP.
        outcomes: What was done about each bucket, by its construct path.
        closed: The construct paths of the buckets that an Aspect fixed although they may need plain HTTP.
        left: Why FIX leaves the buckets that the finished templates showed to need plain HTTP, by path.
        undo_first: The paths of those among them for which FIX has to take back what it wrote.
        may_repeat: Whether the running synthesis can be repeated, so that FIX takes back what it wrote.
        before_synth: What to call before the app is synthesized, where the CDK has no plugins.
        watched: The assembly that is judged after the synthesis, where the CDK has no plugins.
        writer: The process that writes the assembly that a plugin judges, and the directory.
        kept: The app, which keeps it alive until the process ends.
    """

    gate: Gate | None = None
    judged_by_hand: bool = False
    judged: bool = False
    refused: bool = False
    fixers: dict[str, Fixer] = field(default_factory=dict)
    acknowledged: dict[str, IConstruct] | None = None
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
    before_synth: Callable[[cdk.App], None] | None = None
    watched: WatchedAssembly | None = None
    writer: tuple[int, str] | None = None
    kept: cdk.App | None = None

    def tighten(self, judging: Gate) -> None:
        """Let the gate that is about to judge be as strict as what others in the app asked for."""
        if self.gate is not None and self.gate is not judging:
            judging.join(self.gate)

    def note(self, outcome: Outcome | None) -> None:
        """Remember what FIX did about a bucket; that it was fixed, for as long as the app lives."""
        if outcome is not None and not isinstance(self.outcomes.get(outcome.bucket), Fixed):
            self.outcomes[outcome.bucket] = outcome


# What is wrapped in the AWS CDK is the same for all apps of a process, and finds the state of its app here.
_states: WeakKeyDictionary[IConstruct, AppState] = WeakKeyDictionary()


def state_of(app: IConstruct) -> AppState:
    """Return the state of an app."""
    return _states.setdefault(app, AppState())


def find_state(app: IConstruct) -> AppState | None:
    """Return the state of an app; `None` for an app that nothing of this library was called with."""
    return _states.get(app)


def states() -> list[AppState]:
    """Return the states of all apps that live."""
    return list(_states.values())
