"""Send a signed GET to a bucket with a third of the processor time that a call of boto3 takes.

A review sends two requests for each bucket, and nearly all of its processor time is spent in the machinery of
boto3 around them. Here the same parts of botocore are called directly: the endpoint of the client, its
signer, its connections and its parser. An answer that is not one of the usual ones goes back to the caller,
who then asks with the client.
"""

from __future__ import annotations

import random
import re
import time
from typing import Any, Final

from msgspec import Struct, field

from secure_bucket.operations.aws.session import Session

__all__ = ["METHODS", "SignedGet"]

# A name that every address form of S3 takes as it is. Buckets with other names are left to the client.
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_PLACEHOLDER: Final = "secure-bucket-placeholder"
# Answers that stay the same when the client asks again. After the others, as a redirect to another region,
# the client knows what to do.
_FINAL: Final = frozenset(
    {
        *("AccessDenied", "AllAccessDisabled", "ExpiredToken", "InvalidAccessKeyId", "InvalidToken"),
        *("NoSuchBucket", "NoSuchBucketPolicy", "NoSuchPublicAccessBlockConfiguration"),
        *("NoSuchWebsiteConfiguration", "SignatureDoesNotMatch"),
    }
)
_THROTTLED: Final = frozenset({429, 503})
_ATTEMPTS: Final = 8
_LONGEST_PAUSE: Final = 8.0


METHODS: Final = {
    "GetBucketPolicy": "get_bucket_policy",
    "GetBucketWebsite": "get_bucket_website",
    "GetPublicAccessBlock": "get_public_access_block",
}
"""The operations, and the methods of the client for them."""


class _PreparedError(Exception):
    """Carry the URL of a request that is not sent."""


class SignedGet(Struct):
    """Ask S3 about the buckets of one region; may be shared by threads.

    Args:
        session: Whose credentials sign the requests.
        client: The client of S3 whose endpoint and connections are used.
    """

    session: Session
    client: Any
    _addresses: dict[str, str | None] = field(default_factory=dict)

    def ask(self, operation: str, bucket: str, owner: str) -> Any | None:
        """Return what S3 answers, as the client would; `None` if the client has to ask.

        Args:
            operation: One of `METHODS`.
            bucket: The bucket.
            owner: The account that has to own it.

        Raises:
            botocore.exceptions.ClientError: If S3 refuses, or has no such thing.
        """
        address = self._address(operation) if _NAME.fullmatch(bucket) else None
        credentials = self.session.boto.get_credentials()
        if address is None or credentials is None:
            return None
        url = address.replace(_PLACEHOLDER, bucket)
        for attempt in range(_ATTEMPTS):
            answer = self._send(url, owner, credentials)
            if answer is None or answer.status_code not in _THROTTLED:
                break
            # The waits of the standard mode of boto3, without its quota: one pause for each request that was
            # throttled slows all threads down as far as S3 asks for.
            time.sleep(random.random() * min(_LONGEST_PAUSE, 2**attempt))
        return None if answer is None else self._read(operation, answer)

    def _address(self, operation: str) -> str | None:
        """Return the URL for a bucket called `_PLACEHOLDER`; `None` if requests are not signed as usual."""
        if operation not in self._addresses:
            usual = self.client.meta.config.signature_version in (None, "s3v4")
            found = self._prepared(operation) if usual and self._connections is not None else None
            self._addresses[operation] = found
        return self._addresses[operation]

    def _prepared(self, operation: str) -> str:
        """Return the URL of the request that the client would send."""

        def stop(request: Any, **_: object) -> None:
            if _PLACEHOLDER in request.url:
                raise _PreparedError(request.url)

        # Other threads may use the client, so what is registered only stops requests for that bucket.
        self.client.meta.events.register_first(
            f"before-send.s3.{operation}", stop, unique_id=f"{__name__}.{operation}"
        )
        try:
            getattr(self.client, METHODS[operation])(Bucket=_PLACEHOLDER)
        except _PreparedError as prepared:
            return str(prepared)
        raise AssertionError(f"{operation} was answered for a bucket that does not exist")

    @property
    def _connections(self) -> Any:
        # Not public, but what else there is does not know the proxies and certificates of the user.
        return getattr(getattr(self.client, "_endpoint", None), "http_session", None)

    def _send(self, url: str, owner: str, credentials: Any) -> Any | None:
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import HTTPClientError

        headers = {
            "x-amz-expected-bucket-owner": owner,
            "User-Agent": str(self.client.meta.config.user_agent),
        }
        request = AWSRequest(method="GET", url=url, headers=headers)
        frozen = credentials.get_frozen_credentials()
        S3SigV4Auth(frozen, "s3", self.client.meta.region_name).add_auth(request)
        try:
            return self._connections.send(request.prepare())
        except HTTPClientError:
            return None

    def _read(self, operation: str, answer: Any) -> Any | None:
        from botocore.exceptions import ClientError
        from botocore.parsers import ResponseParserError, create_parser

        model = self.client.meta.service_model.operation_model(operation)
        response = {
            "status_code": answer.status_code,
            "headers": {key.lower(): value for key, value in answer.headers.items()},
            "body": answer.content,
            "context": {"operation_name": operation},
        }
        try:
            parsed = create_parser("rest-xml").parse(response, model.output_shape)
        except ResponseParserError:
            return None
        if answer.status_code == 200:
            return parsed
        if parsed.get("Error", {}).get("Code") in _FINAL:
            raise ClientError(parsed, operation)
        return None
