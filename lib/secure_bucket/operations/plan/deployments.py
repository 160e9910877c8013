"""What one deployment enforces together, though one bucket of it may be ready and another may not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from msgspec.structs import replace

from secure_bucket.operations.plan.decision import template_name
from secure_bucket.operations.plan.planned_bucket import PlannedBucket, State, Wave

__all__ = ["mind_deployments"]

_BY_DEPLOYMENT = (State.CLOSES, State.PREPARED)
_BY_REPAIR = (State.UNREPAIRED, State.DECLARED)
_LISTED = 3


def mind_deployments(buckets: Sequence[PlannedBucket]) -> tuple[PlannedBucket, ...]:
    """Return the buckets, with a word where the deployment of one enforces others whose turn comes later.

    A template is deployed as a whole: with the bucket that is safe now comes the deny of every other bucket
    that the template has one for. What repairs a template writes the deny for all of them, too.

    Args:
        buckets: The buckets, in the order in which to enforce them.
    """
    by_template: dict[str, list[PlannedBucket]] = defaultdict(list)
    for bucket in buckets:
        if bucket.state in (*_BY_DEPLOYMENT, *_BY_REPAIR) and bucket.wave is not Wave.LEFT:
            for template in dict.fromkeys(each.template for each in bucket.declarations):
                by_template[template].append(bucket)
    return tuple(map(_Deployments(by_template).minded, buckets))


class _Deployments:
    def __init__(self, by_template: dict[str, list[PlannedBucket]]) -> None:
        self.by_template = by_template
        self.known: dict[tuple[str, tuple[int, int], bool], tuple[PlannedBucket, ...]] = {}

    def minded(self, bucket: PlannedBucket) -> PlannedBucket:
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
        """Return the buckets of a template that are enforced with it, and whose turn comes later."""
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
