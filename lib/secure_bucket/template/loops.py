"""`Fn::ForEach` of the language extensions, written out.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-foreach.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from secure_bucket.template.stack import Path, Stack
from secure_bucket.template.text import canonical
from secure_bucket.template.worlds import Fork, Infeasible

if TYPE_CHECKING:
    from secure_bucket.template.resolve import Resolver

__all__ = ["MAX_EXPANSION", "expand_loops", "is_loop"]

MAX_EXPANSION = 2_000
# All that the loops of an assembly may come to, in values; aliases can make much of little.
MAX_WRITTEN_OUT = 500_000


def is_loop(key: object) -> bool:
    """Tell whether the key of a mapping is a loop."""
    return isinstance(key, str) and key.startswith("Fn::ForEach::")


def expand_loops(
    resolver: Resolver, stack: Stack, key: str, argument: object, path: Path, budget: int = MAX_EXPANSION
) -> list[tuple[str, object, Path]] | None:
    """Return the members that a loop comes to, each with the path of its fragment.

    A loop over values that are not known offline comes to its fragment once, for any one of them: what holds
    for that, whichever it is, holds for each.

    Returns:
        The members; `None` when the loop is malformed or comes to more than `MAX_EXPANSION` members,
        or with the other loops to more than `MAX_WRITTEN_OUT` values.
    """
    if not (isinstance(argument, (list, tuple)) and len(argument) == 3):
        return None
    variable, collection, fragment = argument
    if not isinstance(variable, str) or not isinstance(fragment, Mapping):
        return None
    values = _collection(resolver, stack, collection, (path, 1))
    members: list[tuple[str, object, Path]] = []
    for value in [values] if isinstance(values, _Each) else values:
        for inner_key, inner in fragment.items():
            inner_path = ((path, 2), inner_key)
            inner_key = _substitute(str(inner_key), variable, value)
            inner = _substituted(resolver, inner, variable, value, 0)
            if resolver.assembly.written_out > MAX_WRITTEN_OUT:
                return None
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


class _Each(Struct, frozen=True):
    """Any one value of a collection that is not known.

    It is named after the collection, because two loops over different ones do not go through the same values.
    """

    name: str


def _collection(resolver: Resolver, stack: Stack, collection: object, path: Path) -> list[str] | _Each:
    try:
        values = resolver.resolve(stack, collection, path)
    except (Fork, Infeasible):
        values = resolver.opaque(stack, "it depends on parameters", path)
    if isinstance(values, list) and all(isinstance(value, (str, int)) for value in values):
        return [str(value) for value in values]
    name = re.sub(r"[$!{}%]", lambda match: f"%{ord(match[0]):02X}", canonical(values))
    each = _Each(f"each {name}")
    stack.loop_variables.add(each.name)
    return each


def _substitute(text: str, variable: str, value: str | _Each) -> str:
    if isinstance(value, _Each):
        return re.sub(r"[$&]\{" + re.escape(variable) + r"\}", lambda _: "${" + value.name + "}", text)
    text = text.replace("${" + variable + "}", value)
    # `&{Name}` is the value without what a logical id cannot hold.
    return text.replace("&{" + variable + "}", re.sub(r"[^A-Za-z0-9]", "", value))


def _substituted(resolver: Resolver, node: object, variable: str, value: str | _Each, depth: int) -> object:
    resolver.assembly.written_out += 1
    if resolver.assembly.written_out > MAX_WRITTEN_OUT:
        return None
    if depth > 100:
        return node
    if isinstance(node, str):
        return _substitute(node, variable, value)
    if isinstance(node, Mapping):
        if len(node) == 1 and node.get("Ref") == variable:
            return {"Ref": value.name} if isinstance(value, _Each) else value
        return {
            _substitute(str(key), variable, value): _substituted(resolver, item, variable, value, depth + 1)
            for key, item in node.items()
        }
    if isinstance(node, (list, tuple)):
        return [_substituted(resolver, item, variable, value, depth + 1) for item in node]
    return node
