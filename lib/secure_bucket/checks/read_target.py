"""Read the template of a target, and skip files that cannot be one."""

from __future__ import annotations

import functools
import os
import re
import stat
import sys

from secure_bucket.checks.find_targets import CheckTarget, TargetKind
from secure_bucket.errors import SecureBucketError
from secure_bucket.template.load import (
    MAX_BYTES,
    STDIN_NAME,
    Document,
    load_document,
    parse_document,
    read_bytes,
)

__all__ = ["PassedOverError", "read_target", "standard_input"]

_SIGNS_OF_A_TEMPLATE = (
    *(b"AWS", b"Transform", b"::MODULE", b"Fn::"),
    # A backslash at the end of a line continues a text of YAML.
    *(b"\\u", b"\\U", b"\\x", b"\\\n", b"\\\r"),
)
_PRIVATE_BUCKET = rb"\w::(?:\w+::)?\w*(?:[Bb]ucket|BUCKET)"


def read_target(target: CheckTarget) -> Document:
    """Read a template.

    Raises:
        TemplateError: If it cannot be read, or is not a template.
        PassedOverError: It was found in a directory and cannot be a template.
    """
    if target.kind is TargetKind.CANDIDATE:
        return parse_document(_candidate(target.path), target.path)
    return load_document(target.path)


@functools.cache
def standard_input() -> bytes:
    """Return the text of standard input, which can be read only once."""
    if sys.stdin is None:
        raise SecureBucketError("standard input is closed: there is nothing to read")
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise SecureBucketError(
            f"`{STDIN_NAME}` has more than {MAX_BYTES:,} bytes: CloudFormation takes at most 1 MB, "
            "so this is not a template"
        )
    return data


class PassedOverError(Exception):
    """Report why a found file, which no argument names, is not a template."""


def _candidate(path: str) -> bytes:
    """Return the content of a found file, if it may be a template.

    A file that cannot be parsed counts as a template, unless it contains no sign of a bucket. A template with
    a bucket contains `AWS`, which only escapes can hide, or the source of the bucket: a macro, a module, a
    private type, a loop.

    Raises:
        TemplateError: If it cannot be read.
        PassedOverError: It cannot be a template, which needs no parsing.
    """
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise PassedOverError("not a regular file")
    if status.st_size > MAX_BYTES:
        raise PassedOverError(f"more than {MAX_BYTES:,} bytes")
    data = read_bytes(path)
    text = data.replace(b"\0", b"") if b"\0" in data else data
    if not any(sign in text for sign in _SIGNS_OF_A_TEMPLATE) and not re.search(_PRIVATE_BUCKET, text):
        raise PassedOverError("no CloudFormation template")
    return data
