"""Read the manifests of a CDK cloud assembly: its stacks with their metadata, and its file assets.

https://github.com/aws/aws-cdk-cli/tree/main/packages/%40aws-cdk/cloud-assembly-schema
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from secure_bucket.errors import TemplateError
from secure_bucket.template.load import read_bytes
from secure_bucket.template.scan import read_strict_json
from secure_bucket.values.unknown import Place

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "MANIFEST",
    "VALIDATION_REPORT",
    "Acknowledged",
    "CloudAssembly",
    "FileAsset",
    "StackArtifact",
    "read_manifest",
    "read_manifests",
]

MANIFEST = "manifest.json"
VALIDATION_REPORT = "validation-report.json"
"""The file in a cloud assembly with the findings of all plugins: `VALIDATION_REPORT_FILE` of aws-cdk-lib."""

_MAX_LEVELS = 32
_ENVIRONMENT = re.compile(r"aws://([^/]*)/(.*)")


class Acknowledged(Struct, frozen=True):
    """An acknowledgment on a construct, as the AWS CDK writes it to an assembly.

    Args:
        id: The id of the rule, with the name of its plugin before it: `secure-bucket::SB001`.
        path: The path of the construct; the acknowledgment also covers the constructs inside.
        reason: The reason, in the words of the user.
        at: The place in the assembly.
        is_recorded: Whether it is in the record of the gate.
    """

    id: str
    path: str
    reason: str
    at: Place
    is_recorded: bool = False


class StackArtifact(Struct, frozen=True):
    """A stack as a manifest lists it.

    Args:
        path: Its construct path.
        template: The file of its template.
        stage: The directory of its Stage; `""` outside a Stage.
        stack_name: The name of the deployed stack.
        region: Its Region; `""` if the app leaves that open.
        account: Its account; `""` if the app leaves that open.
        metadata: The metadata of its constructs, by `"/" + path`.
        metadata_file: The file of the metadata.
        entries: The metadata in a list: the construct path, the type of the entry and its data.
    """

    path: str
    template: Path
    stage: str
    stack_name: str
    region: str
    account: str
    metadata: Mapping[str, Any]
    metadata_file: Path
    entries: Sequence[tuple[str, str, Any]]


class FileAsset(Struct, frozen=True):
    """A file that is uploaded before the deployment.

    Args:
        key: Its key in the asset manifest: a hash, if the CDK itself wrote it.
        file: The file.
        object_keys: The object keys of the upload.
    """

    key: str
    file: Path
    object_keys: tuple[str, ...] = ()


class CloudAssembly(Struct):
    """The content of the manifests of an assembly.

    Args:
        directory: The directory, as the caller named it.
        stacks: The stacks, including those of Stages.
        assets: The file assets. Two may have one key, in the asset manifests of different stacks.
        directories: The directory of the assembly and those of its Stages.
        files: Every file that was read: manifests, asset manifests and metadata.
    """

    directory: str
    stacks: list[StackArtifact] = field(default_factory=list)
    assets: list[FileAsset] = field(default_factory=list)
    directories: list[Path] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)

    def stack_of(self, path: str) -> StackArtifact | None:
        """Return the top-level stack of a construct."""
        for stack in self.stacks:
            if path == stack.path or path.startswith(f"{stack.path}/"):
                return stack
        return None


def read_manifests(directory: str | os.PathLike[str]) -> CloudAssembly:
    """Read the manifest of an assembly, those of its Stages, and the files that they name.

    Raises:
        TemplateError: A file is missing or cannot be read.
    """
    from pathlib import Path  # Loads in 3 ms; a single template does not need it.

    assembly = CloudAssembly(os.fspath(directory))
    _read_directory(assembly, Path(directory), "", 0)
    return assembly


def read_manifest(file: str | os.PathLike[str]) -> Mapping[str, Any]:
    """Return the content of a manifest, or of another JSON file of an assembly.

    Raises:
        TemplateError: It is missing, is not JSON or is not an object.
    """
    if not os.path.exists(file):
        raise TemplateError(f"`{file}` is missing: give the directory of a cloud assembly, such as `cdk.out`")
    try:
        # INVARIANT: of two artifacts with one name, it is unknown which one is deployed.
        content = read_strict_json(read_bytes(file).decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise TemplateError(f"`{file}` is not JSON: {error}; did the app end too early?") from None
    if not isinstance(content, Mapping):
        raise TemplateError(f"`{file}` is not an object: it does not belong to a cloud assembly")
    return content


def _read_directory(assembly: CloudAssembly, directory: Path, stage: str, level: int) -> None:
    if level > _MAX_LEVELS:
        raise TemplateError(f"`{directory}`: cloud assemblies are nested deeper than {_MAX_LEVELS} levels")
    assembly.directories.append(directory)
    file = directory / MANIFEST
    manifest = read_manifest(file)
    assembly.files.append(file)
    for name, artifact in _mapping(manifest, "artifacts", file).items():
        kind = artifact.get("type") if isinstance(artifact, Mapping) else None
        if not isinstance(artifact, Mapping) or kind is None:
            raise TemplateError(f"`{file}`: the artifact `{name}` has no type")
        properties = artifact.get("properties")
        properties = properties if isinstance(properties, Mapping) else {}
        # INVARIANT: an artifact with a template is a stack, even if a later schema adds its type.
        if kind == "aws:cloudformation:stack" or "templateFile" in properties:
            stack = _stack(directory, name, artifact, properties, stage)
            assembly.stacks.append(stack)
            if stack.metadata_file != file:
                assembly.files.append(stack.metadata_file)
            assembly.assets += _legacy_assets(directory, stack)
        elif kind == "cdk:cloud-assembly" or "directoryName" in properties:
            inner = _joined(directory, _file(properties, "directoryName", name, file))
            _read_directory(assembly, inner, str(inner), level + 1)
        elif kind == "cdk:asset-manifest":
            listing = directory / _file(properties, "file", name, file)
            assembly.files.append(listing)
            assembly.assets += _assets(listing)


def _joined(directory: Path, name: str) -> Path:
    """Join as the CDK CLI does, with `path.join` of Node: an absolute name stays below the directory."""
    # `templateFullPath` and `fullPath` of the CDK CLI 2.1148.1; `..` after a link leads out of the link.
    return type(directory)(os.path.normpath(f"{directory}{os.sep}{name}"))


def _stack(
    directory: Path, name: str, artifact: Mapping[str, Any], properties: Mapping[str, Any], stage: str
) -> StackArtifact:
    file = directory / MANIFEST
    environment = _ENVIRONMENT.fullmatch(str(artifact.get("environment", "")))
    account, region = environment.groups() if environment else ("", "")
    stack_name = properties.get("stackName")
    metadata: dict[str, Any] = {}
    metadata_file = file
    further = artifact.get("additionalMetadataFile")
    if further is not None and not (isinstance(further, str) and further == os.path.basename(further)):
        where = "a file in the same directory"
        raise TemplateError(f"`{file}`: `additionalMetadataFile` of the artifact `{name}` is not {where}")
    for content in (artifact.get("metadata"), read_manifest(directory / further) if further else None):
        for path, entries in content.items() if isinstance(content, Mapping) else ():
            known = metadata.get(path)
            if isinstance(known, list) and isinstance(entries, list):
                entries = [*known, *entries]
            metadata[path] = entries
    if further:
        metadata_file = directory / further
    return StackArtifact(
        str(artifact.get("displayName") or name),
        _joined(directory, _file(properties, "templateFile", name, file)),
        stage,
        stack_name if isinstance(stack_name, str) else name,
        "" if region.startswith("unknown") else region,
        "" if account.startswith("unknown") else account,
        metadata,
        metadata_file,
        [
            (str(path).strip("/"), str(entry.get("type")), entry.get("data"))
            for path, entries in metadata.items()
            for entry in (entries if isinstance(entries, list) else ())
            if isinstance(entry, dict)
        ],
    )


def _assets(file: Path) -> Iterator[FileAsset]:
    for key, asset in _mapping(read_manifest(file), "files", file, required=False).items():
        source = asset.get("source") if isinstance(asset, Mapping) else None
        path = source.get("path") if isinstance(source, Mapping) else None
        destinations = asset.get("destinations") if isinstance(asset, Mapping) else None
        if isinstance(path, str):
            object_keys = (
                destination.get("objectKey")
                for destination in (destinations.values() if isinstance(destinations, Mapping) else ())
                if isinstance(destination, Mapping)
            )
            yield FileAsset(
                str(key), file.parent / path, tuple(each for each in object_keys if isinstance(each, str))
            )


def _legacy_assets(directory: Path, stack: StackArtifact) -> Iterator[FileAsset]:
    """Yield the file assets of a stack whose synthesizer writes no asset manifest.

    `LegacyStackSynthesizer` writes them as metadata of the stack: `FileAssetMetadataEntry` of the cloud
    assembly schema, read 2026-11.
    """
    for _, kind, data in stack.entries:
        if kind == "aws:cdk:asset" and isinstance(data, Mapping):
            key, path = data.get("sourceHash"), data.get("path")
            if isinstance(key, str) and isinstance(path, str):
                yield FileAsset(key, directory / path)


def _mapping(value: Mapping[str, Any], key: str, file: Path, *, required: bool = True) -> Mapping[str, Any]:
    inner = value.get(key)
    if isinstance(inner, Mapping):
        return inner
    if not required:
        return {}
    raise TemplateError(f"`{file}` has no `{key}`: it does not belong to a cloud assembly")


def _file(properties: Mapping[str, Any], key: str, name: str, manifest: Path) -> str:
    file = properties.get(key)
    if not isinstance(file, str):
        raise TemplateError(f"`{manifest}`: the artifact `{name}` has no `{key}`")
    return file
