"""The values speak for themselves in messages, and equal what they should."""

from __future__ import annotations

from secure_bucket.policy import Condition, Hole, Place, Text, Unknown
from secure_bucket.policy.document import Quantifier


def test_a_condition_is_named_as_it_is_written() -> None:
    assert str(Condition("Bool", "aws:SecureTransport", ("false",))) == "Bool aws:SecureTransport"
    full = Condition("StringLike", "aws:TagKeys", ("x",), True, Quantifier.FOR_ALL_VALUES)
    assert str(full) == "ForAllValues:StringLikeIfExists aws:TagKeys"


def test_a_place_is_a_line_where_there_is_one() -> None:
    assert str(Place("/a", "t.yaml", 3, 5)) == "t.yaml:3:5"
    assert str(Place("/a", "t.yaml")) == "t.yaml"
    assert str(Place("/a")) == "/a"


def test_something_unknown_says_why_and_where() -> None:
    assert str(Unknown("nobody knows")) == "nobody knows"
    assert str(Unknown("nobody knows", Place("/a"))) == "nobody knows (/a)"


def test_a_hole_is_its_name_and_not_its_place_or_reason() -> None:
    hole = Hole("Reports", "generated", generated=True, at=Place("/a"))
    same = Hole("Reports", "why", generated=True, at=Place("/b"))
    assert hole == same
    assert hash(hole) == hash(same)
    assert hole != Hole("Reports", "generated")
    assert hole != Hole("Logs", "generated", generated=True)
    assert hole != "<Reports>"
    assert str(Text(("arn:aws:s3:::", hole, "/*"))) == "arn:aws:s3:::<Reports>/*"
