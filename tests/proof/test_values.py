"""The values of a condition key: one of each class that a policy tells apart."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from secure_bucket.policy import parse_policy
from secure_bucket.policy.document import Statement
from secure_bucket.policy.principal import Kind
from secure_bucket.proof.comparison import Comparison
from secure_bucket.proof.compiled_deny import compile_deny
from secure_bucket.proof.keys import Availability
from secure_bucket.proof.language import Budget
from secure_bucket.proof.shapes import shapes_of
from secure_bucket.proof.values import KeyValue, values_of
from tests.proof.test_prove import deny, policy


def comparisons_of(condition: Any) -> list[Comparison]:
    parsed = parse_policy(policy(deny(Condition=condition)))
    statements = [one for one in parsed.statements if isinstance(one, Statement)]
    return [one for each in statements for one in compile_deny(each, parsed.version).comparisons]


def values(
    name: str,
    condition: Any,
    presence: Availability = Availability.ALWAYS,
    kind: Kind = Kind.USER,
    below: str = "1.2",
) -> list[KeyValue]:
    key = name.lower()
    shapes = shapes_of(key, kind, "aws")
    budget = Budget(100_000)
    found = values_of(
        key, comparisons_of(condition), presence, shapes, tls_below=Fraction(below), budget=budget
    )
    return list(found)


@pytest.mark.parametrize(
    ("operator", "name", "asked", "certain", "doubtful"),
    [
        ("NumericLessThan", "s3:max-keys", "5", ["6", "0", "1", "5"], []),
        ("NumericLessThan", "s3:max-keys", ["5", "6"], ["7", "0", "1", "5", "6"], ["5.5"]),
        ("NumericLessThan", "s3:max-keys", "-3", ["1", "0"], []),
        ("NumericLessThan", "s3:TlsVersion", "1.1", ["1.0", "1.1"], ["1.05", "1.15", "0"]),
        ("NumericEquals", "ec2:RoleDelivery", "1.0", ["2.0", "1.0"], ["2", "1", "0"]),
        ("Bool", "aws:ViaAWSService", "true", ["false", "true"], []),
        (
            "IpAddress",
            "aws:SourceIp",
            ["10.0.0.0/8", "2001:db8::/32"],
            ["203.0.113.7", "0.0.0.0", "10.0.0.0", "2001:db8::7", "::", "2001:db9::"],
            [],
        ),
        (
            "DateLessThan",
            "aws:CurrentTime",
            "2030-01-01T00:00:00Z",
            [
                *("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", "2030-01-01T00:00:00Z"),
                *("2030-01-02T00:00:00Z", "9999-12-31T23:59:59Z"),
            ],
            [],
        ),
        (
            "DateLessThan",
            "aws:TokenIssueTime",
            "2030-01-01T00:00:00Z",
            [
                *("1970-01-01T00:00:00Z", "1970-01-02T00:00:00Z", "2030-01-01T00:00:00Z"),
                *("2030-01-02T00:00:00Z", "9999-12-31T23:59:59Z"),
            ],
            ["1969-12-31T00:00:00Z"],
        ),
        ("StringEquals", "aws:PrincipalTag/a", "x", ["example", "x", ""], [""]),
        ("StringLike", "s3:prefix", "a*", ["reports/", "a"], ["", ""]),
        ("StringEqualsIgnoreCase", "s3:prefix", "ks", ["reports/", "KS", "\u212as", "k\u017f"], ["", ""]),
        ("StringEquals", "s3:x-amz-metadata-directive", "COPY", ["COPY", "REPLACE"], ["e", "COPY"]),
        ("StringEquals", "aws:PrincipalOrgID", "o-1", ["o-example", "o-1"], ["e", "o-1"]),
        ("StringEquals", "aws:SourceVpc", "vpc-1", ["vpc-0example", "vpc-1"], ["e", "vpc-1"]),
        ("StringEquals", "aws:SourceVpc", "${aws:username}", ["vpc-0example"], ["e", "alice"]),
        (
            "StringEquals",
            "aws:SourceVpc",
            "vpc-${aws:username}",
            ["vpc-0example", "vpc-alice"],
            ["e", "vpc-"],
        ),
        (
            "StringEquals",
            "aws:SourceVpc",
            "${aws:username, 'vpc-9'}",
            ["vpc-0example", "vpc-9"],
            ["e", "alice"],
        ),
        (
            "ArnLike",
            "aws:SourceArn",
            "arn:aws:s3:::${aws:username}",
            [
                *("arn:aws:sns:us-east-1:111122223333:example", "arn:aws:e:::e", "arn:aws:s3:::e"),
                "arn:aws:s3:::alice",
            ],
            ["arn:::::e", "arn:aws:s3:::e"],
        ),
        ("StringLike", "aws:userid", "AIDA1*", ["AIDAEXAMPLE", "AIDA1"], ["e", "AIDA1"]),
        ("StringLike", "aws:PrincipalAccount", "1*", ["111122223333", "211111111111"], ["e", "1"]),
        (
            "ArnLike",
            "aws:SourceArn",
            "arn:aws:s3:::b",
            ["arn:aws:sns:us-east-1:111122223333:example", "arn:aws:e:::e", "arn:aws:s3:::b"],
            ["arn:::::e", "arn:aws:s3:::b"],
        ),
        (
            "ForAnyValue:StringEquals",
            "aws:TagKeys",
            "a",
            ["team", "a", ("team", "a")],
            ["", "", (), (), ("", "team"), ("", "a"), ("", "team", "a")],
        ),
        ("StringEquals", "s3:NoSuchKey", "a", [], ["", "", "example"]),
        ("NumericLessThan", "s3:NoSuchKey", "5", [], ["", "", "example"]),
    ],
)
def test_each_class_has_a_value(
    operator: str, name: str, asked: object, certain: list[object], doubtful: list[object]
) -> None:
    found = values(name, {operator: {name: asked}})
    assert [value.observed for value in found if not value.doubtful] == certain
    assert [value.observed for value in found if value.doubtful] == doubtful


def test_null_may_take_an_empty_value_for_an_absent_one() -> None:
    found = values("s3:prefix", {"StringLike": {"s3:prefix": "a*"}})
    assert [value.void for value in found if value.observed == ""] == [False, True]
    assert not any(value.void for value in found if value.observed)


def test_an_empty_tag_is_doubtful_only_where_null_asks() -> None:
    tag = "aws:PrincipalTag/a"
    asked = values(tag, {"Null": {tag: "true"}, "StringLike": {tag: "x*"}})
    assert all(value.doubtful for value in asked if value.observed == "")


def test_a_key_that_the_table_lacks_may_hold_anything() -> None:
    assert values("s3:NoSuchKey", {"StringEquals": {"s3:NoSuchKey": "a"}})[-1] == KeyValue(
        "example", doubtful=True, opaque=True
    )


def test_many_members_of_a_list_stand_for_others_too() -> None:
    name = "aws:TagKeys"
    found = values(name, {"ForAnyValue:StringEquals": {name: [f"tag-{number}" for number in range(7)]}})
    assert [value.observed for value in found if value.opaque] == ["example"]
    assert max(len(value.observed) for value in found if isinstance(value.observed, tuple)) == 7
    few = values(name, {"ForAnyValue:StringEquals": {name: [f"tag-{number}" for number in range(5)]}})
    assert not any(value.opaque for value in few)


def test_older_versions_of_tls_are_those_below_the_claim() -> None:
    found = values("s3:TlsVersion", {"NumericLessThan": {"s3:TlsVersion": "1.2"}}, below="1.3")
    assert [value.observed for value in found if not value.doubtful] == ["1.0", "1.1", "1.2"]
    assert all(Fraction(str(value.observed)) < Fraction("1.3") for value in found)


@pytest.mark.parametrize(
    ("kind", "certain"),
    [(Kind.USER, "AIDA1"), (Kind.ROLE, None), (Kind.SERVICE, None)],
)
def test_the_unique_id_is_that_of_the_kind(kind: Kind, certain: str | None) -> None:
    found = values("aws:userid", {"StringEquals": {"aws:userid": "AIDA1"}}, kind=kind)
    assert (certain in [value.observed for value in found if not value.doubtful]) == (certain is not None)


def test_the_name_of_a_session_has_two_characters_at_least() -> None:
    found = values("aws:userid", {"StringLike": {"aws:userid": ["AROA?:?", "AROA?:??"]}}, kind=Kind.ROLE)
    texts = [str(value.observed) for value in found if not value.doubtful]
    assert min(len(text.partition(":")[2]) for text in texts) == 2


@pytest.mark.parametrize(
    ("presence", "absent", "present"),
    [
        (Availability.ALWAYS, None, False),
        (Availability.NEVER, False, None),
        (Availability.FREE, False, False),
        (Availability.ABSENT_RATHER, False, True),
        (Availability.PRESENT_RATHER, True, False),
        (Availability.PRESENT_SOMEHOW, None, True),
    ],
)
def test_presence_decides_which_values_there_are(
    presence: Availability, absent: bool | None, present: bool | None
) -> None:
    found = values("aws:ViaAWSService", {"Bool": {"aws:ViaAWSService": "true"}}, presence)
    without = [] if absent is None else [KeyValue(None, absent)]
    assert found == without + [KeyValue(text, present) for text in ("false", "true") if present is not None]
