"""Translate errors of AWS into one line that says what to do."""

from __future__ import annotations

import contextlib
import enum
import re
from collections.abc import Iterator

from secure_bucket.errors import SecureBucketError

__all__ = ["LiveError", "LiveTrouble", "translate_errors"]


class LiveTrouble(enum.Enum):
    """The kind of an error, for callers that handle kinds differently.

    After `CREDENTIALS` and `EXPIRED`, no request with the same credentials will succeed.
    """

    CREDENTIALS = "the credentials are missing or not accepted"
    EXPIRED = "the credentials have expired"
    REGION = "the region is missing or does not exist"
    DENIED = "the caller has no permission"
    ABSENT = "the resource does not exist"
    UNREACHABLE = "nothing answers at the endpoint"
    TLS = "the TLS handshake failed"
    THROTTLED = "there were too many requests, even after retries"
    OTHER = "another error"


class LiveError(SecureBucketError):
    """A request to AWS failed; the message says what to do.

    Args:
        message: The message, in one line.
        trouble: The kind of the error.
        code: The error code of AWS, such as `NoSuchBucket`; `""` without an answer of AWS.
    """

    def __init__(self, message: str, trouble: LiveTrouble = LiveTrouble.OTHER, code: str = "") -> None:
        super().__init__(" ".join(message.split()))
        self.trouble = trouble
        self.code = code


_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_NOT_ACCEPTED = frozenset(
    {
        *("AuthFailure", "IncompleteSignature", "InvalidAccessKeyId", "InvalidClientTokenId"),
        *("InvalidSecurity", "InvalidToken", "MissingAuthenticationToken", "NotSignedUp"),
        *("SignatureDoesNotMatch", "UnrecognizedClientException"),
    }
)
_DENIED = frozenset(
    {
        *("403", "AccessDenied", "AccessDeniedException", "AllAccessDisabled", "Forbidden"),
        *("AccountProblem", "AuthorizationError", "UnauthorizedAccess", "UnauthorizedOperation"),
    }
)
_ABSENT = frozenset({"404", "NoSuchBucket", "NoSuchKey", "NotFound", "NotFoundException"})
_THROTTLED = frozenset(
    {
        *("429", "BandwidthLimitExceeded", "LimitExceededException", "PriorRequestNotComplete"),
        *("RequestLimitExceeded", "RequestThrottled", "RequestThrottledException", "SlowDown"),
        *("ThrottledException", "Throttling", "ThrottlingException", "TooManyRequestsException"),
    }
)
_SIGNED_OUT = frozenset({"LoginRefreshRequired", "SSOTokenLoadError", "UnauthorizedSSOTokenError"})
_NO_CREDENTIALS = frozenset(
    {
        *("CredentialRetrievalError", "InvalidConfigError", "LoginError", "PartialCredentialsError"),
        *("RefreshWithMFAUnsupportedError", "SSOError", "TokenRetrievalError"),
    }
)
_NO_ENDPOINT = frozenset({"EndpointResolutionError", "InvalidRegionError", "UnknownRegionError"})
_SILENT = frozenset({"ConnectTimeoutError", "EndpointConnectionError"})
_BROKEN_OFF = frozenset({"ConnectionError", "HTTPClientError"})
_CLOCK = frozenset({"RequestTimeTooSkewed", "RequestInTheFuture"})
_TLS_REASON = re.compile(r"\[(?:SSL|X509)[^\]]*\]\s*([^()]*)")


@contextlib.contextmanager
def translate_errors(action: str, on: str = "") -> Iterator[None]:
    """Raise the errors of botocore in the block as `LiveError`.

    Args:
        action: The IAM action of the request, such as `s3:GetBucketPolicy`.
        on: The resource of the request, such as ``bucket `reports` `` (default: omit it in the message).

    Raises:
        LiveError: For every error of botocore.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as error:
        raise _answered(error, action, on) from None
    except BotoCoreError as error:
        raise _unanswered(error, action, on) from None
    except ResponseParserError:
        text = f"{_request(action, on)} got an answer that is not from AWS: is a proxy in between?"
        raise LiveError(text, LiveTrouble.UNREACHABLE) from None
    except OSError as error:
        # For example a configuration file that cannot be read, or a socket error that urllib3 did not wrap.
        raise LiveError(f"{_request(action, on)} failed: {error.strerror or error}") from None


def _request(action: str, on: str) -> str:
    return f"`{action}` on {on}" if on else f"`{action}`"


def _answered(error: object, action: str, on: str) -> LiveError:
    response = getattr(error, "response", {})
    details = response.get("Error", {})
    status = str(response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
    # The answer to a HEAD has no body, and botocore uses the status as the code.
    code = str(details.get("Code") or status or "unknown")
    # Some services prefix the code with a namespace: `com.amazonaws.…#ThrottlingException`.
    code = code.rpartition("#")[2]
    message = str(details.get("Message") or "").strip().rstrip(".")
    asked = _request(action, on)
    # A page in HTML comes from a proxy, or from a server that is not S3.
    because = f": {message[:300]}" if message and message != code and not message.startswith("<") else ""
    if code in _EXPIRED:
        text = f"the credentials have expired, so {asked} was refused: get new ones and run it again"
        return LiveError(text, LiveTrouble.EXPIRED, code)
    if code in _NOT_ACCEPTED:
        text = (
            f"the credentials are not accepted for {asked} ({code}){because}: is it the right key, "
            "and is the region enabled for the account?"
        )
        return LiveError(text, LiveTrouble.CREDENTIALS, code)
    if code in _DENIED:
        return LiveError(f"access denied to {asked}{because}", LiveTrouble.DENIED, code)
    if code in _THROTTLED:
        text = f"{asked} was throttled again and again ({code}): try again later, or with fewer threads"
        return LiveError(text, LiveTrouble.THROTTLED, code)
    if code in _CLOCK:
        return LiveError(f"{asked} was refused ({code}): the clock of this machine is wrong", code=code)
    if code in _ABSENT:
        what = "there is no such bucket" if code == "NoSuchBucket" else f"it does not exist ({code})"
        return LiveError(f"{asked}: {what}", LiveTrouble.ABSENT, code)
    return LiveError(f"{asked} failed with {code}{because}", code=code)


def _unanswered(error: Exception, action: str, on: str) -> LiveError:
    details: dict[str, object] = getattr(error, "kwargs", {})
    asked = _request(action, on)
    endpoint = f"`{details['endpoint_url']}`" if details.get("endpoint_url") else "the endpoint"
    because = " ".join(str(error).split()).rstrip(".")
    # Compare names, because older releases of botocore lack some of these classes.
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "NoCredentialsError" in kinds:
        text = (
            "there are no AWS credentials: give --profile NAME, or set AWS_PROFILE or AWS_ACCESS_KEY_ID "
            "and AWS_SECRET_ACCESS_KEY"
        )
        return LiveError(text, LiveTrouble.CREDENTIALS)
    if kinds & _SIGNED_OUT:
        text = f"the AWS sign-in has expired: sign in again, with `aws sso login` or `aws login` ({because})"
        return LiveError(text, LiveTrouble.EXPIRED)
    if "ProfileNotFound" in kinds:
        text = f"there is no profile `{details.get('profile')}` in the AWS configuration"
        return LiveError(text, LiveTrouble.CREDENTIALS)
    if kinds & _NO_CREDENTIALS:
        return LiveError(f"the AWS credentials are not available: {because}", LiveTrouble.CREDENTIALS)
    if "NoRegionError" in kinds:
        text = "there is no AWS region: give --region NAME, or set AWS_REGION, or `region` in the profile"
        return LiveError(text, LiveTrouble.REGION)
    if kinds & _NO_ENDPOINT:
        return LiveError(f"there is no endpoint for {asked}: {because}", LiveTrouble.REGION)
    if "SSLError" in kinds:
        found = _TLS_REASON.search(str(details.get("error", "")))
        return LiveError(
            _no_handshake(endpoint, found[1].strip(" .:") if found else because), LiveTrouble.TLS
        )
    if kinds & _SILENT:
        return LiveError(f"nothing answers at {endpoint}: {asked} could not be sent", LiveTrouble.UNREACHABLE)
    if "ProxyConnectionError" in kinds:
        text = f"the proxy `{details.get('proxy_url')}` cannot be reached: {asked} could not be sent"
        return LiveError(text, LiveTrouble.UNREACHABLE)
    if kinds & _BROKEN_OFF:
        return LiveError(f"{asked} got no complete answer: {because}", LiveTrouble.UNREACHABLE)
    return LiveError(f"{asked} failed: {because}")


def _no_handshake(endpoint: str, reason: str) -> str:
    if "no certificate" in reason:
        return f"the file of certificates cannot be read for the TLS handshake with {endpoint}: {reason}"
    text = f"the TLS handshake with {endpoint} failed: {reason}"
    if "certificate verify failed" in reason:
        text += "; give the authority that signed its certificate with --ca-bundle FILE"
    elif "wrong version number" in reason or "record layer failure" in reason:
        text += "; does this port speak plain HTTP?"
    return text
