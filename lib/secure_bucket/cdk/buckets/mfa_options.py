"""Check the options of `BucketMfa`, and write them as statements."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from msgspec import Struct

from secure_bucket.cdk.buckets.refuse import refuse, shown
from secure_bucket.policy.statements import deny_old_mfa, deny_without_mfa

__all__ = ["WHAT", "MfaOperation", "MfaOptions"]

WHAT = "MFA for bucket"

# The longest session of `GetSessionToken`, even if the caller asks for more.
_LONGEST_SESSION = 129_600


class MfaOperation(enum.Enum):
    """Groups of S3 actions that can need multi-factor authentication."""

    DELETE = ("s3:DeleteObject",)
    """Delete an object. In a versioned bucket its versions stay, behind a delete marker."""
    PERMANENT_DELETE = ("s3:DeleteObjectVersion",)
    """Delete a version of an object, after which nothing brings it back."""
    UNPROTECT = (
        "s3:DeleteBucket",
        "s3:DeleteBucketPolicy",
        "s3:PutBucketPolicy",
        "s3:PutBucketVersioning",
        "s3:PutLifecycleConfiguration",
    )
    """Take the protection away: the policy, the versions, or a lifecycle rule that lets everything expire."""
    ALL = ("s3:*",)
    """Everything that S3 can do with the bucket and its objects, reading included."""


# Actions that CloudFormation calls itself, with the role that deploys the stack.
_LOCKS_OUT = (MfaOperation.UNPROTECT, MfaOperation.ALL)


@runtime_checkable
class _HasRoleArn(Protocol):
    @property
    def role_arn(self) -> str: ...


@runtime_checkable
class _HasUserArn(Protocol):
    @property
    def user_arn(self) -> str: ...


Excepted: TypeAlias = "str | iam.IRole | iam.IUser"


class MfaOptions(Struct, frozen=True):
    """The options of a `BucketMfa`, which documents them."""

    operations: Sequence[MfaOperation]
    max_age: cdk.Duration | None
    except_principals: Sequence[Excepted]
    except_services: Sequence[str]

    def check(self, path: str) -> None:
        """Reject contradictory options.

        Args:
            path: The path of the bucket.

        Raises:
            ConstructError: An option contradicts the purpose.
        """
        for why in self._faults():
            refuse(WHAT, path, why)

    def statements(self, bucket_arn: object) -> list[dict[str, Any]]:
        """Write the statements for a bucket, as plain data."""
        actions = list(dict.fromkeys(action for one in self.operations for action in one.value))
        exceptions: dict[str, Any] = {
            "except_principals": [_arn_of(principal) for principal in self.except_principals],
            "except_services": self.except_services,
        }
        found = [deny_without_mfa(bucket_arn, actions, **exceptions)]
        if self.max_age is not None:
            found.append(deny_old_mfa(bucket_arn, actions, int(self.max_age.to_seconds()), **exceptions))
        return found

    def _faults(self) -> Iterator[str]:
        operations: object = self.operations
        if not isinstance(operations, Sequence) or not all(
            isinstance(one, MfaOperation) for one in operations
        ):
            names = ", ".join(f"`MfaOperation.{one.name}`" for one in MfaOperation)
            yield f"`operations={shown(operations)}` is not a list of operations. Choose among {names}"
        if not self.operations:
            yield "`operations=[]` requires MFA for nothing. Leave `mfa` out, or name operations"
        if self.max_age is not None:
            yield from _faults_of_age(self.max_age)
        yield from _faults_of_list("except_principals", self.except_principals)
        for principal in self.except_principals:
            yield from _faults_of_principal(principal)
        locking = [one.name for one in self.operations if one in _LOCKS_OUT]
        if locking and not self.except_principals:
            yield (
                f"`operations` holds `MfaOperation.{locking[0]}` without `except_principals`, so that "
                "CloudFormation could not change this bucket any more. Name the role that deploys the stack, "
                "as `arn:aws:iam::111122223333:role/cdk-*-cfn-exec-role-*`"
            )
        yield from _faults_of_list("except_services", self.except_services)
        for service in self.except_services:
            if not _is_service(service):
                yield (
                    f"`except_services` holds `{_text(service)}`, which names no AWS service. "
                    "Write it as `delivery.logs.amazonaws.com`"
                )


def _faults_of_list(name: str, value: object) -> Iterator[str]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        yield f"`{name}={shown(value)}` is not a list. Put it into one"


def _faults_of_age(max_age: object) -> Iterator[str]:
    if not isinstance(max_age, cdk.Duration):
        yield f"`max_age={shown(max_age)}` is no `cdk.Duration`. Write `cdk.Duration.minutes(30)`"
    elif max_age.is_unresolved():
        yield "`max_age` is only known at deployment. Write it down as a number"
    else:
        seconds = max_age.to_milliseconds() / 1000
        if not (seconds.is_integer() and 1 <= seconds <= _LONGEST_SESSION):
            yield (
                f"`max_age` is {seconds:g} seconds. Use whole seconds up to {_LONGEST_SESSION:,}, "
                "the 36 hours that a session with MFA lasts at most"
            )


def _faults_of_principal(principal: object) -> Iterator[str]:
    if isinstance(principal, (_HasRoleArn, _HasUserArn)):
        return
    why = ""
    if not isinstance(principal, str):
        why = "is neither a role, a user nor a text"
    elif not cdk.Token.is_unresolved(principal):
        parts = principal.split(":", 5)
        if len(parts) < 6 or parts[0] != "arn":
            why = "is not an ARN"
        elif parts[2] == "sts":
            # In a session, `aws:PrincipalArn` is the ARN of the role.
            why = "is the ARN of a session, which never matches; name its role"
        elif not parts[5].strip("*?"):
            why = "is everybody"
    if why:
        yield (
            f"`except_principals` holds `{_text(principal)}`, which {why}. "
            "Write a role, a user, or a pattern as `arn:aws:iam::111122223333:role/backup-*`"
        )


def _is_service(name: object) -> bool:
    # Values are compared literally: a wildcard would except nobody.
    return isinstance(name, str) and re.fullmatch(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?", name) is not None


def _text(value: object) -> str:
    return value if isinstance(value, str) else shown(value)


def _arn_of(principal: Excepted) -> str:
    if isinstance(principal, _HasRoleArn):
        return principal.role_arn
    return principal.user_arn if isinstance(principal, _HasUserArn) else principal
