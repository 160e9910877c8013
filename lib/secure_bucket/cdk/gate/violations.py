"""Word the findings of the gate as violations of the AWS CDK."""

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
from secure_bucket.template.resolve import Acknowledged

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

# The App itself. What is reported on it is shown, and counts, whichever stacks the command line is asked for.
APP = ""

_NAMED = 10

_SEVERITIES = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "info"}


def id_of(rule: str) -> str:
    """Return the id with which a rule is acknowledged."""
    return f"{PLUGIN}::{rule}"


def of_finding(finding: Finding, level: Level, *, on_app: bool, hint: str = "") -> PolicyViolation:
    """Report a finding.

    Args:
        finding: The finding.
        level: How much it weighs here.
        on_app: Whether to report it on the App instead of its construct, so that it is shown in any case.
        hint: What to add to the fix.
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
        severity = "fatal"  # Which nobody can acknowledge.
    return _violation(finding.rule, message, f"{finding.fix} {hint}".strip(), severity, [resource])


def of_sum(findings: Sequence[Finding], *, some_in_stages: bool) -> PolicyViolation:
    """Fail the App for the findings in its stacks, whichever of them the command line is asked for.

    A finding that is on its construct and on the App is printed once for each, the second time without its
    place. So the finding is on its construct only, and the sum on the App names it. Nobody can acknowledge
    the sum.

    Args:
        findings: The findings that fail the synthesis.
        some_in_stages: Whether the command line hides some of them unless it is asked for all stacks.
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
    """Name a bucket that the app imports: somebody else decides whether it refuses plain HTTP.

    Args:
        paths: The paths of the constructs that import it.
        arn: The ARN of the bucket, literal where its name is.
        on_app: Whether to report it on the App instead of the constructs, so that it is shown in any case.
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
    """Return an id as it was written: the CDK takes an id without a plugin for one of an annotation."""
    return acknowledgment.id.removeprefix("Annotation::")


def of_lost(acknowledgment: Acknowledged, advice: str) -> PolicyViolation:
    """Say that an acknowledgment has no effect."""
    where = f"`{acknowledgment.path}`" if acknowledgment.path else "the App"
    return _violation(
        _LOST,
        f"the acknowledgment of `{_written(acknowledgment)}` on {where} has no effect",
        advice,
        "warning",
        [_on(APP)],
    )


def of_too_early(path: str, why: str) -> PolicyViolation:
    """Report a bucket that FIX fixed, and would have left if the construct tree had told why it must."""
    return _violation(
        _TOO_EARLY,
        f"FIX denied plain HTTP to `{_readable(path)}`, which it leaves otherwise: {why}",
        "an override or later code decides that: set the property itself before FIX reads it, or pass "
        "`websites=True` or `plain_viewers=True` if the deny is meant",
        "fatal",
        [_on(APP)],
    )


def of_end(acknowledgment: Acknowledged, end: datetime.date | str | None, message: str) -> PolicyViolation:
    """Report an exception that holds no more, in a way that nobody can acknowledge.

    Args:
        acknowledgment: The exception.
        end: Its last day, or the text in its place that is not a day.
        message: What it was granted for.
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
        fix = (
            "fix what it was granted for, or acknowledge it anew, with a later day and a reason that is true"
        )
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
    """The path of a construct as its author thinks of it: of the L2, where there is one."""
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
    """A lone surrogate, which a template can hold, must not stop a message on its way to the CDK."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
