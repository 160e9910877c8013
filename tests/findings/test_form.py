"""Buckets of one form are judged once, and whatever is written otherwise has another form."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from secure_bucket.findings.form import form_of
from secure_bucket.findings.judge import Judge
from secure_bucket.proof.verdict import Proven, Refuted
from secure_bucket.template import Inventory, parse_document, read_document

PARAMETERS = {"Stage": {"Type": "String"}}
CONDITIONS = {
    "Test": {"Fn::Equals": [{"Ref": "Stage"}, "test"]},
    "Other": {"Fn::Not": [{"Condition": "Test"}]},
}


def properties(bucket: str, **statement: Any) -> dict[str, Any]:
    """The policy of `enforceSSL`, as aws-cdk-lib 2.275.0 writes it."""
    arn = {"Fn::GetAtt": [bucket, "Arn"]}
    deny = {
        "Action": "s3:*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Resource": [arn, {"Fn::Join": ["", [arn, "/*"]]}],
    }
    return {
        "Bucket": {"Ref": bucket},
        "PolicyDocument": {"Statement": [{**deny, **statement}], "Version": "2012-10-17"},
    }


def resources(bucket: str, policy: object = None, **more: Any) -> dict[str, Any]:
    return {
        bucket: {"Type": "AWS::S3::Bucket", "UpdateReplacePolicy": "Retain", "DeletionPolicy": "Retain"},
        f"{bucket}Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": policy or properties(bucket),
            **more,
        },
    }


def inventory(*parts: dict[str, Any], **sections: Any) -> Inventory:
    merged = {name: body for part in parts for name, body in part.items()}
    return read(json.dumps({"Resources": merged, **sections}))


def read(text: str) -> Inventory:
    return Inventory(read_document(parse_document(text)))


def assert_alike(judged: Inventory, *, same: bool) -> None:
    """Assert that the second bucket is judged after the first one as it is judged alone."""
    first, second = judged.buckets[:2]
    assert (form_of(judged, first) == form_of(judged, second) is not None) is same
    judge = Judge(judged)
    judge.bucket(first)
    assert judge.bucket(second) == Judge(judged).bucket(second)


@pytest.mark.parametrize("minimum", [None, 1.2])
def test_the_judgement_on_the_second_bucket_is_the_one_in_full(minimum: float | None) -> None:
    old_tls = {
        "Action": "s3:*",
        "Condition": {"NumericLessThan": {"s3:TlsVersion": "1.2"}},
        "Effect": "Deny",
        "Principal": "*",
        "Resource": "*",
    }
    made = {}
    for name in ("Reports", "Photos"):
        policy = properties(name)
        policy["PolicyDocument"]["Statement"].append(old_tls)
        made |= resources(name, policy, Condition="Test")
        made[name]["Condition"] = "Test"
    judged = inventory(made, Parameters=PARAMETERS, Conditions=CONDITIONS)
    first, second = judged.buckets
    assert form_of(judged, first) == form_of(judged, second) is not None
    judge = Judge(judged, minimum_tls_version=minimum)
    judge.bucket(first)
    judgement = judge.bucket(second)
    assert judgement == Judge(judged, minimum_tls_version=minimum).bucket(second)
    assert isinstance(judgement.http.verdict, Proven)
    assert judgement.subject.logical_id == "Photos"
    assert [each.resource.logical_id for each in judgement.policies] == ["PhotosPolicy"]


def test_a_bucket_of_a_known_form_is_not_proven_again(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = inventory(resources("Reports"), resources("Photos"))
    judge = Judge(judged)
    judge.bucket(judged.buckets[0])
    monkeypatch.setattr(Judge, "_in_full", lambda *_: pytest.fail("judged in full"))
    assert isinstance(judge.bucket(judged.buckets[1]).http.verdict, Proven)


def changes(text: str) -> Iterator[str]:
    for index, character in enumerate(text):
        yield text[:index] + text[index + 1 :]
        for other in ("*", "S", "3", " ", character.swapcase()):
            yield text[:index] + other + text[index + 1 :]
            yield text[:index] + other + text[index:]


def test_every_change_of_one_character_has_another_form() -> None:
    written = json.dumps(properties("Photos"))
    template = json.dumps({"Resources": {**resources("Reports"), **resources("Photos")}})
    assert template.count(written) == 1
    read_at_all = 0
    for changed in changes(written):
        try:
            is_equal = json.loads(changed) == json.loads(written)
        except ValueError:
            continue
        judged = read(template.replace(written, changed))
        first, second = judged.buckets
        form = form_of(judged, second)
        read_at_all += 1
        if is_equal:
            # A space between two tokens.
            assert form == form_of(judged, first) is not None
            continue
        assert form is None or form != form_of(judged, first), changed
        if read_at_all % 10 == 0:
            assert_alike(judged, same=False)
    assert read_at_all > 1_000


def test_the_name_of_a_bucket_as_plain_text_is_no_reference() -> None:
    judged = inventory(
        resources("Deny", properties("Deny", Effect="Deny")),
        resources("Allow", properties("Allow", Effect="Allow")),
    )
    assert_alike(judged, same=False)
    assert isinstance(Judge(judged).bucket(judged.buckets[1]).http.verdict, Refuted)


def test_a_condition_of_the_resource_is_a_part_of_the_form() -> None:
    judged = inventory(
        resources("Reports", Condition="Test"),
        resources("Photos", Condition="Other"),
        Parameters=PARAMETERS,
        Conditions=CONDITIONS,
    )
    assert_alike(judged, same=False)


OPEN = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://example.com/a"}}


@pytest.mark.parametrize(
    "changed",
    [
        {"Reports": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "photos"}}},
        {"Reports": {"Type": "AWS::S3::Bucket", "Properties": {"WebsiteConfiguration": {}}}},
        {"Reports": {"Type": "AWS::S3::Bucket", "Properties": {"Fn::If": ["Test", {}, {"BucketName": "a"}]}}},
        resources("Reports", properties("Reports", Sid={"Ref": "Stage"})),
        resources("Reports", properties("Reports", Sid={"Fn::Sub": "${Stage}"})),
        resources("Reports", properties("Reports", Resource={"Fn::GetAtt": ["Photos", "Arn"]})),
        resources("Reports", properties("Reports", Condition={"NumericLessThan": {"s3:TlsVersion": 1.20}})),
        {"Second": {"Type": "AWS::S3::BucketPolicy", "Properties": properties("Reports")}},
        {"Loose": {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": "photos"}}},
        {"Nested": OPEN},
    ],
)
def test_a_verdict_that_depends_on_more_than_the_bucket_has_no_form(changed: dict[str, Any]) -> None:
    judged = inventory(
        resources("Reports"), resources("Photos"), changed, Parameters=PARAMETERS, Conditions=CONDITIONS
    )
    assert form_of(judged, judged.buckets[0]) is None
    assert_alike(judged, same=False)


def test_a_template_of_another_source_has_no_forms() -> None:
    # YAML has numbers and texts that are equal and are written otherwise; a dictionary can hold anything.
    template = {"Resources": {**resources("Reports"), **resources("Photos")}}
    for document in (parse_document(template), parse_document("# YAML\n" + json.dumps(template, indent=1))):
        judged = Inventory(read_document(document))
        assert form_of(judged, judged.buckets[0]) is None


def test_stacks_share_no_form() -> None:
    one, other = (inventory(resources("Reports")) for _ in range(2))
    assert form_of(one, one.buckets[0]) != form_of(other, other.buckets[0])
