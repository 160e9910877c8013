"""Represent unknown parts of a template as values.

A policy in a template is JSON in which some values are not known until deployment: the generated name of a
bucket, a parameter, an export of another account. The library never guesses them:

- a `Text` is a string that is known except for its `Hole`s: `arn:aws:s3:::<Reports>/*`;
- an `Unknown` is a value of which not even the JSON type is known.

Both name what is unknown, why, and where it is written.
"""

from __future__ import annotations

from msgspec import Struct

__all__ = ["Hole", "Place", "Text", "Unknown"]


class Place(Struct, frozen=True):
    """Where something is written.

    Args:
        pointer: The JSON pointer (RFC 6901) inside its document; `""` is the document itself.
        file: The file, as the caller named it; `""` if the document is not from a file.
        line: The line, from 1; 0 if it is not known.
        column: The column, from 1; 0 if it is not known.
    """

    pointer: str = ""
    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if self.file and self.line:
            return f"{self.file}:{self.line}:{self.column}"
        return self.file or self.pointer


class Hole(Struct, frozen=True):
    """A piece of text that is not known until deployment.

    Two equal holes stand for the same unknown text. The text of a *generated* hole (a resource name that
    CloudFormation generates) also differs from every literal text.

    Args:
        name: Its name in messages and counterexamples: `<name>`.
        reason: Why it is not known.
        generated: Whether CloudFormation generates the text.
        at: Where it is written. Not part of its identity.
        plain: Whether the text certainly contains no wildcard and no policy variable, such as an account id
            or an attribute of an AWS resource. Not part of its identity.
    """

    name: str
    reason: str
    generated: bool = False
    at: Place = Place()
    plain: bool = False

    def __str__(self) -> str:
        return f"<{self.name}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hole) and (self.name, self.generated) == (other.name, other.generated)

    def __hash__(self) -> int:
        return hash((self.name, self.generated))


class Text(Struct, frozen=True):
    """A string with holes, as a sequence of plain strings and holes."""

    parts: tuple[str | Hole, ...]

    def __str__(self) -> str:
        return "".join(str(part) for part in self.parts)


class Unknown(Struct, frozen=True):
    """A value about which nothing is known.

    Args:
        reason: Why it is not known, as a clause: "`Fn::Transform` runs only at deployment".
        at: Where it is written.
    """

    reason: str
    at: Place = Place()

    def __str__(self) -> str:
        at = str(self.at)
        return f"{self.reason} ({at})" if at else self.reason
