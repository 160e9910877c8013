"""Let a type checker prove that a `match` handles every case."""

from __future__ import annotations

from typing import NoReturn

__all__ = ["assert_never"]


def assert_never(value: NoReturn, /) -> NoReturn:
    """Fail the type check if a case is left; `typing` has this function from Python 3.11 on.

    The package `typing_extensions` would take a tenth of a cold start.
    """
    raise AssertionError(f"not handled: {value!r}")
