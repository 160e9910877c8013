"""Tell which principals an entry of `Principal` or `NotPrincipal` names.

Follows the IAM User Guide, *AWS JSON policy elements: Principal*.
"""

from __future__ import annotations

import enum
import re
from typing import Final

from secure_bucket.policy.request import ANONYMOUS

__all__ = ["Kind", "names"]


class Kind(enum.Enum):
    """The kinds of principals, the simplest to understand first."""

    ANONYMOUS = "anonymous"
    USER = "user"
    ROLE = "role"
    ROOT = "root"
    FEDERATED = "federated user"
    SERVICE = "service"


# An IAM or STS principal: arn:aws:iam::111122223333:user/alice.
_ARN: Final = re.compile(r"arn:([^:]*):(iam|sts)::([0-9]{12}):(.+)", re.DOTALL)


def names(kind: str, value: str, principal: str, role: str | None = None, *, strict: bool = False) -> bool:
    """Tell whether an entry names the principal of a request.

    Args:
        kind: `AWS`, `Service`, `Federated`, `CanonicalUser`; `*` for the bare `"*"`.
        value: What stands under it.
        principal: `"anonymous"`, an ARN, or the name of a service.
        role: The ARN of the role of a session, which alone tells the path of the role; `None` when the
            request does not tell it, so that an entry with any path names the session.
        strict: Whether `{"AWS": "*"}` leaves service principals out.
    """
    if kind == "*":
        return value == "*"
    if kind == "AWS":
        return _names_in_aws(value, principal, role, strict)
    if kind == "Service":
        return value == principal != ANONYMOUS and not principal.startswith("arn:")
    # A request says neither which canonical user nor which identity provider it comes from.
    return False


def _names_in_aws(value: str, principal: str, role: str | None, strict: bool) -> bool:
    if value == "*":
        # AWS calls `"*"` and `{"AWS": "*"}` equivalent, and does not document whether the second covers
        # service principals. CDK's enforce_ssl writes it, so it does, except in strict mode.
        return not strict or principal == ANONYMOUS or principal.startswith("arn:")
    who = _ARN.fullmatch(principal)
    if who is None:
        return False
    partition, service, account, name = who.groups()
    if value in (account, f"arn:{partition}:iam::{account}:root"):
        # An account id and the ARN of its root "behave the same way": both are everyone in the account.
        return True
    if service == "sts" and name.startswith("assumed-role/"):
        # The ARN of a role covers its sessions, whose own ARN leaves out the path of the role.
        named = _ARN.fullmatch(value)
        if named and named.groups()[:3] == (partition, "iam", account) and named[4].startswith("role/"):
            return value == role if role else named[4].rpartition("/")[2] == name.split("/")[1]
    # "You cannot use a wildcard to match part of a principal name or ARN."
    return value == principal
