"""Many accounts: profiles, roles, organizations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from secure_bucket.operations.aws.session import Access
from secure_bucket.operations.review import LiveError, ReviewQuestion, Scope, review_accounts
from secure_bucket.operations.review.permissions import review_permissions
from tests.operations.review.aws import ACCOUNT, REGION, Answer, Aws, Request, bucket, sts_error

OTHER = "111122223333"
THIRD = "444455556666"


def profiles(aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **credentials: str) -> None:
    """Write profiles with these keys, and leave none in the environment."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    lines = [
        f"[{name}]\naws_access_key_id = {key}\naws_secret_access_key = s\n"
        for name, key in credentials.items()
    ]
    file = tmp_path / "credentials"
    file.write_text("\n".join(lines))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))


def key_of(aws: Aws, account: str) -> str:
    """Return an access key of a user of an account."""
    assumed = aws.client("sts").assume_role(RoleArn=f"arn:aws:iam::{account}:role/a", RoleSessionName="made")
    credentials = assumed["Credentials"]
    iam = aws.client(
        "iam",
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )
    iam.create_user(UserName="reviewer")
    return str(iam.create_access_key(UserName="reviewer")["AccessKey"]["AccessKeyId"])


def organization(aws: Aws, **states: str) -> None:
    """Answer with an organization of these accounts, two a page."""
    accounts = [
        {"Id": name.removeprefix("a"), "State": state, "Status": state} for name, state in states.items()
    ]

    def rule(request: Any) -> tuple[int, str] | None:
        if request.operation != "ListAccounts":
            return None
        start = int(json.loads(request.body).get("NextToken", 0))
        more = {"NextToken": str(start + 2)} if start + 2 < len(accounts) else {}
        return 200, json.dumps({"Accounts": accounts[start : start + 2], **more})

    aws.rules.append(rule)


def test_several_profiles(aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    key = key_of(aws, OTHER)
    bucket("here")
    bucket("there", None, account=OTHER)
    profiles(aws, monkeypatch, tmp_path, one="AKIAIOSFODNN7EXAMPLE", two=key, again=key)
    report = review_accounts(Scope(aws.access, profiles=("one", "two", "again", "nobody")))
    assert [(each.account, each.subject.label) for each in report.buckets] == [
        (ACCOUNT, "arn:aws:s3:::here"),
        (OTHER, "arn:aws:s3:::there"),
    ]
    assert report.accounts == (ACCOUNT, OTHER)
    assert [each[1:] for each in report.not_applicable] == [
        ("profile `again`", "it is the same account as profile `two`, which is reviewed once")
    ]
    assert [fault.message for fault in report.faults] == [
        "profile `nobody` is not reviewed: there is no profile `nobody` in the AWS configuration"
    ]


def test_a_role_in_each_account(aws: Aws) -> None:
    bucket("there", None, account=OTHER)
    bucket("third", account=THIRD)
    roles = tuple(f"arn:aws:iam::{account}:role/Audit" for account in (OTHER, THIRD))
    report = review_accounts(Scope(aws.access, role_arns=roles, external_id="x-1"))
    assert report.accounts == (OTHER, THIRD)
    assert (report.proven, report.refuted) == (1, 1)
    asked = [request.body for request in aws.seen if request.operation == "AssumeRole"]
    assert len(asked) == 2
    assert all(b"ExternalId=x-1" in body for body in asked)


def test_an_account_that_cannot_be_entered_is_a_fault(aws: Aws) -> None:
    bucket("third", account=THIRD)

    def distrusts(request: Request) -> Answer:
        asked = request.operation == "AssumeRole" and OTHER.encode() in request.body
        return sts_error(403, "AccessDenied", "no trust") if asked else None

    aws.rules.append(distrusts)
    report = review_accounts(Scope(aws.access, role_name="Audit", accounts=(OTHER, THIRD)))
    assert report.accounts == (THIRD,)
    assert [fault.message for fault in report.faults] == [
        f"account {OTHER} is not reviewed: access denied to `sts:AssumeRole` on "
        f"`arn:aws:iam::{OTHER}:role/Audit`: no trust"
    ]


def test_no_account_that_can_be_entered_is_an_error(aws: Aws) -> None:
    aws.answer("AssumeRole", None, sts_error(403, "AccessDenied"))
    with pytest.raises(
        LiveError, match=r"access denied to `sts:AssumeRole`.*\(and 1 other account failed as well\)"
    ):
        review_accounts(Scope(aws.access, role_name="Audit", accounts=(OTHER, THIRD)))


def test_the_accounts_of_an_organization(aws: Aws) -> None:
    organization(
        aws,
        **{
            f"a{ACCOUNT}": "ACTIVE",
            f"a{OTHER}": "ACTIVE",
            "a777788889999": "SUSPENDED",
            "a888899990000": "CLOSED",
            f"a{THIRD}": "PENDING_CLOSURE",
        },
    )
    bucket("here")
    bucket("there", account=OTHER)
    scope = Scope(aws.access, role_name="Audit", organization=True, skip_accounts=(THIRD,))
    report = review_accounts(scope)
    # The own account is read without a role, which the management account does not have.
    assert aws.count("AssumeRole") == 1
    assert aws.count("ListAccounts") == 3
    assert report.accounts == (ACCOUNT, OTHER)
    assert report.proven == 2
    assert [each[1:] for each in report.not_applicable] == [
        ("account 777788889999", "it is suspended"),
        ("account 888899990000", "it is closed"),
        (f"account {THIRD}", "it is left out by --skip-account"),
    ]


def test_an_organization_that_may_not_be_listed(aws: Aws) -> None:
    aws.answer("ListAccounts", None, (400, '{"__type": "AccessDeniedException", "Message": "no"}'))
    with pytest.raises(
        LiveError, match="access denied to `organizations:ListAccounts` on the organization: no"
    ):
        review_accounts(Scope(aws.access, role_name="Audit", organization=True))


@pytest.mark.parametrize(
    ("scope", "message"),
    [
        ({"accounts": ("1",), "role_name": "A"}, "`1` is not an account, which has 12 digits"),
        ({"role_name": "A"}, "--role-name needs the accounts"),
        ({"role_name": "A b", "organization": True}, "is not the name of a role"),
        ({"external_id": "x"}, "--external-id is for a role"),
        ({"role_arns": ("arn:x",), "profiles": ("a", "b")}, "as one profile"),
        ({"role_name": "A", "accounts": (OTHER,), "skip_accounts": (OTHER,)}, "no account is left"),
    ],
)
def test_a_scope_that_contradicts_itself(aws: Aws, scope: dict[str, Any], message: str) -> None:
    with pytest.raises(LiveError, match=message):
        review_accounts(Scope(aws.access, **scope))


_ACTIONS = {
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3control:GetPublicAccessBlock": "s3:GetAccountPublicAccessBlock",
}


def actions(policy: dict[str, Any]) -> set[str]:
    return {action for statement in policy["Statement"] for action in statement["Action"]}


def made(calls: list[str]) -> set[str]:
    # Nobody needs a permission to ask who they are.
    return {_ACTIONS.get(call, call) for call in calls} - {"sts:GetCallerIdentity"}


@pytest.mark.parametrize("names", [(), ("open", "denies")])
def test_the_permissions_are_those_that_are_used(aws: Aws, calls: list[str], names: tuple[str, ...]) -> None:
    bucket("open", None)
    bucket("denies")
    scope, question = Scope(aws.access), ReviewQuestion(names)
    assert not review_accounts(scope, question).faults
    policy = review_permissions(scope, question)
    assert actions(policy) == made(calls)
    resources = [each["Resource"] for each in policy["Statement"] if each["Sid"] == "ReadBuckets"]
    assert resources == [[f"arn:aws:s3:::{name}" for name in names] or ["arn:aws:s3:::*"]]


def test_the_permissions_of_the_caller_and_of_the_roles(aws: Aws, calls: list[str]) -> None:
    organization(aws, **{f"a{ACCOUNT}": "ACTIVE", f"a{OTHER}": "ACTIVE"})
    bucket("there", None, account=OTHER)
    scope = Scope(aws.access, role_name="Audit", organization=True)
    review_accounts(scope, ReviewQuestion())
    policies = review_permissions(scope, ReviewQuestion(), partition="aws-cn")
    assert actions(policies["Caller"]) | actions(policies["Role"]) == made(calls)
    assert actions(policies["Role"]) < actions(policies["Caller"])
    (assume, *_) = policies["Caller"]["Statement"]
    assert assume["Resource"] == ["arn:aws-cn:iam::*:role/Audit"]


def test_roles_by_their_arns_and_accounts() -> None:
    access = Access(region=REGION)
    by_arn = review_permissions(Scope(access, role_arns=("arn:aws:iam::1:role/A",)), ReviewQuestion())
    assert by_arn["Caller"]["Statement"][0]["Resource"] == ["arn:aws:iam::1:role/A"]
    named = review_permissions(Scope(access, role_name="A", accounts=(OTHER, THIRD)), ReviewQuestion())
    assert named["Caller"]["Statement"][0]["Resource"] == [
        f"arn:aws:iam::{OTHER}:role/A",
        f"arn:aws:iam::{THIRD}:role/A",
    ]
