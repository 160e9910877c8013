"""Whom each form of a `Principal` element means, among everyone who can make a request."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from secure_bucket.policy import Hole, Place, Text, Unknown
from secure_bucket.policy.document import Principal, Principals
from secure_bucket.policy.principal import Kind
from secure_bucket.proof.principal_matching import compile_principals
from secure_bucket.proof.principals import Who

ACCOUNT = "111122223333"
ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/app"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/i-1"

ANYBODY = Who(Kind.ANONYMOUS, "anonymous")
USER = Who(Kind.USER, ALICE, ACCOUNT, ALICE, "alice")
ROLE_SESSION = Who(Kind.ROLE, SESSION, ACCOUNT, ROLE)
ROOT = Who(Kind.ROOT, f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root")
SERVICE = Who(Kind.SERVICE, "cloudtrail.amazonaws.com")
ALL = (ANYBODY, USER, ROLE_SESSION, ROOT, SERVICE)

PLACE = Place("/Resources/Policy")
PARAMETER = Hole("Admin", "the value of the parameter `Admin` is given only at deployment", at=PLACE)
OWN_ACCOUNT = Hole("AWS::AccountId", "the account is known only at deployment", at=PLACE)
OF_OWN_ACCOUNT = Text(("arn:aws:iam::", OWN_ACCOUNT, ":root"))


def meant(kind: str, value: str | Text | Unknown, *, strict: bool = False) -> list[Who]:
    """Return those whom an entry certainly means."""
    addressees = compile_principals(Principals((Principal(kind, value),)))
    return [who for who in ALL if addressees.include(who, strict=strict) is True]


def open_points(kind: str, value: str | Text | Unknown) -> dict[Kind, str]:
    """Return for whom it is not known whether an entry means them, and why."""
    addressees = compile_principals(Principals((Principal(kind, value),)))
    answers = ((who, addressees.include(who, strict=False)) for who in ALL)
    return {who.kind: answer.reason for who, answer in answers if isinstance(answer, Unknown)}


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("*", "*", [*ALL]),
        ("AWS", "*", [*ALL]),
        ("AWS", ACCOUNT, [USER, ROLE_SESSION, ROOT]),
        ("AWS", f"arn:aws:iam::{ACCOUNT}:root", [USER, ROLE_SESSION, ROOT]),
        ("AWS", f"arn:aws-cn:iam::{ACCOUNT}:root", []),
        ("AWS", "444455556666", []),
        ("AWS", "arn:aws:iam::444455556666:root", []),
        ("AWS", ALICE, [USER]),
        ("AWS", f"arn:aws:iam::{ACCOUNT}:user/Alice", []),
        ("AWS", ROLE, [ROLE_SESSION]),
        # A role is named with its path.
        ("AWS", f"arn:aws:iam::{ACCOUNT}:role/app", []),
        ("AWS", f"arn:aws:iam::{ACCOUNT}:role/other/app", []),
        ("AWS", f"arn:aws:iam::{ACCOUNT}:role/apps", []),
        ("AWS", SESSION, [ROLE_SESSION]),
        ("AWS", f"arn:aws:sts::{ACCOUNT}:assumed-role/app/i-2", []),
        # Wildcards in the ARN of a principal mean nobody.
        ("AWS", f"arn:aws:iam::{ACCOUNT}:user/*", []),
        ("AWS", f"arn:aws:iam::{ACCOUNT}:user/alic?", []),
        ("AWS", "arn:aws:iam::*:root", []),
        ("Service", "cloudtrail.amazonaws.com", [SERVICE]),
        ("Service", "config.amazonaws.com", []),
    ],
)
def test_an_entry_means(kind: str, value: str, expected: list[Who]) -> None:
    assert meant(kind, value) == expected
    assert open_points(kind, value) == {}


def test_strictly_aws_star_leaves_services_out() -> None:
    assert meant("AWS", "*", strict=True) == [ANYBODY, USER, ROLE_SESSION, ROOT]
    assert meant("*", "*", strict=True) == [*ALL]


@pytest.mark.parametrize(
    ("kind", "value", "whom", "reason"),
    [
        ("AWS", "AIDAEXAMPLE", ["user", "role", "root"], "which principal has the id `AIDAEXAMPLE`"),
        ("AWS", "1111222233334", ["user", "role", "root"], "which principal has the id `1111222233334`"),
        ("AWS", "11112222333x", ["user", "role", "root"], "which principal has the id `11112222333x`"),
        ("CanonicalUser", "79a5", ["user", "role", "root"], "principals `CanonicalUser` `79a5` stands for"),
        ("Federated", "accounts.google.com", ["user", "role", "root"], "`Federated` `accounts.google.com`"),
        ("Service", "*", ["service"], "AWS does not document a wildcard for service principals"),
        ("Service", ALICE, ["service"], "is not the name of an AWS service"),
        ("AWS", Text((PARAMETER,)), [kind.kind.value for kind in ALL], PARAMETER.reason),
        ("AWS", Unknown("who knows"), [kind.kind.value for kind in ALL], "who knows"),
    ],
)
def test_nobody_is_guessed(kind: str, value: str | Text | Unknown, whom: list[str], reason: str) -> None:
    points = open_points(kind, value)
    assert [kind.value for kind in points] == whom
    assert all(reason in point for point in points.values())
    assert meant(kind, value) == []


@pytest.mark.parametrize("arn", [ROLE, Text((Hole("Role.Arn", "it is an attribute", plain=True),))])
@pytest.mark.parametrize("negated", [False, True])
def test_a_role_that_is_made_later_under_the_same_arn_is_not_named(arn: str | Text, negated: bool) -> None:
    addressees = compile_principals(Principals((Principal("AWS", arn),), negated))
    later = Who(Kind.ROLE, SESSION, ACCOUNT, arn, bound=False)
    assert addressees.include(replace(later, bound=True), strict=False) is not negated
    assert addressees.include(later, strict=False) is negated


def test_a_session_and_an_account_name_a_role_that_is_made_later() -> None:
    later = replace(ROLE_SESSION, bound=False)
    for value in (SESSION, ACCOUNT, "*"):
        assert compile_principals(Principals((Principal("AWS", value),))).include(later, strict=False) is True


def test_an_account_of_unknown_number_is_itself_and_no_other() -> None:
    own = Text((OWN_ACCOUNT,))
    arn = Text(("arn:aws:iam::", OWN_ACCOUNT, ":user/alice"))
    bob = Who(Kind.USER, arn, own, arn, "alice")
    addressees = compile_principals(Principals((Principal("AWS", OF_OWN_ACCOUNT),)))
    assert addressees.include(bob, strict=False) is True
    assert addressees.include(USER, strict=False) is False
    by_number = compile_principals(Principals((Principal("AWS", ACCOUNT),)))
    answer = by_number.include(bob, strict=False)
    assert isinstance(answer, Unknown)
    assert "not known" in answer.reason
    assert compile_principals(Principals((Principal("AWS", arn),))).include(bob, strict=False) is True


def test_a_list_is_a_union() -> None:
    entries = (Principal("AWS", ALICE), Principal("Service", "cloudtrail.amazonaws.com"))
    addressees = compile_principals(Principals(entries))
    assert [who for who in ALL if addressees.include(who, strict=False) is True] == [USER, SERVICE]


def test_not_principal_leaves_out_whom_it_names() -> None:
    entries = (Principal("AWS", ALICE), Principal("AWS", f"arn:aws:iam::{ACCOUNT}:root"))
    addressees = compile_principals(Principals(entries, negated=True))
    assert addressees.include(USER, strict=False) is False
    assert addressees.include(ROOT, strict=False) is False
    assert addressees.include(ANYBODY, strict=False) is True
    assert addressees.include(SERVICE, strict=False) is True
    assert not addressees.everyone


@pytest.mark.parametrize("account", [ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root"])
def test_whom_an_account_in_not_principal_leaves_out_is_documented_in_two_ways(account: str) -> None:
    addressees = compile_principals(Principals((Principal("AWS", account),), negated=True))
    for who in (USER, ROLE_SESSION):
        answer = addressees.include(who, strict=False)
        assert isinstance(answer, Unknown)
        assert (
            answer.reason == "AWS says two things of which principals an account in `NotPrincipal` leaves out"
        )
    assert addressees.include(ROOT, strict=False) is False
    assert addressees.include(ANYBODY, strict=False) is True
    stranger = "arn:aws:iam::444455556666:user/alice"
    assert (
        addressees.include(Who(Kind.USER, stranger, "444455556666", stranger, "alice"), strict=False) is True
    )


def test_what_is_not_known_in_not_principal_leaves_out_nobody_for_sure() -> None:
    unknown = Unknown("who knows")
    for entry in (unknown, Principal("AWS", unknown)):
        addressees = compile_principals(Principals((entry,), negated=True))
        assert addressees.include(USER, strict=False) == unknown
    everyone_but_services = compile_principals(Principals((Principal("AWS", "*"),), negated=True))
    assert everyone_but_services.include(USER, strict=False) is False


def test_somebody_of_unknown_name_may_be_one_who_is_written_in_full() -> None:
    role = Hole("Role.Arn", "`Role.Arn` is known only at deployment", plain=True)
    unknown = Who(
        Kind.ROLE, Text((role,)), Text((Hole("account of Role", "it is not known"),)), Text((role,))
    )
    addressees = compile_principals(Principals((Principal("AWS", ALICE),)))
    assert isinstance(addressees.include(unknown, strict=False), Unknown)
    session = Who(Kind.ROLE, SESSION, ACCOUNT, Text((role,)))
    assert isinstance(addressees.include(session, strict=False), Unknown)


@pytest.mark.parametrize(
    ("entries", "negated", "expected"),
    [
        ([("*", "*")], False, True),
        ([("AWS", ALICE), ("AWS", "*")], False, True),
        ([("Service", "*")], False, False),
        ([("AWS", ALICE)], False, False),
        ([("AWS", "*")], True, False),
    ],
)
def test_everyone(entries: list[tuple[str, str]], negated: bool, expected: bool) -> None:
    principals = Principals(tuple(Principal(kind, value) for kind, value in entries), negated)
    assert compile_principals(principals).everyone is expected
