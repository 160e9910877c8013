"""Read YAML as CloudFormation does: version 1.1, short tags, no timestamps.

PyYAML provides the events. This module makes the values, because PyYAML's constructors resolve dates, reject
CloudFormation's tags, keep no positions, and recurse. As in CloudFormation and PyYAML, `Yes`, `No`, `on` and
`off` are Booleans; `y` and `n` are not:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from secure_bucket.errors import MissingDependencyError, TemplateError
from secure_bucket.template.scan import (
    MAX_DEPTH,
    WrittenText,
    duplicate_key,
    pointer_token,
)
from secure_bucket.template.text import as_text
from secure_bucket.template.yaml_scalars import plain_scalar
from secure_bucket.values.unknown import Place, Unknown

if TYPE_CHECKING:
    import yaml

__all__ = ["SeveralDocumentsError", "scan_yaml"]

_STANDARD = "tag:yaml.org,2002:"
_QUOTED = ("'", '"', "|", ">")
_OF_SCALARS = ("int", "float", "bool", "null")
_LONG_NAMES = {"!Ref": "Ref", "!Condition": "Condition"}


class SeveralDocumentsError(TemplateError):
    """Report that a text holds several YAML documents, of which CloudFormation takes one.

    Args:
        file: The name of the file.
        documents: The documents.
    """

    def __init__(self, file: str, documents: list[object]) -> None:
        super().__init__(f"`{file}` holds several YAML documents, and a template is one: split the file")
        self.documents = documents


def scan_yaml(text: str, file: str, positions: dict[str, tuple[int, int]]) -> object:
    """Return the value of a YAML text, with CloudFormation's short tags written out.

    Args:
        text: The text.
        file: The name of the file, for messages.
        positions: Filled with the line and column of every JSON pointer: of the key for a member, of
            the value for an item.

    Raises:
        MissingDependencyError: PyYAML is not installed.
        SeveralDocumentsError: The text contains more than one document.
        TemplateError: The text is not YAML, or is nested deeper than `MAX_DEPTH`.
    """
    try:
        import yaml  # Loads in 10 ms; JSON does not need it.
    except ImportError:
        raise MissingDependencyError(f"`{file}` is YAML, which needs `pip install PyYAML`") from None
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        # `yaml.parse` would take two calls for each event.
        return _Builder(yaml, iter(loader(text).get_event, None), file, positions).document()
    except (OverflowError, ValueError) as error:
        # The Python loader rejects an escape that is not a character.
        raise TemplateError(f"`{file}` is not YAML: {error}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or _mark_of(text, error, loader)
        what = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
        where = hint = ""
        if mark is not None:
            where = f", in line {mark.line + 1}, column {mark.column + 1}"
            line = text.split("\n")[mark.line] if mark.line <= text.count("\n") else ""
            if line[mark.column : mark.column + 1] == "\t":
                hint = "; YAML is indented with spaces, not tabs"
        if "nesting depth" in what:
            # PyYAML reads ahead, and from 6.0.4 on has its own limit, which is higher.
            raise TemplateError(f"`{file}` is nested deeper than {MAX_DEPTH} levels{where}") from None
        raise TemplateError(f"`{file}` is not YAML: {what}{where}{hint}") from None


class _Mark(Struct, frozen=True):
    line: int
    column: int


def _mark_of(text: str, error: Exception, loader: Any) -> _Mark | None:
    """Return the place of a character that YAML does not allow; PyYAML reports only the character."""
    position: int | None = getattr(error, "position", None)
    if position is None:
        return None
    if loader.__name__.startswith("C"):
        # The C loader counts bytes.
        position = len(text.encode("utf-8")[:position].decode("utf-8", "ignore"))
    return _Mark(text.count("\n", 0, position), position - text.rfind("\n", 0, position) - 1)


class _Builder:
    """Make values from events; `anchors` shares them, so an alias costs nothing."""

    def __init__(
        self,
        module: Any,
        events: Iterator[yaml.Event],
        file: str,
        positions: dict[str, tuple[int, int]],
    ) -> None:
        self.yaml = module
        self.events = events
        self.file = file
        self.positions = positions
        self.anchors: dict[str, object] = {}
        self.open_anchors: set[str] = set()

    def document(self) -> object:
        yaml = self.yaml
        documents: list[object] = []
        for event in self.events:
            if isinstance(event, (yaml.StreamStartEvent, yaml.DocumentStartEvent, yaml.DocumentEndEvent)):
                continue
            if isinstance(event, yaml.StreamEndEvent):
                break
            self._mark(event, "")
            documents.append(self._value(event, "", 0))
        if any(content is not None for content in documents[1:]):
            raise SeveralDocumentsError(self.file, documents)
        return documents[0] if documents else None

    def _mark(self, event: Any, pointer: str) -> tuple[int, int]:
        mark = event.start_mark
        position = (mark.line + 1, mark.column + 1)
        self.positions.setdefault(pointer, position)
        return position

    def _value(self, event: Any, pointer: str, depth: int) -> object:
        if depth > MAX_DEPTH:
            raise TemplateError(
                f"`{self.file}` is nested deeper than {MAX_DEPTH} levels, in line {event.start_mark.line + 1}"
            )
        if isinstance(event, self.yaml.AliasEvent):
            if event.anchor in self.open_anchors or event.anchor not in self.anchors:
                raise TemplateError(
                    f"`{self.file}` has the alias `*{event.anchor}` in line {event.start_mark.line + 1}, "
                    f"column {event.start_mark.column + 1}, "
                    "and no complete value with that anchor before it"
                )
            return self.anchors[event.anchor]
        anchor = event.anchor
        if anchor is None:
            return self._tagged(event, pointer, depth)
        self.open_anchors.add(anchor)
        value = self._tagged(event, pointer, depth)
        self.open_anchors.discard(anchor)
        self.anchors[anchor] = value
        return value

    def _tagged(self, event: Any, pointer: str, depth: int) -> object:
        tag = event.tag
        if not tag or not tag.startswith("!") or tag == "!":
            return self._content(event, pointer, depth)
        name = _LONG_NAMES.get(tag, f"Fn::{tag[1:]}")
        inner = f"{pointer}/{pointer_token(name)}"
        content = self._content(
            event, inner, depth, plain_text=name in ("Ref", "Condition", "Fn::GetAtt", "Fn::Sub")
        )
        if name == "Fn::GetAtt" and isinstance(content, str) and "." in content:
            content = content.split(".", 1)
        return {name: content}

    def _content(self, event: Any, pointer: str, depth: int, *, plain_text: bool = False) -> object:
        if isinstance(event, self.yaml.ScalarEvent):
            return event.value if plain_text else self._scalar(event, pointer)
        kind = "seq" if isinstance(event, self.yaml.SequenceStartEvent) else "map"
        content = self._sequence(pointer, depth) if kind == "seq" else self._mapping(pointer, depth)
        return content if _is_plain(event.tag, kind) else self._refused(event, pointer)

    def _scalar(self, event: Any, pointer: str) -> object:
        text: str = event.value
        tag = event.tag or ""
        if tag.startswith(_STANDARD):
            kind = tag[len(_STANDARD) :]
            if kind == "str":
                return text
            return plain_scalar(text) if kind in _OF_SCALARS else self._refused(event, pointer)
        # A scalar in quotes, in a block or with the tag `!` is text.
        if not _is_plain(tag):
            return self._refused(event, pointer)
        if tag == "!" or event.style in _QUOTED:
            return text
        return plain_scalar(text)

    def _refused(self, event: Any, pointer: str) -> Unknown:
        tag = event.tag.replace(_STANDARD, "!!")
        return Unknown(f"CloudFormation does not support the YAML tag `{tag}`", Place(pointer, self.file))

    def _sequence(self, pointer: str, depth: int) -> list[object]:
        items: list[object] = []
        for event in self.events:
            if isinstance(event, self.yaml.SequenceEndEvent):
                break
            child = f"{pointer}/{len(items)}"
            self._mark(event, child)
            items.append(self._value(event, child, depth + 1))
        return items

    def _mapping(self, pointer: str, depth: int) -> dict[str, object]:
        members: dict[str, object] = {}
        lines: dict[str, int] = {}
        merged: list[object] = []
        for event in self.events:
            if isinstance(event, self.yaml.MappingEndEvent):
                break
            key = self._key(event)
            child = f"{pointer}/{pointer_token(key)}"
            line, _ = self._mark(event, child)
            value = self._value(next(self.events), child, depth + 1)
            if key == "<<":
                merged.extend(value if isinstance(value, list) else [value])
                continue
            if key in members:
                value = duplicate_key(key, (members[key], value), self.file, child, (lines[key], line))
            members[key] = value
            lines.setdefault(key, line)
        # Keys of the mapping itself win over merged ones, and earlier merged ones over later ones.
        for mapping in merged:
            if not isinstance(mapping, dict):
                raise TemplateError(
                    f"`{self.file}` merges (`<<`) something that is not a mapping, at `{pointer}`"
                )
            for key, value in mapping.items():
                members.setdefault(key, value)
        return members

    def _key(self, event: Any) -> str:
        if isinstance(event, self.yaml.AliasEvent):
            value = self.anchors.get(event.anchor)
            if isinstance(value, str):
                return value
        if isinstance(event, self.yaml.ScalarEvent):
            # JSON has only text keys: `123456789012:` and `2012-10-17:` keep their spelling.
            if event.anchor is not None:
                self.anchors[event.anchor] = event.value
            return _written_key(event)
        raise TemplateError(
            f"`{self.file}` has a key that is not text, in line {event.start_mark.line + 1}: "
            "is a quotation mark missing?"
        )


def _written_key(event: Any) -> str:
    """Return a key; nothing says how CloudFormation writes a key such as `yes` or `010`."""
    text: str = event.value
    if event.tag or event.style in _QUOTED or as_text(plain_scalar(text)) == text:
        return text
    return WrittenText(text)


def _is_plain(tag: str | None, kind: str = "") -> bool:
    """Tell whether a tag adds nothing to a node; tags of CloudFormation are read before."""
    return not tag or tag.startswith("!") or tag == _STANDARD + kind
