"""Describe the probed bucket: its name, its two endpoints, and the requests to it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import Struct, field

from secure_bucket.operations.aws.errors import LiveError, translate_errors
from secure_bucket.operations.aws.session import Session, parse_endpoint

__all__ = [
    "ABSENT_PREFIX",
    "EndpointLayout",
    "ProbeRequest",
    "ProbeTarget",
    "parse_bucket_name",
    "probe_requests",
]

ABSENT_PREFIX: Final = "secure-bucket-probe/"
"""The prefix of the missing keys that a probe requests."""

# No object has this entity tag. Storage that ignores the condition returns only one byte.
_NOTHING: Final = {"If-Match": '"secure-bucket-probe"', "Range": "bytes=0-0"}
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")
_BUCKET_ARN: Final = re.compile(r"arn:[^:]*:s3:::([^/*?]+)")
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, the reserved suffixes.
_NO_PLAIN_HTTP: Final = {
    "--x-s3": "a directory bucket",
    "--xa-s3": "an access point of a directory bucket",
    "--table-s3": "a table bucket",
    "-s3alias": "the alias of an access point",
    "--ol-s3": "the alias of an Object Lambda access point",
    ".mrap": "a Multi-Region access point",
}


class EndpointLayout(Struct, frozen=True):
    """The endpoints of S3 to use, and the place of the bucket in the address.

    Args:
        http_endpoint_url: The endpoint for plain HTTP (default: the endpoint for HTTPS with `http`).
        path_style: Whether the path contains the name of the bucket.
        dual_stack: Whether to use the endpoint for IPv4 and IPv6.
        fips: Whether to use the FIPS endpoint.
        accelerate: Whether to use the endpoint of S3 Transfer Acceleration.
    """

    http_endpoint_url: str | None = None
    path_style: bool = False
    dual_stack: bool = False
    fips: bool = False
    accelerate: bool = False


class ProbeRequest(Struct, frozen=True):
    """A request to send, the same over every transport.

    Args:
        action: The IAM action that it needs.
        operation: The operation of boto3.
        params: Its parameters, without the bucket.
        headers: The headers, without those of the signature.
        expected: The XML element in the answer; `""` if the answer is an object.
    """

    action: str
    operation: str
    params: Mapping[str, object]
    headers: Mapping[str, str] = field(default_factory=dict)
    expected: str = ""


def probe_requests(keys: Sequence[str]) -> tuple[ProbeRequest, ...]:
    """Return the requests of a probe: one about the bucket, and one about each object.

    They read no content: they list a prefix that nobody uses, and request an object that does not exist, or
    with a condition that does not hold. S3 reports this to callers that its policies allow, and answers
    `AccessDenied` to all others.

    Args:
        keys: The objects to request (default: an object that does not exist).
    """
    absent = f"{ABSENT_PREFIX}{secrets.token_hex(16)}"
    listing = ProbeRequest(
        "s3:ListBucket",
        "list_objects_v2",
        {"Prefix": absent, "MaxKeys": 1},
        expected="ListBucketResult",
    )
    if not keys:
        # S3 answers with an `Error`; a server that returns a missing object is not S3.
        return (listing, ProbeRequest("s3:GetObject", "get_object", {"Key": absent}, expected="Error"))
    return (listing, *(ProbeRequest("s3:GetObject", "get_object", {"Key": key}, _NOTHING) for key in keys))


def parse_bucket_name(argument: str) -> str:
    """Return the name of a bucket, given as its name, its ARN, or `s3://name`.

    Raises:
        LiveError: If the argument is not a bucket.
    """
    match = _BUCKET_ARN.fullmatch(argument)
    name = match[1] if match else argument.removeprefix("s3://").rstrip("/")
    if argument.startswith("arn:") and match is None:
        kind = argument.split(":")[5:6]
        if kind and kind[0].startswith("accesspoint"):
            raise LiveError(
                f"`{argument}` is an access point, which speaks HTTPS only: name the bucket behind it"
            )
        raise LiveError(f"`{argument}` is not the ARN of a bucket, such as `arn:aws:s3:::reports`")
    for suffix, kind_of in _NO_PLAIN_HTTP.items():
        if name.endswith(suffix):
            raise LiveError(f"`{name}` is {kind_of}, which speaks HTTPS only: there is nothing to probe")
    if not _NAME.fullmatch(name):
        raise LiveError(f"`{argument}` is not the name of a bucket")
    return name


class ProbeTarget:
    """A bucket in a region, with the addresses of the requests.

    Args:
        session: The session.
        bucket: Its name.
        region: Its region.
        layout: The endpoints to use.

    Raises:
        LiveError: If the endpoints do not exist, or the endpoint for plain HTTP is unknown.
    """

    def __init__(self, session: Session, bucket: str, region: str, layout: EndpointLayout) -> None:
        self.bucket = bucket
        self.region = region
        self.layout = layout
        self._session = session
        self._https = self._client(session.access.endpoint_url, ssl=True)
        self._http = self._client(self._http_endpoint(), ssl=False)

    @property
    def arn(self) -> str:
        """The ARN of the bucket."""
        partition = self._session.partition_of(self.region)
        return f"arn:{partition}:s3:::{self.bucket}"

    def url(self, ask: ProbeRequest, *, plain: bool) -> str:
        """Return the address of a request, over plain HTTP or HTTPS.

        Raises:
            LiveError: If botocore knows no address.
        """
        client = self._http if plain else self._https
        with translate_errors(ask.action, f"bucket `{self.bucket}`"):
            # An unsigned "presigned" address is the plain address by the endpoint rules of AWS.
            url: str = client.generate_presigned_url(
                ask.operation, Params={"Bucket": self.bucket, **ask.params}
            )
        return url

    def headers(self, ask: ProbeRequest, url: str, credentials: Any) -> dict[str, str]:
        """Return the headers of a request, signed with Signature Version 4 if there are credentials."""
        headers = {"User-Agent": "secure-bucket-probe", **ask.headers}
        if credentials is None:
            return headers
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest

        request: Any = AWSRequest("GET", url, headers=headers)
        S3SigV4Auth(credentials, "s3", self.region).add_auth(request)
        return dict(request.headers.items())

    def _http_endpoint(self) -> str | None:
        if self.layout.http_endpoint_url is not None:
            parse_endpoint(self.layout.http_endpoint_url, "--http-endpoint-url", ("http",))
            return self.layout.http_endpoint_url
        used: str = self._https.meta.endpoint_url
        if self._session.access.endpoint_url is None:
            # The environment and the profile may configure an endpoint as well.
            usual = self._client(None, ssl=True, ignore_configured_endpoint_urls=True)
            if used == usual.meta.endpoint_url:
                return None
        parts = urlsplit(used)
        if parts.port is not None:
            raise LiveError(f"which port speaks plain HTTP beside `{used}`? Give it with --http-endpoint-url")
        return parts._replace(scheme="http").geturl()

    def _client(self, endpoint_url: str | None, *, ssl: bool, **config: Any) -> Any:
        import botocore
        import botocore.config

        layout = self.layout
        # The certificate of S3 does not match a name with a dot. Both transports use the same style.
        style = "path" if layout.path_style or "." in self.bucket else "virtual"
        addressing: Any = {
            "addressing_style": style,
            "use_accelerate_endpoint": layout.accelerate,
            "us_east_1_regional_endpoint": "regional",
        }
        settings = botocore.config.Config(
            signature_version=botocore.UNSIGNED,
            use_dualstack_endpoint=layout.dual_stack,
            use_fips_endpoint=layout.fips,
            s3=addressing,
            **config,
        )
        try:
            with translate_errors("s3:*", f"region `{self.region}`"):
                client = self._session.boto.client(
                    "s3",
                    region_name=self.region,
                    endpoint_url=endpoint_url,
                    use_ssl=ssl,
                    config=settings,
                )
        except ValueError as error:
            raise LiveError(f"`{endpoint_url}` is not an endpoint: {error}") from None
        if ssl and not client.meta.endpoint_url.startswith("https://"):
            raise LiveError(
                f"`{client.meta.endpoint_url}` is not HTTPS: give the HTTPS endpoint with --endpoint-url, "
                "and the one for plain HTTP with --http-endpoint-url"
            )
        return client
