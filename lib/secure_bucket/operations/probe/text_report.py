"""Write probes for terminals and `grep`: one line for each bucket and transport."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from secure_bucket.formats.characters import encodable
from secure_bucket.formats.terminal_page import TerminalPage
from secure_bucket.operations.probe.outcome import Exchange
from secure_bucket.operations.probe.probe import Check
from secure_bucket.operations.probe.results import Probes, outcome_name, sentence
from secure_bucket.proof.verdict import Proven, Refuted, Undecided

__all__ = ["render"]

_ASCII: Final = str.maketrans({"—": "-"})
_COLOURS: Final = {"enforced": "1;32", "open": "1;31", "inconclusive": "1;33", "error": "1;31"}


def render(
    probes: Probes,
    *,
    colour: bool = False,
    width: int | None = None,
    ascii_only: bool = False,
    verbose: bool = False,
) -> str:
    """Return the probes as lines of text.

    Args:
        probes: The probes.
        colour: Whether to use the colours of a terminal (default: plain text).
        width: The columns to wrap at (default: do not wrap).
        ascii_only: Whether to write only ASCII, with escapes for other characters (default: UTF-8).
        verbose: Whether to list every request and its answer.
    """
    page = TerminalPage(colour, width, 20)
    lines = [
        line
        for label, text in _entries(probes, verbose)
        for line in (page.labelled(label, _COLOURS[label], text) if label else page.wrapped(f"  {text}"))
    ]
    text = "".join(f"{line}\n" for line in (*lines, *page.wrapped(probes.summary())))
    return encodable(text, _ASCII, ascii_only=ascii_only)


def _entries(probes: Probes, verbose: bool) -> Iterator[tuple[str, str]]:
    """Yield the lines, each with its label; the lines under an entry have an empty label."""
    for probe, check in probes.checks:
        yield outcome_name(check), sentence(probe, check)
        if check.disagreement:
            yield "", f"proof and probe disagree: {check.disagreement}"
        elif check.verdict is not None:
            yield "", _proof(check)
        if verbose:
            for exchange in check.outcome.exchanges:
                yield "", _evidence(exchange)
    for fault in probes.faults:
        yield "error", str(fault)


def _proof(check: Check) -> str:
    match check.verdict:
        case Proven():
            return "proof: the bucket policy denies every such request"
        case Refuted(why=why):
            return f"proof: the bucket policy accepts such requests — {why}"
        case Undecided(reasons=reasons):
            told = "; ".join(dict.fromkeys(each.reason for each in reasons))
            return f"proof: it is undecided whether the bucket policy denies such requests: {told}"
        case _:
            return ""


def _evidence(exchange: Exchange) -> str:
    told = f", request {exchange.request_id}" if exchange.request_id else ""
    return f"{exchange.action}: {exchange}{told}"
