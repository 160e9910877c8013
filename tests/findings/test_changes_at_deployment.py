"""SB012: what makes buckets, or takes policies away, while the stack is deployed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from secure_bucket import check_template
from secure_bucket.findings.rules.sb012 import changes_at_deployment
from secure_bucket.policy.statements import deny_plain_http
from secure_bucket.template import Inventory, read_templates


def template(call: object, event: str = "Create", type: str = "Custom::AWS") -> dict[str, Any]:
    properties = {"ServiceToken": "arn:aws:lambda:eu-west-1:111122223333:function:aws", event: call}
    return {"Resources": {"Call": {"Type": type, "Properties": properties}}}


def call_of(action: str, service: str = "S3") -> str:
    return f'{{"service":"{service}","action":"{action}","parameters":{{"Bucket":"reports"}}}}'


@pytest.mark.parametrize(
    ("action", "service", "words"),
    [
        ("createBucket", "S3", "makes bucket `reports`, which has no policy and accepts plain HTTP"),
        ("CreateBucketCommand", "@aws-sdk/client-s3", "makes bucket `reports`"),
        ("deleteBucketPolicy", "S3", "takes the deny of bucket `reports` away"),
        ("putBucketPolicy", "s3", "replaces the policy of bucket `reports`, and with it the deny"),
        ("createStack", "CloudFormation", "deploys a template that nobody checks here"),
        ("UpdateStackCommand", "@aws-sdk/client-cloudformation", "deploys a template"),
        ("executeChangeSet", "CloudFormation", "deploys a template"),
        ("createStackInstances", "CloudFormation", "deploys a template"),
        ("provisionProduct", "ServiceCatalog", "deploys a template"),
        ("provisionProduct", "@aws-sdk/client-service-catalog", "deploys a template"),
    ],
)
@pytest.mark.parametrize("event", ["Create", "Update", "Delete"])
def test_a_call_is_named(action: str, service: str, words: str, event: str) -> None:
    report = check_template(template(call_of(action, service), event))
    (finding,) = report.findings
    assert finding.rule == "SB012"
    assert finding.message.startswith(f"custom resource `Call` calls `{action[0].upper()}")
    assert words in finding.message
    assert finding.at.pointer == f"/Resources/Call/Properties/{event}"


@pytest.mark.parametrize("service", ["CloudControl", "cloudcontrol", "@aws-sdk/client-cloudcontrol"])
@pytest.mark.parametrize(
    ("action", "type", "words"),
    [
        ("createResource", "AWS::S3::Bucket", "makes a bucket, which has no policy"),
        ("createResource", "AWS::S3::BucketPolicy", "replaces the policy of a bucket"),
        ("UpdateResourceCommand", "AWS::S3::BucketPolicy", "replaces the policy of bucket `reports`"),
        ("deleteResource", "aws::s3::bucketpolicy", "takes the deny of bucket `reports` away"),
        ("createResource", "AWS::CloudFormation::Stack", "deploys a template"),
    ],
)
def test_a_call_of_cloud_control_is_named(service: str, action: str, type: str, words: str) -> None:
    parameters = {"TypeName": type}
    if not action.startswith("create"):
        parameters["Identifier"] = "reports"
    call = json.dumps({"service": service, "action": action, "parameters": parameters})
    (finding,) = check_template(template(call)).findings
    assert (finding.rule, words in finding.message) == ("SB012", True)


def test_a_call_on_a_bucket_of_the_template_is_named_with_it() -> None:
    before, after = call_of("deleteBucketPolicy").split("reports")
    written = template({"Fn::Join": ["", [before, {"Ref": "Reports"}, after]]}, type="Custom::Cleanup")
    written["Resources"]["Reports"] = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "reports"}}
    found = {each.rule: each.message for each in check_template(written).findings}
    assert found.keys() == {"SB001", "SB012"}
    assert "the deny of bucket `reports`" in found["SB012"]


CONDITIONS = {"Live": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]}}
CREATES = call_of("createBucket")
LISTS = call_of("listBuckets")
BEFORE, AFTER = CREATES.split("create")


@pytest.mark.parametrize(
    "call",
    [
        {"Fn::If": ["Live", CREATES, LISTS]},
        {"Fn::If": ["Live", LISTS, CREATES]},
        {"Fn::If": ["Live", CREATES, {"Ref": "AWS::NoValue"}]},
        {"Fn::Sub": CREATES},
        {"Fn::Sub": [CREATES.replace("createBucket", "${Verb}Bucket"), {"Verb": "create"}]},
        {"Fn::Join": ["", [CREATES[:20], CREATES[20:]]]},
        {"Fn::Join": ["", [BEFORE, {"Fn::If": ["Live", "create", "list"]}, AFTER]]},
        {"Fn::Join": ["createBucket", CREATES.split("createBucket")]},
        {"Fn::Select": [1, [LISTS, CREATES]]},
        {"Fn::FindInMap": ["Calls", {"Ref": "AWS::Region"}, "call"]},
        {"Fn::Sub": CREATES.replace("createBucket", "${Action}")},
        {"Fn::Join": ["", [CREATES[:-2], ',"Days":', {"Fn::GetAtt": ["Other", "Days"]}, "}}"]]},
        {"service": "S3", "action": "createBucket", "parameters": {"Bucket": "reports"}},
        {
            "Fn::ToJsonString": {
                "service": "S3",
                "action": "createBucket",
                "parameters": {"Bucket": "reports"},
            }
        },
    ],
)
def test_a_call_behind_functions_is_named_once(call: object) -> None:
    written = template(call) | {"Conditions": CONDITIONS, "Transform": "AWS::LanguageExtensions"}
    written["Mappings"] = {"Calls": {"eu-west-1": {"call": CREATES}, "us-east-1": {"call": LISTS}}}
    written["Parameters"] = {"Action": {"Type": "String", "AllowedValues": ["listBuckets", "createBucket"]}}
    written["Resources"]["Other"] = {"Type": "AWS::SNS::Topic"}
    (finding,) = check_template(written).findings
    assert (finding.rule, "makes bucket `reports`" in finding.message) == ("SB012", True)


@pytest.mark.parametrize(
    "call",
    [
        call_of("listBuckets"),
        call_of("createBucket", "DynamoDB"),
        call_of("describeStacks", "CloudFormation"),
        '{"service":"CloudControl","action":"createResource","parameters":{"TypeName":"AWS::SNS::Topic"}}',
        '{"service":"CloudControl","action":"createResource"}',
        "createBucket",
        "[]",
        {"service": "S3"},
        {"Ref": "AWS::NoValue"},
        {"Fn::If": ["Missing", "{}", "{}"]},
    ],
)
def test_other_calls_are_not_named(call: object) -> None:
    assert check_template(template(call)).findings == ()


def pipeline(path: object, provider: str = "CloudFormation", mode: str = "CREATE_UPDATE") -> dict[str, Any]:
    kind = {"Category": "Deploy", "Owner": "AWS", "Provider": provider, "Version": "1"}
    settings = {"ActionMode": mode, "StackName": "data"} | ({} if path is None else {"TemplatePath": path})
    stage = {"Name": "Deploy", "Actions": [{"Name": "Do", "ActionTypeId": kind, "Configuration": settings}]}
    return {
        "Conditions": CONDITIONS,
        "Resources": {"Ship": {"Type": "AWS::CodePipeline::Pipeline", "Properties": {"Stages": [stage]}}},
    }


@pytest.mark.parametrize("provider", ["CloudFormation", "CloudFormationStackSet"])
@pytest.mark.parametrize(
    "path", ["Build::out/data.yaml", {"Fn::If": ["Live", "Build::out/data.yaml", {"Ref": "AWS::NoValue"}]}]
)
def test_a_pipeline_that_deploys_a_template_is_named(path: object, provider: str) -> None:
    (finding,) = check_template(pipeline(path, provider)).findings
    assert finding.rule == "SB012"
    assert finding.message.startswith("pipeline `Ship` deploys `out/data.yaml` from an artifact")


@pytest.mark.parametrize(
    "content",
    [pipeline(None, mode="CHANGE_SET_EXECUTE"), pipeline("Build::out/data.yaml", "CodeBuild")],
)
def test_a_pipeline_that_deploys_no_template_is_not_named(content: dict[str, Any]) -> None:
    assert check_template(content).findings == ()


def test_a_pipeline_that_deploys_a_template_of_the_same_run_is_not_named(tmp_path: Path) -> None:
    for name, content in {
        "pipeline.json": pipeline("Build::data.json"),
        "data.json": {"Resources": {}},
    }.items():
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    assembly = read_templates([tmp_path / "pipeline.json", tmp_path / "data.json"])
    assert list(changes_at_deployment(Inventory(assembly))) == []


def with_flow_log(destination: object, *statements: dict[str, Any]) -> dict[str, Any]:
    log = {"LogDestinationType": "s3", "LogDestination": destination}
    deny = deny_plain_http({"Fn::GetAtt": ["Logs", "Arn"]})
    document = {"Version": "2012-10-17", "Statement": [deny, *statements]}
    policy = {"Bucket": {"Ref": "Logs"}, "PolicyDocument": document}
    return {
        "Resources": {
            "Logs": {"Type": "AWS::S3::Bucket"},
            "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": policy},
            "FlowLog": {"Type": "AWS::EC2::FlowLog", "Properties": log},
        }
    }


DESTINATIONS = [{"Fn::GetAtt": ["Logs", "Arn"]}, {"Fn::Sub": "${Logs.Arn}/folder/"}]


@pytest.mark.parametrize("destination", DESTINATIONS)
def test_a_flow_log_that_has_aws_replace_the_policy_is_named(destination: object) -> None:
    (finding,) = check_template(with_flow_log(destination)).findings
    assert finding.rule == "SB012"
    assert finding.message.startswith("flow log `FlowLog` goes to bucket `Logs`, whose policy does not let")


@pytest.mark.parametrize("destination", DESTINATIONS)
def test_a_flow_log_that_may_deliver_is_not_named(destination: object) -> None:
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "delivery.logs.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": {"Fn::Sub": "${Logs.Arn}/*"},
    }
    assert check_template(with_flow_log(destination, allow)).findings == ()


def test_a_flow_log_whose_destination_a_condition_chooses_is_named() -> None:
    destination = {"Fn::If": ["Live", DESTINATIONS[0], "arn:aws:s3:::other"]}
    written = with_flow_log(destination) | {"Conditions": CONDITIONS}
    (finding,) = check_template(written).findings
    assert finding.message.startswith("flow log `FlowLog` goes to bucket `Logs`, whose policy does not let")


@pytest.mark.parametrize("destination", ["arn:aws:s3:::other", {"Fn::GetAtt": ["Group", "Arn"]}, None])
def test_a_flow_log_to_another_place_is_not_named(destination: object) -> None:
    assert check_template(with_flow_log(destination)).findings == ()


UNSETTLED = {"Fn::If": ["Chosen", "arn:aws:s3:::one", "arn:aws:s3:::two"]}


@pytest.mark.parametrize("content", [with_flow_log(UNSETTLED), template(UNSETTLED)])
def test_what_another_tool_has_yet_to_replace_names_nothing(content: dict[str, Any]) -> None:
    conditions = {"Chosen": {"Fn::Equals": ["{{ stage }}", "live"]}}
    assert check_template({**content, "Conditions": conditions}).findings == ()
