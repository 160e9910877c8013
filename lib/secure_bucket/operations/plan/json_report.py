"""Write a plan as JSON of a published form, `plan-1.schema.json`."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from secure_bucket.formats.cases import verdict_name
from secure_bucket.formats.form import JsonDocument, Moment, Natural, Positive, fill, run_members
from secure_bucket.formats.form import render as render_form
from secure_bucket.formats.run import Run, utc
from secure_bucket.operations.audit.audit import Answer
from secure_bucket.operations.plan.planned_bucket import (
    Client,
    PlannedBucket,
    State,
    Wave,
)
from secure_bucket.operations.plan.rollout import BlastRadius, PlanSource, Rollout
from secure_bucket.operations.plan.sentences import summary, uses_of

__all__ = ["SCHEMA", "PlanForm", "render"]

SCHEMA = "secure-bucket/plan/1"


class WaveForm(Struct, frozen=True):
    """A wave.

    Args:
        number: Its number; 5 is what is left as it is.
        name: Its name.
        title: What it is called.
        buckets: How many buckets are in it.
        blast_radius: Who is hit when it is enforced as it stands.
    """

    number: Natural
    name: Literal["enforced", "now", "clients", "evidence", "redesign", "left"]
    title: str
    buckets: Natural
    blast_radius: BlastRadius


class PlannedClientForm(Struct, frozen=True, kw_only=True):
    """A client.

    Args:
        requester: Who asks; `-` for anonymous requests; null when the logs were not grouped by it.
        user_agent: The user agent; null when the logs were not grouped by it.
        address: The address of an anonymous client, which nothing else tells apart; null otherwise.
    """

    requester: str | None
    user_agent: str | None
    address: str | None


class MovedClientForm(PlannedClientForm, frozen=True, kw_only=True):
    """A client that moves.

    Args:
        requests: How many requests it made, to all buckets.
        last_seen: The time of the last one, in UTC.
        buckets: The labels of the buckets that it asks.
    """

    requests: Natural
    last_seen: Moment
    buckets: tuple[str, ...]


class ClientUseForm(PlannedClientForm, frozen=True, kw_only=True):
    """A client of a bucket.

    Args:
        requests: How many requests it made.
        first_seen: The time of the first one, in UTC.
        last_seen: The time of the last one, in UTC.
        transports: How they came.
        operations: The operations, in the words of the log.
        addresses: The addresses.
    """

    requests: Natural
    first_seen: Moment
    last_seen: Moment
    transports: tuple[str, ...]
    operations: tuple[str, ...]
    addresses: tuple[str, ...]


class MoveForm(Struct, frozen=True):
    """Clients that move together.

    Args:
        number: Which move it is.
        clients: The clients.
        frees: The labels of the buckets that can be enforced after it.
        all_clients_named: Whether these are all the clients of the buckets; otherwise the audit does not
            name some.
    """

    number: Positive
    clients: tuple[MovedClientForm, ...]
    frees: tuple[str, ...]
    all_clients_named: bool


class DeclarationForm(Struct, frozen=True):
    """Where a template declares a bucket.

    Args:
        template: The template.
        logical_id: The logical id.
        construct_path: The construct path; null when it is not known.
        line: The line, from 1; null when it is not known.
        verdict: The verdict on it there.
    """

    template: str
    logical_id: str
    construct_path: str | None
    line: Positive | None
    verdict: Literal["proven", "refuted", "undecided"]


class LoggedForm(Struct, frozen=True):
    """What the logs tell about a bucket.

    Args:
        answer: Whether the deny breaks something.
        requests: How many requests of clients there are.
        breaking: How many break.
        refused: How many came over plain HTTP or old TLS, and were refused already.
        unknown: How many do not show their protocol.
        first_seen: The first record that counts as evidence; null without such a record.
        last_seen: The last one.
        window_days: How many days lie between them, both included.
    """

    answer: Answer
    requests: Natural
    breaking: Natural
    refused: Natural
    unknown: Natural
    first_seen: Moment | None
    last_seen: Moment | None
    window_days: Natural


class PlannedBucketForm(Struct, frozen=True, kw_only=True):
    """A bucket.

    Args:
        name: Its name; null when it is not known.
        label: What messages call it.
        wave: The wave that it is in.
        move: After which move of clients it can be enforced; null when it does not wait for one.
        state: How things stand with it.
        in_force: The verdict on the live bucket; null when it was not reviewed.
        in_template: The verdict on its templates; null when none declares it.
        reasons: Why it is in that wave.
        actions: What to do.
        account: Its account; null when it is not known.
        region: Its region; null when it is not known.
        as_of: When AWS recorded what the verdict rests on; null when S3 itself was asked.
        website: Whether it is a website, whose endpoint speaks plain HTTP only.
        declarations: Where templates declare it.
        logs: What the logs tell about it; null without logs.
        clients: The clients that break.
        unnamed_requests: How many requests break of which the audit names no client.
        enforced_with: The labels of the buckets that the same deployment enforces.
    """

    name: str | None
    label: str
    wave: Literal["enforced", "now", "clients", "evidence", "redesign", "left"]
    move: Positive | None
    state: State
    in_force: Literal["proven", "refuted", "undecided"] | None
    in_template: Literal["proven", "refuted", "undecided"] | None
    reasons: tuple[str, ...]
    actions: tuple[str, ...]
    account: str | None
    region: str | None
    as_of: str | None
    website: bool
    declarations: tuple[DeclarationForm, ...]
    logs: LoggedForm | None
    clients: tuple[ClientUseForm, ...]
    unnamed_requests: Natural
    enforced_with: tuple[str, ...]


class PlanFaultForm(Struct, frozen=True):
    """What could not be looked at.

    Args:
        file: The file; null when it is about none.
        message: What is wrong, and what to do.
    """

    file: str | None
    message: str


class PlanForm(JsonDocument, frozen=True, kw_only=True, tag_field="schema", tag=SCHEMA):
    """In which order to deny plain HTTP: which buckets change, and which clients break.

    Args:
        summary: The plan in a sentence.
        minimum_tls: The TLS version below which clients count as well; null for plain HTTP alone.
        sources: What the plan was made from.
        waves: The waves, in their order; also those without a bucket.
        moves: In which order clients move.
        buckets: Every bucket, in the order in which to enforce them.
        warnings: What makes the plan less certain.
        faults: What could not be looked at, so that the plan is not whole.
    """

    summary: str
    minimum_tls: float | None
    sources: tuple[PlanSource, ...]
    waves: tuple[WaveForm, ...]
    moves: tuple[MoveForm, ...]
    buckets: tuple[PlannedBucketForm, ...]
    warnings: tuple[str, ...]
    faults: tuple[PlanFaultForm, ...]


def render(rollout: Rollout, run: Run) -> str:
    """Return the plan as a JSON document, with file names relative to the root of the run."""
    document = fill(
        PlanForm,
        rollout,
        **run_members(run),
        summary=summary(rollout),
        waves=tuple(_wave(rollout, wave) for wave in Wave),
        moves=_moves(rollout),
        buckets=tuple(_bucket(bucket, run) for bucket in rollout.buckets),
        faults=tuple(PlanFaultForm(run.relative(each.file) or None, each.message) for each in rollout.faults),
    )
    return render_form(document)


def _moves(rollout: Rollout) -> tuple[MoveForm, ...]:
    uses = uses_of(rollout)

    def moved(client: Client) -> MovedClientForm:
        return fill(
            MovedClientForm,
            client,
            requests=sum(use.requests for _, use in uses[client]),
            last_seen=utc(max(use.last_seen for _, use in uses[client])),
            buckets=tuple(bucket.label for bucket, _ in uses[client]),
        )

    return tuple(
        MoveForm(move.number, tuple(map(moved, move.clients)), move.frees, move.whole)
        for move in rollout.moves
    )


def _wave(rollout: Rollout, wave: Wave) -> WaveForm:
    name: Any = wave.name.lower()
    return WaveForm(wave.value, name, wave.words, len(rollout.wave(wave)), rollout.blast_radius(wave))


def _bucket(bucket: PlannedBucket, run: Run) -> PlannedBucketForm:
    logged = bucket.logged
    return fill(
        PlannedBucketForm,
        bucket,
        wave=bucket.wave.name.lower(),
        move=bucket.move or None,
        in_force=None if bucket.in_force is None else verdict_name(bucket.in_force),
        in_template=None if bucket.in_template is None else verdict_name(bucket.in_template),
        declarations=tuple(
            fill(
                DeclarationForm,
                each,
                template=run.relative(each.template),
                line=each.at.line or None,
                verdict=verdict_name(each.verdict),
            )
            for each in bucket.declarations
        ),
        logs=None if logged is None else fill(LoggedForm, logged, window_days=logged.window),
        clients=tuple(fill(ClientUseForm, use, use.client) for use in bucket.clients),
        unnamed_requests=bucket.unnamed,
    )
