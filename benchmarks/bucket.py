"""What a `SecureBucket` costs beside `s3.Bucket(enforce_ssl=True, minimum_tls_version=1.2)`.

Both are made in one process, in turns, so that neither gets the warmer one:

    python benchmarks/bucket.py [buckets per round] [rounds]
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from jsii._kernel.providers import process as jsii_process

from secure_bucket import SecureBucket


def ours(stack: cdk.Stack, id: str) -> None:
    SecureBucket(stack, id)


def theirs(stack: cdk.Stack, id: str) -> None:
    s3.Bucket(
        stack,
        id,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
    )


def theirs_bare(stack: cdk.Stack, id: str) -> None:
    s3.Bucket(stack, id, enforce_ssl=True, minimum_tls_version=1.2)


def calls(make: Callable[[cdk.Stack, str], None]) -> int:
    """Count the messages to the jsii kernel for one bucket."""
    stack = cdk.Stack(cdk.App(), "Top")
    make(stack, "First")
    count = 0
    send = jsii_process._NodeProcess.send

    def counting(*arguments: object) -> object:
        nonlocal count
        count += 1
        return send(*arguments)  # type: ignore[arg-type]

    jsii_process._NodeProcess.send = counting  # type: ignore[assignment,method-assign]
    try:
        make(stack, "Second")
    finally:
        jsii_process._NodeProcess.send = send  # type: ignore[method-assign]
    return count


def seconds(make: Callable[[cdk.Stack, str], None], buckets: int) -> float:
    stack = cdk.Stack(cdk.App(), "Top")
    started = time.perf_counter()
    for number in range(buckets):
        make(stack, f"Bucket{number}")
    return (time.perf_counter() - started) / buckets


def main(buckets: int = 50, rounds: int = 7) -> None:
    makers = {
        "SecureBucket": ours,
        "s3.Bucket, TLS": theirs_bare,
        "s3.Bucket, TLS and BLOCK_ALL": theirs,
    }
    times: dict[str, list[float]] = {name: [] for name in makers}
    for make in makers.values():
        seconds(make, buckets)
    for _ in range(rounds):
        for name, make in makers.items():
            times[name].append(seconds(make, buckets))
    base = statistics.median(times["s3.Bucket, TLS"])
    print(f"{'':30} {'ms each':>8} {'ratio':>6} {'jsii calls':>11}")
    for name, make in makers.items():
        median = statistics.median(times[name])
        print(f"{name:30} {median * 1000:8.2f} {median / base:6.2f} {calls(make):11}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
