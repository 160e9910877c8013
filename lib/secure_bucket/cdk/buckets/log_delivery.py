"""Compare a statement that somebody adds to a log bucket with the statements in its policy.

Constructs of the AWS CDK add their own statement to the bucket that they log to. Most of these do not
restrict the accounts that the service may act for, and would admit requests that the bucket's own statement
keeps out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["is_covered", "missing_conditions"]

# The condition keys that name the account a service acts for.
_ORIGINS = ("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths")


def missing_conditions(
    statement: Mapping[str, Any], own: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Return the conditions on the account that a service acts for, if a statement has none.

    Args:
        statement: The added statement, resolved.
        own: The statements of the bucket, resolved.
    """
    conditions = statement.get("Condition", {})
    if statement.get("Effect") != "Allow" or any(key.lower() in _ORIGINS for _, key, _ in _each(conditions)):
        return {}
    missing: dict[str, dict[str, Any]] = {}
    for one in own:
        if one["Principal"] == statement.get("Principal"):
            for operator, key, value in _each(one.get("Condition", {})):
                if key.lower() in _ORIGINS:
                    missing.setdefault(operator, {})[key] = value
    return missing


def is_covered(statement: Mapping[str, Any], own: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether one of the statements of a bucket allows all that another statement allows.

    Args:
        statement: The added statement, resolved.
        own: The statements of the bucket, resolved.
    """
    return statement.get("Effect") == "Allow" and any(_covers(one, statement) for one in own)


def _covers(own: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return (
        own["Principal"] == other.get("Principal")
        and "Action" in other
        and set(_listed(other["Action"])) <= set(_listed(own["Action"]))
        and "Resource" in other
        and all(
            any(_holds(wide, narrow) for wide in _listed(own["Resource"]))
            for narrow in _listed(other["Resource"])
        )
        and all(
            any(
                (operator, key) == (mine, name) and all(one in _listed(allowed) for one in _listed(value))
                for mine, name, value in _each(other.get("Condition", {}))
            )
            for operator, key, allowed in _each(own.get("Condition", {}))
        )
    )


def _holds(wide: object, narrow: object) -> bool:
    """Whether a resource with nothing but a `*` at its end covers another one."""
    *head, last = _parts(wide)
    parts = _parts(narrow)
    if parts == [*head, last]:
        return True
    if not isinstance(last, str) or not last.endswith("*") or len(parts) <= len(head):
        return False
    following = parts[len(head)]
    return parts[: len(head)] == head and isinstance(following, str) and following.startswith(last[:-1])


def _parts(value: object) -> list[object]:
    """The pieces that a text is joined of."""
    if isinstance(value, Mapping) and set(value) == {"Fn::Join"} and value["Fn::Join"][0] == "":
        return list(value["Fn::Join"][1])
    return [value]


def _each(conditions: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for operator, keys in conditions.items():
        for key, value in keys.items():
            yield operator, key, value


def _listed(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]
