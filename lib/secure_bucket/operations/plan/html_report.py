"""Write a plan as one page: the waves on a time line, and the clients that have to move."""

from __future__ import annotations

from typing import Final

from secure_bucket.formats.html_document import document_of
from secure_bucket.formats.html_parts import code, prose, sentence, table
from secure_bucket.formats.markup import Content, Markup, concat, tag
from secure_bucket.formats.run import Run
from secure_bucket.formats.summary import count
from secure_bucket.formats.svg import Bar, BarPart, bars, legend, timeline
from secure_bucket.operations.plan.planned_bucket import Client, PlannedBucket, Wave
from secure_bucket.operations.plan.rollout import Rollout
from secure_bucket.operations.plan.sentences import summary, uses_of

__all__ = ["render"]

_FILLS: Final = {
    Wave.ENFORCED: "empty",
    Wave.NOW: "solid",
    Wave.CLIENTS: "hatch",
    Wave.EVIDENCE: "dots",
    Wave.REDESIGN: "dots",
    Wave.LEFT: "empty",
}


def render(rollout: Rollout, run: Run) -> str:
    """Return the plan as one self-contained HTML page."""
    sections = (
        ("line", "Time line", _line(rollout)),
        ("clients", "Who has to move", _clients(rollout)),
        ("waves", "Waves", _waves(rollout)),
        ("buckets", "Buckets", _buckets(rollout)),
        ("sources", "What the plan rests on", _sources(rollout)),
    )
    grade = "good" if rollout.done and not rollout.faults else "open"
    return document_of("Plan to deny plain HTTP", prose(summary(rollout)), sections, run, grade=grade)


def _line(rollout: Rollout) -> Markup:
    stations: list[tuple[str, str, str]] = []
    for wave in Wave:
        buckets = rollout.wave(wave)
        if not buckets:
            continue
        if wave is Wave.CLIENTS:
            stations += [
                (
                    _FILLS[wave],
                    f"after move {move.number}",
                    f"{count(len(move.clients), 'client')}, {count(len(move.frees), 'bucket')}",
                )
                for move in rollout.moves
            ]
        else:
            stations.append((_FILLS[wave], wave.words, count(len(buckets), "bucket")))
    if not stations:
        return tag("p", "The plan contains no bucket.")
    name = "The waves in their order, from left to right; the tables below hold the same"
    entries = [(_FILLS[wave], wave.words) for wave in (Wave.NOW, Wave.CLIENTS, Wave.EVIDENCE)]
    return concat(legend(entries), timeline(name, stations))


def _clients(rollout: Rollout) -> Markup:
    if not rollout.moves:
        return tag("p", "No client has to move.")
    uses = uses_of(rollout)
    every = [client for move in rollout.moves for client in move.clients]
    requests = {client: sum(use.requests for _, use in uses[client]) for client in every}
    largest = sorted(every, key=lambda client: -requests[client])[:30]
    rows = [Bar(_name(each), (BarPart("hatch", requests[each]),), f"{requests[each]:,}") for each in largest]
    heads = ("Move", "Client", "User agent", "Requests", "Last seen", "Buckets enforced after it")
    cells: list[tuple[Content, ...]] = [
        (
            f"{move.number}",
            code(_name(client)),
            code(client.user_agent or "-"),
            f"{requests[client]:,}",
            f"{max(use.last_seen for _, use in uses[client]):%Y-%m-%d %H:%M}",
            ", ".join(move.frees),
        )
        for move in rollout.moves
        for client in move.clients
    ]
    unnamed = [move for move in rollout.moves if not move.whole]
    return concat(
        bars("The clients that have to move, by requests; the table holds the numbers", rows),
        table("Clients in the order in which they move", heads, cells),
        tag("p", "The audit does not name all clients of the buckets of the last move.") if unnamed else None,
    )


def _name(client: Client) -> str:
    if client.requester == "-":
        return f"anonymous from {client.address}" if client.address else "anonymous"
    return client.requester or client.user_agent or client.address or "-"


def _waves(rollout: Rollout) -> Markup:
    heads = ("Wave", "Buckets", "Accounts", "Clients", "Requests", "Unknown")
    cells = []
    for wave in Wave:
        radius = rollout.blast_radius(wave)
        numbers = (len(radius.accounts), radius.clients, radius.requests, radius.unknown_buckets)
        cells.append(
            (f"{wave.value} {wave.words}", f"{len(rollout.wave(wave)):,}", *(f"{each:,}" for each in numbers))
        )
    caption = (
        "Waves, with the clients and requests that break if each is enforced now, and the number of "
        "buckets whose clients are unknown"
    )
    return table(caption, heads, cells)


def _buckets(rollout: Rollout) -> Markup:
    heads = ("Bucket", "Wave", "After move", "Account", "State", "Why", "What to do")
    return table("Buckets in the order in which to enforce them", heads, map(_row, rollout.buckets))


def _row(bucket: PlannedBucket) -> tuple[Content, ...]:
    return (
        bucket.label,
        f"{bucket.wave.value} {bucket.wave.words}",
        f"{bucket.move}" if bucket.move else "-",
        bucket.account or "-",
        bucket.state.words,
        concat(*(tag("p", sentence(one)) for one in bucket.reasons if one != bucket.state.words)),
        concat(*(tag("p", sentence(action)) for action in bucket.actions)),
    )


def _sources(rollout: Rollout) -> Markup:
    heads = ("Source", "Buckets", "As of", "Read from")
    cells = [
        (each.kind, f"{each.buckets:,}", each.as_of or "just now", ", ".join(each.named))
        for each in rollout.sources
    ]
    told = [*(fault.message for fault in rollout.faults), *rollout.warnings]
    notes = tag("ul", *(tag("li", sentence(one)) for one in told)) if told else None
    return concat(table("Sources", heads, cells), notes)
