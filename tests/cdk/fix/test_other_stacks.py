"""FIX in policies of other stacks: no new reference, no second policy, no deny for another bucket."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import IConstruct

from secure_bucket import BucketMfa, Mode, enforce_secure_transport
from tests.cdk.fix.test_enforce import fixing, recorded
from tests.cdk.fix.test_fix import allow, denies, policies, statements

NAME = "reports-for-everybody"


def readable(bucket: str) -> dict[str, Any]:
    """A document that allows something, in words that refer to nothing."""
    principal = {"AWS": "arn:aws:iam::111122223333:role/reader"}
    resource = f"arn:aws:s3:::{bucket}/*"
    statement = {"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


def without_policies(app: cdk.App) -> dict[str, Any]:
    """Everything that FIX must leave as it is: the templates without the statements of bucket policies."""
    found = {}
    for file in sorted(Path(app.outdir).rglob("*.template.json")):
        template = json.loads(file.read_text(encoding="utf-8"))
        for resource in template.get("Resources", {}).values():
            if resource["Type"] == "AWS::S3::BucketPolicy":
                resource["Properties"]["PolicyDocument"] = {}
            # The hash of a nested template is in its key.
            resource.get("Properties", {}).pop("TemplateURL", None)
            resource.get("Metadata", {}).pop("aws:asset:path", None)
        found[file.name] = template
    return found


def by_reference(app: cdk.App) -> None:
    bucket = s3.CfnBucket(cdk.Stack(app, "Data"), "Reports")
    other = cdk.Stack(app, "Other")
    document = {"Version": "2012-10-17", "Statement": [allow(bucket)]}
    s3.CfnBucketPolicy(other, "Policy", bucket=bucket.ref, policy_document=document)


def by_name_against_the_order(app: cdk.App) -> None:
    """The stack of the bucket needs the stack of the policy: a reference back would be a cycle."""
    data, other = cdk.Stack(app, "Data"), cdk.Stack(app, "Other")
    s3.CfnBucket(data, "Reports", bucket_name=NAME)
    s3.CfnBucketPolicy(other, "Policy", bucket=NAME, policy_document=readable(NAME))
    data.add_dependency(other)


def by_name_in_another_region(app: cdk.App) -> None:
    places = {"Data": "eu-west-1", "Other": "us-east-1"}
    data, other = (
        cdk.Stack(
            app,
            id,
            env=cdk.Environment(account="111122223333", region=region),
            cross_region_references=True,
        )
        for id, region in places.items()
    )
    s3.CfnBucket(data, "Reports", bucket_name=NAME)
    s3.CfnBucketPolicy(other, "Policy", bucket=NAME, policy_document=readable(NAME))


def of_a_nested_stack_by_reference(app: cdk.App) -> None:
    data = cdk.Stack(app, "Data")
    bucket = s3.CfnBucket(cdk.NestedStack(data, "Nested"), "Reports")
    s3.CfnBucketPolicy(data, "Policy", bucket=bucket.ref, policy_document=readable(NAME))


def of_a_nested_stack_by_name(app: cdk.App) -> None:
    """The nested stack is given something that depends on the policy: a reference back would be a cycle."""
    data = cdk.Stack(app, "Data")
    policy = s3.CfnBucketPolicy(data, "Policy", bucket=NAME, policy_document=readable(NAME))
    nested = cdk.NestedStack(data, "Nested")
    nested.node.add_dependency(policy)
    s3.CfnBucket(nested, "Reports", bucket_name=NAME)


def in_a_nested_stack_by_reference(app: cdk.App) -> None:
    data = cdk.Stack(app, "Data")
    bucket = s3.CfnBucket(data, "Reports")
    nested = cdk.NestedStack(data, "Nested")
    s3.CfnBucketPolicy(nested, "Policy", bucket=bucket.ref, policy_document=readable(NAME))


def in_a_nested_stack_by_parameter(app: cdk.App) -> None:
    data = cdk.Stack(app, "Data")
    bucket = s3.CfnBucket(data, "Reports")
    nested = cdk.NestedStack(data, "Nested", parameters={"Name": bucket.ref})
    name = cdk.CfnParameter(nested, "Name").value_as_string
    s3.CfnBucketPolicy(nested, "Policy", bucket=name, policy_document=readable(NAME))


def by_import(app: cdk.App) -> None:
    data, other = cdk.Stack(app, "Data"), cdk.Stack(app, "Other")
    bucket = s3.CfnBucket(data, "Reports")
    cdk.CfnOutput(data, "Name", value=bucket.ref, export_name="reports")
    name = cdk.Fn.import_value("reports")
    s3.CfnBucketPolicy(other, "Policy", bucket=name, policy_document=readable(NAME))


MAKERS = [
    by_reference,
    by_name_against_the_order,
    by_name_in_another_region,
    of_a_nested_stack_by_reference,
    of_a_nested_stack_by_name,
    in_a_nested_stack_by_reference,
    in_a_nested_stack_by_parameter,
    by_import,
]


@pytest.mark.parametrize("make", MAKERS)
def test_a_policy_of_another_stack_gets_the_deny_and_nothing_else(make: Any, tmp_path: Path) -> None:
    plain = cdk.App(outdir=str(tmp_path / "plain"))
    make(plain)
    plain.synth()
    app = cdk.App(outdir=str(tmp_path / "fixed"))
    enforce_secure_transport(app, mode=Mode.FIX, quiet=True)
    make(app)
    # Synthesizing fails unless the bucket is proven.
    (policy,) = policies(app).values()
    assert denies(policy) == 1
    assert [each["isNewPolicy"] for each in recorded(app)["fixed"]] == [False]
    assert without_policies(app) == without_policies(plain)


def test_a_policy_that_refers_to_another_stack_keeps_its_references() -> None:
    app = fixing()
    data, other = cdk.Stack(app, "Data"), cdk.Stack(app, "Other")
    role = iam.Role(other, "Role", assumed_by=iam.AccountRootPrincipal())
    bucket = s3.Bucket(data, "Reports")
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["s3:GetObject"], principals=[role], resources=[bucket.arn_for_objects("*")]
        )
    )
    (policy,) = policies(app).values()
    assert denies(policy) == 1
    text = json.dumps(policy["Properties"]["PolicyDocument"])
    assert text.count('"Fn::ImportValue": "Other:ExportsOutputFnGetAttRole') == 1


def test_mfa_in_a_policy_of_another_stack_makes_no_reference_either(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path / "mfa"))
    data, other = cdk.Stack(app, "Data"), cdk.Stack(app, "Other")
    bucket: Any = s3.CfnBucket(data, "Reports", bucket_name=NAME)
    s3.CfnBucketPolicy(other, "Policy", bucket=NAME, policy_document=readable(NAME))
    data.add_dependency(other)
    bucket.with_(BucketMfa())
    (policy,) = policies(app).values()
    assert len(policy["Properties"]["PolicyDocument"]["Statement"]) == 2
    assert "ImportValue" not in json.dumps(policy)


def test_policies_that_share_a_document_do_not_get_the_deny_of_another_bucket() -> None:
    app = fixing()
    stack = cdk.Stack(app, "Top")
    statement = iam.PolicyStatement.from_json(readable(NAME)["Statement"][0])
    shared = iam.PolicyDocument(statements=[statement])
    buckets = {id: s3.CfnBucket(stack, id) for id in ("One", "Two")}
    for id, bucket in buckets.items():
        s3.CfnBucketPolicy(stack, f"{id}Policy", bucket=bucket.ref, policy_document=shared)
    owner = s3.Bucket(stack, "Three")
    owner.add_to_resource_policy(statement)
    assert owner.policy is not None
    four = s3.CfnBucket(stack, "Four")
    s3.CfnBucketPolicy(stack, "FourPolicy", bucket=four.ref, policy_document=owner.policy.document)
    found = policies(app)
    assert len(found) == 4
    for policy in found.values():
        assert denies(policy) == 1
        (deny,) = (each for each in statements(policy) if each["Effect"] == "Deny")
        assert policy["Properties"]["Bucket"]["Ref"] in json.dumps(deny["Resource"])


@jsii.implements(cdk.IAspect)
class Grant:
    """An Aspect that adds to the policy of a bucket after FIX did."""

    def __init__(self, bucket: s3.Bucket) -> None:
        self._bucket = bucket

    def visit(self, node: IConstruct) -> None:
        if isinstance(node, cdk.App):
            self._bucket.grant_read(iam.AccountPrincipal("444455556666"))


def test_a_statement_that_comes_after_the_deny_is_kept() -> None:
    app = fixing()
    stack = cdk.Stack(app, "Top")
    bucket = s3.Bucket(stack, "Reports")
    bucket.grant_read(iam.AccountPrincipal("111122223333"))
    cdk.Aspects.of(app).add(Grant(bucket), priority=1_000)
    (policy,) = policies(app).values()
    assert denies(policy) == 1
    assert "444455556666" in json.dumps(policy)


def by_mapping(stack: cdk.Stack) -> str:
    return cdk.CfnMapping(stack, "Names", mapping={"prod": {"name": NAME}}).find_in_map("prod", "name")


def by_mapping_of_a_parameter(stack: cdk.Stack) -> str:
    row = cdk.CfnParameter(stack, "Row").value_as_string
    return cdk.CfnMapping(stack, "Names", mapping={"prod": {"name": NAME}}).find_in_map(row, "name")


def by_parameter(stack: cdk.Stack) -> str:
    return cdk.CfnParameter(stack, "Name").value_as_string


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("name", [by_mapping, by_mapping_of_a_parameter, by_parameter])
def test_no_second_policy_beside_one_that_only_the_deployment_gives_a_name(name: Any, first: bool) -> None:
    app = fixing() if first else cdk.App()
    s3.Bucket(cdk.Stack(app, "Data"), "Reports", bucket_name=NAME)
    other = cdk.Stack(app, "Other")
    s3.CfnBucketPolicy(other, "Policy", bucket=name(other), policy_document=readable(NAME))
    if not first:
        enforce_secure_transport(app, mode=Mode.FIX, quiet=True)
    with pytest.raises(RuntimeError, match="`Other/Policy` may be its policy"):
        app.synth()
    template = (Path(app.outdir) / "Data.template.json").read_text(encoding="utf-8")
    assert "AWS::S3::BucketPolicy" not in template


@pytest.mark.parametrize(
    "name",
    [
        cdk.Fn.sub(NAME),
        cdk.Fn.sub("reports-${For}", {"For": "for-everybody"}),
        cdk.Fn.join("-", ["reports", cdk.Fn.sub("for-everybody")]),
    ],
    # The texts hold numbers that differ from process to process.
    ids=["sub", "sub with a map", "join"],
)
def test_a_name_made_of_constants_is_read(name: str) -> None:
    app = fixing()
    s3.Bucket(cdk.Stack(app, "Data"), "Reports", bucket_name=NAME)
    s3.CfnBucketPolicy(cdk.Stack(app, "Other"), "Policy", bucket=name, policy_document=readable(NAME))
    (policy,) = policies(app).values()
    assert denies(policy) == 1


def test_a_policy_whose_name_begins_otherwise_hinders_nothing() -> None:
    app = fixing()
    s3.Bucket(cdk.Stack(app, "Data"), "Reports", bucket_name=NAME)
    name = f"logs-{cdk.Aws.ACCOUNT_ID}"
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [deny]}
    s3.CfnBucketPolicy(cdk.Stack(app, "Other"), "Policy", bucket=name, policy_document=document)
    assert [denies(policy) for policy in policies(app).values()] == [1, 0]
