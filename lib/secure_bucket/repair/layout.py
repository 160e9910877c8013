"""Find where each value of a template begins and ends, so that its text can be edited in place."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field

__all__ = ["Child", "LayoutError", "LayoutKind", "Node", "TextLayout", "read_layout"]

_SPACE = re.compile(r"(?:[ \t\r\n]+|//[^\n]*|/\*(?s:.*?)\*/)*")
_WORD = re.compile(r"[^\s,\]}/]+")


class LayoutError(Exception):
    """A text has a layout that cannot be edited."""


class LayoutKind(enum.Enum):
    """The kind of a node."""

    MAPPING = "mapping"
    SEQUENCE = "sequence"
    SCALAR = "scalar"
    ALIAS = "alias"


class Node(Struct):
    """A value in the text.

    Args:
        kind: Its kind.
        start: Where it begins, including its anchor and tag.
        end: Where it ends, without the comments after it.
        flow: Whether it is in braces or brackets, as every value of JSON.
        tag: Its YAML tag; `""` without one.
        quote: The quotation mark of a scalar; `""` without one.
        children: The members of a mapping, or the items of a sequence.
    """

    kind: LayoutKind
    start: int
    end: int
    flow: bool = True
    tag: str = ""
    quote: str = ""
    children: list[Child] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        """Yield the node and all nodes inside it."""
        pending = [self]
        while pending:
            node = pending.pop()
            yield node
            pending.extend(child.node for child in reversed(node.children))

    def index(self, key: str) -> int:
        """Return the position of a member.

        Raises:
            LayoutError: If the node does not contain the member itself, for example because YAML merges it.
        """
        for position, child in enumerate(self.children):
            if child.key == key:
                return position
        if self.kind is LayoutKind.ALIAS:
            raise LayoutError(f"`{key}` stands behind a YAML alias, so that it belongs to other values, too")
        raise LayoutError(f"`{key}` is not written at its place, but merged from elsewhere")


class Child(Struct):
    """A member of a mapping, or an item of a sequence.

    Args:
        start: Where its key begins; for an item, where the item begins.
        key_end: Where its key ends; the same as `start` for an item.
        key: Its key; `None` for an item.
        node: Its value.
    """

    start: int
    key_end: int
    key: str | None
    node: Node


class TextLayout(Struct):
    """A text and the tree of its values.

    Args:
        text: The text.
        root: The value of the whole text.
        json: Whether the text is JSON.
    """

    text: str
    root: Node
    json: bool

    @property
    def newline(self) -> str:
        """The line end of most lines."""
        windows = self.text.count("\r\n")
        return "\r\n" if windows * 2 > self.text.count("\n") else "\n"

    def line_start(self, offset: int) -> int:
        """Return where the line of an offset begins."""
        return self.text.rfind("\n", 0, offset) + 1

    def line_end(self, offset: int) -> int:
        """Return where the line of an offset ends, before its line end."""
        end = self.text.find("\n", offset)
        if end < 0:
            return len(self.text)
        return end - 1 if end > offset and self.text[end - 1] == "\r" else end

    def column(self, offset: int) -> int:
        """Return the column of an offset, from 0."""
        return offset - self.line_start(offset)

    def indentation(self, offset: int) -> str:
        """Return the white space at the beginning of the line of an offset."""
        line = self.text[self.line_start(offset) : self.line_end(offset)]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def begins_line(self, offset: int) -> bool:
        """Tell whether only white space precedes an offset in its line."""
        return not self.text[self.line_start(offset) : offset].strip()

    def at(self, *keys: str) -> Node:
        """Return the value at a path of keys.

        Raises:
            LayoutError: If the text does not contain the value at this path.
        """
        node = self.root
        for key in keys:
            node = node.children[node.index(key)].node
        return node


def read_layout(text: str) -> TextLayout:
    """Return the layout of the text of a template.

    Raises:
        LayoutError: If the layout cannot be edited.
    """
    if text.lstrip()[:1] in ("{", "[", "/"):
        try:
            return TextLayout(text, _JsonReader(text).document(), json=True)
        except (ValueError, IndexError):
            pass  # YAML may start with a brace as well.
    return TextLayout(text, _yaml_root(text), json=False)


class _JsonReader:
    """Find the values of a JSON text, which may contain comments and trailing commas."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.offset = 0
        self.scan_string = json.JSONDecoder().raw_decode

    def document(self) -> Node:
        self._space()
        node = self._value()
        self._space()
        if self.offset != len(self.text):
            raise ValueError("something stands behind the value")
        return node

    def _space(self) -> None:
        match = _SPACE.match(self.text, self.offset)
        self.offset = match.end() if match else self.offset

    def _value(self) -> Node:
        start, first = self.offset, self.text[self.offset]
        if first in "{[":
            return self._container(start, first == "{")
        if first == '"':
            _, self.offset = self.scan_string(self.text, start)
            return Node(LayoutKind.SCALAR, start, self.offset, quote='"')
        match = _WORD.match(self.text, start)
        if match is None:
            raise ValueError("a value is missing")
        json.loads(match.group())
        self.offset = match.end()
        return Node(LayoutKind.SCALAR, start, self.offset)

    def _container(self, start: int, is_object: bool) -> Node:
        node = Node(LayoutKind.MAPPING if is_object else LayoutKind.SEQUENCE, start, start)
        close = "}" if is_object else "]"
        self.offset += 1
        self._space()
        while self.text[self.offset] != close:
            begin, key = self.offset, None
            if is_object:
                key, self.offset = self.scan_string(self.text, begin)
                if not isinstance(key, str):
                    raise ValueError("a key is not text")
                key_end = self.offset
                self._space()
                self._expect(":")
            else:
                key_end = begin
            node.children.append(Child(begin, key_end, key, self._value()))
            self._space()
            if self.text[self.offset] != close:
                self._expect(",")
        self.offset += 1
        node.end = self.offset
        return node

    def _expect(self, character: str) -> None:
        if self.text[self.offset] != character:
            raise ValueError(f"`{character}` is missing")
        self.offset += 1
        self._space()


def _yaml_root(text: str) -> Node:
    import yaml  # Takes 10 ms, which JSON does not pay.

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    events: Iterator[Any] = iter(yaml.parse(text, Loader=loader))
    for event in events:
        if not isinstance(event, (yaml.StreamStartEvent, yaml.DocumentStartEvent)):
            return _yaml_node(yaml, text, event, events)
    raise LayoutError("there is no value")


def _yaml_node(yaml: Any, text: str, event: Any, events: Iterator[Any]) -> Node:
    start, end = event.start_mark.index, event.end_mark.index
    if isinstance(event, yaml.AliasEvent):
        return Node(LayoutKind.ALIAS, start, end, flow=False)
    tag = event.tag or ""
    if isinstance(event, yaml.ScalarEvent):
        quote = event.style if event.style in ("'", '"') else ""
        if event.style in ("|", ">"):
            end = _end_of_block_scalar(text, start, end)
        return Node(LayoutKind.SCALAR, start, end, flow=False, tag=tag, quote=quote)
    is_mapping = isinstance(event, yaml.MappingStartEvent)
    node = Node(
        LayoutKind.MAPPING if is_mapping else LayoutKind.SEQUENCE, start, end, bool(event.flow_style), tag
    )
    for inner in events:
        if isinstance(inner, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            # The event of a block collection ends at the next token: use the end of its last value.
            node.end = inner.end_mark.index if node.flow else max(end, *_ends(node.children), start)
            break
        if is_mapping:
            key = getattr(inner, "value", None)
            value = _yaml_node(yaml, text, next(events), events)
            begin, key_end = inner.start_mark.index, inner.end_mark.index
            node.children.append(Child(begin, key_end, key if isinstance(key, str) else "", value))
        else:
            item = _yaml_node(yaml, text, inner, events)
            node.children.append(Child(item.start, item.start, None, item))
    return node


def _ends(children: list[Child]) -> list[int]:
    # The event of a missing value (`Key:`) is at the next token or right behind the colon.
    return [
        max(child.key_end, child.node.end if child.node.end > child.node.start else 0) for child in children
    ]


def _end_of_block_scalar(text: str, start: int, end: int) -> int:
    """Return where a block scalar ends: before the line ends after it, except if `+` keeps them."""
    header = text[start : text.find("\n", start)].split("#")[0]
    if "+" in header:
        return end - (2 if text[end - 2 : end] == "\r\n" else 1 if text[end - 1 : end] == "\n" else 0)
    return start + len(text[start:end].rstrip())
