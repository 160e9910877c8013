"""Read the templates that are deployed together, and account for every resource that deploys one.

Each such resource ends in `Stack.found`: its templates are read, or the reason stands there why not.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field
from typing_extensions import assert_never

from secure_bucket.errors import NotATemplateError, TemplateError
from secure_bucket.template.intrinsics import FUNCTIONS
from secure_bucket.template.load import Document, is_template, load_document, parse_document, read_bytes
from secure_bucket.template.resolve import Acknowledged, Assembly, Resolver
from secure_bucket.template.resource_types import NESTED_STACK, kind_of
from secure_bucket.template.sources import Body, Elsewhere, Location, Source, end_of_url, sources_of
from secure_bucket.template.stack import Resource, Stack
from secure_bucket.template.text import strings_of
from secure_bucket.template.worlds import Fork, Infeasible, World
from secure_bucket.values.unknown import Place

if TYPE_CHECKING:
    from pathlib import Path

    from secure_bucket.template.manifest import CloudAssembly, StackArtifact

__all__ = ["MAX_STACKS", "read_assembly", "read_document", "read_templates"]

MAX_STACKS = 5_000
_MAX_LEVELS = 32

_NESTED_STACK_PATH = re.compile(r"(?P<scope>.*/(?P<id>[^/]+))\.NestedStack/(?P=id)\.NestedStackResource")
_ASSET_HASH = re.compile(r"[0-9a-f]{64}")
_ACKNOWLEDGED = "aws:cdk:acknowledged-rules"


def read_assembly(directory: str | os.PathLike[str]) -> Assembly:
    """Read every template of a cloud assembly (`cdk.out`).

    That is every stack, those of the nested assemblies (Stages), and the templates among the assets:
    nested stacks, stack sets, Service Catalog products.

    Raises:
        TemplateError: If a file that the assembly refers to is missing or cannot be read.
    """
    from secure_bucket.template.manifest import read_manifests  # A template alone has no manifest.

    manifests = read_manifests(directory)
    reader = _Reader(manifests)
    for artifact in manifests.stacks:
        reader.read_stack(artifact)
    reader.read_nested()
    reader.read_other_assets()
    return Assembly(reader.stacks, reader.acknowledged, manifests)


def read_document(document: Document) -> Assembly:
    """Read a template that is on its own, with those that are written inside of it.

    Raises:
        TemplateError: If one of those cannot be read.
    """
    reader = _Reader(is_alone=True)
    reader.add(Stack(document), document.name)
    reader.read_nested()
    return Assembly(reader.stacks)


def read_templates(
    templates: Iterable[str | os.PathLike[str] | Document],
    siblings: Mapping[str, Sequence[str]] | None = None,
) -> Assembly:
    """Read templates that are deployed together, such as the stacks of one application.

    A nested stack whose template is given too, or lies beside the one that nests it, is read with its parent.

    Args:
        templates: Their files, or what was read from them already.
        siblings: Further files that may hold the template of a nested stack, by their last component.

    Raises:
        TemplateError: If one of them cannot be read.
    """
    reader = _Reader()
    reader.siblings = {name: list(files) for name, files in (siblings or {}).items()}
    documents = [each if isinstance(each, Document) else load_document(each) for each in templates]
    for document in documents:
        files = reader.siblings.setdefault(os.path.basename(document.name), [])
        if document.name not in files:
            files.append(document.name)
        reader.documents[os.path.abspath(document.name)] = document
    for document in documents:
        name = os.path.basename(document.name).partition(".")[0]
        reader.add(Stack(document, name=name), document.name)
    reader.read_nested()
    return Assembly(reader.without_nested(documents))


class _Reader(Struct):
    manifests: CloudAssembly | None = None
    is_alone: bool = False
    stacks: list[Stack] = field(default_factory=list)
    siblings: dict[str, list[str]] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)
    # What was made in each construct that has a template of its own: construct paths by logical id.
    made: dict[str, dict[str, str]] = field(default_factory=dict)
    # The construct that has a template of its own, by its file; and the other way round.
    scopes: dict[str, str] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    nested: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    acknowledged: list[Acknowledged] = field(default_factory=list)
    searched: int = 0

    def add(self, stack: Stack, file: str | Path, scope: str | None = None) -> None:
        if len(self.stacks) >= MAX_STACKS:
            raise TemplateError(f"`{file}`: an assembly of more than {MAX_STACKS:,} stacks is not read")
        # INVARIANT: names are unique, because they tell the holes of different stacks apart.
        unique, number = stack.name, 2
        while unique in self.names:
            unique, number = f"{stack.name}-{number}", number + 1
        stack.name = unique
        self.names.add(unique)
        file = os.path.abspath(file)
        if self.manifests is not None:
            stack.own_path = self.scopes.get(file, "") if scope is None else scope
            stack.construct_paths = self.made.get(stack.own_path, {})
        self.seen.add(file)
        self.stacks.append(stack)

    def read_stack(self, artifact: StackArtifact) -> None:
        """Read a stack of a cloud assembly, and note which construct made what."""
        scopes: dict[str, Path | None] = {artifact.path: None}
        made: list[tuple[str, str]] = []
        for path, kind, data in artifact.entries():
            if kind == "aws:cdk:templateFile" and isinstance(data, str):
                scopes[path] = artifact.template.parent / data
            elif kind == "aws:cdk:logicalId" and isinstance(data, str):
                made.append((path, data))
            elif kind == _ACKNOWLEDGED and isinstance(data, Mapping):
                at = Place(file=str(artifact.metadata_file))
                for id, why in data.items():
                    self.acknowledged.append(Acknowledged(str(id), path, str(why or ""), at))
        if len(scopes) == 1:
            # The CDK before 2.274 does not tell the files of these templates, but names them so.
            scopes |= _named_after_constructs(artifact, [path for path, _ in made])
        scopes[artifact.path] = artifact.template
        for scope, file in scopes.items():
            if file is not None:
                self.scopes[os.path.abspath(file)] = scope
                self.files[scope] = file
        for path, logical_id in made:
            known = self.made.setdefault(_owner(path, scopes) or artifact.path, {})
            # Of two that claim to be the same resource, one is in a template that nothing tells of.
            known[logical_id] = path if known.get(logical_id, path) == path else ""
        stack = Stack(
            load_document(artifact.template),
            name=artifact.path,
            stack_name=artifact.stack_name,
            region=artifact.region,
            account=artifact.account,
            stage=artifact.stage,
        )
        if not made:
            self.made[artifact.path] = _written_paths(stack, artifact.path)
        self.add(stack, artifact.template, artifact.path)

    def read_nested(self) -> None:
        """Read the templates that the resources of the stacks deploy, and those that these deploy."""
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
            # A provisioned product is made of a product, so that it comes last.
            resources = [resource for resource in stack.resources.values() if kind_of(resource.type)]
            for resource in sorted(resources, key=lambda each: kind_of(each.type) == "provisioned product"):
                self._read_templates_of(stack, resource)

    def _read_templates_of(self, stack: Stack, resource: Resource) -> None:
        products = [logical_id for logical_id, why in stack.found.items() if not why]
        sources = sources_of(resource, products)
        unread = [
            why for source in sources if (why := self._read_source(stack, resource, source, len(sources) > 1))
        ]
        stack.found[resource.logical_id] = unread[0] if unread else ""

    def _read_source(self, stack: Stack, resource: Resource, source: Source, is_one_of_several: bool) -> str:
        """Read a template that a resource deploys; return why it cannot be read, or `""`."""
        match source:
            case Elsewhere(why):
                return why
            case Body(text):
                return self._read_body(stack, resource, text)
            case Location(url):
                file = None if self.is_alone else self._file_at(stack, resource, url)
                if file is None:
                    if url is None:
                        return "its properties do not name it"
                    named = f" (`{url}`)" if isinstance(url, str) and len(url) < 200 else ""
                    return f"nothing here holds the template at its URL{named}"
                if resource.type == NESTED_STACK:
                    self._add_nested(stack, resource, file, is_one_of_several)
                else:
                    self._read_separate(file, f"{stack.name}/{resource.logical_id}")
                return ""
            case _:
                assert_never(source)

    def _add_nested(self, stack: Stack, resource: Resource, file: Path, is_one_of_several: bool) -> None:
        name = f"{stack.name}/{resource.logical_id}"
        if resource.logical_id in stack.nested:
            # One of several, as a condition chooses: all have to be judged, the others by themselves.
            self._read_separate(file, name)
            return
        nested = Stack(
            self._load(file),
            name=name,
            region=stack.region,
            account=stack.account,
            stage=stack.stage,
            parent=stack,
            parent_id=resource.logical_id,
            is_optional=is_one_of_several,
        )
        stack.nested[resource.logical_id] = nested
        self.nested.add(os.path.abspath(file))
        self.add(nested, file, self._scope_of(stack, resource))

    def _scope_of(self, stack: Stack, resource: Resource) -> str | None:
        """Return the construct whose template a resource deploys, where its path tells."""
        nested = _NESTED_STACK_PATH.fullmatch(stack.construct_path(resource))
        return nested["scope"] if nested is not None and nested["scope"] in self.made else None

    def _file_at(self, stack: Stack, resource: Resource, url: object) -> Path | None:
        from pathlib import Path

        here = Path(stack.document.name).parent
        texts = " ".join(strings_of(url))
        hashes = set(_ASSET_HASH.findall(texts))
        end = end_of_url(url)
        assets = self.manifests.assets if self.manifests is not None else {}
        files = {assets[key].file for key in hashes if key in assets}
        # INVARIANT: a URL with the hashes of two files names neither of them.
        named = files.pop() if len(files) == 1 else None
        if named is None and "/" in end:
            named = self._named_by(end, here)
        own = self._own_file(stack, resource, here)
        if own is not None and hashes and any(each.file == own for each in assets.values()) and named is None:
            # The file is uploaded under another hash than the one in the URL.
            own = None
        if own is not None and (
            # Another Stage may hold the same template, under the same hash: that one is not meant.
            read_bytes(own) == read_bytes(named)
            if named is not None
            # INVARIANT: a URL that was overridden leads elsewhere, whatever the construct has written.
            else url is None or bool(hashes) or end.rpartition("/")[2] == own.name
        ):
            return own
        if named is not None:
            return named
        if isinstance(url, str) and "://" not in url and (here / url).is_file():
            return here / url
        return self._sibling(stack, end)

    def _named_by(self, end: str, here: Path) -> Path | None:
        """Return the file of the assembly that the end of a URL names by its key or its name."""
        assets = self.manifests.assets.values() if self.manifests is not None else ()
        for asset in assets:
            if any(end.endswith(f"/{key}") for key in (asset.key, *asset.object_keys)):
                return asset.file
        name = end.rpartition("/")[2]
        return next((file for file in self.files.values() if file == here / name), None)

    def _own_file(self, stack: Stack, resource: Resource, here: Path) -> Path | None:
        """Return the file that the construct of a resource wrote for it."""
        metadata = resource.body.get("Metadata")
        asset = metadata.get("aws:asset:path") if isinstance(metadata, Mapping) else None
        if self.manifests is not None and isinstance(asset, str):
            return here / asset
        return self.files.get(self._scope_of(stack, resource) or "")

    def _sibling(self, stack: Stack, end: str) -> Path | None:
        """Return the file of the run that the end of a URL names, if it is one file."""
        from pathlib import Path

        path = end.partition("://")[2] or end
        files = self.siblings.get(path.rpartition("/")[2], [])
        around = {os.path.abspath(each.document.name) for each in (stack, *stack.ancestors)}
        files = [file for file in files if os.path.abspath(file) not in around]
        if len(files) > 1:
            lengths = [_common_end(path, file) for file in files]
            files = [file for file, length in zip(files, lengths, strict=True) if length == max(lengths)]
        if len(files) != 1:
            return None
        # What cannot be read is a fault of that file, and not at hand here.
        with contextlib.suppress(TemplateError):
            self.documents.setdefault(os.path.abspath(files[0]), load_document(files[0]))
            return Path(files[0])
        return None

    def _read_body(self, stack: Stack, resource: Resource, written: object) -> str:
        path = (resource.properties_path, "TemplateBody")
        try:
            text = Resolver(Assembly([stack]), World(), FUNCTIONS).resolve(stack, written, path)
        except (Fork, Infeasible):
            return "its text depends on parameters or conditions"
        if not isinstance(text, (str, Mapping)):
            return "its text depends on what is only known at deployment"
        where = f"{stack.document.name}: TemplateBody of {resource.logical_id}"
        try:
            parsed = parse_document(text, where)
        except NotATemplateError as error:
            # INVARIANT: the template around it is one, and must not be passed over for it.
            raise TemplateError(str(error)) from None
        # Lines inside of a text are no lines of a file.
        document = Document(where, parsed.root, parsed.text)
        self.add(Stack(document, name=f"{stack.name}/{resource.logical_id}", is_optional=True), where)
        return ""

    def read_other_assets(self) -> None:
        """Read the templates that no resource leads to: among the assets, and those of other constructs."""
        assert self.manifests is not None
        for asset in list(self.manifests.assets.values()):
            if asset.file.name.endswith((".template.json", ".template.yaml", ".template.yml")):
                self._read_separate(asset.file, asset.file.name.partition(".")[0])
        for scope, file in self.files.items():
            self._read_separate(file, scope)
        self.read_nested()

    def _read_separate(self, file: Path, name: str) -> None:
        """Read a template that is deployed on its own, or perhaps not at all."""
        if os.path.abspath(file) not in self.seen:
            document = self._load(file)
            if is_template(document.root):
                self.add(Stack(document, name=name, is_optional=True), file)

    def _load(self, file: Path) -> Document:
        try:
            return self.documents.get(os.path.abspath(file)) or load_document(file)
        except NotATemplateError as error:
            # INVARIANT: the template that deploys it is one, and must not be passed over for it.
            raise TemplateError(str(error)) from None

    def without_nested(self, documents: Iterable[Document]) -> list[Stack]:
        """Return the stacks without those that stand by themselves and are nested in another as well."""
        given = {id(document) for document in documents}
        return [
            stack
            for stack in self.stacks
            if stack.parent is not None
            or id(stack.document) not in given
            or os.path.abspath(stack.document.name) not in self.nested
        ]


def _owner(path: str, scopes: Mapping[str, object]) -> str:
    """Return the nearest path at or above a construct that has a template; `""` when there is none."""
    while path and path not in scopes:
        path = path.rpartition("/")[0]
    return path


def _named_after_constructs(
    artifact: StackArtifact, paths: Iterable[str]
) -> Iterator[tuple[str, Path | None]]:
    """Yield the constructs of a stack that have a template of their own, and its file.

    The CDK calls it by the unique id of the construct, as in `<id>.nested.template.json` (`NestedStack` and
    `ProductStack` of aws-cdk-lib 2.275.0). A file that an earlier synthesis left has the id of a construct
    that the app no longer has.
    """
    here = artifact.template.parent
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
    digest = hashlib.md5("/".join(components).encode(), usedforsecurity=False).hexdigest()
    return "".join(plain)[:240] + digest[:8].upper()


def _written_paths(stack: Stack, scope: str) -> dict[str, str]:
    """Return the construct paths that a template holds itself, where its manifest tells of no construct."""
    paths: dict[str, str] = {}
    for logical_id, resource in stack.resources.items():
        metadata = resource.body.get("Metadata")
        path = metadata.get("aws:cdk:path") if isinstance(metadata, Mapping) else None
        if isinstance(path, str) and path.startswith(f"{scope}/"):
            paths[logical_id] = path
    return paths


def _common_end(url: str, file: str) -> int:
    """Return how many components a URL and a file have in common at their ends."""
    pairs = zip(reversed(url.split("/")), reversed(os.path.abspath(file).split(os.sep)), strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
