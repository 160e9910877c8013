"""Comparing texts with holes: `None` wherever the holes decide."""

from __future__ import annotations

import pytest

from secure_bucket.template.text import compare, concatenate, dynamic_references
from secure_bucket.values.unknown import Hole, Text

A, B = Hole("A", "unknown"), Hole("B", "unknown")
MADE, OTHER = Hole("Made", "made up", generated=True), Hole("Other", "made up", generated=True)


def text(*parts: str | Hole) -> str | Text:
    return concatenate(parts)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (text("a"), text("a"), True),
        (text("a"), text("b"), False),
        (text(""), text(""), True),
        (text(A), text(A), True),
        (text(A), text(B), None),
        (text(A), text("a"), None),
        (text(A), text(""), None),
        (text("x-", A), text("x-", A), True),
        (text("x-", A), text("y-", A), False),
        (text("x-", A), text("x-", A, "-z"), False),
        (text("x-", A), text("x"), False),
        (text("x-", A), text("x-y"), None),
        (text(A, "-z"), text("x-y"), False),
        (text(A, "-z"), text("x-z"), None),
        (text("a", A, "b"), text("a", B, "b"), None),
        (text("a", A, "b"), text("a", A, "b", B), None),
        (text(MADE), text("a"), False),
        (text(MADE), text(OTHER), False),
        (text(MADE), text(MADE), True),
        (text(MADE), text(A), None),
        (text(MADE), text(""), False),
        (text("x", MADE), text("x"), False),
        (text("x", A), text("x"), None),
    ],
)
def test_texts_are_compared_as_far_as_they_are_known(
    first: str | Text, second: str | Text, same: bool | None
) -> None:
    assert compare(first, second) is same
    assert compare(second, first) is same


def test_a_dynamic_reference_is_a_hole_even_around_another_hole() -> None:
    result = dynamic_references(text("a {{resolve:ssm:/", A, "/b}} c"))
    assert str(result) == "a <{{resolve:ssm:%2F<A>%2Fb}}> c"
    assert isinstance(result, Text)
    assert [type(part).__name__ for part in result.parts] == ["str", "Hole", "str"]


def test_an_open_dynamic_reference_is_text() -> None:
    assert dynamic_references("{{resolve:ssm:x") == "{{resolve:ssm:x"
