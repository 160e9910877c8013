"""The ways in which a bucket can be deployed, each with the policies that are its own there."""

from __future__ import annotations

from typing import Any

import pytest

from secure_bucket.template import Inventory, Undecidable, parse_document, read_document, read_templates
from secure_bucket.template.deployments import MAX_POSSIBLE, deployments_of, foreign_deployments_of

BUCKET: dict[str, Any] = {"Type": "AWS::S3::Bucket"}


def policy(bucket: object, **more: Any) -> dict[str, Any]:
    properties = {"Bucket": bucket, "PolicyDocument": {"Statement": []}}
    return {"Type": "AWS::S3::BucketPolicy", "Properties": properties, **more}


def inventory(resources: dict[str, Any], **sections: Any) -> Inventory:
    return Inventory(read_document(parse_document({"Resources": resources, **sections})))


def ways(made: Inventory) -> list[tuple[dict[str, str], list[tuple[str, bool]]]]:
    return [
        (
            {key: value for key, value in way.world.describe().items() if not key.startswith("AWS::")},
            [(applied.policy.resource.logical_id, applied.certain) for applied in way.policies],
        )
        for way in deployments_of(made, made.buckets[0])
    ]


def test_bucket_without_conditions_is_deployed_in_one_way() -> None:
    assert ways(inventory({"B": BUCKET, "P": policy({"Ref": "B"})})) == [({}, [("P", True)])]


def test_condition_of_the_policy_makes_two_ways() -> None:
    made = inventory(
        {"B": BUCKET, "P": policy({"Ref": "B"}, Condition="Test")},
        Parameters={"Stage": {"Type": "String"}},
        Conditions={"Test": {"Fn::Equals": [{"Ref": "Stage"}, "test"]}},
    )
    assert ways(made) == [({"Stage": "test"}, [("P", True)]), ({"Stage": "other than `test`"}, [])]


def test_bucket_that_is_never_deployed_has_no_way() -> None:
    made = inventory(
        {"B": {**BUCKET, "Condition": "Never"}}, Conditions={"Never": {"Fn::Equals": ["a", "b"]}}
    )
    assert ways(made) == []


@pytest.mark.parametrize(
    ("name", "target", "expected"),
    [
        ("reports", "reports", [("P", True)]),
        ("reports", "logs", []),
        ({"Ref": "Name"}, {"Ref": "Name"}, [("P", True)]),
        ("reports", {"Ref": "Name"}, [("P", False)]),
        (None, {"Ref": "Name"}, []),
        (None, "reports", []),
        ({"Fn::Sub": "a-${Name}"}, "b-x", []),
    ],
)
def test_policy_is_for_the_bucket_of_its_name(
    name: object, target: object, expected: list[tuple[str, bool]]
) -> None:
    bucket = BUCKET if name is None else {**BUCKET, "Properties": {"BucketName": name}}
    made = inventory({"B": bucket, "P": policy(target)}, Parameters={"Name": {"Type": "String"}})
    assert ways(made) == [({}, expected)]


def test_policy_of_another_bucket_is_left_out() -> None:
    named = {**BUCKET, "Properties": {"BucketName": {"Ref": "Name"}}}
    made = inventory(
        {"B": {**BUCKET, "Properties": {"BucketName": "reports"}}, "C": named, "P": policy({"Ref": "Name"})},
        Parameters={"Name": {"Type": "String"}},
    )
    assert ways(made) == [({}, [])]


def test_policy_for_a_bucket_elsewhere_is_found() -> None:
    made = inventory({"B": BUCKET, "P": policy("elsewhere"), "Q": policy({"Ref": "B"})})
    (way,) = foreign_deployments_of(made, made.policies[0])
    assert str(way.bucket_arn) == "arn:aws:s3:::elsewhere"
    assert [each.resource.logical_id for each in made.loose] == ["P"]


def test_parameters_of_another_template_split_no_world() -> None:
    documents = []
    for name in ("a", "b"):
        resources = {
            "B": {**BUCKET, "Properties": {"BucketName": {"Ref": "Name"}}},
            "P": policy({"Ref": "Other"}, Condition="Test"),
        }
        template = {
            "Parameters": {
                "Name": {"Type": "String"},
                "Other": {"Type": "String"},
                "Stage": {"Type": "String"},
            },
            "Conditions": {"Test": {"Fn::Equals": [{"Ref": "Stage"}, "test"]}},
            "Resources": resources,
        }
        documents.append(parse_document(template, f"{name}.json"))
    found = ways(Inventory(read_templates(documents)))
    assert [sorted(world) for world, _ in found] == [["a.Stage"], ["a.Stage"]]
    assert [policies for _, policies in found] == [[("P", False), ("P", False)], [("P", False)]]


def test_too_many_policies_that_may_apply_are_given_up() -> None:
    resources = {"B": {**BUCKET, "Properties": {"BucketName": "reports"}}}
    parameters = {}
    for number in range(MAX_POSSIBLE + 1):
        parameters[f"N{number}"] = {"Type": "String"}
        resources[f"P{number}"] = policy({"Ref": f"N{number}"})
    with pytest.raises(Undecidable, match=f"more than {MAX_POSSIBLE} policies"):
        ways(inventory(resources, Parameters=parameters))
