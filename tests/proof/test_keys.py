"""When a condition key is present, for the principals and networks that AWS tells apart."""

from __future__ import annotations

import pytest

from secure_bucket.policy.principal import Kind
from secure_bucket.policy.variables import Variable
from secure_bucket.proof.keys import Availability, is_always_present, presence_of
from secure_bucket.proof.three_valued import depends_on
from secure_bucket.values.unknown import Place


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("aws:SecureTransport", Kind.ANONYMOUS, Availability.ALWAYS),
        ("aws:PrincipalAccount", Kind.ANONYMOUS, Availability.ALWAYS),
        ("aws:PrincipalAccount", Kind.USER, Availability.ALWAYS),
        ("aws:PrincipalAccount", Kind.SERVICE, Availability.PRESENT_SOMEHOW),
        ("aws:PrincipalType", Kind.SERVICE, Availability.PRESENT_SOMEHOW),
        ("aws:PrincipalArn", Kind.ROLE, Availability.ALWAYS),
        ("aws:PrincipalArn", Kind.ANONYMOUS, Availability.NEVER),
        ("aws:PrincipalArn", Kind.SERVICE, Availability.ABSENT_RATHER),
        ("aws:PrincipalIsAWSService", Kind.ANONYMOUS, Availability.NEVER),
        ("aws:username", Kind.USER, Availability.ALWAYS),
        ("aws:username", Kind.ROLE, Availability.NEVER),
        ("aws:username", Kind.SERVICE, Availability.NEVER),
        ("aws:PrincipalTag/team", Kind.USER, Availability.FREE),
        ("aws:PrincipalTag/team", Kind.ROOT, Availability.ABSENT_RATHER),
        ("aws:PrincipalTag/team", Kind.ANONYMOUS, Availability.NEVER),
        ("aws:SourceArn", Kind.SERVICE, Availability.FREE),
        ("aws:SourceArn", Kind.USER, Availability.NEVER),
        ("aws:PrincipalServiceName", Kind.SERVICE, Availability.ALWAYS),
        ("aws:PrincipalServiceName", Kind.ROLE, Availability.NEVER),
        ("aws:SourceIp", Kind.USER, Availability.ALWAYS),
        ("aws:SourceVpce", Kind.USER, Availability.NEVER),
        ("s3:TlsVersion", Kind.USER, Availability.FREE),
        ("s3:prefix", Kind.USER, Availability.FREE),
        ("aws:IsMcpServiceAction", Kind.USER, Availability.ABSENT_RATHER),
        ("example:NoSuchKey", Kind.USER, Availability.ABSENT_RATHER),
    ],
)
def test_presence_without_an_endpoint(name: str, kind: Kind, expected: Availability) -> None:
    assert presence_of(name, kind, through_endpoint=False, tls_absent=True) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("aws:SourceIp", Availability.NEVER),
        ("aws:SourceVpce", Availability.PRESENT_RATHER),
        ("aws:SourceVpc", Availability.PRESENT_RATHER),
        ("aws:VpceOrgID", Availability.FREE),
    ],
)
def test_presence_through_an_endpoint(name: str, expected: Availability) -> None:
    assert presence_of(name, Kind.USER, through_endpoint=True, tls_absent=True) is expected


@pytest.mark.parametrize(
    ("kind", "over_http", "expected"),
    [
        (Kind.USER, True, Availability.ABSENT_RATHER),
        (Kind.USER, False, Availability.FREE),
        (Kind.ANONYMOUS, False, Availability.ABSENT_RATHER),
    ],
)
def test_access_points_take_signed_requests_over_https(
    kind: Kind, over_http: bool, expected: Availability
) -> None:
    for name in ("s3:DataAccessPointArn", "s3:AccessPointNetworkOrigin", "s3:AccessPointTag/team"):
        assert presence_of(name, kind, through_endpoint=False, tls_absent=over_http) is expected


def test_a_request_over_tls_always_has_its_version() -> None:
    found = presence_of("s3:TlsVersion", Kind.USER, through_endpoint=False, tls_absent=False)
    assert found is Availability.ALWAYS


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("aws:userid", True),
        ("AWS:USERAGENT", True),
        ("aws:PrincipalAccount", True),
        ("aws:username", False),
        ("example:NoSuchKey", False),
    ],
)
def test_only_what_every_request_has_is_always_present(name: str, expected: bool) -> None:
    assert is_always_present(name) is expected


def test_what_a_variable_decides_names_the_variable_and_its_place() -> None:
    depends = depends_on(Variable("aws:username"), Place("/Statement/0"))
    assert depends.reason == "the policy variable `${aws:username}` depends on the request"
    assert depends.at == Place("/Statement/0")
