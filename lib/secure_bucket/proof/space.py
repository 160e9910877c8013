"""The requests of a claim, as dimensions of classes that the policy's own statements tell apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from itertools import product
from typing import Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from secure_bucket.policy.condition_keys import KEYS, Presence, key_of
from secure_bucket.policy.document import Principal
from secure_bucket.policy.principal import Kind
from secure_bucket.proof.claim import Claim
from secure_bucket.proof.classes import choice_of, choices_of
from secure_bucket.proof.comparison import Comparison, Observed, OpenMatch, shared_matches
from secure_bucket.proof.keys import Availability, presence_of
from secure_bucket.proof.language import Budget, TooComplex
from secure_bucket.proof.pattern import Pattern
from secure_bucket.proof.principals import Who, identity_of, principals_of
from secure_bucket.proof.resources import (
    Clause,
    Target,
    actions_on,
    covers_every_object,
    is_every_action,
    keys_in,
    keys_on,
    partition_of,
    plain_key,
    unlisted_actions,
)
from secure_bucket.proof.rule import Rule
from secure_bucket.proof.scalars import parse_instant, write_number
from secure_bucket.proof.search import Choice, Dimension
from secure_bucket.proof.shapes import Shape, shapes_of
from secure_bucket.proof.subject import Subject, concat
from secure_bucket.proof.three_valued import Tri, depends_on
from secure_bucket.proof.values import Value, values_of
from secure_bucket.values.unknown import Unknown

__all__ = ["CLOCK", "Scenario", "Space", "as_seen"]

_NETWORK: Final = frozenset(
    name for name, key in KEYS.items() if key.presence in (Presence.NETWORK, Presence.ENDPOINT)
)
CLOCK: Final = ("aws:currenttime", "aws:epochtime")


_T = TypeVar("_T")


class Scenario(Struct, frozen=True):
    """What decides which condition keys a request has."""

    kind: Kind
    target: Target
    through_endpoint: bool


class Space:
    """The requests of a claim about one bucket and one policy.

    Attributes:
        names: The condition keys that the policy mentions: how they are written, by their lower case.

    Args:
        rules: The Deny statements.
        unknown: Statements of which nothing is known.
        claim: The claim.
        bucket_arn: The ARN of the bucket.
        budget: The work that splitting the dimensions may cost.
        strict: Whether `{"AWS": "*"}` leaves AWS services out.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        unknown: Sequence[Unknown],
        claim: Claim,
        bucket_arn: Subject,
        budget: Budget,
        *,
        strict: bool,
    ) -> None:
        self.partition: str = partition_of(bucket_arn)
        self.rules = rules
        self.claim = claim
        self.bucket_arn = bucket_arn
        self._unknown = unknown
        self.budget = budget
        self.strict = strict
        self._cache: dict[object, Dimension] = {}
        self._by_key: dict[str, list[Comparison]] = {}
        self.names: dict[str, str] = {}
        for rule in rules:
            for comparison in rule.comparisons:
                self._by_key.setdefault(comparison.key, []).append(comparison)
                self.names.setdefault(comparison.key, comparison.condition.key)
            for variable in rule.variables:
                self._by_key.setdefault(variable.key, [])
                self.names.setdefault(variable.key, variable.name)
        self.every: int = (1 << (len(rules) + len(unknown))) - 1

    def scenarios(self) -> Iterator[Scenario]:
        """Yield the scenarios that this policy can tell apart, the simplest first."""
        through = (False, True) if _NETWORK & self._by_key.keys() else (False,)
        for kind, target, through_endpoint in product(self._kinds(), Target, through):
            yield Scenario(kind, target, through_endpoint)

    def dimensions(self, scenario: Scenario) -> list[Dimension]:
        """Return the dimensions of the requests of a scenario, the most telling first."""
        kind, target = scenario.kind, scenario.target
        dimensions = [
            self._cached(("base",), self._base),
            self._cached(("principal", kind), partial(self._principals, kind)),
            self._cached(("action", target), partial(self._actions, target)),
            self._cached(("resource", target), partial(self._resources, target)),
        ]
        decided = {*self.claim.fixed, *identity_of(Who(kind, ""))}
        for key in self._by_key:
            if key in decided or (key == CLOCK[1] and CLOCK[0] in self._by_key):
                continue
            presence = presence_of(
                key, kind, through_endpoint=scenario.through_endpoint, tls_absent=self.claim.tls_absent
            )
            if presence is Availability.FREE and _is_foreign(key, target):
                presence = Availability.ABSENT_RATHER
            shapes = shapes_of(key, kind, self.partition)
            build = partial(self._key, key, presence, shapes)
            dimensions.append(self._cached((key, presence, shapes), build))
        return dimensions

    @cached_property
    def cost(self) -> int:
        """The work of comparing one request, in steps."""
        return _cost(comparison for rule in self.rules for comparison in rule.comparisons) + _cost_of(
            clause for rule in self.rules for clause in (rule.actions, rule.resources)
        )

    def together(self, key: str) -> tuple[str, ...]:
        """Return the keys of the policy that share one value with a key: the two names of the time."""
        return tuple(name for name in CLOCK if name in self._by_key) if key in CLOCK else (key,)

    def _cached(self, name: object, build: Callable[[], Dimension]) -> Dimension:
        if name not in self._cache:
            self._cache[name] = build()
        return self._cache[name]

    def is_covered_by(self, rule: Rule) -> bool:
        """Return whether a statement plainly covers every request, so that nothing has to be split.

        This is how nearly every policy that denies plain HTTP is written.
        """
        if not rule.addressees.everyone or self.strict or rule.unknown or not is_every_action(rule.actions):
            return False
        fixed = self.claim.fixed
        if any(one.key not in fixed or one.holds(fixed[one.key]) is not True for one in rule.comparisons):
            return False
        return rule.resources.covers(self.bucket_arn) is True and covers_every_object(
            rule.resources, self.bucket_arn
        )

    def _kinds(self) -> Sequence[Kind]:
        """Return the kinds of principals that have to be told apart."""
        kinds = list(Kind)
        if not all(rule.addressees.everyone for rule in self.rules):
            return kinds
        for key in self._by_key.keys() - self.claim.fixed.keys():
            presences = {presence_of(key, kind, through_endpoint=True, tls_absent=True) for kind in kinds}
            if len(presences) > 1 or any(key in identity_of(Who(kind, "")) for kind in kinds):
                return kinds
        return [Kind.ANONYMOUS, Kind.SERVICE] if self.strict else [Kind.ANONYMOUS]

    def _base(self) -> Dimension:
        """Return what is the same in every request: the fixed keys, and what is not known at all."""

        def judge(rule: Rule, _: object) -> Iterator[Tri]:
            if rule.unknown is not None:
                yield rule.unknown
            for comparison in rule.comparisons:
                if comparison.key in self.claim.fixed:
                    yield comparison.holds(self.claim.fixed[comparison.key])

        choice = choice_of(self.rules, (), judge)
        notes = dict(choice.notes)
        may_fail = choice.may_fail
        for index, unknown in enumerate(self._unknown, len(self.rules)):
            notes[index] = unknown
            may_fail |= 1 << index
        return Dimension("base", (Choice((), choice.fails, may_fail, notes),))

    def _principals(self, kind: Kind) -> Dimension:
        elements = {rule.statement.principals: None for rule in self.rules}
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
            who: Who, identity: Mapping[str, Observed], rule: Rule, answers: Mapping[OpenMatch, bool]
        ) -> Iterator[Tri]:
            yield rule.addressees.include(who, strict=self.strict)
            for comparison in rule.comparisons:
                if comparison.key in identity:
                    yield comparison.holds(identity[comparison.key], answers)

        keys = identity_of(Who(kind, "")).keys() & self._by_key.keys()
        options = sum(_cost(self._by_key[key]) for key in keys)
        options += sum(len(rule.addressees.entries) for rule in self.rules)
        shared = shared_matches(comparison for key in keys for comparison in self._by_key[key])
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
                        for comparison in self._by_key[key]
                        for doubt in comparison.doubts(identity[key], shared)
                    )
                    meets = partial(judge, one, identity)
                    choices.extend(choices_of(self.rules, one, meets, doubts, doubtful=doubtful))
        return Dimension("principal", tuple(choices), limit)

    def _patterns(self, key: str) -> list[Pattern]:
        return [pattern for comparison in self._by_key.get(key, ()) for pattern in comparison.patterns]

    def _actions(self, target: Target) -> Dimension:
        clauses = {rule.actions: None for rule in self.rules}
        told_apart = [clause for clause in clauses if not is_every_action(clause)]
        listed = actions_on(target)
        if not told_apart:
            return Dimension("action", (choice_of(self.rules, listed, lambda _, __: (True,)),))

        def judge(name: str, rule: Rule, _: object) -> tuple[Tri]:
            return (rule.actions.covers(name),)

        options = _cost_of(told_apart)
        self.budget.spend(len(listed) * options // 4)
        unlisted, limit = self._gather(unlisted_actions(told_apart, target, self.budget), options)
        classes: dict[tuple[int, int], tuple[Choice, list[str]]] = {}
        for name, doubtful in (*((name, False) for name in listed), *((name, True) for name in unlisted)):
            choice = choice_of(self.rules, name, partial(judge, name), doubtful=doubtful)
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

    def _resources(self, target: Target) -> Dimension:
        def judge(arn: Subject, rule: Rule, answers: Mapping[Pattern, bool]) -> tuple[Tri]:
            return (rule.resources.covers(arn, answers),)

        clauses = list({rule.resources: None for rule in self.rules})
        written = Counter(pattern for rule in self.rules for pattern in rule.resources.patterns)
        shared = {pattern for pattern, count in written.items() if count > 1}
        keys: Sequence[Subject | None] = (None,)
        limit = ""
        if target is Target.OBJECT:
            keys, limit = self._gather(keys_in(self.bucket_arn, clauses, self.budget), _cost_of(clauses))
        choices: list[Choice] = []
        for key in keys:
            arn = self.bucket_arn if key is None else concat(self.bucket_arn, "/", key)
            doubts = (doubt for rule in self.rules for doubt in rule.resources.doubts(arn, shared))
            choices.extend(choices_of(self.rules, key, partial(judge, arn), doubts))
        return Dimension("resource", tuple(choices), limit)

    def _key(self, key: str, presence: Availability, shapes: tuple[Shape, ...]) -> Dimension:
        together = self.together(key)
        comparisons = [comparison for name in together for comparison in self._by_key[name]]
        options = _cost(comparisons)
        shared = shared_matches(comparisons)
        values, limit = self._gather(
            values_of(key, comparisons, presence, shapes, tls_below=self.claim.tls_below, budget=self.budget),
            options,
        )
        written = self.names[key]

        def judge(value: Value, rule: Rule, answers: Mapping[OpenMatch, bool]) -> Iterator[Tri]:
            for comparison in rule.comparisons:
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
            index: depends_on(variable, rule.statement.at)
            for index, rule in enumerate(self.rules)
            for variable in rule.variables
            if variable.key == key
        }
        choices: list[Choice] = []
        for value in values:
            doubts = (one for every in comparisons for one in every.doubts(value.observed, shared))
            split = choices_of(
                self.rules,
                (written, value.observed),
                partial(judge, value),
                () if value.opaque else doubts,
                doubtful=value.doubtful,
            )
            # A value that only a variable takes has to be tried out with a concrete request.
            choices.extend(
                replace(choice, notes={**asked, **choice.notes}) if asked else choice for choice in split
            )
        return Dimension(key, tuple(choices), limit)

    def _gather(self, classes: Iterable[_T], options: int) -> tuple[list[_T], str]:
        """Return the classes that the budget allows, and in words the bound that was met; `""` when none was.

        A counterexample among the first classes is as good as any, so a bound does not end the search.
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


def _cost(comparisons: Iterable[Comparison]) -> int:
    """Return how much work it is to compare one value, in steps."""
    options = [option for comparison in comparisons for option in (comparison, *comparison.options)]
    return sum(option.cost if isinstance(option, Pattern) else 4 for option in options)


def _cost_of(clauses: Iterable[Clause]) -> int:
    """Return how much work it is to compare one action or resource, in steps."""
    patterns = (pattern for clause in clauses for pattern in clause.patterns)
    return sum(pattern.cost if isinstance(pattern, Pattern) else 1 for pattern in patterns)


def as_seen(key: str, observed: Observed) -> Observed:
    """Return the chosen time as its key (in lower case) writes it; every other value as it is."""
    seconds = parse_instant(observed) if key == CLOCK[1] and isinstance(observed, str) else None
    return observed if seconds is None else write_number(seconds)


def _is_foreign(name: str, target: Target) -> bool:
    """Return whether AWS lists a key only for actions on something else."""
    key = key_of(name)
    return key is not None and key.presence is Presence.ACTION and plain_key(name) not in keys_on(target)
