"""Open AWS sessions and make their clients."""

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
from secure_bucket.operations.aws.errors import LiveError, LiveTrouble, translate_errors

__all__ = ["Access", "Identity", "Session", "open_session", "parse_endpoint"]

_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,576}")
_SESSION_NAME = "secure-bucket"
_CONNECT_TIMEOUT = 10
_READ_TIMEOUT = 60
# Ten attempts, with the pauses of botocore, outlast a minute of throttling. Fewer attempts suffice to find
# out whether an endpoint answers.
_PATIENT = 10
_BRIEF = 3


class Access(Struct, frozen=True):
    """How to reach AWS. The environment and the profile provide the defaults, like in the AWS CLI.

    Args:
        profile: The profile of the AWS configuration.
        region: The region to start in.
        role_arn: The role to assume (default: no role).
        external_id: The external id that the role requires.
        endpoint_url: The endpoint for every service (default: the endpoints of AWS).
        ca_bundle: The file with the CA certificates to trust (default: those of the AWS SDK).
        connections: The number of connections to each endpoint: one for each thread.
    """

    profile: str | None = None
    region: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    endpoint_url: str | None = None
    ca_bundle: str | None = None
    connections: int = 10


class Identity(Struct, frozen=True):
    """The owner of the credentials.

    Args:
        account: The account, in 12 digits.
        arn: The ARN of the user or of the role session.
    """

    account: str
    arn: str

    @property
    def partition(self) -> str:
        """The partition: `aws`, `aws-cn`, `aws-us-gov`, …"""
        return self.arn.split(":")[1]


class Session(Struct):
    """An open session, which makes clients. Threads may share it.

    Args:
        access: How to reach AWS.
        boto: The `boto3.Session`.
        models: The loader of the service models. Sessions of roles share it, because loading takes a tenth
            of a second.
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
        """Return the partition of a region; `aws` for regions of other storage."""
        from botocore.exceptions import UnknownRegionError

        try:
            return str(self.boto.get_partition_for_region(region))
        except UnknownRegionError:
            return "aws"

    def client(self, service: str, region: str | None = None, *, brief: bool = False, **config: Any) -> Any:
        """Return a client; the same arguments give the same client.

        Args:
            service: The service, such as `s3`.
            region: The region (default: that of the session).
            brief: Whether to retry only a few times.
            config: Further settings of `botocore.config.Config`.

        Raises:
            LiveError: If the region is missing or unknown, or the credentials are not available.
        """
        import botocore.config

        where = region or self.region
        key = (service, where, brief, repr(sorted(config.items())))
        # A boto3 session may make only one client at a time; threads may share clients.
        with self._lock:
            if key not in self._clients:
                settings: dict[str, Any] = {
                    "connect_timeout": _CONNECT_TIMEOUT,
                    "read_timeout": _READ_TIMEOUT,
                    "retries": {"mode": "standard", "max_attempts": _BRIEF if brief else _PATIENT},
                    "max_pool_connections": self.access.connections,
                    "user_agent_extra": "secure-bucket",
                }
                with _invalid(self.access), translate_errors(f"{service}:*", f"region `{where}`"):
                    self._clients[key] = self.boto.client(
                        service,
                        region_name=where,
                        endpoint_url=self.access.endpoint_url,
                        verify=self.access.ca_bundle,
                        config=botocore.config.Config(**(settings | config)),
                    )
            return self._clients[key]

    def identity(self) -> Identity:
        """Return the owner of the credentials, which needs no permission.

        Raises:
            LiveError: If the credentials are missing or not accepted.
        """
        with self._lock:
            if self._identity is None:
                client = self.client("sts", brief=True)
                with translate_errors("sts:GetCallerIdentity"):
                    answer = client.get_caller_identity()
                self._identity = Identity(str(answer["Account"]), str(answer["Arn"]))
            return self._identity

    def assume(self, role_arn: str, external_id: str | None = None) -> Session:
        """Return a session of a role, which renews its credentials before they expire.

        Args:
            role_arn: The role.
            external_id: The external id that the role requires (default: no external id).

        Raises:
            LiveError: If the role cannot be assumed, or the ARN is not the ARN of a role.
        """
        if not _ROLE_ARN.fullmatch(role_arn):
            raise LiveError(
                f"`{role_arn}` is not the ARN of a role, such as `arn:aws:iam::111122223333:role/Audit`"
            )
        import boto3
        import botocore.session
        from botocore.credentials import CredentialProvider, CredentialResolver, RefreshableCredentials

        sts = self.client("sts", brief=True)
        wanted = {"RoleArn": role_arn, "RoleSessionName": _SESSION_NAME}
        if external_id is not None:
            wanted["ExternalId"] = external_id

        def renew() -> dict[str, str]:
            with translate_errors("sts:AssumeRole", f"`{role_arn}`"):
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
        access: How to reach AWS (default: with the settings of the environment).

    Raises:
        MissingDependencyError: If boto3 is not installed.
        LiveError: If the profile does not exist, the role cannot be assumed, or the endpoint or the file of
            certificates is invalid.
    """
    access = access or Access()
    try:
        import boto3
        import botocore.session
    except ImportError:
        raise MissingDependencyError.without_extra("asking AWS needs boto3", "aws") from None
    if access.endpoint_url is not None:
        parse_endpoint(access.endpoint_url, "--endpoint-url", ("https", "http"))
    if access.ca_bundle is not None and not os.path.exists(access.ca_bundle):
        raise LiveError(f"`{access.ca_bundle}`, given as --ca-bundle, is not there", LiveTrouble.TLS)
    with translate_errors("sts:GetCallerIdentity"):
        # The AWS CLI and the other SDKs read AWS_REGION; boto3 itself reads only AWS_DEFAULT_REGION.
        region = access.region or os.environ.get("AWS_REGION")
        core = botocore.session.Session()
        boto = boto3.Session(profile_name=access.profile, region_name=region, botocore_session=core)
        session = Session(access, boto, core.get_component("data_loader"))
    if access.role_arn is None:
        return session
    return session.assume(access.role_arn, access.external_id)


def parse_endpoint(url: str, option: str, schemes: Sequence[str]) -> SplitResult:
    """Return the parts of the address of an endpoint.

    Args:
        url: The address.
        option: The option of the address, for messages.
        schemes: The allowed schemes.

    Raises:
        LiveError: If the address is invalid or contains a password.
    """
    try:
        parts = urlsplit(url)
        whole = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if "@" in url:
        text = f"the address given as {option} has an `@`: it must not contain a user or a password"
        raise LiveError(f"{text}, which messages would show", LiveTrouble.UNREACHABLE)
    if not whole:
        begin = " or ".join(f"`{scheme}://`" for scheme in schemes)
        text = f"`{url}`, given as {option}, is not {begin} with a host and an optional port"
        raise LiveError(text, LiveTrouble.UNREACHABLE)
    return parts


@contextlib.contextmanager
def _invalid(access: Access) -> Iterator[None]:
    """Raise the error of boto3 about an invalid endpoint as a `LiveError`."""
    try:
        yield
    except ValueError as error:
        named = f"`{access.endpoint_url}`, given as --endpoint-url: " if access.endpoint_url else ""
        raise LiveError(f"{named}{error}", LiveTrouble.UNREACHABLE) from None
