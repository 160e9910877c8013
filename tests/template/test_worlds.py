"""A world fixes only what a question depends on."""

from __future__ import annotations

import pytest

from secure_bucket.template.worlds import (
    MAX_WORLDS,
    PARTITION,
    REGION,
    Fork,
    Infeasible,
    TooManyWorlds,
    World,
    explore,
    partition_of,
)
from secure_bucket.values.unknown import Hole, Text, Unknown

STAGE = Hole("Stage", "it is a parameter")
NAME = Hole("Reports", "CloudFormation makes it up", generated=True)


def test_a_question_that_depends_on_nothing_is_asked_once() -> None:
    assert [answer for _, answer in explore(lambda world: 1)] == [1]


def test_a_question_is_asked_for_the_text_and_for_every_other() -> None:
    answers = {
        tuple(world.describe().items()): answer
        for world, answer in explore(lambda world: world.equals(STAGE, "a"))
    }
    assert answers == {(("Stage", "a"),): True, (("Stage", "other than `a`"),): False}


def test_listed_values_are_asked_for_one_by_one() -> None:
    asked = list(explore(lambda world: world.choose(STAGE, ("a", "b", "a"))))
    assert [answer for _, answer in asked] == ["a", "b"]


def test_the_last_value_of_a_list_is_known() -> None:
    worlds = [world for world, _ in explore(lambda world: world.equals(STAGE, "a", ("a", "b")))]
    assert [world.values[STAGE] for world in worlds] == ["a", "b"]


def test_a_value_that_is_not_listed_is_no_world() -> None:
    def question(world: World) -> tuple[bool, bool]:
        return world.equals(STAGE, "a", ("a",)), world.equals(STAGE, "b", ("a",))

    assert [answer for _, answer in explore(question)] == [(True, False)]


def test_a_made_up_name_equals_no_text() -> None:
    assert World().equals(NAME, "reports") is False


def test_a_fact_is_true_or_false() -> None:
    assert [answer for _, answer in explore(lambda world: world.holds("x"))] == [True, False]


def test_a_region_fixes_its_partition() -> None:
    world = World().assign(REGION, "cn-north-1")
    assert world is not None
    assert world.values[PARTITION] == "aws-cn"
    assert world.assign(REGION, "us-east-1") is None


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("us-east-1", "aws"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("us-isof-south-1", "aws-iso-f"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("eusc-de-east-1", "aws-eusc"),
        ("cn-northwest-1", "aws-cn"),
    ],
)
def test_the_name_of_a_region_tells_its_partition(region: str, partition: str) -> None:
    assert partition_of(region) == partition


def test_too_many_worlds_are_given_up() -> None:
    holes = [Hole(f"P{number}", "it is a parameter") for number in range(12)]
    with pytest.raises(TooManyWorlds, match=f"more than {MAX_WORLDS} combinations"):
        list(explore(lambda world: [world.equals(hole, "a") for hole in holes]))


def test_worlds_that_cannot_be_deployed_are_left_out() -> None:
    def question(world: World) -> str:
        if world.equals(STAGE, "a"):
            raise Infeasible(Unknown("a rule forbids it"))
        return "b"

    assert [answer for _, answer in explore(question)] == ["b"]


def test_no_world_at_all_is_no_answer() -> None:
    def question(world: World) -> str:
        raise Infeasible(Unknown("a rule forbids it"))

    with pytest.raises(Infeasible, match="a rule forbids it"):
        list(explore(question))


def test_a_fork_makes_its_worlds_when_they_are_asked_for() -> None:
    made: list[int] = []

    def worlds() -> object:
        made.append(1)
        yield World()
        yield None

    fork = Fork(worlds())  # type: ignore[arg-type]  # It is an iterator.
    assert made == []
    assert fork.worlds == fork.worlds == [World()]
    assert made == [1]


def test_a_text_is_filled_with_what_is_fixed() -> None:
    world = World(values={STAGE: "prod"})
    assert world.fix(Text(("a-", STAGE))) == "a-prod"
    assert world.fix(Text((NAME, "-", STAGE))) == Text((NAME, "-prod"))
    assert world.fix("a") == "a"
