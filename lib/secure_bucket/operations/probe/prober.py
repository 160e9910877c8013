"""The conduct of a probe: who signs, what is sent first, and what is not sent at all."""

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
from secure_bucket.operations.probe.compare import AnswerPart, Heard, compare, gather, in_doubt
from secure_bucket.operations.probe.narrow import narrowed_credentials, own_credentials
from secure_bucket.operations.probe.outcome import Exchange, Inconclusive, ProbeOutcome, Signer, Transport
from secure_bucket.operations.probe.probed_bucket import Ask, EndpointLayout, ProbeTarget, asks_of
from secure_bucket.operations.probe.transport import (
    HttpAnswer,
    NoAnswer,
    Silence,
    can_speak,
    context_for,
    send,
)

__all__ = ["Prober"]

_TRIES: Final = 3
_NOW_AND_THEN: Final = frozenset(("InternalError", "ServiceUnavailable", "SlowDown"))
_FIRST_REGION: Final = "us-east-1"
# With these the same question over HTTP is not worth asking: the caller has to fix something first.
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
        keys: The objects to ask for.
        sign_http: Whose signature may travel in clear.
        layout: Which endpoints to use.
        timeout: Seconds to wait for each answer.

    Raises:
        LiveError: If the bucket cannot be asked at all.
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
        self._asks = asks_of(keys)
        self._credentials: dict[Signer, Any] = {Signer.ANONYMOUS: None}
        self._secure: dict[tuple[int, Signer], Heard] = {}
        self.target: ProbeTarget = ProbeTarget(
            session, bucket, session.boto.region_name or _FIRST_REGION, layout
        )
        self.hindrance: str = self._proxies()
        if not self.hindrance:
            self._locate(bucket)

    def check(self, transport: Transport) -> ProbeOutcome:
        """Return whether the bucket lets anybody in this way.

        Raises:
            LiveError: If it cannot be found out, for a reason that is ours.
        """
        if self.hindrance:
            return Inconclusive((self.hindrance,), ())
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
            doubt = in_doubt(secure)
            if in_clear and doubt is not None and not isinstance(secure.reading, Denied):
                # INVARIANT: nothing signed travels in clear before S3 has answered for the same over HTTPS.
                parts.append(doubt)
                continue
            heard = self._hear(ask, transport, signer)
            exchanges.append(heard.exchange)
            parts.append(compare(secure, heard, amazon=self._amazon))
        return gather(parts, exchanges)

    @property
    def _amazon(self) -> bool:
        return ".amazonaws.com" in self._host(plain=True)

    def _host(self, *, plain: bool) -> str:
        return str(urlsplit(self.target.url(self._asks[0], plain=plain)).hostname)

    def _proxies(self) -> str:
        """Return why nothing can be said from here: a request through a proxy is one that the proxy makes."""
        proxies = urllib.request.getproxies()
        for scheme, plain in (("http", True), ("https", False)):
            host = self._host(plain=plain)
            if proxies.get(scheme, proxies.get("all")) and not urllib.request.proxy_bypass(host):
                return (
                    f"a proxy is set for `{scheme}://{host}` ({scheme.upper()}_PROXY), and what it answers "
                    "tells how the proxy asks S3, not how S3 answers: probe from a place without a proxy, or "
                    f"except the endpoint with NO_PROXY={host}"
                )
        return ""

    def _locate(self, bucket: str) -> None:
        """Find the region of the bucket, and that there is one, before anything is signed."""
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

    def _over_https(self, index: int, signer: Signer) -> Heard:
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

    def _hear(self, ask: Ask, transport: Transport, signer: Signer) -> Heard:
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
            return Heard(Exchange(ask.action, url, transport, signer, None, None, came.words, None), came)
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
        return Heard(exchange, read_answer(came, expected=ask.expected))

    def _send(self, ask: Ask, url: str, transport: Transport, credentials: Any) -> HttpAnswer | NoAnswer:
        """Send a request, and once more when S3 is only busy."""
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

    def _raise(self, ask: Ask, status: int | None, code: str, message: str) -> None:
        """Raise an error of S3 in the words that all commands have for it."""
        from botocore.exceptions import ClientError

        answer: Any = {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }
        with translate_errors(ask.action, f"bucket `{self.target.bucket}`"):
            raise ClientError(answer, ask.operation)


def _authorities(session: Session) -> str:
    """Return the file of certificates to trust: the same one that boto3 takes."""
    import botocore.httpsession
    import botocore.session

    configured = botocore.session.Session(profile=session.access.profile).get_config_variable("ca_bundle")
    usual = botocore.httpsession.get_cert_path(True)
    return str(session.access.ca_bundle or configured or usual)


def _unreachable(silence: NoAnswer) -> LiveError:
    text, trouble = silence.words, LiveTrouble.UNREACHABLE
    if silence.why is Silence.CERTIFICATE:
        text += "; give the authority that signed it with --ca-bundle FILE"
    if silence.why in (Silence.CERTIFICATE, Silence.VERSION_REFUSED, Silence.NO_HANDSHAKE):
        trouble = LiveTrouble.TLS
    return LiveError(text, trouble)
