"""Split the possible deployments of a template into worlds.

A *world* fixes only the values that a question depends on. `explore` asks the question in the empty world. If
the answer depends on a parameter, the reader raises `Fork`, and `explore` asks again in each world of the
fork. So irrelevant parameters are never enumerated, and a default is one value among others, never assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from secure_bucket.template.text import concatenate
from secure_bucket.values.unknown import Hole, Text, Unknown

__all__ = [
    "MAX_WORLDS",
    "PARTITION",
    "REGION",
    "URL_SUFFIX",
    "URL_SUFFIXES",
    "Fork",
    "Infeasible",
    "TooManyWorlds",
    "Undecidable",
    "World",
    "explore",
    "is_of_partition",
    "partition_of",
]

# A question that needs more worlds than this is undecided. Eight independent yes-or-no parameters fit.
MAX_WORLDS = 256

PARTITION = Hole("AWS::Partition", "the partition is known only at deployment", plain=True)
REGION = Hole("AWS::Region", "the Region is known only at deployment", plain=True)

URL_SUFFIX = Hole("AWS::URLSuffix", "it depends on the partition", plain=True)
# `dnsSuffix` of each partition in `partitions.json` of botocore, read 2026-11:
# https://github.com/boto/botocore/blob/develop/botocore/data/partitions.json
URL_SUFFIXES = {
    "aws": "amazonaws.com",
    "aws-cn": "amazonaws.com.cn",
    "aws-us-gov": "amazonaws.com",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
    "aws-eusc": "amazonaws.eu",
}

_PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-iso-", "aws-iso"),
    ("eusc-", "aws-eusc"),
)

T = TypeVar("T")


def partition_of(region: str) -> str:
    """Return the partition of a Region, from the beginning of its name."""
    return next((partition for prefix, partition in _PARTITIONS if region.startswith(prefix)), "aws")


def is_of_partition(expression: str) -> bool:
    """Tell whether a hole or a fact depends on the partition."""
    return PARTITION.name in expression or URL_SUFFIX.name in expression


class Infeasible(Exception):
    """A world in which the deployment fails, and so creates no bucket.

    Args:
        unknown: Why it fails, and where.
    """

    def __init__(self, unknown: Unknown) -> None:
        super().__init__(unknown.reason)
        self.unknown = unknown


class Undecidable(Exception):
    """A question without an answer, in this world or in any.

    Args:
        unknown: Why, and where.
    """

    def __init__(self, unknown: Unknown) -> None:
        super().__init__(unknown.reason)
        self.unknown = unknown


class TooManyWorlds(Undecidable):
    """A question depends on more combinations of parameters than `MAX_WORLDS`."""

    def __init__(self) -> None:
        super().__init__(Unknown(f"it depends on more than {MAX_WORLDS} combinations of parameters"))


class Fork(Exception):
    """The answer depends on something that this world leaves open.

    Args:
        worlds: The same world with each possible value; `None` for a contradiction. Worlds are made on use,
            because most forks are raised and never taken.
    """

    def __init__(self, worlds: Iterable[World | None]) -> None:
        super().__init__("several worlds")
        self._worlds = worlds
        self._made: list[World] | None = None

    @property
    def worlds(self) -> list[World]:
        """The worlds."""
        if self._made is None:
            self._made = [world for world in self._worlds if world is not None]
        return self._made


class World(Struct, frozen=True):
    """The fixed values of a deployment.

    Args:
        values: The texts of holes that are fixed.
        excluded: The texts that a hole does not have.
        facts: The truth of conditions that do not follow from the value of one parameter.
        assumes_partition: Whether its partition is only an assumption, which a Region overrides.
    """

    values: Mapping[Hole, str] = field(default_factory=dict)
    excluded: Mapping[Hole, tuple[str, ...]] = field(default_factory=dict)
    facts: Mapping[str, bool] = field(default_factory=dict)
    assumes_partition: bool = False

    def holds(self, fact: str) -> bool:
        """Return whether a fact is true here, or fork over it."""
        self._know_partition_of(fact)
        if fact not in self.facts:
            raise Fork(replace(self, facts={**self.facts, fact: truth}) for truth in (True, False))
        return self.facts[fact]

    def equals(self, hole: Hole, text: str, allowed: tuple[str, ...] | None = None) -> bool:
        """Return whether a hole has this text here, or fork over it.

        Args:
            hole: The hole.
            text: The text it is compared with.
            allowed: All the texts that the hole can have; any text when `None`.
        """
        if hole in self.values:
            return self.values[hole] == text
        if hole.generated or text in self.excluded.get(hole, ()):
            return False
        if hole != PARTITION:
            self._know_partition_of(hole.name)
        raise Fork(self._with_or_without(hole, text, allowed))

    def _know_partition_of(self, expression: str) -> None:
        """Fork over the partition if an expression depends on it.

        INVARIANT: fixing the partition after the expression would lose the worlds of other partitions.
        """
        if is_of_partition(expression) and PARTITION not in self.values:
            self.choose(PARTITION, tuple(URL_SUFFIXES))

    def _with_or_without(
        self, hole: Hole, text: str, allowed: tuple[str, ...] | None
    ) -> Iterator[World | None]:
        yield self.assign(hole, text)
        if allowed is None:
            yield self._exclude(hole, text)
            return
        others = [other for other in self.remaining(hole, allowed) if other != text]
        if len(others) == 1:
            yield self.assign(hole, others[0])
        elif others:
            yield self._exclude(hole, text)

    def choose(self, hole: Hole, allowed: tuple[str, ...]) -> str:
        """Return the text of a hole here, or fork over all its possible texts."""
        if hole not in self.values:
            raise Fork(self.assign(hole, text) for text in self.remaining(hole, allowed))
        return self.values[hole]

    def remaining(self, hole: Hole, allowed: tuple[str, ...]) -> tuple[str, ...]:
        """Return the texts of a hole that are not excluded here."""
        excluded = self.excluded.get(hole, ())
        return tuple(dict.fromkeys(text for text in allowed if text not in excluded))

    def assign(self, hole: Hole, text: str) -> World | None:
        """Return this world with a hole's text fixed; `None` for a contradiction."""
        values = {**self.values, hole: text}
        if hole == REGION:
            partition = partition_of(text)
            is_open = self.assumes_partition or PARTITION not in values
            if not is_open and values[PARTITION] != partition:
                return None
            if partition in self.excluded.get(PARTITION, ()):
                return None
            values[PARTITION] = partition
        return replace(self, values=values)

    def _exclude(self, hole: Hole, text: str) -> World:
        return replace(self, excluded={**self.excluded, hole: (*self.excluded.get(hole, ()), text)})

    def fix(self, text: str | Text) -> str | Text:
        """Return a text with the fixed holes filled."""
        if isinstance(text, str):
            return text
        parts = [self.values.get(part, part) if isinstance(part, Hole) else part for part in text.parts]
        return concatenate(parts)

    def describe(self) -> dict[str, str]:
        """Return the fixed values in words, by name."""
        described = {
            hole.name: "other than " + " or ".join(f"`{text}`" for text in texts)
            for hole, texts in self.excluded.items()
            if hole not in self.values
        }
        described.update((hole.name, text) for hole, text in self.values.items())
        described.update((fact, "true" if truth else "false") for fact, truth in self.facts.items())
        return described


def explore(question: Callable[[World], T], start: World | None = None) -> Iterator[tuple[World, T]]:
    """Ask a question in every world that it distinguishes.

    Args:
        question: Returns the answer in a world, or raises `Fork` or `Infeasible`.
        start: The world to start with.

    Raises:
        Infeasible: The deployment fails in every world, so there is no answer.
        TooManyWorlds: There are more than `MAX_WORLDS` of them.
    """
    pending = [start or World()]
    asked = 0
    answered = False
    failure: Infeasible | None = None
    while pending:
        world = pending.pop()
        asked += 1
        if asked > 2 * MAX_WORLDS:
            raise TooManyWorlds
        try:
            answer = question(world)
        except Fork as fork:
            pending.extend(reversed(fork.worlds))
        except Infeasible as error:
            failure = error
        else:
            answered = True
            yield world, answer
    if not answered:
        raise failure or Infeasible(Unknown("its parameters can have no values at all"))
