"""In which order clients move, and that no bucket gets lost on the way."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_bucket.findings.finding import Report
from secure_bucket.operations.audit.audit import Audit, Breaks, CannotTell, Safe
from secure_bucket.operations.plan import Client, Rollout, Wave, plan_rollout
from secure_bucket.operations.plan.order import order_moves
from tests.operations.plan.known import (
    NOW,
    PROVEN,
    REFUTED,
    UNDECIDED,
    audit_of,
    cut_off,
    declared,
    group,
    logged,
    report_of,
    running,
    with_clients,
)


def moves_of(needs: dict[str, list[str]]) -> list[tuple[list[str], list[str]]]:
    clients = {bucket: frozenset(Client(name, "") for name in names) for bucket, names in needs.items()}
    return [([client.requester for client in moved], list(freed)) for moved, freed in order_moves(clients)]


def test_the_bucket_that_waits_for_the_fewest_clients_comes_first() -> None:
    assert moves_of({"a": ["x", "y"], "b": ["z"]}) == [(["z"], ["b"]), (["x", "y"], ["a"])]


def test_of_clients_alike_the_one_that_frees_the_most_buckets_moves_first() -> None:
    needs = {"a": ["x"], "b": ["y"], "c": ["y"], "d": ["y"]}
    assert moves_of(needs) == [(["y"], ["b", "c", "d"]), (["x"], ["a"])]


def test_a_client_that_has_moved_is_waited_for_no_more() -> None:
    needs = {"a": ["x"], "b": ["x", "y"], "c": ["y", "z", "v"]}
    assert moves_of(needs) == [(["x"], ["a"]), (["y"], ["b"]), (["v", "z"], ["c"])]


needs_of = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=3),
    st.frozensets(st.sampled_from([Client(name, "") for name in "uvwxyz"]), min_size=1),
    max_size=12,
)


@given(needs_of)
def test_every_bucket_is_freed_once_and_when_all_of_its_clients_have_moved(
    needs: dict[str, frozenset[Client]],
) -> None:
    moved: set[Client] = set()
    freed: list[str] = []
    for clients, buckets in order_moves(needs):
        waiting = [needs[bucket] - moved for bucket in needs if bucket not in freed]
        # Greedy: no bucket could have been had for fewer clients.
        assert len(clients) == min(map(len, waiting))
        assert not moved & set(clients)
        moved |= set(clients)
        assert set(buckets) == {bucket for bucket in needs if bucket not in freed and needs[bucket] <= moved}
        freed += buckets
    assert sorted(freed) == sorted(needs)


@given(needs_of, st.randoms())
def test_the_order_does_not_depend_on_the_order_of_the_input(
    needs: dict[str, frozenset[Client]], random: object
) -> None:
    shuffled = list(needs.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert list(order_moves(needs)) == list(order_moves(dict(shuffled)))


def test_machines_of_one_requester_move_as_one_and_anonymous_ones_by_address() -> None:
    groups = [
        group(address="192.0.2.1"),
        group(address="192.0.2.2"),
        group(requester="-", address="192.0.2.1"),
        group(requester="-", address="192.0.2.2"),
    ]
    rollout = plan_rollout(
        review=report_of(running(REFUTED)), audit=audit_of(logged(Breaks(4, 48)), groups=groups), now=NOW
    )
    (move,) = rollout.moves
    assert [(client.requester[:3], client.address) for client in move.clients] == [
        ("-", "192.0.2.1"),
        ("-", "192.0.2.2"),
        ("arn", ""),
    ]
    fleet = rollout.buckets[0].clients[0]
    assert (fleet.requests, fleet.addresses) == (24, ("192.0.2.1", "192.0.2.2"))


def test_buckets_whose_clients_are_not_all_named_come_last() -> None:
    audit = cut_off(with_clients({"a": ["x"], "b": ["y"], "c": ["x", "y"]}), "a")
    review = report_of(*(running(REFUTED, name) for name in "abc"))
    rollout = plan_rollout(review=review, audit=audit, now=NOW)
    assert [(move.frees, move.whole) for move in rollout.moves] == [
        (("b",), True),
        (("c",), True),
        (("a",), False),
    ]
    assert [bucket.move for bucket in rollout.buckets] == [1, 2, 3]


def test_a_bucket_with_one_client_that_is_not_named_waits_for_it_as_well() -> None:
    audit = audit_of(logged(Breaks(2, 20)), groups=[group(requests=12)])
    rollout = plan_rollout(review=report_of(running(REFUTED)), audit=audit, now=NOW)
    assert rollout.buckets[0].unnamed == 8
    (move,) = rollout.moves
    assert (len(move.clients), move.frees, move.whole) == (1, ("reports",), False)


names = st.sampled_from(["a", "b", "c", "d", ""])
verdicts = st.sampled_from([PROVEN, REFUTED, UNDECIDED])


@st.composite
def sources(draw: st.DrawFn) -> tuple[Report | None, Report | None, Audit | None]:
    templates = [
        declared(draw(verdicts), draw(names), logical_id=f"Bucket{number}")
        for number in range(draw(st.integers(0, 4)))
    ]
    ids = [bucket.logical_id for bucket in templates]
    check = report_of(
        *templates,
        websites=draw(st.lists(st.sampled_from(ids), unique=True)) if ids else (),
        excepted=draw(st.lists(st.sampled_from(ids), unique=True)) if ids else (),
    )
    live = [
        running(draw(verdicts), name)
        for name in draw(st.lists(st.sampled_from("abcde"), unique=True, max_size=5))
    ]
    answers = st.sampled_from([Safe(), Breaks(1, 12), CannotTell(("too short",))])
    said = draw(st.dictionaries(st.sampled_from("abcdef"), answers, max_size=5))
    ended = draw(st.integers(0, 12))
    audit = audit_of(
        *(logged(answer, name, ended=ended) for name, answer in said.items()),
        groups=[group(name) for name in draw(st.lists(st.sampled_from("abcdef"), unique=True))],
    )
    return check, report_of(*live), audit


@settings(max_examples=300)
@given(sources())
def test_every_bucket_is_in_exactly_one_wave(
    given_: tuple[Report, Report, Audit],
) -> None:
    check, review, audit = given_
    known = {bucket.subject.name for bucket in (*check.buckets, *review.buckets)}
    known = (known | {bucket.name for bucket in audit.buckets}) - {""}
    nameless = sum(not bucket.subject.name for bucket in check.buckets)
    if not known and not nameless:
        return
    rollout = plan_rollout(check=check, review=review, audit=audit, now=NOW)
    in_waves = [bucket for wave in Wave for bucket in rollout.wave(wave)]
    assert in_waves == list(rollout.buckets)
    assert sorted(bucket.name for bucket in in_waves if bucket.name) == sorted(known)
    assert sum(not bucket.name for bucket in in_waves) == nameless
    freed = [name for move in rollout.moves for name in move.frees]
    assert sorted(freed) == sorted(bucket.name for bucket in rollout.wave(Wave.CLIENTS))
    assert plan_rollout(check=check, review=review, audit=audit, now=NOW) == rollout


def big(number: int) -> Rollout:
    """Return the plan of many buckets: half of them break, each for some of a thousand clients."""
    needs = {
        f"bucket-{index:05}": [f"role-{(index * step) % 1000}" for step in range(1, 2 + index % 5)]
        for index in range(0, number, 2)
    }
    review = report_of(*(running(REFUTED, f"bucket-{index:05}") for index in range(number)))
    return plan_rollout(
        review=review, audit=with_clients({k: sorted(set(v)) for k, v in needs.items()}), now=NOW
    )


@pytest.mark.slow
def test_twenty_thousand_buckets_are_planned_in_seconds() -> None:
    start = time.perf_counter()
    rollout = big(20_000)
    assert len(rollout.buckets) == 20_000
    assert len(rollout.wave(Wave.CLIENTS)) == 10_000
    assert time.perf_counter() - start < 60
