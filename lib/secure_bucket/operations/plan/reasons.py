"""Give the reasons for the wave of a bucket."""

from __future__ import annotations

from collections.abc import Iterator

from secure_bucket.formats.summary import count
from secure_bucket.operations.audit.audit import Breaks, CannotTell, Safe
from secure_bucket.operations.plan.decision import Decision
from secure_bucket.operations.plan.planned_bucket import State, Wave
from secure_bucket.operations.plan.sentences import client_name, some
from secure_bucket.proof.verdict import Proven, Undecided
from secure_bucket.values.never import assert_never

__all__ = ["reasons_of"]


def reasons_of(decision: Decision) -> Iterator[str]:
    """Yield the reasons for the wave of a bucket, each as a sentence."""
    wave = decision.wave
    yield from _state_reasons(decision)
    exception = decision.exception
    if wave is Wave.LEFT and exception is not None:
        until = f" until {exception.expires.isoformat()}" if exception.expires else ""
        yield f"an exception is granted{until}: {' '.join(exception.reason.split())}"
    if (ended := decision.ended) is not None and ended.expires is not None:
        yield f"its exception ended on {ended.expires.isoformat()}: {' '.join(ended.reason.split())}"
    if wave is Wave.REDESIGN:
        yield "its website endpoint speaks plain HTTP only: once enforced, it answers 403 to everyone"
    if decision.state is State.ENFORCED and decision.website is not None:
        yield "its website endpoint, which speaks plain HTTP only, answers 403 to everyone"
    yield from _log_reasons(decision)


def _state_reasons(decision: Decision) -> Iterator[str]:
    joined, circumstances = decision.joined, decision.circumstances
    yield decision.state.words
    if isinstance(decision.in_force, Undecided):
        yield f"the policy in force is undecided: {_first(decision.in_force)}"
    if isinstance(decision.in_template, Undecided):
        yield f"its template is undecided: {_first(decision.in_template)}"
    if len(joined.declared) > 1:
        yield f"{len(joined.declared)} declarations have this name, and the weakest of them counts"
    if not joined.name:
        yield "not matched: CloudFormation generates its name, or the template contains only part of it"
    elif joined.running is None and circumstances.reviewed:
        why = circumstances.left_out.get(joined.name)
        if why:
            yield f"the review skipped it: {why}"
        else:
            yield "it is not among the buckets that were reviewed: not deployed, or of another account"
    if decision.state is State.UNOWNED and circumstances.nameless:
        have = "has" if circumstances.nameless == 1 else "have"
        yield (
            f"not matched: {count(circumstances.nameless, 'bucket')} of the templates {have} no known name, "
            "and may be this one"
        )


def _log_reasons(decision: Decision) -> Iterator[str]:
    logged = decision.joined.logged
    match decision.answer:
        case Safe():
            assert logged is not None
            yield (
                f"the logs hold {count(logged.requests, 'request')} in {count(logged.window, 'day')}, "
                "and none that breaks"
            )
        case Breaks(number, requests):
            # If all clients are named, count them as they move; the audit counts each address separately.
            named = 0 if decision.unnamed else len(decision.clients)
            yield _breaks(decision, named or number, requests)
        case CannotTell(reasons):
            yield from (f"the logs cannot tell: {reason}" for reason in reasons)
        case None:
            if decision.state in (State.ENFORCED, State.REOPENS) or not decision.joined.name:
                return
            yield ("the logs do not know it" if decision.circumstances.audited else "no logs were given")
        case _:
            assert_never(decision.answer)


def _breaks(decision: Decision, clients: int, requests: int) -> str:
    logged = decision.joined.logged
    seen = (
        "" if logged is None or logged.last_seen is None else f", in logs until {logged.last_seen:%Y-%m-%d}"
    )
    what = f"{count(requests, 'request')} of {count(clients, 'client')} got through{seen}"
    if isinstance(decision.in_force, Proven):
        return f"{what}; they are refused since it is enforced"
    names = some([client_name(use.client) for use in decision.clients])
    return f"{what}, and {'this' if clients == 1 else 'these'} will break" + (f": {names}" if names else "")


def _first(verdict: Undecided) -> str:
    more = len(verdict.reasons) - 1
    return f"{verdict.reasons[0]}" + (f" (and {more} more)" if more else "") if verdict.reasons else "unknown"
