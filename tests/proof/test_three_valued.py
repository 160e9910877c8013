"""What the third value does in the logic, and beside variables without a value."""

from __future__ import annotations

import pytest

from secure_bucket.policy.variables import Variable
from secure_bucket.proof.three_valued import Depends, Tri, all_of, any_of, negate, unless_void
from secure_bucket.values.unknown import Place, Unknown

AT = Place("/Statement/0")
UNKNOWN = Unknown("it is a parameter", AT)
DEPENDS = Depends("it depends on the request", AT)
NAME = Variable("aws:username")


@pytest.mark.parametrize(
    ("parts", "some", "every"),
    [
        ([], False, True),
        ([True, False], True, False),
        ([True, UNKNOWN], True, UNKNOWN),
        ([False, UNKNOWN], UNKNOWN, False),
        ([DEPENDS, UNKNOWN], UNKNOWN, UNKNOWN),
        ([UNKNOWN, DEPENDS], UNKNOWN, UNKNOWN),
        ([DEPENDS, False], DEPENDS, False),
    ],
)
def test_what_a_request_cannot_settle_goes_before_what_it_can(
    parts: list[Tri], some: Tri, every: Tri
) -> None:
    assert any_of(parts) == some
    assert all_of(parts) == every


def test_the_negation_of_what_is_unknown_is_unknown() -> None:
    assert negate(UNKNOWN) is UNKNOWN
    assert negate(True) is False


@pytest.mark.parametrize("found", [False, UNKNOWN])
def test_a_variable_changes_no_answer_but_a_match(found: Tri) -> None:
    assert unless_void(found, [NAME], AT, UNKNOWN) is found


def test_a_match_beside_a_variable_that_may_have_no_value_depends_on_the_request() -> None:
    answer = unless_void(True, [Variable("aws:userid"), NAME], AT)
    assert isinstance(answer, Depends)
    assert answer == Depends("AWS says two things of a statement whose `${aws:username}` has no value", AT)


@pytest.mark.parametrize("variable", [Variable("aws:userid"), Variable("aws:username", "nobody")])
def test_a_match_beside_a_variable_with_a_value_is_a_match(variable: Variable) -> None:
    assert unless_void(True, [variable], AT) is True


def test_a_match_beside_an_undocumented_variable_is_unknown() -> None:
    assert unless_void(True, [], AT, UNKNOWN) is UNKNOWN
