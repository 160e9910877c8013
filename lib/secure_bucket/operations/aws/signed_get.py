"""Send a signed GET to a bucket in a third of the processor time of a boto3 call.

A review sends two requests for each bucket, and boto3 takes nearly all of its processor time. This module
calls the parts of botocore directly: the endpoint of the client, its signer, its connections and its parser.
For an unusual answer, the caller repeats the request with the client.
"""

from __future__ import annotations

import random
import re
import time
from typing import Any, Final

from msgspec import Struct, field

from secure_bucket.operations.aws.session import Session

__all__ = ["METHODS", "SignedGet"]

# A name that needs no escaping in any form of address. The client requests buckets with other names.
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_PLACEHOLDER: Final = "secure-bucket-placeholder"
# Errors that the client would get again. The client handles the others, such as a redirect to another region.
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
    """Carries the URL of a request that must not be sent."""


class SignedGet(Struct):
    """Sends signed GET requests to the buckets of one region. Threads may share it.

    Args:
        session: The session whose credentials sign the requests.
        client: The S3 client that provides the endpoint and the connections.
    """

    session: Session
    client: Any
    _addresses: dict[str, str | None] = field(default_factory=dict)

    def ask(self, operation: str, bucket: str, owner: str) -> Any | None:
        """Return the answer of S3 in the form of the client; `None` if the client has to send the request.

        Args:
            operation: One of `METHODS`.
            bucket: The bucket.
            owner: The account that must own the bucket.

        Raises:
            botocore.exceptions.ClientError: If S3 answers with an error.
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
            # The pauses of the standard mode of boto3, without its quota: one pause for each throttled
            # request slows the threads down enough for S3.
            time.sleep(random.random() * min(_LONGEST_PAUSE, 2**attempt))
        return None if answer is None else self._read(operation, answer)

    def _address(self, operation: str) -> str | None:
        """Return the URL for the bucket `_PLACEHOLDER`; `None` if the client signs in another way."""
        if operation not in self._addresses:
            usual = self.client.meta.config.signature_version in (None, "s3v4")
            found = self._prepared(operation) if usual and self._http_session is not None else None
            self._addresses[operation] = found
        return self._addresses[operation]

    def _prepared(self, operation: str) -> str:
        """Return the URL of the request that the client would send."""

        def stop(request: Any, **_: object) -> None:
            if _PLACEHOLDER in request.url:
                raise _PreparedError(request.url)

        # Other threads may use the client, so this handler only stops requests for that bucket.
        self.client.meta.events.register_first(
            f"before-send.s3.{operation}", stop, unique_id=f"{__name__}.{operation}"
        )
        try:
            getattr(self.client, METHODS[operation])(Bucket=_PLACEHOLDER)
        except _PreparedError as prepared:
            return str(prepared)
        raise AssertionError(f"{operation} was answered for a bucket that does not exist")

    @property
    def _http_session(self) -> Any:
        # Not public, but no public object has the proxies and certificates of the user.
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
            return self._http_session.send(request.prepare())
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
