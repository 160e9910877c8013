"""Write JSON documents of a published form, and read them with the same types.

`tools/write_schemas.py` generates the schemas beside this module from these types, with the docstrings as
descriptions. The number of a form changes only if a program that reads it could break; a new member does not
change it.
"""

from __future__ import annotations

import datetime
import functools
import os
import re
from typing import Annotated, Any, Final, TypeAlias, TypeVar, get_args

import msgspec
import msgspec.structs
from msgspec import Meta, Struct

from secure_bucket.errors import SecureBucketError
from secure_bucket.formats.characters import json_text
from secure_bucket.formats.run import Run, utc
from secure_bucket.values.unknown import Place

__all__ = [
    "FormError",
    "JsonDocument",
    "Moment",
    "Natural",
    "PlaceForm",
    "Positive",
    "decode",
    "fill",
    "read_bytes_of",
    "render",
    "run_members",
]

_MAX_BYTES: Final = 1024 * 1024 * 1024
_PATH: Final = re.compile(r" - at `\$(.*)`\Z")

Natural: TypeAlias = Annotated[int, Meta(ge=0)]
Positive: TypeAlias = Annotated[int, Meta(ge=1)]
Moment: TypeAlias = Annotated[datetime.datetime, Meta(tz=True)]


class FormError(SecureBucketError):
    """A file is not a document of the expected form; the message names the first difference."""


class ToolForm(Struct, frozen=True):
    """The tool that wrote the document.

    Args:
        name: The name of the tool.
        version: The version of the tool; null if it is unknown.
    """

    name: str
    version: str | None


class OptionForm(Struct, frozen=True):
    """An option in force.

    Args:
        name: The option, as on the command line.
        value: Its value.
    """

    name: str
    value: str


class RunForm(Struct, frozen=True):
    """The run of the command.

    Args:
        finished_at: The end of the run, in UTC; null if it is unknown.
        exit_code: The exit code of the command; null if no command ran.
        options: The options in force.
    """

    finished_at: Moment | None
    exit_code: int | None
    options: tuple[OptionForm, ...]


class JsonDocument(Struct, frozen=True, kw_only=True):
    """A document in JSON.

    Args:
        tool: The tool that wrote the document.
        run: The run of the command.
    """

    tool: ToolForm
    run: RunForm


class PlaceForm(Struct, frozen=True):
    """A place in a file.

    Args:
        file: The file, relative to the root of the repository; empty if it is unknown.
        line: The line, from 1; null if it is unknown.
        column: The column in characters, from 1; null if it is unknown.
        pointer: The JSON pointer (RFC 6901) inside the document; empty for the document itself.
    """

    file: str
    line: Positive | None
    column: Positive | None
    pointer: str

    @classmethod
    def of(cls, at: Place, run: Run) -> PlaceForm:
        """Return the form of a place, with its file relative to the root of the run."""
        return cls(run.relative(at.file), at.line or None, at.column or None, at.pointer)

    def place(self) -> Place:
        """Return the place."""
        return Place(self.pointer, self.file, self.line or 0, self.column or 0)


Form = TypeVar("Form", bound=Struct)


def run_members(run: Run) -> dict[str, Any]:
    """Return the members of every document: its tool and its run."""
    options = tuple(OptionForm(name, value) for name, value in run.options)
    finished = None if run.finished_at is None else utc(run.finished_at)
    return {
        "tool": ToolForm("secure-bucket", run.version or None),
        "run": RunForm(finished, run.exit_code, options),
    }


def fill(form: type[Form], *values: object, **members: Any) -> Form:
    """Return a form with the attributes of values by name, with null for empty text, and times in UTC.

    Args:
        form: The type of the form.
        values: The values; the first value with an attribute provides it.
        members: The other members.
    """
    for name in form.__struct_fields__:
        for value in values:
            if name not in members and hasattr(value, name):
                given = getattr(value, name)
                if isinstance(given, datetime.datetime):
                    given = utc(given)
                members[name] = None if given == "" and name in _nullable(form) else given
    return form(**members)


@functools.cache
def _nullable(form: type[Struct]) -> frozenset[str]:
    fields = msgspec.structs.fields(form)
    return frozenset(field.name for field in fields if type(None) in get_args(field.type))


def render(document: object) -> str:
    """Return a document as JSON."""
    return json_text(msgspec.to_builtins(document))


def read_bytes_of(file: str | os.PathLike[str]) -> bytes:
    """Return the content of a JSON file.

    Raises:
        FormError: If the file cannot be read, or is too large.
    """
    name = os.fspath(file)
    try:
        if os.path.getsize(name) > _MAX_BYTES:
            raise FormError(f"`{name}` has more than {_MAX_BYTES:,} bytes: it cannot be a report")
        with open(name, "rb") as stream:
            return stream.read().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise FormError(f"`{name}` cannot be read: {error.strerror or error}") from None


def decode(data: bytes, form: type[Form], file: str | os.PathLike[str]) -> Form:
    """Return the content of a file as a form.

    Args:
        data: The content.
        form: The type of the form.
        file: The name of the file, for error messages.

    Raises:
        FormError: If the content is not JSON, or not of the form; with the JSON pointer of the first
            difference.
    """
    name = os.fspath(file)
    try:
        return msgspec.json.decode(data, type=form)
    except msgspec.ValidationError as error:
        message = str(error)
        path = _PATH.search(message)
        at = re.sub(r"\[(.*?)\]|\.", lambda match: f"/{match[1] or ''}", path[1]) if path else ""
        what = message[: path.start()] if path else message
        where = f"`{name}`: `{at}`" if at else f"`{name}`"
        raise FormError(f"{where}: {what[:1].lower()}{what[1:]}: was the file changed by hand?") from None
    except msgspec.DecodeError as error:
        what = str(error).removeprefix("JSON is malformed: ")
        raise FormError(f"`{name}` is not JSON, as a report of `--format json` is: {what}") from None
    except UnicodeDecodeError:
        raise FormError(f"`{name}` is not JSON: it is not UTF-8 text") from None
    except RecursionError:
        raise FormError(f"`{name}` is nested too deeply to be read") from None
