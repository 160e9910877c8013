"""Build AWS sessions from the options that the commands share."""

from __future__ import annotations

import argparse

from msgspec.structs import replace

from secure_bucket.errors import SecureBucketError
from secure_bucket.operations.aws.session import Access, open_session

__all__ = ["access_of", "partition_of"]


def access_of(arguments: argparse.Namespace, *, connections: int = 10) -> Access:
    """Return how to reach AWS.

    Args:
        arguments: The arguments, with those of `add_access`.
        connections: As for `Access`.

    Raises:
        SecureBucketError: If the arguments contradict each other.
    """
    if arguments.external_id is not None and arguments.role_arn is None:
        raise SecureBucketError("--external-id needs --role-arn")
    return Access(
        arguments.profile,
        arguments.region,
        arguments.role_arn,
        arguments.external_id,
        arguments.endpoint_url,
        arguments.ca_bundle,
        connections,
    )


def partition_of(access: Access) -> str:
    """Return the partition of the region, without a request to AWS; `aws` without a region.

    Raises:
        MissingDependencyError: If boto3 is not installed.
        LiveError: If the profile does not exist.
    """
    session = open_session(replace(access, role_arn=None))
    return session.partition_of(session.boto.region_name or "")
