"""What goes wrong on the way to AWS, in one line that says what to do."""

from __future__ import annotations

import contextlib
import enum
import re
from collections.abc import Iterator

from secure_bucket.errors import SecureBucketError

__all__ = ["LiveError", "LiveTrouble", "translated"]


class LiveTrouble(enum.Enum):
    """What kind of trouble it is, for those who go on differently after each.

    With `CREDENTIALS` and `EXPIRED` nothing that is asked with the same credentials will succeed.
    """

    CREDENTIALS = "there are no credentials, or they are not accepted"
    EXPIRED = "the credentials have expired"
    REGION = "there is no region, or no such region"
    DENIED = "the caller may not do this"
    ABSENT = "there is no such thing"
    UNREACHABLE = "nothing answers at the endpoint"
    TLS = "the TLS handshake failed"
    THROTTLED = "there were too many requests, and repeating them did not help"
    OTHER = "something else"


class LiveError(SecureBucketError):
    """Say what stands between us and AWS, and what to do about it.

    Args:
        message: One line.
        trouble: What kind of trouble it is.
        code: The error code of AWS, as `NoSuchBucket`; `""` when AWS did not answer.
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
def translated(action: str, on: str = "") -> Iterator[None]:
    """Raise what botocore raises within as a `LiveError`.

    Args:
        action: What is asked, as the IAM action `s3:GetBucketPolicy`.
        on: What it is asked of, as ``bucket `reports` `` (default: left out of the message).

    Raises:
        LiveError: For everything that botocore raises.
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
        text = f"{_asked(action, on)} got an answer that is not from AWS: is a proxy in between?"
        raise LiveError(text, LiveTrouble.UNREACHABLE) from None
    except OSError as error:
        # As a configuration file that cannot be read, or a socket that urllib3 did not wrap.
        raise LiveError(f"{_asked(action, on)} failed: {error.strerror or error}") from None


def _asked(action: str, on: str) -> str:
    return f"`{action}` on {on}" if on else f"`{action}`"


def _answered(error: object, action: str, on: str) -> LiveError:
    response = getattr(error, "response", {})
    told = response.get("Error", {})
    status = str(response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
    # A HEAD has no body, and botocore then takes the status for the code.
    code = str(told.get("Code") or status or "unknown")
    # Some services prefix the code with the name of a namespace: `com.amazonaws.…#ThrottlingException`.
    code = code.rpartition("#")[2]
    message = str(told.get("Message") or "").strip().rstrip(".")
    asked = _asked(action, on)
    # A page in HTML comes from something in between, or from a server that is not S3.
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
        text = f"{asked} was throttled again and again ({code}): ask later, or with fewer threads"
        return LiveError(text, LiveTrouble.THROTTLED, code)
    if code in _CLOCK:
        return LiveError(f"{asked} was refused ({code}): the clock of this machine is wrong", code=code)
    if code in _ABSENT:
        what = "there is no such bucket" if code == "NoSuchBucket" else f"it does not exist ({code})"
        return LiveError(f"{asked}: {what}", LiveTrouble.ABSENT, code)
    return LiveError(f"{asked} failed with {code}{because}", code=code)


def _unanswered(error: Exception, action: str, on: str) -> LiveError:
    told: dict[str, object] = getattr(error, "kwargs", {})
    asked = _asked(action, on)
    endpoint = f"`{told['endpoint_url']}`" if told.get("endpoint_url") else "the endpoint"
    because = " ".join(str(error).split()).rstrip(".")
    # By their names, as older releases of botocore do not have all of them.
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
        text = f"there is no profile `{told.get('profile')}` in the AWS configuration"
        return LiveError(text, LiveTrouble.CREDENTIALS)
    if kinds & _NO_CREDENTIALS:
        return LiveError(f"the AWS credentials cannot be had: {because}", LiveTrouble.CREDENTIALS)
    if "NoRegionError" in kinds:
        text = "there is no AWS region: give --region NAME, or set AWS_REGION, or `region` in the profile"
        return LiveError(text, LiveTrouble.REGION)
    if kinds & _NO_ENDPOINT:
        return LiveError(f"{asked} has no endpoint to go to: {because}", LiveTrouble.REGION)
    if "SSLError" in kinds:
        found = _TLS_REASON.search(str(told.get("error", "")))
        return LiveError(
            _no_handshake(endpoint, found[1].strip(" .:") if found else because), LiveTrouble.TLS
        )
    if kinds & _SILENT:
        return LiveError(
            f"nothing answers at {endpoint}: {asked} could not be asked", LiveTrouble.UNREACHABLE
        )
    if "ProxyConnectionError" in kinds:
        text = f"the proxy `{told.get('proxy_url')}` cannot be reached: {asked} could not be asked"
        return LiveError(text, LiveTrouble.UNREACHABLE)
    if kinds & _BROKEN_OFF:
        return LiveError(f"{asked} got no whole answer: {because}", LiveTrouble.UNREACHABLE)
    return LiveError(f"{asked} failed: {because}")


def _no_handshake(endpoint: str, reason: str) -> str:
    if "no certificate" in reason:
        return f"the file of certificates cannot be read for the TLS handshake with {endpoint}: {reason}"
    text = f"the TLS handshake with {endpoint} failed: {reason}"
    if "certificate verify failed" in reason:
        text += "; give the authority that signed its certificate with --ca-bundle FILE"
    elif "wrong version number" in reason or "record layer failure" in reason:
        text += "; does it speak plain HTTP there?"
    return text
