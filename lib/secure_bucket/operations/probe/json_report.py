"""Write probes as JSON in the published form `probe-1.schema.json`."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from secure_bucket.formats.cases import verdict_name
from secure_bucket.formats.form import JsonDocument, Natural, run_members
from secure_bucket.formats.form import render as render_form
from secure_bucket.formats.run import Run
from secure_bucket.operations.probe.outcome import Enforced, Exchange, Inconclusive, Open, Refuser, Transport
from secure_bucket.operations.probe.probe import Check, Probe
from secure_bucket.operations.probe.results import ProbeFault, Probes, outcome_name, shown_for
from secure_bucket.policy.request import Request
from secure_bucket.proof.verdict import Proven, Refuted, Undecided, Verdict
from secure_bucket.values.never import assert_never

__all__ = ["SCHEMA", "ProbeForm", "render"]

SCHEMA = "secure-bucket/probe/1"


class ProbeSummaryForm(Struct, frozen=True, kw_only=True):
    """Counts.

    Args:
        buckets: The number of probed buckets.
        enforced: The number of checks whose requests over plain HTTP or old TLS were refused.
        open: The number of checks with a request that got through.
        inconclusive: The number of checks that prove nothing.
        disagreements: The number of checks that disagree with the proof of the bucket policy.
        faults: The number of buckets that could not be probed, or whose policy could not be judged.
    """

    buckets: Natural
    enforced: Natural
    open: Natural
    inconclusive: Natural
    disagreements: Natural
    faults: Natural


class ProofForm(Struct, frozen=True):
    """The proof of the bucket policy.

    Args:
        verdict: The verdict.
        request: A request that a refuted policy accepts; null for other verdicts.
        reasons: The reasons why the policy is refuted or undecided.
    """

    verdict: Literal["proven", "refuted", "undecided"]
    request: Request | None
    reasons: tuple[str, ...]


class CheckForm(Struct, frozen=True):
    """The result over one transport.

    Args:
        transport: The transport.
        outcome: The outcome of the requests.
        shown_for: The callers that the outcome holds for: the identity that sent the requests, requests
            without a signature, or everyone, if the proof of the bucket policy agrees.
        by: The refuser of the requests; null if they were not refused.
        let_in: The request that got in; null without such a request.
        reasons: The reasons of an inconclusive outcome.
        exchanges: All requests with their answers, including those over HTTPS.
        proof: The proof of the bucket policy; null if the policy was not judged.
        disagreement: The disagreement between proof and probe; null if they agree.
    """

    transport: Transport
    outcome: Literal["enforced", "open", "inconclusive"]
    shown_for: Literal["everyone", "identity", "anonymous"]
    by: Refuser | None
    let_in: Exchange | None
    reasons: tuple[str, ...]
    exchanges: tuple[Exchange, ...]
    proof: ProofForm | None
    disagreement: str | None


class ProbedBucketForm(Struct, frozen=True):
    """A bucket that was probed.

    Args:
        bucket: Its name.
        arn: Its ARN.
        region: Its region.
        checks: The result over each transport.
        policy_unread: Why the bucket policy was not judged; null if it was judged, or if this is a fault.
    """

    bucket: str
    arn: str
    region: str
    checks: tuple[CheckForm, ...]
    policy_unread: str | None


class ProbeForm(JsonDocument, frozen=True, kw_only=True, tag_field="schema", tag=SCHEMA):
    """The answers of live buckets over HTTPS, plain HTTP and old TLS.

    Args:
        summary: Counts.
        probes: The probed buckets.
        faults: The buckets that could not be probed, or whose policy could not be judged.
    """

    summary: ProbeSummaryForm
    probes: tuple[ProbedBucketForm, ...]
    faults: tuple[ProbeFault, ...]


def render(probes: Probes, run: Run) -> str:
    """Return the probes as a JSON document."""
    names = [outcome_name(check) for _, check in probes.checks]
    document = ProbeForm(
        **run_members(run),
        summary=ProbeSummaryForm(
            buckets=len(probes.probes),
            enforced=names.count("enforced"),
            open=names.count("open"),
            inconclusive=names.count("inconclusive"),
            disagreements=sum(bool(check.disagreement) for _, check in probes.checks),
            faults=len(probes.faults),
        ),
        probes=tuple(map(_probe, probes.probes)),
        faults=probes.faults,
    )
    return render_form(document)


def _probe(probe: Probe) -> ProbedBucketForm:
    checks = tuple(map(_check, probe.checks))
    return ProbedBucketForm(probe.bucket, probe.bucket_arn, probe.region, checks, probe.policy_unread or None)


def _check(check: Check) -> CheckForm:
    found: dict[str, Any] = {"by": None, "let_in": None, "reasons": ()}
    match check.outcome:
        case Enforced(by=by):
            found["by"] = by
        case Open(exchange=exchange):
            found["let_in"] = exchange
        case Inconclusive(reasons=reasons):
            found["reasons"] = reasons
        case _:
            assert_never(check.outcome)
    outcome: Any = outcome_name(check)
    return CheckForm(
        check.transport,
        outcome,
        shown_for(check),
        **found,
        exchanges=check.outcome.exchanges,
        proof=None if check.verdict is None else _proof(check.verdict),
        disagreement=check.disagreement or None,
    )


def _proof(verdict: Verdict) -> ProofForm:
    name: Any = verdict_name(verdict)
    match verdict:
        case Proven():
            return ProofForm(name, None, ())
        case Refuted(request=request, why=why):
            return ProofForm(name, request, (why,))
        case Undecided(reasons=reasons):
            return ProofForm(name, None, tuple(each.reason for each in reasons))
        case _:
            assert_never(verdict)
