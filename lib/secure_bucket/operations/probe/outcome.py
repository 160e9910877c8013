"""What a probe comes to: three types, none of them a Boolean, each with the exchanges it rests on."""

from __future__ import annotations

import enum
from typing import NoReturn, TypeAlias

from msgspec import Struct

__all__ = ["Enforced", "Exchange", "Inconclusive", "Open", "ProbeOutcome", "Refuser", "Signer", "Transport"]


class Transport(enum.Enum):
    """How a request travels."""

    HTTP = "plain HTTP"
    HTTPS = "HTTPS"
    TLS_1_0 = "TLS 1.0"
    TLS_1_1 = "TLS 1.1"
    TLS_1_2 = "TLS 1.2"
    TLS_1_3 = "TLS 1.3"

    @classmethod
    def of_tls(cls, version: str) -> Transport:
        """Return the one of a TLS version, as `1.1`.

        Raises:
            ValueError: If the version is not one of these.
        """
        return cls(f"TLS {version}")

    @property
    def tls(self) -> str:
        """The only TLS version it speaks, as `1.1`; `""` for plain HTTP, and where both sides choose."""
        return self.value.removeprefix("TLS ") if self.value.startswith("TLS ") else ""


class Signer(enum.Enum):
    """Whose signature a request carries."""

    ANONYMOUS = "anonymous"
    NARROWED = "narrowed"
    OWN = "own"

    @property
    def words(self) -> str:
        """What messages call it."""
        return _SIGNERS[self]


_SIGNERS = {
    Signer.ANONYMOUS: "anonymous",
    Signer.NARROWED: "signed by a session that may do nothing else",
    Signer.OWN: "signed with your own credentials",
}


class Refuser(enum.Enum):
    """What refused the requests."""

    POLICY = "policy"
    UNNAMED = "unnamed"
    ORGANIZATION = "organization"
    ENDPOINT = "endpoint"

    @property
    def words(self) -> str:
        """What messages call it."""
        return _REFUSERS[self]


_REFUSERS = {
    Refuser.POLICY: "the bucket policy",
    Refuser.UNNAMED: "a policy that S3 does not name",
    Refuser.ORGANIZATION: "a resource control policy of the organization",
    Refuser.ENDPOINT: "the endpoint",
}


class Exchange(Struct, frozen=True):
    """A request and its answer.

    Args:
        action: The IAM action that the request needs.
        url: The address, with the query.
        transport: How the request travelled.
        signer: Whose signature it carried.
        status: The HTTP status; null when there was no answer.
        code: The error code of S3; null without one.
        message: What S3, or the network, reported; null when there was nothing.
        request_id: The id by which S3 knows the request; null without one.
    """

    action: str
    url: str
    transport: Transport
    signer: Signer
    status: int | None
    code: str | None
    message: str | None
    request_id: str | None

    def __str__(self) -> str:
        came = f"{self.status} {self.code or ''}".strip() if self.status is not None else "no answer"
        said = f" ({self.message})" if self.message else ""
        return f"GET {self.url} {self._over}, {self.signer.words}: {came}{said}"

    @property
    def _over(self) -> str:
        return f"over {self.transport.value}"


class _NotABoolean:
    __slots__ = ()

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"a probe has three outcomes, so `{type(self).__name__}` is neither true nor false: "
            "use `isinstance(outcome, Enforced)` or `match`"
        )


class Enforced(_NotABoolean, Struct, frozen=True):
    """Every request was let in over HTTPS, and refused this way.

    Args:
        by: What refused them.
        exchanges: The requests and their answers.
    """

    by: Refuser
    exchanges: tuple[Exchange, ...]


class Open(_NotABoolean, Struct, frozen=True):
    """A request got in this way: here it is.

    Args:
        exchange: The request and its answer.
        exchanges: All requests and their answers.
    """

    exchange: Exchange
    exchanges: tuple[Exchange, ...]


class Inconclusive(_NotABoolean, Struct, frozen=True):
    """No request got in this way, and that proves nothing.

    Args:
        reasons: Why it proves nothing, and what to do; never empty.
        exchanges: The requests and their answers.
    """

    reasons: tuple[str, ...]
    exchanges: tuple[Exchange, ...]


ProbeOutcome: TypeAlias = "Enforced | Open | Inconclusive"
