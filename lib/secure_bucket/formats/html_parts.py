"""Build the pieces of the page: tables, lists, code and prose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from secure_bucket.formats.markup import Content, Markup, concat, tag
from secure_bucket.policy.request import Request

__all__ = ["NEWLINE", "code", "pairs_list", "prose", "request_line", "scroller", "sentence", "table"]

NEWLINE = Markup("\n")
"""A line end between two elements, for readers of the source."""

# This number of columns fits on a narrow screen, with wrapped words.
_FEW: Final = 3


def request_line(request: Request) -> Markup:
    """Return a request as one line of code."""
    keys = sorted(request.context.items())
    values = (f"{key} = {value if isinstance(value, str) else ', '.join(value)}" for key, value in keys)
    return tag("code", f"{request.action} on {request.resource} by {request.principal}; {'; '.join(values)}")


def table(caption: str, heads: Iterable[str], rows: Iterable[Sequence[Content]]) -> Markup:
    """Return a table with its caption; the first cell of a row is its heading."""
    heads = tuple(heads)
    body = (tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:])) for row in rows)
    table = tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", *(tag("th", head, scope="col") for head in heads))),
        tag("tbody", *(concat(row, NEWLINE) for row in body)),
        class_="wide" if len(heads) > _FEW else None,
    )
    return scroller(table, caption)


def scroller(content: Markup, name: str) -> Markup:
    """Return a container in which a wide table or picture scrolls, also with the keyboard."""
    return tag("div", content, class_="table", role="region", aria_label=name, tabindex="0")


def pairs_list(pairs: Iterable[tuple[str, Content]]) -> Markup:
    """Return pairs of a name and a value as a list."""
    return tag("dl", *(concat(tag("dt", name), tag("dd", value)) for name, value in pairs))


def code(text: str) -> Markup:
    """Return a name or a path as code that prefers line breaks after slashes."""
    head, *rest = text.split("/")
    return tag("code", head, *(concat("/", Markup("<wbr>"), part) for part in rest))


def prose(text: str) -> Markup:
    """Return a message, with the parts in backticks as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return concat(text)
    return concat(*(code(part) if index % 2 else part for index, part in enumerate(parts)))


def sentence(text: str) -> Markup:
    """Return a clause as a sentence."""
    return prose(f"{text[:1].upper()}{text[1:].rstrip('.')}.")
