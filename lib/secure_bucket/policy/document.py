"""Represent a bucket policy as values, complete and without interpretation.

Follows the grammar of the IAM JSON policy language (IAM User Guide, *Grammar of the IAM JSON policy
language*), for policies attached to a bucket.
"""

from __future__ import annotations

import enum
from typing import TypeAlias

from msgspec import Struct

from secure_bucket.values.unknown import Place, Text, Unknown

__all__ = [
    "Condition",
    "Effect",
    "Patterns",
    "Policy",
    "Principal",
    "Principals",
    "Problem",
    "Quantifier",
    "Statement",
    "Value",
]

Value: TypeAlias = "str | Text | Unknown"
"""A string of a policy: known, known but for its holes, or not known at all."""


class Effect(enum.Enum):
    """The effect of a statement that matches."""

    ALLOW = "Allow"
    DENY = "Deny"


class Quantifier(enum.Enum):
    """How a condition treats a key with several values (*Set operators for multivalued context keys*)."""

    FOR_ALL_VALUES = "ForAllValues"
    FOR_ANY_VALUE = "ForAnyValue"


class Problem(Struct, frozen=True):
    """A reason why S3 refuses the document.

    Args:
        reason: What is wrong, as a clause: "`Effect` is missing".
        at: The place, as a pointer inside the policy document.
    """

    reason: str
    at: Place


class Principal(Struct, frozen=True):
    """One entry of a `Principal` or `NotPrincipal` element.

    Args:
        kind: `AWS`, `Service`, `Federated` or `CanonicalUser`; `*` for the bare `"*"`.
        value: An ARN, an account id, a service name, `*`, …
    """

    kind: str
    value: Value


class Principals(Struct, frozen=True):
    """A `Principal` element, or with `negated` a `NotPrincipal` element."""

    entries: tuple[Principal | Unknown, ...]
    negated: bool = False


class Patterns(Struct, frozen=True):
    """An `Action` or `Resource` element, or with `negated` a `NotAction` or `NotResource` element."""

    values: tuple[Value, ...]
    negated: bool = False


class Condition(Struct, frozen=True):
    """One key under one condition operator, with its values.

    Args:
        operator: The operator without its quantifier and without `IfExists`: `StringEquals`, `Null`, …
        key: The condition key, in its original spelling.
        values: The values: alternatives, or exclusions for a negated operator.
        if_exists: Whether the operator has the suffix `IfExists`.
        quantifier: The set operator before it, if any.
        at: Where the key is written.
    """

    operator: str
    key: str
    values: tuple[Value, ...]
    if_exists: bool = False
    quantifier: Quantifier | None = None
    at: Place = Place()

    def __str__(self) -> str:
        quantifier = f"{self.quantifier.value}:" if self.quantifier else ""
        suffix = "IfExists" if self.if_exists else ""
        return f"{quantifier}{self.operator}{suffix} {self.key}"


class Statement(Struct, frozen=True):
    """One statement.

    Args:
        index: Its index in the policy, from 0.
        effect: The effect if it matches.
        principals: The principals that it applies to.
        actions: The actions that it applies to.
        resources: The resources that it applies to.
        conditions: The conditions, all of which must hold. An `Unknown` may hold or not.
        sid: Its `Sid`; `""` without one.
        at: Where it is written.
    """

    index: int
    effect: Effect
    principals: Principals
    actions: Patterns
    resources: Patterns
    conditions: tuple[Condition | Unknown, ...] = ()
    sid: str = ""
    at: Place = Place()

    def __str__(self) -> str:
        return f"statement `{self.sid}`" if self.sid else f"statement {self.index + 1}"


class Policy(Struct, frozen=True):
    """A bucket policy.

    Args:
        statements: The well-formed statements. An `Unknown` stands for any number of unknown statements.
        version: The version of the policy language; only `2012-10-17` has policy variables.
        problems: Why S3 refuses the document, if it does.
    """

    statements: tuple[Statement | Unknown, ...] = ()
    version: str = "2008-10-17"
    problems: tuple[Problem, ...] = ()
