"""Tell what FIX did about the buckets that the gate judges, and why it left some of them."""

from __future__ import annotations

from collections.abc import Container

from secure_bucket.cdk.fix.outcome import Fixed, Left, Outcome
from secure_bucket.cdk.gate.state import AppState
from secure_bucket.findings.finding import Finding, Report
from secure_bucket.findings.rules import REFUTED, UNDECIDED, sb004
from secure_bucket.template.manifest import StackArtifact

__all__ = ["hint_about_fix", "needs_plain_http", "outcome_in_templates"]


_WEBSITE = sb004.RULE.id


def outcome_in_templates(outcome: Outcome, proven: Container[str]) -> Outcome:
    """Return what FIX did according to the finished templates: a bucket that is not proven was not fixed.

    Args:
        outcome: What FIX did during the synthesis.
        proven: The construct paths of the buckets that the finished templates prove.
    """
    if isinstance(outcome, Fixed) and outcome.bucket not in proven:
        return Left(outcome.bucket, f"the deny in `{outcome.policy}` was undone by code that ran after FIX")
    return outcome


def needs_plain_http(report: Report, state: AppState) -> dict[str, str]:
    """Return why FIX should have left buckets that it fixed, by their construct paths.

    FIX reads the construct tree, which does not show overrides. Only the finished templates show that an
    override made a bucket a website, or made a CloudFront distribution request its objects over plain HTTP.
    """
    websites = {each.construct_path for each in report.findings if each.rule == _WEBSITE}
    found = {}
    for bucket in report.buckets:
        path, why = bucket.construct_path, ""
        if not isinstance(state.outcomes.get(path), Fixed) or path in state.closed:
            continue
        if path in websites and not state.websites:
            why = "its website endpoint speaks plain HTTP only, so that the deny would close it"
        elif bucket.viewers and not state.plain_viewers:
            why = "; ".join(bucket.viewers)
        if why:
            found[path] = why
    return found


def hint_about_fix(finding: Finding, stack: StackArtifact | None, state: AppState) -> str:
    """Return why FIX did not remove a finding, as an addition to its advice; `""` without FIX.

    Args:
        finding: The finding.
        stack: The stack of the finding.
        state: The state of the app.
    """
    outcome = state.outcomes.get(finding.construct_path)
    if isinstance(outcome, Left):
        return f"(FIX left it as it is: {outcome.why}.)"
    if isinstance(outcome, Fixed) and finding.rule in (REFUTED, UNDECIDED):
        return f"(FIX wrote the deny into `{outcome.policy}`, and what came after it undid that.)"
    if stack is not None and any(f"{stack.path}/".startswith(stage) for stage in state.synthesized):
        return (
            f"(FIX did not reach the stack `{stack.path}`: its Stage was synthesized before the call of "
            "`enforce_secure_transport`, as CDK Pipelines does in `add_stage`. Call it before that.)"
        )
    if not state.fixed or stack is None or stack.path in state.fixed:
        return ""
    if state.entered:
        return (
            f"(FIX did not reach the stack `{stack.path}`: its Stage was made after the call of "
            "`enforce_secure_transport`, holds no `s3.Bucket`, and was synthesized before the app. Call it "
            "once the Stage is there.)"
        )
    scope = "the Stage" if stack.stage else "the stack"
    return (
        f"(FIX did not reach the stack `{stack.path}`: an Aspect does not enter a Stage from outside. "
        f"Attach one to {scope} itself: `cdk.Aspects.of(…).add(SecureTransportAspect(mode=Mode.FIX))`, "
        "or use `enforce_secure_transport(app, mode=Mode.FIX)` instead.)"
    )
