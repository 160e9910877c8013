"""Policies that are worth less than they look."""

from __future__ import annotations

import aws_cdk as cdk
import jsii
from aws_cdk import aws_s3 as s3
from constructs import IConstruct, IValidation

from secure_bucket import SecureBucket
from tests.synth.situations.situation import (
    bucket_with_policy,
    deny,
    document,
    policy_of,
    situation,
    stack,
)


@situation("deny that an override removes, empties or weakens")
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
    bucket_with_policy(top, lambda it: cdk.Fn.condition_if("Here", deny(it), cdk.Aws.NO_VALUE))


@situation("deny whose effect or condition a parameter decides", check=3)
def parameter(app: cdk.App) -> None:
    top = stack(app)
    effect = cdk.CfnParameter(top, "Effect", default="Deny").value_as_string
    bucket_with_policy(top, lambda it: deny(it, Effect=effect))


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


@situation("policy of an unknown import")
def policy_of_an_import(app: cdk.App) -> None:
    top = stack(app)
    bucket = s3.CfnBucket(top, "Plain")
    name = cdk.Fn.import_value("of-another-app")
    s3.CfnBucketPolicy(top, "Policy", bucket=name, policy_document=document(deny(bucket)))


@situation("policy in another stack of the app, which the summary names", synth=0, check=0)
def policy_of_another_stack(app: cdk.App) -> None:
    s3.CfnBucket(stack(app, "Data"), "Reports", bucket_name=NAMED)
    s3.CfnBucketPolicy(stack(app), "Policy", bucket=NAMED, policy_document=document(deny(NAMED)))
