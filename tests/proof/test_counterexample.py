"""What a counterexample shows, and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from secure_bucket.policy import Hole, Place, Text
from secure_bucket.proof import Proven, Refuted, Undecided, prove_denies_http
from tests.proof.test_prove import BUCKET, HTTP, deny, prove


def refuted(*statements: Any) -> Refuted:
    verdict = prove(*statements)
    assert isinstance(verdict, Refuted)
    return verdict


@pytest.mark.parametrize(
    ("actions", "words"),
    [
        (["s3:Get*", "s3:Put*"], "covers only `s3:Get*` and `s3:Put*`"),
        (["s3:Get*", "s3:Put*", "s3:List*"], "covers only `s3:Get*`, `s3:Put*` and `s3:List*`"),
        (["s3:G*", "s3:P*", "s3:L*", "s3:D*"], "covers only `s3:G*`, `s3:P*` and 2 more"),
        (["s3:Get" + 74 * "?"], f"covers only `s3:Get{74 * '?'}`"),
        (["s3:Get" + 75 * "?"], f"covers only `s3:Get{73 * '?'}…`"),
    ],
)
def test_at_most_three_values_are_named_and_long_ones_are_cut(actions: list[str], words: str) -> None:
    assert refuted(deny(Action=actions)).why == f"statement `DenyHttp` {words}"


def test_the_closest_statement_is_the_one_with_the_fewest_gaps() -> None:
    narrow = deny(Sid="Narrow", Action="s3:Put*", Resource=f"{BUCKET}/a/*")
    wide = deny(Sid="Wide", Action="s3:Put*")
    verdict = refuted(narrow, wide)
    assert (verdict.statement, verdict.why) == (1, "statement `Wide` covers only `s3:Put*`")


def test_a_statement_that_is_not_about_the_transport_is_the_least_close() -> None:
    other = deny(Sid="Tls", Condition={"Bool": {"aws:SecureTransport": "true"}})
    gaps = deny(Sid="Gaps", Action="s3:Put*", Resource=f"{BUCKET}/a/*", Principal={"AWS": "111122223333"})
    assert refuted(other, gaps).statement == 1


def test_at_most_two_gaps_are_told() -> None:
    gaps = deny(Action="s3:Put*", Resource=f"{BUCKET}/a/*", Principal={"AWS": "111122223333"})
    assert refuted(gaps).why.count(" and ") == 1


def test_some_objects_beside_the_bucket_are_named() -> None:
    verdict = refuted(deny(Resource=[BUCKET, f"{BUCKET}/a/*"]))
    assert verdict.why.endswith(f"covers the bucket itself, but of its objects only `{BUCKET}/a/*`")


def test_without_a_statement_the_whole_policy_is_the_place() -> None:
    assert refuted(deny(Effect="Allow")).at == Place()


def test_somebody_without_a_signature_has_the_id_anonymous() -> None:
    verdict = refuted(deny(Condition=HTTP | {"StringNotEquals": {"aws:userid": "anonymous"}}))
    assert verdict.request.principal == verdict.request.context["aws:userid"] == "anonymous"


def test_a_user_is_shown_with_the_id_of_a_user() -> None:
    verdict = refuted(deny(Condition=HTTP | {"StringNotLike": {"aws:userid": "AIDAX*"}}))
    assert ":user/" in verdict.request.principal
    assert verdict.request.context["aws:userid"] == "AIDAX"


def test_a_session_is_shown_with_the_id_of_its_role() -> None:
    verdict = refuted(deny(Condition=HTTP | {"StringNotLike": {"aws:userid": "AROAX:*"}}))
    assert ":assumed-role/" in verdict.request.principal
    assert str(verdict.request.context["aws:userid"]).startswith("AROAX:")


def test_a_service_that_is_left_out_is_shown() -> None:
    service = "cloudtrail.amazonaws.com"
    verdict = refuted(deny(Principal=None, NotPrincipal={"Service": service}))
    assert verdict.request.principal == service
    assert verdict.request.context["aws:PrincipalServiceName"] == service


def test_no_service_has_a_name_that_aws_does_not_write() -> None:
    names = {"StringLikeIfExists": {"aws:CalledViaFirst": "*.amazonaws.com"}}
    assert isinstance(prove(deny(Condition=HTTP | names)), Undecided)


def test_an_action_that_aws_does_not_list_is_named() -> None:
    verdict = prove(deny(Action=None, NotAction="s3:GetFuture"))
    assert isinstance(verdict, Undecided)
    assert [reason.reason for reason in verdict.reasons] == [
        "AWS lists no action `s3:GETFUTURE`, but it may add one"
    ]


def test_an_action_that_may_meet_no_policy_is_named() -> None:
    verdict = prove(deny(Action=None, NotAction="s3:CreateBucket"))
    assert isinstance(verdict, Undecided)
    assert [reason.reason for reason in verdict.reasons] == [
        "AWS does not document whether `s3:CreateBucket` meets the policy of a bucket that exists"
    ]


def test_a_key_that_the_table_lacks_is_named() -> None:
    unknown = {"StringNotEquals": {"s3:NoSuchKey": "a"}}
    verdict = prove(deny(Condition=HTTP | unknown))
    assert isinstance(verdict, Undecided)
    assert verdict.reasons[0].reason == "the table of condition keys does not have `s3:NoSuchKey`"


def test_the_last_date_of_four_digits_is_a_time() -> None:
    last = "9999-12-31T23:59:59Z"
    verdict = refuted(deny(Condition=HTTP | {"DateNotEquals": {"aws:CurrentTime": last}}))
    assert verdict.request.context["aws:CurrentTime"] == last


def test_a_parameter_that_a_boolean_operator_reads_is_named() -> None:
    hole = Hole("Transport", "it is a parameter")
    verdict = prove(deny(Condition={"Bool": {"aws:SecureTransport": Text((hole,))}}))
    assert isinstance(verdict, Undecided)
    assert verdict.reasons[0].reason == "it is a parameter"


def test_what_looks_like_a_variable_is_text_in_the_old_version() -> None:
    name, text = "aws:PrincipalTag/a", "${aws:PrincipalTag/b}"
    parts = [
        deny(Condition=HTTP | {operator: {name: text}}) for operator in ("StringEquals", "StringNotEquals")
    ]
    for version, outcome in (("2008-10-17", Proven), ("2012-10-17", Undecided)):
        verdict = prove_denies_http({"Version": version, "Statement": parts}, bucket_arn=BUCKET)
        assert isinstance(verdict, outcome)


def test_a_key_of_an_object_may_hold_half_a_character() -> None:
    verdict = refuted(deny(Resource=[BUCKET, f"{BUCKET}/\ud800*"]))
    assert verdict.request.resource == f"{BUCKET}/report.csv"
    other = refuted(deny(Resource=None, NotResource=f"{BUCKET}/\ud800*"))
    assert other.request.resource == f"{BUCKET}/\ud800"


def test_the_root_user_is_that_of_the_usual_account() -> None:
    verdict = refuted(deny(Condition=HTTP | {"StringNotEquals": {"aws:PrincipalType": "Account"}}))
    assert verdict.request.principal == "arn:aws:iam::111122223333:root"


@pytest.mark.parametrize(
    ("operator", "key", "families"),
    [
        ("NumericEquals", "aws:PrincipalTag/a", "string"),
        ("Bool", "aws:PrincipalArn", "ARN and string"),
        ("StringEquals", "aws:ViaAWSService", "Bool"),
        ("StringEquals", "s3:max-keys", "numeric"),
        ("StringEquals", "aws:TokenIssueTime", "date"),
        ("StringEquals", "aws:EpochTime", "date and numeric"),
        ("StringEquals", "aws:SourceIp", "IP address"),
    ],
)
def test_the_operators_of_a_key_are_named(operator: str, key: str, families: str) -> None:
    verdict = prove(deny(Condition=HTTP | {f"{operator}IfExists": {key: "1"}}))
    reason = f"AWS documents `{key}` for {families} operators, not for `{operator}`"
    assert isinstance(verdict, Undecided)
    assert reason in [one.reason for one in verdict.reasons]


def test_a_binary_operator_reads_no_addresses() -> None:
    everything = {"BinaryEqualsIfExists": {"aws:SourceIp": ["0.0.0.0/0", "::/0"]}}
    verdict = prove(deny(Condition=HTTP | everything))
    assert isinstance(verdict, Undecided)
    assert verdict.reasons[0].reason == "AWS documents no condition key with binary values"


def test_an_arn_operator_reads_arns_of_six_parts() -> None:
    whole = {"ArnLikeIfExists": {"aws:SourceArn": "arn:aws:sns:us-east-1:111122223333:example"}}
    short = {"ArnNotLikeIfExists": {"aws:SourceArn": "arn:aws:sns*"}}
    assert str(refuted(deny(Condition=HTTP | whole)).request.context["aws:SourceArn"]).count(":") >= 5
    assert isinstance(prove(deny(Condition=HTTP | short)), Undecided)
