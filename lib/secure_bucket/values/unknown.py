"""What a template leaves open, as values that travel to the verdict.

A policy taken from a template is JSON in which a few things are not known until it is deployed: the
generated name of a bucket, a parameter, an export of another account. They are never guessed:

- a `Text` is a string that is known but for its `Hole`s: `arn:aws:s3:::<Reports>/*`;
- an `Unknown` stands where not even the JSON type is known.

Both say what is unknown, why, and where it is written.
"""

from __future__ import annotations

from msgspec import Struct

__all__ = ["Hole", "Place", "Text", "Unknown"]


class Place(Struct, frozen=True):
    """Where something is written.

    Args:
        pointer: The JSON pointer (RFC 6901) inside its document; `""` is the document itself.
        file: The file, as it was given; `""` when the document did not come from a file.
        line: The line, from 1; 0 when it is not known.
        column: The column, from 1; 0 when it is not known.
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
    """A piece of text that is not known until the template is deployed.

    Two equal holes hold the same text, which is not known. The text of a *generated* hole (the name that
    CloudFormation makes up for a resource) is in addition different from every text that somebody
    wrote down in full.

    Args:
        name: What it is called in messages and in counterexamples: `<name>`.
        reason: Why it is not known.
        generated: Whether CloudFormation makes the text up.
        at: Where it is written. Not part of its identity.
        plain: Whether the text surely holds no wildcard and no policy variable, as an account id or an
            attribute of a resource of AWS. Not part of its identity.
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
    """A string with holes in it, as a sequence of plain strings and holes."""

    parts: tuple[str | Hole, ...]

    def __str__(self) -> str:
        return "".join(str(part) for part in self.parts)


class Unknown(Struct, frozen=True):
    """A value of which nothing is known.

    Args:
        reason: Why it is not known, as a clause: "`Fn::Transform` runs only at deployment".
        at: Where it is written.
    """

    reason: str
    at: Place = Place()

    def __str__(self) -> str:
        at = str(self.at)
        return f"{self.reason} ({at})" if at else self.reason
