"""Probes for programs, as JSON of a published form: `probe-1.schema.json`, beside the form of the reports."""

from __future__ import annotations

from typing import Any

from typing_extensions import assert_never

from secure_bucket.formats.form import render as render_form
from secure_bucket.formats.form import run_members
from secure_bucket.formats.run import Run
from secure_bucket.operations.probe.outcome import Enforced, Exchange, Inconclusive, Open
from secure_bucket.operations.probe.probe import Check, Probe
from secure_bucket.operations.probe.results import Probes, outcome_name
from secure_bucket.proof.verdict import Proven, Refuted, Undecided, Verdict

__all__ = ["SCHEMA", "render"]

SCHEMA = "secure-bucket/probe/1"


def render(probes: Probes, run: Run) -> str:
    """Return the probes as a JSON document."""
    names = [outcome_name(check) for _, check in probes.checks]
    document = {
        "schema": SCHEMA,
        **run_members(run),
        "summary": {
            "buckets": len(probes.probes),
            **{name: names.count(name) for name in ("enforced", "open", "inconclusive")},
            "disagreements": sum(bool(check.disagreement) for _, check in probes.checks),
            "faults": len(probes.faults),
        },
        "probes": [_probe(probe) for probe in probes.probes],
        "faults": [{"bucket": fault.bucket, "message": fault.message} for fault in probes.faults],
    }
    return render_form(document)


def _probe(probe: Probe) -> dict[str, Any]:
    return {
        "bucket": probe.bucket,
        "arn": probe.bucket_arn,
        "region": probe.region,
        "checks": [_check(check) for check in probe.checks],
    }


def _check(check: Check) -> dict[str, Any]:
    found: dict[str, Any] = {
        "transport": check.transport.value,
        "outcome": outcome_name(check),
        "by": None,
        "let_in": None,
        "reasons": [],
    }
    match check.outcome:
        case Enforced(by=by):
            found["by"] = by.name.lower()
        case Open(exchange=exchange):
            found["let_in"] = _exchange(exchange)
        case Inconclusive(reasons=reasons):
            found["reasons"] = list(reasons)
        case _:
            assert_never(check.outcome)
    found["exchanges"] = [_exchange(each) for each in check.outcome.exchanges]
    found["proof"] = None if check.verdict is None else _proof(check.verdict)
    found["disagreement"] = check.disagreement or None
    return found


def _exchange(exchange: Exchange) -> dict[str, Any]:
    return {
        "action": exchange.action,
        "url": exchange.url,
        "transport": exchange.transport.value,
        "signer": exchange.signer.name.lower(),
        "status": exchange.status,
        "code": exchange.code or None,
        "message": exchange.message or None,
        "request_id": exchange.request_id or None,
    }


def _proof(verdict: Verdict) -> dict[str, Any]:
    match verdict:
        case Proven():
            return {"verdict": "proven", "request": None, "reasons": []}
        case Refuted(request=request, why=why):
            return {"verdict": "refuted", "request": request, "reasons": [why]}
        case Undecided(reasons=reasons):
            return {"verdict": "undecided", "request": None, "reasons": [each.reason for each in reasons]}
        case _:
            assert_never(verdict)
