"""The classes of a set of patterns are found exactly: a comparison with regular expressions."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure_bucket.proof.language import DIGITS, NAME, Budget, Stage, TooComplex, representatives
from secure_bucket.proof.pattern import compile_pattern

PATTERNS = st.lists(st.text("ab*?", min_size=1, max_size=5), min_size=1, max_size=4)
PLENTY = 10_000_000


def signature(patterns: list[str], text: str) -> tuple[bool, ...]:
    expressions = ("".join({"*": ".*", "?": "."}.get(one, one) for one in pattern) for pattern in patterns)
    return tuple(re.fullmatch(expression, text, re.DOTALL) is not None for expression in expressions)


@given(PATTERNS)
def test_every_class_of_short_strings_has_a_representative(patterns: list[str]) -> None:
    compiled = [compile_pattern(pattern, wild=True) for pattern in patterns]
    found = {
        signature(patterns, text) for (text,) in representatives((Stage(),), compiled, [], Budget(PLENTY))
    }

    short = ("".join(letters) for length in range(1, 6) for letters in product("abx", repeat=length))
    assert {signature(patterns, text) for text in short} <= found


@given(PATTERNS)
def test_no_class_is_represented_twice(patterns: list[str]) -> None:
    compiled = [compile_pattern(pattern, wild=True) for pattern in patterns]
    found = [
        signature(patterns, text) for (text,) in representatives((Stage(),), compiled, [], Budget(PLENTY))
    ]
    assert len(found) == len(set(found))


def test_representatives_are_shortest_where_no_seed_is_of_their_class() -> None:
    patterns = [compile_pattern(pattern, wild=True) for pattern in ("*.txt", "private/*")]
    found = [text for (text,) in representatives((Stage(),), patterns, [("report.csv",)], Budget(PLENTY))]
    assert found == ["report.csv", ".txt", "private/", "private/.txt"]


def test_the_parts_of_a_shape_are_told_apart_together_with_the_whole() -> None:
    account = Stage(allowed=DIGITS, least=12, most=12, patterns=(compile_pattern("111122223333"),))
    shape = (Stage("arn:aws:iam::"), account, Stage(":role/"), Stage(allowed=NAME))
    whole = [compile_pattern("arn:aws:iam::*:role/Admin*", wild=True)]
    found = {
        (account == "111122223333", name.startswith("Admin"))
        for _, account, _, name in representatives(shape, whole, [], Budget(PLENTY))
    }
    assert found == {(True, True), (True, False), (False, True), (False, False)}


def test_case_is_told_apart_only_where_a_pattern_does() -> None:
    patterns = [compile_pattern("Alice"), compile_pattern("alice", fold=True)]
    found = [text for (text,) in representatives((Stage(),), patterns, [], Budget(PLENTY))]
    assert len(found) == 3  # exactly `Alice`, the same in another case, something else
    assert "Alice" in found


def test_the_budget_ends_an_exponential_set_of_patterns() -> None:
    patterns = [compile_pattern(f"*a{'?' * count}", wild=True) for count in range(40)]
    with pytest.raises(TooComplex, match="10,000 steps"):
        list(representatives((Stage(),), patterns, [("report.csv",)], Budget(10_000)))


@pytest.mark.parametrize(
    ("stage", "familiar", "is_of_the_shape"),
    [
        (Stage(least=2, most=3), "a", False),
        (Stage(least=2, most=3), "ab", True),
        (Stage(least=2, most=3), "abc", True),
        (Stage(least=2, most=3), "abcd", False),
        (Stage(), "abcdefgh", True),
        (Stage(allowed=DIGITS), "12a", False),
        (Stage(allowed=DIGITS), "129", True),
        (Stage("fixed"), "fixed", True),
        (Stage("fixed"), "other", False),
    ],
)
def test_a_familiar_string_is_used_only_if_it_has_the_shape(
    stage: Stage, familiar: str, is_of_the_shape: bool
) -> None:
    seeds = [("head", familiar)]
    first, *_ = representatives((Stage("head"), stage), [], seeds, Budget(PLENTY))
    assert (first == ("head", familiar)) is is_of_the_shape


@pytest.mark.parametrize(("longest", "expected"), [(2, [False]), (3, [False, True]), (4, [False, True])])
def test_only_the_free_parts_count_for_the_length(longest: int, expected: list[bool]) -> None:
    shape = (Stage("a long fixed text"), Stage())
    patterns = [compile_pattern("*xyz", wild=True)]
    found = representatives(shape, patterns, [], Budget(PLENTY), longest=longest)
    assert sorted(text.endswith("xyz") for _, text in found) == expected


def test_a_part_keeps_its_smallest_and_largest_length() -> None:
    patterns = [compile_pattern("?" * count, wild=True) for count in range(1, 7)]
    found = representatives((Stage(least=2, most=4),), patterns, [], Budget(PLENTY))
    assert sorted(len(text) for (text,) in found) == [2, 3, 4]


def test_the_budget_counts_what_was_spent() -> None:
    budget = Budget(10)
    budget.spend(4)
    assert budget.left == 6
    assert budget.affords(6)
    assert not budget.affords(1)
    with pytest.raises(TooComplex, match="more than 10 steps"):
        budget.spend(1)
