"""Deny permanent deletion without multi-factor authentication."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import IConstruct

from secure_bucket.cdk.buckets.mfa_options import WHAT, Excepted, MfaOperation, MfaOptions
from secure_bucket.cdk.buckets.refuse import refuse
from secure_bucket.cdk.fix.lifetime import keep_policy
from secure_bucket.cdk.fix.policy_finder import PolicyFinder
from secure_bucket.cdk.fix.policy_writer import add_policy, add_statements, arn_for, hindrance
from secure_bucket.cdk.fix.survey import SeenBucket, Survey, path_of
from secure_bucket.cdk.versions import Mixin

__all__ = ["BucketMfa", "MfaOperation"]


class BucketMfa(Mixin):
    """Require multi-factor authentication (MFA) for requests that delete objects of a bucket.

        SecureBucket(self, "Ledger", mfa=True)
        s3.Bucket(self, "Existing").with_(BucketMfa(max_age=cdk.Duration.minutes(30)))

    It adds a `Deny` to the bucket policy, as in *MFA-protected API access* and the S3 examples of the IAM
    User Guide, and turns versioning on: then overwriting an object deletes nothing. A user who authenticates
    with MFA gets a session from `GetSessionToken` or the console. The deny refuses all others:

    - Long-lived access keys, which carry no MFA. (The operator also matches if the condition key is absent.)
    - Roles: "the temporary credentials returned by `AssumeRole` do not include MFA information". Ask for
      MFA in the trust policy of such a role, or in the identity provider, and name it in
      `except_principals`. Do the same for automation.

    `with_` skips an imported bucket silently, because the AWS CDK applies mixins only to resources of the
    app. Add the statements in the app that creates the bucket.

    Lifecycle rules still delete objects, because they send no request. This is not `MfaDelete`, a versioning
    setting that only the root user can change, with the code of a device, and that CloudFormation does not
    have.

    The deny is free. Old versions are billed as storage until a lifecycle rule deletes noncurrent versions.

    Args:
        operations: The operations that need MFA (default: deleting objects and their versions).
            `MfaOperation.UNPROTECT` and `MfaOperation.ALL` also cover calls of CloudFormation, and need
            `except_principals`.
        max_age: The maximum age of the authentication (default: the length of the session).
        except_principals: Users and roles that need no MFA: constructs, or ARN patterns such as
            `arn:aws:iam::111122223333:role/backup-*` (default: none).
        except_services: AWS services that need no MFA, such as `delivery.logs.amazonaws.com` (default: none).
    """

    def __init__(
        self,
        *,
        operations: Sequence[MfaOperation] = (MfaOperation.DELETE, MfaOperation.PERMANENT_DELETE),
        max_age: cdk.Duration | None = None,
        except_principals: Sequence[Excepted] = (),
        except_services: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self._options = MfaOptions(operations, max_age, except_principals, except_services)

    def supports(self, construct: IConstruct) -> bool:
        """Tell whether a construct is a bucket; the AWS CDK calls this."""
        return isinstance(construct, s3.CfnBucket)

    def apply_to(self, construct: IConstruct) -> None:
        """Add the deny to a bucket, and turn its versioning on; the AWS CDK calls this.

        Raises:
            ConstructError: The bucket, its policy or an option does not allow it; the message says why.
        """
        if not isinstance(construct, s3.CfnBucket):
            return
        path = path_of(construct)
        name = path.removesuffix("/Resource")
        owner = construct.node.scope
        deletes = (
            owner is not None and owner.node.try_find_child("AutoDeleteObjectsCustomResource") is not None
        )
        self.check(name, auto_delete_objects=deletes)
        _check_versioning(construct, name)
        bucket = SeenBucket(construct)
        policy = PolicyFinder(Survey(cdk.Stage.of(construct) or construct.node.root)).policy_of(bucket)
        if isinstance(policy, str):
            _refuse_policy(name, policy)
        if policy is None:
            add_policy(bucket, "MfaPolicy", self._options.statements(bucket.arn))
        else:
            statements = self._options.statements(arn_for(policy, bucket))
            if why := hindrance(policy, bucket, statements):
                _refuse_policy(name, f"its policy `{policy.path}` {why}")
            add_statements(policy, statements)
            keep_policy(policy.policy, bucket)
        if construct.versioning_configuration is None:
            enabled = s3.CfnBucket.VersioningConfigurationProperty(status="Enabled")
            construct.versioning_configuration = enabled

    def check(self, path: str, *, auto_delete_objects: bool = False) -> None:
        """Reject contradictory options before anything is created.

        Args:
            path: The path of the bucket.
            auto_delete_objects: Whether the AWS CDK deletes the objects of the bucket with its stack.

        Raises:
            ConstructError: An option or the bucket contradicts the purpose.
        """
        self._options.check(path)
        if auto_delete_objects:
            refuse(
                WHAT,
                path,
                "`auto_delete_objects=True` deletes every object without MFA when the stack goes, which is "
                "what this is there to prevent. Leave one of the two out",
            )

    @property
    def operations(self) -> tuple[MfaOperation, ...]:
        """The operations that need MFA."""
        return tuple(self._options.operations)


def _refuse_policy(name: str, why: str) -> NoReturn:
    refuse(
        WHAT, name, f"{why}; the deny was not added. Make it one policy of which the statements are a list"
    )


def _check_versioning(bucket: s3.CfnBucket, name: str) -> None:
    given: object = bucket.versioning_configuration
    status = given.get("status") if isinstance(given, dict) else getattr(given, "status", None)
    if given is not None and status != "Enabled":
        refuse(
            WHAT,
            name,
            f"its versioning is {repr(status) if status else 'not known yet'}, so that overwriting an object "
            "deletes it without MFA. Enable it, or leave it out",
        )
