"""Define a rule, and the words that the rules share."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from typing import TypeAlias

from msgspec import Struct

from secure_bucket.findings.combine import ClaimOutcome
from secure_bucket.findings.declared import DeclaredJudgement
from secure_bucket.findings.finding import Finding, Level
from secure_bucket.findings.running import RunningJudgement
from secure_bucket.policy.request import ANONYMOUS, Request
from secure_bucket.policy.statements import deny_plain_http
from secure_bucket.proof.verdict import Refuted, Undecided
from secure_bucket.template.load import STDIN_NAME
from secure_bucket.values.never import assert_never
from secure_bucket.values.unknown import Place

__all__ = [
    "ADVICE_IN_PYTHON",
    "WEBSITE_REMEDY",
    "Judgement",
    "Rule",
    "circumstances",
    "decided_at",
    "describe_refutation",
    "describe_request",
    "finding",
    "fix_command",
    "is_foreign",
    "reasons",
    "remedy",
    "subject",
    "website_remedy",
    "when",
]

Judgement: TypeAlias = "DeclaredJudgement | RunningJudgement"
"""The judgement on a resource of a template, or on a bucket that runs."""

_Check: TypeAlias = "Callable[[Judgement], Iterator[Finding]]"

_VERBS = {"GetObject": "GET", "HeadObject": "HEAD", "PutObject": "PUT", "DeleteObject": "DELETE"}
_MAX_REASONS = 3
# The name of a hole can contain slashes: `<App/Child.Logs>/report.csv`.
_BUCKET = re.compile(r"(?:<[^>]*>|[^/])*/?")


class Rule(Struct, frozen=True):
    """A rule, which is its own manual.

    Args:
        id: Its id, such as `SB001`.
        name: Its name, such as `plaintext-http`.
        written: Its manual, the docstring of its module; `None` if Python strips docstrings.
        check: Returns its findings on a judgement.
        only_if_strict: Whether its findings count only with `strict`; otherwise they are notes of the report.
        about_verdict: Whether its finding states the verdict on plain HTTP.
        about_website: Whether its finding is that the bucket is a website.
        about_later_change: Whether its finding is about later changes, not about the deployed state.
        excusable: Whether an exception can accept its findings, and a baseline can contain them.
        undecidable: Whether its finding, if it has no request, reports something unknown.
    """

    id: str
    name: str
    written: str | None
    check: _Check
    only_if_strict: bool = False
    about_verdict: bool = False
    about_website: bool = False
    about_later_change: bool = False
    excusable: bool = True
    undecidable: bool = False

    @property
    def manual(self) -> str:
        """What it does, why it matters, an example and what to use instead, in Markdown."""
        return (
            self.written or f"# {self.id} {self.name}\n\nPython runs with `-OO`, which leaves manuals out.\n"
        )


def finding(
    judgement: Judgement,
    rule: str,
    level: Level,
    message: str,
    fix: str,
    at: Place | None = None,
    outcome: ClaimOutcome | None = None,
) -> Finding:
    """Return a finding on a judgement, with the request and the parameters of an outcome."""
    verdict = outcome.verdict if outcome is not None else None
    return Finding(
        judgement.subject,
        rule,
        level,
        # A message is one line, also if a name in the template has several.
        " ".join(message.split()),
        fix,
        at if at is not None else judgement.at,
        verdict.request if isinstance(verdict, Refuted) else None,
        outcome.parameters if outcome is not None else (),
    )


def subject(judgement: Judgement) -> str:
    """Return the subject of a message: the bucket, or the policy of a bucket elsewhere."""
    match judgement:
        case RunningJudgement():
            return judgement.bucket.described()
        case DeclaredJudgement():
            if judgement.foreign:
                return f"policy `{judgement.resource.logical_id}` of a bucket that is not declared here"
            return f"bucket `{judgement.resource.logical_id}`"
        case _:
            assert_never(judgement)


def is_foreign(judgement: Judgement) -> bool:
    """Tell whether a judgement is on a policy whose bucket no template here declares."""
    return isinstance(judgement, DeclaredJudgement) and judgement.foreign


def describe_request(request: Request) -> str:
    """Describe a request as a clause: ``anyone can GET `report.csv` over plain HTTP``."""
    name = request.action.partition(":")[2]
    path = request.resource.partition(":::")[2]
    bucket = _BUCKET.match(path)
    key = path[bucket.end() :] if bucket else ""
    who = "anyone" if request.principal == ANONYMOUS else f"`{request.principal}`"
    if key and name in _VERBS:
        what = f"{_VERBS[name]} `{key}`"
    else:
        what = f"call `{request.action}` on `{key}`" if key else f"call `{request.action}`"
    version = request.context.get("s3:TlsVersion")
    over = "an old TLS version" if version is None else f"TLS {version}"
    if request.context.get("aws:SecureTransport") != "true":
        over = "plain HTTP"
    return f"{who} can {what} over {over}"


def when(outcome: ClaimOutcome) -> str:
    """Return the parameter values that an outcome depends on, as the end of a clause."""
    if not outcome.parameters:
        return ""
    values = (
        f"`{name}` is {value if value.startswith('other than') else f'`{value}`'}"
        for name, value in outcome.parameters
    )
    return " when " + " and ".join(values)


def describe_refutation(judgement: Judgement, outcome: ClaimOutcome, refuted: Refuted) -> str:
    """Describe the request that gets through, and why no statement denies it, as the message of a finding."""
    request = describe_request(refuted.request)
    return f"{subject(judgement)}: {request}{when(outcome)}: {refuted.why}{circumstances(judgement)}"


def circumstances(judgement: Judgement) -> str:
    """Return circumstances that affect the risk, as the end of a message, for live buckets only."""
    return judgement.bucket.circumstances() if isinstance(judgement, RunningJudgement) else ""


def decided_at(judgement: Judgement, outcome: ClaimOutcome, refuted: Refuted) -> Place | None:
    """Return the place of the deciding statement; `None` if the template has no such policy."""
    return refuted.at if outcome.policy is not None or isinstance(judgement, RunningJudgement) else None


def reasons(undecided: Undecided) -> str:
    """Return the reasons why a claim is undecided, the first few in full."""
    texts = list(dict.fromkeys(reason.reason for reason in undecided.reasons))
    more = len(texts) - _MAX_REASONS
    return "; ".join(texts[:_MAX_REASONS]) + (f"; and {more} more" if more > 0 else "")


ADVICE_IN_PYTHON = "use `SecureBucket`, or `enforce_ssl=True`"
"""The advice for a bucket of a CDK app, in Python."""

# The id that an L2 construct of the AWS CDK gives its L1 construct.
_OF_AN_L2 = "/Resource"

WEBSITE_REMEDY = "remove `WebsiteConfiguration`"
"""How the advice for a website begins."""


def website_remedy(judgement: Judgement) -> str:
    """Return advice for a website: its endpoint speaks only plain HTTP, so a deny would close it."""
    how = ""
    if isinstance(judgement, RunningJudgement):
        how = f" with `aws s3api delete-bucket-website --bucket {judgement.bucket.name}`"
    return f"{WEBSITE_REMEDY}{how}, and serve the bucket through CloudFront with origin access control"


def remedy(judgement: Judgement, outcome: ClaimOutcome) -> str:
    """Return concrete advice: for a construct, a template, or a live bucket."""
    if judgement.website:
        return website_remedy(judgement)
    if isinstance(judgement, RunningJudgement):
        return _deny(judgement, outcome)
    before = "".join(
        f"first {viewers.change} in the {viewers.named}, which {viewers.why} and would get 403; then "
        for viewers in judgement.viewers
    )
    return before + _deny(judgement, outcome)


def fix_command(file: str) -> str:
    """Return the command that adds the deny to a template; for standard input, it prints the fixed text."""
    return "secure-bucket fix -" if file == STDIN_NAME else f"secure-bucket fix {shlex.quote(file)} --write"


def _deny(judgement: Judgement, outcome: ClaimOutcome) -> str:
    if isinstance(judgement, RunningJudgement):
        return judgement.bucket.remedy(deny_plain_http(judgement.bucket.arn))
    if judgement.subject.construct_path and not judgement.foreign:
        if judgement.subject.construct_path.endswith(_OF_AN_L2):
            return ADVICE_IN_PYTHON
        return (
            f"replace the L1 construct with an L2 bucket: {ADVICE_IN_PYTHON}; run `secure-bucket fix` on an "
            "included template"
        )
    bucket_arn: object = {"Fn::GetAtt": [judgement.resource.logical_id, "Arn"]}
    if judgement.foreign:
        bucket_arn = "<the ARN of the bucket>"
    statement = json.dumps(deny_plain_http(bucket_arn))
    file = judgement.stack.document.file
    # The command edits neither undecided policies nor policies of buckets that are declared elsewhere.
    is_a_file = judgement.stack.document.places is not None
    if file and is_a_file and not judgement.foreign and isinstance(outcome.verdict, Refuted):
        return f"run `{fix_command(file)}`; `secure-bucket explain SB001` says more"
    if outcome.policy is not None:
        return f"add to the statements of `{outcome.policy.resource.logical_id}`: {statement}"
    return f"add an `AWS::S3::BucketPolicy` for this bucket, with the statement {statement}"
