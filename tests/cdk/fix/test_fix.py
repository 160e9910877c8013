"""FIX: the missing deny goes into the policy there is, whatever its form, and never twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import cloudformation_include
from constructs import Construct, IConstruct

from secure_bucket import Mode, SecureBucket, SecureTransportAspect, check_assembly

ALLOW = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::111122223333:role/reader"},
    "Action": "s3:GetObject",
}


def synthesized(app: cdk.App) -> dict[str, Any]:
    """The resources of all stacks; synthesizing fails unless each bucket is proven."""
    assembly = app.synth()
    found: dict[str, Any] = {}
    for file in sorted(Path(assembly.directory).rglob("*.template.json")):
        found |= json.loads(file.read_text(encoding="utf-8")).get("Resources", {})
    return found


def policies(app: cdk.App) -> dict[str, Any]:
    """The bucket policies, by the logical id of their resource."""
    return {
        id: resource
        for id, resource in synthesized(app).items()
        if resource["Type"] == "AWS::S3::BucketPolicy"
    }


def statements(policy: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = policy["Properties"]["PolicyDocument"]["Statement"]
    return found


def denies(policy: dict[str, Any]) -> int:
    return sum(
        statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        for statement in statements(policy)
    )


@pytest.fixture
def app() -> cdk.App:
    app = cdk.App()
    cdk.Aspects.of(app).add(SecureTransportAspect(mode=Mode.FIX, quiet=True))
    return app


@pytest.fixture
def stack(app: cdk.App) -> cdk.Stack:
    return cdk.Stack(app, "Top")


def allow(bucket: s3.CfnBucket) -> dict[str, Any]:
    return {**ALLOW, "Resource": cdk.Fn.join("", [bucket.attr_arn, "/*"])}


def test_an_l2_bucket_gets_a_policy_of_its_own(app: cdk.App, stack: cdk.Stack) -> None:
    bucket = s3.Bucket(stack, "Plain")
    (policy,) = policies(app).values()
    assert denies(policy) == 1
    assert bucket.policy is not None, "through the L2, which then knows of its policy"


def test_the_policy_of_an_l2_bucket_gets_one_statement_more(app: cdk.App, stack: cdk.Stack) -> None:
    bucket = s3.Bucket(stack, "Plain")
    role = iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal())
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["s3:GetObject"], principals=[role], resources=[bucket.arn_for_objects("*")]
        )
    )
    (policy,) = policies(app).values()
    assert len(statements(policy)) == 2
    assert denies(policy) == 1


def test_auto_delete_still_waits_for_the_policy(app: cdk.App, stack: cdk.Stack) -> None:
    s3.Bucket(stack, "Plain", auto_delete_objects=True, removal_policy=cdk.RemovalPolicy.DESTROY)
    resources = synthesized(app)
    (custom,) = (each for each in resources.values() if each["Type"] == "Custom::S3AutoDeleteObjects")
    (policy,) = (id for id, each in resources.items() if each["Type"] == "AWS::S3::BucketPolicy")
    assert policy in custom["DependsOn"]
    assert denies(resources[policy]) == 1


def test_a_policy_construct_that_stands_apart_is_the_one(app: cdk.App, stack: cdk.Stack) -> None:
    bucket = s3.Bucket(stack, "Plain")
    apart = s3.BucketPolicy(stack, "Apart", bucket=bucket)
    apart.document.add_statements(
        iam.PolicyStatement(
            actions=["s3:GetObject"],
            principals=[iam.AccountPrincipal("111122223333")],
            resources=[bucket.arn_for_objects("*")],
        )
    )
    (policy,) = policies(app).values()
    assert (len(statements(policy)), denies(policy)) == (2, 1)


def test_an_l1_bucket_without_a_policy_gets_one_in_its_own_stack(app: cdk.App, stack: cdk.Stack) -> None:
    s3.CfnBucket(stack, "Plain")
    nested = cdk.NestedStack(stack, "Nested")
    s3.CfnBucket(nested, "Inner")
    found = policies(app)
    assert sorted(policy["Properties"]["Bucket"]["Ref"] for policy in found.values()) == ["Inner", "Plain"]
    assert {denies(policy) for policy in found.values()} == {1}


@jsii.implements(cdk.IStableAnyProducer)
class Late:
    """A document that is only made when the template is."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def produce(self) -> Any:
        return self._document


FORMS = {
    "dictionary": lambda bucket: {"Version": "2012-10-17", "Statement": [allow(bucket)]},
    "one statement": lambda bucket: {"Version": "2012-10-17", "Statement": allow(bucket)},
    "no statement": lambda bucket: {"Version": "2012-10-17"},
    "old version": lambda bucket: {"Statement": [allow(bucket)]},
    "document": lambda bucket: iam.PolicyDocument(statements=[iam.PolicyStatement.from_json(allow(bucket))]),
    "lazy": lambda bucket: cdk.Lazy.any(Late({"Version": "2012-10-17", "Statement": [allow(bucket)]})),
    "lazy statements": lambda bucket: {
        "Version": "2012-10-17",
        "Statement": cdk.Lazy.any(cast(Any, Late([allow(bucket)]))),  # type: ignore[arg-type]
    },
    "lazy statement": lambda bucket: {
        "Version": "2012-10-17",
        "Statement": [cdk.Lazy.any(Late(allow(bucket)))],
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_an_l1_policy_keeps_what_it_says_and_gets_the_deny(app: cdk.App, stack: cdk.Stack, form: str) -> None:
    bucket = s3.CfnBucket(stack, "Plain")
    s3.CfnBucketPolicy(stack, "Policy", bucket=bucket.ref, policy_document=FORMS[form](bucket))
    found = policies(app)
    assert list(found) == ["Policy"]
    document = found["Policy"]["Properties"]["PolicyDocument"]
    assert denies(found["Policy"]) == 1
    assert document.get("Version") == (None if form == "old version" else "2012-10-17")
    kept = [statement for statement in document["Statement"] if statement["Effect"] == "Allow"]
    assert len(kept) == (form != "no statement")
    for statement in kept:
        assert statement["Principal"] == ALLOW["Principal"]


@pytest.mark.parametrize("name", ["by name", "by Sub", "by bare Ref"])
def test_a_policy_finds_its_bucket_however_it_names_it(app: cdk.App, stack: cdk.Stack, name: str) -> None:
    bucket = s3.CfnBucket(stack, "Plain", bucket_name=cdk.Fn.sub("reports-${AWS::AccountId}"))
    named = {
        "by name": cdk.Fn.sub("reports-${AWS::AccountId}"),
        "by Sub": cdk.Fn.sub("reports-${AWS::AccountId}"),
        "by bare Ref": cdk.Fn.ref("Plain"),
    }[name]
    if name == "by name":
        bucket.bucket_name = named = "reports-for-everybody"
    document = {"Version": "2012-10-17", "Statement": [allow(bucket)]}
    s3.CfnBucketPolicy(stack, "Policy", bucket=named, policy_document=document)
    found = policies(app)
    assert list(found) == ["Policy"]
    assert denies(found["Policy"]) == 1


def test_a_policy_in_another_stack_is_the_one(app: cdk.App, stack: cdk.Stack) -> None:
    bucket = s3.CfnBucket(stack, "Plain")
    other = cdk.Stack(app, "Other")
    # The same logical id as the bucket of the other stack.
    s3.CfnBucket(other, "Plain")
    document = {"Version": "2012-10-17", "Statement": [allow(bucket)]}
    s3.CfnBucketPolicy(other, "Policy", bucket=bucket.ref, policy_document=document)
    found = policies(app)
    assert len(found) == 2
    assert denies(found["Policy"]) == 1
    # By the name that the policy had before, and not by a new export.
    deny = next(each for each in statements(found["Policy"]) if each["Effect"] == "Deny")
    name = found["Policy"]["Properties"]["Bucket"]
    assert deny["Resource"][0] == {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":s3:::", name]]}


def test_a_proven_bucket_is_left_alone(app: cdk.App, stack: cdk.Stack) -> None:
    SecureBucket(stack, "Ours")
    s3.Bucket(stack, "Theirs", enforce_ssl=True)
    handmade = s3.CfnBucket(stack, "Handmade")
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "*",
        "Resource": [handmade.attr_arn, cdk.Fn.join("/", [handmade.attr_arn, "*"])],
        "Condition": {"Bool": {"aws:SecureTransport": False}},
    }
    s3.CfnBucketPolicy(
        stack, "Policy", bucket=handmade.ref, policy_document={"Version": "2012-10-17", "Statement": deny}
    )
    found = policies(app)
    assert [len(statements(policy)) for policy in found.values() if isinstance(statements(policy), list)] == [
        2,
        1,
    ]
    assert "Sid" not in json.dumps(found)


def test_a_deny_that_does_not_hold_is_no_reason_to_leave_it(app: cdk.App, stack: cdk.Stack) -> None:
    bucket = s3.CfnBucket(stack, "Plain")
    narrow = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket.attr_arn, cdk.Fn.join("", [bucket.attr_arn, "/*"])],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"aws:SourceVpc": "vpc-1"}},
    }
    s3.CfnBucketPolicy(stack, "Policy", bucket=bucket.ref, policy_document={"Statement": [narrow]})
    found = policies(app)
    assert (len(statements(found["Policy"])), denies(found["Policy"])) == (2, 1)


def test_twice_is_once(app: cdk.App, stack: cdk.Stack) -> None:
    cdk.Aspects.of(app).add(SecureTransportAspect(mode=Mode.FIX, quiet=True))
    cdk.Aspects.of(stack).add(SecureTransportAspect(mode=Mode.FIX, quiet=True))
    s3.Bucket(stack, "Plain")
    l1 = s3.CfnBucket(stack, "L1")
    s3.CfnBucketPolicy(stack, "Policy", bucket=l1.ref, policy_document=FORMS["lazy"](l1))
    s3.CfnBucket(stack, "Bare")
    first = policies(app)
    assert [denies(policy) for policy in first.values()] == [1, 1, 1]
    app.synth(force=True)
    assert policies(app) == first


def test_an_included_template_is_fixed(app: cdk.App, stack: cdk.Stack, tmp_path: Path) -> None:
    old = {
        "Parameters": {"Stage": {"Type": "String"}},
        "Conditions": {"IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
        "Resources": {
            "Bare": {"Type": "AWS::S3::Bucket", "Condition": "IsProd"},
            "Old": {"Type": "AWS::S3::Bucket"},
            "OldPolicy": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {
                    "Bucket": {"Ref": "Old"},
                    "PolicyDocument": {
                        "Statement": [
                            {**ALLOW, "Resource": {"Fn::Sub": "arn:${AWS::Partition}:s3:::${Old}/*"}}
                        ]
                    },
                },
            },
        },
    }
    file = tmp_path / "old.json"
    file.write_text(json.dumps(old), encoding="utf-8")
    cloudformation_include.CfnInclude(stack, "Included", template_file=str(file))
    found = policies(app)
    assert len(found) == 2
    assert denies(found.pop("OldPolicy")) == 1
    (bare,) = found.values()
    assert bare["Properties"]["Bucket"] == {"Ref": "Bare"}
    assert bare["Condition"] == "IsProd", "a policy without its bucket fails the deployment"


def test_a_condition_on_an_l2_bucket_is_on_its_new_policy(app: cdk.App, stack: cdk.Stack) -> None:
    condition = cdk.CfnCondition(
        stack, "IsProd", expression=cdk.Fn.condition_equals(cdk.Aws.REGION, "eu-west-1")
    )
    bucket = s3.Bucket(stack, "Plain")
    cast(s3.CfnBucket, bucket.node.default_child).cfn_options.condition = condition
    (policy,) = policies(app).values()
    assert policy["Condition"] == "IsProd"


def test_an_aspect_on_a_stage_fixes_that_stage() -> None:
    app = cdk.App()
    stage = cdk.Stage(app, "Prod")
    s3.Bucket(cdk.Stack(stage, "Data"), "Plain")
    cdk.Aspects.of(stage).add(SecureTransportAspect(mode=Mode.FIX, quiet=True))
    (policy,) = policies(app).values()
    assert denies(policy) == 1


def test_a_stage_out_of_reach_is_reported_with_what_to_attach(app: cdk.App, stack: cdk.Stack) -> None:
    s3.Bucket(stack, "Plain")
    stage = cdk.Stage(app, "Prod")
    s3.Bucket(cdk.Stack(stage, "Data"), "Hidden")
    with pytest.raises(RuntimeError) as caught:
        app.synth()
    assert "`Prod/Data/Hidden`" in str(caught.value)
    assert "FIX did not reach the stack `Prod/Data`" in str(caught.value)
    assert "`Top/Plain`" not in str(caught.value)


def test_a_website_is_not_closed(app: cdk.App, stack: cdk.Stack) -> None:
    bucket = s3.Bucket(stack, "Site", website_index_document="index.html")
    with pytest.raises(RuntimeError, match="remove `WebsiteConfiguration`"):
        app.synth()
    assert bucket.policy is None


def test_a_policy_that_may_be_its_own_is_not_doubled(app: cdk.App, stack: cdk.Stack) -> None:
    name = cdk.CfnParameter(stack, "Name").value_as_string
    s3.CfnBucket(stack, "Plain", bucket_name="reports-for-everybody")
    s3.CfnBucketPolicy(stack, "Policy", bucket=name, policy_document={"Statement": []})
    with pytest.raises(RuntimeError, match="Top/Plain"):
        app.synth()
    report = check_assembly(app.outdir)
    assert len(report.buckets) == 1
    assert stack.node.find_child("Plain").node.children == []


def test_statements_behind_a_condition_are_left_to_their_author(app: cdk.App, stack: cdk.Stack) -> None:
    bucket = s3.CfnBucket(stack, "Plain")
    condition = cdk.CfnCondition(
        stack, "IsProd", expression=cdk.Fn.condition_equals(cdk.Aws.REGION, "eu-west-1")
    )
    either = cdk.Fn.condition_if(condition.logical_id, [allow(bucket)], [])
    s3.CfnBucketPolicy(stack, "Policy", bucket=bucket.ref, policy_document={"Statement": either})
    with pytest.raises(RuntimeError, match="Top/Plain"):
        app.synth()


def test_buckets_of_other_aspects_are_fixed_too() -> None:
    app = cdk.App(context={"@aws-cdk/core:aspectStabilization": True})
    stack = cdk.Stack(app, "Top")

    @jsii.implements(cdk.IAspect)
    class Adder:
        def visit(self, node: IConstruct) -> None:
            if node is stack and not stack.node.try_find_child("Late"):
                s3.Bucket(cast(Construct, node), "Late")

    cdk.Aspects.of(app).add(Adder(), priority=200)
    cdk.Aspects.of(app).add(SecureTransportAspect(mode=Mode.FIX, quiet=True))
    (policy,) = policies(app).values()
    assert denies(policy) == 1


@pytest.mark.parametrize("stabilization", [True, False])
def test_with_and_without_aspect_stabilization(stabilization: bool) -> None:
    app = cdk.App(context={"@aws-cdk/core:aspectStabilization": stabilization})
    stack = cdk.Stack(app, "Top")
    cdk.Tags.of(app).add("team", "reports")
    cdk.Aspects.of(app).add(SecureTransportAspect(mode=Mode.FIX, quiet=True))
    s3.Bucket(stack, "Plain")
    s3.CfnBucket(stack, "L1")
    assert [denies(policy) for policy in policies(app).values()] == [1, 1]


def test_a_bucket_that_the_cdk_makes_by_itself_is_fixed(app: cdk.App, stack: cdk.Stack) -> None:
    origin = SecureBucket(stack, "Origin")
    cloudfront.Distribution(
        stack,
        "Site",
        default_behavior=cloudfront.BehaviorOptions(
            origin=origins.S3BucketOrigin.with_origin_access_control(origin),
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        ),
        enable_logging=True,
    )
    found = policies(app)
    assert len(found) == 2
    assert {denies(policy) for policy in found.values()} == {1}


def test_a_sid_that_is_taken_is_not_taken_twice(app: cdk.App, stack: cdk.Stack) -> None:
    bucket = s3.CfnBucket(stack, "Plain")
    document = {"Version": "2012-10-17", "Statement": [{**allow(bucket), "Sid": "DenyPlainHttp"}]}
    s3.CfnBucketPolicy(stack, "Policy", bucket=bucket.ref, policy_document=document)
    (policy,) = policies(app).values()
    assert denies(policy) == 1
    assert [statement.get("Sid") for statement in statements(policy)] == ["DenyPlainHttp", None]


@pytest.mark.parametrize("kind", [s3.CfnBucket, s3.Bucket])
def test_a_bucket_that_the_app_has_locked_is_left_with_the_reason(
    app: cdk.App, stack: cdk.Stack, kind: type[Construct]
) -> None:
    kind(stack, "Locked").node.lock()
    kind(stack, "Plain")
    with pytest.raises(RuntimeError, match="FIX left it as it is: the AWS CDK refuses a policy") as caught:
        app.synth()
    assert "Top/Plain" not in str(caught.value)
