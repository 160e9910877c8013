"""Run `secure-bucket explain`: print the manual of a rule, or explain a bucket policy."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator

from secure_bucket.cli.bare_policy import BarePolicy, read_policy
from secure_bucket.cli.output import to_stdout, width_of
from secure_bucket.cli.prove import verdict_lines
from secure_bucket.cli.selection import suggest_rules
from secure_bucket.cli.wrap import fitting
from secure_bucket.errors import SecureBucketError
from secure_bucket.findings.rules import RULES
from secure_bucket.formats.compliance import REQUIREMENTS
from secure_bucket.formats.explain_statement import explain_contribution, explain_statement
from secure_bucket.proof import prove_denies_http
from secure_bucket.values.unknown import Unknown

__all__ = ["run"]

_RULE_ID = re.compile(r"[A-Za-z]{2}\d{1,4}")


def run(arguments: argparse.Namespace) -> int:
    """Print the explanation.

    Returns:
        The exit code 0, because an explanation is not a verdict.

    Raises:
        SecureBucketError: If the rule does not exist, or the policy cannot be read.
    """
    subject = arguments.subject
    if subject is None:
        to_stdout("".join(f"{rule.id}  {rule.name}\n" for rule in RULES))
        return 0
    rule = next((rule for rule in RULES if subject.casefold() in (rule.id.casefold(), rule.name)), None)
    if rule is not None:
        manual = f"{rule.manual.strip()}\n{_requirements(rule.id)}"
        to_stdout(fitting(manual, width_of(sys.stdout), markdown=True))
        return 0
    if subject != "-" and not os.path.lexists(subject):
        what = "rule" if _RULE_ID.fullmatch(subject) else "rule and no file"
        raise SecureBucketError(f"there is no {what} `{subject}`{suggest_rules(subject)}")
    bare = read_policy(subject)
    bucket_arn = bare.bucket_arn(arguments.bucket, arguments.partition)
    lines = _policy(bare, bucket_arn, strict=arguments.strict)
    to_stdout(fitting("".join(f"{line}\n" for line in lines), width_of(sys.stdout)))
    return 0


def _requirements(rule: str) -> str:
    named = [f"- {one.document}, {one.number}: {one.title}\n" for one in REQUIREMENTS if rule in one.rules]
    return f"\n## Requirements\n\n{''.join(named)}" if named else ""


def _policy(bare: BarePolicy, bucket_arn: str, *, strict: bool) -> Iterator[str]:
    yield f"`{bucket_arn}`, policy version {bare.policy.version}"
    yield ""
    for number, statement in enumerate(bare.policy.statements, 1):
        if isinstance(statement, Unknown):
            yield f"{number}. Nothing is known about this statement: {statement.reason}."
            yield ""
            continue
        sid = f" `{statement.sid}`" if statement.sid else ""
        line = bare.place(statement.at).line
        yield f"{statement.index + 1}.{sid}{f' (line {line})' if line else ''}"
        yield f"   {explain_statement(statement)}"
        yield f"   {explain_contribution(statement, bare.policy.version, bucket_arn, strict=strict)}"
        yield ""
    for problem in bare.policy.problems:
        line = bare.place(problem.at).line
        yield f"S3 refuses this policy: {problem.reason}{f' (line {line})' if line else ''}."
        yield ""
    verdict = prove_denies_http(bare.value, bucket_arn=bucket_arn, strict=strict)
    yield from verdict_lines("over plain HTTP", verdict, bare, bucket_arn)
