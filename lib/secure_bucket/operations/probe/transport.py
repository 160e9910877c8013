"""Send one request, and bring back what came: no redirects, no proxies, no repetition.

The clients of AWS do all three, and hide what a probe has to see. So the request goes out through the
`http.client` of Python, on a connection of its own.
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

__all__ = ["HttpAnswer", "NoAnswer", "Silence", "can_speak", "context_for", "offers", "send"]

MAX_BODY: Final = 64 * 1024
"""Bytes of an answer that are read: an error of S3 has some hundreds, an empty listing as well."""

_VERSIONS: Final = {
    Transport.TLS_1_0: "TLSv1",
    Transport.TLS_1_1: "TLSv1_1",
    Transport.TLS_1_2: "TLSv1_2",
    Transport.TLS_1_3: "TLSv1_3",
}
# The alert against a version, RFC 8446, 6.2. A mere failure of the handshake may be about the ciphers, and
# then another client gets in with others.
_NOT_THIS_VERSION: Final = "ALERT_PROTOCOL_VERSION"


class Silence(enum.Enum):
    """Why there is no answer."""

    NO_NAME = "the name is not known"
    NOBODY = "nothing listens there"
    OUT_OF_REACH = "there is no way to it"
    TIMEOUT = "it took too long"
    CUT = "the connection was cut"
    CERTIFICATE = "the certificate is not trusted"
    VERSION_REFUSED = "the other side does not want this TLS version"
    NO_HANDSHAKE = "the handshake failed"
    NOT_HTTP = "what came is not HTTP"


class HttpAnswer(Struct, frozen=True):
    """What came back.

    Args:
        status: The HTTP status.
        headers: The headers, by their names in lower case.
        body: The first bytes of the body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class NoAnswer(Struct, frozen=True):
    """That nothing came back.

    Args:
        why: The kind.
        words: What happened, in words.
    """

    why: Silence
    words: str


def context_for(transport: Transport, ca_bundle: str) -> ssl.SSLContext:
    """Return how to speak TLS: with certificates checked, and in one version only where one is asked for.

    Args:
        transport: HTTPS, or one TLS version.
        ca_bundle: A file with the authorities to trust.

    Raises:
        LiveError: If the file of certificates is not one.
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
            # Python warns of the old versions, which are what is asked for here.
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = version
        if transport in (Transport.TLS_1_0, Transport.TLS_1_1):
            # They sign with SHA-1, which OpenSSL 3 has at level 0 only. Nothing without encryption or
            # without a certificate comes with that.
            with contextlib.suppress(ssl.SSLError):  # LibreSSL has no levels.
                context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


def can_speak(transport: Transport, ca_bundle: str) -> bool:
    """Tell whether the TLS library of this machine gets as far as a first message over a transport."""
    try:
        return offers(context_for(transport, ca_bundle))
    except ValueError:
        return False


def offers(context: ssl.SSLContext) -> bool:
    """Tell whether there is anything to offer: a version, and a cipher that goes with it."""
    client = context.wrap_bio(ssl.MemoryBIO(), sent := ssl.MemoryBIO(), server_hostname="localhost")
    with contextlib.suppress(ssl.SSLError):
        client.do_handshake()
    # Without a version or a cipher to offer the server sends, with luck, no more than an alert (of 7 bytes).
    return sent.pending > 16


def send(
    url: str, headers: Mapping[str, str], *, context: ssl.SSLContext | None, timeout: float
) -> HttpAnswer | NoAnswer:
    """Send a GET request and return what came back.

    Args:
        url: The URL, in plain HTTP or HTTPS.
        headers: The headers.
        context: How to speak TLS; not used for plain HTTP.
        timeout: Seconds after which to give up: for the connection, and once more for the answer.
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
            words = f"there is no connection to {where} within {timeout:g} seconds"
            return NoAnswer(Silence.OUT_OF_REACH, words)
        return _silence(error, where, timeout)
    finally:
        connection.close()


@contextlib.contextmanager
def _deadline(connection: http.client.HTTPConnection, seconds: float) -> Iterator[threading.Event]:
    """Cut a connection when the time is over, however steadily the bytes trickle."""
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
            return NoAnswer(Silence.CERTIFICATE, text)
        case ssl.SSLError():
            reason = error.reason or ""
            told = reason.replace("_", " ").lower() or str(error)
            if _NOT_THIS_VERSION in reason:
                return NoAnswer(Silence.VERSION_REFUSED, f"{where} refused the handshake: {told}")
            return NoAnswer(Silence.NO_HANDSHAKE, f"the TLS handshake with {where} failed: {told}")
        case TimeoutError():
            return NoAnswer(Silence.TIMEOUT, f"{where} did not answer within {timeout:g} seconds")
        case socket.gaierror():
            return NoAnswer(Silence.NO_NAME, f"the name of {where} is not known: {error.strerror}")
        case ConnectionRefusedError():
            return NoAnswer(Silence.NOBODY, f"nothing listens at {where}")
        case ConnectionError() | http.client.RemoteDisconnected() | http.client.IncompleteRead():
            return NoAnswer(Silence.CUT, f"{where} cut the connection")
        case http.client.HTTPException() | ValueError():
            return NoAnswer(Silence.NOT_HTTP, f"what {where} answered is not HTTP")
        case OSError():
            return NoAnswer(Silence.OUT_OF_REACH, f"{where} cannot be reached: {error.strerror or error}")
        case _:
            raise error
