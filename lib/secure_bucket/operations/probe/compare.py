"""Compare the answers to a request over two transports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from msgspec import Struct

from secure_bucket.operations.probe.answer import Denied, Failed, Foreign, LetIn, Reading, Redirected
from secure_bucket.operations.probe.outcome import (
    Enforced,
    Exchange,
    Inconclusive,
    Open,
    ProbeOutcome,
    Refuser,
    Signer,
    Transport,
)
from secure_bucket.operations.probe.transport import NoAnswer, NoAnswerKind
from secure_bucket.values.never import assert_never

__all__ = ["AnswerPart", "Doubt", "ReadExchange", "combine", "compare", "find_doubt"]

# The explicit denies that apply to every caller: those of the bucket or of its account. S3 names the policy
# only to callers of the same account or organization.
_REFUSERS: Final = {
    "": Refuser.UNNAMED,
    "resource-based policy": Refuser.POLICY,
    "resource control policy": Refuser.ORGANIZATION,
}


class ReadExchange(Struct, frozen=True):
    """A request with the meaning of its answer.

    Args:
        exchange: The request and its answer, as evidence.
        reading: The meaning of the answer.
    """

    exchange: Exchange
    reading: Reading | NoAnswer


class Doubt(Struct, frozen=True):
    """A request that proves nothing.

    Args:
        action: The requested action.
        why: The reason, in words that do not depend on the action.
    """

    action: str
    why: str


AnswerPart: TypeAlias = "Refuser | Doubt | Exchange"
"""The refuser of the request, the reason why it proves nothing, or the request that got in."""


def find_doubt(secure: ReadExchange) -> Doubt | None:
    """Return why a request proves nothing if S3 does not let it in over HTTPS; `None` if S3 lets it in."""
    exchange = secure.exchange
    match secure.reading:
        case LetIn():
            return None
        case Denied() if exchange.signer is Signer.ANONYMOUS:
            why = (
                "refused over HTTPS as well without a signature, so that a refusal proves nothing: sign the "
                "requests with --sign-http narrowed"
            )
        case Denied(message=message):
            why = (
                f"refused over HTTPS as well ({message or 'AccessDenied'}), so that a refusal proves "
                "nothing: give the caller the permission"
            )
            if exchange.action == "s3:GetObject":
                why += ", or name an object that the caller may read with --key"
        case Failed(code=code, message=message):
            why = f"over HTTPS S3 answers with `{code}`: {message}"
        case Redirected(to=to):
            why = "over HTTPS the answer redirects the request" + (f" to `{to}`" if to else "")
        case Foreign(why=by):
            why = f"over HTTPS another server than S3 answered: {by}"
        case NoAnswer(words=words):
            why = f"over HTTPS there was no answer: {words}"
        case _:
            assert_never(secure.reading)
    return Doubt(exchange.action, why)


def compare(secure: ReadExchange, other: ReadExchange, *, amazon: bool) -> AnswerPart:
    """Return the result of a request, compared with the same request over HTTPS.

    Args:
        secure: The request over HTTPS.
        other: The same request over plain HTTP, or over one TLS version.
        amazon: Whether the endpoint belongs to AWS, whose endpoints all speak plain HTTP.
    """
    match other.reading:
        case LetIn():
            return other.exchange
        case NoAnswer(why=NoAnswerKind.VERSION_REFUSED):
            # The handshake does not depend on the caller or the request.
            return Refuser.ENDPOINT
        case NoAnswer():
            return Doubt(other.exchange.action, _silent(other.reading, other.exchange, amazon))
        case _ if doubt := find_doubt(secure):
            return doubt
        case Denied(by=by, for_lack_of="") if by in _REFUSERS:
            unclear = _about_something_else(secure, other.reading)
            return Doubt(secure.exchange.action, unclear) if unclear else _REFUSERS[by]
        case reading:
            return Doubt(other.exchange.action, f"over {other.exchange.transport.value} {_no_proof(reading)}")


def _about_something_else(secure: ReadExchange, denied: Denied) -> str:
    """Return why a denial may concern another action than the requested one; `""` if it does not.

    S3 reports a missing object only to callers that may list the bucket. To others it answers `AccessDenied`,
    even if they may get objects. See *GetObject* in the API Reference of S3, *404 (Not Found)*.
    """
    asked, absent = secure.exchange.action, secure.reading == LetIn("NoSuchKey")
    if denied.action == asked or (not denied.action and not absent):
        return ""
    why = f"S3 may have denied only `{denied.action or 's3:ListBucket'}`"
    if not absent:
        return why
    return f"{why}, without which it does not report a missing object: name an existing one with --key"


def _silent(silence: NoAnswer, exchange: Exchange, amazon: bool) -> str:
    """Return the meaning of a missing answer."""
    if exchange.transport is Transport.HTTP and silence.why in (
        NoAnswerKind.NOBODY,
        NoAnswerKind.OUT_OF_REACH,
    ):
        if amazon or silence.why is NoAnswerKind.OUT_OF_REACH:
            cause = "something in the network blocks plain HTTP"
        else:
            cause = "the endpoint does not speak plain HTTP"
        return f"{cause}, so that the probe did not test the policy: {silence.words}"
    return f"over {exchange.transport.value} there was no answer: {silence.words}"


def _no_proof(reading: Denied | Redirected | Foreign | Failed) -> str:
    """Return why an answer proves nothing about the policy of the bucket."""
    match reading:
        case Denied(by="", message=message):
            return (
                f"S3 refused for lack of an allow ({message}): no policy denies it, and a caller that "
                "another policy allows it gets in"
            )
        case Denied(by=by):
            return f"S3 refused because of the {by}, which concerns the caller and not the bucket"
        case Redirected(to=to) if to.startswith("https:"):
            return (
                f"the answer redirects the request to HTTPS (`{to}`): S3 does not do that, so another server "
                "answered, and the probe did not test the policy"
            )
        case Redirected(to=to):
            return "the answer redirects the request" + (f" to `{to}`" if to else "")
        case Foreign(why=why):
            return f"another server than S3 answered: {why}"
        case Failed(code=code, message=message):
            return f"S3 refused with `{code}`, which does not come from the policy: {message}"
        case _:
            assert_never(reading)


def combine(parts: Sequence[AnswerPart], exchanges: Sequence[Exchange]) -> ProbeOutcome:
    """Combine the results of all requests over one transport.

    Args:
        parts: The result of each request; at least one.
        exchanges: All requests, including those over HTTPS.
    """
    evidence = tuple(exchanges)
    doubts: dict[str, dict[str, None]] = {}
    for part in parts:
        if isinstance(part, Exchange):
            return Open(part, evidence)
        if isinstance(part, Doubt):
            doubts.setdefault(part.why, {})[f"`{part.action}`"] = None
    if doubts:
        reasons = tuple(f"{' and '.join(actions)}: {why}" for why, actions in doubts.items())
        return Inconclusive(reasons, evidence)
    # INVARIANT: here, each request was refused by something that refuses every caller.
    order = (Refuser.UNNAMED, Refuser.ORGANIZATION, Refuser.POLICY, Refuser.ENDPOINT)
    return Enforced(next(each for each in order if each in parts), evidence)
