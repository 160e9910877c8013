"""Write values as text in the style of the template around them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from msgspec.structs import replace

from secure_bucket.repair.style import Style

__all__ = ["block", "flow", "json_within_yaml", "key_of"]

# Text that needs no quotation marks in block and flow style, and that YAML reads as text.
_PLAIN = re.compile(r"[A-Za-z](?:[\w./*-]|:(?=[\w:*]))*")
_NOT_TEXT = re.compile(r"(?i)yes|no|true|false|on|off|null|y|n")


def block(value: Mapping[str, object], style: Style) -> list[str]:
    """Return the lines of a mapping in YAML's block style, the outermost without indentation."""
    lines: list[str] = []
    for key, member in value.items():
        written = key_of(key, style)
        inline = _inline(member, style)
        if inline is not None:
            lines.append(f"{written}: {inline}")
        elif isinstance(member, Mapping):
            lines += [f"{written}:", *(style.step + line for line in block(member, style))]
        elif isinstance(member, list):
            lines.append(f"{written}:")
            for item in member:
                first, *rest = _item(item, style)
                lines.append(f"{' ' * style.dash}- {first}")
                lines += [f"{' ' * style.dash}  {line}" for line in rest]
    return lines


def flow(value: object, style: Style, indent: str | None = None) -> str:
    """Return a value in braces and brackets.

    Args:
        value: The value.
        style: The style.
        indent: The indentation of the line around it, to write several lines; `None` for one line.
    """
    inline = None if style.json else _tagged(value, style)
    if inline is not None:
        return inline
    if isinstance(value, Mapping):
        deeper = None if indent is None else indent + style.step
        parts = [
            f"{key_of(key, style)}{style.colon}{flow(member, style, deeper)}" for key, member in value.items()
        ]
        return _joined("{", parts, "}", style, indent)
    if isinstance(value, list):
        deeper = None if indent is None else indent + style.step
        return _joined("[", [flow(item, style, deeper) for item in value], "]", style, indent)
    return _scalar(value, style)


def json_within_yaml(style: Style) -> Style:
    """Return the style of JSON inside a YAML template."""
    return replace(style, json=True, short_tags=False, quote='"')


def key_of(key: str, style: Style) -> str:
    """Return the text of a key."""
    return _scalar(key, style)


def _joined(opening: str, parts: list[str], closing: str, style: Style, indent: str | None) -> str:
    if indent is None or not parts:
        return f"{opening}{style.comma.join(parts)}{closing}"
    separator = f",{style.newline}{indent}{style.step}"
    inner = separator.join(parts)
    return f"{opening}{style.newline}{indent}{style.step}{inner}{style.newline}{indent}{closing}"


def _item(value: object, style: Style) -> list[str]:
    inline = _inline(value, style)
    if inline is not None:
        return [inline]
    # INVARIANT: a mapping that is not empty has lines.
    return block(value, style) if isinstance(value, Mapping) else [flow(value, style)]


def _inline(value: object, style: Style) -> str | None:
    """Return the text behind a key or a dash; `None` for a collection that needs its own lines."""
    tagged = _tagged(value, style)
    if tagged is not None:
        return tagged
    if isinstance(value, list) and len(value) < 3 and all(isinstance(item, str) for item in value):
        return flow(value, style)
    return None if isinstance(value, (Mapping, list)) and value else flow(value, style)


def _tagged(value: object, style: Style) -> str | None:
    """Return a function with its short tag; `None` if the style or the function has no short tag."""
    if not style.short_tags or not isinstance(value, Mapping) or len(value) != 1:
        return None
    ((name, argument),) = value.items()
    if (
        name == "Fn::GetAtt"
        and isinstance(argument, list)
        and all(isinstance(each, str) for each in argument)
    ):
        return f"!GetAtt {_scalar('.'.join(argument), style)}"
    if name in ("Ref", "Fn::Sub") and isinstance(argument, str):
        return f"!{name.removeprefix('Fn::')} {_scalar(argument, style)}"
    return None


def _scalar(value: object, style: Style) -> str:
    if not isinstance(value, str) or style.json:
        return json.dumps(value, ensure_ascii=False)
    if _PLAIN.fullmatch(value) and not _NOT_TEXT.fullmatch(value):
        return value
    if style.quote == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return json.dumps(value, ensure_ascii=False)
