"""Define all exceptions of this library.

    SecureBucketError
    ├── TemplateError            a template or an assembly cannot be read
    │   ├── NotATemplateError    a readable file is not a template
    │   └── TemplateErrors       several templates of an assembly cannot be read
    ├── ConstructError           props contradict the purpose of a construct
    ├── NotProvenError           the gate refuses a synthesized app
    └── MissingDependencyError   an optional dependency is missing or too old

A bucket that accepts plain HTTP is a *finding*, never an exception; an exception means that nothing could be
checked.
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
    """The base of every exception that this library raises on purpose."""


class TemplateError(SecureBucketError):
    """Report that a template or a cloud assembly cannot be read, and where.

    Args:
        message: What is wrong, with the name of the file.
        file: The file that holds the place (default: the message names it).
        line: The line; 0 if it is not known.
        column: The column; 0 if it is not known.
    """

    def __init__(self, message: str = "", file: str = "", line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.file = file
        self.line = line
        self.column = column


class TemplateErrors(TemplateError):
    """Report that several templates of an assembly cannot be read.

    Args:
        errors: What is wrong with each of them.
    """

    def __init__(self, errors: Sequence[TemplateError]) -> None:
        super().__init__("; ".join(map(str, errors)))
        self.errors: tuple[TemplateError, ...] = tuple(errors)


class NotATemplateError(TemplateError):
    """Report that a well-formed file is not a CloudFormation template."""


class ConstructError(SecureBucketError, ValueError):
    """Report props that contradict the purpose of a construct."""


class NotProvenError(SecureBucketError, RuntimeError):
    """Report why the gate refuses a synthesized app, if the CDK does not report it itself."""


class MissingDependencyError(SecureBucketError, ImportError):
    """Name the extra, or the version, to install."""

    @classmethod
    def without_extra(cls, reason: str, extra: str) -> MissingDependencyError:
        """Return the error for an extra that is not installed, with the lines that install it.

        Args:
            reason: What needs which package.
            extra: The name of the extra.
        """
        name = f"'secure-bucket[{extra}]'"
        # An app, or its tests, imports these; the others belong to the command.
        others = f"uv add {name}"
        if extra not in ("cdk", "snapshots"):
            # Without `--force` pipx leaves a command as it is that was installed before.
            others = f"uv tool install {name}, or: pipx install --force {name}"
        return cls(f"{reason}: pip install {name}, or: {others}")
