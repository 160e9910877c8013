"""How long a review takes, and how many calls: with one thread, with several, and with an aggregator.

    python benchmarks/review.py [BUCKETS [MILLISECONDS]]
    python benchmarks/review.py accounts [ACCOUNTS [BUCKETS [MILLISECONDS [THREADS]]]]
    python benchmarks/review.py throttled [BUCKETS [MILLISECONDS]]

A server in a process of its own answers as AWS does, each time after as many milliseconds as a request to
S3 in the same region takes: 10 unless given. One bucket in twenty has no policy. `ratio` is the time over
that of 16 threads, the default of `secure-bucket review`. The calls are counted where they arrive.

`accounts` reviews an organization through a role in each account: 100 accounts of 200 buckets at 50
milliseconds and 16 threads (defaults). The ideal is the number of requests times the delay, over the threads.

`throttled` answers three of ten requests with 503 `SlowDown`, and reads the same with as many threads through
plain clients of boto3 in their standard mode.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
import os
import random
import re
import resource
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from secure_bucket.findings.finding import Report
from secure_bucket.operations.review import Access, ReviewQuestion, Scope, review_accounts, review_aggregator
from secure_bucket.policy.statements import deny_plain_http

ACCOUNT: Final = "111122223333"
IDENTITY: Final = (
    "<GetCallerIdentityResponse><GetCallerIdentityResult>"
    f"<Account>{ACCOUNT}</Account><Arn>arn:aws:iam::{ACCOUNT}:user/reviewer</Arn><UserId>A</UserId>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)


def name_of(number: int) -> str:
    """Return the name of a bucket."""
    return f"bucket-{number:06}"


def policy_of(number: int) -> str | None:
    """Return the policy of a bucket."""
    if number % 20 == 0:
        return None
    deny = deny_plain_http(f"arn:aws:s3:::{name_of(number)}")
    allow = {
        "Sid": "Readers",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/reader"},
        "Action": ["s3:GetObject", "s3:ListBucket"],
        "Resource": deny["Resource"],
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [allow, deny]})


def record_of(number: int) -> str:
    """Return the record of a bucket, as AWS Config writes it."""
    return json.dumps(
        {
            "accountId": ACCOUNT,
            "awsRegion": "us-east-1",
            "arn": f"arn:aws:s3:::{name_of(number)}",
            "resourceName": name_of(number),
            "configurationItemCaptureTime": "2026-11-20T10:00:00.000Z",
            "configurationItemStatus": "OK",
            "supplementaryConfiguration": {"BucketPolicy": json.dumps({"policyText": policy_of(number)})},
        }
    )


class Aws:
    """The server: S3, STS and AWS Config, as far as a review asks them."""

    def __init__(self, buckets: int, delay: float, throttled: float = 0.0) -> None:
        self.buckets = buckets
        self.delay = delay
        self.throttled = throttled
        self.chance = random.Random(1)
        self.calls: Counter[str] = Counter()

    def answer(self, target: str, operation: str, body: bytes, authorization: str = "") -> tuple[int, str]:
        """Return the status and the body for a request."""
        path, _, query = target.partition("?")
        if query in ("policy", "website") and self.chance.random() < self.throttled:
            return self.counted("SlowDown", "<Error><Code>SlowDown</Code></Error>", 503)
        if body.startswith(b"Action=AssumeRole"):
            return self.counted("AssumeRole", assumed(body))
        if operation.endswith("DescribeConfigurationAggregators"):
            return self.counted("DescribeConfigurationAggregators", "{}")
        if operation.endswith("SourcesStatus"):
            return self.counted("DescribeConfigurationAggregatorSourcesStatus", "{}")
        if operation.endswith("SelectAggregateResourceConfig"):
            asked = json.loads(body)
            start = int(asked.get("NextToken", 0))
            end = min(start + asked["Limit"], self.buckets)
            more = {"NextToken": str(end)} if end < self.buckets else {}
            page = {"Results": [record_of(number) for number in range(start, end)], **more}
            return self.counted("SelectAggregateResourceConfig", json.dumps(page))
        if body.startswith(b"Action=GetCallerIdentity"):
            account = re.search(r"Credential=ROLE(\d{12})", authorization)
            identity = IDENTITY if account is None else IDENTITY.replace(ACCOUNT, account[1])
            return self.counted("GetCallerIdentity", identity)
        if path.startswith("/v20180820"):
            return self.counted("GetPublicAccessBlock of the account", none("PublicAccessBlock"), 404)
        if path == "/":
            return self.counted("ListBuckets", self.listing(query))
        if query == "policy":
            policy = policy_of(int(path.rpartition("-")[2]))
            absent = "<Error><Code>NoSuchBucketPolicy</Code></Error>"
            return self.counted("GetBucketPolicy", policy or absent, 200 if policy else 404)
        if query == "website":
            return self.counted("GetBucketWebsite", none("Website"), 404)
        return self.counted("GetPublicAccessBlock", none("PublicAccessBlock"), 404)

    def counted(self, call: str, body: str, status: int = 200) -> tuple[int, str]:
        """Count a call and return its answer."""
        self.calls[call] += 1
        return status, body

    def listing(self, query: str) -> str:
        """Return a page of the buckets."""
        asked = dict(pair.split("=") for pair in query.split("&") if "=" in pair)
        start = int(asked.get("continuation-token", 0))
        end = min(start + int(asked["max-buckets"]), self.buckets)
        listed = "".join(
            f"<Bucket><Name>{name_of(number)}</Name><BucketRegion>us-east-1</BucketRegion></Bucket>"
            for number in range(start, end)
        )
        more = f"<ContinuationToken>{end}</ContinuationToken>" if end < self.buckets else ""
        return f"<ListAllMyBucketsResult><Buckets>{listed}</Buckets>{more}</ListAllMyBucketsResult>"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while line := await reader.readline():
                headers: dict[str, str] = {}
                while header := (await reader.readline()).strip():
                    name, _, value = header.decode("latin-1").partition(":")
                    headers[name.lower()] = value.strip()
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                status, text = self.answer(
                    line.split()[1].decode(),
                    headers.get("x-amz-target", ""),
                    body,
                    headers.get("authorization", ""),
                )
                await asyncio.sleep(self.delay)
                content = text.encode()
                writer.write(
                    f"HTTP/1.1 {status} .\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content
                )
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def assumed(body: bytes) -> str:
    """Return the credentials of a role, whose key names its account."""
    account = re.search(rb"iam%3A%3A(\d{12})", body)
    assert account is not None
    return (
        f"<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ROLE{account[1].decode()}</AccessKeyId>"
        "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
        "<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )


def none(what: str) -> str:
    """Return the answer that there is no such configuration."""
    return f"<Error><Code>NoSuch{what}Configuration</Code></Error>"


def run_server(pipe: Connection, buckets: int, delay: float, throttled: float = 0.0) -> None:
    """Serve until the process is ended; tell the calls since the last time when asked."""

    async def main() -> None:
        aws = Aws(buckets, delay, throttled)
        server = await asyncio.start_server(aws.serve, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        loop = asyncio.get_running_loop()
        while await loop.run_in_executor(None, pipe.recv):
            pipe.send(dict(aws.calls))
            aws.calls.clear()

    asyncio.run(main())


def served(buckets: int, delay: float, throttled: float = 0.0) -> tuple[Any, Connection, str]:
    """Start the server and return its process, the way to ask it for its calls, and its address."""
    ours, theirs = multiprocessing.Pipe()
    arguments = (theirs, buckets, delay, throttled)
    server = multiprocessing.get_context("spawn").Process(target=run_server, args=arguments)
    server.start()
    return server, ours, f"http://127.0.0.1:{ours.recv()}"


def accounts() -> None:
    """Print how long an organization takes, beside the ideal."""
    numbers = [int(each) for each in sys.argv[2:]] + [100, 200, 50, 16][len(sys.argv[2:]) :]
    number, buckets, milliseconds, threads = numbers
    server, ours, url = served(buckets, milliseconds / 1000)
    roles = tuple(f"arn:aws:iam::{100_000_000_000 + each}:role/Audit" for each in range(number))
    scope = Scope(Access(region="us-east-1", endpoint_url=url), role_arns=roles)
    begun, used = time.perf_counter(), time.process_time()
    report = review_accounts(scope, ReviewQuestion(threads=threads))
    seconds, processor = time.perf_counter() - begun, time.process_time() - used
    assert (len(report.buckets), report.faults) == (number * buckets, ())
    ours.send(True)
    calls = sum(ours.recv().values())
    server.terminate()
    ideal = calls * milliseconds / 1000 / threads
    asked = f"{number:,} accounts of {buckets:,} buckets, {milliseconds} ms an answer, {threads} threads"
    print(f"{asked}: {calls:,} calls")
    print(f"{seconds:.1f} s, {seconds / ideal:.2f} times the ideal of {ideal:.1f} s")
    print(f"{1000 * processor / number / buckets:.2f} ms of the processor for each bucket")


def throttled() -> None:
    """Print how long a review takes of which three requests of ten are throttled, beside boto3."""
    numbers = [int(each) for each in sys.argv[2:]] + [500, 10][len(sys.argv[2:]) :]
    buckets, milliseconds = numbers
    server, _, url = served(buckets, milliseconds / 1000, 0.3)
    begun = time.perf_counter()
    report = review_accounts(Scope(Access(region="us-east-1", endpoint_url=url)), ReviewQuestion(threads=16))
    own = time.perf_counter() - begun
    assert (len(report.buckets), report.faults) == (buckets, ())
    config = Config(retries={"mode": "standard", "max_attempts": 10}, max_pool_connections=16)
    client = boto3.client("s3", region_name="us-east-1", endpoint_url=url, config=config)

    def read(number: int) -> None:
        for call in (client.get_bucket_policy, client.get_bucket_website):
            with contextlib.suppress(ClientError):
                call(Bucket=name_of(number))

    begun = time.perf_counter()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(read, range(buckets)))
    plain = time.perf_counter() - begun
    server.terminate()
    print(f"{buckets:,} buckets, {milliseconds} ms an answer, 30 % throttled, 16 threads")
    print(f"review {own:.1f} s, boto3 in its standard mode {plain:.1f} s: {own / plain:.2f} times as long")


def main() -> None:
    """Print the table."""
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    others = {"accounts": accounts, "throttled": throttled}
    if sys.argv[1:2] and sys.argv[1] in others:
        others[sys.argv[1]]()
        return
    buckets = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    delay = float(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 0.01
    server, ours, url = served(buckets, delay)
    scope = Scope(Access(region="us-east-1", endpoint_url=url))

    def with_threads(threads: int) -> Report:
        return review_accounts(scope, ReviewQuestion(threads=threads))

    ways = {f"{number} threads": number for number in (16, 64, 4, 1)}
    times: dict[str, float] = {}
    processor: dict[str, float] = {}
    lines: dict[str, str] = {}
    for way in (*ways, "aggregator"):
        start, used = time.perf_counter(), time.process_time()
        report = with_threads(ways[way]) if way in ways else review_aggregator("org", scope)
        times[way] = time.perf_counter() - start
        processor[way] = 1000 * (time.process_time() - used) / buckets
        assert len(report.buckets) == buckets
        assert not report.faults
        assert report.refuted == len(range(0, buckets, 20))
        ours.send(True)
        calls = ours.recv()
        ratio = times[way] / times["16 threads"]
        total = sum(calls.values())
        lines[way] = f"{way:<12}{total:>8,}{total / buckets:>12.2f}{times[way]:>10.1f}{ratio:>8.2f}"
        lines[way] += f"{processor[way]:>10.2f}"
        if way in ("16 threads", "aggregator"):
            print(f"{way}: " + ", ".join(f"{number:,} {call}" for call, number in sorted(calls.items())))
    server.terminate()
    server.join()
    print(f"\n{buckets:,} buckets, {delay * 1000:g} ms an answer\n")
    print(f"{'':<12}{'calls':>8}{'a bucket':>12}{'seconds':>10}{'ratio':>8}{'CPU ms':>10}")
    print("\n".join(lines.values()))
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")


if __name__ == "__main__":
    main()
