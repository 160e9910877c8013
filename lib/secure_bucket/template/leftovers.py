"""List the templates that lie in a cloud assembly although its manifests do not lead to them.

The CDK does not empty the directory, so that the template of a stack that was renamed stays there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from secure_bucket.template.manifest import MANIFEST
from secure_bucket.template.resolve import Assembly

__all__ = ["leftover_templates"]

_ENDING = ".template.json"
# `Stage.artifactId` of aws-cdk-lib 2.150 and 2.275 gives the directory of a Stage this prefix.
_STAGE = "assembly-"


def leftover_templates(assembly: Assembly) -> Iterator[str]:
    """Yield the files and Stages that are in the directories of an assembly and that nothing deploys."""
    assert assembly.manifests is not None
    directories = [os.fspath(each) for each in assembly.manifests.directories]
    read = {os.path.abspath(stack.document.name) for stack in assembly.stacks}
    listed = {os.path.abspath(each) for each in directories}
    for directory in directories:
        try:
            names = sorted(os.listdir(directory))
        except OSError:
            continue
        for name in names:
            path = os.path.join(directory, name)
            if name.endswith(_ENDING):
                if os.path.abspath(path) not in read:
                    yield path
            elif (
                name.startswith(_STAGE)
                and os.path.abspath(path) not in listed
                and os.path.isfile(os.path.join(path, MANIFEST))
            ):
                yield path
