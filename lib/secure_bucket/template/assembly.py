"""Read the templates that are deployed together, and account for every resource that deploys one.

`Stack.found` lists each such resource: its templates are read, or it has the reason why not.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from secure_bucket.errors import NotATemplateError, TemplateError, TemplateErrors
from secure_bucket.template.constructs import acknowledged_in, paths_in_body
from secure_bucket.template.deployed_files import TemplateFiles
from secure_bucket.template.intrinsics import FUNCTIONS
from secure_bucket.template.leftovers import TEMPLATE_ENDINGS, Leftovers, unlisted_templates
from secure_bucket.template.load import Document, is_template, load_document, parse_document, position_in
from secure_bucket.template.manifest import read_manifests
from secure_bucket.template.resolve import Assembly, Resolver
from secure_bucket.template.resource_types import NESTED_STACK, kind_of
from secure_bucket.template.sources import Body, Elsewhere, Source, TemplateUrl, sources_of
from secure_bucket.template.stack import Resource, Stack, pointer_of
from secure_bucket.template.worlds import Fork, Infeasible, World
from secure_bucket.values.never import assert_never

if TYPE_CHECKING:
    from pathlib import Path

    from secure_bucket.template.manifest import StackArtifact

__all__ = ["MAX_STACKS", "read_assembly", "read_document", "read_templates"]

MAX_STACKS = 5_000
_MAX_LEVELS = 32


def read_assembly(directory: str | os.PathLike[str], leftovers: Leftovers | None = None) -> Assembly:
    """Read every template of a cloud assembly (`cdk.out`).

    That includes every stack, nested assemblies (Stages), templates among the assets (nested stacks, stack
    sets, Service Catalog products), and other templates of the same synthesis.

    Raises:
        TemplateError: A file that the assembly refers to is missing or cannot be read.
    """
    manifests = read_manifests(directory)
    reader = _Reader(TemplateFiles(manifests))
    for artifact in manifests.stacks:
        reader.read_stack(artifact)
    reader.read_nested()
    reader.read_other_assets()
    unlisted = reader.read_unlisted(leftovers or Leftovers())
    acknowledged = [each for artifact in manifests.stacks for each in acknowledged_in(artifact)]
    return Assembly(reader.finish(), acknowledged, manifests, unlisted)


def read_document(document: Document) -> Assembly:
    """Read a single template, with the templates inside it.

    Raises:
        TemplateError: A template inside it cannot be read.
    """
    reader = _Reader(is_alone=True)
    reader.add(Stack(document), document.name)
    reader.read_nested()
    return Assembly(reader.finish())


def read_templates(
    templates: Iterable[str | os.PathLike[str] | Document],
    siblings: Mapping[str, Sequence[str]] | None = None,
) -> Assembly:
    """Read templates that are deployed together, such as the stacks of one app.

    A nested stack whose template is given, or is beside its parent, is read with the parent.

    Args:
        templates: Their files, or documents that were read already.
        siblings: More files that may contain the template of a nested stack, by their last component.

    Raises:
        TemplateError: A template cannot be read.
    """
    files = TemplateFiles(siblings=siblings or {})
    reader = _Reader(files)
    documents = [each if isinstance(each, Document) else load_document(each) for each in templates]
    for document in documents:
        files.give(document)
    for document in documents:
        name = os.path.basename(document.name).partition(".")[0]
        reader.add(Stack(document, name=name), document.name)
    reader.read_nested()
    reader.finish()
    return Assembly(reader.without_nested(documents))


class _Reader(Struct):
    files: TemplateFiles = field(default_factory=TemplateFiles)
    is_alone: bool = False
    stacks: list[Stack] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    nested: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    errors: list[TemplateError] = field(default_factory=list)
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
        if self.files.manifests is not None:
            self.files.constructs.place(stack, file, scope)
        self.seen.add(file)
        self.stacks.append(stack)

    def read_stack(self, artifact: StackArtifact) -> None:
        """Read a stack of a cloud assembly, and note its constructs."""
        is_told = self.files.constructs.note(artifact)
        try:
            document = self.files.load(artifact.template)
        except TemplateError as error:
            self._note(error, artifact.template)
            return
        stack = Stack(
            document,
            name=artifact.path,
            stack_name=artifact.stack_name,
            region=artifact.region,
            account=artifact.account,
            stage=artifact.stage,
        )
        if not is_told:
            self.files.constructs.note_written(stack, artifact.path)
        self.add(stack, artifact.template, artifact.path)

    def _note(self, error: TemplateError, file: Path, more: str = "") -> None:
        """Note an unreadable file, once."""
        name = os.fspath(file)
        if all(each.file != name for each in self.errors):
            self.errors.append(TemplateError(f"{error}{more}", name, *position_in(str(error))))

    def finish(self) -> list[Stack]:
        """Return the stacks.

        Raises:
            TemplateError: A template cannot be read; the error lists all of them.
        """
        if self.errors:
            raise self.errors[0] if len(self.errors) == 1 else TemplateErrors(self.errors)
        return self.stacks

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
            # A provisioned product needs its product, so it comes last.
            resources = [resource for resource in stack.resources.values() if kind_of(resource.type)]
            for resource in sorted(resources, key=lambda each: kind_of(each.type) == "provisioned product"):
                self._read_templates_of(stack, resource)

    def _read_templates_of(self, stack: Stack, resource: Resource) -> None:
        products = [logical_id for logical_id, why in stack.found.items() if not why]
        sources = sources_of(resource, products)
        reasons = [self._read_source(stack, resource, source, len(sources) > 1) for source in sources]
        stack.found[resource.logical_id] = next(filter(None, reasons), "")

    def _read_source(self, stack: Stack, resource: Resource, source: Source, is_one_of_several: bool) -> str:
        """Read a template that a resource deploys; return why it cannot be read, or `""`."""
        match source:
            case Elsewhere(why):
                return why
            case Body(text):
                return self._read_body(stack, resource, text)
            case TemplateUrl(url):
                file = None if self.is_alone else self.files.find(stack, resource, url)
                if file is None:
                    if url is None:
                        return "its properties do not name it"
                    named = f" (`{url}`)" if isinstance(url, str) and len(url) < 200 else ""
                    return f"nothing here holds the template at its URL{named}"
                try:
                    if resource.type == NESTED_STACK:
                        self._add_nested(stack, resource, file, is_one_of_several)
                    else:
                        self._read_separate(file, f"{stack.name}/{resource.logical_id}")
                except TemplateError as error:
                    self._note(error, file, f"; `{resource.logical_id}` deploys it")
                return ""
            case _:
                assert_never(source)

    def _add_nested(self, stack: Stack, resource: Resource, file: Path, is_one_of_several: bool) -> None:
        name = f"{stack.name}/{resource.logical_id}"
        if resource.logical_id in stack.nested:
            # A condition chooses one of several: judge all, the others by themselves.
            self._read_separate(file, name)
            return
        nested = Stack(
            self.files.load(file),
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
        self.add(nested, file, self.files.constructs.scope_of(stack, resource))

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
        except TemplateError as error:
            # INVARIANT: the template around it is a template, and must not be skipped for it.
            at = stack.document.place(pointer_of(path))
            self.errors.append(TemplateError(str(error), at.file, at.line, at.column))
            return ""
        # A line inside a text is not a line of the file.
        body = Stack(replace(parsed, name=where, places=None), name=f"{stack.name}/{resource.logical_id}")
        body.is_optional, body.construct_paths = True, paths_in_body(stack)
        self.add(body, where)
        return ""

    def read_other_assets(self) -> None:
        """Read the templates that no resource deploys: among the assets, and those of other constructs."""
        assert self.files.manifests is not None
        others = [
            (asset.file, asset.file.name.partition(".")[0])
            for asset in self.files.manifests.assets
            if asset.file.name.endswith(TEMPLATE_ENDINGS)
        ]
        others += [(file, scope) for scope, file in self.files.constructs.files.items()]
        for file, name in others:
            try:
                self._read_separate(file, name)
            except TemplateError as error:
                self._note(error, file)
        self.read_nested()

    def read_unlisted(self, leftovers: Leftovers) -> list[tuple[str, bool]]:
        """Read the new templates that are in no manifest, and return all, each with whether it is read."""
        assert self.files.manifests is not None
        unlisted = list(unlisted_templates(self.files.manifests, self.seen, leftovers))
        for file in (file for file, is_new in unlisted if is_new):
            try:
                self.add(Stack(load_document(file), name=file.name, is_optional=True), file)
            except NotATemplateError:
                continue
            except TemplateError as error:
                self._note(error, file)
        self.read_nested()
        known = ((file, is_new, os.path.abspath(file) in self.seen) for file, is_new in unlisted)
        return [(os.fspath(file), is_read) for file, is_new, is_read in known if is_new or not is_read]

    def _read_separate(self, file: Path, name: str) -> None:
        """Read a template that is deployed on its own, or perhaps not at all."""
        if os.path.abspath(file) not in self.seen:
            document = self.files.load(file)
            if is_template(document.root):
                self.add(Stack(document, name=name, is_optional=True), file)

    def without_nested(self, documents: Iterable[Document]) -> list[Stack]:
        """Return the stacks without separate copies of nested stacks."""
        given = {id(document) for document in documents}
        return [
            stack
            for stack in self.stacks
            if stack.parent is not None
            or id(stack.document) not in given
            or os.path.abspath(stack.document.name) not in self.nested
        ]
