"""Resolve the intrinsic functions of CloudFormation, with one Python function for each.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from secure_bucket.template.conditions import named_condition_holds
from secure_bucket.template.loops import resolve_loop
from secure_bucket.template.mappings import find_in_map
from secure_bucket.template.pseudo_parameters import pseudo_parameter
from secure_bucket.template.references import get_att, import_value, ref
from secure_bucket.template.references import output as output_of
from secure_bucket.template.resolve import Function, Resolver
from secure_bucket.template.stack import Path, Stack, pointer_of
from secure_bucket.template.text import (
    Opaque,
    Unsettled,
    as_text,
    canonical,
    concatenate,
    dynamic_references,
    holes,
)
from secure_bucket.template.worlds import Infeasible
from secure_bucket.values.unknown import Hole, Place, Text, Unknown

__all__ = ["FUNCTIONS"]

_VARIABLE = re.compile(r"\$\{([^!${}][^${}]*|![^{}]*)\}")
# The texts of these holes contain only letters, digits, dots and hyphens.
_PLAIN_NAMES = tuple(
    f"AWS::{name}" for name in ("AccountId", "Partition", "Region", "StackId", "StackName", "URLSuffix")
)


def _wrong(resolver: Resolver, stack: Stack, path: Path, form: str) -> Unknown:
    return resolver.opaque(stack, f"`{path[1]}` has the form {form}", path[0])


def _ref(resolver: Resolver, stack: Stack, argument: object, path: Path) -> object:
    if isinstance(argument, str):
        return ref(resolver, stack, argument, path)
    return _wrong(resolver, stack, path, "`Ref`: name")


def _get_att(resolver: Resolver, stack: Stack, argument: object, path: Path) -> object:
    if isinstance(argument, str) and "." in argument:
        argument = argument.split(".", 1)
    if not (isinstance(argument, (list, tuple)) and len(argument) >= 2 and isinstance(argument[0], str)):
        return _wrong(resolver, stack, path, "[logical id, attribute]")
    parts = [resolver.text(stack, part, (path, index + 1)) for index, part in enumerate(argument[1:])]
    attribute = ".".join(map(str, parts))
    if not all(isinstance(part, str) for part in parts):
        return resolver.opaque(
            stack,
            f"the attribute of `{argument[0]}` is not known",
            path,
            f"{stack.name}{argument[0]}.{attribute}",
        )
    return get_att(resolver, stack, argument[0], attribute, path)


def _join(resolver: Resolver, stack: Stack, argument: object, path: Path) -> object:
    if not (isinstance(argument, (list, tuple)) and len(argument) == 2):
        return _wrong(resolver, stack, path, "[delimiter, list]")
    delimiter = resolver.text(stack, argument[0], (path, 0))
    # Between two delimiters, an item that does not count differs from an empty one.
    items = (_items if delimiter else Resolver.resolve)(resolver, stack, argument[1], (path, 1))
    if isinstance(items, Unknown):
        name = f"Fn::Join({canonical(delimiter)}, {canonical(items)})"
        return resolver.hole(stack, name, items.reason, path)
    if not isinstance(items, list):
        return _wrong(resolver, stack, path, "[delimiter, list]")
    parts: list[str | Text] = []
    for item in items:
        text = as_text(item)
        if text is None:
            return _wrong(resolver, stack, path, "[delimiter, list of text]")
        if parts:
            parts.append(delimiter)
        parts.append(text)
    return dynamic_references(concatenate(parts))


def _sub(resolver: Resolver, stack: Stack, argument: object, path: Path) -> object:
    variables: Mapping[str, object] = {}
    template = argument
    if isinstance(argument, (list, tuple)):
        if len(argument) != 2 or not isinstance(argument[1], Mapping):
            return _wrong(resolver, stack, path, "text, or [text, variables]")
        template, variables = argument
    if isinstance(template, Mapping):
        template = resolver.resolve(stack, template, path)
    if not isinstance(template, str):
        return _wrong(resolver, stack, path, "text, or [text, variables]")
    parts: list[str | Text] = []
    end = 0
    for match in _VARIABLE.finditer(template):
        parts.append(resolver.literal(stack, template[end : match.start()]))
        end = match.end()
        name = match[1].strip()
        if name.startswith("!"):
            parts.append("${" + match[1][1:] + "}")
            continue
        if name in variables:
            value = resolver.resolve(stack, variables[name], ((path, 1), name))
        elif ":" in name and "::" not in name:
            value = resolver.literal(stack, match[0])
        elif "." in name:
            logical_id, _, attribute = name.partition(".")
            value = get_att(resolver, stack, logical_id, attribute, path)
        else:
            value = ref(resolver, stack, name, path)
        text = as_text(value)
        if text is None:
            # AWS does not document `AWS::NoValue` in a text.
            return resolver.opaque(stack, f"`${{{name}}}` is not text", path)
        parts.append(text)
    parts.append(resolver.literal(stack, template[end:]))
    return dynamic_references(concatenate(parts))


def _if(resolver: Resolver, stack: Stack, argument: object, path: Path) -> object:
    if not (isinstance(argument, (list, tuple)) and len(argument) == 3):
        return _wrong(resolver, stack, path, "[condition, value if true, value if false]")
    branch = 1 if named_condition_holds(resolver, stack, argument[0], (path, 0)) else 2
    return resolver.resolve(stack, argument[branch], (path, branch))


def _select(resolver: Resolver, stack: Stack, argument: object, path: Path) -> object:
    if not (isinstance(argument, (list, tuple)) and len(argument) == 2):
        return _wrong(resolver, stack, path, "[index, list]")
    index = resolver.text(stack, argument[0], (path, 0))
    items = _items(resolver, stack, argument[1], (path, 1))
    if isinstance(items, list) and isinstance(index, str):
        if not re.fullmatch("-?(?:0|[1-9][0-9]{0,8})", index):
            return resolver.opaque(stack, f"AWS does not document the index `{index}`", path)
        if index.isdigit() and int(index) < len(items):
            return items[int(index)]
        raise Infeasible(resolver.opaque(stack, f"the list has no item {index}", path))
    if not isinstance(items, (list, Unknown)):
        return _wrong(resolver, stack, path, "[index, list]")
    reason = items.reason if isinstance(items, Unknown) else "which item counts is known only at deployment"
    return resolver.hole(stack, f"Fn::Select({canonical(index)}, {canonical(items)})", reason, path)


def _items(resolver: Resolver, stack: Stack, written: object, path: Path) -> object:
    """Return a list whose items are counted; a list with `AWS::NoValue` is unknown.

    AWS documents that `AWS::NoValue` removes a property, but not whether an item of a list still counts.
    """
    left_out = resolver.left_out
    items = resolver.resolve(stack, written, path)
    if isinstance(items, list) and resolver.left_out > left_out:
        reason = "AWS does not document whether an item counts that is `AWS::NoValue`"
        return resolver.opaque(stack, reason, path)
    return items


def _split(resolver: Resolver, stack: Stack, argument: object, path: Path) -> object:
    if not (isinstance(argument, (list, tuple)) and len(argument) == 2):
        return _wrong(resolver, stack, path, "[delimiter, text]")
    delimiter = resolver.text(stack, argument[0], (path, 0))
    text = resolver.text(stack, argument[1], (path, 1))
    name = f"Fn::Split({canonical(delimiter)}, {canonical(text)})"
    if not isinstance(delimiter, str) or not delimiter:
        return resolver.opaque(stack, "the delimiter is not known", path, name)
    open_hole = next((hole for hole in holes(text) if _may_hold(hole, delimiter)), None)
    if open_hole is not None:
        return resolver.opaque(stack, open_hole.reason, path, name)
    fields: list[list[str | Hole]] = [[]]
    for piece in (text,) if isinstance(text, str) else text.parts:
        if isinstance(piece, Hole):
            fields[-1].append(piece)
            continue
        first, *others = piece.split(delimiter)
        fields[-1].append(first)
        fields.extend([other] for other in others)
    return [concatenate(field) for field in fields]


def _may_hold(hole: Hole, delimiter: str) -> bool:
    """Tell whether a delimiter, or a part of it, may stand in the text of a hole."""
    plain = hole.generated or (hole.plain and hole.name.endswith(_PLAIN_NAMES))
    return not plain or bool(re.search(r"[A-Za-z0-9.-]", delimiter))


def _import_value(resolver: Resolver, stack: Stack, argument: object, path: Path) -> object:
    return import_value(resolver, stack, resolver.text(stack, argument, path), path)


def _get_stack_output(resolver: Resolver, stack: Stack, argument: object, path: Path) -> object:
    if not isinstance(argument, Mapping):
        return _wrong(resolver, stack, path, "{StackName, OutputName}")

    def given(name: str, default: object = None) -> str | Text:
        return resolver.text(stack, argument.get(name, default), (path, name))

    def here(other: Stack) -> str | Text:
        return resolver.text(other, {"Ref": "AWS::Region"}, path)

    stack_name, output, region = (
        given("StackName"),
        given("OutputName"),
        given("Region", {"Ref": "AWS::Region"}),
    )
    owners = [
        other
        for other in resolver.assembly.stacks
        if other.stack_name
        and (other.stack_name, other.account) == (stack_name, stack.account)
        and here(other) == region
    ]
    # "Region": the default is the Region of the stack; "RoleArn": for stacks of another account. (AWS
    # CloudFormation, *Fn::GetStackOutput*, read 2026-11)
    role = f", {canonical(given('RoleArn'))}" if "RoleArn" in argument else ""
    if len(owners) == 1 and isinstance(output, str) and not role:
        return output_of(resolver, owners[0], output, path)
    elsewhere = "" if region == here(stack) else f", {canonical(region)}"
    name = f"Fn::GetStackOutput({canonical(stack_name)}, {canonical(output)}{elsewhere}{role})"
    return resolver.hole(stack, name, f"the stack `{stack_name}` is not here", path)


def _base64(resolver: Resolver, stack: Stack, argument: object, path: Path) -> object:
    text = resolver.text(stack, argument, path)
    if isinstance(text, str):
        from base64 import b64encode  # Loads in 0.8 ms; few templates need it.

        return b64encode(text.encode("utf-8", "replace")).decode()
    return resolver.hole(stack, f"Fn::Base64({canonical(text)})", holes(text)[0].reason, path)


def _to_json_string(resolver: Resolver, stack: Stack, argument: object, path: Path) -> object:
    value = resolver.resolve(stack, argument, path)
    try:
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    except (TypeError, ValueError):
        text = canonical(value)
    hole = Unsettled(text, "AWS does not document how `Fn::ToJsonString` orders and escapes its text")
    at = Place(pointer_of(path), stack.document.name)
    return Opaque(hole.reason, at, name=str(hole), text=Text((hole,)))


def _length(resolver: Resolver, stack: Stack, argument: object, path: Path) -> object:
    value = _items(resolver, stack, argument, path)
    if isinstance(value, list):
        return len(value)
    reason = value.reason if isinstance(value, Unknown) else "it is not a list"
    return resolver.opaque(stack, reason, path, f"Fn::Length({canonical(value)})")


def _deployed(what: str) -> Function:
    """Return a function whose unknown result is the same for the same argument."""

    def function(resolver: Resolver, stack: Stack, argument: object, path: Path) -> object:
        value = resolver.resolve(stack, argument, path)
        return resolver.opaque(stack, what, path, f"{path[1]}({canonical(value)})")

    return function


def _get_azs(resolver: Resolver, stack: Stack, argument: object, path: Path) -> object:
    # "Specifying an empty string is equivalent to specifying `AWS::Region`." (*Fn::GetAZs*, read 2026-11)
    region = resolver.resolve(stack, argument, path) or pseudo_parameter(resolver, stack, "AWS::Region", path)
    reason = "the Availability Zones are known only at deployment"
    return resolver.opaque(stack, reason, path, f"Fn::GetAZs({canonical(region)})")


def _transform(resolver: Resolver, stack: Stack, argument: object, path: Path) -> object:
    name = argument.get("Name") if isinstance(argument, Mapping) else None
    return resolver.opaque(stack, f"the macro `{name}` runs only at deployment", path)


FUNCTIONS: Final[Mapping[str, Function]] = {
    "Fn::Base64": _base64,
    "Fn::Cidr": _deployed("CloudFormation cuts the address range up only at deployment"),
    "Fn::FindInMap": find_in_map,
    # A loop has its own name, so it is not looked up by its key.
    "Fn::ForEach::": resolve_loop,
    "Fn::GetAZs": _get_azs,
    "Fn::GetAtt": _get_att,
    "Fn::GetStackOutput": _get_stack_output,
    "Fn::If": _if,
    "Fn::ImportValue": _import_value,
    "Fn::Join": _join,
    "Fn::Length": _length,
    "Fn::Ref": _ref,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
    "Fn::ToJsonString": _to_json_string,
    "Fn::Transform": _transform,
    "Ref": _ref,
}
