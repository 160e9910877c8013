"""Write the IAM policy with the permissions that a probe needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from secure_bucket.operations.aws.permissions import Allow, allow, literal, policy_of
from secure_bucket.operations.probe.narrow import PROBER
from secure_bucket.operations.probe.outcome import Signer
from secure_bucket.operations.probe.probed_bucket import ABSENT_PREFIX

__all__ = ["permissions_of"]


def permissions_of(
    buckets: Sequence[str],
    *,
    partition: str = "aws",
    keys: Sequence[str] = (),
    sign_http: Signer = Signer.ANONYMOUS,
    signed_tls: bool = False,
    policy_check: bool = False,
    role_arn: str | None = None,
) -> dict[str, Any]:
    """Return the smallest IAM policy for a probe with these options.

    Args:
        buckets: The names of the buckets.
        partition: Their partition (default: `aws`).
        keys: As for `probe_bucket`.
        sign_http: As for `probe_bucket`.
        signed_tls: Whether the probe tries a TLS version, with signed requests.
        policy_check: As for `probe_bucket`.
        role_arn: The role to assume (default: no role).

    Returns:
        The policy. If the probe assumes a role, the policy of the caller as `Caller`, and the policy of the
        role as `Role`.
    """
    arns = [f"arn:{partition}:s3:::{bucket}" for bucket in buckets]
    statements: list[Allow] = []
    if signed_tls or sign_http is not Signer.ANONYMOUS:
        names = [literal(key) for key in keys] or [f"{ABSENT_PREFIX}*"]
        objects = [f"{arn}/{name}" for arn in arns for name in names]
        statements.append(allow("ListBuckets", "s3:ListBucket", arns))
        statements.append(allow("GetWhatIsAskedFor", "s3:GetObject", objects))
    if policy_check:
        statements.append(allow("ReadThePolicies", "s3:GetBucketPolicy", arns))
    if role_arn is not None:
        caller = [allow("BecomeTheRole", "sts:AssumeRole", [role_arn])]
        return {"Caller": policy_of(caller), "Role": policy_of(statements)}
    if sign_http is Signer.NARROWED:
        # IAM User Guide, *Granting permissions to create temporary security credentials*.
        user = f"arn:{partition}:sts::*:federated-user/{PROBER}"
        statements.append(allow("NarrowTheCredentials", "sts:GetFederationToken", [user]))
    return policy_of(statements)
