"""Decide the state and the wave of a bucket."""

from __future__ import annotations

import datetime

from msgspec import Struct

from secure_bucket.findings.finding import GrantedException
from secure_bucket.formats.summary import count
from secure_bucket.operations.audit.audit import Answer, Breaks, CannotTell, Safe
from secure_bucket.operations.plan.join import Joined, Known
from secure_bucket.operations.plan.planned_bucket import ClientUse, State, Wave
from secure_bucket.proof.verdict import Proven, Refuted, Undecided, Verdict
from secure_bucket.values.never import assert_never

__all__ = ["Circumstances", "Decision", "template_name"]


class Circumstances(Struct, frozen=True):
    """The facts that hold for every bucket.

    Args:
        now: The time of the plan.
        maximum_age: The maximum number of days since the end of the logs.
        minimum_window: The minimum number of days of logs.
        audited: Whether the plan has logs.
        reviewed: Whether the plan has a review.
        nameless: The number of buckets in templates without a known name.
        left_out: The buckets that the review skipped, each with the reason.
        unread: Whether the audit could not read some of the logs.
    """

    now: datetime.datetime
    maximum_age: int
    minimum_window: int
    audited: bool
    reviewed: bool
    nameless: int
    left_out: dict[str, str]
    unread: bool


class Decision:
    """The decision about a bucket.

    Args:
        joined: The bucket in all sources.
        clients: The clients that break.
        circumstances: The facts that hold for every bucket.
    """

    def __init__(self, joined: Joined, clients: tuple[ClientUse, ...], circumstances: Circumstances) -> None:
        self.joined = joined
        self.clients = clients
        self.circumstances = circumstances
        self.in_force: Verdict | None = None if joined.running is None else joined.running.bucket.verdict
        self.in_template: Verdict | None = _worst(joined.declared)
        self.state: State = _state(self.in_force, self.in_template)
        self.answer: Answer | None = self._answer()

    @property
    def wave(self) -> Wave:
        """The wave of the bucket."""
        if self.state is State.ENFORCED:
            return Wave.ENFORCED
        if self.exception is not None:
            return Wave.LEFT
        if self.state is State.REOPENS:
            return Wave.NOW  # The deny in force already refuses the clients.
        if self.website is not None:
            return Wave.REDESIGN
        match self.answer:
            case Breaks():
                return Wave.CLIENTS
            case Safe():
                # A bucket that only the logs know needs its policy and its owner first.
                return Wave.EVIDENCE if self.state is State.LOGGED else Wave.NOW
            case CannotTell() | None:
                return Wave.EVIDENCE
            case _:
                assert_never(self.answer)

    @property
    def unnamed(self) -> int:
        """The number of breaking requests without a named client."""
        breaking = 0 if self.joined.logged is None else self.joined.logged.breaking
        return max(0, breaking - sum(use.requests for use in self.clients))

    @property
    def website(self) -> str | None:
        """The fix for its website; `None` for other buckets."""
        known = (*self.joined.declared, *((self.joined.running,) if self.joined.running else ()))
        return next((each.website for each in known if each.website is not None), None)

    @property
    def exception(self) -> GrantedException | None:
        """The exception that accepts the open bucket; `None` if the next deployment closes the bucket."""
        match self.state:
            case State.REOPENS | State.DECLARED:
                deciding = self.joined.declared
            case State.UNREPAIRED:
                # The template decides the live bucket, so an exception in either of them counts.
                running = None if self.joined.running is None else self.joined.running.exception
                if running is not None and self.holds(running):
                    return running
                deciding = self.joined.declared
            case State.UNOWNED:
                deciding = () if self.joined.running is None else (self.joined.running,)
            case State.ENFORCED | State.CLOSES | State.PREPARED | State.LOGGED:
                return None
            case _:
                assert_never(self.state)
        granted = [each.exception for each in deciding if not isinstance(each.bucket.verdict, Proven)]
        if all(each is not None and self.holds(each) for each in granted):
            return next(iter(granted), None)
        return None

    def holds(self, granted: GrantedException) -> bool:
        """Tell whether an exception holds today; it may have ended since the report."""
        return granted.expires is None or granted.expires >= self.circumstances.now.date()

    @property
    def ended(self) -> GrantedException | None:
        """An exception that has ended; `None` without one."""
        known = (*self.joined.declared, *((self.joined.running,) if self.joined.running else ()))
        granted = [each.exception for each in known if each.exception is not None]
        return next((each for each in granted if not self.holds(each)), None)

    def templates(self) -> str:
        """Return the names of its templates, for messages."""
        return " and ".join(
            dict.fromkeys(template_name(each.bucket.template) for each in self.joined.declared)
        )

    def _answer(self) -> Answer | None:
        """Return the answer of the logs at the time of the plan, when the logs may be too old for *safe*."""
        logged = self.joined.logged
        if logged is None or not isinstance(logged.answer, Safe):
            return None if logged is None else logged.answer
        reasons = []
        if self.circumstances.unread:
            reasons.append("some of the logs could not be read, and may be of this bucket")
        if logged.window < self.circumstances.minimum_window:
            wanted = count(self.circumstances.minimum_window, "day")
            reasons.append(f"the logs span {count(logged.window, 'day')}, and {wanted} are asked for")
        if logged.last_seen is None:
            reasons.append("the audit does not say when the logs end")
        else:
            days = (self.circumstances.now - logged.last_seen).days
            if days > self.circumstances.maximum_age:
                reasons.append(f"the logs end {count(days, 'day')} ago, on {logged.last_seen:%Y-%m-%d}")
            elif days < -1:
                reasons.append(f"the logs end on {logged.last_seen:%Y-%m-%d}, which is yet to come")
        return CannotTell(tuple(reasons)) if reasons else logged.answer


def template_name(file: str) -> str:
    """Return the name of a template, for messages."""
    return f"`{file}`" if file else "the template"


def _worst(known: tuple[Known, ...]) -> Verdict | None:
    """Return the worst verdict of the declarations of a bucket; `None` without a declaration."""
    verdicts = [each.bucket.verdict for each in known]
    for kind in (Refuted, Undecided, Proven):
        for verdict in verdicts:
            if isinstance(verdict, kind):
                return verdict
    return None


def _state(in_force: Verdict | None, in_template: Verdict | None) -> State:
    match in_force, in_template:
        case Proven(), None | Proven():
            return State.ENFORCED
        case Proven(), _:
            return State.REOPENS
        case None, None:
            return State.LOGGED
        case None, Proven():
            return State.PREPARED
        case None, _:
            return State.DECLARED
        case _, None:
            return State.UNOWNED
        case _, Proven():
            return State.CLOSES
        case _:
            return State.UNREPAIRED
