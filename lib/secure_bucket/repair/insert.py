"""Insert values into a text; remove only the white space in empty braces."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from secure_bucket.repair.layout import Child, LayoutError, LayoutKind, Node, TextLayout
from secure_bucket.repair.render import block, flow, json_within_yaml, key_of
from secure_bucket.repair.style import Style

__all__ = ["Edit", "append_to_single_item", "apply_edits", "insert_item", "insert_member"]

# The rest of a line behind a value, if the next value may start on the line below.
_REST_IN_JSON = re.compile(r"[ \t]*(,?)[ \t]*(?://.*|/\*(?:[^*]|\*(?!/))*\*/[ \t]*)?")
_KEY = re.compile(r'[ \t]+"[^"]*"[ \t]*:[ \t]*')
_REST_IN_YAML = re.compile(r"[ \t]*(,?)(?:[ \t]*|[ \t]+#.*)")


class Edit(NamedTuple):
    """A replacement of a part of a text.

    Args:
        start: Where the replaced part begins.
        end: Where the replaced part ends; the same as `start` for an insertion.
        text: The new text.
    """

    start: int
    end: int
    text: str


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return a text after edits that do not overlap."""
    pieces: list[str] = []
    done = 0
    for edit in sorted(edits):
        pieces += [text[done : edit.start], edit.text]
        done = edit.end
    return "".join([*pieces, text[done:]])


def insert_item(layout: TextLayout, style: Style, items: Node, value: Mapping[str, object]) -> list[Edit]:
    """Return the edits that put a mapping behind the last item of a sequence."""
    if items.flow:
        return _insert_in_flow(layout, style, items, len(items.children) - 1, None, value)
    last = items.children[-1]
    dash = len(layout.text[: last.start].rstrip()) - 1
    if layout.text[dash] != "-":
        raise LayoutError("a comment stands between a dash and its item")
    column = layout.column(dash)
    gap = layout.text[dash + 1 : last.start]
    first, *rest = block(value, style)
    gap = gap if gap and not gap.strip(" ") else " "
    lines = [f"{' ' * column}-{gap}{first}", *(" " * (column + 1 + len(gap)) + line for line in rest)]
    return [_insert_lines(layout, style, items, last, column, lines)]


def insert_member(
    layout: TextLayout, style: Style, mapping: Node, after: int, key: str, value: object
) -> list[Edit]:
    """Return the edits that add a member behind the one at position `after`; -1 for an empty mapping."""
    if mapping.flow:
        return _insert_in_flow(layout, style, mapping, after, key, value)
    before = mapping.children[after]
    column = layout.column(mapping.children[0].start)
    lines = [" " * column + line for line in block({key: value}, style)]
    return [_insert_lines(layout, style, mapping, before, column, lines)]


def append_to_single_item(
    layout: TextLayout, style: Style, node: Node, value: Mapping[str, object]
) -> list[Edit]:
    """Return the edits that turn a mapping into a list of this mapping and a second one."""
    if node.flow:
        style = _style_within(layout, style, node)
        indent = layout.indentation(node.start) if _over_lines(layout, node) else None
        item = flow(value, style, indent)
        return [Edit(node.start, node.start, "["), Edit(node.end, node.end, f"{style.comma}{item}]")]
    if not layout.begins_line(node.start):
        raise LayoutError("an anchor or a tag stands before the statement")
    column = layout.column(node.start)
    edits: list[Edit] = []
    end = _end_with_comments(layout, node.end, column)
    start = layout.line_start(node.start)
    while start < end:
        if layout.text[start : layout.line_end(start)].strip():
            first = start <= node.start < layout.line_end(start)
            edits.append(Edit(node.start, node.start, "- ") if first else Edit(start, start, "  "))
        start = layout.text.find("\n", start) + 1 or end
    first_line, *rest = block(value, style)
    lines = [" " * column + "- " + first_line, *(" " * column + "  " + line for line in rest)]
    edits.append(Edit(end, end, "".join(style.newline + line for line in lines)))
    return edits


def _insert_lines(
    layout: TextLayout, style: Style, container: Node, before: Child, column: int, lines: list[str]
) -> Edit:
    end = max(before.key_end, before.node.end)
    end = _end_with_comments(layout, end, column)
    # A block scalar that keeps its empty lines would take in the empty line.
    if _spaced(layout, container) and not layout.begins_line(end):
        lines = ["", *lines]
    return Edit(end, end, "".join(style.newline + line for line in lines))


def _end_with_comments(layout: TextLayout, end: int, column: int) -> int:
    """Return where the lines of a value end, including the comments that are indented deeper than it."""
    reached = end = layout.line_end(end)
    while True:
        start = layout.text.find("\n", reached) + 1
        if not start:
            return end
        reached = layout.line_end(start)
        line = layout.text[start:reached]
        if line.strip():
            if not line.lstrip().startswith("#") or len(line) - len(line.lstrip()) <= column:
                return end
            end = reached


def _spaced(layout: TextLayout, container: Node) -> bool:
    """Tell whether empty lines separate the children of a container."""
    return any(
        re.search(r"\n[ \t]*\r?\n", layout.text[one.node.end : other.start])
        for one, other in zip(container.children, container.children[1:], strict=False)
    )


def _insert_in_flow(
    layout: TextLayout, style: Style, container: Node, after: int, key: str | None, value: object
) -> list[Edit]:
    style = _style_within(layout, style, container)
    text = layout.text

    def written(indent: str | None) -> str:
        name = "" if key is None else f"{key_of(key, style)}{style.colon}"
        return name + flow(value, style, indent)

    if not container.children:
        inner = text[container.start + 1 : container.end - 1]
        if inner.strip():
            raise LayoutError("a comment stands in empty brackets")
        indent = layout.indentation(container.start)
        deeper = indent + style.step
        new = written(None)
        if style.json and (
            "\n" in inner or _KEY.fullmatch(text[layout.line_start(container.start) : container.start])
        ):
            new = f"{style.newline}{deeper}{written(deeper)}{style.newline}{indent}"
        return [Edit(container.start + 1, container.end - 1, new)]
    child = container.children[after]
    end = child.node.end
    indent = layout.indentation(child.start)
    # A new item gets the layout of the item before it. A new member may be longer than the one before it.
    over_lines = _over_lines(layout, child.node) or (key is not None and layout.begins_line(child.start))
    new = written(indent if over_lines else None)
    if not layout.begins_line(child.start):
        return [Edit(end, end, f"{style.comma}{new}")]
    line_end = layout.line_end(end)
    rest = (_REST_IN_JSON if layout.json else _REST_IN_YAML).fullmatch(text[end:line_end])
    below = f"{style.newline}{indent}{new}"
    if rest and rest[1]:
        return [Edit(line_end, line_end, f"{below},")]
    if rest and after == len(container.children) - 1:
        if line_end == end:
            return [Edit(end, end, f",{below}")]
        return [Edit(end, end, ","), Edit(line_end, line_end, below)]
    return [Edit(end, end, f",{below}")]


def _style_within(layout: TextLayout, style: Style, node: Node) -> Style:
    """Return the style inside braces, which may hold JSON within YAML."""
    if style.json:
        return style
    for inner in node.walk():
        if inner.kind is LayoutKind.MAPPING and inner.children:
            first = inner.children[0]
            return json_within_yaml(style) if layout.text[first.start] == '"' else style
    return style


def _over_lines(layout: TextLayout, node: Node) -> bool:
    return "\n" in layout.text[node.start : node.end]
