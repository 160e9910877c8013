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
from typing import Any, Final

from secure_bucket.proof import prove_denies_http

BUCKET: Final = "arn:aws:s3:::reports"
OBJECTS: Final = f"{BUCKET}/*"
LIMIT: Final = 20_480
"""The most bytes that a bucket policy may have."""


def deny(**elements: Any) -> dict[str, Any]:
    """Return the statement that denies plain HTTP, but for the given elements."""
    whole: dict[str, Any] = {"Sid": "DenyHttp", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "s3:*"}
    whole |= {} if "NotResource" in elements else {"Resource": [BUCKET, OBJECTS]}
    return {**whole, "Condition": when(), **elements}


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
    count = 1
    while len(json.dumps(make(count + 1), separators=(",", ":"))) <= LIMIT:
        count += 1
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
