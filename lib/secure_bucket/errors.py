"""The exceptions of this library, all of them.

    SecureBucketError
    ├── TemplateError            a template or an assembly cannot be read
    │   ├── NotATemplateError    a file can be read, and is something else
    │   └── TemplateErrors       several templates of an assembly cannot be read
    ├── ConstructError           a construct was given props that contradict its purpose
    ├── NotProvenError           an app was synthesized, and the gate refuses it
    └── MissingDependencyError   an optional dependency is not installed, or too old

A bucket that accepts plain HTTP is never an exception but a *finding*; an exception means that the
question could not be asked at all.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "ConstructError",
    "MissingDependencyError",
    "NotATemplateError",
    "NotProvenError",
    "SecureBucketError",
    "TemplateError",
    "TemplateErrors",
]


class SecureBucketError(Exception):
    """The base of every exception this library raises on purpose."""


class TemplateError(SecureBucketError):
    """Say that a template, or a cloud assembly, cannot be read, and where.

    Args:
        message: What is wrong, with the name of the file.
        file: The file that holds the place (default: the message names it).
        line: The line in it; 0 when it is not known.
        column: The column in it; 0 when it is not known.
    """

    def __init__(self, message: str = "", file: str = "", line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.file = file
        self.line = line
        self.column = column


class TemplateErrors(TemplateError):
    """Say that several templates of an assembly cannot be read.

    Args:
        errors: What is wrong with each of them.
    """

    def __init__(self, errors: Sequence[TemplateError]) -> None:
        super().__init__("; ".join(map(str, errors)))
        self.errors: tuple[TemplateError, ...] = tuple(errors)


class NotATemplateError(TemplateError):
    """Say that a file is well formed, but no CloudFormation template."""


class ConstructError(SecureBucketError, ValueError):
    """Say that a construct was given props that contradict its purpose."""


class NotProvenError(SecureBucketError, RuntimeError):
    """Report why the gate refuses a synthesized app, where the CDK does not do so itself."""


class MissingDependencyError(SecureBucketError, ImportError):
    """Say which extra, or which version, to install for what was asked."""
