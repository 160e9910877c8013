"""Decide whether a bucket policy denies one request: the reference for tests of the prover.

It is slow and literal: it follows the IAM User Guide sentence by sentence, and shares no code with the
prover. If AWS documents nothing, it uses these rules, and a proof should not depend on them:

- `{"AWS": "*"}` covers service principals, except in strict mode.
- A federated provider and a canonical user name no request.
- A role or user is the one that had its ARN when the policy was saved, whose id the policy keeps.
- A session without `aws:PrincipalArn` is one of the role of that name, with any path.
- `*` and `?` in `Action` and in `Resource` match across `:` everywhere.
- A variable that has no value: its entry matches nothing; under `NotResource` and under a negated
  operator nothing matches. (Of the latter AWS says both that it makes "the entire statement invalid" and
  that "inverted condition operators do match for a null value".)
- A variable is also filled in under operators other than String and Arn, for which AWS says "you can't use"
  one; its value is text, in which `*` and `?` stand for themselves; so is its default.
- A `$` that begins no variable is a plain character.
- Only `true` and `false` are Booleans, so `False` is not. A String operator sees `aws:SecureTransport` as
  the string `false`.
- `StringEqualsIgnoreCase` ignores the case of A to Z only.
- `2030` is a time in seconds, not a year. A date without a time begins at midnight in UTC.
- An IPv4 address is in no IPv6 range, not even in `::ffff:0:0/96`.
- An ARN operator matches nothing that has fewer than six components: `*` alone is not an ARN.
- `IfExists` changes nothing about a set operator: `ForAnyValue:` does not match an absent key.
- A condition operator without a key matches nothing.
- A multivalued key needs a set operator; without one nothing matches it, negated or not.
- A multivalued key with no values, or with only `""`, is "a null data set" under a set operator. `Null` tells
  only absent, or without values, from present; a set operator in front of it says nothing.
- Binary values of a request are given in base64, as in the policy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from secure_bucket.policy.document import (
    Condition,
    Effect,
    Patterns,
    Policy,
    Principals,
    Quantifier,
    Statement,
)
from secure_bucket.policy.operators import COMPARISONS, NEGATED
from secure_bucket.policy.parse import parse_policy
from secure_bucket.policy.pattern import Pattern, fold, matches, read_pattern
from secure_bucket.policy.principal import names
from secure_bucket.policy.request import Request
from secure_bucket.policy.variables import fill_in, fill_in_resource
from secure_bucket.values.unknown import Unknown

__all__ = ["evaluate"]


def evaluate(policy: Policy | object, request: Request, *, strict: bool = False) -> bool:
    """Tell whether a Deny statement of a bucket policy matches a request.

    Args:
        policy: A `Policy`, or the document as JSON values.
        request: The request; keys that are not in its context are absent.
        strict: Whether `{"AWS": "*"}` excludes service principals (default: `False`, it means everyone).

    Returns:
        Whether at least one Deny statement matches. `Unknown` and malformed statements never match; the text
        of a `Hole` is its name in messages.
    """
    read = policy if isinstance(policy, Policy) else parse_policy(policy)
    # "Context key names are not case-sensitive."
    context = {fold(key): values for key, values in request.context.items()}
    return any(
        isinstance(statement, Statement)
        and statement.effect is Effect.DENY
        and _principals_match(statement.principals, request.principal, context, strict)
        and _applies(statement, read.version, request, context)
        for statement in read.statements
    )


def _applies(
    statement: Statement, version: str, request: Request, context: Mapping[str, str | Sequence[str]]
) -> bool:
    """Tell whether all parts of a statement but its principals match."""
    return (
        _actions_match(statement.actions, request.action)
        and _resources_match(statement.resources, version, request.resource, context)
        # "If your policy has multiple condition operators or multiple keys attached to a single condition
        # operator, the conditions are evaluated using a logical AND."
        and all(
            isinstance(condition, Condition) and _condition_matches(condition, version, context)
            for condition in statement.conditions
        )
    )


def _principals_match(
    principals: Principals, principal: str, context: Mapping[str, str | Sequence[str]], strict: bool
) -> bool:
    # "For IAM roles, the request context returns the ARN of the role", its path included.
    arn = context.get("aws:principalarn")
    role = arn if isinstance(arn, str) else None
    known = [
        (entry.kind, str(entry.value))
        for entry in principals.entries
        if not isinstance(entry, Unknown) and not isinstance(entry.value, Unknown)
    ]
    named = any(names(kind, value, principal, role, strict=strict) for kind, value in known)
    return _all_but(named, len(known) == len(principals.entries)) if principals.negated else named


def _actions_match(actions: Patterns, action: str) -> bool:
    """Match the action: "the prefix and the action name are case insensitive"."""
    known = [read_pattern(fold(str(value))) for value in actions.values if not isinstance(value, Unknown)]
    named = any(matches(pattern, fold(action)) for pattern in known)
    return _all_but(named, len(known) == len(actions.values)) if actions.negated else named


def _resources_match(
    resources: Patterns, version: str, resource: str, context: Mapping[str, str | Sequence[str]]
) -> bool:
    filled = [
        None if isinstance(value, Unknown) else fill_in_resource(str(value), context, version)
        for value in resources.values
    ]
    known = [pattern for pattern in filled if pattern is not None]
    named = any(matches(pattern, resource) for pattern in known)
    return _all_but(named, len(known) == len(filled)) if resources.negated else named


def _all_but(named: bool, all_known: bool) -> bool:
    """Tell whether a `Not…` element matches: only where it is certain that nothing in it does."""
    return all_known and not named


def _condition_matches(
    condition: Condition, version: str, context: Mapping[str, str | Sequence[str]]
) -> bool:
    given = context.get(fold(condition.key))
    asked = () if given is None else (given,) if isinstance(given, str) else tuple(given)
    written = [
        None if isinstance(value, Unknown) else fill_in(str(value), context, version)
        for value in condition.values
    ]
    if condition.operator == "Null":
        # "Use a Null condition operator to check if a condition key is absent at the time of authorization":
        # `true` if it has to be absent, `false` if it has to be present.
        return read_pattern("false" if asked else "true") in written

    def holds(value: str) -> bool:
        return _value_matches(condition.operator, value, written)

    if condition.quantifier is Quantifier.FOR_ALL_VALUES:
        # "It also returns true if there are no context keys in the request or if the context key value
        # resolves to a null data set, such as an empty string."
        return all(holds(value) for value in asked) or not any(asked)
    if condition.quantifier is Quantifier.FOR_ANY_VALUE:
        # "For no matching context key or if the key does not exist, the condition returns false."
        return any(holds(value) for value in asked) and any(asked)
    if not asked:
        # "If the policy condition requires that the key is not matched and the right key is not present, the
        # condition is true"; IfExists: "if the key is not present, evaluate the condition element as true".
        return condition.if_exists or (condition.operator in NEGATED and None not in written)
    # "You must use the ForAllValues or ForAnyValue set operators" for a multivalued key.
    return isinstance(given, str) and holds(given)


def _value_matches(operator: str, asked: str, written: Sequence[Pattern | None]) -> bool:
    """Compare one value of the request with all values of the policy.

    "If a single condition operator includes multiple values for a context key, those values are evaluated
    using a logical OR"; for a negated operator, "using a logical NOR".
    """
    positive = COMPARISONS[NEGATED.get(operator, operator)]
    named = any(pattern is not None and positive(asked, pattern) for pattern in written)
    return _all_but(named, None not in written) if operator in NEGATED else named
