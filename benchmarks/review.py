"""How long a review takes, and how many calls: with one thread, with several, and with an aggregator.

    python benchmarks/review.py [BUCKETS [MILLISECONDS]]

A server in a process of its own answers as AWS does, each time after as many milliseconds as a request to
S3 in the same region takes: 10 unless given. One bucket in twenty has no policy. `ratio` is the time over
that of 16 threads, the default of `secure-bucket review`. The calls are counted where they arrive.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import resource
import sys
import time
from collections import Counter
from multiprocessing.connection import Connection
from typing import Final

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

    def __init__(self, buckets: int, delay: float) -> None:
        self.buckets = buckets
        self.delay = delay
        self.calls: Counter[str] = Counter()

    def answer(self, target: str, operation: str, body: bytes) -> tuple[int, str]:
        """Return the status and the body for a request."""
        path, _, query = target.partition("?")
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
            return self.counted("GetCallerIdentity", IDENTITY)
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
                status, text = self.answer(line.split()[1].decode(), headers.get("x-amz-target", ""), body)
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


def none(what: str) -> str:
    """Return the answer that there is no such configuration."""
    return f"<Error><Code>NoSuch{what}Configuration</Code></Error>"


def run_server(pipe: Connection, buckets: int, delay: float) -> None:
    """Serve until the process is ended; tell the calls since the last time when asked."""

    async def main() -> None:
        aws = Aws(buckets, delay)
        server = await asyncio.start_server(aws.serve, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        loop = asyncio.get_running_loop()
        while await loop.run_in_executor(None, pipe.recv):
            pipe.send(dict(aws.calls))
            aws.calls.clear()

    asyncio.run(main())


def main() -> None:
    """Print the table."""
    buckets = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    delay = float(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 0.01
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=run_server, args=(theirs, buckets, delay))
    server.start()
    scope = Scope(Access(region="us-east-1", endpoint_url=f"http://127.0.0.1:{ours.recv()}"))

    def with_threads(threads: int) -> Report:
        return review_accounts(scope, ReviewQuestion(threads=threads))

    ways = {f"{number} threads": number for number in (16, 64, 4, 1)}
    times: dict[str, float] = {}
    lines: dict[str, str] = {}
    for way in (*ways, "aggregator"):
        start = time.perf_counter()
        report = with_threads(ways[way]) if way in ways else review_aggregator("org", scope)
        times[way] = time.perf_counter() - start
        assert len(report.buckets) == buckets
        assert not report.faults
        assert report.refuted == len(range(0, buckets, 20))
        ours.send(True)
        calls = ours.recv()
        ratio = times[way] / times["16 threads"]
        total = sum(calls.values())
        lines[way] = f"{way:<12}{total:>8,}{total / buckets:>12.2f}{times[way]:>10.1f}{ratio:>8.2f}"
        if way in ("16 threads", "aggregator"):
            print(f"{way}: " + ", ".join(f"{number:,} {call}" for call, number in sorted(calls.items())))
    server.terminate()
    server.join()
    print(f"\n{buckets:,} buckets, {delay * 1000:g} ms an answer\n")
    print(f"{'':<12}{'calls':>8}{'a bucket':>12}{'seconds':>10}{'ratio':>8}")
    print("\n".join(lines.values()))
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")


if __name__ == "__main__":
    main()
