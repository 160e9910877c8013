"""Turn a combination of classes into a request, and explain in a sentence why it gets through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from secure_bucket.policy.condition_keys import key_of
from secure_bucket.policy.document import Patterns, Principal, Principals
from secure_bucket.policy.principal import Kind
from secure_bucket.policy.request import Request
from secure_bucket.proof.comparison import Comparison, Observed
from secure_bucket.proof.compiled_deny import CompiledDeny
from secure_bucket.proof.dimensions import CLOCK, as_seen
from secure_bucket.proof.principals import PRINCIPAL_TYPES, Who, identity_of
from secure_bucket.proof.request_text import concat
from secure_bucket.proof.resources import plain_key, supported_keys
from secure_bucket.proof.search import Choice, Dimension
from secure_bucket.proof.shapes import example_of
from secure_bucket.proof.space import Scenario, Space
from secure_bucket.proof.values import OLDEST_TLS_VERSION
from secure_bucket.proof.verdict import Refuted
from secure_bucket.values.unknown import Unknown

__all__ = ["foreign_key", "refute", "request_of"]

_NAMES: Final = {
    "aws:currenttime": "aws:CurrentTime",
    "aws:epochtime": "aws:EpochTime",
    "aws:securetransport": "aws:SecureTransport",
}


def request_of(
    space: Space, scenario: Scenario, dimensions: Sequence[Dimension], choices: Sequence[Choice]
) -> Request:
    """Return the request that a combination of choices describes."""
    chosen = {dimension.name: choice.value for dimension, choice in zip(dimensions, choices, strict=True)}
    who, actions, key = (chosen.pop(name) for name in ("principal", "action", "resource"))
    chosen.pop("base")
    assert isinstance(who, Who)
    assert isinstance(actions, tuple)
    context: dict[str, str | list[str]] = {_NAMES[name]: value for name, value in space.claim.fixed.items()}
    context.update(_identity_of(who))
    told = {name.lower() for name in context}
    for name, value in identity_of(who).items():
        if name in space.names and name not in told and value is not None:
            context[space.names[name]] = str(value)
    present: set[str] = set()
    for choice in chosen.values():
        assert isinstance(choice, tuple)
        name, observed = choice
        if observed is not None:
            context.update(_spell(space, name, observed))
            present.add(plain_key(name))
    if scenario.through_endpoint and "aws:sourcevpce" not in present:
        context["aws:SourceVpce"] = example_of("aws:sourcevpce")
    if not space.claim.tls_absent and "s3:tlsversion" not in present:
        context["s3:TlsVersion"] = OLDEST_TLS_VERSION
    # Of the actions that the policy treats alike, prefer one that AWS lists with these condition keys.
    own = {name for name in present if _depends_on_action(name)}
    action = next((action for action in actions if own <= supported_keys(action)), actions[0])
    resource = str(space.bucket_arn) if key is None else f"{space.bucket_arn}/{key}"
    return Request(str(who.name), action, resource, context)


def _depends_on_action(name: str) -> bool:
    key = key_of(name) or key_of(f"{name}/x")
    return key is not None and key.is_listed


def foreign_key(request: Request) -> str | None:
    """Return a condition key of a request that AWS does not list for its action, or `None`."""
    listed = supported_keys(request.action)
    foreign = (name for name in request.context if _depends_on_action(plain_key(name)))
    return next((name for name in foreign if plain_key(name) not in listed), None)


def _identity_of(who: Who) -> Iterator[tuple[str, str]]:
    """Yield the condition keys that S3 derives from the identity of the principal."""
    if who.kind is Kind.ANONYMOUS:
        return
    yield "aws:PrincipalIsAWSService", "true" if who.kind is Kind.SERVICE else "false"
    if who.kind is Kind.SERVICE:
        yield "aws:PrincipalServiceName", str(who.name)
        return
    yield "aws:PrincipalArn", str(who.arn)
    yield "aws:PrincipalAccount", str(who.account)
    yield "aws:PrincipalType", PRINCIPAL_TYPES[who.kind]
    if who.username is not None:
        yield "aws:username", str(who.username)


def _spell(space: Space, name: str, observed: Observed) -> Iterator[tuple[str, str | list[str]]]:
    """Yield a chosen condition key with its value; the time under each of the names the policy uses."""
    if isinstance(observed, tuple):
        yield name, [str(one) for one in observed]
    elif name.lower() in CLOCK:
        for key in space.together(name.lower()):
            yield _NAMES[key], str(as_seen(key, observed))
    else:
        yield name, str(observed)


def refute(
    space: Space, dimensions: Sequence[Dimension], choices: Sequence[Choice], request: Request
) -> Refuted:
    """Return the refutation with a request, and why the closest Deny statement does not apply to it."""
    missed = []
    for index, deny in enumerate(space.denies):
        failing = [
            (dimension, choice)
            for dimension, choice in zip(dimensions, choices, strict=True)
            if choice.may_fail >> index & 1
        ]
        # A statement about other things than the transport is the least close.
        missed.append(
            (any(dimension.name == "base" for dimension, _ in failing), len(failing), index, deny, failing)
        )
    if not missed:
        return Refuted(request, "no statement denies anything")
    *_, deny, failing = min(missed, key=lambda one: one[:3])
    phrases = [phrase for dimension, choice in failing for phrase in _phrases(space, deny, dimension, choice)]
    statement, why = deny.statement, " and ".join(dict.fromkeys(phrases[:2]))
    return Refuted(request, f"{statement} {why}", statement.at, statement.index)


def _phrases(space: Space, deny: CompiledDeny, dimension: Dimension, choice: Choice) -> Iterator[str]:
    """Yield the demands of a statement that a class does not meet."""
    statement, value = deny.statement, choice.value
    if dimension.name == "base":
        if deny.unknown is not None:
            yield f"has a condition that is not known: {deny.unknown}"
        yield from _conditions(deny, space.claim.fixed)
    elif dimension.name == "action":
        yield _list_of(statement.actions, "covers only", "leaves out")
    elif dimension.name == "resource":
        yield _resources(deny, space, on_bucket=value is None)
    elif isinstance(value, Who):
        if deny.addressees.include(value, strict=space.strict) is not True:
            yield _principals(statement.principals)
        yield from _conditions(deny, identity_of(value))
    elif isinstance(value, tuple):
        name, observed = value
        keys = space.together(name.lower())
        yield from _conditions(deny, {key: as_seen(key, observed) for key in keys})


def _conditions(deny: CompiledDeny, observed: Mapping[str, Observed]) -> Iterator[str]:
    for comparison in deny.comparisons:
        if comparison.key in observed and comparison.holds(observed[comparison.key]) is not True:
            yield f"applies only {_condition(comparison)}"


def _condition(comparison: Comparison) -> str:
    condition = comparison.condition
    if comparison.family == "null":
        absent = str(condition.values[0]).lower() == "true"
        return f"to requests {'without' if absent else 'with'} `{condition.key}`"
    relation = _WORDS.get((comparison.family, comparison.relation), "is")
    if comparison.family == "string" and condition.operator.endswith("Like"):
        relation = "is like"
    if comparison.negated:
        relation = relation.replace("is", "is not", 1)
    absent_too = ", if it is present," if condition.if_exists else ""
    values = _alternatives([str(value) for value in condition.values], "or")
    return f"when `{condition.key}`{absent_too} {relation} {values}"


_WORDS: Final = {
    ("address", "Equals"): "is in",
    ("arn", "Equals"): "is like",
    ("date", "GreaterThan"): "is after",
    ("date", "GreaterThanEquals"): "is not before",
    ("date", "LessThan"): "is before",
    ("date", "LessThanEquals"): "is not after",
    ("numeric", "GreaterThan"): "is above",
    ("numeric", "GreaterThanEquals"): "is at least",
    ("numeric", "LessThan"): "is below",
    ("numeric", "LessThanEquals"): "is at most",
}


def _principals(principals: Principals) -> str:
    names = []
    for entry in principals.entries:
        value = entry.value if isinstance(entry, Principal) else entry
        names.append("what is not known" if isinstance(value, Unknown) else str(value))
    return f"{'leaves out' if principals.negated else 'applies only to'} {_alternatives(names)}"


def _resources(deny: CompiledDeny, space: Space, *, on_bucket: bool) -> str:
    resources = deny.statement.resources
    if (
        not resources.negated
        and on_bucket
        and deny.resources.covers(concat(space.bucket_arn, "/report.csv")) is True
    ):
        return "covers the objects, but not the bucket itself"
    if not resources.negated and not on_bucket and deny.resources.covers(space.bucket_arn) is True:
        objects = [str(value) for value in resources.values if "/" in str(value)]
        if objects:
            return f"covers the bucket itself, but of its objects only {_alternatives(objects)}"
        return "covers the bucket itself, but not its objects"
    return _list_of(resources, "covers only", "leaves out")


def _list_of(patterns: Patterns, positive: str, negative: str) -> str:
    values = ["what is not known" if isinstance(value, Unknown) else str(value) for value in patterns.values]
    return f"{negative if patterns.negated else positive} {_alternatives(values)}"


def _alternatives(values: Sequence[str], word: str = "and") -> str:
    """Return at most three values, quoted, for a sentence."""
    shown = [f"`{value if len(value) <= 80 else value[:79] + '…'}`" for value in values[:3]]
    if len(values) > 3:
        shown[2:] = [f"{len(values) - 2} more"]
    return f" {word} ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
