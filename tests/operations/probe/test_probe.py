"""What a probe makes of every answer it can get, and what it never sends."""

from __future__ import annotations

import ssl
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("boto3", reason="boto3 is not installed: pip install 'secure-bucket[aws]'")

from secure_bucket.operations.aws.errors import LiveError, LiveTrouble
from secure_bucket.operations.aws.session import Access, Session, open_session
from secure_bucket.operations.probe import prober
from secure_bucket.operations.probe import transport as transport_module
from secure_bucket.operations.probe.narrow import session_policy
from secure_bucket.operations.probe.probe import (
    Check,
    EndpointLayout,
    Enforced,
    Inconclusive,
    Open,
    ProbeOutcome,
    Refuser,
    Signer,
    Transport,
    probe_bucket,
)
from secure_bucket.operations.probe.probed_bucket import ProbeTarget, parse_bucket_name, probe_requests
from secure_bucket.operations.probe.transport import can_speak, can_start_handshake
from secure_bucket.policy.request import Request
from secure_bucket.proof.verdict import Proven, Refuted, Undecided
from secure_bucket.values.unknown import Unknown
from tests.operations.probe.probe_server import (
    DENIED,
    NO_SUCH_KEY,
    PRECONDITION_FAILED,
    Reply,
    Seen,
    Storage,
    cut,
    error,
    explicit,
    free_port,
    let_in,
    storage,
)

TOKEN = "a-session-token"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Credentials of a session, and nothing from the environment of whoever runs the tests."""
    for name in ("AWS_PROFILE", "AWS_CA_BUNDLE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Storage]:
    """A server that lets everybody in, until a test says otherwise."""
    with storage(tmp_path) as running:
        yield running


def session_of(server: Storage) -> Session:
    return open_session(Access(endpoint_url=server.https_url, ca_bundle=server.ca_bundle))


def probe(server: Storage, transport: Transport = Transport.HTTP, **options: Any) -> ProbeOutcome:
    """Probe the bucket `reports` and an object in it, signed with the credentials of the session."""
    asked: dict[str, Any] = {
        "keys": ("report.csv",),
        "sign_http": Signer.OWN,
        "timeout": 5.0,
        "layout": EndpointLayout(http_endpoint_url=server.http_url),
        "session": session_of(server),
        **options,
    }
    (check,) = probe_bucket("reports", transports=(transport,), policy_check=False, **asked).checks
    return check.outcome


def always(reply: Any) -> Callable[[Seen], Any]:
    return lambda seen: reply


@pytest.mark.parametrize(
    ("reply", "by"),
    [
        (explicit("a resource-based policy"), Refuser.POLICY),
        (explicit("a resource control policy"), Refuser.ORGANIZATION),
        (
            explicit("a resource control policy: arn:aws:organizations::1:policy/o-1/p-1"),
            Refuser.ORGANIZATION,
        ),
    ],
)
def test_http_refused_by_a_policy_is_enforced(server: Storage, reply: Any, by: Refuser) -> None:
    server.over_http = reply
    outcome = probe(server)
    assert isinstance(outcome, Enforced)
    assert outcome.by is by
    assert [(each.action, each.status) for each in outcome.exchanges] == [
        ("s3:ListBucket", 200),
        ("s3:ListBucket", 403),
        ("s3:GetObject", 412),
        ("s3:GetObject", 403),
    ]


ALLOW_OVER_HTTPS = """{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:*",
    "Resource": ["arn:aws:s3:::reports", "arn:aws:s3:::reports/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "true"}}}}"""
DENY_OVER_HTTP = ALLOW_OVER_HTTPS.replace("Allow", "Deny").replace('"true"', '"false"')


@pytest.mark.parametrize(
    ("policy", "kind", "verdict"),
    [
        (None, Inconclusive, None),
        (ALLOW_OVER_HTTPS, Inconclusive, Refuted),
        (DENY_OVER_HTTP, Enforced, Proven),
    ],
)
@pytest.mark.parametrize("signer", [Signer.ANONYMOUS, Signer.OWN])
def test_refusal_that_is_not_named_is_a_deny_only_where_that_is_proven(
    server: Storage, signer: Signer, policy: str | None, kind: type[object], verdict: type[object] | None
) -> None:
    # What an allow leaves out is refused to strangers in the very words in which a deny refuses them.
    server.over_http = always(DENIED)
    read = Reply(200, str(policy).encode(), {"Content-Type": "application/json"})
    server.over_https = lambda seen: read if "?policy" in seen.path else let_in(seen)
    (check,) = probe_bucket(
        "reports",
        keys=("report.csv",),
        sign_http=signer,
        layout=EndpointLayout(http_endpoint_url=server.http_url),
        session=session_of(server),
        policy_check=policy is not None,
    ).checks
    assert isinstance(check.outcome, kind)
    assert check.verdict is None if verdict is None else isinstance(check.verdict, verdict)
    if isinstance(check.outcome, Inconclusive):
        assert "or use --policy-check" in check.outcome.reasons[0]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (DENY_OVER_HTTP.replace('"Effect"', '"Condition": {}, "Effect"'), "a key stands twice"),
        ("", "cannot be read as JSON"),
        ("[]", "not an object"),
    ],
)
def test_policy_text_that_is_none_is_a_fault(server: Storage, text: str, fault: str) -> None:
    server.over_http = explicit()
    read = Reply(200, text.encode(), {"Content-Type": "application/json"})
    server.over_https = lambda seen: read if "?policy" in seen.path else let_in(seen)
    found = probe_bucket(
        "reports",
        keys=("report.csv",),
        sign_http=Signer.OWN,
        layout=EndpointLayout(http_endpoint_url=server.http_url),
        session=session_of(server),
        policy_check=True,
    )
    assert fault in found.policy_fault
    assert [type(check.outcome) for check in found.checks] == [Enforced]
    assert [check.verdict for check in found.checks] == [None]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(),
        NO_SUCH_KEY,
        PRECONDITION_FAILED,
        error(416, "InvalidRange"),
        error(403, "InvalidObjectState", "The operation is not valid for the object's storage class"),
    ],
)
def test_http_let_in_is_open(server: Storage, reply: Reply) -> None:
    server.over_http = lambda seen: DENIED if "list-type" not in seen.path else reply
    outcome = probe(server)
    assert isinstance(outcome, Open)
    assert outcome.exchange.action == "s3:ListBucket"
    assert outcome.exchange.url.startswith(
        f"{server.http_url}/reports?list-type=2&prefix=secure-bucket-probe"
    )


def test_object_that_is_not_there_needs_a_denial_that_names_what_was_asked(server: Storage) -> None:
    server.over_http = explicit("a resource-based policy")
    assert isinstance(probe(server, keys=()), Enforced)
    # The policy covers the bucket alone, and so S3 denies even to tell that there is no such object.
    for over_http in (explicit("a resource-based policy", "s3:ListBucket"), always(DENIED)):
        server.over_http = over_http
        for keys in ((), ("not-there",)):
            server.over_https = lambda seen: Reply() if "list-type=2" in seen.path else NO_SUCH_KEY
            outcome = probe(server, keys=keys)
            assert isinstance(outcome, Inconclusive)
            assert outcome.reasons == (
                "`s3:GetObject`: S3 may have denied only `s3:ListBucket`, without which it does not "
                "report a missing object: name an existing one with --key",
            )


def test_denial_of_something_else_proves_nothing(server: Storage) -> None:
    server.over_http = explicit("a resource-based policy", "kms:Decrypt")
    outcome = probe(server)
    assert isinstance(outcome, Inconclusive)
    assert outcome.reasons == ("`s3:ListBucket` and `s3:GetObject`: S3 may have denied only `kms:Decrypt`",)


def test_open_objects_are_seen_behind_a_closed_bucket(server: Storage) -> None:
    server.over_http = lambda seen: DENIED if "list-type" in seen.path else NO_SUCH_KEY
    outcome = probe(server)
    assert isinstance(outcome, Open)
    assert (outcome.exchange.action, outcome.exchange.code) == ("s3:GetObject", "NoSuchKey")


IDENTITY = explicit("an identity-based policy")
CONTROL = explicit("a service control policy")
ENDPOINT = explicit("a VPC endpoint policy")
SESSION = explicit("a session policy")
EXPLICIT = (IDENTITY, CONTROL, ENDPOINT, SESSION)
HTML = Reply(403, b"<html><body>Blocked by policy</body></html>", {"Server": "squid"}, None)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (IDENTITY, "S3 refused because of the identity-based policy, which concerns the"),
        (CONTROL, "S3 refused because of the service control policy"),
        (ENDPOINT, "S3 refused because of the VPC endpoint policy"),
        (SESSION, "S3 refused because of the session policy"),
        (
            error(403, "AccessDenied", "… because no identity-based policy allows the s3:ListBucket action"),
            "S3 refused for lack of an allow",
        ),
        (
            HTML,
            "server than S3 answered: it has no id of a request to S3 (status 403, header `Server: squid`)",
        ),
        (Reply(200, b"<html>Sign in</html>", {}, None), "another server than S3 answered"),
        (Reply(403, b""), "its body is not an error of S3 (status 403)"),
        (
            error(403, "AccessDenied", Via="1.1 proxy.example"),
            "through a proxy (header `Via: 1.1 proxy.example`)",
        ),
        (Reply(200, headers={"Via": "1.1 proxy"}), "through a proxy"),
        (
            Reply(301, b"", {"Location": "https://reports.example/"}, None),
            "to HTTPS (`https://reports.example/`)",
        ),
        (
            Reply(307, b"", {"Location": "http://elsewhere.example/"}),
            "redirects the request to `http://elsewhere.example/`",
        ),
        (error(301, "PermanentRedirect"), "the answer redirects the request"),
        (error(403, "RequestTimeTooSkewed"), "`RequestTimeTooSkewed`, which does not come from the policy"),
        (error(403, "SignatureDoesNotMatch"), "`SignatureDoesNotMatch`, which does not come from the policy"),
        (error(403, "InvalidAccessKeyId"), "`InvalidAccessKeyId`, which does not come from the policy"),
        (error(404, "NoSuchBucket"), "`NoSuchBucket`, which does not come from the policy"),
        (
            error(400, "InvalidArgument", "… must be made over a secure connection."),
            "must be made over a secure connection",
        ),
        (cut, "over plain HTTP there was no answer: "),
        (lambda handler: handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "is not HTTP"),
    ],
)
def test_other_answers_over_http_prove_nothing(server: Storage, reply: Any, words: str) -> None:
    server.over_http = reply if reply in EXPLICIT else always(reply)
    outcome = probe(server)
    assert isinstance(outcome, Inconclusive)
    assert words in outcome.reasons[0]
    assert len(server.plain()) == 2, "a redirect was followed"


def test_success_with_something_else_in_it_proves_nothing(server: Storage) -> None:
    server.over_http = always(Reply(200, b"<html/>"))
    outcome = probe(server, keys=())
    assert isinstance(outcome, Inconclusive)
    assert [reason.rpartition(": ")[2] for reason in outcome.reasons] == [
        "its body is not a `ListBucketResult`",
        "its body is not a `Error`",
    ]


def test_slow_answer_proves_nothing(server: Storage) -> None:
    def trickle(handler: Any) -> None:
        for _ in range(200):
            handler.wfile.write(b"HTTP/1.1 403 Forbidden\r\nX: 1\r\n"[:1])
            time.sleep(0.05)

    for reply in (lambda handler: time.sleep(3), trickle):
        server.over_http = always(reply)
        started = time.monotonic()
        outcome = probe(server, timeout=0.5)
        assert isinstance(outcome, Inconclusive)
        assert time.monotonic() - started < 9  # The answers would take 3 and 10 seconds and more.
        assert "did not answer within 0.5 seconds" in outcome.reasons[0]


def test_endpoint_without_http_is_told_from_a_policy(server: Storage) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    outcome = probe(server, layout=EndpointLayout(http_endpoint_url=nowhere))
    assert isinstance(outcome, Inconclusive)
    assert (
        "the endpoint does not speak plain HTTP, so that the probe did not test the policy: nothing listens"
        in str(outcome.reasons)
    )


def test_busy_server_is_asked_again(server: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prober.time, "sleep", lambda seconds: None)
    answers = [error(503, "SlowDown"), error(500, "InternalError")]
    server.over_http = lambda seen: answers.pop(0) if answers else explicit()(seen)
    assert isinstance(probe(server), Enforced)
    server.over_http = always(error(503, "SlowDown"))
    assert isinstance(probe(server), Inconclusive)


def test_refusal_over_https_proves_nothing(server: Storage) -> None:
    server.over_https = server.over_http = always(DENIED)
    outcome = probe(server)
    assert isinstance(outcome, Inconclusive)
    assert [reason.partition(" as well")[0] for reason in outcome.reasons] == [
        "`s3:ListBucket`: refused over HTTPS",
        "`s3:GetObject`: refused over HTTPS",
    ]


def test_policy_that_is_the_wrong_way_round_is_open(server: Storage) -> None:
    server.over_https = always(DENIED)
    assert isinstance(probe(server), Open)


def test_objects_that_may_not_be_read_leave_it_open(server: Storage) -> None:
    server.over_https = lambda seen: let_in(seen) if "list-type" in seen.path else DENIED
    server.over_http = always(DENIED)
    outcome = probe(server)
    assert isinstance(outcome, Inconclusive)
    assert len(outcome.reasons) == 1
    assert outcome.reasons[0].endswith("or name an object that the caller may read with --key")


# What is sent, and what is not.


def test_nothing_signed_travels_in_clear_unless_asked_for(server: Storage) -> None:
    for transports in ((Transport.HTTP,), (Transport.HTTP, Transport.TLS_1_2)):
        probe_bucket(
            "reports",
            session=session_of(server),
            transports=transports,
            layout=EndpointLayout(http_endpoint_url=server.http_url),
            policy_check=False,
        )
    assert server.plain()
    for seen in server.plain():
        assert not {"authorization", "x-amz-security-token", "x-amz-date"} & seen.headers.keys()
        assert TOKEN not in seen.path
        assert "Signature" not in seen.path


def test_signed_request_is_the_same_over_both(server: Storage) -> None:
    probe(server)
    for scheme in ("http", "https"):
        signed = [each for each in server.seen if each.scheme == scheme and "authorization" in each.headers]
        assert [each.headers["x-amz-security-token"] for each in signed] == [TOKEN, TOKEN]
    by_scheme = {
        scheme: [
            each.path for each in server.seen if each.scheme == scheme and "authorization" in each.headers
        ]
        for scheme in ("http", "https")
    }
    assert by_scheme["http"] == by_scheme["https"]


@pytest.mark.parametrize("reply", [HTML, Reply(302, b"", {"Location": "https://login.example"}, None)])
def test_nothing_signed_travels_in_clear_before_s3_has_answered(server: Storage, reply: Reply) -> None:
    server.over_https = always(reply)
    outcome = probe(server)
    assert isinstance(outcome, Inconclusive)
    assert server.plain() == []


def test_credentials_of_a_session_are_not_sent_where_narrowed_ones_were_asked_for(server: Storage) -> None:
    with pytest.raises(LiveError, match="AWS narrows only those of a user: give --role-arn"):
        probe(server, sign_http=Signer.NARROWED)
    assert server.plain() == []


def test_named_objects_are_asked_for_without_their_content(server: Storage) -> None:
    probe(server, keys=("a/../b c",))
    last = server.plain()[-1]
    assert last.path == "/reports/a/../b%20c"
    assert last.headers["range"] == "bytes=0-0"
    assert last.headers["if-match"] == '"secure-bucket-probe"'
    signed = last.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert {"if-match", "range"} <= set(signed)


def test_session_may_do_what_is_asked_for_and_nothing_else() -> None:
    policy = session_policy("arn:aws:s3:::reports", ["a*b?${c}"])
    assert policy["Statement"] == [
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::reports"},
        {
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": ["arn:aws:s3:::reports/a${*}b${?}${$}{c}"],
        },
    ]


def test_keys_too_long_for_a_session_policy(server: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SESSION_TOKEN")
    with pytest.raises(LiveError, match=r"the keys are too long for one session policy of at most 2,048"):
        probe(server, sign_http=Signer.NARROWED, keys=("k" * 1024, "l" * 1024))


@pytest.mark.parametrize("scheme", ["HTTP", "HTTPS"])
def test_nothing_is_sent_through_a_proxy(
    server: Storage, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv(f"{scheme.lower()}_proxy", server.http_url)
    outcome = probe(server)
    assert isinstance(outcome, Inconclusive)
    assert f"a proxy is set for `{scheme.lower()}://127.0.0.1` ({scheme}_PROXY)" in outcome.reasons[0]
    assert server.seen == []
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert isinstance(probe(server), Open)


def test_bucket_is_found_in_its_region_before_anything_is_signed(server: Storage) -> None:
    def elsewhere(seen: Seen) -> Reply:
        if "/eu-central-1/s3/" in seen.headers.get("authorization", ""):
            return let_in(seen)
        return error(301, "PermanentRedirect", x_amz_bucket_region="eu-central-1")

    server.over_https = elsewhere
    server.over_http = explicit("a resource-based policy")
    found = probe_bucket(
        "reports",
        session=session_of(server),
        sign_http=Signer.OWN,
        layout=EndpointLayout(http_endpoint_url=server.http_url),
    )
    assert found.region == "eu-central-1"
    assert isinstance(found.checks[0].outcome, Enforced)
    assert all("/eu-central-1/s3/" in each.headers["authorization"] for each in server.plain())


# What cannot be asked at all.


@pytest.mark.parametrize(
    ("reply", "trouble", "words"),
    [
        (error(404, "NoSuchBucket"), LiveTrouble.ABSENT, "there is no such bucket"),
        (
            error(400, "ExpiredToken", "The token has expired"),
            LiveTrouble.EXPIRED,
            "the credentials have expired",
        ),
        (error(403, "InvalidAccessKeyId"), LiveTrouble.CREDENTIALS, "the credentials are not accepted"),
        (error(403, "SignatureDoesNotMatch"), LiveTrouble.CREDENTIALS, "the credentials are not accepted"),
        (error(403, "RequestTimeTooSkewed"), LiveTrouble.OTHER, "the clock of this machine is wrong"),
        (cut, LiveTrouble.UNREACHABLE, "cut the connection"),
    ],
)
def test_what_cannot_be_asked_is_an_error(
    server: Storage, reply: Any, trouble: LiveTrouble, words: str
) -> None:
    server.over_https = always(reply)
    with pytest.raises(LiveError, match=words) as raised:
        probe(server)
    assert raised.value.trouble is trouble
    assert server.plain() == []


def test_no_credentials_to_sign_with(server: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    for signer in (Signer.OWN, Signer.NARROWED):
        with pytest.raises(LiveError, match="there are no AWS credentials to sign with"):
            probe(server, sign_http=signer)
    server.over_http = explicit()
    assert isinstance(probe(server, sign_http=Signer.ANONYMOUS), Enforced)


def test_untrusted_certificate(server: Storage, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with storage(other) as another:
        access = Access(endpoint_url=server.https_url, ca_bundle=another.ca_bundle)
        with pytest.raises(LiveError, match=r"is not trusted: .* give the authority") as raised:
            probe(server, session=open_session(access))
    assert raised.value.trouble is LiveTrouble.TLS


def test_certificates_are_found_as_boto3_finds_them(
    server: Storage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", server.ca_bundle)
    assert isinstance(probe(server, session=open_session(Access(endpoint_url=server.https_url))), Open)
    (tmp_path / "empty.pem").write_text("nothing")
    access = Access(endpoint_url=server.https_url, ca_bundle=str(tmp_path / "empty.pem"))
    with pytest.raises(LiveError, match="is not a file of certificates"):
        probe(server, session=open_session(access))


def test_nobody_answers_over_https(server: Storage) -> None:
    access = Access(endpoint_url=f"https://127.0.0.1:{free_port()}", ca_bundle=server.ca_bundle)
    with pytest.raises(LiveError, match="nothing listens at") as raised:
        probe(server, session=open_session(access))
    assert raised.value.trouble is LiveTrouble.UNREACHABLE


# TLS versions.


def only(version: str) -> Callable[[ssl.SSLContext], None]:
    """Let a server speak one version."""

    def configure(context: ssl.SSLContext) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = ssl.TLSVersion[version]

    return configure


def every(context: ssl.SSLContext) -> None:
    """Let a server speak every version that the library has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("ALL:@SECLEVEL=0")


OLD = [Transport.TLS_1_0, Transport.TLS_1_1, Transport.TLS_1_2]


@pytest.mark.parametrize("transport", OLD)
def test_old_tls_is_spoken_for_real(tmp_path: Path, transport: Transport) -> None:
    with storage(tmp_path, every) as server:
        outcome = probe(server, transport)
        assert isinstance(outcome, Open)
        expected = {"1.0": "TLSv1", "1.1": "TLSv1.1", "1.2": "TLSv1.2"}[transport.tls]
        assert [each.tls for each in server.seen].count(expected) == 2
        server.over_https = lambda seen: explicit()(seen) if seen.tls == expected else let_in(seen)
        outcome = probe(server, transport)
        assert isinstance(outcome, Enforced)
        assert outcome.by is Refuser.POLICY
        assert server.plain() == []


@pytest.mark.parametrize(
    ("version", "transport"),
    [
        ("TLSv1_2", Transport.TLS_1_0),
        ("TLSv1_2", Transport.TLS_1_1),
        ("TLSv1_2", Transport.TLS_1_3),
        ("TLSv1_3", Transport.TLS_1_2),
    ],
)
def test_handshake_that_the_endpoint_refuses_is_not_the_policy(
    tmp_path: Path, version: str, transport: Transport
) -> None:
    with storage(tmp_path, only(version)) as server:
        outcome = probe(server, transport)
        assert isinstance(outcome, Enforced)
        assert outcome.by is Refuser.ENDPOINT
        # That is so for everybody, whatever the policies let in.
        server.over_https = always(DENIED)
        assert isinstance(probe(server, transport), Enforced)


def test_handshake_that_fails_for_the_ciphers_proves_nothing(tmp_path: Path) -> None:
    # Other clients offer it, with TLS 1.2 and older; with TLS 1.3 there are other ciphers.
    with storage(tmp_path, lambda context: context.set_ciphers("AES128-GCM-SHA256")) as server:
        outcome = probe(server, Transport.TLS_1_2)
    assert isinstance(outcome, Inconclusive)
    assert "handshake failure" in outcome.reasons[0]


def test_connection_that_is_cut_in_the_handshake_proves_nothing(
    server: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = prober.send

    def send(url: str, headers: Any, **options: Any) -> Any:
        context = options["context"]
        if context is not None and context.maximum_version == ssl.TLSVersion.TLSv1_2:
            url = server.http_url.replace("http:", "https:")
        return original(url, headers, **options)

    monkeypatch.setattr(prober, "send", send)
    outcome = probe(server, Transport.TLS_1_2)
    assert isinstance(outcome, Inconclusive)
    assert "over TLS 1.2 there was no answer: the TLS handshake with" in outcome.reasons[0]


def test_version_that_this_machine_cannot_speak_is_never_enforced(
    server: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.create_default_context()
    assert can_start_handshake(context)
    only("TLSv1_1")(context)
    # These ciphers came with TLS 1.2.
    context.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
    assert not can_start_handshake(context)
    assert can_speak(Transport.TLS_1_2, server.ca_bundle)

    def built_without_it(transport: Transport, ca_bundle: str) -> ssl.SSLContext:
        raise ValueError("Unsupported protocol version 0x302")

    monkeypatch.setattr(transport_module, "context_for", built_without_it)
    outcome = probe(server, Transport.TLS_1_1)
    assert isinstance(outcome, Inconclusive)
    assert outcome.reasons[0].startswith("the TLS library of this machine cannot speak TLS 1.1")


# The names and addresses.


@pytest.mark.parametrize(
    "argument", ["reports", "arn:aws:s3:::reports", "arn:aws-cn:s3:::reports", "s3://reports/"]
)
def test_name_of_a_bucket(argument: str) -> None:
    assert parse_bucket_name(argument) == "reports"


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        (
            "arn:aws:s3:us-east-1:111122223333:accesspoint/reports",
            "is an access point, which speaks HTTPS only",
        ),
        ("arn:aws:s3::111122223333:accesspoint/a.mrap", "is an access point, which speaks HTTPS only"),
        ("arn:aws:s3:::reports/key", "is not the ARN of a bucket"),
        ("arn:aws:iam::111122223333:role/r", "is not the ARN of a bucket"),
        ("reports--use1-az4--x-s3", "is a directory bucket, which speaks HTTPS only"),
        ("reports-1a2b3c-s3alias", "is the alias of an access point, which speaks HTTPS only"),
        ("s3://reports/key", "is not the name of a bucket"),
        ("re ports", "is not the name of a bucket"),
        ("x", "is not the name of a bucket"),
        ("", "is not the name of a bucket"),
    ],
)
def test_what_is_no_bucket_with_plain_http(argument: str, words: str) -> None:
    with pytest.raises(LiveError, match=words):
        parse_bucket_name(argument)


@pytest.mark.parametrize(
    ("bucket", "region", "layout", "address"),
    [
        ("reports", "us-east-1", EndpointLayout(), "reports.s3.us-east-1.amazonaws.com/"),
        ("reports", "eu-west-1", EndpointLayout(), "reports.s3.eu-west-1.amazonaws.com/"),
        ("reports", "cn-north-1", EndpointLayout(), "reports.s3.cn-north-1.amazonaws.com.cn/"),
        ("reports", "eu-west-1", EndpointLayout(path_style=True), "s3.eu-west-1.amazonaws.com/reports"),
        ("re.ports", "eu-west-1", EndpointLayout(), "s3.eu-west-1.amazonaws.com/re.ports"),
        (
            "reports",
            "eu-west-1",
            EndpointLayout(dual_stack=True),
            "reports.s3.dualstack.eu-west-1.amazonaws.com/",
        ),
        ("reports", "us-west-2", EndpointLayout(fips=True), "reports.s3-fips.us-west-2.amazonaws.com/"),
        ("reports", "eu-west-1", EndpointLayout(accelerate=True), "reports.s3-accelerate.amazonaws.com/"),
    ],
)
def test_both_addresses_of_aws(bucket: str, region: str, layout: EndpointLayout, address: str) -> None:
    target = ProbeTarget(open_session(), bucket, region, layout)
    listing = probe_requests(())[0]
    assert target.url(listing, plain=True).partition("?")[0] == f"http://{address}"
    assert target.url(listing, plain=False).partition("?")[0] == f"https://{address}"


def test_addresses_of_other_storage() -> None:
    def addresses(endpoint: str, layout: EndpointLayout | None = None) -> list[str]:
        session = open_session(Access(endpoint_url=endpoint))
        target = ProbeTarget(session, "reports", "us-east-1", layout or EndpointLayout(path_style=True))
        return [target.url(probe_requests(())[0], plain=plain).partition("?")[0] for plain in (True, False)]

    both = ["http://storage.example/reports", "https://storage.example/reports"]
    assert addresses("https://storage.example") == both
    with pytest.raises(LiveError, match=r"speaks plain HTTP beside `https://storage.example:9001`"):
        addresses("https://storage.example:9001")
    other = EndpointLayout("http://storage.example:9000", path_style=True)
    assert addresses("https://storage.example:9001", other)[0] == "http://storage.example:9000/reports"
    with pytest.raises(LiveError, match="is not HTTPS: give the HTTPS endpoint with --endpoint-url"):
        addresses("http://storage.example")
    with pytest.raises(LiveError, match="is not `http://` with a host"):
        addresses("https://storage.example", EndpointLayout("https://storage.example"))
    with pytest.raises(LiveError, match=r"accelerate|Accelerate"):
        addresses("https://storage.example", EndpointLayout("http://storage.example", accelerate=True))


def test_endpoint_of_the_environment_is_taken_for_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://storage.example")
    target = ProbeTarget(open_session(), "reports", "us-east-1", EndpointLayout(path_style=True))
    assert target.url(probe_requests(())[0], plain=True).startswith("http://storage.example/reports?")


# What it comes to.


def test_outcome_is_no_boolean(server: Storage) -> None:
    with pytest.raises(TypeError, match="a probe has three outcomes, so `Open` is neither true nor false"):
        bool(probe(server))


@pytest.mark.parametrize(
    ("verdict", "outcome", "words"),
    [
        (Proven(), Open(None, ()), "provably denies every request over plain HTTP, and yet one got in"),  # type: ignore[arg-type]
        (
            Refuted(Request("anonymous", "s3:PutObject", "arn:aws:s3:::reports/a", {}), "no statement"),
            Enforced(Refuser.POLICY, ()),
            "accepts one that the probe did not send: anyone can PUT `a`",
        ),
        (Proven(), Enforced(Refuser.POLICY, ()), ""),
        (Proven(), Inconclusive(("x",), ()), ""),
        (Undecided((Unknown("x"),)), Enforced(Refuser.POLICY, ()), ""),
        (None, Open(None, ()), ""),  # type: ignore[arg-type]
    ],
)
def test_where_proof_and_probe_disagree(verdict: Any, outcome: ProbeOutcome, words: str) -> None:
    disagreement = Check(Transport.HTTP, outcome, verdict).disagreement
    assert words in disagreement
    assert bool(words) == bool(disagreement)
