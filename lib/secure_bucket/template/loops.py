"""`Fn::ForEach` of the language extensions, written out.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-foreach.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from secure_bucket.template.stack import Path, Stack
from secure_bucket.template.worlds import Fork, Infeasible

if TYPE_CHECKING:
    from secure_bucket.template.resolve import Resolver

__all__ = ["MAX_EXPANSION", "expand_loops", "is_loop"]

MAX_EXPANSION = 2_000


def is_loop(key: object) -> bool:
    """Tell whether the key of a mapping is a loop."""
    return isinstance(key, str) and key.startswith("Fn::ForEach::")


def expand_loops(
    resolver: Resolver, stack: Stack, key: str, argument: object, path: Path, budget: int = MAX_EXPANSION
) -> list[tuple[str, object, Path]] | None:
    """Return the members that a loop comes to, each with the path of its fragment.

    A loop over values that are not known offline comes to its fragment once, with its variable left as
    it is: what holds for that, whatever the variable is, holds for each of the values.

    Returns:
        The members; `None` when the loop is malformed or comes to more than `MAX_EXPANSION` members.
    """
    if not (isinstance(argument, (list, tuple)) and len(argument) == 3):
        return None
    variable, collection, fragment = argument
    if not isinstance(variable, str) or not isinstance(fragment, Mapping):
        return None
    values = _collection(resolver, stack, collection, (path, 1))
    if values is None:
        stack.loop_variables.add(variable)
    members: list[tuple[str, object, Path]] = []
    for value in [None] if values is None else values:
        for inner_key, inner in fragment.items():
            inner_path = ((path, 2), inner_key)
            if value is not None:
                inner_key, inner = (
                    _substitute(str(inner_key), variable, value),
                    _substituted(inner, variable, value, 0),
                )
            if is_loop(inner_key):
                nested = expand_loops(resolver, stack, inner_key, inner, inner_path, budget - len(members))
                if nested is None:
                    return None
                members += nested
            else:
                members.append((str(inner_key), inner, inner_path))
            if len(members) > budget:
                return None
    return members


def _collection(resolver: Resolver, stack: Stack, collection: object, path: Path) -> list[str] | None:
    try:
        values = resolver.resolve(stack, collection, path)
    except (Fork, Infeasible):
        return None
    if isinstance(values, list) and all(isinstance(value, (str, int)) for value in values):
        return [str(value) for value in values]
    return None


def _substitute(text: str, variable: str, value: str) -> str:
    text = text.replace("${" + variable + "}", value)
    # `&{Name}` is the value without what a logical id cannot hold.
    return text.replace("&{" + variable + "}", re.sub(r"[^A-Za-z0-9]", "", value))


def _substituted(node: object, variable: str, value: str, depth: int) -> object:
    if depth > 100:
        return node
    if isinstance(node, str):
        return _substitute(node, variable, value)
    if isinstance(node, Mapping):
        if len(node) == 1 and node.get("Ref") == variable:
            return value
        return {
            _substitute(str(k), variable, value): _substituted(v, variable, value, depth + 1)
            for k, v in node.items()
        }
    if isinstance(node, (list, tuple)):
        return [_substituted(item, variable, value, depth + 1) for item in node]
    return node
