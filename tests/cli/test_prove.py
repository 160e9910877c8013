"""`prove` and `explain`: a bucket policy by itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from secure_bucket.findings.rules import RULES
from tests.cli.harness import Outcome

Run = Callable[..., Outcome]

DENY: dict[str, Any] = {
    "Sid": "DenyHttp",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": ["arn:aws:s3:::reports", "arn:aws:s3:::reports/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def narrowed(**conditions: Any) -> dict[str, Any]:
    return {**DENY, "Condition": {**DENY["Condition"], **conditions}}


@pytest.mark.parametrize(
    ("statement", "arguments", "code", "said"),
    [
        (DENY, [], 0, "proven: every request over plain HTTP to `arn:aws:s3:::reports` is denied, by "),
        (DENY, ["--bucket", "other"], 1, "refuted: "),
        (DENY, ["--partition", "aws-cn"], 1, "refuted: "),
        (DENY, ["--bucket", "arn:aws:s3:::reports"], 0, "proven: "),
        (narrowed(StringEquals={"aws:SourceVpc": "vpc-1"}), [], 1, "applies only"),
        ({**DENY, "Condition": {"StringEquals": {"aws:SecureTransport": "false"}}}, [], 3, "undecided: "),
        (
            {**DENY, "Condition": {"StringEquals": {"aws:SecureTransport": "false"}}},
            ["--undecided=warn"],
            0,
            "undecided: ",
        ),
        (DENY, ["--minimum-tls=1.2"], 1, "over TLS 1.0:"),
        ({**DENY, "Effect": "Allow"}, [], 1, "refuted: "),
    ],
)
def test_verdict(run: Run, statement: dict[str, Any], arguments: list[str], code: int, said: str) -> None:
    outcome = run("prove", "-", *arguments, stdin=policy(statement))
    assert outcome.code == code
    assert said in outcome.out
    assert run("prove", "-", "--quiet", *arguments, stdin=policy(statement)) == Outcome(code, "", "")


def test_request_that_gets_through_and_its_place(directory: Path, run: Run) -> None:
    (directory / "p.json").write_text(policy({**DENY, "Resource": "arn:aws:s3:::reports/*"}))
    out = run("prove", "p.json").out
    assert "  at:        p.json:1:41\n" in out
    assert "  principal: anonymous\n" in out
    assert "  resource:  arn:aws:s3:::reports\n" in out
    assert "  context:   aws:SecureTransport = false\n" in out


def test_answer_of_the_aws_command_line(run: Run) -> None:
    answer = json.dumps({"Policy": policy(DENY)})
    assert run("prove", "-", stdin=answer).code == 0
    assert run("prove", "-", "--bucket", "reports", stdin=answer).code == 0


def test_partition_and_bucket_are_those_of_the_policy(run: Run) -> None:
    other = [arn.replace("arn:aws:", "arn:aws-us-gov:") for arn in DENY["Resource"]]
    outcome = run("prove", "-", stdin=policy({**DENY, "Resource": other}))
    assert "`arn:aws-us-gov:s3:::reports`" in outcome.out
    both = policy({**DENY, "Resource": [*other, *DENY["Resource"]]})
    assert "names the partitions" in run("prove", "-", stdin=both).err
    everything = policy({**DENY, "Resource": "*"})
    assert "names no bucket: give --bucket NAME" in run("prove", "-", stdin=everything).err
    assert run("prove", "-", "--bucket", "reports", stdin=everything).code == 0
    two = policy(DENY, {**DENY, "Resource": "arn:aws:s3:::logs/*"})
    assert "names several buckets (`reports`, `logs`)" in run("prove", "-", stdin=two).err
    for name in ("re*", "a/b", "x", "arn:aws:iam::1:role/x"):
        assert run("prove", "-", "--bucket", name, stdin=everything).code == 2


def test_json(run: Run) -> None:
    outcome = run("prove", "-", "--format=json", "--minimum-tls=1.2", stdin=policy(DENY))
    value = json.loads(outcome.out)
    assert (outcome.code, value["schema"], value["bucket"]) == (
        1,
        "secure-bucket/proof/1",
        "arn:aws:s3:::reports",
    )
    assert [claim["verdict"] for claim in value["claims"]] == ["proven", "refuted"]
    assert value["claims"][1]["request"]["context"]["aws:SecureTransport"] == "true"


def test_key_that_stands_twice(run: Run) -> None:
    text = policy(DENY).replace('"Effect": "Deny"', '"Effect": "Deny",\n"Effect": "Allow"')
    outcome = run("prove", "-", stdin=text)
    assert (outcome.code, outcome.out) == (2, "")
    assert "the key `Effect` stands twice, in line 1 and in line 2" in outcome.err


def test_manual_of_every_rule(run: Run) -> None:
    listed = run("explain").out
    for rule in RULES:
        assert f"{rule.id}  {rule.name}\n" in listed
        manual = run("explain", rule.id.lower())
        assert manual.code == 0
        assert manual.out.startswith(f"# {rule.id} {rule.name}\n")
        for heading in (
            "## What it does",
            "## Why it matters",
            "## Example",
            "## Use instead",
            "## References",
        ):
            assert heading in manual.out
        assert run("explain", rule.name).out == manual.out


def test_rule_that_does_not_exist(run: Run) -> None:
    outcome = run("explain", "SB999")
    assert outcome.code == 2
    assert "there is no rule `SB999`; the rules are SB001" in outcome.err
    assert "there is no rule and no file `plaintext`" in run("explain", "plaintext").err


def test_policy_in_plain_words(directory: Path, run: Run) -> None:
    allow = {
        "Sid": "Read",
        "Effect": "Allow",
        "Principal": {
            "AWS": ["123456789012", "arn:aws:iam::1:role/r"],
            "Service": "cloudtrail.amazonaws.com",
        },
        "NotAction": ["s3:DeleteObject"],
        "Resource": "arn:aws:s3:::reports/*",
        "Condition": {
            "Bool": {"aws:SecureTransport": "true"},
            "StringNotLike": {"aws:UserAgent": ["curl*", "wget*"]},
            "Null": {"aws:SourceVpc": "true"},
            "ForAnyValue:StringEqualsIfExists": {"aws:TagKeys": "x"},
            "NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"},
        },
    }
    narrow = narrowed(NumericLessThan={"s3:TlsVersion": 1.2})
    (directory / "p.json").write_text(policy(allow, narrow, DENY))
    outcome = run("explain", "p.json")
    assert outcome.code == 0
    assert (
        "1. `Read` (line 1)\n"
        "   Allows `123456789012`, `arn:aws:iam::1:role/r` and the service `cloudtrail.amazonaws.com` every "
        "action but `s3:DeleteObject` on `arn:aws:s3:::reports/*`, when `aws:SecureTransport` is `true` and "
        "`aws:UserAgent` matches none of `curl*` and `wget*` or is absent and `aws:SourceVpc` is absent and "
        "some value of `aws:TagKeys` is `x` or is absent and `aws:SourceIp` does not lie in `10.0.0.0/8` "
        "or is absent.\n"
        "   Its condition limits what this statement allows, and denies nothing"
    ) in outcome.out
    assert "   By itself it is not enough, because " in outcome.out
    assert "   By itself it denies every request over plain HTTP.\n" in outcome.out
    assert outcome.out.endswith("is denied, by statement `DenyHttp`\n")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"NotPrincipal": {"AWS": "arn:aws:iam::1:root"}}, "Denies everyone but `arn:aws:iam::1:root` every"),
        ({"Principal": {"AWS": "*"}}, "Denies everyone every action"),
        (
            {"NotResource": "arn:aws:s3:::reports/public/*"},
            "on everything but `arn:aws:s3:::reports/public/*`",
        ),
        ({"Resource": "*"}, "on everything, when"),
        ({"Action": ["s3:Get*", "s3:Put*"]}, "everyone `s3:Get*` and `s3:Put*` on"),
        (
            {"Condition": {"ForAllValues:StringLike": {"aws:TagKeys": ["a", "b"]}}},
            "every value of `aws:TagKeys`",
        ),
    ],
)
def test_statement_in_plain_words(run: Run, change: dict[str, Any], words: str) -> None:
    replaced = {name.removeprefix("Not") for name in change if name.startswith("Not")}
    statement = {key: value for key, value in DENY.items() if key not in replaced} | change
    assert words in run("explain", "-", "--bucket", "reports", stdin=policy(statement)).out


def test_what_s3_refuses_is_said(run: Run) -> None:
    outcome = run("explain", "-", stdin=policy(DENY, {**DENY, "Effect": "deny"}))
    assert "S3 refuses this policy: " in outcome.out
