"""Plan a rollout: the buckets that change, the clients that break, and the order of enforcement.

    from secure_bucket import check_assembly
    from secure_bucket.operations.review import review_account
    from secure_bucket.operations.audit import audit_logs
    from secure_bucket.operations.plan import Wave, plan_rollout

    rollout = plan_rollout(
        check=check_assembly("cdk.out"), review=review_account(), audit=audit_logs("s3://my-logs/s3/")
    )
    for bucket in rollout.wave(Wave.NOW):
        print(bucket.name, bucket.actions)
    for move in rollout.moves:
        print(move.clients, "first, then", move.frees)

Planning sends no request: templates, accounts and logs are values, which may come from JSON reports as well.
"""

from __future__ import annotations

from secure_bucket.operations.plan.names import StackResources, names_of_buckets, read_stack_resources
from secure_bucket.operations.plan.plan import plan_rollout
from secure_bucket.operations.plan.planned_bucket import (
    Client,
    ClientUse,
    Declaration,
    PlannedBucket,
    State,
    Wave,
)
from secure_bucket.operations.plan.read import read_audit, read_check, read_review
from secure_bucket.operations.plan.rollout import BlastRadius, Move, PlanSource, Rollout, RolloutError

__all__ = [
    "BlastRadius",
    "Client",
    "ClientUse",
    "Declaration",
    "Move",
    "PlanSource",
    "PlannedBucket",
    "Rollout",
    "RolloutError",
    "StackResources",
    "State",
    "Wave",
    "names_of_buckets",
    "plan_rollout",
    "read_audit",
    "read_check",
    "read_review",
    "read_stack_resources",
]
