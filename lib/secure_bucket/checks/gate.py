"""Tell whether a run of a CDK app wrote a complete cloud assembly, and refuse one that fails."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from secure_bucket.checks.judged_files import forget_judged_files
from secure_bucket.checks.refusal import move_aside, refuse, stages_in
from secure_bucket.errors import SecureBucketError, TemplateError
from secure_bucket.findings.finding import Fault
from secure_bucket.policy.messages import name_some
from secure_bucket.template.load import read_bytes
from secure_bucket.template.manifest import MANIFEST, read_manifest
from secure_bucket.template.write import write_atomically
from secure_bucket.values.unknown import Place

__all__ = [
    "MANIFEST",
    "ManifestStamp",
    "forget_context",
    "missing_context",
    "refuse_run",
    "rewritten",
    "stamp_of",
    "times_in",
    "waits_for_context",
]

_LOOKED_UP = "secure-bucket-missing.json"


ManifestStamp: TypeAlias = "tuple[int, int, bytes]"
"""What changes when a manifest is written again: its time of modification, its inode, its SHA-256."""


def stamp_of(directory: str) -> ManifestStamp | None:
    """Return the stamp of the manifest of a directory; `None` without a manifest.

    Raises:
        TemplateError: If it cannot be read.
    """
    file = os.path.join(directory, MANIFEST)
    try:
        status = os.stat(file)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TemplateError(f"`{file}` cannot be read: {error.strerror or error}") from None
    return status.st_mtime_ns, status.st_ino, hashlib.sha256(read_bytes(file)).digest()


def times_in(directory: str) -> dict[str, tuple[int, int]]:
    """Return when each file of an assembly and of its Stages was written, and its inode, by absolute path."""
    found = {}
    for each in (directory, *stages_in(directory)):
        with contextlib.suppress(OSError), os.scandir(each) as entries:
            found.update({os.path.abspath(entry): _time_of(entry) for entry in entries})
    return found


def rewritten(files: Iterable[str | os.PathLike[str]], times: Mapping[str, tuple[int, int]]) -> list[str]:
    """Return the files that were written again, or removed, since `times_in`."""
    known = ((os.fspath(file), times.get(os.path.abspath(file))) for file in files)
    return sorted({file for file, before in known if before not in (None, _time_of(file))})


def _time_of(file: str | os.PathLike[str]) -> tuple[int, int]:
    try:
        status = os.stat(file)
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_ino


def _missing_keys(directory: str | os.PathLike[str]) -> list[str]:
    """Return the context keys that the CDK CLI must look up before the assembly is complete.

    Stages report theirs in the manifest of the App as well (`addMissing` of `CloudAssemblyBuilder`,
    aws-cdk-lib 2.275.0).

    Raises:
        TemplateError: If the manifest cannot be read.
    """
    file = os.path.join(directory, MANIFEST)
    missing = read_manifest(file).get("missing")
    entries = missing if isinstance(missing, list) else [] if missing is None else [None]
    keys = [each["key"] for each in entries if isinstance(each, Mapping) and isinstance(each.get("key"), str)]
    if len(keys) != len(entries):
        raise TemplateError(f"`{file}`: `missing` is not a list of entries with a `key`")
    return sorted(set(keys))


def missing_context(directory: str | os.PathLike[str]) -> tuple[Fault, ...]:
    """Return a fault if the app must run again with the context that it asks for.

    The CDK CLI runs the app again after each look-up, and then the app can build other buckets.

    Raises:
        TemplateError: If the manifest cannot be read.
    """
    keys = _missing_keys(directory)
    if not keys:
        return ()
    file = os.path.join(directory, MANIFEST)
    message = (
        f"the assembly is incomplete: the context {name_some(keys)} is missing; run `cdk synth` to look it up"
    )
    return (Fault(file, message, Place(file=file)),)


def waits_for_context(directory: str, *, called_by_cdk: bool) -> bool:
    """Tell whether the CDK CLI will run the app again after a context look-up.

    It does so while the set of missing keys changes, and then uses the assembly (`CloudExecutable` of the CDK
    CLI 2.1148.1). Until then the stacks, which nobody has judged, are hidden from it.

    Args:
        directory: The directory of the assembly.
        called_by_cdk: Whether the CDK CLI runs the app.

    Raises:
        SecureBucketError: The CLI will not run the app again, and the assembly is incomplete.
    """
    keys = _missing_keys(directory)
    memory = os.path.join(directory, _LOOKED_UP)
    if not keys:
        forget_context(directory)
        return False
    if not called_by_cdk:
        raise SecureBucketError(
            f"the context {name_some(keys)} is missing, which only the `cdk` command looks up"
        )
    try:
        with open(memory, "rb") as stream:
            previous = json.loads(stream.read())
    except FileNotFoundError:
        previous = None
    except (OSError, ValueError) as error:
        raise SecureBucketError(f"`{memory}` cannot be read: {error}; run the command again") from None
    if previous == keys:
        raise SecureBucketError(
            f"the context {name_some(keys)} is still missing after the last round, so the CDK CLI gives up: "
            "did the look-up fail? Run the command again to start over"
        )
    file = os.path.join(directory, MANIFEST)
    # INVARIANT: a CLI that gives up must not find these stacks. A look-up needs only `missing`, and the next
    # run writes the manifests again.
    hidden = json.dumps({**read_manifest(file), "artifacts": {}})
    try:
        write_atomically(memory, json.dumps(keys))
        for each in stages_in(directory):
            move_aside(each)
        write_atomically(file, hidden)
    except OSError as error:
        raise SecureBucketError(f"`{directory}` cannot be written: {error.strerror or error}") from None
    return True


def refuse_run(directory: str) -> bool:
    """Refuse the assembly of a run, and remove the notes of the gate.

    Returns:
        Whether there was a manifest.

    Raises:
        OSError: If a manifest cannot be moved.
    """
    forget_context(directory)
    with contextlib.suppress(OSError):
        forget_judged_files(directory)
    return refuse(directory)


def forget_context(directory: str) -> None:
    """Forget which context the last run waited for."""
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(directory, _LOOKED_UP))
