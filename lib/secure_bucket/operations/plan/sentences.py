"""Write the sentences of a plan that all reports share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from secure_bucket.formats.summary import count
from secure_bucket.operations.audit.families import advice
from secure_bucket.operations.plan.planned_bucket import Client, ClientUse, PlannedBucket, Wave
from secure_bucket.operations.plan.rollout import Move, PlanSource, Rollout

__all__ = [
    "MOVES_EXPLAINED",
    "blast",
    "change_words",
    "client_name",
    "move_title",
    "some",
    "source_words",
    "summary",
    "use_words",
    "uses_of",
]

MOVES_EXPLAINED: Final = (
    "the bucket that waits for the fewest clients comes first; of several, the largest group that waits for "
    "the same clients"
)
"""The explanation of the order of the moves."""

_LISTED = 3


def summary(rollout: Rollout) -> str:
    """Return the plan in one line."""
    if rollout.faults and not rollout.buckets:
        return f"nothing was planned: {count(len(rollout.faults), 'thing')} could not be read"
    parts = [
        f"{len(buckets):,} {_SHORT[wave]}"
        for wave in Wave
        if (buckets := rollout.wave(wave)) or wave is not Wave.LEFT
    ]
    line = f"{count(len(rollout.buckets), 'bucket')}: {', '.join(parts)}"
    if rollout.faults:
        line += f"; {count(len(rollout.faults), 'fault')} left something unread, so the plan is incomplete"
    return line


_SHORT: Final = {
    Wave.ENFORCED: "enforced",
    Wave.NOW: "safe now",
    Wave.CLIENTS: "after clients have moved",
    Wave.EVIDENCE: "without evidence",
    Wave.REDESIGN: "to redesign",
    Wave.LEFT: "left by an exception",
}


def blast(rollout: Rollout, wave: Wave) -> str:
    """Return the clients that break if a wave is enforced now, as text."""
    radius = rollout.blast_radius(wave)
    if not radius.buckets:
        return "nothing changes"
    words = [f"{count(radius.buckets, 'bucket')} change" + ("s" if radius.buckets == 1 else "")]
    if radius.accounts:
        words[0] += f" in {count(len(radius.accounts), 'account')}"
    if radius.clients:
        breaks = "breaks" if radius.clients == 1 else "break"
        words.append(f"{count(radius.clients, 'client')} {breaks}, with {count(radius.requests, 'request')}")
    elif radius.requests:
        words.append(f"{count(radius.requests, 'request')} of clients without a name break")
    if radius.unknown_buckets:
        words.append(f"for {count(radius.unknown_buckets, 'bucket')} it is unknown who breaks")
    if len(words) == 1:
        words.append("nobody is known to break")
    return "; ".join(words)


def client_name(client: Client, quote: str = "`") -> str:
    """Return the name of a client.

    Args:
        client: The client.
        quote: The quotation mark around values that the client chose, which must not contain it.
    """
    # A backtick in a user agent would end the code around it.
    requester, user_agent, address = (
        f"{quote}{_without(part, quote)}{quote}"
        for part in (client.requester, client.user_agent, client.address)
    )
    parts = []
    if client.requester == "-":
        parts.append("anonymous requests")
    elif client.requester:
        parts.append(requester)
    if client.address:
        parts.append(f"from {address}")
    if client.user_agent and client.user_agent != "-":
        parts.append(f"with {user_agent}")
    return " ".join(parts) or "a client without a name"


def use_words(uses: Sequence[tuple[PlannedBucket, ClientUse]]) -> str:
    """Return the requests of a client to all buckets, as text."""
    transports = sorted({transport for _, use in uses for transport in use.transports})
    operations = sorted({operation for _, use in uses for operation in use.operations})
    addresses = sorted({address for _, use in uses for address in use.addresses} - {"-"})
    requests = sum(use.requests for _, use in uses)
    words = [
        ", ".join(transports),
        f"{count(requests, 'request')} to {count(len(uses), 'bucket')}",
        f"last seen {max(use.last_seen for _, use in uses):%Y-%m-%d %H:%M} UTC",
        some(operations),
        f"from {some(addresses)}" if addresses else "",
    ]
    return ", ".join(filter(None, words))


def change_words(client: Client, uses: Sequence[tuple[PlannedBucket, ClientUse]]) -> str:
    """Return the change of a client that makes it use HTTPS."""
    plain = any("http" in use.transports for _, use in uses)
    return advice(client.user_agent, old_tls=not plain)


def uses_of(rollout: Rollout) -> Mapping[Client, list[tuple[PlannedBucket, ClientUse]]]:
    """Return the requests of each client, with their buckets."""
    uses: dict[Client, list[tuple[PlannedBucket, ClientUse]]] = defaultdict(list)
    for bucket in rollout.buckets:
        for use in bucket.clients:
            uses[use.client].append((bucket, use))
    return uses


def move_title(move: Move) -> str:
    """Return the title of a move."""
    frees = count(len(move.frees), "bucket")
    if not move.whole:
        return f"move {move.number}: clients that the audit does not all name, which frees {frees}"
    return f"move {move.number}: {count(len(move.clients), 'client')}, which frees {frees}"


def source_words(source: PlanSource) -> str:
    """Return a source of a plan and its age, as text."""
    named = some(source.named) or "none named"
    line = f"{source.kind}: {named}, with {count(source.buckets, 'bucket')}"
    if not source.as_of:
        return line
    ago = "" if source.days is None else f", {count(source.days, 'day')} ago" if source.days else ", today"
    return f"{line}, {'until' if source.kind == 'logs' else 'as of'} {source.as_of}{ago}"


def some(names: Sequence[str]) -> str:
    """Return the first names, and the number of the others."""
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more:,} more" if more > 0 else "")


def _without(text: str, quote: str) -> str:
    return text.replace(quote, "'") if quote else text
