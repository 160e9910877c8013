"""Define the provable claims: the requests that must be denied."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from msgspec import Struct

from secure_bucket.values.unknown import Hole, Text

__all__ = ["ANY_BUCKET", "DENIES_HTTP", "Claim", "denies_tls_below"]


class Claim(Struct, frozen=True):
    """The claim that every request of a kind is denied, with any action, principal and context.

    Args:
        words: How a message describes such a request: "over http".
        fixed: Condition keys (in lower case) that have one value in every such request.
        tls_below: `s3:TlsVersion` is below this number if it is present.
        tls_absent: Whether `s3:TlsVersion` may be absent.
    """

    words: str
    fixed: Mapping[str, str]
    tls_below: Fraction
    tls_absent: bool

    def __hash__(self) -> int:
        return hash((self.words, self.tls_below, self.tls_absent))


DENIES_HTTP = Claim("over http", {"aws:securetransport": "false"}, tls_below=Fraction("1.2"), tls_absent=True)
"""Every request over plain HTTP is denied.

AWS documents no `s3:TlsVersion` for such a request, so it is taken to be absent or a number below 1.2,
and a proof has to hold in both cases."""


def denies_tls_below(version: float) -> Claim:
    """Return the claim that every request over TLS older than `version` is denied."""
    return Claim(
        f"over tls below {version:g}",
        {"aws:securetransport": "true"},
        Fraction(str(version)),
        tls_absent=False,
    )


ANY_BUCKET = Text(("arn:aws:s3:::", Hole("bucket", "it stands for every bucket", generated=True)))
"""The ARN of a bucket of which nothing is known but that the policy does not name it."""
