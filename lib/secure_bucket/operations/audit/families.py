"""Advise how to change a client to HTTPS, by its user agent."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from importlib.resources import files
from typing import Final

import msgspec
from msgspec import Struct

from secure_bucket.operations.audit.audit import ClientGroup, Trouble

__all__ = ["FAMILIES", "FIND_OWNER", "Family", "advice", "changes", "family_of"]


class Family(Struct, frozen=True):
    """Clients that need the same change.

    Args:
        name: Their name.
        pattern: A regular expression that matches their user agents.
        cause: The reason why they use plain HTTP.
        before: The line or setting that causes it.
        after: The new line or setting.
        check: How to check the change.
        document: The address of the document behind this advice.
        tls: The first version with TLS 1.2, for clients with old TLS.
    """

    name: str
    pattern: str
    cause: str
    before: str
    after: str
    check: str
    document: str
    tls: str = ""


FIND_OWNER: Final = (
    "no known client: find its owner by the requester (the role or user, and the owner of its account), by "
    "the address (a NAT gateway, a VPC endpoint, a company) and by CloudTrail events with the same access "
    "key, and ask for the URL or the setting that begins with `http://`"
)
"""The advice for an unknown user agent."""

FAMILIES: Final = msgspec.json.decode(
    files("secure_bucket.operations.audit").joinpath("families.json").read_bytes(), type=tuple[Family, ...]
)
"""The families of clients, each with its change.

INVARIANT: the first match counts, so clients that name their SDK come before the SDK in the file.
The settings come from the named documents, read 2026-11; those of loaders of vendors and of devices are
inferred. The tests run the clients that are available to them.

Of the first versions with TLS 1.2, AWS documents Java 8
(https://amazonaws.cn/en/support/tls-1-2-become-minimum-tls-protocol-level-for-all-api-endpoint) and
OpenSSL 1.0.1 (https://docs.aws.amazon.com/sdk-for-net/v3/developer-guide/enforcing-tls.html), both read
2026-11. The other versions are inferred.
"""

NO_AGENT: Final = f"it sends no user agent, as s3cmd and `request` of undici do; {FIND_OWNER}"
"""The advice for a client without a user agent."""

_COMPILED: Final = tuple((re.compile(each.pattern), each) for each in FAMILIES)


def family_of(user_agent: str) -> Family | None:
    """Return the family of a client; `None` if no family is known.

    Args:
        user_agent: The user agent in the log. CloudTrail puts brackets around it.
    """
    text = user_agent.strip("[] ")
    return next((family for pattern, family in _COMPILED if pattern.search(text)), None)


def advice(user_agent: str, *, old_tls: bool = False) -> str:
    """Return the change of a client, as a sentence.

    Args:
        user_agent: The user agent in the log.
        old_tls: Whether the client used old TLS, and not plain HTTP (default: False).
    """
    family = family_of(user_agent)
    if family is None:
        return NO_AGENT if user_agent.strip("[] ") in ("", "-") else FIND_OWNER
    if old_tls:
        needed = family.tls or "a current version of the client and its TLS library"
        return f"{family.name}: needs {needed} or newer for TLS 1.2 ({family.document})"
    return (
        f"{family.name}: {family.cause}; change {_as_code(family.before)} to {_as_code(family.after)}; "
        f"done when {family.check} ({family.document})"
    )


def _as_code(text: str) -> str:
    """Put a line or a setting in backticks, except if it contains backticks."""
    return text if "`" in text else f"`{text}`"


def changes(groups: Iterable[ClientGroup]) -> dict[str, int]:
    """Return the changes of the clients that break, with the number of their requests, the busiest first.

    Args:
        groups: The groups of an audit; groups without a user agent are skipped.
    """
    found: Counter[str] = Counter()
    for group in groups:
        if group.trouble is Trouble.BREAKS and group.user_agent is not None:
            found[advice(group.user_agent, old_tls=group.transport.startswith("tls"))] += group.requests
    return dict(found.most_common())
