"""Tell whether a run of a CDK app wrote a cloud assembly that can be judged, and refuse one that fails."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from secure_bucket.errors import TemplateError

__all__ = [
    "MANIFEST",
    "REFUSED",
    "ManifestStamp",
    "forget_refusal",
    "missing_keys",
    "refuse",
    "stamp_of",
    "without_stacks",
]

MANIFEST = "manifest.json"
REFUSED = "manifest.json.refused"
"""The name of a refused manifest: without `manifest.json` the CDK CLI does not deploy the directory."""


class ManifestStamp(Struct, frozen=True):
    """Identify one writing of a manifest: a file that was written again has another stamp.

    Args:
        modified: When it was modified, in nanoseconds.
        inode: Its inode.
        digest: The SHA-256 of its content.
    """

    modified: int
    inode: int
    digest: bytes


def stamp_of(directory: str) -> ManifestStamp | None:
    """Return the stamp of the manifest of a directory; `None` when the directory has no manifest.

    Raises:
        TemplateError: If it cannot be read.
    """
    file = os.path.join(directory, MANIFEST)
    try:
        with open(file, "rb") as stream:
            status = os.fstat(stream.fileno())
            digest = hashlib.sha256(stream.read()).digest()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TemplateError(f"`{file}` cannot be read: {error.strerror or error}") from None
    return ManifestStamp(status.st_mtime_ns, status.st_ino, digest)


def missing_keys(directory: str) -> frozenset[str]:
    """Return the keys of the context that the CDK CLI has to look up before the assembly is complete.

    Stages report theirs in the manifest of the App as well (`addMissing` of `CloudAssemblyBuilder`,
    aws-cdk-lib 2.275.0).

    Raises:
        TemplateError: If the manifest cannot be read.
    """
    file = os.path.join(directory, MANIFEST)
    manifest = _read(file)
    missing = manifest.get("missing")
    if missing is None:
        return frozenset()
    keys = [each.get("key") if isinstance(each, Mapping) else None for each in _list(missing, file)]
    texts = frozenset(key for key in keys if isinstance(key, str))
    if not all(isinstance(key, str) for key in keys):
        raise TemplateError(f"`{file}`: an entry of `missing` has no `key`")
    return texts


def without_stacks(directory: str) -> str:
    """Return the manifest without its artifacts: enough for a look-up of context, too little to deploy.

    Raises:
        TemplateError: If the manifest cannot be read.
    """
    return json.dumps({**_read(os.path.join(directory, MANIFEST)), "artifacts": {}})


def _read(file: str) -> Mapping[str, Any]:
    try:
        with open(file, "rb") as stream:
            manifest = json.loads(stream.read())
    except OSError as error:
        raise TemplateError(f"`{file}` cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise TemplateError(f"`{file}` is not JSON: {error}; did the app end too early?") from None
    if not isinstance(manifest, Mapping):
        raise TemplateError(f"`{file}` is not an object: it does not belong to a cloud assembly")
    return manifest


def _list(value: object, file: str) -> list[object]:
    if not isinstance(value, list):
        raise TemplateError(f"`{file}`: `missing` is not a list")
    return value


def refuse(directory: str) -> bool:
    """Move the manifest aside, so that the CDK CLI refuses the directory; return whether one was there.

    Raises:
        OSError: If it cannot be moved.
    """
    try:
        os.replace(os.path.join(directory, MANIFEST), os.path.join(directory, REFUSED))
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def forget_refusal(directory: str) -> None:
    """Remove what an earlier refusal left."""
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(directory, REFUSED))
