"""Find the template file of a resource in the assembly or the run."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field

from secure_bucket.errors import NotATemplateError, TemplateError
from secure_bucket.template.constructs import Constructs
from secure_bucket.template.load import Document, load_document, read_bytes
from secure_bucket.template.sources import end_of_url
from secure_bucket.template.stack import Resource, Stack
from secure_bucket.template.text import strings_of

if TYPE_CHECKING:
    from pathlib import Path

    from secure_bucket.template.manifest import CloudAssembly, FileAsset

__all__ = ["TemplateFiles"]

_ASSET_HASH = re.compile(r"[0-9a-f]{64}")


class TemplateFiles(Struct):
    """The files that may contain the template of a resource.

    Args:
        manifests: The content of the manifests; `None` outside an assembly.
        constructs: The constructs of the assembly, with their templates.
        siblings: The files of the run, by their last component; shared by all its templates.
        given: The same for the templates that have been read together.
        documents: The templates that have been read, by file.
    """

    manifests: CloudAssembly | None = None
    constructs: Constructs = field(default_factory=Constructs)
    siblings: Mapping[str, Sequence[str]] = field(default_factory=dict)
    given: dict[str, list[str]] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)

    def give(self, document: Document) -> None:
        """Add a template of the run that has been read."""
        self.given.setdefault(os.path.basename(document.name), []).append(document.name)
        self.documents[os.path.abspath(document.name)] = document

    def load(self, file: Path) -> Document:
        """Return a template that a resource deploys.

        Raises:
            TemplateError: If it cannot be read.
        """
        try:
            return self.documents.get(os.path.abspath(file)) or load_document(file)
        except NotATemplateError as error:
            # INVARIANT: the template that deploys it is a template, and must not be skipped for it.
            raise TemplateError(str(error)) from None

    def find(self, stack: Stack, resource: Resource, url: object) -> Path | None:
        """Return the file of a template URL; `None` if no file here is it."""
        from pathlib import Path  # Takes 3 ms; see `read_manifests`.

        here = Path(stack.document.name).parent
        end = end_of_url(url)
        named = self._named_by(url, end, here)
        own = self.constructs.files.get(self.constructs.scope_of(stack, resource) or "")
        claimed = own or _claimed_file(resource, here)
        if own in named:
            return own
        # INVARIANT: a URL that can mean two different files names neither of them.
        if len(named) > 1 and len({read_bytes(file) for file in named}) > 1:
            return None
        if named:
            # Another Stage may contain the same template with the same hash: ignore that one.
            if claimed is None or (claimed not in named and read_bytes(claimed) != read_bytes(named[0])):
                return named[0]
            return claimed
        has_hash = any(map(_ASSET_HASH.search, strings_of(url)))
        if claimed is not None and end.rpartition("/")[2] == claimed.name:
            return claimed
        # INVARIANT: a URL that was overridden leads elsewhere, although the construct wrote a file. One with
        # another hash than the file was overridden; a file that no manifest lists may have any hash.
        is_asset = own is not None and any(asset.file == own for asset in self._assets())
        if own is not None and (url is None or (has_hash and not is_asset)):
            return own
        if isinstance(url, str) and "://" not in url and (here / url).is_file():
            return here / url
        return self._sibling(stack, end)

    def _assets(self) -> Sequence[FileAsset]:
        return self.manifests.assets if self.manifests is not None else ()

    def _named_by(self, url: object, end: str, here: Path) -> list[Path]:
        """Return the files of the assembly that a URL can mean: by hash, end or name."""
        hashes = {each for text in strings_of(url) for each in _ASSET_HASH.findall(text)}
        found = dict.fromkeys(
            asset.file
            for asset in self._assets()
            if asset.key in hashes or any(end.endswith(f"/{key}") for key in (asset.key, *asset.object_keys))
        )
        if not found and "/" in end:
            name = end.rpartition("/")[2]
            found = dict.fromkeys(file for file in self.constructs.files.values() if file == here / name)
        return list(found)

    def _sibling(self, stack: Stack, end: str) -> Path | None:
        """Return the file of the run that the end of a URL names, if it is one file."""
        from pathlib import Path  # Takes 3 ms; see `read_manifests`.

        path = end.partition("://")[2] or end
        name = path.rpartition("/")[2]
        around = {os.path.abspath(each.document.name) for each in (stack, *stack.ancestors)}
        named = dict.fromkeys((*self.siblings.get(name, ()), *self.given.get(name, ())))
        files = [file for file in named if os.path.abspath(file) not in around]
        if len(files) > 1:
            lengths = [_common_end(path, file) for file in files]
            files = [file for file, length in zip(files, lengths, strict=True) if length == max(lengths)]
        if len(files) != 1:
            return None
        # An unreadable file is its own fault, and not available here.
        with contextlib.suppress(TemplateError):
            self.documents.setdefault(os.path.abspath(files[0]), load_document(files[0]))
            return Path(files[0])
        return None


def _claimed_file(resource: Resource, here: Path) -> Path | None:
    """Return the file in the metadata of a resource; a foreign template may name any file."""
    metadata = resource.body.get("Metadata")
    asset = metadata.get("aws:asset:path") if isinstance(metadata, Mapping) else None
    file = here / asset if isinstance(asset, str) else None
    return file if file is not None and file.is_file() else None


def _common_end(url: str, file: str) -> int:
    """Return how many components a URL and a file have in common at their ends."""
    pairs = zip(reversed(url.split("/")), reversed(os.path.abspath(file).split(os.sep)), strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
