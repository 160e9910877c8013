"""Turn the findings of the gate into violations of the AWS CDK."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Sequence

from secure_bucket.cdk.versions import PolicyViolatingResource, PolicyViolation
from secure_bucket.errors import SecureBucketError
from secure_bucket.findings.acknowledgments import IMPORTED_BUCKET
from secure_bucket.findings.expiry import is_reason
from secure_bucket.findings.finding import Finding, Level
from secure_bucket.findings.rules import rule_of, sb008, sb009
from secure_bucket.policy.statements import deny_plain_http
from secure_bucket.template.manifest import Acknowledged

__all__ = [
    "PLUGIN",
    "SUM",
    "fails",
    "id_of",
    "of_end",
    "of_fault",
    "of_finding",
    "of_import",
    "of_lost",
    "of_sum",
    "of_too_early",
]

PLUGIN = "secure-bucket"

_FAILURE = "gate-failure"
_TOO_EARLY = "needs-plain-http"
_LOST = "acknowledgment-without-effect"
SUM = "unproven-buckets"
_EXPIRED, _MALFORMED = sb008.RULE.id, sb009.RULE.id

# The App itself. The CDK shows and counts findings on it, whichever stacks the command selects.
APP = ""

_NAMED = 10

_SEVERITIES = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "info"}


def id_of(rule: str) -> str:
    """Return the id that acknowledges a rule."""
    return f"{PLUGIN}::{rule}"


def of_finding(finding: Finding, level: Level, *, on_app: bool, hint: str = "") -> PolicyViolation:
    """Report a finding.

    Args:
        finding: The finding.
        level: Its level here.
        on_app: Whether to report it on the App instead of its construct, so that the CDK always shows it.
        hint: An addition to the fix.
    """
    path = finding.construct_path
    message = finding.message
    if path and f"`{_readable(path)}`" not in message:
        message = f"`{_readable(path)}`: {message}"
    resource = _on(APP)
    if path and not on_app:
        resource = PolicyViolatingResource(
            construct_path=path,
            locations=[],
            resource_logical_id=finding.logical_id,
            template_path=finding.template,
        )
    severity = _SEVERITIES[level]
    if level is Level.ERROR and not rule_of(finding).excusable:
        severity = "fatal"  # Nobody can acknowledge it.
    return _violation(finding.rule, message, f"{finding.fix} {hint}".strip(), severity, [resource])


def of_sum(findings: Sequence[Finding], *, some_in_stages: bool) -> PolicyViolation:
    """Fail the App for the findings in its stacks, whichever stacks the command selects.

    The CDK would print a finding on both its construct and the App twice, the second time without its place.
    So the finding is on its construct only, and the sum on the App names it. Nobody can acknowledge the sum.

    Args:
        findings: The findings that fail the synthesis.
        some_in_stages: Whether the command line hides some of them by default.
    """
    names = list(dict.fromkeys(f"`{_readable(finding.construct_path)}`" for finding in findings))
    if len(names) > _NAMED:
        names[_NAMED:] = [f"{len(names) - _NAMED} more"]
    fix = "fix or accept each of them; `cdk synth '**'` shows what to do"
    if some_in_stages:
        fix = (
            "`cdk synth '**'` shows also for those in Stages who reaches them over plain HTTP, which line "
            "made them, and what to do"
        )
    return _violation(
        SUM,
        f"this app does not synthesize until these are fixed or accepted: {', '.join(names)}",
        fix,
        "fatal",
        [_on(APP)],
    )


def of_import(paths: Sequence[str], arn: object, *, on_app: bool) -> PolicyViolation:
    """Report an imported bucket: its owner decides whether it refuses plain HTTP.

    Args:
        paths: The paths of the constructs that import it.
        arn: The ARN of the bucket, literal if its name is.
        on_app: Whether to report it on the App instead of the constructs, so that the CDK always shows it.
    """
    policy = {"Version": "2012-10-17", "Statement": [deny_plain_http(arn)]}
    return _violation(
        IMPORTED_BUCKET,
        f"imported bucket `{paths[0]}` is not covered: its policy is in no template of this app",
        f"its owner adds the statement to the bucket policy, or sets this one: {json.dumps(policy)}",
        "info",
        [_on(APP)] if on_app else [_on(path) for path in paths],
    )


def _written(acknowledgment: Acknowledged) -> str:
    """Return an id as the user wrote it: the CDK treats an id without a plugin as one of an annotation."""
    return acknowledgment.id.removeprefix("Annotation::")


def of_lost(acknowledgment: Acknowledged, advice: str) -> PolicyViolation:
    """Report an acknowledgment without an effect."""
    where = f"`{acknowledgment.path}`" if acknowledgment.path else "the App"
    return _violation(
        _LOST,
        f"the acknowledgment of `{_written(acknowledgment)}` on {where} has no effect",
        advice,
        "warning",
        [_on(APP)],
    )


def of_too_early(path: str, why: str) -> PolicyViolation:
    """Report a bucket that FIX fixed, but would have left if the construct tree had shown the reason."""
    return _violation(
        _TOO_EARLY,
        f"FIX denied plain HTTP to `{_readable(path)}`, which it leaves otherwise: {why}",
        "an override or later code decides that: set the property itself before FIX reads it, or pass "
        "`websites=True` or `plain_viewers=True` if the deny is meant",
        "fatal",
        [_on(APP)],
    )


def of_end(acknowledgment: Acknowledged, end: datetime.date | str | None, message: str) -> PolicyViolation:
    """Report an expired exception, in a way that nobody can acknowledge.

    Args:
        acknowledgment: The exception.
        end: Its last day, or the malformed text in its place.
        message: The finding that it was granted for.
    """
    where = f"`{_readable(acknowledgment.path)}`" if acknowledgment.path else "the App"
    if not is_reason(acknowledgment.reason):
        what, rule = "gives no reason", _MALFORMED
        fix = "say in its reason why the finding is accepted"
    elif isinstance(end, str):
        said = f"`expires {end}`" if end else "`expires` without a day"
        what, rule = f"says {said}; a day is written as `expires 2027-03-01`", _MALFORMED
        fix = "write the day so, or say without `expires` why there is no end"
    else:
        what, rule = f"expired on {end}", _EXPIRED
        fix = "fix what it was granted for, or acknowledge it again, with a later day and a true reason"
    return _violation(
        rule,
        f"the acknowledgment of `{_written(acknowledgment)}` on {where} {what}: {message}",
        fix,
        "fatal",
        [_on(APP)],
    )


def fails(violation: PolicyViolation) -> bool:
    """Tell whether a violation fails the synthesis."""
    return violation.severity in ("error", "fatal")


def of_fault(fault: Exception) -> PolicyViolation:
    """Report that the gate could not do its work, in a way that nobody can acknowledge."""
    if isinstance(fault, SecureBucketError):
        message, fix = str(fault), "until every template of the app can be read, nothing is proven"
    else:
        message = f"the gate failed with {type(fault).__name__}: {fault}"
        fix = "nothing is proven; this is a defect of secure-bucket, so please report it with this message"
    return _violation(_FAILURE, message, fix, "fatal", [_on(APP)])


def _readable(path: str) -> str:
    """Return the path of the L2 of a construct, or else its own."""
    return path.removesuffix("/Resource")


def _on(path: str) -> PolicyViolatingResource:
    return PolicyViolatingResource(construct_path=path, locations=[])


def _violation(
    rule: str, description: str, fix: str, severity: str, resources: Iterable[PolicyViolatingResource]
) -> PolicyViolation:
    return PolicyViolation(
        rule_name=rule,
        description=_sendable(description),
        fix=_sendable(fix),
        severity=severity,
        violating_resources=list(resources),
    )


def _sendable(text: str) -> str:
    """Replace lone surrogates, which a template can contain and jsii cannot send."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
