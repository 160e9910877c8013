"""Draw charts as inline SVG, with solid, hatched, dotted and empty areas instead of colours.

Each chart has a name for screen readers, and a table beside it has the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from secure_bucket.formats.html_parts import scroller
from secure_bucket.formats.markup import Markup, concat, tag

__all__ = ["CHART_STYLE", "FILLS", "PATTERNS", "Bar", "BarPart", "bars", "legend", "strips", "timeline"]

FILLS: Final = ("empty", "solid", "hatch", "dots")
"""The kinds of areas."""

CHART_STYLE: Final = """
svg.chart { display: block; height: auto; color: var(--ink); margin: .5rem 0; }
svg.defs { position: absolute; width: 0; height: 0; }
.chart text { font: 12px system-ui, sans-serif; fill: var(--ink); }
.chart rect { stroke: var(--soft); stroke-width: .5; }
.chart .empty { fill: var(--paper); } .chart .solid { fill: var(--ink); }
.chart .hatch { fill: url(#hatch); } .chart .dots { fill: url(#dots); }
.chart path { fill: none; stroke: var(--ink); }
.key { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; }
.key svg { display: inline-block; vertical-align: middle; margin: 0 .4rem 0 0; }
@media print { svg.chart { max-width: 100%; } }
.chart, .key svg { print-color-adjust: exact; } .chart { break-inside: avoid; }
"""
"""The style of the charts, in addition to the style of the page."""

PATTERNS: Final = Markup(
    '<svg class="defs" aria-hidden="true" focusable="false"><defs>'
    '<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" fill="none"></rect>'
    '<rect width="2" height="6" fill="currentColor"></rect></pattern>'
    '<pattern id="dots" width="5" height="5" patternUnits="userSpaceOnUse">'
    '<circle cx="1.5" cy="1.5" r="1" fill="currentColor"></circle></pattern></defs></svg>'
)
"""The patterns, once for each page."""

_WIDTH: Final = 720
_LABEL: Final = 200
_ROW: Final = 22
_IN_A_ROW: Final = 4


class BarPart(Struct, frozen=True):
    """A part of a bar.

    Args:
        fill: The kind of area, one of `FILLS`.
        amount: The size.
    """

    fill: str
    amount: int


class Bar(Struct, frozen=True):
    """A bar with its label.

    Args:
        label: The label.
        parts: The parts, from left to right.
        note: The text behind the bar.
    """

    label: str
    parts: tuple[BarPart, ...]
    note: str = ""


def legend(entries: Sequence[tuple[str, str]]) -> Markup:
    """Return the key of a chart.

    Args:
        entries: The fill of each area and its meaning.
    """
    items = (
        tag(
            "li",
            tag(
                "svg",
                _rect(fill, 0, 0, 18, 12),
                width="18",
                height="12",
                class_="chart",
                aria_hidden="true",
                focusable="false",
            ),
            meaning,
        )
        for fill, meaning in entries
    )
    return tag("ul", *items, class_="key")


def bars(name: str, rows: Sequence[Bar]) -> Markup:
    """Return bars whose lengths compare their totals.

    Args:
        name: The content of the chart, for screen readers.
        rows: The bars.
    """
    most = max((sum(part.amount for part in row.parts) for row in rows), default=0) or 1
    room = _WIDTH - _LABEL - 90
    drawn: list[Markup | None] = []
    for place, row in enumerate(rows):
        top, left = place * _ROW, float(_LABEL)
        drawn.append(_text(row.label, 0, top + 15, 28))
        for part in row.parts:
            width = room * part.amount / most
            if part.amount:
                # Even the smallest part stays visible.
                drawn.append(_rect(part.fill, left, top + 3, max(width, 1.5), _ROW - 7))
                left += max(width, 1.5)
        drawn.append(_text(row.note, left + 6, top + 15, 14))
    return _chart(name, drawn, len(rows) * _ROW)


def strips(name: str, rows: Sequence[tuple[str, Sequence[tuple[BarPart, ...]]]]) -> Markup:
    """Return a strip of days for each row: a column for each day, filled with the shares of that day.

    Args:
        name: The content of the chart, for screen readers.
        rows: The label of each strip and the parts of its days; a day without records has no parts.
    """
    days = max((len(columns) for _, columns in rows), default=0) or 1
    width = (_WIDTH - _LABEL) / days
    height = _ROW - 4
    drawn: list[Markup | None] = []
    for place, (label, columns) in enumerate(rows):
        top = place * _ROW
        drawn.append(_text(label, 0, top + 15, 28))
        for number, parts in enumerate(columns):
            total = sum(part.amount for part in parts)
            # A part has at least a tenth of its column, so that even a single request is visible.
            shown = [(part.fill, max(part.amount / total, 0.1)) for part in parts if part.amount]
            scale, at = sum(share for _, share in shown), float(top + 2)
            for fill, share in shown:
                drawn.append(_rect(fill, _LABEL + number * width, at, width, height * share / scale))
                at += height * share / scale
    return _chart(name, drawn, len(rows) * _ROW)


def timeline(name: str, stations: Sequence[tuple[str, str, str]]) -> Markup:
    """Return stations on a line, from left to right.

    Args:
        name: The content of the chart, for screen readers.
        stations: The fill, the title and the note of each station.
    """
    rows = -(-len(stations) // _IN_A_ROW)
    width = _WIDTH / _IN_A_ROW
    drawn: list[Markup | None] = []
    for place, (fill, title, note) in enumerate(stations):
        left, top = place % _IN_A_ROW * width, place // _IN_A_ROW * 74
        if place + 1 < len(stations) and place % _IN_A_ROW + 1 < _IN_A_ROW:
            drawn.append(tag("path", d=f"M{left + 32:.1f} {top + 18} H{left + width:.1f}"))
        drawn += [_rect(fill, left, top + 6, 32, 24), _text(title, left, top + 48, 24)]
        drawn.append(_text(note, left, top + 64, 24))
    return _chart(name, drawn, rows * 74)


def _chart(name: str, drawn: Sequence[Markup | None], height: int) -> Markup:
    chart = tag(
        "svg",
        *drawn,
        role="img",
        aria_label=name,
        class_="chart",
        viewBox=f"0 0 {_WIDTH} {max(height, 1)}",
        width=str(_WIDTH),
        height=str(max(height, 1)),
    )
    return scroller(chart, name)


def _rect(fill: str, left: float, top: float, width: float, height: float) -> Markup:
    numbers = (f"{each:.2f}".rstrip("0").rstrip(".") for each in (left, top, width, height))
    x, y, wide, high = numbers
    return concat(tag("rect", class_=fill, x=x, y=y, width=wide, height=high))


def _text(text: str, left: float, top: float, longest: int) -> Markup | None:
    if not text:
        return None
    # The end of an ARN is its most informative part.
    cut = f"…{text[1 - longest :]}" if text.startswith("arn:") else f"{text[: longest - 1]}…"
    shown = text if len(text) <= longest else cut
    return tag("text", shown, x=f"{left:.1f}", y=f"{top:.1f}")
