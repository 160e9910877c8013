"""Send one request and return the answer, without redirects, proxies and retries.

The AWS SDK does all three, and hides what a probe has to see. This module uses `http.client` of Python with a
new connection for each request.
"""

from __future__ import annotations

import contextlib
import enum
import http.client
import socket
import ssl
import threading
import warnings
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from secure_bucket.operations.aws.errors import LiveError, LiveTrouble
from secure_bucket.operations.probe.outcome import Transport

__all__ = [
    "HttpAnswer",
    "NoAnswer",
    "NoAnswerKind",
    "can_speak",
    "can_start_handshake",
    "context_for",
    "send",
]

MAX_BODY: Final = 64 * 1024
"""The bytes to read of an answer. An error of S3 and an empty list have some hundreds."""

_VERSIONS: Final = {
    Transport.TLS_1_0: "TLSv1",
    Transport.TLS_1_1: "TLSv1_1",
    Transport.TLS_1_2: "TLSv1_2",
    Transport.TLS_1_3: "TLSv1_3",
}
# The alert against a version, RFC 8446, 6.2. Another handshake failure may be about the ciphers, and another
# client may have other ciphers.
_NOT_THIS_VERSION: Final = "ALERT_PROTOCOL_VERSION"


class NoAnswerKind(enum.Enum):
    """The reason for a missing answer."""

    NO_NAME = "the name is unknown"
    NOBODY = "nothing listens at the address"
    OUT_OF_REACH = "the address cannot be reached"
    TIMEOUT = "the answer took too long"
    CUT = "the connection was cut"
    CERTIFICATE = "the certificate is not trusted"
    VERSION_REFUSED = "the server refuses this TLS version"
    NO_HANDSHAKE = "the handshake failed"
    NOT_HTTP = "the answer is not HTTP"


class HttpAnswer(Struct, frozen=True):
    """An answer.

    Args:
        status: The HTTP status.
        headers: The headers, by their names in lower case.
        body: The first bytes of the body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class NoAnswer(Struct, frozen=True):
    """A missing answer.

    Args:
        why: The kind of reason.
        words: The reason, in words.
    """

    why: NoAnswerKind
    words: str


def context_for(transport: Transport, ca_bundle: str) -> ssl.SSLContext:
    """Return a TLS context that checks certificates, and speaks only one version if the transport names one.

    Args:
        transport: HTTPS, or one TLS version.
        ca_bundle: A file with the CA certificates to trust.

    Raises:
        LiveError: If the file is not a file of certificates.
        ValueError: If the TLS library was built without that version.
    """
    try:
        context = ssl.create_default_context(cafile=ca_bundle)
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "strerror", None) or error
        raise LiveError(f"`{ca_bundle}` is not a file of certificates: {reason}", LiveTrouble.TLS) from None
    if transport in _VERSIONS:
        version = ssl.TLSVersion[_VERSIONS[transport]]
        with warnings.catch_warnings():
            # Python warns of old versions, but the probe needs them.
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = version
        if transport in (Transport.TLS_1_0, Transport.TLS_1_1):
            # These versions sign with SHA-1, which OpenSSL 3 allows only at level 0. This level adds no
            # cipher without encryption or without a certificate.
            with contextlib.suppress(ssl.SSLError):  # LibreSSL has no levels.
                context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


def can_speak(transport: Transport, ca_bundle: str) -> bool:
    """Tell whether the TLS library of this machine can start a handshake over a transport."""
    try:
        return can_start_handshake(context_for(transport, ca_bundle))
    except ValueError:
        return False


def can_start_handshake(context: ssl.SSLContext) -> bool:
    """Tell whether a context has a version and a matching cipher to offer."""
    client = context.wrap_bio(ssl.MemoryBIO(), sent := ssl.MemoryBIO(), server_hostname="localhost")
    with contextlib.suppress(ssl.SSLError):
        client.do_handshake()
    # Without them, the client sends nothing or only an alert of 7 bytes.
    return sent.pending > 16


def send(
    url: str, headers: Mapping[str, str], *, context: ssl.SSLContext | None, timeout: float
) -> HttpAnswer | NoAnswer:
    """Send a GET request and return the answer.

    Args:
        url: The URL, in plain HTTP or HTTPS.
        headers: The headers.
        context: The TLS context; not used for plain HTTP.
        timeout: Seconds to wait for the connection, and again for the answer.
    """
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    host, port = str(parts.hostname), parts.port
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=timeout)
    where, connected = f"`{parts.netloc}`", False
    try:
        connection.connect()
        connected = True
        with _deadline(connection, timeout) as expired:
            try:
                connection.request("GET", target or "/", headers=dict(headers))
                response = connection.getresponse()
                body = response.read(MAX_BODY)
                found = {name.lower(): value for name, value in response.getheaders()}
                return HttpAnswer(response.status, found, body)
            except (OSError, http.client.HTTPException, ValueError):
                if expired.is_set():
                    raise TimeoutError from None
                raise
    except Exception as error:
        if isinstance(error, TimeoutError) and not connected:
            words = f"no connection to {where} within {timeout:g} seconds"
            return NoAnswer(NoAnswerKind.OUT_OF_REACH, words)
        return _silence(error, where, timeout)
    finally:
        connection.close()


@contextlib.contextmanager
def _deadline(connection: http.client.HTTPConnection, seconds: float) -> Iterator[threading.Event]:
    """Cut a connection when the time is over, even if bytes still arrive."""
    expired = threading.Event()

    def cut() -> None:
        expired.set()
        with contextlib.suppress(OSError, AttributeError):
            connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield expired
    finally:
        timer.cancel()


def _silence(error: Exception, where: str, timeout: float) -> NoAnswer:
    match error:
        case ssl.SSLCertVerificationError():
            text = f"the certificate of {where} is not trusted: {error.verify_message}"
            return NoAnswer(NoAnswerKind.CERTIFICATE, text)
        case ssl.SSLError():
            reason = error.reason or ""
            told = reason.replace("_", " ").lower() or str(error)
            if _NOT_THIS_VERSION in reason:
                return NoAnswer(NoAnswerKind.VERSION_REFUSED, f"{where} refused the handshake: {told}")
            return NoAnswer(NoAnswerKind.NO_HANDSHAKE, f"the TLS handshake with {where} failed: {told}")
        case TimeoutError():
            return NoAnswer(NoAnswerKind.TIMEOUT, f"{where} did not answer within {timeout:g} seconds")
        case socket.gaierror():
            return NoAnswer(NoAnswerKind.NO_NAME, f"the name of {where} is unknown: {error.strerror}")
        case ConnectionRefusedError():
            return NoAnswer(NoAnswerKind.NOBODY, f"nothing listens at {where}")
        case ConnectionError() | http.client.RemoteDisconnected() | http.client.IncompleteRead():
            return NoAnswer(NoAnswerKind.CUT, f"{where} cut the connection")
        case http.client.HTTPException() | ValueError():
            return NoAnswer(NoAnswerKind.NOT_HTTP, f"the answer of {where} is not HTTP")
        case OSError():
            return NoAnswer(
                NoAnswerKind.OUT_OF_REACH, f"{where} cannot be reached: {error.strerror or error}"
            )
        case _:
            raise error
