"""Resolve the values of a template in one world."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct, field

from secure_bucket.template.parameters import Parameter
from secure_bucket.template.scan import WrittenText
from secure_bucket.template.stack import Path, Resource, Stack, is_function, is_loop, pointer_of
from secure_bucket.template.text import (
    NO_VALUE,
    Opaque,
    Unsettled,
    as_text,
    concatenate,
    dynamic_references,
    holes,
    members_as_holes,
    named_hole,
)
from secure_bucket.template.unreplaced import placeholders_as_holes
from secure_bucket.template.worlds import Fork, Infeasible, Undecidable, World
from secure_bucket.values.unknown import Hole, Place, Text, Unknown

if TYPE_CHECKING:
    from secure_bucket.template.manifest import Acknowledged, CloudAssembly

__all__ = ["MAX_ALL_VALUES", "MAX_NESTING", "MAX_VALUES", "Assembly", "Function", "Resolver"]

MAX_NESTING = 100
# The largest bucket policy has 20,480 bytes, and a value takes more than one byte.
MAX_VALUES = 20_000
# A thousand buckets with a policy of ten statements in ten worlds each.
MAX_ALL_VALUES = 5_000_000

Function: TypeAlias = "Callable[[Resolver, Stack, object, Path], object]"


class Assembly(Struct, eq=False):
    """The stacks that are deployed together and can refer to each other.

    Args:
        stacks: Every stack, nested ones after their parents.
        acknowledged: The acknowledgments on constructs in the stacks.
        manifests: The content of its manifests; `None` for templates outside a cloud assembly.
        unlisted: The templates that are in no manifest, each with whether it is among the stacks.
        spent: The number of values resolved so far.
        written_out: The number of values that its loops have produced so far.
    """

    stacks: Sequence[Stack]
    acknowledged: Sequence[Acknowledged] = ()
    manifests: CloudAssembly | None = None
    unlisted: Sequence[tuple[str, bool]] = ()
    spent: int = 0
    written_out: int = 0
    _ambiguous: set[str] | None = None
    _exports: list[tuple[Stack, str, object]] | None = None

    def qualify(self, stack: Stack, name: str) -> str:
        """Return a name that is unique among all stacks."""
        if len(self.stacks) == 1:
            return name
        if self._ambiguous is None:
            seen: dict[str, int] = {}
            for other in self.stacks:
                for key in (*other.resources, *other.parameters):
                    seen[key] = seen.get(key, 0) + 1
            self._ambiguous = {key for key, count in seen.items() if count > 1}
        return f"{stack.name}.{name}" if name.partition(".")[0] in self._ambiguous else name

    def exports(self) -> list[tuple[Stack, str, object]]:
        """Return every exported output: its stack, its name, and the unresolved name of its export."""
        if self._exports is None:
            self._exports = [
                (stack, str(name), output["Export"].get("Name"))
                for stack in self.stacks
                for name, output in stack.sections["Outputs"].items()
                if isinstance(output, Mapping) and isinstance(output.get("Export"), Mapping)
            ]
        return self._exports


class Resolver(Struct, eq=False):
    """Resolve the values of an assembly in one world.

    Args:
        assembly: The stacks that can refer to each other.
        world: What is fixed about the deployment.
        functions: The intrinsic functions, by name.
        expand: Whether to fork over each parameter with listed values, instead of leaving a hole in text.
    """

    assembly: Assembly
    world: World
    functions: Mapping[str, Function]
    expand: bool = False
    in_condition: bool = False
    expandable: bool = False
    given: set[Hole] = field(default_factory=set)
    parameters: dict[Hole, Parameter] = field(default_factory=dict)
    conditions: dict[tuple[int, str], bool | Fork | Infeasible | Undecidable | None] = field(
        default_factory=dict
    )
    targets: dict[int, list[str | Text]] = field(default_factory=dict)
    names: dict[int, str | Text] = field(default_factory=dict)
    collections: dict[int, frozenset[str]] = field(default_factory=dict)
    received: dict[int, str | None] = field(default_factory=dict)
    nesting: int = 0
    exports: dict[str | Text, list[tuple[Stack, str]]] | None = None
    values: int = 0
    left_out: int = 0

    def resolve(self, stack: Stack, value: object, path: Path) -> object:
        """Return the resolved value: JSON that may contain `Text` and `Unknown`, or `NO_VALUE`."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, (str, int, float)):
            return self._scalar(stack, value, path)
        size = 1 + (len(value) if isinstance(value, (Mapping, list, tuple)) else 0)
        self.values += size
        self.assembly.spent += size
        if self.nesting >= MAX_NESTING:
            return self.opaque(stack, f"it is nested deeper than {MAX_NESTING} levels", path)
        if self.values > MAX_VALUES:
            return self.opaque(stack, f"it comes to more than {MAX_VALUES:,} values", path)
        if self.assembly.spent > MAX_ALL_VALUES:
            return self.opaque(
                stack, "there are too many values in too many combinations of parameters", path
            )
        self.nesting += 1
        try:
            if isinstance(value, Mapping):
                return self._mapping(stack, value, path)
            if isinstance(value, (list, tuple)):
                items = [self.resolve(stack, item, (path, index)) for index, item in enumerate(value)]
                kept = [item for item in items if item is not NO_VALUE]
                self.left_out += len(items) - len(kept)
                return kept
        finally:
            self.nesting -= 1
        if isinstance(value, (Text, Unknown)):
            return value
        return self.opaque(stack, f"a `{type(value).__name__}` is not a value of JSON", path)

    def _scalar(self, stack: Stack, value: str | float, path: Path) -> object:
        if isinstance(value, float) and not math.isfinite(value):
            return self.opaque(stack, f"`{value}` is not a number of JSON", path)
        is_text = isinstance(value, str) and not isinstance(value, WrittenText)
        written = self.literal(stack, str(value)) if is_text else as_text(value)
        if isinstance(written, Text) and len(written.parts) == 1:
            (hole,) = written.parts
            if isinstance(hole, Unsettled):
                # Another tool may insert any value, not only text.
                at = Place(pointer_of(path), stack.document.name)
                return Opaque(hole.reason, at, name=str(hole), text=written)
        return written if is_text else value

    def _mapping(self, stack: Stack, value: Mapping[str, object], path: Path) -> object:
        if len(value) == 1:
            ((key, argument),) = value.items()
            if key == "Ref" or (str(key).startswith("Fn::") and not is_loop(key)):
                function = self.functions.get(key)
                if function is None:
                    return self.opaque(
                        stack, f"`{key}` is not a function of CloudFormation that is known here", path
                    )
                return function(self, stack, argument, (path, key))
        members: dict[str, object] = {}
        for key, item in value.items():
            # A dictionary that is not from a file can have any keys.
            key = str(key)
            if key.startswith("Fn::"):
                if not is_loop(key):
                    reason = (
                        "`Fn::Transform` rewrites it only at deployment"
                        if key == "Fn::Transform"
                        else f"`{key}` stands beside other keys, which CloudFormation does not allow"
                    )
                    return self.opaque(stack, reason, path)
                written = self.functions["Fn::ForEach::"](self, stack, item, (path, key))
                if not isinstance(written, dict):
                    return written
                members.update(written)
                continue
            written = self.literal(stack, key)
            if isinstance(written, Text) and not key.startswith("{{resolve:"):
                return self.opaque(stack, holes(written)[0].reason, path)
            resolved = self.resolve(stack, item, (path, key))
            if resolved is not NO_VALUE:
                members[key] = resolved
        return members

    def literal(self, stack: Stack, text: str) -> str | Text:
        """Return the resolved value of a text outside a function."""
        written = placeholders_as_holes(text)
        if stack.loop_variables:
            pieces = (written,) if isinstance(written, str) else written.parts
            written = concatenate(
                members_as_holes(piece, stack.loop_variables) if isinstance(piece, str) else piece
                for piece in pieces
            )
        return dynamic_references(written) if "{{resolve:" in text else written

    def text(self, stack: Stack, value: object, path: Path) -> str | Text:
        """Return the resolved text of a value; if it is not text, a hole with that reason."""
        resolved = self.resolve(stack, value, path)
        text = as_text(resolved)
        if text is None:
            text = as_text(self.opaque(stack, "text was expected here", path))
            assert text is not None
        return text

    def opaque(self, stack: Stack, reason: str, path: Path, name: str = "") -> Opaque:
        """Return an unknown value; one without its own name is named after its place."""
        pointer = pointer_of(path)
        return Opaque(reason, Place(pointer, stack.document.name), name=name or f"{stack.name}{pointer}")

    def hole(
        self,
        stack: Stack,
        name: str,
        reason: str,
        path: Path,
        *,
        generated: bool = False,
        plain: bool = False,
    ) -> Text:
        """Return an unknown text."""
        at = Place(pointer_of(path), stack.document.name)
        return Text((named_hole(name, reason, generated=generated, at=at, plain=plain),))

    def property(self, stack: Stack, resource: Resource, *names: str) -> object:
        """Return the resolved value of a property of a resource, or of a member; `None` if it is missing.

        Resolve nothing beside it, if no function surrounds it.
        """
        value, path, left = resource.properties, resource.properties_path, list(names)
        while left and isinstance(value, Mapping) and not is_function(value):
            value, path = value.get(left[0]), (path, left.pop(0))
        outer, self.values = self.values, 0
        try:
            resolved = self.resolve(stack, value, path)
            if self.values > MAX_VALUES:
                return self.opaque(stack, f"it comes to more than {MAX_VALUES:,} values", path)
        finally:
            self.values = outer
        for name in left:
            resolved = resolved.get(name) if isinstance(resolved, dict) else resolved
        return None if resolved is NO_VALUE else resolved

    def source(self, stack: Stack, value: object, path: Path, tokens: list[str]) -> Path:
        """Return the nearest place in the source around a part of a resolved value."""
        while True:
            if isinstance(value, Mapping) and len(value) == 1 and "Fn::If" in value:
                branches = value["Fn::If"]
                if not (isinstance(branches, (list, tuple)) and len(branches) == 3):
                    return path
                branch = 1 if self.resolve(stack, {"Fn::If": [branches[0], 1, 2]}, path) == 1 else 2
                value, path = branches[branch], ((path, "Fn::If"), branch)
            elif isinstance(value, Mapping) and len(value) == 1 and "Fn::ToJsonString" in value:
                value, path = value["Fn::ToJsonString"], (path, "Fn::ToJsonString")
            elif not tokens:
                return path
            elif isinstance(value, Mapping) and tokens[0] in value:
                value, path = value[tokens[0]], (path, tokens[0])
                tokens = tokens[1:]
            elif isinstance(value, (list, tuple)) and tokens[0].isdigit():
                kept = (
                    (index, item)
                    for index, item in enumerate(value)
                    if self.resolve(stack, item, (path, index)) is not NO_VALUE
                )
                found = next((pair for place, pair in enumerate(kept) if place == int(tokens[0])), None)
                if found is None:
                    return path
                path, value, tokens = (path, found[0]), found[1], tokens[1:]
            else:
                return path
