"""Write IAM policies with the permissions that a command needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

__all__ = ["Allow", "allow", "literal", "policy_of"]

_LITERAL: Final = str.maketrans({"*": "${*}", "?": "${?}", "$": "${$}"})

Allow: TypeAlias = "dict[str, Any]"
"""An Allow statement."""


def allow(sid: str, actions: str | Sequence[str], resources: Sequence[str] = ("*",)) -> Allow:
    """Return the statement that allows actions on resources."""
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": list(resources)}


def policy_of(statements: Sequence[Allow]) -> dict[str, Any]:
    """Return a policy with statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def literal(text: str) -> str:
    """Return a text for a policy, in which wildcards and variables are escaped."""
    return text.translate(_LITERAL)
