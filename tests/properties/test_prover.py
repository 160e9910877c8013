"""What has to hold of the prover, whatever the policy is.

`evaluate` is the reference: it shares no code with the prover.
"""

from __future__ import annotations

import json
import random
from itertools import islice
from typing import Any

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from secure_bucket.policy import Policy, parse_policy
from secure_bucket.policy.evaluate import evaluate
from secure_bucket.proof import Proven, Refuted, Undecided, Verdict, prove_denies_http
from tests.cases.request_space import BUCKET, faults
from tests.properties.strategies import Json, loose_statements, policies, requests, small_space

pytestmark = pytest.mark.slow


def prove(policy: object) -> Verdict:
    verdict = prove_denies_http(policy, bucket_arn=BUCKET)
    event(type(verdict).__name__)
    return verdict


@given(policies())
def test_every_counterexample_is_a_request_that_exists_and_is_not_denied(policy: dict[str, Json]) -> None:
    verdict = prove(policy)
    if isinstance(verdict, Refuted):
        assert not evaluate(policy, verdict.request)
        assert faults(verdict.request, policy) == []


@given(policies(), st.lists(requests(), min_size=20, max_size=60))
def test_proven_survives_random_requests(policy: dict[str, Json], asked: list[Any]) -> None:
    if isinstance(prove(policy), Proven):
        read = parse_policy(policy)
        assert [request for request in asked if not evaluate(read, request)] == []


@given(policies())
def test_proven_survives_every_request_of_a_small_space(policy: dict[str, Json]) -> None:
    if isinstance(prove(policy), Proven):
        read = parse_policy(policy)
        assert [
            request for request in islice(small_space(policy), 3_000) if not evaluate(read, request)
        ] == []


@given(policies())
def test_no_policy_of_these_words_is_undecided_unless_it_says_why(policy: dict[str, Json]) -> None:
    verdict = prove(policy)
    if isinstance(verdict, Undecided):
        assert verdict.reasons
        assert all(reason.reason for reason in verdict.reasons)


@given(policies(), loose_statements())
def test_adding_a_deny_keeps_proven(policy: dict[str, Json], further: dict[str, Json]) -> None:
    assume(isinstance(prove(policy), Proven))
    more = {**policy, "Statement": [*policy["Statement"], {**further, "Effect": "Deny"}]}
    assert isinstance(prove(more), Proven)


@given(policies(), st.data())
def test_removing_a_deny_never_turns_refuted_into_proven(
    policy: dict[str, Json], data: st.DataObject
) -> None:
    assume(isinstance(prove(policy), Refuted))
    lost = data.draw(st.integers(0, len(policy["Statement"]) - 1))
    rest = [piece for index, piece in enumerate(policy["Statement"]) if index != lost]
    assert not isinstance(prove({**policy, "Statement": rest}), Proven)


@given(policies(), st.randoms(use_true_random=False))
def test_spelling_changes_nothing(policy: dict[str, Json], chance: random.Random) -> None:
    assert type(prove(respelled(policy, chance))) is type(prove(policy))


@given(policies())
def test_a_parsed_policy_is_judged_like_its_document(policy: dict[str, Json]) -> None:
    read = parse_policy(policy)
    assert isinstance(read, Policy)
    assert prove(read) == prove(policy)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
WORDS = st.sampled_from(
    [
        *("Version", "2012-10-17", "Statement", "Effect", "Deny", "Principal", "NotPrincipal", "AWS", "*"),
        *(
            "Action",
            "NotAction",
            "s3:*",
            "Resource",
            "NotResource",
            BUCKET,
            f"{BUCKET}/*",
            "Condition",
            "Bool",
        ),
        *("Bool", "Null", "StringLike", "ForAllValues:Bool", "BoolIfExists", "aws:SecureTransport", "false"),
        *("${aws:username", "\N{KELVIN SIGN}", chr(0xD800), chr(0)),
    ]
)
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    SCALARS | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(), inner, max_size=5),
    max_leaves=30,
)


@given(ANYTHING)
def test_any_json_value_gets_a_verdict(value: Any) -> None:
    assert isinstance(prove(value), (Refuted, Undecided))


@given(policies(), ANYTHING, st.data())
def test_a_policy_with_anything_in_it_gets_a_verdict_that_holds(
    policy: dict[str, Json], value: Any, data: st.DataObject
) -> None:
    broken = json.loads(json.dumps(policy))
    piece: Any = broken
    for _ in range(data.draw(st.integers(1, 5))):
        options = list(piece) if isinstance(piece, dict) else list(range(len(piece)))
        if not options:
            break
        at = data.draw(st.sampled_from(options))
        if isinstance(piece[at], (dict, list)) and data.draw(st.booleans()):
            piece = piece[at]
        else:
            piece[at] = value
            break
    verdict = prove(broken)
    if isinstance(verdict, Refuted):
        assert not evaluate(broken, verdict.request)


def respelled(policy: dict[str, Json], chance: random.Random) -> dict[str, Json]:
    """Return the same policy in other letters: order, lists, case, Booleans and numbers."""
    pieces = [_respelled_statement(piece, chance) for piece in policy["Statement"]]
    chance.shuffle(pieces)
    statement: Json = pieces[0] if len(pieces) == 1 and chance.random() < 0.5 else pieces
    items = [("Version", policy["Version"]), ("Statement", statement)]
    chance.shuffle(items)
    return dict(items)


def _respelled_statement(piece: dict[str, Json], chance: random.Random) -> dict[str, Json]:
    items = []
    for name, value in piece.items():
        if name in ("Action", "NotAction"):
            value = _other_list(value, chance, lambda text: chance.choice((text, text.upper(), text.lower())))
        elif name in ("Resource", "NotResource"):
            value = _other_list(value, chance, str)
        elif name == "Condition":
            value = {
                operator: {
                    chance.choice((key, key.upper(), key.lower())): _other_values(operator, written, chance)
                    for key, written in _shuffled(keys, chance)
                }
                for operator, keys in _shuffled(value, chance)
            }
        items.append((name, value))
    chance.shuffle(items)
    return dict(items)


def _other_values(operator: str, written: Json, chance: random.Random) -> Json:
    def other(text: str) -> Json:
        if operator.startswith(("Bool", "Null")) and text in ("true", "false") and chance.random() < 0.5:
            return text == "true"
        if operator.startswith("Numeric") and chance.random() < 0.5:
            return float(text)
        return text

    return _other_list(written, chance, other)


def _other_list(value: Json, chance: random.Random, other: Any) -> Json:
    values = [other(entry) for entry in (value if isinstance(value, list) else [value])]
    chance.shuffle(values)
    if len(values) == 1 and chance.random() < 0.5:
        return values[0]
    return values + values[:1] if chance.random() < 0.3 else values


def _shuffled(keys: dict[str, Json], chance: random.Random) -> list[tuple[str, Json]]:
    items = list(keys.items())
    chance.shuffle(items)
    return items
