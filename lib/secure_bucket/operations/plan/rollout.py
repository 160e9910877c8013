"""The plan of a rollout: every bucket in its wave, and in which order clients move."""

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
    """Say what is wrong with what a rollout is planned from, and what to do about it."""


class Move(Struct, frozen=True):
    """Clients that move to HTTPS together, and the buckets that can be enforced after that.

    Args:
        number: Which move it is, from 1.
        clients: The clients.
        frees: The labels of the buckets.
        whole: Whether these are all the clients of the buckets; otherwise the audit does not name some.
    """

    number: int
    clients: tuple[Client, ...]
    frees: tuple[str, ...]
    whole: bool = True


class BlastRadius(Struct, frozen=True):
    """Who is hit when a wave is enforced as it stands.

    Args:
        buckets: How many buckets change.
        accounts: Their accounts, as far as they are known.
        clients: How many clients are known to break, each counted once.
        requests: How many of their requests the logs hold.
        unknown_buckets: For how many of the buckets the clients that break are not known.
    """

    buckets: Natural
    accounts: tuple[str, ...]
    clients: Natural
    requests: Natural
    unknown_buckets: Natural


class PlanSource(Struct, frozen=True):
    """What the plan was made from.

    Args:
        kind: What it is.
        buckets: How many buckets it knows.
        named: The templates, accounts or logs.
        as_of: When the oldest of it was read, or when the logs end, in UTC; null when it was read just then,
            or nothing tells.
        days: How many days ago that was; null when nothing tells.
    """

    kind: Literal["templates", "accounts", "logs"]
    buckets: Natural
    named: tuple[str, ...]
    as_of: str | None
    days: Natural | None


class Rollout(Struct, frozen=True):
    """The plan.

    Args:
        buckets: Every bucket, in the order in which to enforce them.
        moves: In which order clients move, for the wave of clients.
        sources: What it is planned from.
        warnings: What makes it less certain, each in a sentence.
        faults: What could not be looked at when its sources were made, so that it is not whole.
        minimum_tls: The TLS version below which clients count as well; `None` for plain HTTP alone.
        outdated: Whether a check or a review is so old that it has to be made again before it says that
            nothing is left to do.
        old_tls: The buckets that deny plain HTTP, and let older TLS through than asked.
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
        """Return who is hit when a wave is enforced as it stands."""
        buckets = self.wave(wave)
        changed = 0 if wave in (Wave.ENFORCED, Wave.LEFT) else len(buckets)
        if not changed:
            return BlastRadius(0, (), 0, 0, 0)
        # Where the deny is in force, a client that breaks is broken already.
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
        """Whether all that is left to do is to gather evidence."""
        left = {bucket.wave for bucket in self.buckets} - {Wave.ENFORCED, Wave.LEFT}
        again = self.outdated and self._all_enforced
        return not self.old_tls and (left == {Wave.EVIDENCE} or again)

    @property
    def _all_enforced(self) -> bool:
        return all(bucket.wave in (Wave.ENFORCED, Wave.LEFT) for bucket in self.buckets)


def _known_safe(bucket: PlannedBucket) -> bool:
    return bucket.logged is not None and isinstance(bucket.logged.answer, Safe)
