"""What one request says, when it is known what came of it over HTTPS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from typing_extensions import assert_never

from secure_bucket.live.probing.answer import Denied, Failed, Foreign, LetIn, Reading, Redirected
from secure_bucket.live.probing.outcome import (
    Enforced,
    Exchange,
    Inconclusive,
    Open,
    Outcome,
    Refuser,
    Signer,
    Transport,
)
from secure_bucket.live.probing.transport import NoAnswer, Silence

__all__ = ["Heard", "Part", "compare", "gather", "refused_as_well"]

# Explicit denies that hold for every caller: those that come with the bucket, or with its account.
_REFUSERS: Final = {
    "": Refuser.POLICY,
    "resource-based policy": Refuser.POLICY,
    "resource control policy": Refuser.ORGANIZATION,
}


@dataclass(frozen=True, slots=True)
class Heard:
    """A request that was made, and what came back, read.

    Args:
        exchange: The request and its answer, as evidence.
        reading: What it says.
    """

    exchange: Exchange
    reading: Reading | NoAnswer


Part: TypeAlias = "Refuser | str | Exchange"
"""What refused the request; or why it proves nothing; or the request, when it got in."""


def refused_as_well(secure: Heard) -> str:
    """Return why a request proves nothing that is not let in over HTTPS either; `""` when it is let in."""
    exchange = secure.exchange
    match secure.reading:
        case LetIn():
            return ""
        case Denied() if exchange.signer is Signer.ANONYMOUS:
            return (
                f"anonymous `{exchange.action}` is refused over HTTPS as well, so that a refusal proves "
                "nothing: ask with a signature, by --sign-http narrowed"
            )
        case Denied(message=message):
            hint = ", or name an object that it may read with --key" * (exchange.action == "s3:GetObject")
            return (
                f"`{exchange.action}` is refused over HTTPS as well ({message or 'AccessDenied'}), so that a "
                f"refusal proves nothing: allow it to the caller{hint}"
            )
        case Failed(code=code, message=message):
            return f"over HTTPS S3 answers `{exchange.action}` with `{code}`: {message}"
        case Redirected(to=to):
            return f"over HTTPS the answer sends the request elsewhere, to `{to}`"
        case Foreign(why=why):
            return f"over HTTPS it is not S3 that answered: {why}"
        case NoAnswer(words=words):
            return f"over HTTPS there was no answer: {words}"
        case _:
            assert_never(secure.reading)


def compare(secure: Heard, other: Heard, *, amazon: bool) -> Part:
    """Return what a request says, beside the same one over HTTPS.

    Args:
        secure: The request over HTTPS.
        other: The same request over plain HTTP, or over one TLS version.
        amazon: Whether the endpoint is one of AWS, which all speak plain HTTP.
    """
    transport = other.exchange.transport
    over = f"over {transport.value}"
    match other.reading:
        case LetIn():
            return other.exchange
        case NoAnswer(why=Silence.HANDSHAKE_REFUSED):
            # That has nothing to do with who asks, nor with what for.
            return Refuser.ENDPOINT
        case NoAnswer(why=why, words=words):
            if transport is Transport.HTTP and why is Silence.NOBODY and not amazon:
                return f"the endpoint does not speak plain HTTP, so that the policy was not tried: {words}"
            if transport is Transport.HTTP and why in (Silence.NOBODY, Silence.TIMEOUT):
                return f"something on the way stops plain HTTP, so that the policy was not tried: {words}"
            return f"{over} there was no answer: {words}"
        case _ if blocked := refused_as_well(secure):
            return blocked
        case Denied(by=by, message=message, for_lack_of=lack):
            if lack:
                return (
                    f"{over} S3 refused for lack of an allow ({message}): no policy denies it, "
                    "and a caller whom another policy allows it gets in"
                )
            if by not in _REFUSERS:
                return f"{over} S3 refused by the {by}, which is about the caller and not about the bucket"
            return _REFUSERS[by]
        case Redirected(to=to):
            if to.startswith("https:"):
                return (
                    f"{over} the answer sends the request to HTTPS (`{to}`): S3 does not do that, so "
                    "something before it answered, and the policy was not tried"
                )
            return f"{over} the answer sends the request elsewhere" + (f", to `{to}`" if to else "")
        case Foreign(why=why):
            return f"{over} it is not S3 that answered: {why}"
        case Failed(code=code, message=message):
            return f"{over} S3 refused with `{code}`, which is not the policy: {message}"
        case _:
            assert_never(other.reading)


def gather(parts: Sequence[Part], exchanges: Sequence[Exchange]) -> Outcome:
    """Return what all requests over one transport come to.

    Args:
        parts: What each of them says; at least one.
        exchanges: All requests that were made, those over HTTPS too.
    """
    evidence = tuple(exchanges)
    for part in parts:
        if isinstance(part, Exchange):
            return Open(part, evidence)
    reasons = [part for part in parts if isinstance(part, str)]
    if reasons:
        return Inconclusive(tuple(dict.fromkeys(reasons)), evidence)
    # INVARIANT: each request was refused, and by something that refuses everybody.
    order = (Refuser.ORGANIZATION, Refuser.POLICY, Refuser.ENDPOINT)
    return Enforced(next(each for each in order if each in parts), evidence)
