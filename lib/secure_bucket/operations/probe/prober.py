"""Run a probe: choose the signer, send the requests in a safe order, and withhold unsafe ones."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from secure_bucket.operations.aws.errors import LiveError, LiveTrouble, translate_errors
from secure_bucket.operations.aws.session import Session
from secure_bucket.operations.probe.answer import (
    Denied,
    Failed,
    error_of,
    read_answer,
    region_of,
    request_id_of,
)
from secure_bucket.operations.probe.compare import AnswerPart, ReadExchange, combine, compare, find_doubt
from secure_bucket.operations.probe.narrow import narrowed_credentials, own_credentials
from secure_bucket.operations.probe.outcome import Exchange, Inconclusive, ProbeOutcome, Signer, Transport
from secure_bucket.operations.probe.probed_bucket import (
    EndpointLayout,
    ProbeRequest,
    ProbeTarget,
    probe_requests,
)
from secure_bucket.operations.probe.transport import (
    HttpAnswer,
    NoAnswer,
    NoAnswerKind,
    can_speak,
    context_for,
    send,
)

__all__ = ["Prober"]

_TRIES: Final = 3
_NOW_AND_THEN: Final = frozenset(("InternalError", "ServiceUnavailable", "SlowDown"))
_FIRST_REGION: Final = "us-east-1"
# After these errors, the same request over HTTP is useless: the caller has to fix the credentials first.
_NO_CALLER: Final = frozenset(
    {
        *("AuthorizationHeaderMalformed", "ExpiredToken", "InvalidAccessKeyId", "InvalidToken"),
        *("RequestTimeTooSkewed", "SignatureDoesNotMatch", "TokenRefreshRequired"),
    }
)


class Prober:
    """Probes one bucket.

    Args:
        session: The session.
        bucket: The name of the bucket.
        keys: The objects to request.
        sign_http: The signer of requests over plain HTTP.
        layout: The endpoints to use.
        timeout: Seconds to wait for each answer.

    Raises:
        LiveError: If the bucket cannot be probed.
    """

    def __init__(
        self,
        session: Session,
        bucket: str,
        *,
        keys: Sequence[str],
        sign_http: Signer,
        layout: EndpointLayout,
        timeout: float,
    ) -> None:
        self._session = session
        self._authorities = _authorities(session)
        self._timeout = timeout
        self._sign_http = sign_http
        self._layout = layout
        self._asks = probe_requests(keys)
        self._credentials: dict[Signer, Any] = {Signer.ANONYMOUS: None}
        self._secure: dict[tuple[int, Signer], ReadExchange] = {}
        self.target: ProbeTarget = ProbeTarget(
            session, bucket, session.boto.region_name or _FIRST_REGION, layout
        )
        self.why_not: str = self._proxies()
        if not self.why_not:
            self._locate(bucket)

    def check(self, transport: Transport) -> ProbeOutcome:
        """Return the outcome over a transport.

        Raises:
            LiveError: If the requests cannot be sent.
        """
        if self.why_not:
            return Inconclusive((self.why_not,), ())
        if transport.tls and not can_speak(transport, self._authorities):
            return Inconclusive(
                (f"the TLS library of this machine cannot speak {transport.value}: probe from one that can",),
                (),
            )
        signer = self._sign_http if transport is Transport.HTTP else self._signer_within_tls()
        parts: list[AnswerPart] = []
        exchanges: list[Exchange] = []
        for index, ask in enumerate(self._asks):
            secure = self._over_https(index, signer)
            exchanges.append(secure.exchange)
            in_clear = transport is Transport.HTTP and signer is not Signer.ANONYMOUS
            doubt = find_doubt(secure)
            if in_clear and doubt is not None and not isinstance(secure.reading, Denied):
                # INVARIANT: a signed request travels in clear only after S3 has answered it over HTTPS.
                parts.append(doubt)
                continue
            heard = self._hear(ask, transport, signer)
            exchanges.append(heard.exchange)
            parts.append(compare(secure, heard, amazon=self._amazon))
        return combine(parts, exchanges)

    @property
    def _amazon(self) -> bool:
        return ".amazonaws.com" in self._host(plain=True)

    def _host(self, *, plain: bool) -> str:
        return str(urlsplit(self.target.url(self._asks[0], plain=plain)).hostname)

    def _proxies(self) -> str:
        """Return why a probe through a proxy proves nothing; `""` without a proxy."""
        proxies = urllib.request.getproxies()
        for scheme, plain in (("http", True), ("https", False)):
            host = self._host(plain=plain)
            if proxies.get(scheme, proxies.get("all")) and not urllib.request.proxy_bypass(host):
                return (
                    f"a proxy is set for `{scheme}://{host}` ({scheme.upper()}_PROXY), and its answers show "
                    "how the proxy reaches S3, not how S3 answers: probe without a proxy, or except the "
                    f"endpoint with NO_PROXY={host}"
                )
        return ""

    def _locate(self, bucket: str) -> None:
        """Find the bucket and its region before the first signed request."""
        for _ in range(2):
            url = self.target.url(self._asks[0], plain=False)
            came = self._send(self._asks[0], url, Transport.HTTPS, None)
            if isinstance(came, NoAnswer):
                raise _unreachable(came)
            code, message = error_of(came)
            if code == "NoSuchBucket":
                self._raise(self._asks[0], came.status, code, message)
            region = region_of(came)
            if not region or region == self.target.region:
                return
            self.target = ProbeTarget(self._session, bucket, region, self._layout)

    def _signer_within_tls(self) -> Signer:
        if self._sign_http is not Signer.ANONYMOUS:
            return self._sign_http
        return Signer.OWN if self._credentials_of(Signer.OWN) is not None else Signer.ANONYMOUS

    def _credentials_of(self, signer: Signer) -> Any:
        if signer not in self._credentials:
            if signer is Signer.NARROWED:
                keys = [str(ask.params["Key"]) for ask in self._asks if "Key" in ask.params]
                found = narrowed_credentials(self._session, self.target.region, self.target.arn, keys)
            else:
                found = own_credentials(self._session)
            self._credentials[signer] = found
        return self._credentials[signer]

    def _over_https(self, index: int, signer: Signer) -> ReadExchange:
        key = (index, signer)
        if key not in self._secure:
            heard = self._hear(self._asks[index], Transport.HTTPS, signer)
            match heard.reading:
                case NoAnswer():
                    raise _unreachable(heard.reading)
                case Failed(code=code, message=message) if code in _NO_CALLER:
                    self._raise(self._asks[index], heard.exchange.status, code, message)
            self._secure[key] = heard
        return self._secure[key]

    def _hear(self, ask: ProbeRequest, transport: Transport, signer: Signer) -> ReadExchange:
        url = self.target.url(ask, plain=transport is Transport.HTTP)
        credentials = self._credentials_of(signer)
        if signer is not Signer.ANONYMOUS and credentials is None:
            raise LiveError(
                "there are no AWS credentials to sign with: give --profile NAME, or set AWS_PROFILE or "
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                LiveTrouble.CREDENTIALS,
            )
        came = self._send(ask, url, transport, credentials)
        if isinstance(came, NoAnswer):
            return ReadExchange(
                Exchange(ask.action, url, transport, signer, None, None, came.words, None), came
            )
        code, message = error_of(came)
        exchange = Exchange(
            ask.action,
            url,
            transport,
            signer,
            came.status,
            code or None,
            message or None,
            request_id_of(came) or None,
        )
        return ReadExchange(exchange, read_answer(came, expected=ask.expected))

    def _send(
        self, ask: ProbeRequest, url: str, transport: Transport, credentials: Any
    ) -> HttpAnswer | NoAnswer:
        """Send a request, and repeat it if S3 is busy."""
        context = None
        if transport is not Transport.HTTP:
            context = context_for(transport, self._authorities)
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(attempt)
            headers = self.target.headers(ask, url, credentials)
            came = send(url, headers, context=context, timeout=self._timeout)
            if isinstance(came, NoAnswer) or error_of(came)[0] not in _NOW_AND_THEN:
                break
        return came

    def _raise(self, ask: ProbeRequest, status: int | None, code: str, message: str) -> None:
        """Raise an error of S3 with the message that all commands use."""
        from botocore.exceptions import ClientError

        answer: Any = {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }
        with translate_errors(ask.action, f"bucket `{self.target.bucket}`"):
            raise ClientError(answer, ask.operation)


def _authorities(session: Session) -> str:
    """Return the file of certificates to trust, the same file as for boto3."""
    import botocore.httpsession
    import botocore.session

    configured = botocore.session.Session(profile=session.access.profile).get_config_variable("ca_bundle")
    usual = botocore.httpsession.get_cert_path(True)
    return str(session.access.ca_bundle or configured or usual)


def _unreachable(silence: NoAnswer) -> LiveError:
    text, trouble = silence.words, LiveTrouble.UNREACHABLE
    if silence.why is NoAnswerKind.CERTIFICATE:
        text += "; give the authority that signed it with --ca-bundle FILE"
    if silence.why in (NoAnswerKind.CERTIFICATE, NoAnswerKind.VERSION_REFUSED, NoAnswerKind.NO_HANDSHAKE):
        trouble = LiveTrouble.TLS
    return LiveError(text, trouble)
