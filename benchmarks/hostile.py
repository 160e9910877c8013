"""Measure random bucket policies of 20 KB that are written to be slow, and print the slowest.

    python benchmarks/hostile.py --first 0 --count 500

Each policy mixes operators, keys, patterns, variables and numbers of values, and is as large as S3 accepts.
`s` is processor time, `MB` what the proof holds at once, on top of the interpreter.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from typing import Any, Final

from prove import BUCKET, LIMIT, deny, peak, policy, when, worst_cases
from prove import filled as largest

from secure_bucket.proof import prove_denies_http

OPERATORS: Final = (
    *("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
    *("StringLike", "StringNotLike", "ForAnyValue:StringLike", "ForAllValues:StringNotLike"),
    *("ArnLike", "ArnNotLike", "NumericLessThan", "NumericNotEquals", "DateGreaterThan", "DateNotEquals"),
    *("IpAddress", "NotIpAddress", "BinaryEquals"),
)
KEYS: Final = (
    *("aws:UserAgent", "aws:referer", "aws:PrincipalArn", "aws:PrincipalAccount", "aws:username"),
    *("aws:userid", "aws:PrincipalTag/a", "aws:PrincipalTag/b", "aws:SourceArn", "aws:SourceVpce"),
    *("aws:SourceVpc", "aws:SourceIp", "aws:VpcSourceIp", "aws:TagKeys", "aws:CalledVia"),
    *("aws:PrincipalOrgPaths", "aws:CurrentTime", "aws:EpochTime", "aws:TokenIssueTime", "s3:max-keys"),
    *("s3:prefix", "s3:signatureAge", "s3:TlsVersion", "s3:x-amz-acl", "aws:PrincipalServiceName"),
    *("aws:PrincipalIsAWSService", "aws:PrincipalOrgID", "example:NoSuchKey"),
)


def value(rng: random.Random, operator: str, number: int) -> str:
    """Return a value of a kind that the operator takes."""
    if "Numeric" in operator:
        return str(rng.choice((number, 3 * number, number / 7, -number)))[:18]
    if "Date" in operator:
        return str(1_793_000_000 + rng.randrange(10**7))
    if "Ip" in operator:
        if rng.random() < 0.4:
            return f"{rng.randrange(65536):x}::/{rng.randrange(1, 129)}"
        return f"{'.'.join(str(rng.randrange(256)) for _ in range(3))}.0/{rng.randrange(1, 33)}"
    if "Arn" in operator:
        shapes = ("iam::{0:012d}:user/*{0}*", "*:*{0}*:*:*:*{0}", "iam::*{1}*:role/?*{0}", "iam::*:*{0}*")
        return "arn:aws:" + rng.choice(shapes).format(number, number % 10)
    key = rng.choice(KEYS)
    texts = (
        f"*{number}*",
        f"*{'a' * rng.randrange(1, 200)}{rng.choice('bc')}*",
        "?" * rng.randrange(1, 60) + rng.choice(("", "*", "a")),
        "*".join(rng.choice("abcdef") for _ in range(rng.randrange(2, 30))),
        f"${{{key}}}{rng.choice(('', '*'))}{number % 5}",
        f"${{{key}, 'x*'}}",
        rng.choice("abc") * rng.randrange(1, 50) + "*",
        f"k{number}\u00e9s",
    )
    return rng.choice(texts)


def elements(rng: random.Random, number: int) -> dict[str, Any]:
    """Return the elements in which a statement differs from the deny, or nothing."""
    count = rng.choice((1, 3, 20))
    texts = [value(rng, "StringLike", number + one) for one in range(count)]
    kind = rng.choice(("Resource", "Action", "Principal", ""))
    name = rng.choice((kind, f"Not{kind}"))
    if kind == "Resource":
        return {name: [BUCKET, *(f"{BUCKET}/{text}" for text in texts)]}
    if kind == "Action":
        return {name: [f"s3:{text.translate(str.maketrans('', '', '${}'))}" for text in texts]}
    if kind == "Principal":
        shapes = (
            "arn:aws:iam::{1:012d}:role/a/b{0}",
            "{0:012d}",
            "arn:aws:sts::{1:012d}:assumed-role/r{0}/s",
        )
        numbers = [number + one for one in range(count)]
        return {name: {"AWS": [rng.choice(shapes).format(one, one % 5) for one in numbers]}}
    return {}


def hostile_policy(seed: int) -> dict[str, Any]:
    """Return the policy of a seed."""
    rng = random.Random(seed)
    operators = rng.sample(OPERATORS, rng.randrange(1, 6))
    keys = rng.sample(KEYS, rng.randrange(1, 8))
    count, blocks, number = rng.choice((1, 2, 3, 10, 50, 200)), rng.choice((1, 1, 2, 3)), 0
    varied = rng.random() < 0.5
    statements: list[dict[str, Any]] = []
    while True:
        condition: dict[str, Any] = {}
        for _ in range(blocks):
            operator = rng.choice(operators)
            number += count
            values = [value(rng, operator, number + one) for one in range(count)]
            condition.setdefault(operator, {})[rng.choice(keys)] = values
        further = elements(rng, number) if varied else {}
        statements.append(deny(Condition=when(**condition), **further))
        if len(json.dumps(policy(*statements), separators=(",", ":"))) > LIMIT:
            return policy(*statements[:-1] or statements)


def seconds(document: dict[str, Any]) -> tuple[float, str]:
    """Return the processor time of a proof, and its verdict."""
    start = time.process_time()
    verdict = prove_denies_http(document, bucket_arn=BUCKET)
    return time.process_time() - start, type(verdict).__name__


def slowest(first: int, count: int, shown: int) -> list[tuple[float, str, str, dict[str, Any]]]:
    """Return the slowest of the policies of these seeds, and of the worst cases known."""
    policies = {f"seed {seed}": hostile_policy(seed) for seed in range(first, first + count)}
    policies |= {name: largest(make) for name, make in worst_cases()}
    rows = [(*seconds(document), name, document) for name, document in policies.items()]
    return sorted(rows, key=lambda row: -row[0])[:shown]


def main() -> int:
    """Print the slowest; fail if one is over a second or 100 MB."""
    parser = argparse.ArgumentParser(description="Measure policies that are written to be slow.")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default: 0)")
    parser.add_argument("--count", type=int, default=300, help="how many seeds (default: 300)")
    parser.add_argument("--shown", type=int, default=10, help="how many rows to print (default: 10)")
    options = parser.parse_args()
    bad = 0
    print(f"{'policy':<28}{'verdict':>11}{'s':>8}{'MB':>8}")
    for spent, verdict, name, document in slowest(options.first, options.count, options.shown):
        memory = peak(lambda document=document: prove_denies_http(document, bucket_arn=BUCKET)) / 1e6  # type: ignore[misc]
        bad += spent > 1 or memory > 100
        print(f"{name:<28}{verdict:>11}{spent:>8.2f}{memory:>8.1f}", flush=True)
    return int(bad > 0)


if __name__ == "__main__":
    raise SystemExit(main())
