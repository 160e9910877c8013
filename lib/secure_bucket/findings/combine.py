"""Combine what comes out in each deployment of a bucket into one outcome."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from secure_bucket.proof.verdict import Proven, Refuted, Undecided, Verdict
from secure_bucket.template.buckets import BucketPolicy

__all__ = ["ClaimOutcome", "OutcomeInWorld", "over_deployments", "settles", "worst_of"]


class ClaimOutcome(Struct, frozen=True):
    """What comes out in one deployment, or in all of them.

    Args:
        verdict: The verdict; its places are places in files.
        policy: The policy that decides; `None` without a policy.
        parameters: The parameter values it depends on.
    """

    verdict: Verdict
    policy: BucketPolicy | None = None
    parameters: tuple[tuple[str, str], ...] = ()


class OutcomeInWorld(Struct, frozen=True):
    outcome: ClaimOutcome
    world: Mapping[str, str]


def worst_of(outcomes: list[ClaimOutcome]) -> ClaimOutcome:
    for kind in (Refuted, Undecided):
        for outcome in outcomes:
            if isinstance(outcome.verdict, kind):
                return outcome
    return outcomes[0]


def settles(possible: Verdict, verdict: Verdict) -> bool:
    """Tell whether a policy that may apply leaves a verdict as it is."""
    return isinstance(possible, type(verdict)) and not isinstance(possible, Undecided)


def over_deployments(cases: list[OutcomeInWorld]) -> ClaimOutcome:
    """Return what holds over all deployments: refuted in one is refuted, proven in all is proven."""
    refuted = [case for case in cases if isinstance(case.outcome.verdict, Refuted)]
    if refuted:
        return _where(refuted, cases)
    undecided = [case for case in cases if isinstance(case.outcome.verdict, Undecided)]
    if undecided:
        reasons = [
            reason
            for case in undecided
            if isinstance(case.outcome.verdict, Undecided)
            for reason in case.outcome.verdict.reasons
        ]
        return replace(_where(undecided, cases), verdict=Undecided(tuple(dict.fromkeys(reasons))))
    # There is no deployment of a bucket that is never created.
    return cases[0].outcome if cases else ClaimOutcome(Proven())


def _where(chosen: list[OutcomeInWorld], cases: list[OutcomeInWorld]) -> ClaimOutcome:
    """Return the outcome of one of the chosen cases with the fewest parameter values that lead to it."""
    named = [(case, _what_matters(case, cases)) for case in chosen]
    case, parameters = min(named, key=lambda pair: len(pair[1]))
    return replace(case.outcome, parameters=tuple(sorted(parameters.items())))


def _what_matters(case: OutcomeInWorld, cases: list[OutcomeInWorld]) -> dict[str, str]:
    """Return the part of a world without which the verdict would not always be the same."""
    kind = type(case.outcome.verdict)
    kept = dict(case.world)
    for name in case.world:
        rest = {key: value for key, value in kept.items() if key != name}
        if all(
            isinstance(other.outcome.verdict, kind)
            for other in cases
            if all(other.world.get(key, value) == value for key, value in rest.items())
        ):
            kept = rest
    return kept
