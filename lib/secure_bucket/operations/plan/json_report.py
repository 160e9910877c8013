"""A plan for programs, as JSON of a published form: `plan-1.schema.json` in `formats`."""

from __future__ import annotations

import datetime
from typing import Any

from secure_bucket.formats.cases import verdict_name
from secure_bucket.formats.form import render as render_form
from secure_bucket.formats.form import run_members, utc
from secure_bucket.formats.run import Run
from secure_bucket.operations.plan.planned_bucket import Client, ClientUse, Declaration, PlannedBucket, Wave
from secure_bucket.operations.plan.rollout import Rollout
from secure_bucket.operations.plan.sentences import summary, uses_of

__all__ = ["SCHEMA", "render"]

SCHEMA = "secure-bucket/plan/1"


def render(rollout: Rollout, run: Run) -> str:
    """Return the plan as a JSON document, with file names relative to the root of the run."""
    uses = uses_of(rollout)
    document = {
        "schema": SCHEMA,
        **run_members(run),
        "summary": summary(rollout),
        "minimum_tls": rollout.minimum_tls,
        "sources": [
            {
                "kind": source.kind,
                "buckets": source.buckets,
                "named": list(source.named),
                "as_of": source.as_of or None,
                "days": source.days,
            }
            for source in rollout.sources
        ],
        "waves": [_wave(rollout, wave) for wave in Wave],
        "moves": [
            {
                "number": move.number,
                "clients": [
                    {
                        **_client(client),
                        "requests": sum(use.requests for _, use in uses[client]),
                        "last_seen": _time(max(use.last_seen for _, use in uses[client])),
                        "buckets": [bucket.label for bucket, _ in uses[client]],
                    }
                    for client in move.clients
                ],
                "frees": list(move.frees),
                "all_clients_named": move.whole,
            }
            for move in rollout.moves
        ],
        "buckets": [_bucket(bucket, run) for bucket in rollout.buckets],
        "warnings": list(rollout.warnings),
        "faults": [
            {"file": run.relative(fault.file) or None, "message": fault.message} for fault in rollout.faults
        ],
    }
    return render_form(document)


def _wave(rollout: Rollout, wave: Wave) -> dict[str, Any]:
    radius = rollout.blast_radius(wave)
    return {
        "number": wave.value,
        "name": wave.name.lower(),
        "title": wave.words,
        "buckets": len(rollout.wave(wave)),
        "blast_radius": {
            "buckets": radius.buckets,
            "accounts": list(radius.accounts),
            "clients": radius.clients,
            "requests": radius.requests,
            "unknown_buckets": radius.unknown,
        },
    }


def _bucket(bucket: PlannedBucket, run: Run) -> dict[str, Any]:
    logged = bucket.logged
    return {
        "name": bucket.name or None,
        "label": bucket.label,
        "wave": bucket.wave.name.lower(),
        "move": bucket.move or None,
        "state": bucket.state.value,
        "in_force": None if bucket.in_force is None else verdict_name(bucket.in_force),
        "in_template": None if bucket.in_template is None else verdict_name(bucket.in_template),
        "reasons": list(bucket.reasons),
        "actions": list(bucket.actions),
        "account": bucket.account or None,
        "region": bucket.region or None,
        "as_of": bucket.as_of or None,
        "website": bucket.website,
        "declarations": [_declaration(each, run) for each in bucket.declarations],
        "logs": None
        if logged is None
        else {
            "answer": logged.answer,
            "requests": logged.requests,
            "breaking": logged.breaking,
            "refused": logged.refused,
            "unknown": logged.unknown,
            "first_seen": _time(logged.first_seen),
            "last_seen": _time(logged.last_seen),
            "window_days": logged.window,
        },
        "clients": [_use(use) for use in bucket.clients],
        "unnamed_requests": bucket.unnamed,
        "enforced_with": list(bucket.enforced_with),
    }


def _declaration(declaration: Declaration, run: Run) -> dict[str, Any]:
    return {
        "template": run.relative(declaration.template),
        "logical_id": declaration.logical_id,
        "construct_path": declaration.construct_path or None,
        "line": declaration.at.line or None,
        "verdict": verdict_name(declaration.verdict),
    }


def _client(client: Client) -> dict[str, Any]:
    return {
        "requester": client.requester or None,
        "user_agent": client.user_agent or None,
        "address": client.address or None,
    }


def _use(use: ClientUse) -> dict[str, Any]:
    return {
        **_client(use.client),
        "requests": use.requests,
        "first_seen": _time(use.first_seen),
        "last_seen": _time(use.last_seen),
        "transports": list(use.transports),
        "operations": list(use.operations),
        "addresses": list(use.addresses),
    }


def _time(time: datetime.datetime | None) -> datetime.datetime | None:
    return None if time is None else utc(time)
