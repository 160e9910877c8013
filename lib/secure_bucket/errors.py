"""The exceptions of this library, all of them.

    SecureBucketError
    ├── TemplateError            a template or an assembly cannot be read
    │   └── NotATemplateError    a file can be read, and is something else
    ├── ConstructError           a construct was given props that contradict its purpose
    ├── NotProvenError           an app was synthesized, and the gate refuses it
    └── MissingDependencyError   an optional dependency is not installed, or too old

A bucket that answers plain HTTP is never an exception but a *finding*; an exception means that the
question could not be asked at all.
"""

from __future__ import annotations

__all__ = [
    "ConstructError",
    "MissingDependencyError",
    "NotATemplateError",
    "NotProvenError",
    "SecureBucketError",
    "TemplateError",
]


class SecureBucketError(Exception):
    """The base of every exception this library raises on purpose."""


class TemplateError(SecureBucketError):
    """Say that a template, or a cloud assembly, cannot be read, and where."""


class NotATemplateError(TemplateError):
    """Say that a file is well formed, but no CloudFormation template."""


class ConstructError(SecureBucketError, ValueError):
    """Say that a construct was given props that contradict its purpose."""


class NotProvenError(SecureBucketError, RuntimeError):
    """Report why the gate refuses a synthesized app, where the CDK does not do so itself."""


class MissingDependencyError(SecureBucketError, ImportError):
    """Say which extra, or which version, to install for what was asked."""
