"""The clients that break, of each bucket, as an audit groups them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from secure_bucket.operations.audit.audit import Audit, ClientGroup, Trouble
from secure_bucket.operations.plan.planned_bucket import Client, ClientUse

__all__ = ["clients_of"]

_ANONYMOUS = "-"


def clients_of(audit: Audit) -> Mapping[str, tuple[ClientUse, ...]]:
    """Return the clients that break, by the name of the bucket, the busiest first.

    Groups that tell no bucket, or neither a requester nor a user agent nor an address, name no client.
    """
    groups: dict[str, dict[Client, list[ClientGroup]]] = defaultdict(lambda: defaultdict(list))
    for group in audit.groups:
        client = _client(group)
        if group.trouble is Trouble.BREAKS and group.bucket is not None and client is not None:
            groups[group.bucket][client].append(group)
    return {
        bucket: tuple(
            sorted(
                (_use(client, members) for client, members in clients.items()),
                key=lambda use: (-use.requests, use.client),
            )
        )
        for bucket, clients in groups.items()
    }


def _client(group: ClientGroup) -> Client | None:
    """Return who a group is of.

    What one requester does with one user agent is moved as one, wherever it runs: a fleet has an address for
    each machine. Anonymous requests have nothing but their address.
    """
    anonymous = group.requester in (None, _ANONYMOUS)
    client = Client(group.requester or "", group.user_agent or "", (group.address or "") if anonymous else "")
    return None if client == Client("", "") else client


def _use(client: Client, groups: Sequence[ClientGroup]) -> ClientUse:
    return ClientUse(
        client,
        sum(group.requests for group in groups),
        min(group.first_seen for group in groups),
        max(group.last_seen for group in groups),
        tuple(sorted({group.transport for group in groups})),
        tuple(sorted({group.operation for group in groups if group.operation})),
        tuple(sorted({group.address for group in groups if group.address})),
    )
