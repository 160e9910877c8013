"""Policies that are worth less than they look."""

from __future__ import annotations

import json
from functools import partial

import aws_cdk as cdk
import jsii
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_servicecatalog as catalog
from constructs import IConstruct, IValidation

from secure_bucket import SecureBucket
from tests.synth.situations.places import offer
from tests.synth.situations.situation import (
    URL,
    bucket_with_policy,
    deny,
    document,
    policy_of,
    situation,
    stack,
    template_file,
)


@situation("deny that an override removes, empties or weakens",
           says="its own deny was removed by an override")  # fmt: skip
def override(app: cdk.App) -> None:
    policy_of(SecureBucket(stack(app), "Good")).add_property_override(
        "PolicyDocument.Statement.0.Effect", "Allow"
    )


@jsii.implements(cdk.IStableAnyProducer)
class Nothing:
    """Produce a document without a statement."""

    def produce(self) -> object:
        return document()


@situation("policy behind `Lazy` without a deny")
def lazy(app: cdk.App) -> None:
    bucket_with_policy(stack(app)).policy_document = cdk.Lazy.any(Nothing())


@jsii.implements(cdk.IAspect)
class Opener:
    """Remove the statements of every policy."""

    def visit(self, node: IConstruct) -> None:
        if isinstance(node, s3.CfnBucketPolicy):
            node.add_deletion_override("Properties.PolicyDocument.Statement.0")


@situation("deny that a later Aspect removes")
def later_aspect(app: cdk.App) -> None:
    SecureBucket(stack(app), "Good")
    cdk.Aspects.of(app).add(Opener(), priority=999)


@jsii.implements(IValidation)
class Late:
    """Add a bucket after all Aspects."""

    def __init__(self, scope: cdk.Stack) -> None:
        self.scope = scope

    def validate(self) -> list[str]:
        if self.scope.node.try_find_child("Late") is None:
            s3.CfnBucket(self.scope, "Late")
        return []


@situation("bucket that is added after all Aspects")
def added_late(app: cdk.App) -> None:
    top = stack(app)
    top.node.add_validation(Late(top))


@situation("policy that an override gives another bucket or another type")
def policy_of_another_bucket(app: cdk.App) -> None:
    policy_of(SecureBucket(stack(app), "Good")).add_property_override("Bucket", "of-somebody-else")


@situation("second policy for the same bucket")
def second_policy(app: cdk.App) -> None:
    bucket = SecureBucket(stack(app), "Good")
    s3.CfnBucketPolicy(stack(app, "Other"), "Second", bucket=bucket.bucket_name, policy_document=document())


@situation("policy or statement under a condition that the bucket does not have")
def conditional(app: cdk.App) -> None:
    top = stack(app)
    cdk.CfnCondition(top, "Here", expression=cdk.Fn.condition_equals(cdk.Aws.REGION, "eu-west-1"))
    bucket_with_policy(top, partial(conditionally, "Here"))


@situation("deny whose effect or condition a parameter decides", check=3)
def parameter(app: cdk.App) -> None:
    top = stack(app)
    effect = cdk.CfnParameter(top, "Effect", default="Deny").value_as_string
    bucket_with_policy(top, lambda it: deny(it, Effect=effect))


@situation("the same with `undecided` as a warning", synth=0, check=0, undecided="warning", named="Effect")
def warned_parameter(app: cdk.App) -> None:
    parameter(app)


@situation("deny for some callers, paths or networks only")
def narrowed(app: cdk.App) -> None:
    principal = {"NotPrincipal": {"AWS": "arn:aws:iam::111122223333:root"}}
    written = bucket_with_policy(stack(app), lambda it: {**deny(it), **principal})
    written.add_deletion_override("Properties.PolicyDocument.Statement.0.Principal")


@situation("policy document that only the deployment tells", check=2)
def unknown_document(app: cdk.App) -> None:
    written = bucket_with_policy(stack(app))
    written.add_property_override("PolicyDocument", "{{resolve:ssm:/policy}}")


NAMED = "reports-for-everybody"


@situation("policy of another Stage, account or product for the name of the bucket")
def policy_of_another_stage(app: cdk.App) -> None:
    s3.CfnBucket(stack(cdk.Stage(app, "A"), "Data"), "Plain", bucket_name=NAMED)
    other = stack(cdk.Stage(app, "B"), "Data")
    s3.CfnBucketPolicy(other, "Policy", bucket=NAMED, policy_document=document(deny(NAMED)))


@situation("policy in the body of a StackSet")
def policy_of_a_stack_set(app: cdk.App) -> None:
    top = stack(app)
    s3.CfnBucket(top, "Plain", bucket_name=NAMED)
    properties = {"Bucket": NAMED, "PolicyDocument": document(deny(NAMED))}
    body = json.dumps({"Resources": {"P": {"Type": "AWS::S3::BucketPolicy", "Properties": properties}}})
    cdk.CfnStackSet(top, "Set", stack_set_name="set", permission_model="SELF_MANAGED", template_body=body)


@situation("policy in a product, or in an asset that nothing deploys")
def policy_that_nothing_deploys(app: cdk.App) -> None:
    top = stack(app)
    s3.CfnBucket(top, "Plain", bucket_name=NAMED)
    properties = {"Bucket": NAMED, "PolicyDocument": document(deny(NAMED))}
    policy = {"Resources": {"P": {"Type": "AWS::S3::BucketPolicy", "Properties": properties}}}
    assets.Asset(top, "File", path=template_file(policy))
    offer(stack(app, "Products"), catalog.CloudFormationTemplate.from_asset(template_file(policy)))


@situation("policy in a nested stack under a condition")
def policy_of_a_conditional_nested_stack(app: cdk.App) -> None:
    top = stack(app)
    bucket = s3.CfnBucket(top, "Plain")
    nested = cdk.NestedStack(top, "Nested")
    s3.CfnBucketPolicy(nested, "Policy", bucket=bucket.ref, policy_document=document(deny(bucket)))
    resource = nested.nested_stack_resource
    assert resource is not None
    expression = cdk.Fn.condition_equals(cdk.Aws.REGION, "eu-west-1")
    resource.cfn_options.condition = cdk.CfnCondition(top, "Here", expression=expression)


@situation("policy that a nested stack at a URL may replace", check=3)
def policy_beside_an_unread_stack(app: cdk.App) -> None:
    top = stack(app)
    bucket = SecureBucket(top, "Good")
    nested = cdk.CfnStack(top, "Nested", template_url=URL, parameters={"Name": bucket.bucket_name})
    accepted = cdk.Acknowledgment(id="secure-bucket::SB010", reason="the network team checks it")
    cdk.Validations.of(nested).acknowledge(accepted)


@situation("policy for a bucket that a parameter names")
def policy_for_a_parameter(app: cdk.App) -> None:
    top = stack(app)
    bucket = s3.CfnBucket(top, "Plain")
    name = cdk.CfnParameter(top, "Name").value_as_string
    s3.CfnBucketPolicy(top, "Policy", bucket=name, policy_document=document(deny(bucket)))


@situation("deny in some partitions only, by `AWS::Partition`", named="Reports")
@situation("deny in some partitions only, by `AWS::URLSuffix`", named="Records")
@situation("deny in some partitions only, by a mapping", named="Ledgers")
def of_one_partition(app: cdk.App) -> None:
    top = stack(app)
    for id, tells in (
        ("Reports", cdk.Fn.condition_equals(cdk.Aws.PARTITION, "aws")),
        ("Records", cdk.Fn.condition_equals(cdk.Aws.URL_SUFFIX, "amazonaws.com")),
    ):
        cdk.CfnCondition(top, f"Has{id}", expression=tells)
        statement = partial(conditionally, f"Has{id}")
        bucket_with_policy(top, statement, id=id)
    rows = {"amazonaws.com": {"Effect": "Deny"}, "amazonaws.com.cn": {"Effect": "Allow"}}
    effect = cdk.CfnMapping(top, "Effects", mapping=rows).find_in_map(cdk.Aws.URL_SUFFIX, "Effect")
    bucket_with_policy(top, lambda it: deny(it, Effect=effect), id="Ledgers")


def conditionally(condition: str, bucket: s3.CfnBucket) -> object:
    return cdk.Fn.condition_if(condition, deny(bucket), cdk.Aws.NO_VALUE)


@situation("policy of an unknown import")
def policy_of_an_import(app: cdk.App) -> None:
    top = stack(app)
    bucket = s3.CfnBucket(top, "Plain")
    name = cdk.Fn.import_value("of-another-app")
    s3.CfnBucketPolicy(top, "Policy", bucket=name, policy_document=document(deny(bucket)))


@situation("policy of a nested stack that is given the name of its bucket", synth=0, check=0)
def policy_of_a_nested_stack(app: cdk.App) -> None:
    top = stack(app)
    bucket = s3.CfnBucket(top, "Reports")
    nested = cdk.NestedStack(top, "Nested")
    s3.CfnBucketPolicy(nested, "Policy", bucket=bucket.ref, policy_document=document(deny(bucket)))


@situation("policy in another stack of the app, which the summary names", synth=0, check=0,
           named="together with")  # fmt: skip
def policy_of_another_stack(app: cdk.App) -> None:
    s3.CfnBucket(stack(app, "Data"), "Reports", bucket_name=NAMED)
    s3.CfnBucketPolicy(stack(app), "Policy", bucket=NAMED, policy_document=document(deny(NAMED)))


@situation("the same in a run without that stack (`cdk synth Data --exclusively`)", synth=0, check=0,
           arguments=("Data", "--exclusively"), named="together with")  # fmt: skip
def policy_of_a_stack_that_is_not_asked_for(app: cdk.App) -> None:
    policy_of_another_stack(app)


@situation("policy of an asset or a product that replaces the deny of a bucket")
def policy_of_an_asset_that_refutes(app: cdk.App) -> None:
    top = stack(app)
    SecureBucket(top, "Plain", bucket_name=NAMED)
    properties = {"Bucket": NAMED, "PolicyDocument": document({**deny(NAMED), "Effect": "Allow"})}
    policy = {"Resources": {"P": {"Type": "AWS::S3::BucketPolicy", "Properties": properties}}}
    offer(top, catalog.CloudFormationTemplate.from_asset(template_file(policy)))
