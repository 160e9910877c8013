"""Detect that a cloud assembly was changed after the gate judged it.

The gate writes the SHA-256 of every file that it judged into the assembly. This is not a signature: somebody
who changes the templates on purpose can also rewrite that file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Collection, Iterable
from typing import Final

import msgspec
from msgspec import Struct

from secure_bucket.errors import TemplateError
from secure_bucket.findings.finding import Fault
from secure_bucket.template.load import read_bytes
from secure_bucket.template.write import write_atomically
from secure_bucket.values.unknown import Place

__all__ = [
    "JUDGED",
    "JudgedFiles",
    "changes_since_judged",
    "forget_judged_files",
    "left_over_files",
    "write_judged_files",
]

JUDGED: Final = "secure-bucket-judged.json"
"""The file in a cloud assembly that holds the digests of the files that the gate judged."""


class JudgedFiles(Struct, frozen=True):
    """The files that the gate judged.

    Args:
        files: The SHA-256 of each file in hexadecimal, by its path from the directory of the assembly.
        version: The version of this form.
        left: The same for the templates that an earlier synthesis left, which the gate did not judge.
    """

    files: dict[str, str]
    version: int = 1
    left: dict[str, str] = {}


def write_judged_files(
    directory: str | os.PathLike[str],
    files: Iterable[str | os.PathLike[str]],
    left: Iterable[str | os.PathLike[str]] = (),
) -> None:
    """Write the digests of the files that the gate has judged.

    Args:
        directory: The directory of the cloud assembly.
        files: The manifests and templates. Names that are not files, such as that of a template inside
            another one, are skipped.
        left: The templates that an earlier synthesis left (default: none).

    Raises:
        TemplateError: If a file cannot be read.
    """
    judged = JudgedFiles(_digests(directory, files), left=_digests(directory, left))
    text = json.dumps(msgspec.to_builtins(judged), indent=2) + "\n"
    write_atomically(os.path.join(directory, JUDGED), text)


def left_over_files(directory: str | os.PathLike[str]) -> Collection[str] | None:
    """Return the absolute paths of the templates that were left over when the gate judged an assembly.

    A template that was changed since does not count.

    Returns:
        The paths; `None` where no gate judged the assembly, or its digests cannot be read.
    """
    try:
        judged = _read(directory)
    except TemplateError:
        return None  # `changes_since_judged` reports it.
    if judged is None:
        return None
    files = {_file(directory, key): digest for key, digest in judged.left.items()}
    return {os.path.abspath(file) for file, digest in files.items() if _digest_of(file) == digest}


def forget_judged_files(directory: str | os.PathLike[str]) -> None:
    """Remove the digests of an earlier synthesis."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(directory, JUDGED))


def changes_since_judged(directory: str | os.PathLike[str]) -> tuple[Fault, ...]:
    """Return a fault for each file that was changed or removed after the gate judged it.

    An assembly without digests has no faults: no gate was in its app.

    Args:
        directory: The directory of the cloud assembly.
    """
    record = os.path.join(directory, JUDGED)
    try:
        judged = _read(directory)
    except TemplateError as error:
        # INVARIANT: unreadable digests are not a pass.
        return (
            Fault(record, f"`{record}` cannot be read: {error}; run `cdk synth` again", Place(file=record)),
        )
    if judged is None:
        return ()
    faults = []
    for key, digest in judged.files.items():
        file = _file(directory, key)
        found = _digest_of(file)
        if found == digest:
            continue
        what = "changed" if found else "removed"
        message = (
            f"`{file}` was {what} after the gate judged it: run `cdk synth` again, or remove `{record}` if "
            "the app no longer has the gate"
        )
        faults.append(Fault(file, message, Place(file=file)))
    return tuple(faults)


def _read(directory: str | os.PathLike[str]) -> JudgedFiles | None:
    """Return the digests in an assembly, if there are any."""
    record = os.path.join(directory, JUDGED)
    if not os.path.lexists(record):
        return None
    try:
        return msgspec.json.decode(read_bytes(record), type=JudgedFiles)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise TemplateError(str(error)) from None


def _digests(directory: str | os.PathLike[str], files: Iterable[str | os.PathLike[str]]) -> dict[str, str]:
    paths = sorted({os.path.abspath(file) for file in files if os.path.isfile(file)})
    return {_key(directory, path): _digest(path) for path in paths}


def _file(directory: str | os.PathLike[str], key: str) -> str:
    return os.path.join(directory, *key.split("/"))


def _digest_of(file: str) -> str:
    """Return the digest of a file; `""` where it cannot be read."""
    try:
        return _digest(file)
    except TemplateError:
        return ""


def _key(directory: str | os.PathLike[str], path: str) -> str:
    return os.path.relpath(path, os.path.abspath(directory)).replace(os.sep, "/")


def _digest(file: str) -> str:
    return hashlib.sha256(read_bytes(file)).hexdigest()
