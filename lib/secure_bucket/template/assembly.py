"""A CDK cloud assembly: every template in it, joined by what they know of each other.

https://github.com/aws/aws-cdk-cli/tree/main/packages/%40aws-cdk/cloud-assembly-schema
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct, field

from secure_bucket.errors import TemplateError
from secure_bucket.template.load import Document, is_template, load_document, parse_document, read_bytes
from secure_bucket.template.resolve import Acknowledged, Assembly
from secure_bucket.template.stack import Resource, Stack
from secure_bucket.template.text import strings_of
from secure_bucket.values.unknown import Place

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["MAX_STACKS", "read_assembly", "read_document", "read_templates"]

MAX_STACKS = 5_000
_MAX_LEVELS = 32

_ENVIRONMENT = re.compile(r"aws://([^/]*)/(.*)")
_NESTED_STACK = re.compile(r"(?P<scope>.*/(?P<id>[^/]+))\.NestedStack/(?P=id)\.NestedStackResource")
_ASSET_HASH = re.compile(r"[0-9a-f]{64}")
_ACKNOWLEDGED = "aws:cdk:acknowledged-rules"
_STACK_SET = "AWS::CloudFormation::StackSet"
_WHERE_TEMPLATES_ARE_NAMED = {
    _STACK_SET: "TemplateURL",
    "AWS::Serverless::Application": "Location",
    "AWS::ServiceCatalog::CloudFormationProduct": "ProvisioningArtifactParameters",
}


def read_assembly(directory: str | os.PathLike[str]) -> Assembly:
    """Read every template of a cloud assembly (`cdk.out`).

    That is every stack, those of the nested assemblies (Stages), and the templates among the assets:
    nested stacks, stack sets, Service Catalog products.

    Raises:
        TemplateError: If a file that the assembly refers to is missing or cannot be read.
    """
    from pathlib import Path  # It takes longer to load than most templates to check.

    reader = _Reader()
    reader.read_directory(Path(directory), os.fspath(directory), 0)
    reader.read_nested()
    reader.read_other_assets()
    return Assembly(reader.stacks, reader.acknowledged)


def read_document(document: Document) -> Assembly:
    """Read a template that is on its own, with those that are written inside of it."""
    reader = _Reader()
    reader.add(Stack(document), document.name)
    for stack in reader.stacks:
        for resource in list(stack.resources.values()):
            if resource.type in _WHERE_TEMPLATES_ARE_NAMED:
                reader.read_elsewhere(stack, resource)
    return Assembly(reader.stacks)


def read_templates(templates: Iterable[str | os.PathLike[str] | Document]) -> Assembly:
    """Read templates that are deployed together, such as the stacks of one application.

    A nested stack whose template lies beside the one that nests it is read as well.

    Args:
        templates: Their files, or what was read from them already.

    Raises:
        TemplateError: If one of them cannot be read.
    """
    reader = _Reader()
    for template in templates:
        document = template if isinstance(template, Document) else load_document(template)
        name = os.path.basename(document.name).partition(".")[0]
        reader.add(Stack(document, name=name), document.name)
    reader.read_nested()
    return Assembly(reader.stacks)


_Owner: TypeAlias = "str | tuple[_Owner, str]"
"""What a construct path belongs to: a template by its file, or the nested stack that a resource makes."""


class _Reader(Struct):
    stacks: list[Stack] = field(default_factory=list)
    assets: dict[str, Path] = field(default_factory=dict)
    paths: dict[_Owner, dict[str, str]] = field(default_factory=dict)
    owners: dict[str, _Owner] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    acknowledged: list[Acknowledged] = field(default_factory=list)
    searched: int = 0

    def add(self, stack: Stack, file: str | Path, nested_as: _Owner | None = None) -> None:
        if len(self.stacks) >= MAX_STACKS:
            raise TemplateError(f"`{file}`: an assembly of more than {MAX_STACKS:,} stacks is not read")
        # INVARIANT: names are unique, because they tell the holes of different stacks apart.
        unique, number = stack.name, 2
        while unique in self.names:
            unique, number = f"{stack.name}-{number}", number + 1
        stack.name = unique
        self.names.add(unique)
        file = os.path.abspath(file)
        self.owners[stack.name] = nested_as or file
        stack.construct_paths = self.paths.get(file) or self.paths.get(self.owners[stack.name], {})
        self.seen.add(file)
        self.stacks.append(stack)

    def read_directory(self, directory: Path, given: str, level: int) -> None:
        if level > _MAX_LEVELS:
            raise TemplateError(f"`{given}`: cloud assemblies are nested deeper than {_MAX_LEVELS} levels")
        manifest_file = directory / "manifest.json"
        artifacts = _mapping(_read_json(manifest_file), "artifacts", manifest_file)
        for name, artifact in artifacts.items():
            kind = artifact.get("type") if isinstance(artifact, Mapping) else None
            if not isinstance(artifact, Mapping) or kind is None:
                raise TemplateError(f"`{manifest_file}`: the artifact `{name}` has no type")
            properties = artifact.get("properties")
            properties = properties if isinstance(properties, Mapping) else {}
            if kind == "aws:cloudformation:stack":
                self._read_stack(directory, name, artifact, properties, manifest_file)
            elif kind == "cdk:cloud-assembly":
                inner = directory / _file(properties, "directoryName", name, manifest_file)
                self.read_directory(inner, str(inner), level + 1)
            elif kind == "cdk:asset-manifest":
                self._read_assets(directory / _file(properties, "file", name, manifest_file))

    def _read_stack(
        self,
        directory: Path,
        name: str,
        artifact: Mapping[str, Any],
        properties: Mapping[str, Any],
        manifest: Path,
    ) -> None:
        file = directory / _file(properties, "templateFile", name, manifest)
        self._read_metadata(directory, artifact, file)
        environment = _ENVIRONMENT.fullmatch(str(artifact.get("environment", "")))
        account, region = environment.groups() if environment else ("", "")
        stack_name = properties.get("stackName")
        self.add(
            Stack(
                load_document(file),
                name=str(artifact.get("displayName") or name),
                stack_name=stack_name if isinstance(stack_name, str) else name,
                region="" if region.startswith("unknown") else region,
                account="" if account.startswith("unknown") else account,
            ),
            file,
        )

    def _read_assets(self, file: Path) -> None:
        for key, asset in _mapping(_read_json(file), "files", file, required=False).items():
            source = asset.get("source") if isinstance(asset, Mapping) else None
            path = source.get("path") if isinstance(source, Mapping) else None
            if isinstance(path, str):
                self.assets[key] = file.parent / path

    def _read_metadata(self, directory: Path, artifact: Mapping[str, Any], file: Path) -> None:
        """Note which construct made what, and what is acknowledged on it.

        The former stands in the template only when the CDK CLI asked for it, the latter never does.
        """
        name = artifact.get("additionalMetadataFile")
        metadata = _read_json(directory / name) if isinstance(name, str) else artifact.get("metadata")
        if not isinstance(metadata, Mapping):
            return
        owners: dict[str, _Owner] = {}
        made: list[tuple[str, str]] = []
        for path, entries in metadata.items():
            for kind, data in _entries(entries):
                if kind == "aws:cdk:templateFile":
                    owners[path] = os.path.abspath(directory / data)
                elif kind == "aws:cdk:logicalId":
                    made.append((path, data))
            self.acknowledged += _acknowledged(path, entries, directory / (name or "manifest.json"))
            self._read_legacy_assets(directory, entries)
        if not owners:
            # The CDK before 2.274 does not tell the files of nested stacks, but what makes them is named so.
            owners[""] = os.path.abspath(file)
            for path, logical_id in sorted(made):
                nested = _NESTED_STACK.fullmatch(path)
                if nested is not None:
                    owners[nested["scope"]] = (owners[_owner(path, owners)], logical_id)
        for path, logical_id in made:
            owner = _owner(path, owners)
            if owner in owners:
                known = self.paths.setdefault(owners[owner], {})
                # Of two that claim to be the same resource, one is in a template that nothing tells of.
                own = path.strip("/")
                known[logical_id] = own if known.get(logical_id, own) == own else ""

    def _read_legacy_assets(self, directory: Path, entries: object) -> None:
        """Note the file assets of a stack whose synthesizer writes no asset manifest.

        `LegacyStackSynthesizer` writes them as metadata of the stack: `FileAssetMetadataEntry` of the cloud
        assembly schema, read 2026-11.
        """
        for entry in entries if isinstance(entries, list) else ():
            data = entry.get("data") if isinstance(entry, Mapping) else None
            if isinstance(data, Mapping) and entry.get("type") == "aws:cdk:asset":
                key, path = data.get("sourceHash"), data.get("path")
                if isinstance(key, str) and isinstance(path, str):
                    self.assets.setdefault(key, directory / path)

    def read_nested(self) -> None:
        """Read the templates that the resources of the stacks name, and those that these name."""
        # INVARIANT: `self.stacks` grows while it is read, so that nested stacks come after their parents.
        while self.searched < len(self.stacks):
            stack = self.stacks[self.searched]
            self.searched += 1
            level = 0
            above = stack.parent
            while above is not None:
                level, above = level + 1, above.parent
            if level > _MAX_LEVELS:
                raise TemplateError(
                    f"`{stack.document.name}`: stacks are nested deeper than {_MAX_LEVELS} levels"
                )
            for resource in list(stack.resources.values()):
                if resource.type == "AWS::CloudFormation::Stack":
                    self._read_nested_stack(stack, resource)
                elif resource.type in _WHERE_TEMPLATES_ARE_NAMED:
                    self.read_elsewhere(stack, resource)

    def _read_nested_stack(self, stack: Stack, resource: Resource) -> None:
        files = self._nested_files(stack, resource)
        if not files:
            return
        file, *others = files
        for other in others:
            # One of several, as a condition chooses: all have to be judged, the others by themselves.
            self._read_separate(other, f"{stack.name}/{resource.logical_id}")
        nested = Stack(
            load_document(file),
            name=f"{stack.name}/{resource.logical_id}",
            region=stack.region,
            account=stack.account,
            parent=stack,
            parent_id=resource.logical_id,
        )
        stack.nested[resource.logical_id] = nested
        stack.read.add(resource.logical_id)
        self.add(nested, file, (self.owners[stack.name], resource.logical_id))

    def _nested_files(self, stack: Stack, resource: Resource) -> list[Path]:
        from pathlib import Path

        here = Path(stack.document.name).parent
        metadata = resource.body.get("Metadata")
        asset = metadata.get("aws:asset:path") if isinstance(metadata, Mapping) else None
        properties = resource.properties
        url = properties.get("TemplateURL") if isinstance(properties, Mapping) else None
        found = list(self._named_assets(url))
        if isinstance(asset, str):
            # Another Stage may hold the same template, under the same hash: that one is not meant.
            staged = here / asset
            return [staged, *(file for file in found if read_bytes(file) != read_bytes(staged))]
        if not found and isinstance(url, str) and "://" not in url and (here / url).is_file():
            return [here / url]
        return found

    def read_elsewhere(self, stack: Stack, resource: Resource) -> None:
        """Read a template that is deployed on its own: of a stack set, a product, an application."""
        properties = resource.properties
        if not isinstance(properties, Mapping):
            return
        name = f"{stack.name}/{resource.logical_id}"
        for file in self._named_assets(properties.get(_WHERE_TEMPLATES_ARE_NAMED[resource.type])):
            self._read_separate(file, name)
            stack.read.add(resource.logical_id)
        body = properties.get("TemplateBody") if resource.type == _STACK_SET else None
        if isinstance(body, str):
            where = f"{stack.document.name}: TemplateBody of {resource.logical_id}"
            with contextlib.suppress(TemplateError):  # It stays listed as not at hand then.
                # Lines inside of a text are no lines of a file.
                document = Document(where, parse_document(body, where).root)
                self.add(Stack(document, name=name), where)
                stack.read.add(resource.logical_id)

    def _named_assets(self, value: object) -> Iterator[Path]:
        for key in dict.fromkeys(_ASSET_HASH.findall(" ".join(strings_of(value)))):
            path = self.assets.get(key)
            if path is not None:
                yield path

    def read_other_assets(self) -> None:
        """Read the assets that are templates by their name, and that no resource leads to."""
        for path in list(self.assets.values()):
            if path.name.endswith((".template.json", ".template.yaml", ".template.yml")):
                self._read_separate(path, path.name.partition(".")[0])
        self.read_nested()

    def _read_separate(self, file: Path, name: str) -> None:
        if os.path.abspath(file) not in self.seen:
            document = load_document(file)
            if is_template(document.root):
                self.add(Stack(document, name=name), file)


def _owner(path: str, owners: Mapping[str, _Owner]) -> str:
    """Return the nearest path at or above a construct that owns a template; `""` when there is none."""
    while path and path not in owners:
        path = path.rpartition("/")[0]
    return path


def _entries(entries: object) -> Iterator[tuple[str, str]]:
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, Mapping) and isinstance(entry.get("data"), str):
            yield str(entry.get("type")), entry["data"]


def _acknowledged(path: str, entries: object, file: Path) -> Iterator[Acknowledged]:
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, Mapping) and entry.get("type") == _ACKNOWLEDGED:
            data = entry.get("data")
            for id, reason in data.items() if isinstance(data, Mapping) else ():
                yield Acknowledged(str(id), path.strip("/"), str(reason or ""), Place(file=str(file)))


def _read_json(file: Path) -> object:
    if not file.exists():
        raise TemplateError(f"`{file}` is missing: give the directory of a cloud assembly, such as `cdk.out`")
    try:
        return json.loads(read_bytes(file))
    except (ValueError, RecursionError) as error:
        raise TemplateError(f"`{file}` is not JSON: {error}; is it truncated?") from None


def _mapping(value: object, key: str, file: Path, *, required: bool = True) -> Mapping[str, Any]:
    inner = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(inner, Mapping):
        return inner
    if not required and isinstance(value, Mapping):
        return {}
    raise TemplateError(f"`{file}` has no `{key}`: it does not belong to a cloud assembly")


def _file(properties: Mapping[str, Any], key: str, name: str, manifest: Path) -> str:
    file = properties.get(key)
    if not isinstance(file, str):
        raise TemplateError(f"`{manifest}`: the artifact `{name}` has no `{key}`")
    return file
