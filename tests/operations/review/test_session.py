"""What a user is told when AWS cannot be asked."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import botocore.exceptions as known
import pytest
import trustme

from secure_bucket.operations.aws.errors import LiveError, LiveTrouble, translate_errors
from secure_bucket.operations.aws.session import Access, open_session
from tests.operations.review.aws import ACCOUNT, REGION, Aws, sts_error

ROLE = f"arn:aws:iam::{ACCOUNT}:role/Audit"


def fails(access: Access) -> LiveError:
    with pytest.raises(LiveError) as caught:
        open_session(access).identity()
    assert "\n" not in str(caught.value)
    return caught.value


def test_whose_credentials_they_are(aws: Aws) -> None:
    identity = open_session(aws.access).identity()
    assert (identity.account, identity.partition) == (ACCOUNT, "aws")


def test_no_credentials(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    error = fails(aws.access)
    assert error.trouble is LiveTrouble.CREDENTIALS
    assert str(error).startswith("there are no AWS credentials: give --profile NAME, or set AWS_PROFILE or ")


def test_half_of_the_credentials(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    error = fails(aws.access)
    assert error.trouble is LiveTrouble.CREDENTIALS
    assert "are not available" in str(error)


def test_no_region(monkeypatch: pytest.MonkeyPatch) -> None:
    error = fails(Access())
    assert error.trouble is LiveTrouble.REGION
    assert str(error).startswith("there is no AWS region: give --region NAME, or set AWS_REGION")


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_region_of_the_environment(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "eu-central-1")
    assert open_session(Access()).region == "eu-central-1"


def test_a_region_that_is_none() -> None:
    assert fails(Access(region="eu west")).trouble is LiveTrouble.REGION


def test_a_profile_that_is_none() -> None:
    error = fails(Access(profile="nobody", region=REGION))
    assert str(error) == "there is no profile `nobody` in the AWS configuration"


def test_an_expired_token(aws: Aws) -> None:
    aws.answer("GetCallerIdentity", None, sts_error(403, "ExpiredToken"))
    error = fails(aws.access)
    assert (error.trouble, error.code) == (LiveTrouble.EXPIRED, "ExpiredToken")
    assert "have expired" in str(error)


def test_a_key_that_is_not_accepted(aws: Aws) -> None:
    aws.answer("GetCallerIdentity", None, sts_error(403, "InvalidClientTokenId", "The token is invalid."))
    error = fails(aws.access)
    assert error.trouble is LiveTrouble.CREDENTIALS
    assert "(InvalidClientTokenId): The token is invalid: is it the right key" in str(error)


@pytest.mark.parametrize(
    "url",
    ["s3.example", "ftp://s3.example", "https://", "https://[::1", "https://s3.example:99999", "https://:1"],
)
def test_an_endpoint_that_is_none(url: str) -> None:
    error = fails(Access(region=REGION, endpoint_url=url))
    assert str(error).startswith(f"`{url}`, given as --endpoint-url, is not `https://` or `http://` with ")


def test_a_password_in_the_address_of_an_endpoint_is_refused_and_not_told() -> None:
    error = fails(Access(region=REGION, endpoint_url="https://ann:hunter2@s3.example"))
    assert "it must not contain a user or a password" in str(error)
    assert "hunter2" not in str(error)


def test_the_password_of_a_proxy_is_not_told(monkeypatch: pytest.MonkeyPatch, aws: Aws) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://ann:hunter2@127.0.0.1:1")
    error = fails(aws.access)
    assert "the proxy `http://***:***@127.0.0.1:1` cannot be reached" in str(error)


def test_a_region_of_other_storage_is_in_the_usual_partition() -> None:
    session = open_session(Access(region="garage"))
    assert [session.partition_of(region) for region in ("garage", "", "cn-north-1")] == [
        "aws",
        "aws",
        "aws-cn",
    ]


def test_an_endpoint_that_does_not_answer() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    error = fails(Access(region=REGION, endpoint_url=f"http://127.0.0.1:{port}"))
    assert error.trouble is LiveTrouble.UNREACHABLE
    assert str(error) == (
        f"nothing answers at `http://127.0.0.1:{port}/`: `sts:GetCallerIdentity` could not be sent"
    )


def test_a_page_in_html_is_not_quoted(aws: Aws) -> None:
    aws.answer("GetCallerIdentity", None, (400, "<!doctype html><title>Bad gateway</title>"))
    error = fails(aws.access)
    assert error.trouble is LiveTrouble.UNREACHABLE
    assert str(error) == (
        "`sts:GetCallerIdentity` got an answer that is not from AWS: is a proxy in between?"
    )


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls_port(authority: trustme.CA) -> Iterator[int]:
    """Return a port that shakes hands over TLS, and then hangs up."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.2)
    done = threading.Event()

    def serve() -> None:
        while not done.is_set():
            try:
                connection, _ = listener.accept()
                with context.wrap_socket(connection, server_side=True):
                    pass
            except OSError:
                continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    done.set()
    thread.join(5)
    listener.close()


def test_a_certificate_that_nobody_trusts(tls_port: int) -> None:
    error = fails(Access(region=REGION, endpoint_url=f"https://127.0.0.1:{tls_port}"))
    assert error.trouble is LiveTrouble.TLS
    assert "certificate verify failed" in str(error)
    assert str(error).endswith("give the authority that signed its certificate with --ca-bundle FILE")


def test_the_authority_that_is_given_is_trusted(tls_port: int, authority: trustme.CA, tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(bundle)
    access = Access(region=REGION, endpoint_url=f"https://127.0.0.1:{tls_port}", ca_bundle=str(bundle))
    # The server hangs up after the handshake, which is another trouble.
    assert "certificate" not in str(fails(access))


def test_plain_http_where_tls_is_spoken(aws: Aws) -> None:
    error = fails(Access(region=REGION, endpoint_url=aws.url.replace("http:", "https:")))
    assert error.trouble is LiveTrouble.TLS
    assert str(error).endswith("does this port speak plain HTTP?")


def test_a_file_of_certificates_that_is_not_there() -> None:
    error = fails(Access(region=REGION, ca_bundle="/nowhere/ca.pem"))
    assert str(error) == "`/nowhere/ca.pem`, given as --ca-bundle, is not there"


def test_a_file_of_certificates_that_is_none(tmp_path: Path, tls_port: int) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("no certificate")
    error = fails(Access(region=REGION, endpoint_url=f"https://127.0.0.1:{tls_port}", ca_bundle=str(bundle)))
    assert error.trouble is LiveTrouble.TLS
    assert "the file of certificates cannot be read" in str(error)


def test_a_role_is_assumed(aws: Aws) -> None:
    session = open_session(Access(region=REGION, endpoint_url=aws.url, role_arn=ROLE, external_id="42"))
    assert session.identity().arn.endswith(":assumed-role/Audit/secure-bucket")
    (asked,) = [request for request in aws.seen if request.operation == "AssumeRole"]
    assert b"ExternalId=42" in asked.body


def test_a_role_that_may_not_be_assumed(aws: Aws) -> None:
    aws.answer("AssumeRole", None, sts_error(403, "AccessDenied", "not authorized to perform it"))
    error = fails(Access(region=REGION, endpoint_url=aws.url, role_arn=ROLE))
    assert error.trouble is LiveTrouble.DENIED
    assert str(error).startswith(f"access denied to `sts:AssumeRole` on `{ROLE}`: not authorized")


def test_a_role_that_is_none(aws: Aws) -> None:
    error = fails(Access(region=REGION, endpoint_url=aws.url, role_arn="Audit"))
    assert "is not the ARN of a role" in str(error)


def test_the_credentials_of_a_role_are_renewed_before_they_expire(aws: Aws) -> None:
    def of_a_minute(minutes: int) -> tuple[int, str]:
        moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
        return 200, (
            "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAQQ</AccessKeyId>"
            "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
            f"<Expiration>{moment:%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials></AssumeRoleResult>"
            "</AssumeRoleResponse>"
        )

    aws.answer("AssumeRole", None, of_a_minute(1), times=1)
    aws.answer("AssumeRole", None, of_a_minute(60))
    session = open_session(Access(region=REGION, endpoint_url=aws.url, role_arn=ROLE))
    assert aws.count("AssumeRole") == 1
    session.identity()
    session.client("s3").list_buckets()
    assert aws.count("AssumeRole") == 2


def test_clients_are_made_once(aws: Aws) -> None:
    session = open_session(aws.access)
    assert session.client("s3") is session.client("s3", REGION)
    assert session.client("s3") is not session.client("s3", "eu-west-1")


@pytest.mark.parametrize(
    ("raised", "trouble"),
    [
        (known.NoCredentialsError(), LiveTrouble.CREDENTIALS),
        (known.UnauthorizedSSOTokenError(), LiveTrouble.EXPIRED),
        (known.SSOTokenLoadError(error_msg="none"), LiveTrouble.EXPIRED),
        (known.CredentialRetrievalError(provider="p", error_msg="m"), LiveTrouble.CREDENTIALS),
        (known.NoRegionError(), LiveTrouble.REGION),
        (known.ConnectTimeoutError(endpoint_url="http://a"), LiveTrouble.UNREACHABLE),
        (known.ReadTimeoutError(endpoint_url="http://a"), LiveTrouble.UNREACHABLE),
        (known.ConnectionClosedError(endpoint_url="http://a"), LiveTrouble.UNREACHABLE),
        (known.ProxyConnectionError(proxy_url="http://p"), LiveTrouble.UNREACHABLE),
        (known.ParamValidationError(report="x"), LiveTrouble.OTHER),
        (OSError(28, "No space left on device"), LiveTrouble.OTHER),
    ],
    ids=lambda value: type(value).__name__,
)
def test_everything_that_botocore_raises_is_one_line(raised: Exception, trouble: LiveTrouble) -> None:
    with pytest.raises(LiveError) as caught, translate_errors("s3:GetBucketPolicy", "bucket `b`"):
        raise raised
    assert caught.value.trouble is trouble
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        ("AccessDenied", LiveTrouble.DENIED),
        ("com.amazon#AccessDeniedException", LiveTrouble.DENIED),
        ("403", LiveTrouble.DENIED),
        ("NoSuchBucket", LiveTrouble.ABSENT),
        ("ThrottlingException", LiveTrouble.THROTTLED),
        ("RequestTimeTooSkewed", LiveTrouble.OTHER),
        ("InternalError", LiveTrouble.OTHER),
        ("ExpiredTokenException", LiveTrouble.EXPIRED),
    ],
)
def test_every_code_is_of_one_kind(code: str, trouble: LiveTrouble) -> None:
    error = known.ClientError({"Error": {"Code": code, "Message": "why\nthis."}}, "GetBucketPolicy")
    with pytest.raises(LiveError) as caught, translate_errors("s3:GetBucketPolicy", "bucket `b`"):
        raise error
    assert caught.value.trouble is trouble
    assert caught.value.code == code.rpartition("#")[2]
    assert "\n" not in str(caught.value)


def test_our_own_errors_pass_through() -> None:
    with pytest.raises(ZeroDivisionError), translate_errors("s3:GetBucketPolicy"):
        raise ZeroDivisionError
