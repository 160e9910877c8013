"""What the values of a template come to, in one world."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from secure_bucket.policy.unknown import Hole, Place, Text, Unknown
from secure_bucket.template.loops import expand_loops, is_loop
from secure_bucket.template.parameters import Parameter
from secure_bucket.template.stack import Path, Resource, Stack, pointer_of
from secure_bucket.template.text import (
    NO_VALUE,
    Opaque,
    as_text,
    concatenate,
    dynamic_references,
    holes,
    named_hole,
)
from secure_bucket.template.worlds import PARTITION, REGION, World, partition_of

__all__ = ["MAX_ALL_VALUES", "MAX_NESTING", "MAX_VALUES", "Assembly", "Function", "Resolver"]

MAX_NESTING = 100
# The largest bucket policy has 20,480 bytes, and a value takes more than one of them.
MAX_VALUES = 20_000
# A thousand buckets with a policy of ten statements in ten worlds each.
MAX_ALL_VALUES = 5_000_000

Function: TypeAlias = "Callable[[Resolver, Stack, object, Path], object]"

_URL_SUFFIXES = {"aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn"}


@dataclass(slots=True, eq=False)
class Assembly:
    """The stacks that are deployed together, so that they can refer to each other.

    Args:
        stacks: Every stack, the nested ones after the one that nests them.
        spent: How many values have been resolved so far.
    """

    stacks: Sequence[Stack]
    spent: int = 0
    _ambiguous: set[str] | None = None
    _exports: list[tuple[Stack, str, object]] | None = None

    def qualify(self, stack: Stack, name: str) -> str:
        """Return a name for something of a stack that nothing of another stack has."""
        if len(self.stacks) == 1:
            return name
        if self._ambiguous is None:
            seen: dict[str, int] = {}
            for other in self.stacks:
                for key in (*other.resources, *other.parameters, *other.loop_variables):
                    seen[key] = seen.get(key, 0) + 1
            self._ambiguous = {key for key, count in seen.items() if count > 1}
        return f"{stack.name}.{name}" if name.partition(".")[0] in self._ambiguous else name

    def exports(self) -> list[tuple[Stack, str, object]]:
        """Return every exported output: its stack, its name, and the name of its export as written."""
        if self._exports is None:
            self._exports = [
                (stack, str(name), output["Export"].get("Name"))
                for stack in self.stacks
                for name, output in stack.sections["Outputs"].items()
                if isinstance(output, Mapping) and isinstance(output.get("Export"), Mapping)
            ]
        return self._exports


@dataclass(slots=True, eq=False)
class Resolver:
    """Resolve the values of an assembly in one world.

    Args:
        assembly: The stacks that can refer to each other.
        world: What is fixed about the deployment.
        functions: The intrinsic functions, by name.
        expand: Whether to fork over everything whose possible values are listed, rather than leave a
            hole where only its text is asked for.
    """

    assembly: Assembly
    world: World
    functions: Mapping[str, Function]
    expand: bool = False
    in_condition: bool = False
    expandable: bool = False
    given: set[Hole] = field(default_factory=set)
    parameters: dict[Hole, Parameter] = field(default_factory=dict)
    conditions: dict[tuple[int, str], bool | None] = field(default_factory=dict)
    targets: dict[int, list[str | Text]] = field(default_factory=dict)
    _names: dict[int, str | Text] = field(default_factory=dict)
    nesting: int = 0
    _exports: dict[str | Text, list[tuple[Stack, str]]] | None = None
    _values: int = 0

    def resolve(self, stack: Stack, value: object, path: Path) -> object:
        """Return what a value comes to: JSON in which `Text` and `Unknown` may stand, or `NO_VALUE`."""
        if isinstance(value, str):
            return dynamic_references(value) if "{{resolve:" in value else value
        if value is None or isinstance(value, (bool, int)):
            return value
        size = 1 + (len(value) if isinstance(value, (Mapping, list, tuple)) else 0)
        self._values += size
        self.assembly.spent += size
        if self.nesting >= MAX_NESTING:
            return self.opaque(stack, f"it is nested deeper than {MAX_NESTING} levels", path)
        if self._values > MAX_VALUES:
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
                items = (self.resolve(stack, item, (path, index)) for index, item in enumerate(value))
                return [item for item in items if item is not NO_VALUE]
        finally:
            self.nesting -= 1
        if isinstance(value, float):
            return (
                value
                if math.isfinite(value)
                else self.opaque(stack, f"`{value}` is not a number of JSON", path)
            )
        if isinstance(value, (Text, Unknown)):
            return value
        return self.opaque(stack, f"a `{type(value).__name__}` is not a value of JSON", path)

    def _mapping(self, stack: Stack, value: Mapping[str, object], path: Path) -> object:
        if len(value) == 1:
            ((key, argument),) = value.items()
            if key == "Ref" and isinstance(argument, str):
                return self.ref(stack, argument, (path, key))
            if str(key).startswith("Fn::") and not is_loop(key):
                function = self.functions.get(key)
                if function is None:
                    return self.opaque(
                        stack, f"`{key}` is not a function of CloudFormation that is known here", path
                    )
                return function(self, stack, argument, (path, key))
        members: dict[str, object] = {}
        for key, item in value.items():
            # A dictionary that did not come from a file can have any keys.
            key = str(key)
            if key.startswith("Fn::"):
                if not is_loop(key):
                    reason = (
                        "`Fn::Transform` rewrites it only at deployment"
                        if key == "Fn::Transform"
                        else f"`{key}` stands beside other keys, which CloudFormation does not allow"
                    )
                    return self.opaque(stack, reason, path)
                expanded = expand_loops(self, stack, key, item, (path, key))
                if expanded is None:
                    return self.opaque(
                        stack, f"the values that `{key}` goes through are not known", (path, key)
                    )
                for inner_key, inner, inner_path in expanded:
                    members[inner_key] = self.resolve(stack, inner, inner_path)
                continue
            resolved = self.resolve(stack, item, (path, key))
            if resolved is not NO_VALUE:
                members[key] = resolved
        return members

    def text(self, stack: Stack, value: object, path: Path) -> str | Text:
        """Return the text that a value comes to; where it is not text, a hole that says so."""
        resolved = self.resolve(stack, value, path)
        text = as_text(resolved)
        if text is None:
            text = as_text(self.opaque(stack, "text was expected here", path))
            assert text is not None
        return text

    def opaque(self, stack: Stack, reason: str, path: Path, name: str = "") -> Opaque:
        """Return an unknown value; one without a name of its own is named after its place."""
        pointer = pointer_of(path)
        return Opaque(reason, Place(pointer, stack.document.name), name=name or f"{stack.name}{pointer}")

    def hole(self, stack: Stack, name: str, reason: str, path: Path, *, generated: bool = False) -> Text:
        """Return a text that is not known."""
        at = Place(pointer_of(path), stack.document.name)
        return Text((named_hole(name, reason, generated=generated, at=at),))

    def ref(self, stack: Stack, name: str, path: Path) -> object:
        """Return what `{"Ref": name}` comes to."""
        if name.startswith("AWS::"):
            return self._pseudo(stack, name, path)
        parameter = stack.parameters.get(name)
        if parameter is not None:
            return self._parameter(stack, name, parameter, path)
        resource = stack.resources.get(name)
        if resource is not None:
            if resource.type == "AWS::S3::Bucket":
                return self.bucket_name(stack, resource)
            qualified = self.assembly.qualify(stack, name)
            return self._fixed(
                self.hole(stack, qualified, f"what `{name}` is called is known only at deployment", path)
            )
        if name in stack.loop_variables:
            qualified = self.assembly.qualify(stack, name)
            return self._fixed(
                self.hole(stack, qualified, f"the values of the loop over `{name}` are not known", path)
            )
        return self.opaque(
            stack,
            f"`{name}` is neither a parameter nor a resource of this template",
            path,
            f"{stack.name}Ref {name}",
        )

    def get_att(self, stack: Stack, logical_id: str, attribute: str, path: Path) -> object:
        """Return what `{"Fn::GetAtt": [logical_id, attribute]}` comes to."""
        resource = stack.resources.get(logical_id)
        if resource is None:
            return self.opaque(
                stack,
                f"there is no resource `{logical_id}` in this template",
                path,
                f"{stack.name}{logical_id}.{attribute}",
            )
        if resource.type == "AWS::S3::Bucket" and attribute == "Arn":
            return self.bucket_arn(stack, self.bucket_name(stack, resource))
        if attribute.startswith("Outputs."):
            nested = stack.nested.get(logical_id)
            if nested is not None:
                return self.output(nested, attribute.removeprefix("Outputs."), path)
        qualified = self.assembly.qualify(stack, f"{logical_id}.{attribute}")
        return self._fixed(
            self.hole(stack, qualified, f"`{logical_id}.{attribute}` is known only at deployment", path)
        )

    def output(self, stack: Stack, name: str, path: Path) -> object:
        """Return what an output of a stack comes to."""
        output = stack.sections["Outputs"].get(name)
        if not isinstance(output, Mapping) or "Value" not in output:
            return self.opaque(
                stack, f"the stack has no output `{name}`", path, f"{stack.name}.Outputs.{name}"
            )
        if self.nesting >= MAX_NESTING:
            return self.opaque(stack, f"it is nested deeper than {MAX_NESTING} levels", path)
        self.nesting += 1
        try:
            return self.resolve(stack, output["Value"], ((("", "Outputs"), name), "Value"))
        finally:
            self.nesting -= 1

    def partition(self, stack: Stack) -> str | Text:
        """Return the partition that a stack is deployed to."""
        if stack.region:
            return partition_of(stack.region)
        return self._fixed(Text((PARTITION,)))

    def bucket_arn(self, stack: Stack, name: str | Text) -> str | Text:
        """Return the ARN of a bucket of a stack."""
        return concatenate(("arn:", self.partition(stack), ":s3:::", name))

    def bucket_name(self, stack: Stack, bucket: Resource) -> str | Text:
        """Return the name of a bucket: as it is written, or a hole that CloudFormation fills."""
        known = self._names.get(id(bucket))
        if known is not None:
            return known
        qualified = self.assembly.qualify(stack, bucket.logical_id)
        generated = self.hole(
            stack,
            qualified,
            f"CloudFormation makes up the name of `{bucket.logical_id}`",
            bucket.path,
            generated=True,
        )
        # A name that refers to itself would not end; CloudFormation refuses it.
        self._names[id(bucket)] = generated
        try:
            name = self.property(stack, bucket, "BucketName")
        finally:
            del self._names[id(bucket)]
        text: str | Text
        if name is None or name == "":
            text = generated
        elif isinstance(name, (str, Text)):
            text = name
        else:
            text = as_text(name) or self.hole(stack, qualified, "`BucketName` is not text", bucket.path)
        self._names[id(bucket)] = text
        return text

    def property(self, stack: Stack, resource: Resource, name: str) -> object:
        """Return what a property of a resource comes to; `None` when it has no such property."""
        properties, path = resource.properties, resource.properties_path
        if isinstance(properties, Mapping) and not any(str(key).startswith("Fn::") for key in properties):
            properties, path, wanted = properties.get(name), (path, name), None
        else:
            wanted = name
        outer, self._values = self._values, 0
        try:
            resolved = self.resolve(stack, properties, path)
            if self._values > MAX_VALUES:
                return self.opaque(stack, f"it comes to more than {MAX_VALUES:,} values", path)
        finally:
            self._values = outer
        if wanted is not None and isinstance(resolved, dict):
            resolved = resolved.get(wanted)
        return None if resolved is NO_VALUE else resolved

    def import_value(self, stack: Stack, name: str | Text, path: Path) -> object:
        """Return what an export comes to: the output of this assembly that has it, or a hole."""
        if self._exports is None:
            exports: dict[str | Text, list[tuple[Stack, str]]] = {}
            for exporter, output, written in self.assembly.exports():
                where = (((("", "Outputs"), output), "Export"), "Name")
                exports.setdefault(self.text(exporter, written, where), []).append((exporter, output))
            self._exports = exports
        # The same name in two Regions is two exports, and which of them is meant is not known.
        exporters = self._exports.get(name, [])
        if len(exporters) == 1:
            return self.output(*exporters[0], path)
        imported = self.hole(
            stack, f"Fn::ImportValue {name}", f"`{name}` is exported by a stack that is not here", path
        )
        self.given.update(holes(imported))
        return self._fixed(imported)

    def source(self, stack: Stack, value: object, path: Path, tokens: list[str]) -> Path:
        """Return where a part of what a value comes to is written: the nearest place around it that is."""
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

    def _parameter(self, stack: Stack, name: str, parameter: Parameter, path: Path) -> object:
        if stack.parent is not None:
            return self._passed(stack, stack.parent, name, parameter, path)
        qualified = self.assembly.qualify(stack, name)
        if parameter.is_list:
            return self.opaque(
                stack, f"the list of the parameter `{name}` is known only at deployment", path, qualified
            )
        where = "in SSM" if parameter.is_stored else "at deployment"
        text = self.hole(stack, qualified, f"the value of the parameter `{name}` is given only {where}", path)
        (hole,) = holes(text)
        if not parameter.is_stored:
            self.given.add(hole)
        self.parameters[hole] = parameter
        if parameter.allowed is not None:
            if self.expand:
                return self.world.choose(hole, parameter.allowed)
            self.expandable = True
        return self._fixed(text)

    def _passed(self, stack: Stack, parent: Stack, name: str, parameter: Parameter, path: Path) -> object:
        nesting = parent.resources[stack.parent_id]
        properties, path_of_given = nesting.properties, (nesting.properties_path, "Parameters")
        given = properties.get("Parameters") if isinstance(properties, Mapping) else properties
        value: object
        if self.nesting >= MAX_NESTING:
            return self.opaque(stack, f"it is nested deeper than {MAX_NESTING} levels", path)
        self.nesting += 1
        try:
            if isinstance(properties, Mapping) and _is_plain(properties) and _is_plain(given):
                passed = given.get(name, NO_VALUE) if isinstance(given, Mapping) else NO_VALUE
                value = (
                    self.resolve(parent, passed, (path_of_given, name)) if passed is not NO_VALUE else passed
                )
            else:
                resolved = self.property(parent, nesting, "Parameters")
                if not isinstance(resolved, dict):
                    return self.opaque(stack, f"what is passed for the parameter `{name}` is not known", path)
                value = resolved.get(name, NO_VALUE)
        finally:
            self.nesting -= 1
        if parameter.is_stored:
            return self.hole(stack, f"{stack.name}.{name}", f"the parameter `{name}` is read from SSM", path)
        if value is NO_VALUE:
            # Nobody else can give a nested stack its parameters, so its default is what it gets.
            value = parameter.default
        if parameter.is_list:
            if isinstance(value, str):
                return [item.strip() for item in value.split(",")]
            if isinstance(value, (list, Unknown)):
                return value
            return self.opaque(stack, f"the list of the parameter `{name}` is known only at deployment", path)
        if isinstance(value, list):
            texts = [as_text(item) for item in value]
            if all(text is not None for text in texts):
                joined: list[str | Text] = []
                for text in texts:
                    joined += ([","] if joined else []) + [text or ""]
                return concatenate(joined)
        text_value = as_text(value)
        return (
            text_value
            if text_value is not None
            else self.opaque(stack, f"the parameter `{name}` has no value", path)
        )

    def _pseudo(self, stack: Stack, name: str, path: Path) -> object:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name == "AWS::Region":
            return stack.region or self._fixed(Text((REGION,)))
        if name == "AWS::Partition":
            return self.partition(stack)
        if name == "AWS::AccountId":
            return stack.account or self._fixed(
                self.hole(stack, name, "the account is known only at deployment", path)
            )
        if name == "AWS::URLSuffix":
            suffix = _URL_SUFFIXES.get(str(self.partition(stack)))
            return suffix or self._fixed(self.hole(stack, name, "it depends on the partition", path))
        if name == "AWS::StackName":
            if stack.stack_name:
                return stack.stack_name
            qualified = name if len(self.assembly.stacks) == 1 else f"{stack.name}.{name}"
            return self._fixed(
                self.hole(stack, qualified, "the stack gets its name only at deployment", path)
            )
        if name == "AWS::StackId":
            # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
            unique = self.hole(
                stack, f"{stack.name}AWS::StackId", "the stack gets its id only at deployment", path
            )
            parts = [
                as_text(self._pseudo(stack, f"AWS::{part}", path)) or ""
                for part in ("Region", "AccountId", "StackName")
            ]
            region, account, stack_name = parts
            return concatenate(
                (
                    "arn:",
                    self.partition(stack),
                    ":cloudformation:",
                    region,
                    ":",
                    account,
                    ":stack/",
                    stack_name,
                    "/",
                    unique,
                )
            )
        if name == "AWS::NotificationARNs":
            return self.opaque(stack, "it is known only at deployment", path, name)
        return self.opaque(stack, f"`{name}` is not a pseudo parameter of CloudFormation", path)

    def _fixed(self, text: Text) -> str | Text:
        """Return the text that this world fixes for a hole, or the hole."""
        (hole,) = holes(text)
        return self.world.values.get(hole, text)


def _is_plain(value: object) -> bool:
    """Tell whether a value is a mapping of names, or nothing, as opposed to a function."""
    return value is None or (
        isinstance(value, Mapping)
        and not any(str(key) == "Ref" or str(key).startswith("Fn::") for key in value)
    )
