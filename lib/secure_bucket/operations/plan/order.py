"""In which order clients move, so that buckets can be enforced as soon as may be."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping

from secure_bucket.operations.plan.planned_bucket import Client

__all__ = ["order_moves"]


def order_moves(
    needs: Mapping[str, frozenset[Client]],
) -> Iterator[tuple[tuple[Client, ...], tuple[str, ...]]]:
    """Yield the moves: clients, and the buckets that can be enforced after them.

    Each time the bucket that waits for the fewest clients is next; where several wait for as few, those of
    which the most wait for the same ones. This is greedy: it need not be the shortest way to the end, and
    each step of it can be understood.

    Args:
        needs: The clients of each bucket, of which it has at least one.
    """
    clients = sorted({client for lacking in needs.values() for client in lacking})
    numbers = {client: number for number, client in enumerate(clients)}
    lacks = {bucket: frozenset(numbers[client] for client in needs[bucket]) for bucket in sorted(needs)}
    users: dict[int, set[str]] = defaultdict(set)
    alike: dict[frozenset[int], set[str]] = defaultdict(set)
    for bucket, lacking in lacks.items():
        alike[lacking].add(bucket)
        for number in lacking:
            users[number].add(bucket)
    queue = [_entry(lacking, buckets) for lacking, buckets in alike.items()]
    heapq.heapify(queue)
    while queue:
        chosen = frozenset(heapq.heappop(queue)[2])
        # Clients move once, and those that have moved are waited for no more: what is left is an older entry.
        if chosen not in alike:
            continue
        freed = alike.pop(chosen)
        grown: set[frozenset[int]] = set()
        for bucket in {user for number in chosen for user in users[number]} & lacks.keys() - freed:
            alike.pop(lacks[bucket], None)
            lacks[bucket] -= chosen
            alike[lacks[bucket]].add(bucket)
            grown.add(lacks[bucket])
        for bucket in freed:
            del lacks[bucket]
        for lacking in grown:
            heapq.heappush(queue, _entry(lacking, alike[lacking]))
        yield tuple(clients[number] for number in sorted(chosen)), tuple(sorted(freed))


def _entry(lacking: frozenset[int], buckets: set[str]) -> tuple[int, int, tuple[int, ...]]:
    return len(lacking), -len(buckets), tuple(sorted(lacking))
