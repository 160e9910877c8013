"""Find the accounts to review, and open a session in each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from secure_bucket.operations.aws.errors import LiveError, translate_errors
from secure_bucket.operations.aws.session import Access, Session, open_session

__all__ = ["Entrance", "Scope", "find_entrances", "list_members"]

_ACCOUNT = re.compile(r"\d{12}")
# No session can be opened in these states. An account that is pending closure is still open.
_CLOSED = frozenset(("CLOSED", "PENDING_ACTIVATION", "SUSPENDED"))
_ROLE_NAME = re.compile(r"[\w+=,.@/-]{1,576}")


class Scope(Struct, frozen=True):
    """The accounts to review.

    Args:
        access: How to reach AWS, and the first identity.
        profiles: Profiles of the AWS configuration, one for each account (default: that of `access`).
        role_arns: Roles to assume, one for each account.
        role_name: The name of the role to assume in each of `accounts`, or in each account of the
            organization.
        accounts: Accounts by their 12 digits; an aggregator reads only these.
        organization: Whether to review every account of the organization.
        skip_accounts: Accounts to skip.
        external_id: The external id that the roles require.
    """

    access: Access
    profiles: tuple[str, ...] = ()
    role_arns: tuple[str, ...] = ()
    role_name: str | None = None
    accounts: tuple[str, ...] = ()
    organization: bool = False
    skip_accounts: tuple[str, ...] = ()
    external_id: str | None = None

    def check(self) -> None:
        """Refuse an invalid scope before the first request to AWS.

        Raises:
            LiveError: If the scope contradicts itself.
        """
        for account in (*self.accounts, *self.skip_accounts):
            if _ACCOUNT.fullmatch(account) is None:
                raise LiveError(f"`{account}` is not an account, which has 12 digits")
        if self.role_name is not None and _ROLE_NAME.fullmatch(self.role_name) is None:
            raise LiveError(f"`{self.role_name}` is not the name of a role")
        assumes = bool(self.role_arns) or self.role_name is not None
        if assumes and len(self.profiles) > 1:
            raise LiveError("roles are assumed as one profile: give --profile once")
        if self.role_name is not None and not (self.accounts or self.organization):
            raise LiveError("--role-name needs the accounts: give --account ID, or --organization")
        if self.external_id is not None and not assumes:
            raise LiveError("--external-id is for a role: give --role-arn or --role-name")


class Entrance(Struct, frozen=True):
    """A way to open a session in one account.

    Args:
        name: The name for messages.
        open: Opens the session.
    """

    name: str
    open: Callable[[], Session]


def find_entrances(scope: Scope) -> tuple[tuple[Entrance, ...], tuple[tuple[str, str], ...]]:
    """Return an entrance for each account, and the skipped accounts, each with the reason.

    Raises:
        LiveError: If the scope contradicts itself, or the accounts of the organization cannot be listed.
    """
    scope.check()
    if not (scope.role_arns or scope.role_name):
        profiles = scope.profiles or (None,)
        return tuple(_by_profile(scope.access, profile) for profile in profiles), ()
    access = replace(scope.access, profile=scope.profiles[0] if scope.profiles else scope.access.profile)
    base = open_session(access)
    found = [Entrance(f"role `{arn}`", _assume(base, arn, scope.external_id)) for arn in scope.role_arns]
    accounts, skipped = scope.accounts, []
    if scope.organization:
        active = []
        for account, why_closed in list_members(base):
            if why_closed:
                skipped.append((f"account {account}", why_closed))
            else:
                active.append(account)
        accounts = (*accounts, *active)
    for account in dict.fromkeys(accounts) if scope.role_name else ():
        if account in scope.skip_accounts:
            skipped.append((f"account {account}", "it is left out by --skip-account"))
        elif account == base.identity().account:
            # The caller needs no role in its own account, and the management account has no such role.
            found.append(Entrance(f"account {account}", lambda: base))
        else:
            arn = f"arn:{base.identity().partition}:iam::{account}:role/{scope.role_name}"
            found.append(Entrance(f"account {account}", _assume(base, arn, scope.external_id)))
    return tuple(found), tuple(skipped)


def list_members(session: Session) -> Iterator[tuple[str, str]]:
    """Yield every account of the organization, and why no session can be opened in it; `""` if one can.

    Raises:
        LiveError: If the accounts cannot be listed. Only the management account and delegated administrators
            have the permission.
    """
    with translate_errors("organizations:ListAccounts", "the organization"):
        for page in session.client("organizations", brief=True).get_paginator("list_accounts").paginate():
            for account in page["Accounts"]:
                # `Status` was the name of `State` before September 2025.
                state = str(account.get("State") or account.get("Status") or "")
                why_closed = f"it is {state.lower().replace('_', ' ')}" if state in _CLOSED else ""
                yield str(account["Id"]), why_closed


def _by_profile(access: Access, profile: str | None) -> Entrance:
    if profile is None:
        return Entrance("the account", lambda: open_session(access))
    return Entrance(f"profile `{profile}`", lambda: open_session(replace(access, profile=profile)))


def _assume(base: Session, arn: str, external_id: str | None) -> Callable[[], Session]:
    return lambda: base.assume(arn, external_id)
