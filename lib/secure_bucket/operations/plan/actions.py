"""List the actions for a bucket."""

from __future__ import annotations

from collections.abc import Iterator

from secure_bucket.findings.rules.rule import fix_command
from secure_bucket.formats.summary import count
from secure_bucket.operations.audit.audit import Safe
from secure_bucket.operations.plan.decision import Decision, template_name
from secure_bucket.operations.plan.planned_bucket import State, Wave
from secure_bucket.proof.verdict import Proven, Undecided
from secure_bucket.values.never import assert_never

__all__ = ["actions_of"]

_NAME_IT = (
    "get its name from its stack: `aws cloudformation list-stack-resources --stack-name STACK > FILE`, then "
    "give --stack-resources TEMPLATE=FILE"
)


def actions_of(decision: Decision) -> Iterator[str]:
    """Yield the actions for a bucket in their order, each as a sentence."""
    wave = decision.wave
    match wave:
        case Wave.ENFORCED | Wave.LEFT:
            return
        case Wave.NOW:
            pass
        case Wave.CLIENTS:
            yield from _hold_back(decision, "until the clients have moved")
            yield "move the clients to HTTPS, and audit newer logs to see that they are gone"
        case Wave.EVIDENCE:
            new = ", unless the bucket is new and has no clients" if decision.state is State.PREPARED else ""
            yield from _hold_back(decision, f"until the logs tell who breaks{new}")
            yield from _gather_evidence(decision)
        case Wave.REDESIGN:
            yield from _hold_back(decision, "until the website has moved")
            yield decision.website or "serve it through CloudFront with origin access control"
        case _:
            assert_never(wave)
    yield from _enforce(decision)


def _hold_back(decision: Decision, until: str) -> Iterator[str]:
    if decision.state in (State.CLOSES, State.PREPARED):
        yield f"postpone the deployment of {decision.templates()} {until}"


def _gather_evidence(decision: Decision) -> Iterator[str]:
    if not decision.joined.name:
        yield _NAME_IT
        if decision.circumstances.audited:
            return
    if isinstance(decision.answer, Safe):
        return
    days = count(decision.circumstances.minimum_window, "day")
    if decision.joined.logged is not None:
        yield (f"gather what the logs lack, {days} of them, and run `secure-bucket audit` on them")
    else:
        yield (
            "give its logs with --logs or --audit; where it has no logs, turn on server access logs of "
            f"S3 or data events of CloudTrail for {days}"
        )


def _enforce(decision: Decision) -> Iterator[str]:
    if decision.state not in (State.ENFORCED, State.LOGGED):
        for line in dict.fromkeys(line for each in decision.joined.declared for line in each.bucket.viewers):
            yield f"have CloudFront use HTTPS first, as it would get 403: {line}"
    match decision.state:
        case State.CLOSES | State.PREPARED:
            yield f"deploy {decision.templates()}: the deny comes with it"
        case State.UNREPAIRED | State.DECLARED | State.REOPENS:
            yield from _fix(decision)
        case State.UNOWNED:
            assert decision.joined.running is not None
            yield decision.joined.running.fix or "add the deny to its policy"
        case State.LOGGED:
            yield (
                "review the account that owns it: `secure-bucket review` tells whether the deny is in "
                "force, and which statement to add"
            )
        case State.ENFORCED:
            pass
        case _:
            assert_never(decision.state)


def _fix(decision: Decision) -> Iterator[str]:
    for each in decision.joined.declared:
        bucket = each.bucket
        if isinstance(bucket.verdict, Proven):
            continue
        named = f"`{bucket.logical_id}` of {template_name(bucket.template)}"
        if bucket.construct_path:
            how = "use `SecureBucket`, or `enforce_secure_transport(app, mode=Mode.FIX)` in the CDK app"
        elif isinstance(bucket.verdict, Undecided):
            how = "resolve the unknown value"
        else:
            how = f"`{fix_command(bucket.template or 'TEMPLATE')}` writes the deny"
        when = "before its next deployment" if decision.state is State.REOPENS else "and deploy it"
        yield f"fix {named}, {when}: {how}"
