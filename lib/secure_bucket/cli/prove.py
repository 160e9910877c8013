"""Run `secure-bucket prove`: prove that one bucket policy denies plain HTTP."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from secure_bucket.cli.bare_policy import BarePolicy, read_policy
from secure_bucket.cli.codes import PROVEN, REFUTED, UNDECIDED
from secure_bucket.cli.exits import exit_code_of
from secure_bucket.cli.output import to_stdout, width_of
from secure_bucket.cli.wrap import fitting
from secure_bucket.findings.rules.rule import describe_request
from secure_bucket.proof import prove_denies_http, prove_minimum_tls
from secure_bucket.proof.verdict import Proven, Refuted, Undecided, Verdict
from secure_bucket.values.never import assert_never

__all__ = ["SCHEMA", "run", "verdict_lines"]

SCHEMA = "secure-bucket/proof/1"

_ORDER = (REFUTED, UNDECIDED, PROVEN)


def run(arguments: argparse.Namespace) -> int:
    """Judge the policy and print the verdict.

    Returns:
        The exit code.

    Raises:
        SecureBucketError: If the policy cannot be read, or its bucket is unknown.
    """
    bare = read_policy(arguments.policy)
    bucket_arn = bare.bucket_arn(arguments.bucket, arguments.partition)
    strict = bool(arguments.strict)
    claims = [("over plain HTTP", prove_denies_http(bare.value, bucket_arn=bucket_arn, strict=strict))]
    if arguments.minimum_tls is not None:
        minimum = arguments.minimum_tls
        verdict = prove_minimum_tls(bare.value, bucket_arn=bucket_arn, minimum=minimum, strict=strict)
        claims.append((f"over TLS below {minimum:g}", verdict))
    if arguments.format == "json":
        answers = [_answer(words, verdict, bare) for words, verdict in claims]
        document = {"schema": SCHEMA, "bucket": bucket_arn, "claims": answers}
        to_stdout(json.dumps(document, indent=2) + "\n")
    elif not arguments.quiet:
        lines = [
            line for words, verdict in claims for line in verdict_lines(words, verdict, bare, bucket_arn)
        ]
        to_stdout(fitting("".join(f"{line}\n" for line in lines), width_of(sys.stdout)))
    codes = {exit_code_of(verdict, undecided_fails=arguments.undecided != "warn") for _, verdict in claims}
    return next(code for code in _ORDER if code in codes)


def verdict_lines(words: str, verdict: Verdict, bare: BarePolicy, bucket_arn: str) -> list[str]:
    """Return the verdict on one claim as lines of text."""
    match verdict:
        case Proven():
            named = _statements(bare, verdict)
            return [f"proven: every request {words} to `{bucket_arn}` is denied, by {named}"]
        case Refuted():
            request = verdict.request
            at = bare.place(verdict.at)
            context = ", ".join(f"{key} = {_shown(value)}" for key, value in request.context.items())
            return [
                f"refuted: {describe_request(request)}: {verdict.why}",
                *([f"  at:        {at}"] if at.line else []),
                f"  principal: {request.principal}",
                f"  action:    {request.action}",
                f"  resource:  {request.resource}",
                f"  context:   {context}",
            ]
        case Undecided():
            lines = [f"undecided: whether every request {words} is denied depends on what is not known"]
            for reason in verdict.reasons:
                at = bare.place(reason.at)
                lines.append(f"  {reason.reason}" + (f" ({at})" if at.line else ""))
            return lines
        case _:
            assert_never(verdict)


def _statements(bare: BarePolicy, proven: Proven) -> str:
    names = [
        str(statement)
        for statement in bare.policy.statements
        if getattr(statement, "index", None) in proven.statements
    ]
    return ", ".join(names) if len(names) < 2 else f"{', '.join(names[:-1])} and {names[-1]} together"


def _answer(words: str, verdict: Verdict, bare: BarePolicy) -> dict[str, Any]:
    answer: dict[str, Any] = {"claim": f"denies every request {words}"}
    match verdict:
        case Proven():
            return answer | {"verdict": "proven", "statements": list(verdict.statements)}
        case Refuted():
            request = verdict.request
            return answer | {
                "verdict": "refuted",
                "why": verdict.why,
                "pointer": verdict.at.pointer,
                "request": {
                    "principal": request.principal,
                    "action": request.action,
                    "resource": request.resource,
                    "context": {key: _plain(value) for key, value in request.context.items()},
                },
            }
        case Undecided():
            reasons = [{"reason": each.reason, "pointer": each.at.pointer} for each in verdict.reasons]
            return answer | {"verdict": "undecided", "reasons": reasons}
        case _:
            assert_never(verdict)


def _plain(value: object) -> object:
    return (
        value if isinstance(value, str) else list(value) if isinstance(value, (list, tuple)) else str(value)
    )


def _shown(value: object) -> str:
    plain = _plain(value)
    return ", ".join(map(str, plain)) if isinstance(plain, list) else str(plain)
