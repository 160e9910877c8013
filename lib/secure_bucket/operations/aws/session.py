"""Open AWS sessions: which identity asks, where, and how patiently."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct, field

from secure_bucket.errors import MissingDependencyError
from secure_bucket.operations.aws.errors import LiveError, LiveTrouble, translated

__all__ = ["Access", "Identity", "Session", "endpoint_named", "open_session"]

_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,576}")
_SESSION_NAME = "secure-bucket"
_CONNECT_TIMEOUT = 10
_READ_TIMEOUT = 60
# Asking ten times again, with the waits of botocore between, outlasts a minute of throttling. Whether
# anybody is there at all is found out with fewer.
_PATIENT = 10
_BRIEF = 3


class Access(Struct, frozen=True):
    """How to reach AWS; what is not set is taken from the environment and the profile, as the AWS CLI does.

    Args:
        profile: The profile of the AWS configuration.
        region: The region to start in.
        role_arn: A role to assume (default: none).
        external_id: The external id that the role asks for.
        endpoint_url: Another endpoint than that of AWS, for every service that is asked.
        ca_bundle: A file with the certificates to trust instead of the usual ones.
        connections: How many connections are held to each endpoint: as many as threads use them.
    """

    profile: str | None = None
    region: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    endpoint_url: str | None = None
    ca_bundle: str | None = None
    connections: int = 10


class Identity(Struct, frozen=True):
    """Who the credentials belong to.

    Args:
        account: The account, in 12 digits.
        arn: The user or the session of a role.
    """

    account: str
    arn: str

    @property
    def partition(self) -> str:
        """The partition: `aws`, `aws-cn`, `aws-us-gov`, …"""
        return self.arn.split(":")[1]


class Session(Struct):
    """An open session: makes clients, and may be shared by threads.

    Args:
        access: How AWS is reached.
        boto: The `boto3.Session`.
        models: The loader of the service models, which sessions of roles share: it takes a tenth of a second
            to read them.
    """

    access: Access
    boto: Any
    models: Any = None
    _clients: dict[tuple[object, ...], Any] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _identity: Identity | None = None

    @property
    def region(self) -> str:
        """The region to start in.

        Raises:
            LiveError: If there is no region.
        """
        region: str | None = self.boto.region_name
        if not region:
            raise LiveError(
                "there is no AWS region: give --region NAME, or set AWS_REGION, or `region` in the profile",
                LiveTrouble.REGION,
            )
        return region

    def partition_of(self, region: str) -> str:
        """Return the partition of a region; `aws` for one that AWS does not have, as other storage may."""
        from botocore.exceptions import UnknownRegionError

        try:
            return str(self.boto.get_partition_for_region(region))
        except UnknownRegionError:
            return "aws"

    def client(self, service: str, region: str | None = None, *, brief: bool = False, **config: Any) -> Any:
        """Return a client, the same one for the same arguments.

        Args:
            service: The service, as `s3`.
            region: The region (default: that of the session).
            brief: Whether to give up soon when nobody answers or everybody is throttled.
            config: Further settings, as `botocore.config.Config` takes them.

        Raises:
            LiveError: If there is no region, no such region, or no credentials to be had.
        """
        import botocore.config

        where = region or self.region
        key = (service, where, brief, repr(sorted(config.items())))
        # Sessions of boto3 make one client at a time; clients may be shared.
        with self._lock:
            if key not in self._clients:
                settings: dict[str, Any] = {
                    "connect_timeout": _CONNECT_TIMEOUT,
                    "read_timeout": _READ_TIMEOUT,
                    "retries": {"mode": "standard", "max_attempts": _BRIEF if brief else _PATIENT},
                    "max_pool_connections": self.access.connections,
                    "user_agent_extra": "secure-bucket",
                }
                with _invalid(self.access), translated(f"{service}:*", f"region `{where}`"):
                    self._clients[key] = self.boto.client(
                        service,
                        region_name=where,
                        endpoint_url=self.access.endpoint_url,
                        verify=self.access.ca_bundle,
                        config=botocore.config.Config(**(settings | config)),
                    )
            return self._clients[key]

    def identity(self) -> Identity:
        """Return who the credentials belong to; AWS tells that to everybody and needs no permission for it.

        Raises:
            LiveError: If there are no credentials, or they are not accepted.
        """
        with self._lock:
            if self._identity is None:
                client = self.client("sts", brief=True)
                with translated("sts:GetCallerIdentity"):
                    answer = client.get_caller_identity()
                self._identity = Identity(str(answer["Account"]), str(answer["Arn"]))
            return self._identity

    def assume(self, role_arn: str, external_id: str | None = None) -> Session:
        """Return a session of a role, whose credentials are renewed before they expire.

        Args:
            role_arn: The role.
            external_id: The external id that the role asks for (default: none).

        Raises:
            LiveError: If the role cannot be assumed, or the ARN is not that of a role.
        """
        if not _ROLE_ARN.fullmatch(role_arn):
            raise LiveError(
                f"`{role_arn}` is not the ARN of a role, as `arn:aws:iam::111122223333:role/Audit`"
            )
        import boto3
        import botocore.session
        from botocore.credentials import CredentialProvider, CredentialResolver, RefreshableCredentials

        sts = self.client("sts", brief=True)
        wanted = {"RoleArn": role_arn, "RoleSessionName": _SESSION_NAME}
        if external_id is not None:
            wanted["ExternalId"] = external_id

        def renew() -> dict[str, str]:
            with translated("sts:AssumeRole", f"`{role_arn}`"):
                new = sts.assume_role(**wanted)["Credentials"]
            return {
                "access_key": new["AccessKeyId"],
                "secret_key": new["SecretAccessKey"],
                "token": new["SessionToken"],
                "expiry_time": new["Expiration"].isoformat(),
            }

        first = renew()

        class Assumed(CredentialProvider):  # type: ignore[misc,unused-ignore]  # without stubs it is Any
            METHOD = "sts-assume-role"

            def load(self) -> Any:
                return RefreshableCredentials.create_from_metadata(first, renew, self.METHOD)

        core = botocore.session.Session()
        core.register_component("credential_provider", CredentialResolver([Assumed()]))
        if self.models is not None:
            core.register_component("data_loader", self.models)
        boto = boto3.Session(botocore_session=core, region_name=self.region)
        return Session(self.access, boto, self.models)


def open_session(access: Access | None = None) -> Session:
    """Open a session.

    Args:
        access: How to reach AWS (default: as the environment says).

    Raises:
        MissingDependencyError: If boto3 is not installed.
        LiveError: If there is no such profile, the role cannot be assumed, or the endpoint or the file of
            certificates is wrong.
    """
    access = access or Access()
    try:
        import boto3
        import botocore.session
    except ImportError:
        raise MissingDependencyError.without_extra("asking AWS needs boto3", "aws") from None
    if access.endpoint_url is not None:
        endpoint_named(access.endpoint_url, "--endpoint-url", ("https", "http"))
    if access.ca_bundle is not None and not os.path.exists(access.ca_bundle):
        raise LiveError(f"`{access.ca_bundle}`, given as --ca-bundle, is not there", LiveTrouble.TLS)
    with translated("sts:GetCallerIdentity"):
        # The AWS CLI and the other SDKs go by AWS_REGION; boto3 by itself knows AWS_DEFAULT_REGION only.
        region = access.region or os.environ.get("AWS_REGION")
        core = botocore.session.Session()
        boto = boto3.Session(profile_name=access.profile, region_name=region, botocore_session=core)
        session = Session(access, boto, core.get_component("data_loader"))
    if access.role_arn is None:
        return session
    return session.assume(access.role_arn, access.external_id)


def endpoint_named(url: str, option: str, schemes: Sequence[str]) -> SplitResult:
    """Return the parts of the address of an endpoint.

    Args:
        url: The address.
        option: The option that it was given as.
        schemes: What it may begin with.

    Raises:
        LiveError: If it is not an address, or holds a password.
    """
    try:
        parts = urlsplit(url)
        whole = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if "@" in url:
        text = f"the address given as {option} has an `@`: no user or password belongs there"
        raise LiveError(f"{text}, where messages would tell it", LiveTrouble.UNREACHABLE)
    if not whole:
        begin = " or ".join(f"`{scheme}://`" for scheme in schemes)
        text = f"`{url}`, given as {option}, is not {begin} with a host, and at most a port, behind it"
        raise LiveError(text, LiveTrouble.UNREACHABLE)
    return parts


@contextlib.contextmanager
def _invalid(access: Access) -> Iterator[None]:
    """Raise what boto3 says of a wrong endpoint as a `LiveError`."""
    try:
        yield
    except ValueError as error:
        named = f"`{access.endpoint_url}`, given as --endpoint-url: " if access.endpoint_url else ""
        raise LiveError(f"{named}{error}", LiveTrouble.UNREACHABLE) from None
