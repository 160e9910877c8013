"""Write a plan as JSON in the published form `plan-1.schema.json`."""

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
        number: Its number; 5 for buckets that an exception accepts.
        name: Its name.
        title: Its title.
        buckets: The number of its buckets.
        blast_radius: The clients that break if the wave is enforced now.
    """

    number: Natural
    name: Literal["enforced", "now", "clients", "evidence", "redesign", "left"]
    title: str
    buckets: Natural
    blast_radius: BlastRadius


class PlannedClientForm(Struct, frozen=True, kw_only=True):
    """A client.

    Args:
        requester: The requester; `-` for anonymous requests; null if the logs were not grouped by requester.
        user_agent: The user agent; null if the logs were not grouped by it.
        address: The address of an anonymous client; null for other clients.
    """

    requester: str | None
    user_agent: str | None
    address: str | None


class MovedClientForm(PlannedClientForm, frozen=True, kw_only=True):
    """A client that moves.

    Args:
        requests: The number of its requests to all buckets.
        last_seen: The time of the last request, in UTC.
        buckets: The labels of the buckets that it requests.
    """

    requests: Natural
    last_seen: Moment
    buckets: tuple[str, ...]


class ClientUseForm(PlannedClientForm, frozen=True, kw_only=True):
    """A client of a bucket.

    Args:
        requests: The number of its requests.
        first_seen: The time of the first request, in UTC.
        last_seen: The time of the last request, in UTC.
        transports: The transports.
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
        number: Its number.
        clients: The clients.
        frees: The labels of the buckets that can be enforced after it.
        all_clients_named: Whether these are all the clients of the buckets.
    """

    number: Positive
    clients: tuple[MovedClientForm, ...]
    frees: tuple[str, ...]
    all_clients_named: bool


class DeclarationForm(Struct, frozen=True):
    """A bucket in a template.

    Args:
        template: The template.
        logical_id: The logical id.
        construct_path: The construct path; null if it is unknown.
        line: The line, from 1; null if it is unknown.
        verdict: The verdict in this template.
    """

    template: str
    logical_id: str
    construct_path: str | None
    line: Positive | None
    verdict: Literal["proven", "refuted", "undecided"]


class LoggedForm(Struct, frozen=True):
    """A bucket in the logs.

    Args:
        answer: Whether the deny breaks clients.
        requests: The number of requests of clients.
        breaking: The number of requests that break.
        refused: The number of requests over plain HTTP or old TLS that were already refused.
        unknown: The number of requests without a known protocol.
        first_seen: The first record that counts as evidence; null without such a record.
        last_seen: The last such record.
        window_days: The number of days from the first to the last record, both included.
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
        name: Its name; null if it is unknown.
        label: Its name in messages.
        wave: Its wave.
        move: The number of the move after which it can be enforced; null if it waits for no move.
        state: Its state.
        in_force: The verdict on the live bucket; null if it was not reviewed.
        in_template: The verdict on its templates; null without a template.
        reasons: The reasons for its wave.
        actions: The actions.
        account: Its account; null if it is unknown.
        region: Its region; null if it is unknown.
        as_of: The time of the record behind the verdict; null if the review read S3 itself.
        website: Whether it is a website, whose endpoint speaks only plain HTTP.
        declarations: The bucket in templates.
        logs: The bucket in the logs; null without logs.
        clients: The clients that break.
        unnamed_requests: The number of breaking requests without a named client.
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
    """Something that could not be checked.

    Args:
        file: The file; null without a file.
        message: The problem, and what to do.
    """

    file: str | None
    message: str


class PlanForm(JsonDocument, frozen=True, kw_only=True, tag_field="schema", tag=SCHEMA):
    """A plan for the rollout of the deny.

    Args:
        summary: The plan in a sentence.
        minimum_tls: The minimum TLS version of clients; null to count only plain HTTP.
        sources: The sources of the plan.
        waves: All waves in their order.
        moves: The moves of clients in their order.
        buckets: Every bucket, in the order of enforcement.
        warnings: The reasons why the plan is less certain.
        faults: The reasons why the plan is incomplete.
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
