"""Explain the statements of a policy in plain words."""

from __future__ import annotations

from collections.abc import Iterable

from secure_bucket.findings.rules.rule import describe_request
from secure_bucket.policy.document import (
    Condition,
    Effect,
    Patterns,
    Policy,
    Principals,
    Quantifier,
    Statement,
)
from secure_bucket.proof import prove_denies_http
from secure_bucket.proof.verdict import Proven, Refuted, Undecided
from secure_bucket.values.never import assert_never
from secure_bucket.values.unknown import Text, Unknown

__all__ = ["explain_contribution", "explain_statement"]

# The words for one value, and for several values.
_OPERATORS = {
    "StringEquals": ("is", "is one of"),
    "StringNotEquals": ("is not", "is not one of"),
    "StringEqualsIgnoreCase": ("is, in any case,", "is, in any case, one of"),
    "StringNotEqualsIgnoreCase": ("is not, in any case,", "is not, in any case, one of"),
    "StringLike": ("matches", "matches one of"),
    "StringNotLike": ("does not match", "matches none of"),
    "NumericEquals": ("is the number", "is one of the numbers"),
    "NumericNotEquals": ("is not the number", "is not one of the numbers"),
    "NumericLessThan": ("is less than", "is less than one of"),
    "NumericLessThanEquals": ("is at most", "is at most one of"),
    "NumericGreaterThan": ("is more than", "is more than one of"),
    "NumericGreaterThanEquals": ("is at least", "is at least one of"),
    "DateEquals": ("is the time", "is one of the times"),
    "DateNotEquals": ("is not the time", "is not one of the times"),
    "DateLessThan": ("is before", "is before one of"),
    "DateLessThanEquals": ("is not after", "is not after one of"),
    "DateGreaterThan": ("is after", "is after one of"),
    "DateGreaterThanEquals": ("is not before", "is not before one of"),
    "Bool": ("is", "is one of"),
    "BinaryEquals": ("is, in base64,", "is, in base64, one of"),
    "IpAddress": ("lies in", "lies in one of"),
    "NotIpAddress": ("does not lie in", "lies in none of"),
    "ArnEquals": ("matches", "matches one of"),
    "ArnLike": ("matches", "matches one of"),
    "ArnNotEquals": ("does not match", "matches none of"),
    "ArnNotLike": ("does not match", "matches none of"),
}
_KINDS = {
    "AWS": "",
    "Service": "the service ",
    "Federated": "everybody who signs in with ",
    "CanonicalUser": "the user ",
}


def explain_statement(statement: Statement) -> str:
    """Return an explanation of a statement in one sentence."""
    verb = "Denies" if statement.effect is Effect.DENY else "Allows"
    conditions = [_condition(condition) for condition in statement.conditions]
    when = f", when {' and '.join(conditions)}" if conditions else ""
    what = f"{_actions(statement.actions)} on {_resources(statement.resources)}"
    return f"{verb} {_principals(statement.principals)} {what}{when}."


def explain_contribution(statement: Statement, version: str, bucket_arn: str | Text, *, strict: bool) -> str:
    """Return whether a statement alone denies plain HTTP, and why."""
    if statement.effect is Effect.ALLOW:
        if any(
            not isinstance(condition, Unknown) and condition.key.casefold() == "aws:securetransport"
            for condition in statement.conditions
        ):
            return (
                "Its condition limits what this statement allows, and denies nothing: "
                "another policy can still allow plain HTTP."
            )
        return "It denies nothing."
    verdict = prove_denies_http(Policy((statement,), version), bucket_arn=bucket_arn, strict=strict)
    match verdict:
        case Proven():
            return "By itself it denies every request over plain HTTP."
        case Refuted():
            request = describe_request(verdict.request)
            return f"By itself it is not enough, because {request}: {verdict.why}."
        case Undecided():
            reasons = "; ".join(reason.reason for reason in verdict.reasons[:3])
            return f"It is undecided whether it denies every request over plain HTTP: {reasons}."
        case _:
            assert_never(verdict)


def _principals(principals: Principals) -> str:
    names = []
    everyone = False
    for entry in principals.entries:
        if isinstance(entry, Unknown):
            names.append(f"somebody ({entry.reason})")
        elif entry.value == "*" and entry.kind in ("*", "AWS"):
            everyone = True
        else:
            names.append(f"{_KINDS.get(entry.kind, '')}{_quoted(entry.value)}")
    if principals.negated:
        return f"everyone but {_series(names, 'and')}" if not everyone else "nobody"
    return "everyone" if everyone else _series(names, "and") or "nobody"


def _actions(actions: Patterns) -> str:
    if not actions.negated and any(value in ("*", "s3:*") for value in actions.values):
        return "every action"
    named = _series(map(_quoted, actions.values), "and") or "nothing"
    return f"every action but {named}" if actions.negated else named


def _resources(resources: Patterns) -> str:
    if not resources.negated and "*" in resources.values:
        return "everything"
    named = _series(map(_quoted, resources.values), "and") or "nothing"
    return f"everything but {named}" if resources.negated else named


def _condition(condition: Condition | Unknown) -> str:
    if isinstance(condition, Unknown):
        return f"an unknown condition holds ({condition.reason})"
    key = f"`{condition.key}`"
    if condition.operator == "Null":
        states = {"true": "is absent", "false": "is present"}
        named = [states.get(str(value).lower(), str(value)) for value in condition.values]
        return f"{key} {_series(named, 'or')}"
    if condition.quantifier is Quantifier.FOR_ALL_VALUES:
        key = f"every value of {key} (also without values)"
    elif condition.quantifier is Quantifier.FOR_ANY_VALUE:
        key = f"some value of {key}"
    one, several = _OPERATORS.get(condition.operator, (f"`{condition.operator}`",) * 2)
    negated = "Not" in condition.operator
    values = _series(map(_quoted, condition.values), "and" if negated else "or")
    absent = condition.if_exists or (negated and condition.quantifier is not Quantifier.FOR_ANY_VALUE)
    verb = one if len(condition.values) == 1 else several
    return f"{key} {verb} {values}{' or is absent' if absent else ''}"


def _quoted(value: object) -> str:
    return f"something unknown ({value.reason})" if isinstance(value, Unknown) else f"`{value}`"


def _series(names: Iterable[str], word: str) -> str:
    listed = list(names)
    return ", ".join(listed) if len(listed) < 2 else f"{', '.join(listed[:-1])} {word} {listed[-1]}"
