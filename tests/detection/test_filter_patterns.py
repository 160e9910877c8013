"""The evaluator of filter patterns that the tests use, held to what AWS documents."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.detection.filter_patterns import PatternError, matches

# The two examples of *Using filter patterns to match terms in JSON log events*, and what is said of each.
EVENT: dict[str, Any] = {
    "eventType": "UpdateTrail",
    "sourceIPAddress": "111.111.111.111",
    "arrayKey": ["value", "another value"],
    "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
    "SomeObject": None,
    "cluster.name": "c",
}
USERS: dict[str, Any] = {
    "user": {"id": 1, "email": "John.Stiles@example.com"},
    "users": [{"id": 2, "email": "John.Doe@example.com"}, {"id": 3, "email": "Jane.Doe@example.com"}],
    "actions": ["GET", "PUT", "DELETE"],
    "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]],
}


@pytest.mark.parametrize(
    ("event", "pattern", "expected"),
    [
        (EVENT, '{ $.eventType = "UpdateTrail" }', True),
        (EVENT, "{ $.sourceIPAddress != 123.123.* }", True),
        (EVENT, "{ $.sourceIPAddress != 111.111.* }", False),
        (EVENT, '{ $.arrayKey[0] = "value" }', True),
        (EVENT, "{ $.objectList[1].id = 2 }", True),
        (EVENT, "{ $.SomeObject IS NULL }", True),
        (EVENT, "{ $.SomeOtherObject NOT EXISTS }", True),
        (EVENT, "{ $.eventType NOT EXISTS }", False),
        (EVENT, "{ $.SomeOtherObject.field NOT EXISTS }", True),
        (USERS, '{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }', True),
        (
            USERS,
            '{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch" '
            '&& $.actions[2] = "nonmatch" }',
            True,
        ),
        (
            USERS,
            '{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch") '
            '&& $.actions[2] = "nonmatch" }',
            False,
        ),
        (USERS, '{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }', False),
        (USERS, "{ $.user.id >= 1 && $.user.id < 2 }", True),
    ],
)
def test_the_examples_of_the_documentation(event: dict[str, Any], pattern: str, expected: bool) -> None:
    assert matches(pattern, event) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "{ }",
        "{ $.a = 1",
        "{ $.a = 1 } }",
        "{ ($.a = 1 }",
        "{ $.a }",
        "{ $.a EXISTS }",
        "{ $.a IS NOT NULL }",
        "{ $.missing != 1 }",
        f'{{ $.a = "{"x" * 1024}" }}',
    ],
)
def test_what_is_no_pattern_or_not_documented_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        matches(pattern, {"a": 1})


@st.composite
def patterns(draw: st.DrawFn) -> str:
    def comparison() -> str:
        field = draw(st.sampled_from("abc"))
        return f'$.{field} {draw(st.sampled_from(["=", "!="]))} "{draw(st.sampled_from("xy"))}"'

    def part(depth: int) -> str:
        if depth == 0 or draw(st.booleans()):
            return comparison()
        left, right = part(depth - 1), part(depth - 1)
        return f"({left} {draw(st.sampled_from(['&&', '||']))} {right})"

    return f"{{ {part(3)} }}"


@settings(deadline=None, max_examples=40)
@given(pattern=patterns(), event=st.fixed_dictionaries({field: st.sampled_from("xy") for field in "abc"}))
def test_another_implementation_agrees_where_it_has_the_words(pattern: str, event: dict[str, str]) -> None:
    matcher = pytest.importorskip(
        "aws_json_term_matcher.matcher", reason="`aws-json-term-matcher` is not installed"
    )
    assert matches(pattern, event) is matcher.match(event, pattern)
