"""Look values up in the `Mappings` of a template.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-findinmap.html
"""

from __future__ import annotations

from collections.abc import Mapping

from secure_bucket.template.conditions import texts_equal
from secure_bucket.template.resolve import Resolver
from secure_bucket.template.scan import WrittenText
from secure_bucket.template.stack import TRANSFORM, Path, Stack
from secure_bucket.template.text import as_text, canonical, holes
from secure_bucket.template.unreplaced import placeholders_as_holes
from secure_bucket.template.worlds import Infeasible, is_of_partition
from secure_bucket.values.unknown import Text, Unknown

__all__ = ["find_in_map"]


def find_in_map(resolver: Resolver, stack: Stack, argument: object, path: Path) -> object:
    """Return the value of `Fn::FindInMap`."""
    if not (isinstance(argument, (list, tuple)) and len(argument) in (3, 4)):
        return resolver.opaque(stack, f"`{path[1]}` has the form [map, key, key]", path[0])
    name, first, second = (resolver.text(stack, argument[index], (path, index)) for index in range(3))
    table = stack.sections["Mappings"].get(name) if isinstance(name, str) else None
    expression = f"Fn::FindInMap({canonical(name)}, {canonical(first)}, {canonical(second)})"
    has_default = len(argument) == 4 and isinstance(argument[3], Mapping) and "DefaultValue" in argument[3]
    if stack.is_rewritten("Mappings") or _holds_macro(table):
        reason = "a macro rewrites the mappings, which happens only at deployment"
        return resolver.opaque(stack, reason, path, expression)
    if not isinstance(table, Mapping):
        return resolver.opaque(stack, f"there is no mapping `{name}` in this template", path, expression)
    open_keys = (*holes(first), *holes(second))
    # INVARIANT: each row for a partition is a separate world, because a later choice of the partition must
    # see only its row.
    leaves_open = open_keys and not any(is_of_partition(hole.name) for hole in open_keys)
    leaves_open = leaves_open and not has_default and not any(map(_is_unsettled, (table, *table.values())))
    if leaves_open and not (resolver.expand or resolver.in_condition):
        candidates = _map_values(table, first, second)
        if candidates and all(isinstance(value, str) for value in candidates):
            if len(set(candidates)) == 1 and len(argument) == 3:
                return resolver.resolve(stack, candidates[0], path)
            resolver.expandable = True
            return resolver.hole(
                stack, expression, "which row of the mapping counts is known only at deployment", path
            )
    row = _row(resolver, table, first)
    value = _row(resolver, row, second) if isinstance(row, Mapping) else resolver.resolve(stack, row, path)
    if isinstance(row, Mapping) and value is not None:
        return resolver.resolve(stack, value, path)
    if isinstance(value, (Text, Unknown)):
        # Another tool, or a macro, has yet to write the row.
        return resolver.opaque(
            stack, f"the row `{first}` of the mapping `{name}` is not known", path, expression
        )
    for key in (*table, *(row if isinstance(row, Mapping) else ())):
        texts_equal(resolver, resolver.literal(stack, str(key)), "")
    if has_default:
        return resolver.resolve(stack, argument[3]["DefaultValue"], ((path, 3), "DefaultValue"))
    # CloudFormation fails a deployment whose key is not in the mapping.
    raise Infeasible(resolver.opaque(stack, f"the mapping `{name}` has no value for these keys", path))


def _holds_macro(table: object) -> bool:
    rows = (table, *table.values()) if isinstance(table, Mapping) else ()
    return any(isinstance(row, Mapping) and TRANSFORM in row for row in rows)


def _map_values(table: Mapping[str, object], first: str | Text, second: str | Text) -> list[object]:
    rows = [table.get(first)] if isinstance(first, str) else list(table.values())
    return [
        value
        for row in rows
        if isinstance(row, Mapping)
        for key, value in row.items()
        if not isinstance(second, str) or key == second
    ]


def _row(resolver: Resolver, table: Mapping[str, object], key: str | Text) -> object:
    if isinstance(key, str) and key in table and not any(map(_is_written, table)):
        return table[key]
    for candidate in table:
        if texts_equal(resolver, key, as_text(candidate) or ""):
            return table[candidate]
    return None


def _is_written(key: object) -> bool:
    return isinstance(key, WrittenText)


def _is_unsettled(row: object) -> bool:
    """Tell whether a row is not a mapping, or has a key that is perhaps another text at deployment."""
    return not isinstance(row, Mapping) or any(
        _is_written(key) or not isinstance(placeholders_as_holes(str(key)), str) for key in row
    )
