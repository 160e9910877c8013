"""Warn if the deployment of one bucket also enforces buckets of later waves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from msgspec.structs import replace

from secure_bucket.operations.plan.decision import template_name
from secure_bucket.operations.plan.planned_bucket import PlannedBucket, State, Wave

__all__ = ["warn_of_joint_deployments"]

_BY_DEPLOYMENT = (State.CLOSES, State.PREPARED)
_BY_REPAIR = (State.UNREPAIRED, State.DECLARED)
_LISTED = 3


def warn_of_joint_deployments(buckets: Sequence[PlannedBucket]) -> tuple[PlannedBucket, ...]:
    """Return the buckets, with a note on each bucket whose deployment enforces buckets of later waves.

    A template is deployed as a whole, with the denies of all its buckets. A fix of a template also writes the
    denies of all its buckets.

    Args:
        buckets: The buckets, in the order of enforcement.
    """
    by_template: dict[str, list[PlannedBucket]] = defaultdict(list)
    for bucket in buckets:
        if bucket.state in (*_BY_DEPLOYMENT, *_BY_REPAIR) and bucket.wave is not Wave.LEFT:
            for template in dict.fromkeys(each.template for each in bucket.declarations):
                by_template[template].append(bucket)
    return tuple(map(_Deployments(by_template).with_notes, buckets))


class _Deployments:
    def __init__(self, by_template: dict[str, list[PlannedBucket]]) -> None:
        self.by_template = by_template
        self.known: dict[tuple[str, tuple[int, int], bool], tuple[PlannedBucket, ...]] = {}

    def with_notes(self, bucket: PlannedBucket) -> PlannedBucket:
        if bucket.wave in (Wave.ENFORCED, Wave.LEFT) or bucket.state in (State.UNOWNED, State.LOGGED):
            return bucket
        notes, labels = [], []
        for template in dict.fromkeys(each.template for each in bucket.declarations):
            later = self.later(template, bucket.position, repairs=bucket.state not in _BY_DEPLOYMENT)
            if later:
                notes.append(
                    f"{template_name(template)} enforces {_named(later)} as well when it is deployed: wait "
                    "for that, or leave the deny of those out of it until then"
                )
                labels += [each.label for each in later]
        if not notes:
            return bucket
        actions = (*bucket.actions[:-1], *notes, *bucket.actions[-1:])
        return replace(bucket, actions=actions, enforced_with=tuple(dict.fromkeys(labels)))

    def later(self, template: str, position: tuple[int, int], *, repairs: bool) -> tuple[PlannedBucket, ...]:
        """Return the buckets of later waves that a template also enforces."""
        key = (template, position, repairs)
        if key not in self.known:
            states = (*_BY_DEPLOYMENT, *_BY_REPAIR) if repairs else _BY_DEPLOYMENT
            self.known[key] = tuple(
                each
                for each in self.by_template[template]
                if each.position > position and each.state in states
            )
        return self.known[key]


def _named(buckets: Sequence[PlannedBucket]) -> str:
    names = [f"`{each.label}` ({_turn(each)})" for each in buckets[:_LISTED]]
    more = len(buckets) - len(names)
    return ", ".join(names) + (f" and {more:,} more" if more else "")


def _turn(bucket: PlannedBucket) -> str:
    return f"wave {bucket.wave.value}" + (f", move {bucket.move}" if bucket.move else "")
