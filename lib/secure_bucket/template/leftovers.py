"""List the templates that lie in a cloud assembly although its manifests do not lead to them.

The CDK does not empty the directory, so that the template of a stack that was renamed stays there. But each
synthesis writes the template of every stack anew (`Stack._synthesizeTemplate`, aws-cdk-lib 2.275.0). So a
file that is as new as the oldest of these belongs to the same synthesis: a synthesizer of a company's own may
have written it for a tool that deploys it. Times do not survive each copy of a directory (`cp -r`): the
record of the gate tells these templates apart without them, and without that record only a template that is
clearly older than every stack was left over.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

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
    """What tells which templates an earlier synthesis left in an assembly.

    Args:
        left: The absolute paths of those that were left over when a gate judged the assembly; `None` if no
            gate did, and the times of the files have to tell.
        is_fresh: Whether this run synthesized the assembly, so that no copy has changed the times.
    """

    left: Collection[str] | None = None
    is_fresh: bool = False


def unlisted_templates(
    manifests: CloudAssembly, read: Collection[str], leftovers: Leftovers
) -> Iterator[tuple[Path, bool]]:
    """Yield the templates that no manifest leads to, each with whether it counts as one of this synthesis.

    Args:
        manifests: What the manifests list.
        read: The absolute paths of the files that have been read.
        leftovers: What tells those of an earlier synthesis.
    """
    stacks = [times for stack in manifests.stacks if any(times := _times(stack.template))]
    margin = 0 if leftovers.is_fresh else _COPY
    oldest = [min(times) - margin for times in zip(*stacks, strict=True)]
    listed = {os.path.realpath(each) for each in manifests.directories}
    pending = list(manifests.directories)
    for directory in pending:
        for path in sorted(directory.iterdir()) if directory.is_dir() else ():
            if path.name.endswith(TEMPLATE_ENDINGS):
                if os.path.abspath(path) not in read:
                    if leftovers.left is not None:
                        yield path, os.path.abspath(path) not in leftovers.left
                    else:
                        # Copies keep the order of one of the two at most.
                        yield path, any(map(operator.ge, _times(path), oldest))
            elif path.name.startswith(_STAGE) and path.is_dir() and os.path.realpath(path) not in listed:
                listed.add(os.path.realpath(path))
                pending.append(path)


def _times(file: Path) -> tuple[int, int]:
    """Return when a file was written, and when it was put there, in nanoseconds; 0 without a file."""
    try:
        statuses = (os.stat(file), os.lstat(file))
    except OSError:
        return 0, 0
    return max(each.st_mtime_ns for each in statuses), max(each.st_ctime_ns for each in statuses)
