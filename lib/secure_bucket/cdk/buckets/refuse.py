"""How a construct says no: which one, which value, and what to write instead."""

from __future__ import annotations

import enum
from typing import NoReturn

from constructs import Construct

from secure_bucket.errors import ConstructError

__all__ = ["path_in", "refuse", "shown"]


def refuse(what: str, path: str, why: str) -> NoReturn:
    """Raise for props that contradict the purpose of a construct.

    Args:
        what: What the construct is: "secure bucket".
        path: Where it would stand.
        why: Which prop has which value, why that cannot be, and the way out; without the full stop.
    """
    raise ConstructError(f"{what} `{path}`: {why}.")


def path_in(scope: Construct, id: str) -> str:
    """The path that a construct will have."""
    return f"{scope.node.path}/{id}".lstrip("/")


def shown(value: object) -> str:
    """A value as a reader wrote it; an object of the CDK, whose `repr` is an address, by its class."""
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if value is None or isinstance(value, (str, int, float, list, tuple, dict)):
        return repr(value)
    if isinstance(value, type):
        return value.__name__
    return f"{type(value).__name__}(…)"
