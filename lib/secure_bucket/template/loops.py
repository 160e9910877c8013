"""Write out `Fn::ForEach` of the language extensions.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-foreach.html
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from secure_bucket.template.conditions import named_condition_holds
from secure_bucket.template.resolve import Resolver
from secure_bucket.template.stack import Member, Path, Resource, Stack, is_loop
from secure_bucket.template.text import any_member, as_text, canonical
from secure_bucket.template.worlds import Fork, Infeasible, Undecidable, World, explore

__all__ = ["MAX_EXPANSION", "Written", "exists", "go_through_loops", "resolve_loop", "write_out_loop"]

MAX_EXPANSION = 2_000
# The most values that the loops of an assembly may produce; aliases can multiply a short text.
MAX_WRITTEN_OUT = 500_000


class Written(Struct, frozen=True):
    """A member that a loop writes.

    Args:
        key: Its key.
        body: Its value.
        path: Where its fragment is written.
        members: The members of collections that it is written for and that a world may lack.
    """

    key: str
    body: Any
    path: Path
    members: tuple[Member, ...] = ()


class _Loop(Struct, frozen=True):
    variable: str
    collection: object
    fragment: Mapping[str, object]

    def write(self, resolver: Resolver, value: str, path: Path) -> list[Written] | None:
        """Return the members for one value; `None` if the loops of the assembly produce too much."""
        written = [
            Written(
                _substitute(str(key), self.variable, value),
                _substituted(resolver, body, self.variable, value, 0),
                ((path, 2), key),
            )
            for key, body in self.fragment.items()
        ]
        return None if resolver.assembly.written_out > MAX_WRITTEN_OUT else written


def write_out_loop(
    resolver: Resolver,
    stack: Stack,
    argument: object,
    path: Path,
    *,
    members: tuple[Member, ...] = (),
    budget: int = MAX_EXPANSION,
) -> list[Written] | None:
    """Return everything that a loop writes in any world, and in which worlds it does.

    A loop over unknown values writes its fragment once, for any one of them: a result for that one holds for
    each. In another world the collection is empty.

    Returns:
        The members; `None` if the loop is malformed, depends on too many worlds, has more than
        `MAX_EXPANSION` members, or produces with the other loops more than `MAX_WRITTEN_OUT` values.
    """
    loop = _read(argument)
    if loop is None:
        return None

    def values_in(world: World) -> list[str]:
        inner = Resolver(resolver.assembly, world, resolver.functions)
        return _values(inner, stack, loop.collection, (path, 1), members)

    try:
        answers = list(explore(values_in, resolver.world))
    except (Infeasible, Undecidable):
        return None
    is_fixed = len(answers) == 1 and answers[0][0] is resolver.world
    if not is_fixed:
        stack.loops.append(Member(loop.collection, (path, 1), "", members))
    written: list[Written] = []
    for value in dict.fromkeys(value for _, values in answers for value in values):
        of = members if is_fixed else (*members, Member(loop.collection, (path, 1), value, members))
        fragment = loop.write(resolver, value, path)
        if fragment is None:
            return None
        for each in fragment:
            inner = (
                write_out_loop(
                    resolver, stack, each.body, each.path, members=of, budget=budget - len(written)
                )
                if is_loop(each.key)
                else [Written(each.key, each.body, each.path, of)]
            )
            if inner is None or len(written) + len(inner) > budget:
                return None
            written += inner
    return written


def _is_member(resolver: Resolver, stack: Stack, member: Member) -> bool:
    """Tell whether a collection has a member in the world of a resolver.

    Raises:
        Fork: That depends on something that the world leaves open.
    """
    key = id(member.collection)
    if key not in resolver.collections:
        values = _values(resolver, stack, member.collection, member.path, member.outer)
        resolver.collections[key] = frozenset(values)
    return member.value in resolver.collections[key]


def go_through_loops(resolver: Resolver, stack: Stack) -> None:
    """Resolve those collections of the loops of a stack that the world fixes.

    Raises:
        Infeasible: A loop needs a value that the deployment lacks.
    """
    for loop in stack.loops:
        with contextlib.suppress(Fork, Undecidable):
            if all(_is_member(resolver, stack, member) for member in loop.outer):
                _is_member(resolver, stack, loop)


def exists(resolver: Resolver, stack: Stack, resource: Resource) -> bool:
    """Tell whether a resource is created: its condition and those of its parent stacks hold."""
    if stack.parent is not None and not exists(
        resolver, stack.parent, stack.parent.resources[stack.parent_id]
    ):
        return False
    if not all(_is_member(resolver, stack, member) for member in resource.members):
        return False
    name = resource.body.get("Condition")
    return name is None or named_condition_holds(resolver, stack, name, (resource.path, "Condition"))


def resolve_loop(resolver: Resolver, stack: Stack, argument: object, path: Path) -> object:
    """Return the resolved mapping of a loop inside a property, or an unknown value."""
    loop = _read(argument)
    if loop is None:
        return resolver.opaque(stack, "this loop is malformed", path)
    members: dict[str, object] = {}
    for value in _values(resolver, stack, loop.collection, (path, 1), ()):
        if value in stack.loop_variables:
            # Two members can narrow a statement where one does not.
            return resolver.opaque(stack, f"the values that `{path[1]}` goes through are not known", path)
        written = loop.write(resolver, value, path)
        for each in written or ():
            inner = resolver.resolve(stack, {each.key: each.body}, each.path[0])
            if not isinstance(inner, dict):
                return inner
            if any(key in members and members[key] != item for key, item in inner.items()):
                return resolver.opaque(stack, f"`{path[1]}` writes the same key twice", path)
            members.update(inner)
        if written is None or len(members) > MAX_EXPANSION:
            return resolver.opaque(stack, f"`{path[1]}` comes to too many members", path)
    return members


def _read(argument: object) -> _Loop | None:
    if not (isinstance(argument, (list, tuple)) and len(argument) == 3):
        return None
    variable, collection, fragment = argument
    if not isinstance(variable, str) or not isinstance(fragment, Mapping):
        return None
    return _Loop(variable, collection, fragment)


def _values(
    resolver: Resolver, stack: Stack, collection: object, path: Path, outer: tuple[Member, ...]
) -> list[str]:
    """Return the members of a collection in one world, or one that stands for all unknown members.

    It is named after the collection, because loops over different collections have different values.
    """
    values = resolver.resolve(stack, collection, path)
    texts = [as_text(value) for value in values] if isinstance(values, list) else []
    known = [text for text in texts if isinstance(text, str)]
    if isinstance(values, list) and len(known) == len(values):
        return known
    name = re.sub(r"[$!{}%<>&/]", lambda match: f"%{ord(match[0]):02X}", canonical(values))
    if not isinstance(values, list) and resolver.world.holds(f"{name} is empty"):
        return []
    each = any_member(name)
    # An inner loop over the same collection goes through its members once for each of them.
    number = 2
    while any(member.value == each for member in outer):
        each, number = any_member(f"{name} ({number})"), number + 1
    stack.loop_variables |= {each, _alphanumeric(each)}
    return [each]


def _alphanumeric(value: str) -> str:
    """Return the value of `&{Name}`: the value without the characters that a logical id cannot contain."""
    if value.startswith(any_member("")[:-1]):
        return f"{value[:-1]}, letters and digits>"
    return re.sub(r"[^A-Za-z0-9]", "", value)


def _substitute(text: str, variable: str, value: str) -> str:
    if "{" + variable + "}" not in text:
        return text
    return text.replace("${" + variable + "}", value).replace("&{" + variable + "}", _alphanumeric(value))


def _substituted(resolver: Resolver, node: object, variable: str, value: str, depth: int) -> object:
    resolver.assembly.written_out += 1
    if resolver.assembly.written_out > MAX_WRITTEN_OUT:
        return None
    if depth > 100:
        return node
    if isinstance(node, str):
        return _substitute(node, variable, value)
    if isinstance(node, Mapping):
        if len(node) == 1 and node.get("Ref") == variable:
            return value
        return {
            _substitute(str(key), variable, value): _substituted(resolver, item, variable, value, depth + 1)
            for key, item in node.items()
        }
    if isinstance(node, (list, tuple)):
        return [_substituted(resolver, item, variable, value, depth + 1) for item in node]
    return node
