"""One bucket of a rollout: what is known about it, and the wave it goes in."""

from __future__ import annotations

import datetime
import enum

from msgspec import Struct

from secure_bucket.operations.audit.audit import AuditedBucket
from secure_bucket.proof.verdict import Verdict
from secure_bucket.values.unknown import Place

__all__ = ["Client", "ClientUse", "Declaration", "PlannedBucket", "State", "Wave"]


class State(enum.Enum):
    """How things stand with a bucket: what is in force, and what its template would put in force."""

    ENFORCED = "enforced"
    """The deny is in force, and no template would take it away."""

    REOPENS = "reopens"
    """The deny is in force, and the next deployment of the template may take it away."""

    CLOSES = "closes"
    """It is not proven to be in force, and the next deployment of the template puts it there."""

    UNREPAIRED = "unrepaired"
    """It is proven neither in force nor in the template."""

    UNOWNED = "unowned"
    """It is not proven to be in force, and no template is known to own the bucket."""

    PREPARED = "prepared"
    """It is proven in the template; what is in force is not known."""

    DECLARED = "declared"
    """It is not proven in the template; what is in force is not known."""

    LOGGED = "logged"
    """Only the logs know the bucket."""

    @property
    def words(self) -> str:
        """The state, as a clause."""
        return _STATES[self]


_STATES = {
    State.ENFORCED: "the deny is in force",
    State.REOPENS: "the deny is in force, and the next deployment of its template may take it away",
    State.CLOSES: "the deny is not proven in force, and comes with the next deployment of its template",
    State.UNREPAIRED: "the deny is proven neither in force nor in its template",
    State.UNOWNED: "the deny is not proven in force, and no template is known to own the bucket",
    State.PREPARED: "the deny is proven in its template; whether it is in force is not known",
    State.DECLARED: "the deny is not proven in its template; whether it is in force is not known",
    State.LOGGED: "only the logs know the bucket; whether the deny is in force is not known",
}


class Wave(enum.Enum):
    """When a bucket is enforced. Every bucket is in exactly one wave."""

    ENFORCED = 0
    """Nothing is to do."""

    NOW = 1
    """It can be enforced now: the logs show positively that nobody uses plain HTTP."""

    CLIENTS = 2
    """It can be enforced once the clients that are named have moved to HTTPS."""

    EVIDENCE = 3
    """Nobody knows yet who breaks: the logs, or the name of the bucket, are missing."""

    REDESIGN = 4
    """It is a website, which the deny would end: it needs another design first."""

    LEFT = 5
    """Somebody decided to leave it as it is, and said why."""

    @property
    def words(self) -> str:
        """What it is called."""
        return _WAVES[self]


_WAVES = {
    Wave.ENFORCED: "already enforced",
    Wave.NOW: "safe now",
    Wave.CLIENTS: "after clients have moved",
    Wave.EVIDENCE: "needs evidence first",
    Wave.REDESIGN: "needs another design first",
    Wave.LEFT: "left as it is, by an exception",
}


class Client(Struct, frozen=True, order=True):
    """Who has to move: a requester with its user agent, as far as the logs were grouped by them.

    Args:
        requester: Who asks; `-` for anonymous requests; `""` when the logs were not grouped by it.
        user_agent: The user agent; `""` when the logs were not grouped by it.
        address: The address, of an anonymous client only, which nothing else tells apart; `""` otherwise.
    """

    requester: str
    user_agent: str
    address: str = ""


class ClientUse(Struct, frozen=True):
    """What a client does with one bucket that the deny will refuse.

    Args:
        client: The client.
        requests: How many requests it made.
        first_seen: The time of the first one, in UTC.
        last_seen: The time of the last one, in UTC.
        transports: How they came: `http`, `tls-1.1`, ….
        operations: What it asked for, in the words of the log.
        addresses: From where.
    """

    client: Client
    requests: int
    first_seen: datetime.datetime
    last_seen: datetime.datetime
    transports: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


class Declaration(Struct, frozen=True):
    """Where a template declares a bucket, and what it proves there.

    Args:
        template: The file of the template, as it was given.
        logical_id: The logical id of the bucket.
        construct_path: The path of its construct; `""` when nothing tells.
        at: Where it is written.
        verdict: The verdict on it there.
    """

    template: str
    logical_id: str
    construct_path: str
    at: Place
    verdict: Verdict

    @property
    def name(self) -> str:
        """The path of its construct, or its logical id."""
        return self.construct_path or self.logical_id


class PlannedBucket(Struct, frozen=True):
    """One bucket with everything that is known about it, and what to do.

    Args:
        name: Its name; `""` where it is made up at deployment, and nothing tells it.
        state: How things stand with it.
        wave: When it is enforced.
        reasons: Why in this wave, each in a sentence.
        actions: What to do, in this order, each in a sentence.
        in_force: The verdict on the policy that is in force; `None` when it is not known.
        in_template: The weakest verdict on what templates declare; `None` when none does that is known.
        declarations: Where templates declare it; empty when none does that is known.
        account: The account that owns it; `""` when it is not known.
        region: Its region; `""` when it is not known.
        as_of: When the policy in force was read, as `2027-03-01T12:00:00Z`; `""` when just now, or never.
        logged: What the logs say about it; `None` when they do not know it.
        clients: The clients that break, the busiest first.
        unnamed: How many requests break of which the audit names no client.
        website: Whether it is configured as a website.
        move: In the wave of clients the number of the move after which it can be enforced; 0 otherwise.
        enforced_with: The labels of buckets whose turn comes later, and that the deployment of its template
            enforces as well.
    """

    name: str
    state: State
    wave: Wave
    reasons: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    in_force: Verdict | None = None
    in_template: Verdict | None = None
    declarations: tuple[Declaration, ...] = ()
    account: str = ""
    region: str = ""
    as_of: str = ""
    logged: AuditedBucket | None = None
    clients: tuple[ClientUse, ...] = ()
    unnamed: int = 0
    website: bool = False
    move: int = 0
    enforced_with: tuple[str, ...] = ()

    @property
    def position(self) -> tuple[int, int]:
        """When its turn comes: its wave, and its move."""
        return self.wave.value, self.move

    @property
    def label(self) -> str:
        """Its name; the place where it is declared, when nothing tells its name."""
        if self.name:
            return self.name
        return f"{self.declarations[0].name} in {self.declarations[0].template or 'the template'}"

    @property
    def where(self) -> str:
        """Its account and its region, as far as they are known."""
        return ", ".join(filter(None, (self.account and f"account {self.account}", self.region)))
