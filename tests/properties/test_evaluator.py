"""What has to hold of the evaluator, whatever the policy and the request are."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from secure_bucket.policy import Request, parse_policy
from secure_bucket.policy.evaluate import evaluate
from secure_bucket.policy.pattern import matches, read_pattern
from tests.properties.strategies import Json, loose_statements, policies, requests
from tests.properties.test_prover import ANYTHING

GLOBS = st.text(alphabet="ab*?[]\\.\n{$", max_size=8)
TEXTS = st.text(alphabet="ab*?[]\\.\n{$", max_size=8)


@given(GLOBS, TEXTS)
def test_a_glob_is_the_regular_expression_it_stands_for(glob: str, text: str) -> None:
    parts = {"*": ".*", "?": "."}
    expression = "".join(parts.get(character, re.escape(character)) for character in glob)
    assert matches(read_pattern(glob), text) is bool(re.fullmatch(expression, text, re.DOTALL))


@given(GLOBS, st.data())
def test_a_glob_matches_what_is_made_from_it(glob: str, data: st.DataObject) -> None:
    filled = re.sub(r"\*", lambda _: data.draw(TEXTS), glob)
    filled = re.sub(r"\?", lambda _: data.draw(st.sampled_from("ab/\n*")), filled)
    assert matches(read_pattern(glob), filled)


@given(ANYTHING, requests())
def test_any_json_value_is_read_and_evaluated(value: Any, request_: Request) -> None:
    read = parse_policy(value)
    assert evaluate(value, request_) is evaluate(read, request_)


@given(policies(), requests())
def test_a_policy_denies_what_one_of_its_statements_denies(
    policy: dict[str, Json], request_: Request
) -> None:
    alone = [evaluate({**policy, "Statement": piece}, request_) for piece in policy["Statement"]]
    assert evaluate(policy, request_) is any(alone)


@given(loose_statements(), requests())
def test_a_negated_element_is_the_complement(piece: dict[str, Json], request_: Request) -> None:
    bare = {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}
    for name in ("Action", "Resource"):
        value = piece.get(name, piece.get(f"Not{name}"))
        rest = {key: whole for key, whole in bare.items() if key != name}
        positive = evaluate({"Statement": {**rest, name: value}}, request_)
        negative = evaluate({"Statement": {**rest, f"Not{name}": value}}, request_)
        assert positive is not negative
