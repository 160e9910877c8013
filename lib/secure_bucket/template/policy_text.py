"""Read a policy that is written as JSON text: in a template, or as AWS returns it."""

from __future__ import annotations

from typing import Any

from secure_bucket.errors import SecureBucketError
from secure_bucket.template.scan import read_strict_json

__all__ = ["PolicyTextError", "read_policy_text"]


class PolicyTextError(SecureBucketError):
    """Report that a text is not a policy, and why."""


def read_policy_text(text: str) -> dict[str, Any]:
    """Return the policy in a text.

    Raises:
        PolicyTextError: It is not JSON, not an object, or has a duplicate key.
    """
    try:
        value = read_strict_json(text)
    except RecursionError:
        raise PolicyTextError("the policy is nested too deeply to be read") from None
    except ValueError as error:
        raise PolicyTextError(f"the policy cannot be read as JSON: {error}") from None
    if not isinstance(value, dict):
        raise PolicyTextError("the policy is JSON, and not an object with `Statement`")
    return value
