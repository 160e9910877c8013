"""Read the style of a template: its indentation, its quotation marks and its short tags."""

from __future__ import annotations

from msgspec import Struct

from secure_bucket.repair.layout import LayoutKind, Node, TextLayout

__all__ = ["Style", "read_style"]

_STEP = 2


class Style(Struct, frozen=True):
    """The style of a template.

    Args:
        json: Whether it is JSON.
        step: The indentation of one level.
        dash: The number of columns between the start of a key and the dash of its items.
        quote: The quotation mark of text.
        short_tags: Whether it writes `!GetAtt` instead of `Fn::GetAtt`.
        colon: The text between a key and its value, in braces.
        comma: The text between two values on one line.
        newline: The line end.
    """

    json: bool
    step: str
    dash: int
    quote: str
    short_tags: bool
    colon: str
    comma: str
    newline: str


def read_style(layout: TextLayout) -> Style:
    """Return the style that a template uses most."""
    resources = layout.at("Resources")
    step = _step(layout, resources) or _step(layout, layout.root) or " " * _STEP
    dash, quotes, tags, functions = None, {'"': 0, "'": 0, "": 0}, 0, 0
    for node in layout.root.walk():
        quotes[node.quote] += 1
        tags += node.tag.startswith("!")
        if node.kind is not LayoutKind.MAPPING:
            continue
        for child in node.children:
            functions += child.key == "Ref" or (child.key or "").startswith("Fn::")
            value = child.node
            # A sequence with a tag or an anchor starts in the line of its key.
            if (
                dash is None
                and value.kind is LayoutKind.SEQUENCE
                and not value.flow
                and layout.begins_line(value.start)
            ):
                dash = layout.column(value.start) - layout.column(child.start)
    return Style(
        layout.json,
        step,
        len(step) if dash is None or dash < 0 else dash,
        "'" if quotes["'"] > quotes['"'] and not layout.json else '"',
        tags >= functions and not layout.json,
        _between_key_and_value(layout, resources),
        _between_values(layout),
        layout.newline,
    )


def _step(layout: TextLayout, container: Node) -> str:
    """Return the indentation between the members of a container and their own members."""
    for child in container.children:
        for inner in child.node.children[:1]:
            outer = layout.indentation(child.start)
            deeper = layout.indentation(inner.start)
            if layout.begins_line(inner.start) and len(deeper) > len(outer) and deeper.startswith(outer):
                return deeper[len(outer) :]
    return ""


def _between_key_and_value(layout: TextLayout, mapping: Node) -> str:
    if not layout.json:
        return ": "
    for child in mapping.children:
        between = layout.text[child.key_end : child.node.start]
        if not between.strip(" \t:"):
            return between
    return ": "


def _between_values(layout: TextLayout) -> str:
    """Return the text between two values on one line."""
    for node in layout.root.walk():
        if node.flow:
            for one, other in zip(node.children, node.children[1:], strict=False):
                between = layout.text[one.node.end : other.start]
                if not between.strip(" \t,"):
                    return between
    return ", "
