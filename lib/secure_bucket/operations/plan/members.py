"""The members of a JSON document, asked for by what they have to be."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from msgspec import Struct

from secure_bucket.operations.plan.errors import RolloutError

__all__ = ["Members", "read_members"]

_MAX_BYTES = 1024 * 1024 * 1024


class Members(Struct, frozen=True):
    """An object of a JSON document.

    Args:
        file: The file that it is from.
        values: Its members.
        pointer: Where it stands, as a JSON pointer.
    """

    file: str
    values: Mapping[str, Any]
    pointer: str = ""

    def text(self, key: str) -> str:
        """Return a member that is text; `""` when it is null or is not there."""
        value = self.values.get(key)
        return "" if value is None else value if isinstance(value, str) else self._not(key, "text")

    def number(self, key: str) -> int:
        """Return a member that is a whole number from 0; 0 when it is null or is not there."""
        value = self.values.get(key)
        if value is None:
            return 0
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            self._not(key, "a number from 0")
        return value

    def truth(self, key: str) -> bool:
        """Return a member that is true or false; false when it is not there."""
        value = self.values.get(key, False)
        return value if isinstance(value, bool) else self._not(key, "true or false")

    def real(self, key: str) -> float | None:
        """Return a member that is a number; `None` when it is null or is not there."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self._not(key, "a number")
        return float(value)

    def time(self, key: str) -> datetime.datetime | None:
        """Return a member that is a time in UTC; `None` when it is null or is not there."""
        text = self.text(key)
        if not text:
            return None
        try:
            return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(
                tzinfo=datetime.timezone.utc
            )
        except ValueError:
            self._not(key, "a time as 2027-03-01T12:00:00Z")

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a member that is a list of texts; an empty one when it is not there."""
        value = self._list(key)
        if not all(isinstance(each, str) for each in value):
            self._not(key, "a list of texts")
        return tuple(value)

    def object(self, key: str) -> Members:
        """Return a member that is an object; an empty one when it is null or is not there."""
        value = self.values.get(key)
        if value is None:
            value = {}
        return Members(
            self.file, value if isinstance(value, dict) else self._not(key, "an object"), self._at(key)
        )

    def objects(self, key: str) -> Iterator[Members]:
        """Yield the objects of a member that is a list of them; none when it is not there."""
        for index, value in enumerate(self._list(key)):
            at = f"{key}/{index}"
            yield Members(
                self.file, value if isinstance(value, dict) else self._not(at, "an object"), self._at(at)
            )

    def _list(self, key: str) -> list[Any]:
        value = self.values.get(key)
        if value is None:
            return []
        return value if isinstance(value, list) else self._not(key, "a list")

    def _at(self, key: str) -> str:
        return f"{self.pointer}/{key}"

    def _not(self, key: str, what: str) -> NoReturn:
        raise RolloutError(f"`{self.file}`: `{self._at(key)}` is not {what}: was the file changed by hand?")


def read_members(file: str | os.PathLike[str]) -> Members:
    """Return the object that a file of JSON is.

    Raises:
        RolloutError: If it cannot be read, or is none.
    """
    name = os.fspath(file)
    try:
        if os.path.getsize(name) > _MAX_BYTES:
            raise RolloutError(f"`{name}` has more than {_MAX_BYTES:,} bytes: it is no report")
        with open(name, "rb") as stream:
            value = json.loads(stream.read().decode("utf-8-sig"))
    except OSError as error:
        raise RolloutError(f"`{name}` cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise RolloutError(f"`{name}` is not UTF-8, and so no JSON") from None
    except ValueError as error:
        raise RolloutError(f"`{name}` is not JSON: {error}") from None
    except RecursionError:
        raise RolloutError(f"`{name}` is nested too deeply to be read") from None
    if not isinstance(value, dict):
        raise RolloutError(f"`{name}` is JSON, and not an object")
    return Members(name, value)
