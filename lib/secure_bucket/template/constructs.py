"""Find the construct that made a resource or a template, from the metadata of a cloud assembly."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field

from secure_bucket.template.load import Document
from secure_bucket.template.manifest import Acknowledged
from secure_bucket.template.stack import Resource, Stack
from secure_bucket.values.unknown import Place

if TYPE_CHECKING:
    from pathlib import Path

    from secure_bucket.template.manifest import StackArtifact

__all__ = ["Constructs", "acknowledged_in", "made_by_cdk", "paths_in_body"]

_NESTED_STACK_PATH = re.compile(r"(?P<scope>.*/(?P<id>[^/]+))\.NestedStack/(?P=id)\.NestedStackResource")
_ACKNOWLEDGED = "aws:cdk:acknowledged-rules"


class Constructs(Struct):
    """The constructs of an assembly that have their own template, and the constructs inside them.

    Args:
        made: The construct paths of the resources in such a template, by its construct and logical id.
        scopes: The construct of each template, by file.
        files: The template of each construct, by construct path.
    """

    made: dict[str, dict[str, str]] = field(default_factory=dict)
    scopes: dict[str, str] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)

    def note(self, artifact: StackArtifact) -> bool:
        """Note the constructs of a stack from its metadata, and return whether the metadata names any."""
        scopes: dict[str, Path | None] = {artifact.path: None}
        made: list[tuple[str, str]] = []
        for path, kind, data in artifact.entries:
            if kind == "aws:cdk:templateFile" and isinstance(data, str):
                scopes[path] = artifact.template.parent / data
            elif kind == "aws:cdk:logicalId" and isinstance(data, str):
                made.append((path, data))
        if len(scopes) == 1:
            # The CDK before 2.274 does not list these files, but gives them these names.
            scopes |= _named_after_constructs(artifact, [path for path, _ in made])
        scopes[artifact.path] = artifact.template
        for scope, file in scopes.items():
            if file is not None:
                self.scopes[os.path.abspath(file)] = scope
                self.files[scope] = file
        for path, logical_id in made:
            known = self.made.setdefault(_owner(path, scopes) or artifact.path, {})
            # If two claim to be the same resource, one is in a template that no metadata names.
            known[logical_id] = path if known.get(logical_id, path) == path else ""
        return bool(made)

    def note_written(self, stack: Stack, scope: str) -> None:
        """Note the construct paths in a template itself, if its manifest names no construct."""
        self.made[scope] = _written_paths(stack, scope)

    def place(self, stack: Stack, file: str, scope: str | None) -> None:
        """Set the construct paths of a stack and of its resources."""
        stack.own_path = self.scopes.get(file, "") if scope is None else scope
        stack.construct_paths = self.made.get(stack.own_path, {})

    def scope_of(self, stack: Stack, resource: Resource) -> str | None:
        """Return the construct whose template a resource deploys, if its path shows it."""
        nested = _NESTED_STACK_PATH.fullmatch(stack.construct_path(resource))
        return nested["scope"] if nested is not None and nested["scope"] in self.made else None


def paths_in_body(stack: Stack) -> dict[str, str] | None:
    """Return the construct paths of a template in the text of a resource.

    INVARIANT: a CDK app deploys such a template and does not make it: the template holds no construct of the
    app, and excepts nothing. Outside an app there are no constructs (`None`).
    """
    return {} if stack.construct_paths is not None or made_by_cdk(stack.document) else None


def made_by_cdk(document: Document) -> bool:
    """Tell whether the AWS CDK synthesized a template."""
    root = document.root
    rules, resources = root.get("Rules"), root.get("Resources")
    if isinstance(rules, Mapping) and "CheckBootstrapVersion" in rules:
        return True
    for body in resources.values() if isinstance(resources, Mapping) else ():
        if isinstance(body, Mapping):
            metadata = body.get("Metadata")
            if body.get("Type") == "AWS::CDK::Metadata" or (
                isinstance(metadata, Mapping) and "aws:cdk:path" in metadata
            ):
                return True
    return False


def acknowledged_in(artifact: StackArtifact) -> Iterator[Acknowledged]:
    """Yield the acknowledgments in the metadata of a stack."""
    at = Place(file=str(artifact.metadata_file))
    for path, kind, data in artifact.entries:
        if kind == _ACKNOWLEDGED and isinstance(data, Mapping):
            for id, why in data.items():
                yield Acknowledged(str(id), path, str(why or ""), at)


def _owner(path: str, scopes: Mapping[str, object]) -> str:
    """Return the nearest path at or above a construct that has a template; `""` without one."""
    while path and path not in scopes:
        path = path.rpartition("/")[0]
    return path


def _named_after_constructs(
    artifact: StackArtifact, paths: Iterable[str]
) -> Iterator[tuple[str, Path | None]]:
    """Yield the constructs of a stack that have their own template, and the file.

    The CDK names the file after the unique id of the construct: `<id>.nested.template.json` (`NestedStack`
    and `ProductStack` of aws-cdk-lib 2.275.0). A file of an earlier synthesis has the id of a construct that
    the app no longer contains.
    """
    here = artifact.template.parent
    if not here.is_dir():
        return
    files = {
        name.partition(".")[0]: here / name
        for name in sorted(os.listdir(here))
        if name.endswith(".template.json") and name.count(".") > 2
    }
    constructs: set[str] = set()
    for path in paths:
        nested = _NESTED_STACK_PATH.fullmatch(path)
        if nested is not None:
            yield nested["scope"], files.get(_unique_id(nested["scope"]))
        while files and path and path != artifact.path and path not in constructs:
            constructs.add(path)
            file = files.get(_unique_id(path))
            if file is not None:
                yield path, file
            path = path.rpartition("/")[0]


def _unique_id(path: str) -> str:
    """Return the id that `Names.uniqueId` makes of a construct path (`makeUniqueId`, aws-cdk-lib 2.275.0)."""
    components = [component for component in path.split("/") if component != "Default"]
    human: list[str] = []
    for component in components:
        if not human or not human[-1].endswith(component):
            human.append(component)
    plain = [re.sub(r"[^A-Za-z0-9]", "", each) for each in human if each != "Resource"]
    if len(components) == 1 and plain:
        return plain[0]
    import hashlib  # Loads in 3 ms; only an assembly needs it.

    digest = hashlib.md5("/".join(components).encode(), usedforsecurity=False).hexdigest()
    return "".join(plain)[:240] + digest[:8].upper()


def _written_paths(stack: Stack, scope: str) -> dict[str, str]:
    """Return the construct paths in a template itself, if its manifest names no construct."""
    paths: dict[str, str] = {}
    for logical_id, resource in stack.resources.items():
        metadata = resource.body.get("Metadata")
        path = metadata.get("aws:cdk:path") if isinstance(metadata, Mapping) else None
        if isinstance(path, str) and path.startswith(f"{scope}/"):
            paths[logical_id] = path
    return paths
