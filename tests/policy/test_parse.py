"""From any JSON value to a policy: nothing is guessed, and what is wrong is named with its place."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from secure_bucket.policy import (
    Condition,
    Effect,
    Patterns,
    Place,
    Principal,
    Principals,
    Statement,
    Text,
    Unknown,
    parse_policy,
)
from secure_bucket.policy.document import Quantifier
from secure_bucket.policy.size import MAX_POLICY_BYTES, least_size
from secure_bucket.values.unknown import Hole

DENY: dict[str, Any] = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}


def problems(document: object) -> list[tuple[str, str]]:
    return [(problem.reason, problem.at.pointer) for problem in parse_policy(document).problems]


def only(**elements: Any) -> Statement:
    policy = parse_policy({"Statement": [{**DENY, **elements}]})
    assert not policy.problems
    (statement,) = policy.statements
    assert isinstance(statement, Statement)
    return statement


def test_a_whole_policy() -> None:
    document = {
        "Version": "2012-10-17",
        "Id": "P",
        "Statement": [
            {
                "Sid": "DenyHttp",
                "Effect": "Deny",
                "NotPrincipal": {"AWS": ["111122223333", "*"], "Service": "a.amazonaws.com"},
                "NotAction": "s3:Get*",
                "NotResource": ["a", "b"],
                "Condition": {"ForAnyValue:StringLikeIfExists": {"aws:TagKeys": ["x", True, 1, 1.5]}},
            }
        ],
    }
    policy = parse_policy(document)
    assert (policy.version, policy.problems) == ("2012-10-17", ())
    at = Place("/Statement/0/Condition/ForAnyValue:StringLikeIfExists/aws:TagKeys")
    assert policy.statements == (
        Statement(
            0,
            Effect.DENY,
            Principals(
                (
                    Principal("AWS", "111122223333"),
                    Principal("AWS", "*"),
                    Principal("Service", "a.amazonaws.com"),
                ),
                negated=True,
            ),
            Patterns(("s3:Get*",), negated=True),
            Patterns(("a", "b"), negated=True),
            (
                Condition(
                    "StringLike", "aws:TagKeys", ("x", "true", "1", "1.5"), True, Quantifier.FOR_ANY_VALUE, at
                ),
            ),
            "DenyHttp",
            Place("/Statement/0"),
        ),
    )


def test_what_may_be_left_out() -> None:
    policy = parse_policy({"Statement": DENY})
    assert policy.version == "2008-10-17"
    (statement,) = policy.statements
    assert isinstance(statement, Statement)
    assert (statement.sid, statement.conditions, statement.index) == ("", (), 0)
    assert statement.at == Place("/Statement")
    assert str(statement) == "statement 1"
    assert str(only(Sid="DenyHttp")) == "statement `DenyHttp`"


@pytest.mark.parametrize(("written", "read"), [(111122223333, "111122223333"), (0, "000000000000")])
def test_an_account_id_without_quotes(written: int, read: str) -> None:
    assert only(Principal={"AWS": written}).principals == Principals((Principal("AWS", read),))


@pytest.mark.parametrize("written", [True, 10**12, -1, 1.5, None, {}])
def test_what_is_no_account_id(written: object) -> None:
    assert problems({"Statement": {**DENY, "Principal": {"AWS": written}}})


def test_the_text_and_the_unknown_of_a_template_are_kept() -> None:
    text, unknown = Text(("a",)), Unknown("why")
    statement = only(Resource=[text, unknown], Condition={"Bool": {"aws:SecureTransport": unknown}})
    assert statement.resources.values == (text, unknown)
    condition = statement.conditions[0]
    assert isinstance(condition, Condition)
    assert condition.values == (unknown,)
    assert only(Condition=unknown).conditions == (unknown,)
    assert only(Condition={"Bool": unknown}).conditions == (unknown,)
    assert only(Sid=unknown).sid == ""
    for document in (unknown, {"Statement": unknown}, {"Statement": [unknown]}):
        assert parse_policy(document).statements == (unknown,)
    assert parse_policy({"Statement": {**DENY, "Effect": unknown}}).statements == (unknown,)
    assert parse_policy({"Statement": {**DENY, "Principal": unknown}}).statements == (unknown,)
    (effect,) = parse_policy({"Statement": {**DENY, "Effect": text}}).statements
    assert effect == Unknown("`Effect` is `a`", Place("/Statement/Effect"))


HOLE = Hole("Lookup.Policy", "`Lookup.Policy` is known only at deployment", at=Place("/Resources/Policy"))


@pytest.mark.parametrize(
    "document",
    [
        Text((HOLE,)),
        Text(('{"Statement": "', HOLE, '"}')),
        {"Statement": Text((HOLE,))},
        {"Statement": [Text((HOLE,))]},
        {"Statement": {**DENY, "Principal": Text((HOLE,))}},
    ],
    ids=["document", "text of a document", "statements", "statement", "principal"],
)
def test_a_hole_where_an_object_has_to_stand_is_unknown(document: object) -> None:
    policy = parse_policy(document)
    assert policy.statements == (Unknown(HOLE.reason, HOLE.at),)
    assert not policy.problems


def test_a_hole_where_conditions_have_to_stand_is_unknown() -> None:
    unknown = Unknown(HOLE.reason, HOLE.at)
    assert only(Condition=Text((HOLE,))).conditions == (unknown,)
    assert only(Condition={"Bool": Text((HOLE,))}).conditions == (unknown,)


def test_a_text_without_holes_is_no_object() -> None:
    assert problems(Text(("a",))) == [("a policy is a JSON object, and this is the string `a`", "")]
    assert len(problems({"Statement": Text((HOLE, "a"))})) == 1


@pytest.mark.parametrize("missing", [0, 1])
def test_a_policy_that_s3_does_not_take_is_named_with_its_size(missing: int) -> None:
    statement = {**DENY, "Action": ["s3:*", "s3:Get*"]}

    def document(padding: str) -> dict[str, Any]:
        return {"Statement": [{**statement, "Sid": Text((padding, HOLE))}], "Id": "x"}

    written = {"Statement": [{**statement, "Sid": ""}], "Id": "x"}
    size = least_size(document(""))
    assert size == len(json.dumps(written, separators=(",", ":")))
    found = problems(document("x" * (MAX_POLICY_BYTES - size + missing)))
    assert found == [("it has 20,481 bytes or more, and S3 takes 20,480", "")] * missing


def test_a_list_that_holds_itself_has_a_size() -> None:
    endless: list[object] = []
    endless.append(endless)
    assert least_size(endless) > MAX_POLICY_BYTES


@pytest.mark.parametrize(
    ("document", "reason", "pointer"),
    [
        (None, "a policy is a JSON object, and this is null", ""),
        ([], "a policy is a JSON object, and this is an empty list", ""),
        ([1], "a policy is a JSON object, and this is a list", ""),
        ("x", "a policy is a JSON object, and this is the string `x`", ""),
        (1.5, "a policy is a JSON object, and this is a number", ""),
        (True, "a policy is a JSON object, and this is a Boolean", ""),
        ({}, "`Statement` is missing", ""),
        ({"Statement": 1}, "`Statement` is a list of statements, and this is a number", "/Statement"),
        ({"Statement": [1]}, "a statement is a JSON object, and this is a number", "/Statement/0"),
        ({"Statement": [], "a/b~c": 1}, "a policy has no element `a/b~c`", "/a~1b~0c"),
        (
            {"Statement": [], "Version": "2012-10-18"},
            "`Version` is one of 2008-10-17 and 2012-10-17",
            "/Version",
        ),
    ],
)
def test_a_document_that_is_no_policy(document: object, reason: str, pointer: str) -> None:
    assert problems(document) == [(reason, pointer)]


@pytest.mark.parametrize(
    ("elements", "reason", "pointer"),
    [
        ({"Sid": []}, "`Sid` is a string, and this is an empty list", "/Sid"),
        ({"Sid": True}, "`Sid` is a string, and this is a Boolean", "/Sid"),
        ({"Effect": "DENY"}, "`Effect` is `Allow` or `Deny`, written so, and not `DENY`", "/Effect"),
        ({"NotAction": "s3:*"}, "`Action` and `NotAction` exclude each other", ""),
        ({"Action": []}, "an empty list stands where at least one string has to", "/Action"),
        ({"Resource": ["a", {}]}, "a string has to stand here, and this is an empty object", "/Resource/1"),
        ({"Resource": {"a": 1}}, "a string has to stand here, and this is an object", "/Resource"),
        (
            {"Principal": "x"},
            'a principal is `"*"` or an object such as `{"AWS": "*"}`, and this is the string `x`',
            "/Principal",
        ),
        (
            {"Principal": {"aws": "*", "AWS": "1"}},
            "`aws` is not a kind of principal, which are AWS, CanonicalUser, Federated, Service",
            "/Principal/aws",
        ),
        (
            {"Principal": {"AWS": [1.5]}},
            "a string has to stand here, and this is a number",
            "/Principal/AWS/0",
        ),
        ({"Condition": []}, "`Condition` is a JSON object, and this is an empty list", "/Condition"),
        (
            {"Condition": {"Bool": 1}},
            "a condition operator holds a JSON object, and this is a number",
            "/Condition/Bool",
        ),
        ({"Condition": {"Is": {"a": "b"}}}, "`Is` is not a condition operator", "/Condition/Is"),
        (
            {"Condition": {"Bool": {"a": [None]}}},
            "a condition value is a string, and this is null",
            "/Condition/Bool/a",
        ),
        (
            {"Condition": {"NullIfExists": {"a": "true"}}},
            "`IfExists` cannot be added to `Null`",
            "/Condition/NullIfExists",
        ),
        ({"Extra": 1}, "a statement has no element `Extra`", "/Extra"),
    ],
)
def test_a_malformed_statement_is_left_out(elements: dict[str, Any], reason: str, pointer: str) -> None:
    policy = parse_policy({"Statement": [DENY, {**DENY, **elements}]})
    assert [statement.index for statement in policy.statements if isinstance(statement, Statement)] == [0]
    (problem,) = policy.problems
    assert (problem.reason, problem.at.pointer) == (reason, f"/Statement/1{pointer}")


@pytest.mark.parametrize("name", ["Effect", "Principal", "Action", "Resource"])
def test_an_element_that_is_missing(name: str) -> None:
    statement = {key: value for key, value in DENY.items() if key != name}
    assert problems({"Statement": [statement]}) == [(f"`{name}` is missing", "/Statement/0")]


@pytest.mark.parametrize(
    ("condition", "reason", "pointer"),
    [
        ({"bool": {"a": "b"}}, "AWS does not document the spelling `bool`", "/bool"),
        ({"Bool": {"a": []}}, "AWS does not document an empty list of values for `a`", "/Bool/a"),
    ],
)
def test_what_aws_does_not_document_about_a_condition_is_unknown(
    condition: dict[str, Any], reason: str, pointer: str
) -> None:
    assert only(Condition=condition).conditions == (
        Unknown(reason, Place(f"/Statement/0/Condition{pointer}")),
    )


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, 10**5000, "\ud800", object(), {1: 2}, (1,), b"x"],
    ids=["nan", "infinity", "huge", "surrogate", "object", "key", "tuple", "bytes"],
)
def test_values_that_only_python_knows(value: Any) -> None:
    in_condition = {"Statement": {**DENY, "Condition": {"Bool": {"a": value}}}}
    for document in (value, {"Statement": value}, in_condition):
        parse_policy(document)


def test_deep_nesting_is_no_recursion() -> None:
    nested: Any = "s3:*"
    for _ in range(100_000):
        nested = [nested]
    assert problems({"Statement": {**DENY, "Action": nested}})


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("x" * 60, "x" * 60),
        ("x" * 61, "x" * 59 + "…"),
        ("a\nb\ud800", "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_a_message_shows_what_was_written_in_one_short_line(name: str, shown: str) -> None:
    ((reason, _),) = problems({"Statement": [], name: 1})
    assert reason == f"a policy has no element `{shown}`"


def test_what_python_cannot_print_is_named_by_its_type() -> None:
    assert problems(b"x") == [("a policy is a JSON object, and this is bytes", "")]
    ((reason, _),) = problems({"Statement": {**DENY, "Effect": 10**5000}})
    assert reason.endswith("not `int`")
