"""Describe the plan of a rollout: every bucket in its wave, and the moves of clients."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from secure_bucket.errors import SecureBucketError
from secure_bucket.findings.finding import Fault
from secure_bucket.formats.form import Natural
from secure_bucket.operations.audit.audit import Safe
from secure_bucket.operations.plan.planned_bucket import Client, PlannedBucket, State, Wave

__all__ = ["BlastRadius", "Move", "PlanSource", "Rollout", "RolloutError"]


class RolloutError(SecureBucketError):
    """A source of a rollout is invalid; the message says what to do."""


class Move(Struct, frozen=True):
    """Clients that move to HTTPS together, and the buckets that can be enforced after that.

    Args:
        number: Its number, from 1.
        clients: The clients.
        frees: The labels of the buckets.
        whole: Whether these are all the clients of the buckets (default: the audit names all of them).
    """

    number: int
    clients: tuple[Client, ...]
    frees: tuple[str, ...]
    whole: bool = True


class BlastRadius(Struct, frozen=True):
    """The clients that break if a wave is enforced now.

    Args:
        buckets: The number of buckets that change.
        accounts: Their known accounts.
        clients: The number of clients known to break, each counted once.
        requests: The number of their requests in the logs.
        unknown_buckets: The number of buckets whose breaking clients are unknown.
    """

    buckets: Natural
    accounts: tuple[str, ...]
    clients: Natural
    requests: Natural
    unknown_buckets: Natural


class PlanSource(Struct, frozen=True):
    """A source of the plan.

    Args:
        kind: Its kind.
        buckets: The number of its buckets.
        named: The templates, accounts or logs.
        as_of: The time of its oldest part, or the end of the logs, in UTC; null if the plan read it now, or
            if the time is unknown.
        days: The number of days since that time; null if it is unknown.
    """

    kind: Literal["templates", "accounts", "logs"]
    buckets: Natural
    named: tuple[str, ...]
    as_of: str | None
    days: Natural | None


class Rollout(Struct, frozen=True):
    """The plan.

    Args:
        buckets: Every bucket, in the order of enforcement.
        moves: The moves of clients in their order, for the wave of clients.
        sources: The sources.
        warnings: The reasons why the plan is less certain, each as a sentence.
        faults: The reasons why the plan is incomplete.
        minimum_tls: The minimum TLS version of clients; `None` to count only plain HTTP.
        outdated: Whether a check or a review is too old to show that nothing is left to do.
        old_tls: The buckets that deny plain HTTP but accept TLS older than required.
    """

    buckets: tuple[PlannedBucket, ...]
    moves: tuple[Move, ...] = ()
    sources: tuple[PlanSource, ...] = ()
    warnings: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    minimum_tls: float | None = None
    outdated: bool = False
    old_tls: tuple[str, ...] = ()

    def wave(self, wave: Wave) -> tuple[PlannedBucket, ...]:
        """Return the buckets of a wave, in their order."""
        return tuple(bucket for bucket in self.buckets if bucket.wave is wave)

    def blast_radius(self, wave: Wave) -> BlastRadius:
        """Return the clients that break if a wave is enforced now."""
        buckets = self.wave(wave)
        changed = 0 if wave in (Wave.ENFORCED, Wave.LEFT) else len(buckets)
        if not changed:
            return BlastRadius(0, (), 0, 0, 0)
        # A deny in force already refuses the clients.
        hit = [bucket for bucket in buckets if bucket.state is not State.REOPENS]
        return BlastRadius(
            changed,
            tuple(sorted({bucket.account for bucket in buckets if bucket.account})),
            len({use.client for bucket in hit for use in bucket.clients}),
            sum(use.requests for bucket in hit for use in bucket.clients)
            + sum(bucket.unnamed for bucket in hit),
            sum(not (bucket.clients or bucket.unnamed or _known_safe(bucket)) for bucket in hit),
        )

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return self._all_enforced and not self.outdated and not self.old_tls

    @property
    def only_evidence(self) -> bool:
        """Whether only evidence is missing."""
        left = {bucket.wave for bucket in self.buckets} - {Wave.ENFORCED, Wave.LEFT}
        again = self.outdated and self._all_enforced
        return not self.old_tls and (left == {Wave.EVIDENCE} or again)

    @property
    def _all_enforced(self) -> bool:
        return all(bucket.wave in (Wave.ENFORCED, Wave.LEFT) for bucket in self.buckets)


def _known_safe(bucket: PlannedBucket) -> bool:
    return bucket.logged is not None and isinstance(bucket.logged.answer, Safe)
