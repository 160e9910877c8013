"""Write probes as SARIF: open and inconclusive checks, as findings of the rules of `check`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from secure_bucket.findings.finding import Fault, Finding, Level, Report
from secure_bucket.findings.rules import OLD_TLS, REFUTED, UNDECIDED
from secure_bucket.findings.subject import Running
from secure_bucket.formats import sarif
from secure_bucket.formats.run import Run
from secure_bucket.operations.probe.outcome import Exchange, Inconclusive, Open, Signer, Transport
from secure_bucket.operations.probe.probe import Check, Probe
from secure_bucket.operations.probe.results import Probes, sentence
from secure_bucket.policy.request import Request
from secure_bucket.proof.verdict import Refuted, Undecided
from secure_bucket.values.unknown import Place

__all__ = ["findings_of", "render"]

_FIX: Final = (
    "add the statement that denies it to the bucket policy: `secure-bucket review --bucket {bucket}` shows it"
)
_ASK_AGAIN: Final = "do what the reason says, and probe again"


def render(probes: Probes, run: Run) -> str:
    """Return the probes as a SARIF 2.1.0 log."""
    faults = tuple(Fault("", str(fault)) for fault in probes.faults)
    report = Report(findings=tuple(findings_of(probes)), faults=faults)
    log: dict[str, Any] = json.loads(sarif.render(report, run))
    log["runs"][0]["properties"]["summary"] = probes.summary()
    return json.dumps(log, ensure_ascii=False, indent=2) + "\n"


def findings_of(probes: Probes) -> Iterator[Finding]:
    """Yield the findings: SB001 and SB006 for open checks, SB002 for inconclusive ones."""
    for probe, check in probes.checks:
        if isinstance(check.outcome, Open):
            request = _request(probe, check.outcome.exchange)
            yield _finding(probe, check, _rule(check), sentence(probe, check), request)
        elif isinstance(check.verdict, Refuted):
            message = f"bucket `{probe.bucket}`: {check.disagreement or check.verdict.why}"
            yield _finding(probe, check, _rule(check), message, check.verdict.request)
        elif isinstance(check.outcome, Inconclusive) or isinstance(check.verdict, Undecided):
            message = sentence(probe, check)
            if isinstance(check.verdict, Undecided):
                message += f"; proof: {'; '.join(each.reason for each in check.verdict.reasons)}"
            yield _finding(probe, check, UNDECIDED, message, None)


def _rule(check: Check) -> str:
    return REFUTED if check.transport is Transport.HTTP else OLD_TLS


def _finding(probe: Probe, check: Check, rule: str, message: str, request: Request | None) -> Finding:
    fix = _ASK_AGAIN if request is None else _FIX.format(bucket=probe.bucket)
    # The transport distinguishes the findings over several TLS versions.
    return Finding(
        Running(probe.bucket, probe.bucket_arn),
        rule,
        Level.ERROR,
        message,
        fix,
        Place(),
        request,
        (("transport", check.transport.value),),
    )


def _request(probe: Probe, exchange: Exchange) -> Request:
    """Return the request that got in, with the condition keys of policies."""
    secure = "false" if exchange.transport is Transport.HTTP else "true"
    context: dict[str, str | list[str]] = {"aws:SecureTransport": secure}
    if exchange.transport.tls:
        context["s3:TlsVersion"] = exchange.transport.tls
    who = "anonymous" if exchange.signer is Signer.ANONYMOUS else "the caller"
    return Request(who, exchange.action, probe.bucket_arn, context)
