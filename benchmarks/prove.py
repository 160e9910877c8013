"""How long a proof takes, beside reading the same policy with `json.loads`.

    python benchmarks/prove.py

Each number is the best of several runs. `ratio` is the time of a proof, from the document as JSON values to
the verdict, over the time of `json.loads` for the same bytes: the least that any check has to spend.
"""

from __future__ import annotations

import json
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

from secure_bucket.proof import prove_denies_http

BUCKET: Final = "arn:aws:s3:::reports"
OBJECTS: Final = f"{BUCKET}/*"
LIMIT: Final = 20_480
"""The most bytes that a bucket policy may have."""


def deny(**elements: Any) -> dict[str, Any]:
    """Return the statement that denies plain HTTP, but for the given elements."""
    whole: dict[str, Any] = {"Sid": "DenyHttp", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "s3:*"}
    whole |= {"Resource": [BUCKET, OBJECTS], "Condition": when(), **elements}
    return {name: value for name, value in whole.items() if f"Not{name}" not in elements}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    """Return a policy of these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def when(**further: Any) -> dict[str, Any]:
    """Return the condition of plain HTTP and something further."""
    return {"Bool": {"aws:SecureTransport": "false"}, **further}


def allow(number: int) -> dict[str, Any]:
    """Return one of many Allow statements."""
    user = f"arn:aws:iam::111122223333:role/reader-{number}"
    return {
        "Effect": "Allow",
        "Principal": {"AWS": user},
        "Action": "s3:GetObject",
        "Resource": f"{BUCKET}/{number}/*",
    }


def prefixes(count: int) -> dict[str, Any]:
    """Return a policy of `count` Denies of one prefix each, and one of everything else."""
    written = [f"{BUCKET}/{number}/*" for number in range(count)]
    return policy(*(deny(Resource=one) for one in written), deny(NotResource=written))


def endpoints(count: int) -> dict[str, Any]:
    """Return a policy of `count` Denies for one VPC endpoint each, and one for everywhere else."""
    written = [f"vpce-{number:08x}" for number in range(count)]
    inside = (deny(Condition=when(StringEquals={"aws:SourceVpce": one})) for one in written)
    return policy(*inside, deny(Condition=when(StringNotEquals={"aws:SourceVpce": written})))


def filled(make: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
    """Return the largest policy of its kind that S3 accepts."""
    count, step = 1, 1 << 14
    while step:
        if len(json.dumps(make(count + step), separators=(",", ":"))) <= LIMIT:
            count += step
        step //= 2
    return make(count)


def globs(count: int) -> dict[str, Any]:
    """Return a policy whose patterns overlap in every way."""
    return policy(
        deny(
            Resource=[BUCKET, *(f"{BUCKET}/*{number}*{number // 2}*{number % 7}*" for number in range(count))]
        )
    )


def keys(count: int) -> dict[str, Any]:
    """Return a policy that asks for one more condition key in every statement."""
    return policy(
        *(deny(Condition=when(StringNotEquals={f"aws:PrincipalTag/t{n}": "x"})) for n in range(count))
    )


def halves(condition: str, negation: str, key: str, make: Callable[[int], list[str]]) -> Worst:
    """Return the policies that compare a key in one statement, and the negation of nearly the same."""

    def written(count: int) -> dict[str, Any]:
        values = make(count)
        return policy(
            deny(Condition=when(**{condition: {key: values}})),
            deny(Condition=when(**{negation: {key: values[:1]}})),
        )

    return written


Worst: TypeAlias = "Callable[[int], dict[str, Any]]"
"""Policies of one kind, by a size."""


def worst_cases() -> Iterator[tuple[str, Worst]]:
    """Yield the kinds of policies that cost the prover most."""
    like = ("StringLike", "StringNotLike", "aws:UserAgent")
    yield "two long patterns", halves(*like, lambda n: [f"*{'a' * n}b*", f"*{'a' * n}c*"])
    yield "two long patterns of pairs", halves(*like, lambda n: [f"*{'ab' * n}", f"*{'ab' * n}?"])
    yield "question marks", halves(*like, lambda n: [f"*a{'?' * n}", f"*a{'?' * n}*"])
    yield "stars", halves(*like, lambda n: ["*a" * n, "*b" * n])
    yield "infixes", halves(*like, lambda n: [f"*{one}*" for one in range(n)])
    yield "variables", halves(*like, lambda n: [f"*{'${aws:userid}a' * n}*"])
    arn = ("ArnLike", "ArnNotLike", "aws:PrincipalArn")
    yield "ARNs", halves(*arn, lambda n: [f"arn:aws:iam::{one:012d}:user/u" for one in range(n)])
    dates = ("DateEquals", "DateNotEquals", "aws:CurrentTime")
    yield "dates", halves(*dates, lambda n: [str(1_700_000_000 + 7 * one) for one in range(n)])
    numbers = ("NumericEquals", "NumericNotEquals", "s3:max-keys")
    yield "numbers", halves(*numbers, lambda n: [str(3 * one) for one in range(n)])
    tags = ("ForAnyValue:StringLike", "ForAllValues:StringNotLike", "aws:TagKeys")
    yield "tag keys", halves(*tags, lambda n: [f"*{one}*" for one in range(n)])

    def actions(count: int) -> dict[str, Any]:
        written = [f"s3:*{one}*" for one in range(count)]
        return policy(deny(Action=written), deny(NotAction=written))

    def users(count: int) -> dict[str, Any]:
        written = [f"arn:aws:iam::{one:012d}:user/u" for one in range(count)]
        return policy(deny(NotPrincipal={"AWS": written}))

    yield "actions", actions
    yield "users", users


def cases() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the policies to measure."""
    yield "the deny alone", policy(deny())
    tls = deny(Sid="DenyOldTls", Condition={"NumericLessThan": {"s3:TlsVersion": "1.2"}})
    yield "the deny and a minimum TLS version", policy(deny(), tls)
    yield "the deny after ten Allows", policy(*map(allow, range(10)), deny())
    yield "bucket and objects apart", policy(deny(Resource=BUCKET), deny(Resource=OBJECTS))
    yield "objects only: refuted", policy(deny(Resource=OBJECTS))
    yield (
        "an exempt VPC endpoint: refuted",
        policy(deny(Condition=when(StringNotEquals={"aws:SourceVpce": "vpce-1"}))),
    )
    for count in (1, 2, 4, 8, 16, 32):
        yield f"{count} prefixes and the rest", prefixes(count)
    for count in (1, 2, 4, 8, 16, 32):
        yield f"{count} endpoints and the rest", endpoints(count)
    yield "20 KB of Allows, and the deny", filled(lambda count: policy(*map(allow, range(count)), deny()))
    yield "20 KB of prefixes", filled(prefixes)
    yield "20 KB of endpoints", filled(endpoints)
    yield "20 KB of overlapping patterns", filled(globs)
    yield "20 KB of condition keys", filled(keys)
    for name, make in worst_cases():
        yield f"20 KB, worst: {name}", filled(make)


def best(run: Callable[[], object], *, at_least: float = 0.2) -> float:
    """Return the least seconds that a run takes, of several in at least this time."""
    least, until = float("inf"), time.perf_counter() + at_least
    while True:
        start = time.perf_counter()
        run()
        now = time.perf_counter()
        least = min(least, now - start)
        if now >= until:
            return least


def peak(run: Callable[[], object]) -> int:
    """Return the most bytes that a run holds at once."""
    tracemalloc.start()
    run()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def main() -> int:
    """Print the table."""
    print(f"{'policy':<36}{'bytes':>7}{'verdict':>11}{'ms':>10}{'per second':>12}{'ratio':>8}{'peak KB':>9}")
    for name, document in cases():
        text = json.dumps(document, separators=(",", ":"))

        def proof(document: dict[str, Any] = document) -> object:
            return prove_denies_http(document, bucket_arn=BUCKET)

        verdict = type(proof()).__name__
        seconds = best(proof)
        ratio = seconds / best(lambda text=text: json.loads(text))  # type: ignore[misc]
        print(
            f"{name:<36}{len(text):>7}{verdict:>11}{seconds * 1e3:>10.3f}{1 / seconds:>12,.0f}{ratio:>8.1f}"
            f"{peak(proof) / 1024:>9.0f}",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
