"""Split each part of a request into the classes that the policy's own statements tell apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

from msgspec.structs import replace

from secure_bucket.policy.document import Principal
from secure_bucket.policy.principal import Kind
from secure_bucket.proof.claim import Claim
from secure_bucket.proof.classes import choice_of, choices_of
from secure_bucket.proof.clauses import Clause, is_every_action
from secure_bucket.proof.comparison import Comparison, Observed, OpenMatch, shared_matches
from secure_bucket.proof.compiled_deny import CompiledDeny
from secure_bucket.proof.keys import Availability
from secure_bucket.proof.language import Budget, TooComplex
from secure_bucket.proof.pattern import CompiledPattern
from secure_bucket.proof.principals import Who, identity_of, principals_of
from secure_bucket.proof.request_text import RequestText, concat
from secure_bucket.proof.resources import Target, actions_on, keys_in, partition_of, unlisted_actions
from secure_bucket.proof.scalars import parse_instant, write_number
from secure_bucket.proof.search import Choice, Dimension
from secure_bucket.proof.shapes import Shape
from secure_bucket.proof.three_valued import Tri, depends_on
from secure_bucket.proof.values import KeyValue, values_of
from secure_bucket.values.unknown import Unknown

__all__ = ["CLOCK", "Splitter", "as_seen", "cost_of_clauses", "cost_of_comparisons"]

CLOCK: Final = ("aws:currenttime", "aws:epochtime")
"""The two names of the time."""

_T = TypeVar("_T")


class Splitter:
    """Makes the dimensions of the requests of a claim.

    Attributes:
        partition: The partition of the bucket.
        by_key: The comparisons with each condition key (in lower case) that the policy mentions.
        names: The spelling of the key in the policy, by its lower case.

    Args:
        denies: The Deny statements.
        unknown: Unknown statements.
        claim: The claim.
        bucket_arn: The ARN of the bucket.
        budget: The work that splitting the dimensions may use.
        strict: Whether `{"AWS": "*"}` excludes AWS services.
    """

    def __init__(
        self,
        denies: Sequence[CompiledDeny],
        unknown: Sequence[Unknown],
        claim: Claim,
        bucket_arn: RequestText,
        budget: Budget,
        *,
        strict: bool,
    ) -> None:
        self.partition: str = partition_of(bucket_arn)
        self.denies = denies
        self.unknown = unknown
        self.claim = claim
        self.bucket_arn = bucket_arn
        self.budget = budget
        self.strict = strict
        self.by_key: dict[str, list[Comparison]] = {}
        self.names: dict[str, str] = {}
        for deny in denies:
            for comparison in deny.comparisons:
                self.by_key.setdefault(comparison.key, []).append(comparison)
                self.names.setdefault(comparison.key, comparison.condition.key)
            for variable in deny.variables:
                self.by_key.setdefault(variable.key, [])
                self.names.setdefault(variable.key, variable.name)

    def together(self, key: str) -> tuple[str, ...]:
        """Return the keys of the policy that share one value with a key: the two names of the time."""
        return tuple(name for name in CLOCK if name in self.by_key) if key in CLOCK else (key,)

    def base(self) -> Dimension:
        """Return the parts that all requests share: the fixed keys and the unknown statements."""

        def judge(deny: CompiledDeny, _: object) -> Iterator[Tri]:
            if deny.unknown is not None:
                yield deny.unknown
            for comparison in deny.comparisons:
                if comparison.key in self.claim.fixed:
                    yield comparison.holds(self.claim.fixed[comparison.key])

        choice = choice_of(self.denies, (), judge)
        notes = dict(choice.notes)
        may_fail = choice.may_fail
        for index, unknown in enumerate(self.unknown, len(self.denies)):
            notes[index] = unknown
            may_fail |= 1 << index
        return Dimension("base", (Choice((), choice.fails, may_fail, notes),))

    def principals(self, kind: Kind) -> Dimension:
        elements = {deny.statement.principals: None for deny in self.denies}
        entries = [entry for element in elements for entry in element.entries if isinstance(entry, Principal)]
        people = principals_of(
            kind,
            self.partition,
            entries,
            self._patterns("aws:principalarn"),
            self._patterns("aws:principalaccount"),
            self._patterns("aws:username"),
            self._patterns("aws:principalservicename"),
            self.budget,
        )

        def judge(
            who: Who, identity: Mapping[str, Observed], deny: CompiledDeny, answers: Mapping[OpenMatch, bool]
        ) -> Iterator[Tri]:
            yield deny.addressees.include(who, strict=self.strict)
            for comparison in deny.comparisons:
                if comparison.key in identity:
                    yield comparison.holds(identity[comparison.key], answers)

        keys = identity_of(Who(kind, "")).keys() & self.by_key.keys()
        options = sum(cost_of_comparisons(self.by_key[key]) for key in keys)
        options += sum(len(deny.addressees.entries) for deny in self.denies)
        shared = shared_matches(comparison for key in keys for comparison in self.by_key[key])
        classes, limit = self._gather(people, options)
        choices: list[Choice] = []
        written = {entry.value for entry in entries if not isinstance(entry.value, Unknown)}
        for who in classes:
            identity = identity_of(who)
            for one, doubtful in ((who, False), (replace(who, bound=False), True)):
                if not doubtful or (kind in (Kind.USER, Kind.ROLE) and who.arn in written):
                    doubts = (
                        doubt
                        for key in keys
                        for comparison in self.by_key[key]
                        for doubt in comparison.doubts(identity[key], shared)
                    )
                    meets = partial(judge, one, identity)
                    choices.extend(choices_of(self.denies, one, meets, doubts, doubtful=doubtful))
        return Dimension("principal", tuple(choices), limit)

    def _patterns(self, key: str) -> list[CompiledPattern]:
        return [pattern for comparison in self.by_key.get(key, ()) for pattern in comparison.patterns]

    def actions(self, target: Target) -> Dimension:
        clauses = {deny.actions: None for deny in self.denies}
        told_apart = [clause for clause in clauses if not is_every_action(clause)]
        listed = actions_on(target)
        if not told_apart:
            return Dimension("action", (choice_of(self.denies, listed, lambda _, __: (True,)),))

        def judge(name: str, deny: CompiledDeny, _: object) -> tuple[Tri]:
            return (deny.actions.covers(name),)

        options = cost_of_clauses(told_apart)
        self.budget.spend(len(listed) * options // 4)
        unlisted, limit = self._gather(unlisted_actions(told_apart, target, self.budget), options)
        classes: dict[tuple[int, int], tuple[Choice, list[str]]] = {}
        for name, doubtful in (*((name, False) for name in listed), *((name, True) for name in unlisted)):
            choice = choice_of(self.denies, name, partial(judge, name), doubtful=doubtful)
            kept = classes.get((choice.fails, choice.may_fail))
            if kept is None:
                classes[choice.fails, choice.may_fail] = (choice, [name])
            elif not doubtful:
                kept[1].append(name)
        choices = (
            Choice(tuple(members), choice.fails, choice.may_fail, choice.notes, choice.doubtful)
            for choice, members in classes.values()
        )
        return Dimension("action", tuple(choices), limit)

    def resources(self, target: Target) -> Dimension:
        def judge(
            arn: RequestText, deny: CompiledDeny, answers: Mapping[CompiledPattern, bool]
        ) -> tuple[Tri]:
            return (deny.resources.covers(arn, answers),)

        clauses = list({deny.resources: None for deny in self.denies})
        written = Counter(pattern for deny in self.denies for pattern in deny.resources.patterns)
        shared = {pattern for pattern, count in written.items() if count > 1}
        keys: Sequence[RequestText | None] = (None,)
        limit = ""
        if target is Target.OBJECT:
            keys, limit = self._gather(
                keys_in(self.bucket_arn, clauses, self.budget), cost_of_clauses(clauses)
            )
        choices: list[Choice] = []
        for key in keys:
            arn = self.bucket_arn if key is None else concat(self.bucket_arn, "/", key)
            doubts = (doubt for deny in self.denies for doubt in deny.resources.doubts(arn, shared))
            choices.extend(choices_of(self.denies, key, partial(judge, arn), doubts))
        return Dimension("resource", tuple(choices), limit)

    def key(self, key: str, presence: Availability, shapes: tuple[Shape, ...]) -> Dimension:
        together = self.together(key)
        comparisons = [comparison for name in together for comparison in self.by_key[name]]
        options = cost_of_comparisons(comparisons)
        shared = shared_matches(comparisons)
        values, limit = self._gather(
            values_of(key, comparisons, presence, shapes, tls_below=self.claim.tls_below, budget=self.budget),
            options,
        )
        written = self.names[key]

        def judge(value: KeyValue, deny: CompiledDeny, answers: Mapping[OpenMatch, bool]) -> Iterator[Tri]:
            for comparison in deny.comparisons:
                if comparison.key not in together:
                    continue
                if value.opaque and comparison.family != "null":
                    reason = f"AWS does not document what else `{written}` may hold"
                    yield Unknown(reason, comparison.condition.at)
                elif value.void and comparison.family == "null":
                    yield comparison.holds(None)
                else:
                    yield comparison.holds(as_seen(comparison.key, value.observed), answers)

        asked = {
            index: depends_on(variable, deny.statement.at)
            for index, deny in enumerate(self.denies)
            for variable in deny.variables
            if variable.key == key
        }
        choices: list[Choice] = []
        for value in values:
            doubts = (one for every in comparisons for one in every.doubts(value.observed, shared))
            split = choices_of(
                self.denies,
                (written, value.observed),
                partial(judge, value),
                () if value.opaque else doubts,
                doubtful=value.doubtful,
            )
            # Try a value that only a variable takes with a concrete request.
            choices.extend(
                replace(choice, notes={**asked, **choice.notes}) if asked else choice for choice in split
            )
        return Dimension(key, tuple(choices), limit)

    def _gather(self, classes: Iterable[_T], options: int) -> tuple[list[_T], str]:
        """Return the classes that the budget allows, and the exceeded bound in words, or `""`.

        A counterexample among the first classes is valid, so a bound does not end the search.
        """
        kept: list[_T] = []
        try:
            for one in classes:
                kept.append(one)
                if len(kept) > 1:
                    self.budget.spend(options)
        except TooComplex as bound:
            return kept, str(bound)
        return kept, ""


def cost_of_comparisons(comparisons: Iterable[Comparison]) -> int:
    """Return the work to compare one value, in steps."""
    options = [option for comparison in comparisons for option in (comparison, *comparison.options)]
    return sum(option.cost if isinstance(option, CompiledPattern) else 4 for option in options)


def cost_of_clauses(clauses: Iterable[Clause]) -> int:
    """Return the work to compare one action or resource, in steps."""
    patterns = (pattern for clause in clauses for pattern in clause.patterns)
    return sum(pattern.cost if isinstance(pattern, CompiledPattern) else 1 for pattern in patterns)


def as_seen(key: str, observed: Observed) -> Observed:
    """Return the chosen time in the form of its key (in lower case); every other value unchanged."""
    seconds = parse_instant(observed) if key == CLOCK[1] and isinstance(observed, str) else None
    return observed if seconds is None else write_number(seconds)
