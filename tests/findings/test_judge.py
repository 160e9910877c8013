"""The verdict on a bucket, over all the ways in which it can be deployed."""

from __future__ import annotations

from typing import Any

import pytest

from secure_bucket.findings.combine import settles
from secure_bucket.findings.declared import DeclaredJudgement
from secure_bucket.findings.judge import Judge
from secure_bucket.proof.verdict import Proven, Refuted, Undecided, Verdict
from secure_bucket.template import Inventory, parse_document, read_document
from secure_bucket.values.unknown import Unknown

PARAMETERS = {name: {"Type": "String"} for name in ("Stage", "Other", "Open")}
CONDITIONS = {
    "Test": {"Fn::Equals": [{"Ref": "Stage"}, "test"]},
    "Both": {"Fn::And": [{"Condition": "Test"}, {"Fn::Equals": [{"Ref": "Other"}, "x"]}]},
}


def deny(**changes: Any) -> dict[str, Any]:
    arn = {"Fn::GetAtt": ["B", "Arn"]}
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, {"Fn::Join": ["", [arn, "/*"]]}],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        **changes,
    }


def policy(*statements: Any, **more: Any) -> dict[str, Any]:
    properties = {"Bucket": {"Ref": "B"}, "PolicyDocument": {"Statement": list(statements)}}
    return {"Type": "AWS::S3::BucketPolicy", "Properties": properties, **more}


def judge(*policies: dict[str, Any], minimum: float | None = None, **bucket: Any) -> DeclaredJudgement:
    resources = {"B": {"Type": "AWS::S3::Bucket", **bucket}}
    resources |= {f"P{number}": each for number, each in enumerate(policies)}
    template = {"Parameters": PARAMETERS, "Conditions": CONDITIONS, "Resources": resources}
    inventory = Inventory(read_document(parse_document(template)))
    return Judge(inventory, minimum_tls_version=minimum).bucket(inventory.buckets[0])


def test_proven_in_every_deployment_is_proven() -> None:
    judgement = judge(policy(deny(Action={"Fn::If": ["Test", "s3:*", "*"]})))
    assert isinstance(judgement.http.verdict, Proven)


def test_refuted_in_one_deployment_is_refuted_and_names_what_matters() -> None:
    judgement = judge(policy(deny(), Condition="Both"), Condition="Test")
    assert isinstance(judgement.http.verdict, Refuted)
    assert dict(judgement.http.parameters) == {"Other": "other than `x`"}


def test_undecided_in_one_deployment_names_it() -> None:
    action = {"Fn::If": ["Test", {"Ref": "Open"}, "s3:*"]}
    judgement = judge(policy(deny(Action=action)))
    assert isinstance(judgement.http.verdict, Undecided)
    assert dict(judgement.http.parameters) == {"Stage": "test"}


def test_refuted_weighs_more_than_undecided() -> None:
    action = {"Fn::If": ["Test", {"Ref": "Open"}, "s3:Get*"]}
    assert isinstance(judge(policy(deny(Action=action))).http.verdict, Refuted)


def test_every_one_of_several_policies_has_to_prove() -> None:
    judgement = judge(policy(deny()), policy(deny(Action="s3:Get*")))
    assert isinstance(judgement.http.verdict, Refuted)
    assert [each.resource.logical_id for each in judgement.several] == ["P0", "P1"]
    assert isinstance(judge(policy(deny()), policy(deny(Action="*"))).http.verdict, Proven)


def test_policies_that_exclude_each_other_are_not_several() -> None:
    conditions = {"Condition": "Test"}
    judgement = judge(policy(deny(), **conditions))
    assert judgement.several == ()


def test_bucket_that_no_deployment_creates_says_so() -> None:
    judgement = judge(Condition={"Fn::Equals": ["a", "b"]})
    assert judgement.never_created
    assert not judge().never_created


def test_tls_is_judged_only_when_asked() -> None:
    assert judge(policy(deny())).tls is None
    asked = judge(policy(deny()), minimum=1.2)
    assert asked.tls is not None
    assert isinstance(asked.tls.verdict, Refuted)


@pytest.mark.parametrize(("name", "shown"), [("reports", "reports"), ({"Ref": "Open"}, ""), (None, "")])
def test_name_is_told_where_the_template_fixes_it(name: object, shown: str) -> None:
    properties = {} if name is None else {"Properties": {"BucketName": name}}
    assert judge(**properties).name == shown


def test_more_worlds_than_are_tried_leave_it_undecided() -> None:
    parameters = {f"Q{number}": {"Type": "String"} for number in range(12)}
    conditions = {f"C{number}": {"Fn::Equals": [{"Ref": f"Q{number}"}, "a"]} for number in range(12)}
    statements = [{"Fn::If": [name, deny(), deny(Action="*")]} for name in conditions]
    template = {
        "Parameters": parameters,
        "Conditions": conditions,
        "Resources": {"B": {"Type": "AWS::S3::Bucket"}, "P": policy(*statements)},
    }
    inventory = Inventory(read_document(parse_document(template)))
    verdict = Judge(inventory).bucket(inventory.buckets[0]).http.verdict
    assert isinstance(verdict, Undecided)
    assert "combinations of parameters" in verdict.reasons[0].reason


def test_a_policy_for_the_bucket_of_somebody_else_is_judged_by_itself() -> None:
    arn = "arn:aws:s3:::elsewhere"
    made = policy(deny(Resource=[arn, f"{arn}/*"]))
    made["Properties"]["Bucket"] = "elsewhere"
    inventory = Inventory(read_document(parse_document({"Resources": {"P": made}})))
    (foreign,) = inventory.loose
    judgement = Judge(inventory).foreign(foreign)
    assert judgement is not None
    assert isinstance(judgement.http.verdict, Proven)
    assert judgement.foreign
    assert not judgement.website
    assert not judgement.never_created
    assert (judgement.several, judgement.viewers, judgement.together_with) == ((), (), ())
    assert (judgement.name, judgement.tls) == ("", None)


@pytest.mark.parametrize(
    ("possible", "verdict", "expected"),
    [
        (Proven(), Proven(), True),
        (Undecided((Unknown("a"),)), Undecided((Unknown("a"),)), False),
        (Proven(), Undecided((Unknown("a"),)), False),
        (Undecided((Unknown("a"),)), Proven(), False),
    ],
    ids=str,
)
def test_a_policy_that_may_apply_settles_only_the_same_verdict(
    possible: Verdict, verdict: Verdict, expected: bool
) -> None:
    assert settles(possible, verdict) is expected
