"""Refuse the directory of a cloud assembly, so that the CDK CLI deploys nothing from it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping

from secure_bucket.errors import TemplateError
from secure_bucket.template.manifest import MANIFEST, read_manifest
from secure_bucket.template.write import write_atomically

__all__ = [
    "REFUSED",
    "forget_refusal",
    "is_refused",
    "leave_tree",
    "move_aside",
    "refuse",
    "stages_in",
]

_STAGE = "assembly-"
_TREE = "cdk:tree"
REFUSED = f"{MANIFEST}.refused"
"""The name of a refused manifest: without a manifest the CDK CLI does not deploy the directory."""


def refuse(directory: str) -> bool:
    """Move the manifests of an assembly and of its Stages aside, so that the CDK CLI refuses the directory.

    Returns:
        Whether there was a manifest.

    Raises:
        OSError: A manifest cannot be moved.
    """
    moved = [move_aside(each) for each in (directory, *stages_in(directory))]
    return any(moved)


def leave_tree(directory: str) -> None:
    """Leave a manifest without stacks in a refused directory.

    `cdk explore` and the language server of the CDK show the findings of `validation-report.json` only when
    the directory has a manifest (CDK CLI 2.1148.1). This one names the construct tree and no stack, so that
    the CLI finds nothing to deploy.

    Raises:
        OSError: The manifest cannot be written.
        TemplateError: If the refused manifest cannot be read.
    """
    shell = _without_stacks(read_manifest(os.path.join(directory, REFUSED)))
    write_atomically(os.path.join(directory, MANIFEST), json.dumps(shell))


def is_refused(directory: str) -> bool:
    """Tell whether `leave_tree` wrote the manifest of a directory."""
    try:
        refused = read_manifest(os.path.join(directory, REFUSED))
        return read_manifest(os.path.join(directory, MANIFEST)) == _without_stacks(refused)
    except TemplateError:
        return False


def _without_stacks(manifest: Mapping[str, object]) -> dict[str, object]:
    artifacts = manifest.get("artifacts")
    if not isinstance(artifacts, Mapping):
        artifacts = {}
    trees = {
        name: each
        for name, each in artifacts.items()
        if isinstance(each, Mapping) and each.get("type") == _TREE
    }
    return {"version": manifest.get("version"), "artifacts": trees}


def move_aside(directory: str) -> bool:
    """Rename the manifest of a directory, and return whether the directory had one.

    Raises:
        OSError: The manifest cannot be renamed.
    """
    try:
        os.replace(os.path.join(directory, MANIFEST), os.path.join(directory, REFUSED))
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def forget_refusal(directory: str) -> None:
    """Remove the files of an earlier refusal."""
    if is_refused(directory):
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(directory, MANIFEST))
    for each in (directory, *stages_in(directory)):
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(each, REFUSED))


def stages_in(directory: str) -> Iterator[str]:
    """Yield the directories of the Stages in an assembly, and of the Stages in those.

    They are found by the prefix that the CDK gives them (`Stage.artifactId`, aws-cdk-lib 2.150 and 2.275),
    because no manifest names those of an earlier run. The manifest of another tool in an asset is left alone.
    """
    try:
        with os.scandir(directory) as entries:
            found = sorted(each.path for each in entries if each.name.startswith(_STAGE) and each.is_dir())
    except OSError:
        return
    for each in found:
        yield each
        yield from stages_in(each)
