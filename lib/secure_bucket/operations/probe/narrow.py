"""Get credentials that allow only the requests of a probe, for 15 minutes.

A signature does not reveal the secret key, but the session token of temporary credentials travels in clear.
Such credentials should not allow anything else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from msgspec.structs import replace

from secure_bucket.operations.aws.errors import LiveError, LiveTrouble, translate_errors
from secure_bucket.operations.aws.permissions import literal
from secure_bucket.operations.aws.session import Session, open_session

__all__ = ["PROBER", "narrowed_credentials", "own_credentials", "session_policy"]

_SECONDS: Final = 900
PROBER: Final = "secure-bucket-probe"
"""The name of the session."""

# https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
_MAX_POLICY: Final = 2048


def session_policy(bucket_arn: str, keys: Iterable[str]) -> dict[str, Any]:
    """Return the session policy of a probe, which allows to list one bucket and to get some objects."""
    objects = [f"{bucket_arn}/{literal(key)}" for key in keys]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket_arn},
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": objects},
        ],
    }


def own_credentials(session: Session) -> Any:
    """Return the current credentials of a session; `None` without credentials.

    Raises:
        LiveError: If the configured credentials are not available.
    """
    with translate_errors("sts:GetCallerIdentity"):
        credentials = session.boto.get_credentials()
        return None if credentials is None else credentials.get_frozen_credentials()


def narrowed_credentials(session: Session, region: str, bucket_arn: str, keys: Iterable[str]) -> Any:
    """Return temporary credentials that allow only the requests of a probe.

    `sts:GetFederationToken` narrows the credentials of a user. It does not narrow those of a role, so the
    role of the session is assumed again with a session policy.

    Args:
        session: The session.
        region: The region of the STS endpoint.
        bucket_arn: The bucket.
        keys: The requested objects.

    Raises:
        LiveError: If such credentials are not available.
    """
    from botocore.credentials import ReadOnlyCredentials

    policy = json.dumps(session_policy(bucket_arn, keys), separators=(",", ":"))
    if len(policy) > _MAX_POLICY:
        raise LiveError(
            f"the keys are too long for one session policy of at most {_MAX_POLICY:,} characters: "
            "probe with fewer at a time"
        )
    access = session.access
    if access.role_arn is not None:
        sts = open_session(replace(access, role_arn=None)).client("sts", region, brief=True)
        wanted = {"RoleArn": access.role_arn, "RoleSessionName": PROBER, "Policy": policy}
        if access.external_id is not None:
            wanted["ExternalId"] = access.external_id
        with translate_errors("sts:AssumeRole", f"`{access.role_arn}`"):
            new = sts.assume_role(DurationSeconds=_SECONDS, **wanted)["Credentials"]
    else:
        own = own_credentials(session)
        if own is None:
            raise LiveError(
                "there are no AWS credentials to sign with: give --profile NAME, or set AWS_PROFILE or "
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                LiveTrouble.CREDENTIALS,
            )
        if own.token:
            raise LiveError(
                "the credentials belong to a session, and AWS narrows only those of a user: give --role-arn "
                "with a role to assume, or sign with these credentials by --sign-http own",
                LiveTrouble.CREDENTIALS,
            )
        sts = session.client("sts", region, brief=True)
        with translate_errors("sts:GetFederationToken"):
            answer = sts.get_federation_token(Name=PROBER, Policy=policy, DurationSeconds=_SECONDS)
            new = answer["Credentials"]
    return ReadOnlyCredentials(new["AccessKeyId"], new["SecretAccessKey"], new["SessionToken"])
