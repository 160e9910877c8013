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
    NARROWED = "signed by a session that may do nothing else"
    OWN = "signed with your own credentials"


class Refuser(enum.Enum):
    """What refused the requests."""

    POLICY = "the bucket policy"
    UNNAMED = "a policy that S3 does not name"
    ORGANIZATION = "a resource control policy of the organization"
    ENDPOINT = "the endpoint"


class Exchange(Struct, frozen=True):
    """One request that was made, and what came back: the evidence.

    Args:
        action: The IAM action that it needs, as `s3:ListBucket`.
        url: Where it went, with the query.
        transport: How it travelled.
        signer: Whose signature it carried.
        status: The HTTP status; `None` when nothing came back.
        code: The error code of S3, as `AccessDenied`; `""` without one.
        message: What S3, or the network, said.
        request_id: The id by which S3 knows the request; `""` without one.
    """

    action: str
    url: str
    transport: Transport
    signer: Signer
    status: int | None = None
    code: str = ""
    message: str = ""
    request_id: str = ""

    def __str__(self) -> str:
        came = f"{self.status} {self.code}".strip() if self.status is not None else "no answer"
        said = f" ({self.message})" if self.message else ""
        return f"GET {self.url} {self._over}, {self.signer.value}: {came}{said}"

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
