"""A small server in a thread, over HTTP and HTTPS, that answers what a test tells it to."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme

XML = "application/xml"
LISTING = b'<?xml version="1.0"?>\n<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>'


@dataclass(frozen=True)
class Seen:
    """A request that arrived."""

    scheme: str
    path: str
    headers: dict[str, str]
    tls: str | None = None


@dataclass(frozen=True)
class Reply:
    """What is answered: as S3 does, unless told otherwise."""

    status: int = 200
    body: bytes = LISTING
    headers: dict[str, str] = field(default_factory=dict)
    request_id: str | None = "4442587FB7D0A2F9"


def error(status: int, code: str, message: str = "Access Denied", **headers: str) -> Reply:
    """Return an error as S3 writes it."""
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Reply(status, body.encode(), {name.replace("_", "-"): value for name, value in headers.items()})


DENIED = error(403, "AccessDenied")
NO_SUCH_KEY = error(404, "NoSuchKey", "The specified key does not exist.")

Answerer = Callable[[Seen], "Reply | Callable[[Any], None]"]


def explicit(kind: str = "a resource-based policy", action: str = "") -> Callable[[Seen], Reply]:
    """Return how S3 tells callers of the same account what was denied: what they asked unless given."""

    def answer(seen: Seen) -> Reply:
        asked = action or ("s3:ListBucket" if "list-type=2" in seen.path else "s3:GetObject")
        who, on = "arn:aws:iam::111122223333:user/ann", "arn:aws:s3:::reports"
        text = f'User: {who} is not authorized to perform: {asked} on resource: "{on}" with an explicit deny'
        return error(403, "AccessDenied", f"{text} in {kind}")

    return answer


def let_in(seen: Seen) -> Reply:
    """Answer as S3 does when the policies let the request in: an empty listing, or no object to hand out."""
    if "list-type=2" in seen.path:
        return Reply()
    return PRECONDITION_FAILED if "if-match" in seen.headers else NO_SUCH_KEY


PRECONDITION_FAILED = error(412, "PreconditionFailed", "At least one of the pre-conditions did not hold")


@dataclass
class Storage:
    """The running server, what it was asked, and what it answers over each scheme."""

    http_url: str
    https_url: str
    ca_bundle: str
    over_https: Answerer = let_in
    over_http: Answerer = let_in
    seen: list[Seen] = field(default_factory=list)

    def plain(self) -> list[Seen]:
        """Return the requests that came over plain HTTP."""
        return [each for each in self.seen if each.scheme == "http"]


@contextlib.contextmanager
def storage(
    directory: Path, configure: Callable[[ssl.SSLContext], None] = lambda context: None
) -> Iterator[Storage]:
    """Run a server.

    Args:
        directory: Where its certificate goes.
        configure: Changes how it speaks TLS.
    """
    authority, certificate = _certificate()
    authority.cert_pem.write_to_path(directory / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    configure(context)
    http = _Server("http")
    https = _Server("https", context)
    state = Storage(
        f"http://127.0.0.1:{http.server_port}",
        f"https://127.0.0.1:{https.server_port}",
        str(directory / "ca.pem"),
    )
    threads = []
    for server in (http, https):
        server.state = state
        threads.append(threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True))
        threads[-1].start()
    try:
        yield state
    finally:
        for server, thread in zip((http, https), threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()
        _kept.append((authority, certificate))


_kept: list[tuple[trustme.CA, trustme.LeafCert]] = []


def _certificate() -> tuple[trustme.CA, trustme.LeafCert]:
    """Return an authority and a certificate, which may be used again when nothing runs with them."""
    if _kept:
        return _kept.pop()
    authority = trustme.CA()
    return authority, authority.issue_cert("localhost", "127.0.0.1")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    state: Storage

    def __init__(self, scheme: str, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.scheme = scheme
        self.context = context

    def finish_request(self, request: Any, client_address: Any) -> None:
        # The handshake belongs to the thread of the connection, or one client could hold up the others.
        if self.context is not None:
            with contextlib.suppress(OSError):
                request = self.context.wrap_socket(request, server_side=True)
                super().finish_request(request, client_address)
            with contextlib.suppress(OSError):
                request.close()
            return
        super().finish_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that cuts the connection is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        state, scheme = self.server.state, self.server.scheme
        version = getattr(self.connection, "version", None)
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(scheme, self.path, headers, version() if version else None)
        state.seen.append(seen)
        reply = (state.over_https if scheme == "https" else state.over_http)(seen)
        if not isinstance(reply, Reply):
            reply(self)
            return
        self.send_response(reply.status)
        given = {"Content-Length": str(len(reply.body)), "Content-Type": XML, **reply.headers}
        if reply.request_id is not None:
            given["x-amz-request-id"] = reply.request_id
        for name, value in given.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def cut(handler: Any) -> None:
    """Reset the connection."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    handler.connection.close()


def free_port() -> int:
    """Return a port at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
