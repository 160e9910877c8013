"""Combine the outcomes of all deployments of a bucket into one."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from secure_bucket.proof.verdict import Proven, Refuted, Undecided, Verdict
from secure_bucket.template.buckets import BucketPolicy

__all__ = ["ClaimOutcome", "OutcomeInWorld", "over_deployments", "settles", "worst_of"]


class ClaimOutcome(Struct, frozen=True):
    """The outcome of one deployment, or of all of them.

    Args:
        verdict: The verdict; its places are places in files.
        policy: The deciding policy; `None` without a policy.
        parameters: The parameter values that it depends on.
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
    """Tell whether a policy that may apply leaves a verdict unchanged."""
    return isinstance(possible, type(verdict)) and not isinstance(possible, Undecided)


def over_deployments(cases: list[OutcomeInWorld]) -> ClaimOutcome:
    """Return the outcome for all deployments: refuted if one is refuted, proven if all are proven."""
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
    # A bucket that is never created has no deployment.
    return cases[0].outcome if cases else ClaimOutcome(Proven())


def _where(chosen: list[OutcomeInWorld], cases: list[OutcomeInWorld]) -> ClaimOutcome:
    """Return one of the chosen outcomes, with the fewest parameter values that cause it."""
    named = [(case, _what_matters(case, cases)) for case in chosen]
    case, parameters = min(named, key=lambda pair: len(pair[1]))
    return replace(case.outcome, parameters=tuple(sorted(parameters.items())))


def _what_matters(case: OutcomeInWorld, cases: list[OutcomeInWorld]) -> dict[str, str]:
    """Return the part of a world that the verdict depends on."""
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
