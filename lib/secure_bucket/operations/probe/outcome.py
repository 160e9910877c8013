"""Define the outcomes of a probe, each with its evidence. They are not Booleans."""

from __future__ import annotations

import enum
from typing import NoReturn, TypeAlias

from msgspec import Struct

__all__ = ["Enforced", "Exchange", "Inconclusive", "Open", "ProbeOutcome", "Refuser", "Signer", "Transport"]


class Transport(enum.Enum):
    """The transport of a request."""

    HTTP = "plain HTTP"
    HTTPS = "HTTPS"
    TLS_1_0 = "TLS 1.0"
    TLS_1_1 = "TLS 1.1"
    TLS_1_2 = "TLS 1.2"
    TLS_1_3 = "TLS 1.3"

    @classmethod
    def of_tls(cls, version: str) -> Transport:
        """Return the transport of a TLS version, such as `1.1`.

        Raises:
            ValueError: If the version does not exist.
        """
        return cls(f"TLS {version}")

    @property
    def tls(self) -> str:
        """The TLS version, such as `1.1`; `""` for plain HTTP, and for HTTPS with any version."""
        return self.value.removeprefix("TLS ") if self.value.startswith("TLS ") else ""


class Signer(enum.Enum):
    """The signer of a request."""

    ANONYMOUS = "anonymous"
    NARROWED = "narrowed"
    OWN = "own"

    @property
    def words(self) -> str:
        """The name in messages."""
        return _SIGNERS[self]


_SIGNERS = {
    Signer.ANONYMOUS: "anonymous",
    Signer.NARROWED: "signed by a narrowed session",
    Signer.OWN: "signed with your own credentials",
}


class Refuser(enum.Enum):
    """The refuser of the requests."""

    POLICY = "policy"
    UNNAMED = "unnamed"
    ORGANIZATION = "organization"
    ENDPOINT = "endpoint"

    @property
    def words(self) -> str:
        """The name in messages."""
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
        transport: The transport.
        signer: The signer.
        status: The HTTP status; null without an answer.
        code: The error code of S3; null without one.
        message: The message of S3 or of the network; null without one.
        request_id: The request id of S3; null without one.
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
    """Every request was let in over HTTPS, and refused over this transport.

    Args:
        by: The refuser.
        exchanges: The requests and their answers.
    """

    by: Refuser
    exchanges: tuple[Exchange, ...]


class Open(_NotABoolean, Struct, frozen=True):
    """A request got in over this transport.

    Args:
        exchange: That request and its answer.
        exchanges: All requests and their answers.
    """

    exchange: Exchange
    exchanges: tuple[Exchange, ...]


class Inconclusive(_NotABoolean, Struct, frozen=True):
    """No request got in over this transport, but this proves nothing.

    Args:
        reasons: The reasons, and what to do; never empty.
        exchanges: The requests and their answers.
    """

    reasons: tuple[str, ...]
    exchanges: tuple[Exchange, ...]


ProbeOutcome: TypeAlias = "Enforced | Open | Inconclusive"
