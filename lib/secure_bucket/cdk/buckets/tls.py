"""Which TLS version a construct may ask for."""

from __future__ import annotations

import math

import aws_cdk as cdk

from secure_bucket.cdk.buckets.refuse import refuse, shown
from secure_bucket.policy.statements import MINIMUM_TLS_VERSION

__all__ = ["check_tls_version"]

_NEWEST_TLS_VERSION = 1.3


def check_tls_version(what: str, path: str, version: object) -> float:
    """Return the lowest TLS version that somebody asked for, or refuse it.

    Args:
        what: What the construct is: "secure bucket".
        path: Where it would stand.
        version: The value of `minimum_tls_version`.

    Raises:
        ConstructError: AWS serves no such version, or nobody speaks it.
    """
    if isinstance(version, (int, float)) and not isinstance(version, bool):
        if MINIMUM_TLS_VERSION <= version <= _NEWEST_TLS_VERSION:
            return version
        if version > _NEWEST_TLS_VERSION:
            refuse(
                what,
                path,
                f"`minimum_tls_version={version!r}` would lock everyone out: TLS {_NEWEST_TLS_VERSION} is "
                f"the newest there is. Use {MINIMUM_TLS_VERSION} (the default) or {_NEWEST_TLS_VERSION}",
            )
        # A token (`Lazy.number`, a parameter) is encoded as a huge negative number. Asked last, because
        # the question is a jsii call, and never about a NaN, of which the jsii kernel dies.
        if math.isfinite(version) and cdk.Token.is_unresolved(version):
            return version
    refuse(
        what,
        path,
        f"`minimum_tls_version={shown(version)}` is below {MINIMUM_TLS_VERSION}, the oldest that AWS "
        f"serves, or no number. Use {MINIMUM_TLS_VERSION} (the default) or {_NEWEST_TLS_VERSION}",
    )
