"""From what is known of a bucket to its place in the plan."""

from __future__ import annotations

from msgspec.structs import replace

from secure_bucket.findings.subject import Running
from secure_bucket.operations.plan.actions import actions_of
from secure_bucket.operations.plan.decision import Circumstances, Decision
from secure_bucket.operations.plan.join import Joined
from secure_bucket.operations.plan.planned_bucket import ClientUse, Declaration, PlannedBucket
from secure_bucket.operations.plan.reasons import reasons_of

__all__ = ["decide"]


def decide(joined: Joined, clients: tuple[ClientUse, ...], circumstances: Circumstances) -> PlannedBucket:
    """Return a bucket with its state, its wave, and what to do about it."""
    decision = Decision(joined, clients, circumstances)
    running = None if joined.running is None else joined.running.bucket.subject
    if not isinstance(running, Running):
        running = Running("")
    logged = joined.logged
    return PlannedBucket(
        joined.name,
        decision.state,
        decision.wave,
        tuple(reasons_of(decision)),
        tuple(actions_of(decision)),
        decision.in_force,
        decision.in_template,
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
        running.account,
        running.region,
        running.as_of,
        None if logged is None or decision.answer is None else replace(logged, answer=decision.answer),
        clients,
        decision.unnamed,
        decision.website is not None,
    )
