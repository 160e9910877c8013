"""Find the accounts that a review enters, and the ways into them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from secure_bucket.operations.aws.errors import LiveError, translated
from secure_bucket.operations.aws.session import Access, Session, open_session

__all__ = ["Entrance", "Scope", "entrances", "members"]

_ACCOUNT = re.compile(r"\d{12}")
# In these states nobody gets in. What is pending closure is still open, and is tried.
_SHUT = frozenset(("CLOSED", "PENDING_ACTIVATION", "SUSPENDED"))
_ROLE_NAME = re.compile(r"[\w+=,.@/-]{1,576}")


class Scope(Struct, frozen=True):
    """The accounts to review.

    Args:
        access: Where AWS is reached, and the identity to begin with.
        profiles: Profiles of the AWS configuration, one for each account (default: that of `access`).
        role_arns: Roles to assume, one for each account.
        role_name: A role of this name in each of `accounts`, or of the accounts of the organization.
        accounts: Accounts by their 12 digits; with an aggregator only these.
        organization: Whether to take every account of the organization.
        skip_accounts: Accounts to leave out.
        external_id: The external id that the roles ask for.
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
        """Raise what is wrong with it before anything is asked.

        Raises:
            LiveError: If the parts contradict each other.
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
    """A way into one account.

    Args:
        name: What it is called in messages.
        open: Opens the session.
    """

    name: str
    open: Callable[[], Session]


def entrances(scope: Scope) -> tuple[tuple[Entrance, ...], tuple[tuple[str, str], ...]]:
    """Return the ways into the accounts, and the accounts that are skipped, each with why.

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
        for account, shut in members(base):
            if shut:
                skipped.append((f"account {account}", shut))
            else:
                active.append(account)
        accounts = (*accounts, *active)
    for account in dict.fromkeys(accounts) if scope.role_name else ():
        if account in scope.skip_accounts:
            skipped.append((f"account {account}", "it is left out by --skip-account"))
        elif account == base.identity().account:
            # Nobody needs a role in their own account, and the management account has none for it.
            found.append(Entrance(f"account {account}", lambda: base))
        else:
            arn = f"arn:{base.identity().partition}:iam::{account}:role/{scope.role_name}"
            found.append(Entrance(f"account {account}", _assume(base, arn, scope.external_id)))
    return tuple(found), tuple(skipped)


def members(session: Session) -> Iterator[tuple[str, str]]:
    """Return every account of the organization, and why it cannot be entered; `""` when it can.

    Raises:
        LiveError: If they cannot be listed: only the management account and delegated administrators may.
    """
    with translated("organizations:ListAccounts", "the organization"):
        for page in session.client("organizations", brief=True).get_paginator("list_accounts").paginate():
            for account in page["Accounts"]:
                # `Status` is what `State` was called before September 2025.
                state = str(account.get("State") or account.get("Status") or "")
                shut = f"it is {state.lower().replace('_', ' ')}" if state in _SHUT else ""
                yield str(account["Id"]), shut


def _by_profile(access: Access, profile: str | None) -> Entrance:
    if profile is None:
        return Entrance("the account", lambda: open_session(access))
    return Entrance(f"profile `{profile}`", lambda: open_session(replace(access, profile=profile)))


def _assume(base: Session, arn: str, external_id: str | None) -> Callable[[], Session]:
    return lambda: base.assume(arn, external_id)
