"""List the templates in a cloud assembly that are in no manifest.

The CDK does not empty the directory, so the template of a renamed stack stays there. But each synthesis
rewrites the template of every stack (`Stack._synthesizeTemplate`, aws-cdk-lib 2.275.0). So a file as new as
the oldest of these belongs to the same synthesis: a custom synthesizer may have written it for another tool.
A copy of a directory can lose the times (`cp -r`): then the record of the gate shows which templates are left
over. Without that record, only a template that is clearly older than every stack is left over. Where the
manifest names no stack, its own times decide.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from secure_bucket.template.manifest import MANIFEST

if TYPE_CHECKING:
    from pathlib import Path

    from secure_bucket.template.manifest import CloudAssembly

__all__ = ["TEMPLATE_ENDINGS", "Leftovers", "unlisted_templates"]

TEMPLATE_ENDINGS = (".template.json", ".template.yaml", ".template.yml")
# `Stage.artifactId` of aws-cdk-lib 2.150 and 2.275 gives the directory of a Stage this prefix.
_STAGE = "assembly-"
# A plain copy gives every file a new time, in any order, and takes less than these ten seconds.
_COPY = 10 * 10**9


class Leftovers(Struct, frozen=True):
    """How to recognize templates that an earlier synthesis left in an assembly.

    Args:
        left: The absolute paths of those that were left over when a gate judged the assembly; `None` without
            a gate, when the file times decide.
        is_fresh: Whether this run synthesized the assembly, so no copy changed the times.
    """

    left: Collection[str] | None = None
    is_fresh: bool = False


def unlisted_templates(
    manifests: CloudAssembly, read: Collection[str], leftovers: Leftovers
) -> Iterator[tuple[Path, bool]]:
    """Yield the templates that are in no manifest, each with whether it belongs to this synthesis.

    Args:
        manifests: The content of the manifests.
        read: The absolute paths of the files that have been read.
        leftovers: How to recognize templates of an earlier synthesis.
    """
    stacks = [times for stack in manifests.stacks if any(times := _times(stack.template))]
    margin = 0 if leftovers.is_fresh and stacks else _COPY
    # INVARIANT: a stack of an unknown kind does not hide its template. The CDK writes the manifest last.
    anchors = stacks or [_times(directory / MANIFEST) for directory in manifests.directories]
    oldest = [min(times) - margin for times in zip(*anchors, strict=True)]
    listed = {os.path.realpath(each) for each in manifests.directories}
    pending = list(manifests.directories)
    for directory in pending:
        for path in sorted(directory.iterdir()) if directory.is_dir() else ():
            if path.name.endswith(TEMPLATE_ENDINGS):
                if os.path.abspath(path) not in read:
                    if leftovers.left is not None:
                        yield path, os.path.abspath(path) not in leftovers.left
                    else:
                        # Copies preserve the order of at most one of the two times.
                        yield path, any(map(operator.ge, _times(path), oldest))
            elif path.name.startswith(_STAGE) and path.is_dir() and os.path.realpath(path) not in listed:
                listed.add(os.path.realpath(path))
                pending.append(path)


def _times(file: Path) -> tuple[int, int]:
    """Return when a file was written, and when its inode changed, in nanoseconds; 0 without a file."""
    try:
        statuses = (os.stat(file), os.lstat(file))
    except OSError:
        return 0, 0
    return max(each.st_mtime_ns for each in statuses), max(each.st_ctime_ns for each in statuses)
