"""Write a plan as CSV: one line for each bucket, in the order of enforcement."""

from __future__ import annotations

import csv
import io

from secure_bucket.formats.cases import verdict_name
from secure_bucket.formats.characters import spreadsheet_cell, well_formed
from secure_bucket.formats.run import Run
from secure_bucket.operations.audit.sentences import answer_name
from secure_bucket.operations.plan.rollout import Rollout
from secure_bucket.operations.plan.sentences import client_name

__all__ = ["render"]

_HEAD = (
    *("wave", "wave_title", "move", "bucket", "account", "region", "state", "in_force", "in_template"),
    *("templates", "logical_ids", "logs", "requests", "breaking_requests", "clients", "why", "what_to_do"),
)


def render(rollout: Rollout, run: Run) -> str:
    """Return the buckets as comma-separated values (RFC 4180)."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_HEAD)
    for bucket in rollout.buckets:
        logged = bucket.logged
        declarations = bucket.declarations
        before = (bucket.label, bucket.account, bucket.region, bucket.state.value)
        verdicts = (
            "" if bucket.in_force is None else verdict_name(bucket.in_force),
            "" if bucket.in_template is None else verdict_name(bucket.in_template),
        )
        after = (
            "; ".join(client_name(use.client, "") for use in bucket.clients),
            "; ".join(bucket.reasons),
            "; ".join(bucket.actions),
        )
        writer.writerow(
            [
                bucket.wave.value,
                bucket.wave.words,
                bucket.move or "",
                *map(spreadsheet_cell, (*before, *verdicts)),
                spreadsheet_cell(
                    "; ".join(dict.fromkeys(run.relative(each.template) for each in declarations))
                ),
                spreadsheet_cell("; ".join(each.logical_id for each in declarations)),
                "" if logged is None else answer_name(logged.answer),
                "" if logged is None else logged.requests,
                "" if logged is None else logged.breaking,
                *map(spreadsheet_cell, after),
            ]
        )
    return well_formed(out.getvalue())
