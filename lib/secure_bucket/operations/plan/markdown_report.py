"""Write a plan in Markdown for a change ticket, with a checkbox for each action."""

from __future__ import annotations

from collections.abc import Iterator

from secure_bucket.formats.characters import markdown_prose, well_formed
from secure_bucket.formats.run import Run
from secure_bucket.formats.summary import count
from secure_bucket.operations.plan.planned_bucket import PlannedBucket, Wave
from secure_bucket.operations.plan.rollout import Rollout
from secure_bucket.operations.plan.sentences import (
    MOVES_EXPLAINED,
    blast,
    change_words,
    client_name,
    move_title,
    source_words,
    summary,
    use_words,
    uses_of,
)

__all__ = ["render"]


def render(rollout: Rollout, run: Run) -> str:
    """Return the plan as a Markdown document for GitHub, GitLab and Jira."""
    return well_formed("".join(f"{line}\n" for line in _lines(rollout, run)))


def _lines(rollout: Rollout, run: Run) -> Iterator[str]:
    yield "# Rollout: deny plain HTTP to S3 buckets"
    yield ""
    yield f"{markdown_prose(summary(rollout))}."
    yield ""
    made = " ".join(filter(None, ("secure-bucket", run.version, run.timestamp and f"at {run.timestamp}")))
    yield f"Planned by {made} from:"
    yield ""
    for source in rollout.sources:
        yield f"- {markdown_prose(source_words(source))}"
    for warning in rollout.warnings:
        yield f"- **Warning:** {markdown_prose(warning)}"
    for fault in rollout.faults:
        yield f"- **Error:** {markdown_prose(fault.message)}"
    yield ""
    yield "| wave | what | buckets | who is hit if it is enforced now |"
    yield "|---|---|---:|---|"
    for wave in Wave:
        buckets = rollout.wave(wave)
        number = "" if wave is Wave.LEFT else str(wave.value)
        hit = markdown_prose(blast(rollout, wave)) if buckets else ""
        yield f"| {number} | {wave.words} | {len(buckets):,} | {hit} |"
    for wave in Wave:
        buckets = rollout.wave(wave)
        if buckets:
            yield ""
            number = "" if wave is Wave.LEFT else f"Wave {wave.value}: "
            title = f"{number}{wave.words}"
            yield f"## {title[0].upper()}{title[1:]}"
            yield ""
            yield from _moves(rollout) if wave is Wave.CLIENTS else _buckets(buckets)


def _moves(rollout: Rollout) -> Iterator[str]:
    by_label = {bucket.label: bucket for bucket in rollout.wave(Wave.CLIENTS)}
    uses = uses_of(rollout)
    yield f"{MOVES_EXPLAINED[0].upper()}{MOVES_EXPLAINED[1:]}."
    for move in rollout.moves:
        title = move_title(move)
        yield ""
        yield f"### {title[0].upper()}{title[1:]}"
        yield ""
        for client in move.clients:
            use = markdown_prose(use_words(uses[client]))
            yield f"- [ ] move {markdown_prose(client_name(client))}: {use}"
            yield f"    - {markdown_prose(change_words(client, uses[client]))}"
        if not move.whole:
            yield "- [ ] find and move the clients that the audit does not name"
        yield from _buckets([by_label[label] for label in move.frees])


def _buckets(buckets: tuple[PlannedBucket, ...] | list[PlannedBucket]) -> Iterator[str]:
    for bucket in buckets:
        where = f" ({markdown_prose(bucket.where)})" if bucket.where else ""
        # Enforced buckets are done, and accepted buckets need no action.
        box = {Wave.ENFORCED: "[x] ", Wave.LEFT: ""}.get(bucket.wave, "[ ] ")
        reasons = "; ".join(map(markdown_prose, bucket.reasons))
        yield f"- {box}{markdown_prose(f'`{bucket.label}`')}{where}: {reasons}"
        for number, action in enumerate(bucket.actions, 1):
            yield f"    {number}. {markdown_prose(action)}"
    if not buckets:
        yield count(0, "bucket")
