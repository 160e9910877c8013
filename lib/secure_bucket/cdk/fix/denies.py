"""Find our deny among the statements of a resolved policy document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from secure_bucket.policy.statements import deny_plain_http

__all__ = ["denied_in", "normal_form", "statements_in", "without_deny"]


def without_deny(document: Any, deny: Mapping[str, Any]) -> Any:
    """Return a resolved document without a statement; `None` if it holds no other one.

    `@aws-cdk/aws-iam:minimizePolicies` merges statements that differ in their resources alone.
    """
    statements = list(statements_in(document))
    theirs = {"Sid": None, "Resource": None}
    resources = [normal_form(each) for each in deny["Resource"]]
    for number, statement in enumerate(statements):
        # The AWS CDK writes it without an id.
        if not isinstance(statement, Mapping) or (
            normal_form({**deny, **theirs}) != normal_form({**statement, **theirs})
        ):
            continue
        named = statement.get("Resource")
        named = named if isinstance(named, list) else [named]
        others = [each for each in named if normal_form(each) not in resources]
        if len(named) - len(others) == len(resources):
            statements[number : number + 1] = [{**statement, "Resource": others}] if others else []
            return {**document, "Statement": statements} if statements else None
    return document


def denied_in(document: object) -> Iterator[str]:
    """Yield the logical ids of the buckets for which a resolved document holds our deny.

    INVARIANT: no other statement undoes a deny, so that such a bucket refuses plain HTTP.
    """
    for statement in statements_in(document):
        match statement.get("Resource") if isinstance(statement, Mapping) else None:
            case [{"Fn::GetAtt": [str(id), "Arn"]}, _]:
                deny = deny_plain_http({"Fn::GetAtt": [id, "Arn"]})
                if without_deny({"Statement": [statement]}, deny) is None:
                    yield id


def normal_form(value: object) -> object:
    """Return a statement as the AWS CDK writes it: a list of one value is that value."""
    if isinstance(value, Mapping):
        return {
            key: {"AWS": "*"} if (key, each) == ("Principal", "*") else normal_form(each)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return normal_form(value[0]) if len(value) == 1 else [normal_form(each) for each in value]
    return value


def statements_in(document: object) -> Sequence[Any]:
    """Return the statements of a resolved document; none if they are behind an intrinsic function."""
    statements = document.get("Statement") if isinstance(document, Mapping) else None
    if isinstance(statements, list):
        return statements
    return [statements] if isinstance(statements, Mapping) else []
