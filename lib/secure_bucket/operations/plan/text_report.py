"""Write a plan for terminals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from secure_bucket.formats.characters import ONE_COLUMN, encodable
from secure_bucket.formats.summary import count
from secure_bucket.formats.terminal_page import TerminalPage
from secure_bucket.operations.plan.planned_bucket import PlannedBucket, Wave
from secure_bucket.operations.plan.rollout import Move, Rollout
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

__all__ = ["SHOWN", "render"]

SHOWN: Final = 20
"""The number of buckets of a wave, and of clients of a move, to show without `--verbose`."""

_COLOURS: Final = {
    Wave.ENFORCED: "1;32",
    Wave.NOW: "1;32",
    Wave.CLIENTS: "1;31",
    Wave.EVIDENCE: "1;33",
    Wave.REDESIGN: "1;31",
    Wave.LEFT: "1;33",
}
_ERROR: Final = "1;31"
_WARNING: Final = "1;33"


def render(
    rollout: Rollout,
    *,
    colour: bool = False,
    width: int | None = None,
    ascii_only: bool = False,
    verbose: bool = False,
) -> str:
    """Return the plan as lines of text.

    Args:
        rollout: The plan.
        colour: Whether to use the colours of a terminal (default: plain text).
        width: The columns to wrap at (default: do not wrap).
        ascii_only: Whether to write only ASCII (default: UTF-8).
        verbose: Whether to list every bucket (default: some of each wave).
    """
    text = "".join(f"{line}\n" for line in _Page(rollout, colour, width, verbose).lines())
    return encodable(text, ONE_COLUMN, ascii_only=ascii_only)


class _Page(TerminalPage):
    def __init__(self, rollout: Rollout, colour: bool, width: int | None, verbose: bool) -> None:
        self.rollout = rollout
        super().__init__(colour, width)
        self.verbose = verbose
        self.uses = uses_of(rollout)

    def lines(self) -> Iterator[str]:
        for wave in Wave:
            buckets = self.rollout.wave(wave)
            if not buckets:
                continue
            title = f"wave {wave.value}, {wave.words}: "
            title = f"{wave.words}: " if wave is Wave.LEFT else title
            head = title + (count(len(buckets), "bucket") if wave is Wave.ENFORCED else self.hit(wave))
            for line in self.wrapped(head):
                yield self.styled(_COLOURS[wave], line)
            if wave is Wave.CLIENTS:
                yield from self.moves()
            elif wave is not Wave.ENFORCED or self.verbose:
                yield from self.buckets(buckets)
            elif any(len(bucket.reasons) > 1 for bucket in buckets):
                # Show enforced buckets only if they have a further reason.
                yield from self.buckets([bucket for bucket in buckets if len(bucket.reasons) > 1])
            yield ""
        for source in self.rollout.sources if self.rollout.buckets or not self.rollout.faults else ():
            yield from self.wrapped(f"planned from {source_words(source)}")
        for warning in self.rollout.warnings:
            yield from self.labelled("warning", _WARNING, warning)
        for fault in self.rollout.faults:
            yield from self.labelled("error", _ERROR, fault.message)
        yield from self.wrapped(summary(self.rollout))

    def hit(self, wave: Wave) -> str:
        if wave is Wave.LEFT:
            return count(len(self.rollout.wave(wave)), "bucket")
        return blast(self.rollout, wave)

    def moves(self) -> Iterator[str]:
        by_label = {bucket.label: bucket for bucket in self.rollout.wave(Wave.CLIENTS)}
        yield from self.wrapped(f"  {MOVES_EXPLAINED}", 2)
        for move in self.rollout.moves:
            yield from self.wrapped(f"  {move_title(move)}", 2)
            yield from self.clients(move)
            yield from self.buckets([by_label[label] for label in move.frees])

    def clients(self, move: Move) -> Iterator[str]:
        shown = move.clients if self.verbose else move.clients[:SHOWN]
        for client in shown:
            yield from self.wrapped(f"    {client_name(client)} — {use_words(self.uses[client])}", 6)
            yield from self.wrapped(f"      {change_words(client, self.uses[client])}", 8)
        yield from self.more(len(move.clients) - len(shown), "client")

    def buckets(self, buckets: list[PlannedBucket] | tuple[PlannedBucket, ...]) -> Iterator[str]:
        shown = buckets if self.verbose else buckets[:SHOWN]
        for bucket in shown:
            where = f" ({bucket.where})" if bucket.where else ""
            yield from self.wrapped(f"  {bucket.label}{where}", 4)
            for reason in bucket.reasons:
                yield from self.wrapped(f"    why: {reason}", 6)
            for action in bucket.actions:
                yield from self.wrapped(f"    do:  {action}", 6)
        yield from self.more(len(buckets) - len(shown), "bucket")

    def more(self, number: int, noun: str) -> Iterator[str]:
        if number:
            yield f"  and {count(number, f'more {noun}')} (--verbose lists them)"
