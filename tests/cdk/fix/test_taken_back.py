"""FIX makes buckets with the deny, and takes it back where it must leave a bucket as it is."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications
from constructs import Construct, IConstruct

from secure_bucket import Mode, SecureTransportAspect, enforce_secure_transport
from secure_bucket.cdk.gate.acknowledgments import METADATA_KEY
from tests.cdk.fix.test_enforce import fixing, recorded
from tests.cdk.fix.test_fix import denies, policies, statements, synthesized

ACCEPTED = "secure-bucket::SB001"


def acknowledge(construct: Any) -> None:
    cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=ACCEPTED, reason="no TLS"))


def reader() -> iam.PolicyStatement:
    return iam.PolicyStatement(
        actions=["s3:GetObject"],
        principals=[iam.AccountPrincipal("111122223333")],
        resources=["arn:aws:s3:::reports/*"],
    )


def without_fix(make: Callable[[cdk.Stack], object]) -> dict[str, Any]:
    app = cdk.App()
    make(cdk.Stack(app, "Top"))
    return synthesized(app)


def plain(stack: cdk.Stack) -> None:
    acknowledge(s3.Bucket(stack, "Plain"))


def with_a_statement(stack: cdk.Stack) -> None:
    bucket = s3.Bucket(stack, "Plain")
    bucket.add_to_resource_policy(reader())
    acknowledge(bucket)


def with_notifications(stack: cdk.Stack) -> None:
    bucket = s3.Bucket(stack, "Plain")
    code = lambda_.Code.from_inline("pass")
    runtime = lambda_.Runtime.PYTHON_3_13
    function = lambda_.Function(stack, "Function", code=code, runtime=runtime, handler="index.handler")
    bucket.add_event_notification(s3.EventType.OBJECT_CREATED, notifications.LambdaDestination(function))
    acknowledge(bucket)


def with_auto_delete(stack: cdk.Stack) -> None:
    removal = cdk.RemovalPolicy.DESTROY
    acknowledge(s3.Bucket(stack, "Plain", auto_delete_objects=True, removal_policy=removal))


def on_the_l1(stack: cdk.Stack) -> None:
    acknowledge(s3.Bucket(stack, "Plain").node.default_child)


def before_it_is_made(stack: cdk.Stack) -> None:
    acknowledge(stack)
    s3.Bucket(stack, "Plain")


def merged_with_a_deny(stack: cdk.Stack) -> None:
    stack.node.set_context("@aws-cdk/aws-iam:minimizePolicies", True)
    bucket = s3.Bucket(stack, "Plain")
    deny = iam.PolicyStatement(
        effect=iam.Effect.DENY,
        actions=["s3:*"],
        principals=[iam.AnyPrincipal()],
        resources=["arn:aws:s3:::reports/private/*", "arn:aws:s3:::reports/secret/*"],
        conditions={"Bool": {"aws:SecureTransport": "false"}},
    )
    bucket.add_to_resource_policy(deny)
    acknowledge(bucket)


def made_a_website(stack: cdk.Stack) -> None:
    resource: Any = s3.Bucket(stack, "Plain").node.default_child
    website = s3.CfnBucket.WebsiteConfigurationProperty(index_document="index.html")
    resource.website_configuration = website
    cdk.Validations.of(stack).acknowledge(
        cdk.Acknowledgment(id=ACCEPTED, reason="a website"),
        cdk.Acknowledgment(id="secure-bucket::SB004", reason="a website"),
    )


def with_a_dependent(stack: cdk.Stack) -> None:
    bucket = s3.Bucket(stack, "Plain")
    topic = cdk.CfnResource(stack, "Topic", type="AWS::SNS::Topic")
    topic.node.add_dependency(bucket)
    if bucket.policy is not None:
        topic.node.add_dependency(bucket.policy)
    acknowledge(bucket)


def by_hand(stack: cdk.Stack) -> None:
    s3.Bucket(stack, "Plain").node.add_metadata(METADATA_KEY, {ACCEPTED: "read by a device without TLS"})


@pytest.mark.parametrize(
    "make",
    [
        plain,
        by_hand,
        with_a_dependent,
        with_a_statement,
        with_notifications,
        with_auto_delete,
        on_the_l1,
        before_it_is_made,
        merged_with_a_deny,
        made_a_website,
    ],
)
def test_nothing_is_left_of_the_deny(make: Callable[[cdk.Stack], object]) -> None:
    app = fixing()
    make(cdk.Stack(app, "Top"))
    assert synthesized(app) == without_fix(make)
    record = recorded(app)
    assert record["fixed"] == []
    assert [each["bucket"] for each in record["left"]] == ["Top/Plain/Resource"]


def test_an_acknowledgment_that_names_another_rule_takes_nothing_back() -> None:
    app = fixing()
    bucket = s3.Bucket(cdk.Stack(app, "Top"), "Plain")
    cdk.Validations.of(bucket).acknowledge(cdk.Acknowledgment(id="Some::Other", reason="no matter"))
    (policy,) = policies(app).values()
    assert denies(policy) == 1


def test_a_bucket_with_an_acknowledged_neighbor_is_fixed() -> None:
    app, other = fixing(), fixing()
    for each in (app, other):
        stack = cdk.Stack(each, "Top")
        s3.Bucket(stack, "Plain")
        excused = s3.Bucket(stack, "Excused")
        if each is app:
            acknowledge(excused)
    assert [each["Properties"]["Bucket"]["Ref"] for each in policies(app).values()] == ["Plain295EB121"]
    assert len(policies(other)) == 2, "another app knows nothing of it"


def test_a_policy_that_stands_apart_takes_the_deny() -> None:
    app = fixing()
    stack = cdk.Stack(app, "Top")
    bucket = s3.Bucket(stack, "Plain")
    s3.BucketPolicy(stack, "Apart", bucket=bucket).document.add_statements(reader())
    l1 = s3.Bucket(stack, "Other")
    s3.CfnBucketPolicy(stack, "L1", bucket=l1.bucket_name, policy_document={"Statement": []})
    found = policies(app)
    assert sorted(id[:5] for id in found) == ["Apart", "L1"]
    assert [denies(policy) for policy in found.values()] == [1, 1]
    assert {each["isNewPolicy"] for each in recorded(app)["fixed"]} == {False}


def test_a_flow_log_to_the_bucket_takes_the_deny_back() -> None:
    app = fixing()
    stack = cdk.Stack(app, "Top")
    bucket = s3.Bucket(stack, "Plain")
    log = {"resourceId": "vpc-1", "resourceType": "VPC", "trafficType": "ALL"}
    ec2.CfnFlowLog(
        stack,
        "Log",
        resource_id=log["resourceId"],
        resource_type=log["resourceType"],
        traffic_type=log["trafficType"],
        log_destination_type="s3",
        log_destination=bucket.bucket_arn,
    )
    with pytest.raises(RuntimeError, match="the flow log `Top/Log` goes to it"):
        app.synth()
    assert bucket.policy is None


def test_a_deny_that_was_removed_by_hand_is_written_again() -> None:
    app = fixing()
    stack = cdk.Stack(app, "Top")
    bucket = s3.Bucket(stack, "Plain")
    assert bucket.policy is not None
    resource: Any = bucket.policy.node.default_child
    resource.policy_document = {"Version": "2012-10-17", "Statement": []}
    other = s3.Bucket(stack, "Other")
    other.node.try_remove_child("Policy")
    found = policies(app)
    assert [denies(policy) for policy in found.values()] == [1, 1]


def test_a_deny_of_the_author_is_not_doubled() -> None:
    app = fixing()
    stack = cdk.Stack(app, "Top")
    bucket = s3.Bucket(stack, "Plain")
    deny = iam.PolicyStatement(
        effect=iam.Effect.DENY,
        actions=["s3:*"],
        principals=[iam.AnyPrincipal()],
        resources=[bucket.bucket_arn, bucket.arn_for_objects("*")],
        conditions={"Bool": {"aws:SecureTransport": "false"}},
    )
    deny.sid = "Ours"
    bucket.add_to_resource_policy(deny)
    (policy,) = policies(app).values()
    assert [each.get("Sid") for each in statements(policy)] == ["Ours"]


def test_stacks_with_the_same_logical_ids_do_not_take_each_other_for_one() -> None:
    app = fixing()
    for name in ("One", "Two"):
        bucket = s3.Bucket(cdk.Stack(app, name), "Plain")
        if name == "Two":
            acknowledge(bucket)
    app.synth()
    assert [each["bucket"] for each in recorded(app)["fixed"]] == ["One/Plain/Resource"]
    assert [each["bucket"] for each in recorded(app)["left"]] == ["Two/Plain/Resource"]


def test_a_bucket_of_an_aspect_of_a_second_synthesis_has_the_deny() -> None:
    app = fixing()
    cdk.Aspects.of(app).add(SecureTransportAspect(mode=Mode.FIX, quiet=True))
    s3.Bucket(cdk.Stack(app, "Top"), "Plain")
    app.synth()
    made: list[s3.Bucket] = []

    @jsii.implements(cdk.IAspect)
    class Adder:
        def visit(self, node: IConstruct) -> None:
            if isinstance(node, cdk.Stack) and not made:
                made.append(s3.Bucket(cast(Construct, node), "Late"))

    cdk.Aspects.of(app).add(Adder(), priority=900)
    app.synth(force=True)
    assert [each["bucket"] for each in recorded(app)["fixed"]] == ["Top/Late/Resource", "Top/Plain/Resource"]


def test_the_lifetime_of_a_bucket_that_changes_late_is_followed() -> None:
    app = fixing()
    stack = cdk.Stack(app, "Top")
    condition = cdk.CfnCondition(stack, "Prod", expression=cdk.Fn.condition_equals(cdk.Aws.REGION, "x"))
    for id in ("Kept", "Gone", "Conditional"):
        bucket = s3.Bucket(stack, id)
        resource: Any = bucket.node.default_child
        if id == "Gone":
            bucket.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        if id == "Conditional":
            resource.cfn_options.condition = condition
    found = {id[:4]: policy for id, policy in policies(app).items()}
    assert {id: policy["DeletionPolicy"] for id, policy in found.items()} == {
        "Kept": "Retain",
        "Gone": "Delete",
        "Cond": "Retain",
    }
    assert json.dumps(found["Cond"]).count('"Condition": "Prod"') == 1


def test_the_deny_of_a_bucket_whose_resource_was_removed_goes_with_it() -> None:
    app = fixing()
    stack = cdk.Stack(app, "Top")
    s3.Bucket(stack, "Removed").node.try_remove_child("Resource")
    s3.Bucket(stack, "Kept")
    (policy,) = policies(app).values()
    assert policy["Properties"]["Bucket"] == {"Ref": "Kept118DB03B"}


def test_the_deny_of_a_bucket_whose_resource_was_removed_goes_from_a_shared_document() -> None:
    app = fixing()
    stack = cdk.Stack(app, "Top")
    removed, kept = s3.Bucket(stack, "Removed"), s3.Bucket(stack, "Kept")
    removed.add_to_resource_policy(reader())
    assert removed.policy is not None
    s3.CfnBucketPolicy(stack, "Apart", bucket=kept.bucket_name, policy_document=removed.policy.document)
    removed.node.try_remove_child("Resource")
    with pytest.raises(RuntimeError, match="Validation"):
        app.synth()  # The policy of the removed bucket holds another statement, and stays.
    template = json.loads((Path(app.outdir) / "Top.template.json").read_text(encoding="utf-8"))
    found = [each for each in template["Resources"].values() if each["Type"] == "AWS::S3::BucketPolicy"]
    assert sorted(map(denies, found)) == [0, 1]


@pytest.mark.parametrize("first", [True, False])
def test_an_override_by_number_changes_the_same_statement_as_without_fix(first: bool) -> None:
    app = fixing() if first else cdk.App()
    bucket = s3.Bucket(cdk.Stack(app, "Top"), "Plain")
    bucket.add_to_resource_policy(reader())
    assert bucket.policy is not None
    resource = cast(s3.CfnBucketPolicy, bucket.policy.node.default_child)
    resource.add_property_override("PolicyDocument.Statement.0.Sid", "Theirs")
    if not first:
        enforce_secure_transport(app, mode=Mode.FIX, quiet=True)
    for _ in range(2):
        (policy,) = policies(app).values()
        theirs, ours = statements(policy)
        assert (theirs["Sid"], theirs["Action"]) == ("Theirs", "s3:GetObject")
        assert ours["Effect"] == "Deny"


def test_the_deny_comes_last_without_the_id_of_another_statement() -> None:
    app = fixing()
    bucket = s3.Bucket(cdk.Stack(app, "Top"), "Plain")
    theirs = reader()
    theirs.sid = "DenyPlainHttp"
    bucket.add_to_resource_policy(theirs)
    (policy,) = policies(app).values()
    assert [each.get("Sid") for each in statements(policy)] == ["DenyPlainHttp", None]


@pytest.mark.parametrize("as_aspect", [True, False])
@pytest.mark.parametrize("of_a_policy", [True, False])
def test_a_child_of_a_bucket_that_is_called_policy_is_in_nobodys_way(
    as_aspect: bool, of_a_policy: bool
) -> None:
    app = cdk.App()
    bucket = s3.Bucket(cdk.Stack(app, "Top"), "Plain")
    if of_a_policy:
        s3.BucketPolicy(bucket, "Policy", bucket=bucket).document.add_statements(reader())
    else:
        Construct(bucket, "Policy")
    if as_aspect:
        cdk.Aspects.of(app).add(SecureTransportAspect(mode=Mode.FIX, quiet=True))
    else:
        enforce_secure_transport(app, mode=Mode.FIX, quiet=True)
    (policy,) = policies(app).values()
    assert denies(policy) == 1


def l2_policy(bucket: s3.Bucket) -> None:
    s3.BucketPolicy(bucket, "Policy", bucket=bucket).document.add_statements(reader())


def l1_policy(bucket: s3.Bucket) -> None:
    document = {"Statement": [reader().to_statement_json()]}
    s3.CfnBucketPolicy(bucket, "Policy", bucket=bucket.bucket_name, policy_document=document)


def managed_policy(bucket: s3.Bucket) -> None:
    iam.ManagedPolicy(bucket, "Policy", statements=[reader_of_a_user()])


def reader_of_a_user() -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=["s3:GetObject"], resources=["arn:aws:s3:::reports/*"])


class Named(Construct):
    """A construct of the app."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        cdk.CfnResource(self, "Topic", type="AWS::SNS::Topic")


def construct(bucket: s3.Bucket) -> None:
    Named(bucket, "Policy")


@pytest.mark.parametrize("make", [l2_policy, l1_policy, managed_policy, construct])
def test_a_later_child_that_is_called_policy_comes_before_the_policy_of_fix(
    make: Callable[[s3.Bucket], None],
) -> None:
    def build(app: cdk.App) -> dict[str, Any]:
        bucket = s3.Bucket(cdk.Stack(app, "Top"), "Plain")
        make(bucket)
        resources: dict[str, Any] = synthesized(app)
        return resources

    plain_app = cdk.App()
    expected, found = build(plain_app), build(fixing())
    for template in (expected, found):
        for id, resource in list(template.items()):
            if resource["Type"] == "AWS::S3::BucketPolicy":
                theirs = [each for each in statements(resource) if each["Effect"] != "Deny"]
                template[id] = {**resource, "Properties": theirs}
                if not theirs:
                    del template[id]
    assert found == expected


@pytest.mark.parametrize("make", [l2_policy, l1_policy, managed_policy, construct])
def test_a_bucket_whose_child_is_called_policy_has_one_policy_with_the_deny(
    make: Callable[[s3.Bucket], None],
) -> None:
    app = fixing()
    make(s3.Bucket(cdk.Stack(app, "Top"), "Plain"))
    (policy,) = policies(app).values()
    assert denies(policy) == 1
    assert [each["bucket"] for each in recorded(app)["fixed"]] == ["Top/Plain/Resource"]


def test_a_child_called_policy_comes_first_where_another_tool_wraps_the_kernel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original = inspect.unwrap(jsii.create)

    @functools.wraps(original)
    def traced(*args: Any) -> Any:
        return original(*args)

    monkeypatch.setattr(jsii, "create", traced)
    app = fixing()
    construct(s3.Bucket(cdk.Stack(app, "Top"), "Plain"))
    (policy,) = policies(app).values()
    assert denies(policy) == 1


def test_what_waits_for_the_policy_of_fix_waits_for_the_bucket_when_that_policy_is_gone() -> None:
    app = fixing()
    stack = cdk.Stack(app, "Top")
    bucket = s3.Bucket(stack, "Plain")
    topic = cdk.CfnResource(stack, "Topic", type="AWS::SNS::Topic")
    assert bucket.policy is not None
    topic.add_dependency(cast(cdk.CfnResource, bucket.policy.node.default_child))
    l1_policy(bucket)
    assert synthesized(app)["Topic"]["DependsOn"] == ["Plain295EB121"]


def test_an_app_that_asks_for_the_deny_and_makes_its_own_policy_fails_as_without_fix() -> None:
    for app in (cdk.App(), fixing()):
        bucket = s3.Bucket(cdk.Stack(app, "Top"), "Plain", enforce_ssl=True)
        with pytest.raises(RuntimeError, match="already a Construct with name 'Policy'"):
            l1_policy(bucket)


def with_many_readers(bucket: s3.Bucket) -> None:
    for number in range(200):
        role = iam.ArnPrincipal(f"arn:aws:iam::111122223333:role/a-role-with-a-long-name-{number}")
        bucket.grant_read(role, f"{number}/*")


def with_a_condition(bucket: s3.Bucket) -> None:
    bucket.add_to_resource_policy(reader())
    assert bucket.policy is not None
    resource = cast(s3.CfnBucketPolicy, bucket.policy.node.default_child)
    expression = cdk.Fn.condition_equals(cdk.Aws.REGION, "eu-west-1")
    resource.cfn_options.condition = cdk.CfnCondition(bucket, "IsProd", expression=expression)


@pytest.mark.parametrize(
    ("make", "why"), [(with_many_readers, "would grow to about"), (with_a_condition, "exists only under")]
)
@pytest.mark.parametrize("first", [True, False])
def test_a_policy_that_cannot_hold_the_deny_is_left(
    make: Callable[[s3.Bucket], None], why: str, first: bool
) -> None:
    app = fixing() if first else cdk.App()
    make(s3.Bucket(cdk.Stack(app, "Top"), "Plain"))
    if not first:
        enforce_secure_transport(app, mode=Mode.FIX, quiet=True)
    with pytest.raises(RuntimeError):
        app.synth()
    template = json.loads((Path(app.outdir) / "Top.template.json").read_text(encoding="utf-8"))
    (policy,) = [each for each in template["Resources"].values() if each["Type"] == "AWS::S3::BucketPolicy"]
    assert denies(policy) == 0
    assert recorded(app)["fixed"] == []
    (left,) = recorded(app)["left"]
    assert left["reason"].startswith(f"its policy `Top/Plain/Policy/Resource` {why}")
