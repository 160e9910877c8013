"""Raise errors of constructs that name the construct, the value, and what to write instead."""

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
        path: The path of the construct.
        why: The prop and its value, why it is wrong, and what to write instead; without the full stop.
    """
    raise ConstructError(f"{what} `{path}`: {why}.")


def path_in(scope: Construct, id: str) -> str:
    """Return the path that a construct will have."""
    return f"{scope.node.path}/{id}".lstrip("/")


def shown(value: object) -> str:
    """Return a value as its author wrote it, but an object of the CDK, whose `repr` is an address, by its
    class."""
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if value is None or isinstance(value, (str, int, float, list, tuple, dict)):
        return repr(value)
    if isinstance(value, type):
        return value.__name__
    return f"{type(value).__name__}(…)"
