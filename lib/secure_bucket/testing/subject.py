"""Read the templates of a test's subject: a stack, an app, a `Template`, a dictionary or a file.

This module does not import the AWS CDK; it recognizes objects of the CDK by their methods.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from secure_bucket.findings.acknowledgments import METADATA_KEY
from secure_bucket.template.manifest import Acknowledged
from secure_bucket.values.unknown import Place

__all__ = ["find_acknowledgments", "synthesize", "template_of"]


def template_of(subject: object) -> Mapping[str, Any] | Path:
    """Return the template that a test is about, or its file.

    Args:
        subject: A stack, a `Template` of `aws_cdk.assertions`, a template as a dictionary, or a file.

    Raises:
        TypeError: The subject has another type.
    """
    if isinstance(subject, Mapping):
        return subject
    if isinstance(subject, (str, os.PathLike)):
        return Path(subject)
    if hasattr(subject, "to_json") and hasattr(subject, "has_resource"):
        template: Mapping[str, Any] = subject.to_json()
        return template
    if hasattr(subject, "template_file"):
        return synthesize(subject) / str(subject.template_file)
    raise TypeError(
        f"a `{type(subject).__name__}` is not a stack, a `Template`, a dictionary or the file of a template"
    )


def synthesize(construct: Any) -> Path:
    """Synthesize the App or the Stage around a construct, as `Template.from_stack` does.

    Returns:
        The directory of the cloud assembly.
    """
    scope = construct
    while not hasattr(scope, "synth"):
        scope = scope.node.scope
        if scope is None:
            raise TypeError(f"`{construct.node.path}` is not in an App or a Stage")
    # Synthesize the whole app, because it may change its Stages; but judge a Stage by itself.
    # INVARIANT: a cached synthesis does not show later changes.
    scope.node.root.synth(force=True)
    return Path(scope.synth().directory)


def find_acknowledgments(construct: Any) -> Iterator[Acknowledged]:
    """Yield the acknowledgments on an App, its Stages and constructs between; no assembly contains them.

    Args:
        construct: Any construct of the App.
    """
    pending = [construct.node.root]
    while pending:
        scope = pending.pop()
        if hasattr(scope, "template_file"):
            continue  # The assembly contains the acknowledgments inside a stack.
        for entry in scope.node.metadata:
            if entry.type == METADATA_KEY:
                for id, reason in entry.data.items():
                    yield Acknowledged(id, scope.node.path, str(reason or ""), Place())
        pending += scope.node.children
