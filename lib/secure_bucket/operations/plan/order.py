"""Order the moves of clients, so that buckets can be enforced soon."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping

from secure_bucket.operations.plan.planned_bucket import Client

__all__ = ["order_moves"]


def order_moves(
    needs: Mapping[str, frozenset[Client]],
) -> Iterator[tuple[tuple[Client, ...], tuple[str, ...]]]:
    """Yield the moves: the clients, and the buckets that can be enforced after the move.

    The next bucket is the one that waits for the fewest clients. Among equals, the largest set of buckets
    that wait for the same clients comes first. This greedy order may not be the fastest one, but each step is
    easy to understand.

    Args:
        needs: The clients of each bucket; at least one for each.
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
        # The queue also contains old entries of buckets that wait for fewer clients now.
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
