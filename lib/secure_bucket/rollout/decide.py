"""What is known of a bucket, and so in which wave it is and what to do."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, replace

from typing_extensions import assert_never

from secure_bucket.findings.finding import GrantedException
from secure_bucket.logs.audit import Answer, AuditedBucket, Breaks, CannotTell, Safe
from secure_bucket.proof.verdict import Proven, Refuted, Undecided, Verdict
from secure_bucket.reporters.summary import count
from secure_bucket.rollout.join import Joined, Known
from secure_bucket.rollout.planned import ClientUse, Declaration, PlannedBucket, State, Wave

__all__ = ["Circumstances", "decide", "worst"]

_NAME_IT = (
    "let the list of its stack tell its name: `aws cloudformation list-stack-resources --stack-name STACK > "
    "FILE`, then give --stack-resources TEMPLATE=FILE"
)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What holds for every bucket.

    Args:
        now: The time of the plan.
        maximum_age: How many days ago the logs of a bucket may have ended.
        minimum_window: How many days of logs are evidence.
        audited: Whether there are logs at all.
        reviewed: Whether there is a review at all.
        checked: Whether there are templates at all.
        nameless: How many buckets of templates have no known name.
        left_out: Buckets that the review passed over, each with why.
        unread: Whether the audit could not read some of the logs.
    """

    now: datetime.datetime
    maximum_age: int
    minimum_window: int
    audited: bool
    reviewed: bool
    checked: bool
    nameless: int
    left_out: dict[str, str]
    unread: bool


def decide(joined: Joined, clients: tuple[ClientUse, ...], circumstances: Circumstances) -> PlannedBucket:
    """Return a bucket with its state, its wave, and what to do about it."""
    return _Decision(joined, clients, circumstances).bucket()


def worst(known: tuple[Known, ...]) -> Verdict | None:
    """Return the verdict that all declarations of a bucket come to; `None` when there is none."""
    verdicts = [each.bucket.verdict for each in known]
    for kind in (Refuted, Undecided, Proven):
        for verdict in verdicts:
            if isinstance(verdict, kind):
                return verdict
    return None


class _Decision:
    def __init__(self, joined: Joined, clients: tuple[ClientUse, ...], circumstances: Circumstances) -> None:
        self.joined = joined
        self.clients = clients
        self.circumstances = circumstances
        self.in_force = None if joined.running is None else joined.running.bucket.verdict
        self.in_template = worst(joined.declared)
        self.state = _state(self.in_force, self.in_template)
        self.answer = self._answer()

    def bucket(self) -> PlannedBucket:
        joined = self.joined
        running = None if joined.running is None else joined.running.bucket
        wave = self._wave()
        logged = joined.logged
        return PlannedBucket(
            joined.name,
            self.state,
            wave,
            tuple(self._reasons(wave)),
            tuple(self._actions(wave)),
            self.in_force,
            tuple(
                Declaration(
                    each.bucket.template,
                    each.bucket.logical_id,
                    each.bucket.construct_path,
                    each.bucket.at,
                    each.bucket.verdict,
                )
                for each in joined.declared
            ),
            "" if running is None else running.account,
            "" if running is None else running.region,
            "" if running is None else running.as_of,
            None if logged is None or self.answer is None else replace(logged, answer=self.answer),
            self.clients,
            self._unnamed,
            self._website is not None,
        )

    @property
    def _unnamed(self) -> int:
        """How many requests break of which the audit names no client."""
        breaking = 0 if self.joined.logged is None else self.joined.logged.breaking
        return max(0, breaking - sum(use.requests for use in self.clients))

    @property
    def _website(self) -> str | None:
        known = (*self.joined.declared, *((self.joined.running,) if self.joined.running else ()))
        return next((each.website for each in known if each.website is not None), None)

    @property
    def _exception(self) -> GrantedException | None:
        """The exception that lets it stay open; none lets it, where a deployment closes it all the same."""
        match self.state:
            case State.REOPENS | State.DECLARED:
                deciding = self.joined.declared
            case State.UNREPAIRED:
                # What runs is as its template says: who granted it there, granted it.
                if self.joined.running is not None and self.joined.running.exception is not None:
                    return self.joined.running.exception
                deciding = self.joined.declared
            case State.UNOWNED:
                deciding = () if self.joined.running is None else (self.joined.running,)
            case State.ENFORCED | State.CLOSES | State.PREPARED | State.LOGGED:
                return None
            case _:
                assert_never(self.state)
        granted = [each.exception for each in deciding if not isinstance(each.bucket.verdict, Proven)]
        return granted[0] if granted and None not in granted else None

    def _answer(self) -> Answer | None:
        """Return what the logs say now: what was safe when they were read may be too long ago."""
        logged = self.joined.logged
        if logged is None or not isinstance(logged.answer, Safe):
            return None if logged is None else logged.answer
        reasons = []
        if self.circumstances.unread:
            reasons.append("some of the logs could not be read, and may be of this bucket")
        if logged.last_seen is None:
            reasons.append("nothing tells when the logs end")
        else:
            days = (self.circumstances.now - logged.last_seen).days
            if days > self.circumstances.maximum_age:
                reasons.append(f"the logs end {count(days, 'day')} ago, on {logged.last_seen:%Y-%m-%d}")
        return CannotTell(tuple(reasons)) if reasons else logged.answer

    def _wave(self) -> Wave:
        if self.state is State.ENFORCED:
            return Wave.ENFORCED
        if self._exception is not None:
            return Wave.LEFT
        if self.state is State.REOPENS:
            return Wave.NOW  # Whoever breaks is broken already.
        if self._website is not None:
            return Wave.REDESIGN
        match self.answer:
            case Breaks():
                return Wave.CLIENTS
            case Safe():
                # What the policy says, and whose it is, has to be known before it is changed.
                return Wave.EVIDENCE if self.state is State.LOGGED else Wave.NOW
            case CannotTell() | None:
                return Wave.EVIDENCE
            case _:
                assert_never(self.answer)

    def _reasons(self, wave: Wave) -> Iterator[str]:
        yield from self._standing()
        exception = self._exception
        if wave is Wave.LEFT and exception is not None:
            until = f" until {exception.expires.isoformat()}" if exception.expires else ""
            yield f"an exception is granted{until}: {' '.join(exception.reason.split())}"
        if wave is Wave.REDESIGN:
            yield "its website endpoint speaks plain HTTP only: once enforced, it answers 403 to everyone"
        if self.state is State.ENFORCED and self._website is not None:
            yield "its website endpoint, which speaks plain HTTP only, answers 403 to everyone"
        yield from self._said_by_logs()

    def _standing(self) -> Iterator[str]:
        yield self.state.words
        if isinstance(self.in_force, Undecided):
            yield f"what is in force cannot be decided: {_first(self.in_force)}"
        if isinstance(self.in_template, Undecided):
            yield f"what its template comes to cannot be decided: {_first(self.in_template)}"
        if len(self.joined.declared) > 1:
            yield f"{len(self.joined.declared)} declarations have this name, and the weakest of them counts"
        if self.joined.running is None and self.circumstances.reviewed:
            why = self.circumstances.left_out.get(self.joined.name)
            if not self.joined.name:
                yield "not matched: its name is made up at deployment, or is not written in full"
            elif why:
                yield f"the review passed over it: {why}"
            else:
                yield "it is not among the buckets that were reviewed: not deployed, or of another account"
        elif not self.joined.name:
            yield "not matched: its name is made up at deployment, or is not written in full"
        if self.state is State.UNOWNED and self.circumstances.nameless:
            yield (
                f"not matched: {count(self.circumstances.nameless, 'bucket')} of the templates "
                f"{'has' if self.circumstances.nameless == 1 else 'have'} no known name, and may be this one"
            )

    def _said_by_logs(self) -> Iterator[str]:
        logged = self.joined.logged
        match self.answer:
            case Safe():
                assert logged is not None
                yield (
                    f"the logs hold {count(logged.requests, 'request')} in {count(logged.window, 'day')}, "
                    "and none that breaks"
                )
            case Breaks(number, requests):
                # Counted as they move where all are named; the audit counts each address by itself.
                named = 0 if self._unnamed else len(self.clients)
                yield _breaks(logged, named or number, requests, enforced=isinstance(self.in_force, Proven))
            case CannotTell(reasons):
                yield from (f"the logs cannot tell: {reason}" for reason in reasons)
            case None:
                if self.state in (State.ENFORCED, State.REOPENS) or not self.joined.name:
                    return
                yield "the logs do not know it" if self.circumstances.audited else "no logs were given"
            case _:
                assert_never(self.answer)

    def _actions(self, wave: Wave) -> Iterator[str]:
        match wave:
            case Wave.ENFORCED | Wave.LEFT:
                return
            case Wave.NOW:
                pass
            case Wave.CLIENTS:
                yield from self._hold_back("until the clients have moved")
                yield "move the clients to HTTPS, and audit newer logs to see that they are gone"
            case Wave.EVIDENCE:
                new = ", unless the bucket is new and has no clients" if self.state is State.PREPARED else ""
                yield from self._hold_back(f"until the logs tell who breaks{new}")
                yield from self._gather()
            case Wave.REDESIGN:
                yield from self._hold_back("until the website has moved")
                yield self._website or "serve it through CloudFront with origin access control"
            case _:
                assert_never(wave)
        yield from self._enforce()

    def _hold_back(self, until: str) -> Iterator[str]:
        if self.state in (State.CLOSES, State.PREPARED):
            yield f"hold back the deployment of {self._templates()} {until}"

    def _gather(self) -> Iterator[str]:
        if not self.joined.name:
            yield _NAME_IT
            if self.circumstances.audited:
                return
        if isinstance(self.answer, Safe):
            return
        if self.joined.logged is not None:
            yield (
                f"gather what the logs lack, {count(self.circumstances.minimum_window, 'day')} of them, "
                "and run `secure-bucket audit` on them"
            )
        else:
            yield (
                "give its logs with --logs or --audit; where there are none, turn on server access logs of "
                f"S3 or data events of CloudTrail for {count(self.circumstances.minimum_window, 'day')}"
            )

    def _enforce(self) -> Iterator[str]:
        match self.state:
            case State.CLOSES | State.PREPARED:
                yield f"deploy {self._templates()}: the deny comes with it"
            case State.UNREPAIRED | State.DECLARED | State.REOPENS:
                yield from self._repair()
            case State.UNOWNED:
                assert self.joined.running is not None
                yield self.joined.running.fix or "add the deny to its policy"
            case State.LOGGED:
                yield (
                    "review the account that owns it: `secure-bucket review` tells whether the deny is in "
                    "force, and which statement to add"
                )
            case State.ENFORCED:
                pass
            case _:
                assert_never(self.state)

    def _repair(self) -> Iterator[str]:
        for each in self.joined.declared:
            bucket = each.bucket
            if isinstance(bucket.verdict, Proven):
                continue
            named = f"`{bucket.logical_id}` of {_template(bucket.template)}"
            if bucket.construct_path:
                how = "use `SecureBucket`, or `enforce_secure_transport(app, mode=Mode.FIX)` in the CDK app"
            else:
                how = f"`secure-bucket fix {bucket.template or 'TEMPLATE'}` writes the deny"
            when = "before its next deployment" if self.state is State.REOPENS else "and deploy it"
            yield f"repair {named}, {when}: {how}"

    def _templates(self) -> str:
        return " and ".join(dict.fromkeys(_template(each.bucket.template) for each in self.joined.declared))


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


def _breaks(logged: AuditedBucket | None, clients: int, requests: int, *, enforced: bool) -> str:
    seen = (
        "" if logged is None or logged.last_seen is None else f", in logs until {logged.last_seen:%Y-%m-%d}"
    )
    who = f"{count(requests, 'request')} of {count(clients, 'client')} got through{seen}"
    return f"{who}; they are refused since it is enforced" if enforced else f"{who}: these break"


def _template(file: str) -> str:
    return f"`{file}`" if file else "the template"


def _first(verdict: Undecided) -> str:
    more = len(verdict.reasons) - 1
    return f"{verdict.reasons[0]}" + (f" (and {more} more)" if more else "") if verdict.reasons else "unknown"
