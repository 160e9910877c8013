"""Describe one bucket of a rollout: the known facts, and its wave."""

from __future__ import annotations

import datetime
import enum

from msgspec import Struct

from secure_bucket.operations.audit.audit import AuditedBucket
from secure_bucket.proof.verdict import Verdict
from secure_bucket.values.unknown import Place

__all__ = ["Client", "ClientUse", "Declaration", "PlannedBucket", "State", "Wave"]


class State(enum.Enum):
    """The state of a bucket: the deny in force, and the deny in its template."""

    ENFORCED = "enforced"
    """The deny is in force, and no template removes it."""

    REOPENS = "reopens"
    """The deny is in force, and the next deployment of the template may remove it."""

    CLOSES = "closes"
    """The deny is not proven in force, and the next deployment of the template adds it."""

    UNREPAIRED = "unrepaired"
    """The deny is proven neither in force nor in the template."""

    UNOWNED = "unowned"
    """The deny is not proven in force, and no known template owns the bucket."""

    PREPARED = "prepared"
    """The deny is proven in the template; whether it is in force is unknown."""

    DECLARED = "declared"
    """The deny is not proven in the template; whether it is in force is unknown."""

    LOGGED = "logged"
    """Only the logs contain the bucket."""

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
    """The wave of enforcement. Every bucket is in exactly one wave."""

    ENFORCED = 0
    """The bucket is enforced."""

    NOW = 1
    """The bucket can be enforced now: the logs show that nobody uses plain HTTP."""

    CLIENTS = 2
    """The bucket can be enforced after the named clients have moved to HTTPS."""

    EVIDENCE = 3
    """The clients that break are unknown: the logs, or the name of the bucket, are missing."""

    REDESIGN = 4
    """The bucket is a website, which needs another design first, because it speaks only plain HTTP."""

    LEFT = 5
    """An exception accepts the bucket as it is."""

    @property
    def words(self) -> str:
        """The title."""
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
    """A client that has to move: a requester with its user agent, if the logs were grouped by them.

    Args:
        requester: The requester; `-` for anonymous requests; `""` if the logs were not grouped by requester.
        user_agent: The user agent; `""` if the logs were not grouped by it.
        address: The address of an anonymous client; `""` for other clients.
    """

    requester: str
    user_agent: str
    address: str = ""


class ClientUse(Struct, frozen=True):
    """The requests of a client to one bucket that the deny will refuse.

    Args:
        client: The client.
        requests: The number of requests.
        first_seen: The time of the first request, in UTC.
        last_seen: The time of the last request, in UTC.
        transports: The transports: `http`, `tls-1.1`, ….
        operations: The operations, in the words of the log.
        addresses: The addresses of the client.
    """

    client: Client
    requests: int
    first_seen: datetime.datetime
    last_seen: datetime.datetime
    transports: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


class Declaration(Struct, frozen=True):
    """A bucket in a template.

    Args:
        template: The file of the template.
        logical_id: The logical id of the bucket.
        construct_path: The construct path; `""` if it is unknown.
        at: Its place in the template.
        verdict: The verdict in this template.
    """

    template: str
    logical_id: str
    construct_path: str
    at: Place
    verdict: Verdict

    @property
    def name(self) -> str:
        """The construct path, or the logical id."""
        return self.construct_path or self.logical_id


class PlannedBucket(Struct, frozen=True):
    """One bucket with all known facts, and the actions.

    Args:
        name: Its name; `""` if CloudFormation generates it, and it is unknown.
        state: Its state.
        wave: Its wave.
        reasons: The reasons for the wave, each as a sentence.
        actions: The actions in their order, each as a sentence.
        in_force: The verdict on the policy in force; `None` if it is unknown.
        in_template: The worst verdict in templates; `None` without a known template.
        declarations: The bucket in templates; empty without a known template.
        account: Its account; `""` if it is unknown.
        region: Its region; `""` if it is unknown.
        as_of: The time of the policy in force, such as `2027-03-01T12:00:00Z`; `""` if the policy was read
            now, or not at all.
        logged: The bucket in the logs; `None` if they do not contain it.
        clients: The clients that break, the busiest first.
        unnamed: The number of breaking requests without a named client.
        website: Whether it is configured as a website.
        move: The number of the move after which it can be enforced, in the wave of clients (default: 0).
        enforced_with: The labels of buckets of later waves that the deployment of its template also enforces.
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
        """Its place in the order: the wave and the move."""
        return self.wave.value, self.move

    @property
    def label(self) -> str:
        """Its name; without a known name, its place in the templates."""
        if self.name:
            return self.name
        return f"{self.declarations[0].name} in {self.declarations[0].template or 'the template'}"

    @property
    def where(self) -> str:
        """Its known account and region."""
        return ", ".join(filter(None, (self.account and f"account {self.account}", self.region)))
