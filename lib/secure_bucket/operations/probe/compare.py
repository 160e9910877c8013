"""What one request says, when it is known what came of it over HTTPS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from msgspec import Struct
from typing_extensions import assert_never

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
from secure_bucket.operations.probe.transport import NoAnswer, Silence

__all__ = ["AnswerPart", "Doubt", "Heard", "compare", "gather", "in_doubt"]

# Explicit denies that hold for every caller: those that come with the bucket, or with its account. S3 names
# the policy only to callers of the same account or organization.
_REFUSERS: Final = {
    "": Refuser.UNNAMED,
    "resource-based policy": Refuser.POLICY,
    "resource control policy": Refuser.ORGANIZATION,
}


class Heard(Struct, frozen=True):
    """A request that was made, and what came back, read.

    Args:
        exchange: The request and its answer, as evidence.
        reading: What it says.
    """

    exchange: Exchange
    reading: Reading | NoAnswer


class Doubt(Struct, frozen=True):
    """Why a request proves nothing.

    Args:
        action: The action that was asked for.
        why: Why, in words that hold for other actions as well.
    """

    action: str
    why: str


AnswerPart: TypeAlias = "Refuser | Doubt | Exchange"
"""What refused the request; or why it proves nothing; or the request, when it got in."""


def in_doubt(secure: Heard) -> Doubt | None:
    """Return why a request proves nothing that is not let in over HTTPS either; `None` when it is let in."""
    exchange = secure.exchange
    match secure.reading:
        case LetIn():
            return None
        case Denied() if exchange.signer is Signer.ANONYMOUS:
            why = (
                "refused over HTTPS as well when nobody signs, so that a refusal proves nothing: ask with a "
                "signature, by --sign-http narrowed"
            )
        case Denied(message=message):
            why = (
                f"refused over HTTPS as well ({message or 'AccessDenied'}), so that a refusal proves "
                "nothing: allow it to the caller"
            )
            if exchange.action == "s3:GetObject":
                why += ", or name an object that the caller may read with --key"
        case Failed(code=code, message=message):
            why = f"over HTTPS S3 answers with `{code}`: {message}"
        case Redirected(to=to):
            why = "over HTTPS the answer sends the request elsewhere" + (f", to `{to}`" if to else "")
        case Foreign(why=by):
            why = f"over HTTPS it is not S3 that answered: {by}"
        case NoAnswer(words=words):
            why = f"over HTTPS there was no answer: {words}"
        case _:
            assert_never(secure.reading)
    return Doubt(exchange.action, why)


def compare(secure: Heard, other: Heard, *, amazon: bool) -> AnswerPart:
    """Return what a request says, beside the same one over HTTPS.

    Args:
        secure: The request over HTTPS.
        other: The same request over plain HTTP, or over one TLS version.
        amazon: Whether the endpoint is one of AWS, which all speak plain HTTP.
    """
    match other.reading:
        case LetIn():
            return other.exchange
        case NoAnswer(why=Silence.VERSION_REFUSED):
            # That has nothing to do with who asks, nor with what for.
            return Refuser.ENDPOINT
        case NoAnswer():
            return Doubt(other.exchange.action, _silent(other.reading, other.exchange, amazon))
        case _ if doubt := in_doubt(secure):
            return doubt
        case Denied(by=by, for_lack_of="") if by in _REFUSERS:
            unclear = _about_something_else(secure, other.reading)
            return Doubt(secure.exchange.action, unclear) if unclear else _REFUSERS[by]
        case reading:
            return Doubt(other.exchange.action, f"over {other.exchange.transport.value} {_no_proof(reading)}")


def _about_something_else(secure: Heard, denied: Denied) -> str:
    """Return why a denial may be about something else than what was asked for; `""` when it is not.

    Only those who may list a bucket are told that an object is not there: to others S3 denies that, too,
    even if they may get objects. See *GetObject* in the API Reference of S3, *404 (Not Found)*.
    """
    asked, absent = secure.exchange.action, secure.reading == LetIn("NoSuchKey")
    if denied.action == asked or (not denied.action and not absent):
        return ""
    why = f"S3 may have denied no more than `{denied.action or 's3:ListBucket'}`"
    if not absent:
        return why
    return f"{why}, without which it tells nobody that an object is not there: name one that is, with --key"


def _silent(silence: NoAnswer, exchange: Exchange, amazon: bool) -> str:
    """Return what it means that nothing came back."""
    if exchange.transport is Transport.HTTP and silence.why in (Silence.NOBODY, Silence.OUT_OF_REACH):
        if amazon or silence.why is Silence.OUT_OF_REACH:
            cause = "something on the way stops plain HTTP"
        else:
            cause = "the endpoint does not speak plain HTTP"
        return f"{cause}, so that the policy was not tried: {silence.words}"
    return f"over {exchange.transport.value} there was no answer: {silence.words}"


def _no_proof(reading: Denied | Redirected | Foreign | Failed) -> str:
    """Return why an answer proves nothing about the policy of the bucket."""
    match reading:
        case Denied(by="", message=message):
            return (
                f"S3 refused for lack of an allow ({message}): no policy denies it, and a caller that "
                "another policy allows it to gets in"
            )
        case Denied(by=by):
            return f"S3 refused by the {by}, which is about the caller and not about the bucket"
        case Redirected(to=to) if to.startswith("https:"):
            return (
                f"the answer sends the request to HTTPS (`{to}`): S3 does not do that, so something before "
                "it answered, and the policy was not tried"
            )
        case Redirected(to=to):
            return "the answer sends the request elsewhere" + (f", to `{to}`" if to else "")
        case Foreign(why=why):
            return f"it is not S3 that answered: {why}"
        case Failed(code=code, message=message):
            return f"S3 refused with `{code}`, which is not the policy: {message}"
        case _:
            assert_never(reading)


def gather(parts: Sequence[AnswerPart], exchanges: Sequence[Exchange]) -> ProbeOutcome:
    """Return what all requests over one transport come to.

    Args:
        parts: What each of them says; at least one.
        exchanges: All requests that were made, those over HTTPS too.
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
    # INVARIANT: each request was refused, and by something that refuses everybody.
    order = (Refuser.UNNAMED, Refuser.ORGANIZATION, Refuser.POLICY, Refuser.ENDPOINT)
    return Enforced(next(each for each in order if each in parts), evidence)
