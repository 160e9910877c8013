"""Enumerate the requests of a claim, in scenarios that decide which condition keys they have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from itertools import product
from typing import Final

from msgspec import Struct

from secure_bucket.policy.condition_key import Presence
from secure_bucket.policy.condition_keys import KEYS, key_of
from secure_bucket.policy.principal import Kind
from secure_bucket.proof.claim import Claim
from secure_bucket.proof.clauses import covers_every_object, is_every_action
from secure_bucket.proof.compiled_deny import CompiledDeny
from secure_bucket.proof.dimensions import CLOCK, Splitter, cost_of_clauses, cost_of_comparisons
from secure_bucket.proof.keys import Availability, presence_of
from secure_bucket.proof.principals import Who, identity_of
from secure_bucket.proof.request_text import RequestText
from secure_bucket.proof.resources import Target, keys_on, plain_key
from secure_bucket.proof.search import Dimension
from secure_bucket.proof.shapes import shapes_of

__all__ = ["Scenario", "Space"]

_NETWORK: Final = frozenset(
    name for name, key in KEYS.items() if key.presence in (Presence.NETWORK, Presence.ENDPOINT)
)


class Scenario(Struct, frozen=True):
    """The facts that decide which condition keys a request has."""

    kind: Kind
    target: Target
    through_endpoint: bool


class Space:
    """The requests of a claim about one bucket and one policy.

    Attributes:
        names: The spelling of the condition keys in the policy, by their lower case.

    Args:
        splitter: The splitter of its dimensions, for the claim, the bucket and the statements.
    """

    def __init__(self, splitter: Splitter) -> None:
        self.denies: Sequence[CompiledDeny] = splitter.denies
        self.claim: Claim = splitter.claim
        self.bucket_arn: RequestText = splitter.bucket_arn
        self.strict: bool = splitter.strict
        self.names: dict[str, str] = splitter.names
        self._splitter = splitter
        self._by_key = splitter.by_key
        self._cache: dict[object, Dimension] = {}
        self.every: int = (1 << (len(splitter.denies) + len(splitter.unknown))) - 1

    def together(self, key: str) -> tuple[str, ...]:
        """Return the keys of the policy that share one value with a key: the two names of the time."""
        return self._splitter.together(key)

    def scenarios(self) -> Iterator[Scenario]:
        """Yield the scenarios that this policy can tell apart, the simplest first."""
        through = (False, True) if _NETWORK & self._by_key.keys() else (False,)
        for kind, target, through_endpoint in product(self._kinds(), Target, through):
            yield Scenario(kind, target, through_endpoint)

    def dimensions(self, scenario: Scenario) -> list[Dimension]:
        """Return the dimensions of the requests of a scenario, the most telling first."""
        kind, target = scenario.kind, scenario.target
        dimensions = [
            self._cached(("base",), self._splitter.base),
            self._cached(("principal", kind), partial(self._splitter.principals, kind)),
            self._cached(("action", target), partial(self._splitter.actions, target)),
            self._cached(("resource", target), partial(self._splitter.resources, target)),
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
            shapes = shapes_of(key, kind, self._splitter.partition)
            build = partial(self._splitter.key, key, presence, shapes)
            dimensions.append(self._cached((key, presence, shapes), build))
        return dimensions

    @cached_property
    def cost(self) -> int:
        """The work of comparing one request, in steps."""
        comparisons = (comparison for deny in self.denies for comparison in deny.comparisons)
        clauses = (clause for deny in self.denies for clause in (deny.actions, deny.resources))
        return cost_of_comparisons(comparisons) + cost_of_clauses(clauses)

    def _cached(self, name: object, build: Callable[[], Dimension]) -> Dimension:
        if name not in self._cache:
            self._cache[name] = build()
        return self._cache[name]

    def is_covered_by(self, deny: CompiledDeny) -> bool:
        """Return whether a statement obviously covers every request, so no splitting is necessary.

        Nearly every policy that denies plain HTTP has this form.
        """
        if not deny.addressees.everyone or self.strict or deny.unknown or not is_every_action(deny.actions):
            return False
        fixed = self.claim.fixed
        if any(one.key not in fixed or one.holds(fixed[one.key]) is not True for one in deny.comparisons):
            return False
        return deny.resources.covers(self.bucket_arn) is True and covers_every_object(
            deny.resources, self.bucket_arn
        )

    def _kinds(self) -> Sequence[Kind]:
        """Return the kinds of principals to distinguish."""
        kinds = list(Kind)
        if not all(deny.addressees.everyone for deny in self.denies):
            return kinds
        absent = self.claim.tls_absent
        for key in self._by_key.keys() - self.claim.fixed.keys():
            presences = {presence_of(key, kind, through_endpoint=True, tls_absent=absent) for kind in kinds}
            if len(presences) > 1 or any(key in identity_of(Who(kind, "")) for kind in kinds):
                return kinds
        return [Kind.ANONYMOUS, Kind.SERVICE] if self.strict else [Kind.ANONYMOUS]


def _is_foreign(name: str, target: Target) -> bool:
    """Return whether AWS lists a key only for actions on other targets."""
    key = key_of(name)
    return key is not None and key.is_listed and plain_key(name) not in keys_on(target)
