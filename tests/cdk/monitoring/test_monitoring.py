"""`SecureTransportMonitoring`: what it makes, from where it sees, and what it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Annotations, Match, Template

import secure_bucket
from secure_bucket import (
    ConstructError,
    Proven,
    SecureBucket,
    SecureTransportMonitoring,
    check_template,
)
from secure_bucket.detection import (
    PLAIN_HTTP_ANSWERED,
    PLAIN_HTTP_DENIED,
    TLS_FIELDS,
    filter_pattern,
    policy_changes,
)


@pytest.fixture
def app() -> cdk.App:
    return cdk.App()


@pytest.fixture
def stack(app: cdk.App) -> cdk.Stack:
    return cdk.Stack(app, "Top")


def properties(stack: cdk.Stack, type: str) -> list[dict[str, Any]]:
    found = Template.from_stack(stack).find_resources(type)
    return [resource.get("Properties", {}) for resource in found.values()]


def arn_of(stack: cdk.Stack, bucket: s3.IBucket) -> Any:
    return stack.resolve(bucket.bucket_arn)


def data_events(stack: cdk.Stack) -> dict[str, Any]:
    (trail,) = properties(stack, "AWS::CloudTrail::Trail")
    (selector,) = (
        each
        for each in trail["AdvancedEventSelectors"]
        if {"Field": "eventCategory", "Equals": ["Data"]} in each["FieldSelectors"]
    )
    return {field["Field"]: field for field in selector["FieldSelectors"]}


def test_one_line_adds_all_of_it(stack: cdk.Stack) -> None:
    SecureTransportMonitoring(stack, "Monitoring", buckets=[SecureBucket(stack, "Reports")])
    template = Template.from_stack(stack)
    for type, count in {
        "AWS::CloudTrail::Trail": 1,
        "AWS::CloudWatch::Alarm": 2,
        "AWS::CloudWatch::Dashboard": 1,
        "AWS::Config::ConfigRule": 1,
        "AWS::Config::RemediationConfiguration": 0,
        "AWS::Events::Rule": 2,
        "AWS::KMS::Key": 1,
        "AWS::Logs::LogGroup": 1,
        "AWS::Logs::MetricFilter": 2,
        "AWS::Logs::QueryDefinition": 1,
        "AWS::S3::Bucket": 2,
        "AWS::SNS::Topic": 1,
    }.items():
        template.resource_count_is(type, count)


def test_its_own_log_bucket_is_proven_with_the_permission_of_cloudtrail_beside(stack: cdk.Stack) -> None:
    bucket = SecureBucket(stack, "Reports")
    SecureTransportMonitoring(stack, "Monitoring", buckets=[bucket])
    report = check_template(Template.from_stack(stack).to_json(), minimum_tls_version=1.2)
    assert [type(each.verdict) for each in report.buckets] == [Proven, Proven]
    assert report.findings == ()
    policies = properties(stack, "AWS::S3::BucketPolicy")
    services = {
        (statement["Effect"], statement["Principal"].get("Service"))
        for policy in policies
        for statement in policy["PolicyDocument"]["Statement"]
    }
    assert services == {("Deny", None), ("Allow", "cloudtrail.amazonaws.com")}


def test_the_metric_filters_are_the_ones_that_are_tested_on_events(stack: cdk.Stack) -> None:
    SecureTransportMonitoring(stack, "Monitoring", buckets=[SecureBucket(stack, "Reports")])
    patterns = {
        each["MetricTransformations"][0]["MetricName"]: each["FilterPattern"]
        for each in properties(stack, "AWS::Logs::MetricFilter")
    }
    assert patterns == {
        "PlainHttpDenied": filter_pattern(PLAIN_HTTP_DENIED),
        "PlainHttpAnswered": filter_pattern(PLAIN_HTTP_ANSWERED),
    }


def test_the_patterns_are_spelled_as_the_cdk_spells_them() -> None:
    same = logs.FilterPattern
    pattern = same.all(
        same.string_value("$.eventSource", "=", "s3.amazonaws.com"),
        same.string_value("$.eventType", "=", "AwsApiCall"),
        *(
            same.any(same.not_exists(f"$.{field}"), same.string_value(f"$.{field}", "=", "-"))
            for field in TLS_FIELDS
        ),
        same.not_exists("$.userIdentity.invokedBy"),
        same.not_exists("$.sessionCredentialFromConsole"),
        same.string_value("$.sourceIPAddress", "!=", "*.amazonaws.com"),
        same.string_value("$.sourceIPAddress", "!=", "AWS Internal"),
        same.any(same.not_exists("$.errorCode"), same.string_value("$.errorCode", "!=", "AccessDenied")),
    )
    assert filter_pattern(PLAIN_HTTP_ANSWERED) == pattern.log_pattern_string


def test_an_alarm_is_on_the_metric_of_its_filter(stack: cdk.Stack) -> None:
    monitoring = SecureTransportMonitoring(
        stack,
        "Monitoring",
        answered_threshold=2,
        buckets=[SecureBucket(stack, "Reports")],
        denied_threshold=50,
    )
    metrics = {
        (each["MetricTransformations"][0]["MetricNamespace"], each["MetricTransformations"][0]["MetricName"])
        for each in properties(stack, "AWS::Logs::MetricFilter")
    }
    alarms = properties(stack, "AWS::CloudWatch::Alarm")
    watched = {}
    for alarm in alarms:
        assert (alarm["Statistic"], alarm["Period"]) == ("Sum", 300)
        watched[alarm["Namespace"], alarm["MetricName"]] = alarm["Threshold"]
        assert alarm["TreatMissingData"] == "notBreaching"
        assert monitoring.topic is not None
        assert alarm["AlarmActions"] == [stack.resolve(monitoring.topic.topic_arn)]
    assert watched.keys() == metrics
    assert {name: threshold for (_, name), threshold in watched.items()} == {
        "PlainHttpAnswered": 2,
        "PlainHttpDenied": 50,
    }


def test_the_trail_records_the_requests_to_the_buckets_each_once(stack: cdk.Stack) -> None:
    reports = SecureBucket(stack, "Reports")
    theirs = s3.Bucket.from_bucket_name(stack, "Theirs", "amzn-s3-demo-theirs")
    low = s3.CfnBucket(stack, "Low")
    SecureTransportMonitoring(stack, "Monitoring", buckets=[reports, theirs, reports, low])
    assert data_events(stack)["resources.ARN"]["StartsWith"] == [
        stack.resolve(f"{arn}/") for arn in (reports.bucket_arn, theirs.bucket_arn, low.attr_arn)
    ]
    (rule,) = (
        each
        for each in properties(stack, "AWS::Events::Rule")
        if each["EventPattern"]["source"] == ["aws.s3"]
    )
    names = [stack.resolve(reports.bucket_name), "amzn-s3-demo-theirs", stack.resolve(low.ref)]
    assert rule["EventPattern"] == policy_changes(names)
    assert [
        each["Scope"]["ComplianceResourceId"] for each in properties(stack, "AWS::Config::ConfigRule")
    ] == names


def test_every_bucket_means_all_but_the_log_bucket(stack: cdk.Stack) -> None:
    monitoring = SecureTransportMonitoring(stack, "Monitoring", all_buckets=True, remediation="manual")
    assert monitoring.log_bucket is not None
    assert data_events(stack)["resources.ARN"] == {
        "Field": "resources.ARN",
        "NotStartsWith": [{"Fn::Join": ["", [arn_of(stack, monitoring.log_bucket), "/"]]}],
    }
    patterns = [each["EventPattern"] for each in properties(stack, "AWS::Events::Rule")]
    assert policy_changes() in patterns
    (rule,) = properties(stack, "AWS::Config::ConfigRule")
    assert rule["Scope"] == {"ComplianceResourceTypes": ["AWS::S3::Bucket"]}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (cloudtrail.ReadWriteType.WRITE_ONLY, [["Management"], ["false"]]),
        (cloudtrail.ReadWriteType.READ_ONLY, [["Management"], ["true"]]),
        (cloudtrail.ReadWriteType.ALL, [["Management"]]),
        (cloudtrail.ReadWriteType.NONE, None),
    ],
)
def test_management_events_are_those_that_were_asked_for(
    stack: cdk.Stack, kind: cloudtrail.ReadWriteType, expected: list[list[str]] | None
) -> None:
    SecureTransportMonitoring(stack, "Monitoring", all_buckets=True, management_events=kind)
    (trail,) = properties(stack, "AWS::CloudTrail::Trail")
    assert "EventSelectors" not in trail
    *management, data = trail["AdvancedEventSelectors"]
    assert data["Name"] == "Requests to the buckets"
    found = [[field["Equals"] for field in each["FieldSelectors"]] for each in management]
    assert found == ([] if expected is None else [expected])


def test_a_trail_of_the_app_is_extended_and_its_log_group_counted_for_these_buckets_only(
    stack: cdk.Stack,
) -> None:
    bucket = SecureBucket(stack, "Reports")
    trail = cloudtrail.Trail(stack, "Trail", bucket=SecureBucket(stack, "L"), send_to_cloud_watch_logs=True)
    monitoring = SecureTransportMonitoring(stack, "Monitoring", buckets=[bucket], trail=trail)
    assert monitoring.trail is trail
    assert monitoring.log_bucket is None
    (resource,) = properties(stack, "AWS::CloudTrail::Trail")
    (selector,) = resource["EventSelectors"]
    assert selector["DataResources"] == [
        {"Type": "AWS::S3::Object", "Values": [{"Fn::Join": ["", [arn_of(stack, bucket), "/"]]}]}
    ]
    # The default of CloudFormation is that these are recorded, as they were before.
    assert "IncludeManagementEvents" not in selector
    for each in properties(stack, "AWS::Logs::MetricFilter"):
        assert each["LogGroupName"] == stack.resolve(monitoring.log_group.log_group_name)
        start, name, end = each["FilterPattern"]["Fn::Join"][1]
        assert start.endswith('(($.requestParameters.bucketName = "')
        assert name == stack.resolve(bucket.bucket_name)
        assert end == '")) }'


def test_with_the_log_group_of_another_trail_none_is_made(stack: cdk.Stack) -> None:
    group = logs.LogGroup.from_log_group_name(stack, "Group", "organization/trail")
    names = [f"amzn-s3-demo-{number}" for number in range(9)]
    buckets = [s3.Bucket.from_bucket_name(stack, name, name) for name in names]
    monitoring = SecureTransportMonitoring(
        stack,
        "Monitoring",
        alarm_actions=[],
        buckets=buckets,
        config_rule=None,
        dashboard=False,
        log_group=group,
        rule_targets=[],
    )
    assert monitoring.trail is None
    assert monitoring.topic is None
    assert monitoring.encryption_key is None
    template = Template.from_stack(stack)
    types = {resource["Type"] for resource in template.to_json()["Resources"].values()}
    assert types == {
        "AWS::CloudWatch::Alarm",
        "AWS::Logs::MetricFilter",
        "AWS::Logs::QueryDefinition",
    }
    # Four names fit into a pattern.
    template.resource_count_is("AWS::Logs::MetricFilter", 2 * 3)
    for alarm in properties(stack, "AWS::CloudWatch::Alarm"):
        assert not alarm.get("AlarmActions")
    patterns = [each["FilterPattern"] for each in properties(stack, "AWS::Logs::MetricFilter")]
    assert sorted(patterns) == sorted(
        filter_pattern(traits, names[start : start + 4])
        for traits in (PLAIN_HTTP_DENIED, PLAIN_HTTP_ANSWERED)
        for start in (0, 4, 8)
    )


def test_event_patterns_stay_short_enough(stack: cdk.Stack) -> None:
    names = [f"{number:03}-{'x' * 59}" for number in range(45)]
    buckets = [s3.Bucket.from_bucket_name(stack, name[:3], name) for name in names]
    monitoring = SecureTransportMonitoring(stack, "Monitoring", buckets=buckets, config_rule=None)
    assert len(monitoring.change_rules) == 4
    found: list[str] = []
    for rule in properties(stack, "AWS::Events::Rule"):
        pattern = rule["EventPattern"]
        if pattern["source"] == ["aws.s3"]:
            assert len(json.dumps(pattern)) <= 2048
            found += pattern["detail"]["requestParameters"]["bucketName"]
    assert sorted(found) == sorted(names)


def test_topic_and_key_of_others_are_used(stack: cdk.Stack) -> None:
    key = kms.Key(stack, "Key")
    topic = sns.Topic(stack, "Topic", master_key=key)
    monitoring = SecureTransportMonitoring(
        stack, "Monitoring", buckets=[SecureBucket(stack, "Reports")], encryption_key=key, topic=topic
    )
    assert monitoring.topic is topic
    assert monitoring.encryption_key is key
    template = Template.from_stack(stack)
    template.resource_count_is("AWS::KMS::Key", 1)
    template.resource_count_is("AWS::SNS::Topic", 1)
    # A topic with a policy has lost the default one, which let the alarms of the account in.
    template.has_resource_properties(
        "AWS::SNS::TopicPolicy",
        {
            "PolicyDocument": {
                "Statement": Match.array_with(
                    [
                        Match.object_like({"Principal": {"Service": "cloudwatch.amazonaws.com"}}),
                        Match.object_like({"Principal": {"Service": "events.amazonaws.com"}}),
                    ]
                )
            }
        },
    )
    (policy,) = properties(stack, "AWS::KMS::Key")
    services = [
        str(statement["Principal"]["Service"])
        for statement in policy["KeyPolicy"]["Statement"]
        if "Service" in statement["Principal"]
    ]
    assert any("logs." in service for service in services)
    assert {"cloudtrail.amazonaws.com", "cloudwatch.amazonaws.com", "events.amazonaws.com"} <= set(services)


def test_the_key_of_a_topic_of_others_lets_the_alarms_use_it(app: cdk.App, stack: cdk.Stack) -> None:
    keys = cdk.Stack(app, "Keys")
    topic = sns.Topic(keys, "Topic", master_key=kms.Key(keys, "Key"))
    SecureTransportMonitoring(stack, "Monitoring", buckets=[SecureBucket(stack, "Reports")], topic=topic)
    (key,) = properties(keys, "AWS::KMS::Key")
    shared = {
        statement["Principal"]["Service"]: (statement["Action"], statement.get("Condition"))
        for statement in key["KeyPolicy"]["Statement"]
        if "Service" in statement["Principal"]
    }
    actions = ["kms:Decrypt", "kms:GenerateDataKey*"]
    account = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert shared == {
        "cloudwatch.amazonaws.com": (actions, account),
        "events.amazonaws.com": (actions, None),
    }


def test_the_topic_refuses_plain_http(stack: cdk.Stack) -> None:
    SecureTransportMonitoring(
        stack,
        "Monitoring",
        buckets=[SecureBucket(stack, "Reports")],
        email_addresses=["security@example.com"],
    )
    (policy,) = properties(stack, "AWS::SNS::TopicPolicy")
    assert {"Bool": {"aws:SecureTransport": "false"}} in [
        statement.get("Condition")
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
    ]
    (topic,) = properties(stack, "AWS::SNS::Topic")
    assert topic["KmsMasterKeyId"]
    (subscription,) = properties(stack, "AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "security@example.com")


@pytest.mark.parametrize(("mode", "automatic"), [("manual", False), ("automatic", True)])
def test_the_remediation_can_do_its_work_and_no_more(stack: cdk.Stack, mode: Any, automatic: bool) -> None:
    bucket = SecureBucket(stack, "Reports")
    monitoring = SecureTransportMonitoring(stack, "Monitoring", buckets=[bucket], remediation=mode)
    (remediation,) = properties(stack, "AWS::Config::RemediationConfiguration")
    assert remediation["Automatic"] is automatic
    assert remediation["TargetId"] == "AWSConfigRemediation-RestrictBucketSSLRequestsOnly"
    assert remediation["Parameters"]["BucketName"] == {"ResourceValue": {"Value": "RESOURCE_ID"}}
    assert monitoring.remediation_role is not None
    role = stack.resolve(monitoring.remediation_role.role_arn)
    assert remediation["Parameters"]["AutomationAssumeRole"] == {"StaticValue": {"Values": [role]}}
    (on_buckets,) = (
        statement
        for policy in properties(stack, "AWS::IAM::Policy")
        for statement in policy["PolicyDocument"]["Statement"]
        if "s3:PutBucketPolicy" in statement["Action"]
    )
    assert on_buckets["Resource"] == arn_of(stack, bucket)


def test_it_watches_from_a_nested_stack_and_into_one(app: cdk.App, stack: cdk.Stack) -> None:
    nested = cdk.NestedStack(stack, "Nested")
    above, below = SecureBucket(stack, "Above"), SecureBucket(nested, "Below")
    SecureTransportMonitoring(stack, "Into", buckets=[above, below])
    SecureTransportMonitoring(cdk.NestedStack(stack, "Other"), "From", buckets=[above, below])
    app.synth()


def test_it_watches_buckets_of_other_stacks_without_a_cycle(app: cdk.App, stack: cdk.Stack) -> None:
    other = cdk.Stack(app, "Other")
    SecureTransportMonitoring(
        other, "Monitoring", buckets=[SecureBucket(stack, "Reports")], remediation="manual"
    )
    app.synth()
    assert other.dependencies == [stack]
    assert stack.dependencies == []


def test_it_works_in_a_stage(app: cdk.App) -> None:
    stack = cdk.Stack(cdk.Stage(app, "Prod"), "Data")
    SecureTransportMonitoring(stack, "Monitoring", buckets=[SecureBucket(stack, "Reports")])
    app.synth()


def test_two_of_them_count_and_are_named_apart(app: cdk.App, stack: cdk.Stack) -> None:
    bucket = SecureBucket(stack, "Reports")
    group = logs.LogGroup(stack, "Group")
    for id in ("One", "Two"):
        SecureTransportMonitoring(stack, id, buckets=[bucket], log_group=group)
    namespaces = {
        each["MetricTransformations"][0]["MetricNamespace"]
        for each in properties(stack, "AWS::Logs::MetricFilter")
    }
    assert len(namespaces) == 2
    assert all(namespace.startswith("SecureBucket/Top-") for namespace in namespaces)
    for resource in Template.from_stack(stack).to_json()["Resources"].values():
        names = {"AlarmName", "TopicName", "BucketName", "ConfigRuleName", "DashboardName", "TrailName"}
        if resource["Type"] != "AWS::Config::RemediationConfiguration":
            assert not names.intersection(resource.get("Properties", {}))


def test_a_trail_of_another_stack_is_extended_where_that_makes_no_cycle(app: cdk.App) -> None:
    trails, here, buckets = cdk.Stack(app, "Trails"), cdk.Stack(app, "Here"), cdk.Stack(app, "Buckets")
    trail = cloudtrail.Trail(trails, "Trail", send_to_cloud_watch_logs=True)
    bucket = SecureBucket(buckets, "Reports")
    SecureTransportMonitoring(here, "Monitoring", buckets=[bucket], trail=trail)
    app.synth()


def test_it_says_nothing_at_synthesis(app: cdk.App, stack: cdk.Stack) -> None:
    SecureTransportMonitoring(stack, "Monitoring", all_buckets=True, remediation="automatic")
    anything = Match.any_value()
    for found in (
        Annotations.from_stack(stack).find_warning("*", anything),
        Annotations.from_stack(stack).find_error("*", anything),
    ):
        assert found == []


def trail_with(stack: cdk.Stack, **props: Any) -> cloudtrail.Trail:
    return cloudtrail.Trail(stack, "Trail", bucket=SecureBucket(stack, "TrailBucket"), **props)


def advanced_trail(stack: cdk.Stack) -> cloudtrail.Trail:
    trail = trail_with(stack, send_to_cloud_watch_logs=True)
    cast(cloudtrail.CfnTrail, trail.node.default_child).advanced_event_selectors = []
    return trail


def many(stack: cdk.Stack, number: int) -> list[s3.IBucket]:
    return [s3.Bucket.from_bucket_name(stack, f"B{each}", f"amzn-s3-demo-{each}") for each in range(number)]


def without_trail(name: str, value: object) -> Callable[[cdk.Stack], dict[str, Any]]:
    return lambda stack: {
        "all_buckets": True,
        "log_group": logs.LogGroup.from_log_group_name(stack, "G", "g"),
        name: value,
    }


WRONG: dict[str, tuple[Callable[[cdk.Stack], dict[str, Any]], str]] = {
    "nothing": (lambda stack: {}, "there is nothing to watch. Name the buckets"),
    "no bucket": (lambda stack: {"buckets": []}, "there is nothing to watch"),
    "both": (
        lambda stack: {"all_buckets": True, "buckets": [SecureBucket(stack, "B")]},
        "`all_buckets=True` watches every bucket",
    ),
    "a bucket and no list": (
        lambda stack: {"buckets": SecureBucket(stack, "B")},
        "`buckets` is a single bucket. Write a list: `buckets=[bucket]`",
    ),
    "a name": (lambda stack: {"buckets": ["reports"]}, "`buckets` holds 'reports', which is not a bucket"),
    "a text": (
        lambda stack: {"buckets": "reports"},
        "`buckets='reports'` is a text. Write a list of buckets",
    ),
    "another construct": (
        lambda stack: {"buckets": [sns.Topic(stack, "T")]},
        "`buckets` holds Topic(…), which is not a bucket",
    ),
    "another region": (
        lambda stack: {
            "buckets": [
                s3.Bucket.from_bucket_attributes(stack, "B", bucket_name="theirs", region="eu-west-1")
            ]
        },
        "bucket `Fixed/B` is in the region `eu-west-1`, and a monitoring in `eu-central-1` does not see it",
    ),
    "another account": (
        lambda stack: {
            "buckets": [
                s3.Bucket.from_bucket_attributes(stack, "B", bucket_name="theirs", account="444455556666")
            ]
        },
        "bucket `Fixed/B` is in the account `444455556666`",
    ),
    "no threshold": (
        lambda stack: {"all_buckets": True, "denied_threshold": 0},
        "`denied_threshold=0` is not a number of requests. Use a whole number from 1",
    ),
    "below zero": (
        lambda stack: {"all_buckets": True, "answered_threshold": -1},
        "`answered_threshold=-1` is not a number",
    ),
    "half a request": (
        lambda stack: {"all_buckets": True, "answered_threshold": 1.5},
        "`answered_threshold=1.5` is not a number",
    ),
    "a truth": (
        lambda stack: {"all_buckets": True, "answered_threshold": True},
        "`answered_threshold=True` is not a number",
    ),
    "no such scope": (
        lambda stack: {"all_buckets": True, "config_rule": "all"},
        "`config_rule='all'` is not one of `'buckets'`, `'account'` or `None`",
    ),
    "no such remediation": (
        lambda stack: {"all_buckets": True, "remediation": True},
        "`remediation=True` is not one of `'manual'`, `'automatic'` or `None`",
    ),
    "a remediation without a rule": (
        lambda stack: {"all_buckets": True, "config_rule": None, "remediation": "manual"},
        "`remediation='manual'` fixes what a rule of AWS Config finds",
    ),
    "an address and no list": (
        lambda stack: {"all_buckets": True, "email_addresses": "a@example.com"},
        "`email_addresses` is a text. Write a list: `['a@example.com']`",
    ),
    "no address": (
        lambda stack: {"all_buckets": True, "email_addresses": ["security"]},
        "`email_addresses` holds 'security', which is not an address",
    ),
    "no addresses": (
        lambda stack: {"all_buckets": True, "email_addresses": None},
        "`email_addresses=None` is not a list",
    ),
    "buckets that are no list": (lambda stack: {"buckets": 5}, "`buckets=5` is not a list"),
    "the ARN of a topic": (
        lambda stack: {"all_buckets": True, "topic": "arn:aws:sns:eu-central-1:111122223333:t"},
        "`topic='arn:aws:sns:eu-central-1:111122223333:t'` is not an SNS topic. Pass one, made or imported",
    ),
    "the id of a key": (
        lambda stack: {"all_buckets": True, "encryption_key": "1234"},
        "`encryption_key='1234'` is not a KMS key",
    ),
    "the name of a log group": (
        lambda stack: {"all_buckets": True, "log_group": "trail"},
        "`log_group='trail'` is not a log group",
    ),
    "a topic as an action": (
        lambda stack: {"all_buckets": True, "alarm_actions": [sns.Topic(stack, "T")]},
        "`alarm_actions` holds Topic(…), which is not an alarm action. A topic is one as "
        "`cloudwatch_actions.SnsAction(topic)`",
    ),
    "a topic as a target": (
        lambda stack: {"all_buckets": True, "rule_targets": [sns.Topic(stack, "T")]},
        "`rule_targets` holds Topic(…), which is not a target of a rule. A topic is one as "
        "`targets.SnsTopic(topic)`",
    ),
    "an action and no list": (
        lambda stack: {
            "all_buckets": True,
            "alarm_actions": cloudwatch_actions.SnsAction(sns.Topic(stack, "T")),
        },
        "`alarm_actions=SnsAction(…)` is not a list",
    ),
    "management events in a word": (
        lambda stack: {"all_buckets": True, "management_events": "ALL"},
        "`management_events='ALL'` is not a `cloudtrail.ReadWriteType`",
    ),
    "a trail of the lowest level": (
        lambda stack: {
            "all_buckets": True,
            "trail": cloudtrail.CfnTrail(stack, "L1", is_logging=True, s3_bucket_name="theirs"),
        },
        "`trail=CfnTrail(…)` is not a `cloudtrail.Trail` of this app",
    ),
    **{
        f"{name} of no trail": (
            without_trail(name, value),
            f"`{name}` is about a new trail, and with `trail` or `log_group` none is made",
        )
        for name, value in {
            "management_events": cloudtrail.ReadWriteType.ALL,
            "log_bucket_retention": cdk.Duration.days(30),
            "log_group_retention": logs.RetentionDays.ONE_DAY,
        }.items()
    },
    "addresses without a topic": (
        lambda stack: {
            "alarm_actions": [],
            "all_buckets": True,
            "email_addresses": ["a@example.com"],
            "rule_targets": [],
        },
        "`email_addresses` are told through a topic",
    ),
    "a trail without logs": (
        lambda stack: {"all_buckets": True, "trail": trail_with(stack)},
        "the trail `Fixed/Trail` does not deliver to CloudWatch Logs",
    ),
    "a trail with advanced selectors": (
        lambda stack: {"all_buckets": True, "trail": advanced_trail(stack)},
        "the trail `Fixed/Trail` has advanced event selectors",
    ),
    "more than a trail can name": (
        lambda stack: {"buckets": many(stack, 491)},
        "`buckets` holds 491 buckets, and a trail can name 490 of them",
    ),
    "more than the log group of a trail can name": (
        lambda stack: {
            "buckets": many(stack, 161),
            "trail": trail_with(stack, send_to_cloud_watch_logs=True),
        },
        "can name 160 of them. Write `all_buckets=True`, or leave out `trail` and `log_group`",
    ),
    "more than a log group can name": (
        lambda stack: {
            "buckets": many(stack, 161),
            "log_group": logs.LogGroup.from_log_group_name(stack, "G", "g"),
        },
        "`buckets` holds 161 buckets, and the metric filters of a log group can name 160 of them",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_watched_is_refused(app: cdk.App, case: str) -> None:
    env = cdk.Environment(account="111122223333", region="eu-central-1")
    stack = cdk.Stack(app, "Fixed", env=env)
    props, words = WRONG[case]
    with pytest.raises(ConstructError) as error:
        SecureTransportMonitoring(stack, "Monitoring", **props(stack))
    assert str(error.value).startswith("secure transport monitoring `Fixed/Monitoring`: ")
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_trail_that_would_make_a_cycle_is_refused_with_the_way_out(app: cdk.App, stack: cdk.Stack) -> None:
    trail = cloudtrail.Trail(cdk.Stack(app, "Trails"), "Trail", send_to_cloud_watch_logs=True)
    with pytest.raises(ConstructError, match="Put the monitoring into the stack of the trail"):
        SecureTransportMonitoring(stack, "Monitoring", buckets=[SecureBucket(stack, "Reports")], trail=trail)


def test_what_is_kept_is_kept_as_long_as_somebody_says(stack: cdk.Stack) -> None:
    SecureTransportMonitoring(
        stack,
        "Monitoring",
        all_buckets=True,
        log_bucket_retention=cdk.Duration.days(800),
        log_group_retention=logs.RetentionDays.ONE_WEEK,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    (group,) = properties(stack, "AWS::Logs::LogGroup")
    assert group["RetentionInDays"] == 7
    (bucket,) = properties(stack, "AWS::S3::Bucket")
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert rule["ExpirationInDays"] == 800
    for type in ("AWS::KMS::Key", "AWS::Logs::LogGroup", "AWS::S3::Bucket"):
        for resource in Template.from_stack(stack).find_resources(type).values():
            assert resource["DeletionPolicy"] == "Delete"


def test_targets_of_others_get_the_whole_event(stack: cdk.Stack) -> None:
    group = logs.LogGroup(stack, "Changes")
    monitoring = SecureTransportMonitoring(
        stack, "Monitoring", all_buckets=True, rule_targets=[targets.CloudWatchLogGroup(group)]
    )
    assert all(isinstance(rule, events.Rule) for rule in monitoring.change_rules)
    for rule in properties(stack, "AWS::Events::Rule"):
        (target,) = rule["Targets"]
        assert "InputTransformer" not in target
    # The alarms still tell the topic.
    assert monitoring.topic is not None


def test_the_manual_shows_what_works(app: cdk.App) -> None:
    manual = Path(__file__).parents[3] / "docs" / "monitoring.md"
    blocks = re.findall(
        r"^```python\n(.*?)^```$", manual.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert len(blocks) == 3
    lines = [line for block in blocks[1:] for line in block.splitlines()]
    assert len(lines) == 7
    for number, example in enumerate([blocks[0], *lines]):
        # Each by itself: they have one id.
        stack = cdk.Stack(app, f"Manual{number}")
        group = logs.LogGroup(stack, "Group")
        names = {
            **{name: getattr(secure_bucket, name) for name in secure_bucket.__all__},
            "self": stack,
            "group": group,
            "page": cloudwatch_actions.SnsAction(sns.Topic(stack, "Page")),
            "queue": targets.CloudWatchLogGroup(group),
            "reports": SecureBucket(stack, "R"),
            "trail": trail_with(stack, send_to_cloud_watch_logs=True),
        }
        exec(example, names)
    app.synth()
