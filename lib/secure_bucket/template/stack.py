"""Describe a deployed template: by itself, or once for each nested stack."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct, field

from secure_bucket.template.load import Document
from secure_bucket.template.parameters import Parameter, read_parameter
from secure_bucket.template.resource_types import most_important
from secure_bucket.template.scan import Duplicate
from secure_bucket.values.unknown import Place, Unknown

__all__ = ["TRANSFORM", "Member", "Path", "Resource", "Stack", "is_function", "is_loop", "pointer_of"]

# A JSON pointer that is joined on demand: `((("", "Resources"), "Reports"), "Type")`.
Path = Any

TRANSFORM = "Fn::Transform"
"""The key under which a macro rewrites the mapping that it stands in, together with the keys beside it."""

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/transform-reference.html, read 2026-11.
_HARMLESS_TRANSFORMS = re.compile(
    r"AWS::(?:Serverless-2016-10-31|LanguageExtensions|CodeDeployBlueGreen|SecretsManager-\d{4}-\d{2}-\d{2})"
)


def pointer_of(path: Path) -> str:
    """Return a path as a JSON pointer."""
    tokens: list[str] = []
    while isinstance(path, tuple):
        path, key = path
        tokens.append(str(key).replace("~", "~0").replace("/", "~1"))
    return str(path) + "".join("/" + token for token in reversed(tokens))


def is_function(value: Mapping[str, object]) -> bool:
    """Tell whether a mapping is a function, or a function rewrites it, so that its keys are not names."""
    return "Ref" in value or any(str(key).startswith("Fn::") for key in value)


def is_loop(key: object) -> bool:
    """Tell whether the key of a mapping is a loop."""
    return isinstance(key, str) and key.startswith("Fn::ForEach::")


class Member(Struct, frozen=True, eq=False):
    """A member that a collection may lack in some deployments.

    Args:
        collection: The collection, unresolved.
        path: Where it is written.
        value: The member.
        outer: The members of the collections of the loops around this one.
    """

    collection: object
    path: Path
    value: str
    outer: tuple[Member, ...] = ()


class Resource(Struct, frozen=True, eq=False):
    """A resource of a stack, with the path at which it is written.

    Args:
        logical_id: Its logical id.
        type: Its type.
        body: Its body, unresolved.
        path: Where it is written.
        members: The loop members that it is written for and that a deployment may lack.
    """

    logical_id: str
    type: str
    body: Mapping[str, Any]
    path: Path
    members: tuple[Member, ...] = ()

    @property
    def properties(self) -> object:
        """Its properties, unresolved."""
        return self.body.get("Properties")

    @property
    def properties_path(self) -> Path:
        """The path of the properties."""
        return (self.path, "Properties")


class Stack(Struct, eq=False):
    """A template in one deployment.

    Args:
        document: The template.
        name: The qualifier of its holes among several stacks; `""` for a single stack.
        stack_name: The name of the deployed stack, if an assembly names it.
        region: Its Region, if an assembly names it.
        account: Its account, if an assembly names it.
        parent: The stack that nests it.
        parent_id: The logical id under which its parent nests it.
        resources: Its resources, by logical id.
        sections: Its other sections.
        parameters: Its parameters.
        loops: The collections of its loops that differ between deployments, without a value.
        loop_variables: The texts that stand for any member of an unknown collection.
        stage: The directory of its Stage in a cloud assembly; `""` outside a Stage.
        is_optional: Whether it may not be deployed although the others are: a product, a stack set, an asset
            that nothing deploys, one of several nested stacks that a condition chooses between.
        nested: The stacks that it nests, by logical id.
        found: For each resource that deploys a template, by logical id: `""` if the template was read, or
            else why not.
        own_path: The path of its own construct in an assembly; `""` without that metadata.
        construct_paths: The paths of its constructs in an assembly, by logical id; `None` for a template
            outside an assembly.
    """

    document: Document
    name: str = ""
    stack_name: str = ""
    region: str = ""
    account: str = ""
    parent: Stack | None = None
    parent_id: str = ""
    resources: dict[str, Resource] = field(default_factory=dict)
    sections: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    loops: list[Member] = field(default_factory=list)
    loop_variables: set[str] = field(default_factory=set)
    stage: str = ""
    is_optional: bool = False
    nested: dict[str, Stack] = field(default_factory=dict)
    found: dict[str, str] = field(default_factory=dict)
    own_path: str = ""
    construct_paths: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        for name in ("Conditions", "Mappings", "Outputs", "Parameters"):
            section = self.document.root.get(name)
            self.sections[name] = section if isinstance(section, Mapping) else {}
        for key, body in self.sections["Parameters"].items():
            if isinstance(body, Mapping):
                if TRANSFORM in body or self.is_rewritten("Parameters"):
                    body = {"Type": body.get("Type")}
                self.parameters[str(key)] = read_parameter(body)
        resources = self.document.root.get("Resources")
        for key, body in resources.items() if isinstance(resources, Mapping) else ():
            self.add(str(key), body, (("", "Resources"), key))

    def is_rewritten(self, section: str) -> bool:
        """Tell whether a macro in a section may change all of it at deployment."""
        return TRANSFORM in self.sections[section]

    def add(self, logical_id: str, body: object, path: Path, members: tuple[Member, ...] = ()) -> None:
        """Add a value, if it is a resource."""
        if isinstance(body, Duplicate):
            # CloudFormation may take either of the two: do not lose a bucket or a policy.
            body = {"Type": most_important([_kind(value) for value in body.values]), "Properties": body}
        if isinstance(body, Mapping) and isinstance(body.get("Type"), Duplicate):
            # The properties may be those of either type.
            body = {**body, "Properties": body["Type"]}
        if logical_id.startswith("Fn::") and isinstance(body, list):
            # A function in place of a resource, which CloudFormation does not support there.
            body = {}
        if isinstance(body, str):
            # The whole resource may be a placeholder of another tool.
            body = {"Type": body}
        if isinstance(body, Mapping):
            if TRANSFORM in body:
                reason = "`Fn::Transform` rewrites the resource only at deployment"
                body = {**body, "Properties": Unknown(reason, Place(pointer_of(path), self.document.name))}
            self.resources[logical_id] = Resource(logical_id, _kind(body), body, path, members)

    @property
    def ancestors(self) -> Iterator[Stack]:
        """Its parent, the parent of that, and so on."""
        stack = self.parent
        while stack is not None:
            yield stack
            stack = stack.parent

    @property
    def outermost(self) -> Stack:
        """The last of its ancestors, or itself."""
        return (self, *self.ancestors)[-1]

    def is_beside(self, other: Stack) -> bool:
        """Tell whether the account and the Region of another stack can be the same as its own."""
        pairs = ((self.account, other.account), (self.region, other.region))
        return all(not one or not another or one == another for one, another in pairs)

    def construct_path(self, resource: Resource) -> str:
        """Return the path of the construct of a resource; `""` without that metadata."""
        # INVARIANT: in an assembly only its manifest decides, because a template can come from another app.
        if self.construct_paths is not None:
            return self.construct_paths.get(resource.logical_id, "")
        metadata = resource.body.get("Metadata")
        path = metadata.get("aws:cdk:path") if isinstance(metadata, Mapping) else None
        return path if isinstance(path, str) else ""

    @property
    def macros(self) -> tuple[str, ...]:
        """The transforms that may rewrite the whole template."""
        declared = self.document.root.get("Transform")
        found: list[str] = []
        for transform in (
            declared if isinstance(declared, list) else [declared] if declared is not None else []
        ):
            name = transform.get("Name") if isinstance(transform, Mapping) else transform
            if not (isinstance(name, str) and _HARMLESS_TRANSFORMS.fullmatch(name)):
                found.append(str(name))
        for section in ("", "Resources"):
            holder = self.document.root if not section else self.document.root.get(section)
            if isinstance(holder, Mapping) and (inner := holder.get(TRANSFORM)) is not None:
                found.append(str(inner.get("Name")) if isinstance(inner, Mapping) else str(inner))
        return tuple(found)


def _kind(body: object) -> str:
    kind = body.get("Type") if isinstance(body, Mapping) else None
    if isinstance(kind, Duplicate):
        return most_important([value if isinstance(value, str) else "" for value in kind.values])
    return kind if isinstance(kind, str) else ""
