"""An AWS to review: moto behind a front door at which single requests can be answered otherwise."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import logging
import os
import threading
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import boto3
import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.iam.models import get_account_id_from
from moto.moto_api._internal import moto_api_backend
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

from secure_bucket.operations.aws.session import Access
from secure_bucket.policy.statements import deny_plain_http

ACCOUNT = DEFAULT_ACCOUNT_ID
REGION = "us-east-1"


@dataclass(frozen=True)
class Request:
    """One request as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def bucket(self) -> str:
        return self.path.strip("/").partition("/")[0]

    @property
    def operation(self) -> str:
        """`policy`, `website`, … of S3; the target of a service that speaks JSON; the action of STS."""
        target = self.headers.get("x-amz-target", "").rpartition(".")[2]
        action = urllib.parse.parse_qs(self.body.decode("latin-1")).get("Action", [""])[0]
        subresources = [key for key in self.query if not key.startswith(("x-id", "max-", "continuation-"))]
        return target or action or next(iter(subresources), "")


Answer: TypeAlias = "tuple[int, str] | None"
Rule: TypeAlias = "Callable[[Request], Answer]"


def s3_error(status: int, code: str, message: str = "as the test wants it") -> tuple[int, str]:
    return status, f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"


def sts_error(status: int, code: str, message: str = "as the test wants it") -> tuple[int, str]:
    return status, (
        f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    )


@dataclass
class Aws:
    """The running front door.

    Args:
        url: Where it listens.
        rules: Asked in their order; the first answer counts, and moto answers what is left.
        seen: The requests that arrived.
    """

    url: str
    rules: list[Rule] = field(default_factory=list)
    seen: list[Request] = field(default_factory=list)

    @property
    def access(self) -> Access:
        return Access(region=REGION, endpoint_url=self.url)

    def client(self, service: str, **credentials: str) -> Any:
        return boto3.client(service, region_name=REGION, endpoint_url=self.url, **credentials)

    def answer(self, operation: str, bucket: str | None, answer: Answer, times: int = 10**9) -> None:
        """Answer the first requests for an operation on a bucket, or on any, otherwise than moto does."""
        left = [times]

        def rule(request: Request) -> Answer:
            if request.operation != operation or bucket not in (None, request.bucket) or not left[0]:
                return None
            left[0] -= 1
            return answer

        self.rules.append(rule)

    def count(self, operation: str) -> int:
        return sum(request.operation == operation for request in self.seen)


def bucket(name: str, policy: object = "ok", *, region: str = REGION, account: str = ACCOUNT) -> str:
    """Make a bucket, with the deny unless another policy is given, or none; return its ARN."""
    arn = f"arn:aws:s3:::{name}"
    made = s3_backends[account]["aws"].create_bucket(name, region)
    if policy == "ok":
        policy = {"Version": "2012-10-17", "Statement": [deny_plain_http(arn)]}
    if policy is not None:
        made.policy = policy if isinstance(policy, bytes) else json.dumps(policy).encode()
    return arn


@contextlib.contextmanager
def serving() -> Iterator[Aws]:
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    behind = "{}:{}".format(*moto.get_host_and_port())
    aws = Aws("")

    class Door(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            url = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
            headers = {key.lower(): value for key, value in self.headers.items()}
            request = Request(self.command, url.path, query, headers, body)
            aws.seen.append(request)
            for rule in list(aws.rules):
                given = rule(request)
                if given is not None:
                    kind = "application/json" if given[1].startswith("{") else "application/xml"
                    self.give(given[0], {"Content-Type": kind}, given[1].encode())
                    return
            if request.operation == "" and request.bucket == "" and request.method == "GET":
                self.give(200, {"Content-Type": "application/xml"}, _listing(request).encode())
                return
            onwards = http.client.HTTPConnection(behind, timeout=30)
            onwards.request(self.command, self.path, body, dict(self.headers.items()))
            reply = onwards.getresponse()
            content = reply.read()
            onwards.close()
            kept = {
                key: value
                for key, value in reply.getheaders()
                if key.lower() not in ("connection", "content-length", "date", "server", "transfer-encoding")
            }
            self.give(reply.status, kept, content)

        def give(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = serve

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 128
        daemon_threads = True

    door = Server(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=door.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    aws.url = f"http://127.0.0.1:{door.server_address[1]}"
    try:
        yield aws
    finally:
        door.shutdown()
        door.server_close()
        thread.join(5)
        moto.stop()


def _listing(request: Request) -> str:
    """Return a page of the buckets of whoever asks: moto cuts the list off, and says nothing of the rest."""
    key = request.headers.get("authorization", "").partition("Credential=")[2].partition("/")[0]
    buckets = s3_backends[get_account_id_from(key)]["aws"].buckets
    names = sorted(buckets)
    start = int(request.query.get("continuation-token", 0))
    end = start + int(request.query.get("max-buckets", 10_000))
    listed = "".join(
        f"<Bucket><Name>{name}</Name><BucketRegion>{buckets[name].region_name}</BucketRegion></Bucket>"
        for name in names[start:end]
    )
    more = f"<ContinuationToken>{end}</ContinuationToken>" if end < len(names) else ""
    return f"<ListAllMyBucketsResult><Buckets>{listed}</Buckets>{more}</ListAllMyBucketsResult>"


def reset(aws: Aws) -> None:
    """Forget everything that a test made."""
    aws.rules.clear()
    aws.seen.clear()
    moto_api_backend.reset()


def forget_aws(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Take away whatever this machine knows about AWS, and give a key that is nobody's."""
    for name in [name for name in os.environ if name.startswith("AWS_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
