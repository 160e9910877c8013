"""Check the minimum TLS version of a construct."""

from __future__ import annotations

import math

import aws_cdk as cdk

from secure_bucket.cdk.buckets.refuse import refuse, shown
from secure_bucket.policy.statements import MINIMUM_TLS_VERSION

__all__ = ["check_tls_version"]

_NEWEST_TLS_VERSION = 1.3


def check_tls_version(what: str, path: str, version: object) -> float:
    """Return a valid minimum TLS version, or reject it.

    Args:
        what: What the construct is: "secure bucket".
        path: The path of the construct.
        version: The value of `minimum_tls_version`.

    Raises:
        ConstructError: AWS does not support this version.
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
        # A token (`Lazy.number`, a parameter) is encoded as a huge negative number. Check for it last,
        # because the check is a jsii call, and never pass a NaN, which kills the jsii kernel.
        if math.isfinite(version) and cdk.Token.is_unresolved(version):
            return version
    refuse(
        what,
        path,
        f"`minimum_tls_version={shown(version)}` is below {MINIMUM_TLS_VERSION}, the oldest that AWS "
        f"serves, or no number. Use {MINIMUM_TLS_VERSION} (the default) or {_NEWEST_TLS_VERSION}",
    )
