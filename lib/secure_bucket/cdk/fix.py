"""Add the missing deny to a bucket, in whatever way its policy is written.

A bucket holds one policy: where there is one, the statement goes into it, and a second one is never
made. Where the policy of a bucket cannot be told for sure, nothing is written, and the gate reports the
bucket.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import IConstruct

from secure_bucket.findings.check import check_template
from secure_bucket.proof.verdict import Proven
from secure_bucket.statements import deny_plain_http

__all__ = ["Fixer"]

# "Bucket policies are limited to 20 KB in size", S3 User Guide.
_MAX_POLICY_SIZE = 20_480


@dataclass(frozen=True, slots=True)
class _Target:
    """What a policy names as its bucket: the path of its construct, or else the value, resolved."""

    policy: s3.CfnBucketPolicy
    stack: str
    path: str | None
    value: object


class Fixer:
    """Fix the buckets of one app, remembering its policies between one bucket and the next."""

    def __init__(self) -> None:
        self._targets: list[_Target] | None = None

    def forget(self) -> None:
        """Look for policies anew at the next bucket: other code may have made some."""
        self._targets = None

    def fix(self, bucket: s3.CfnBucket) -> None:
        """Add the deny to the policy of a bucket, unless it already refuses plain HTTP.

        A website bucket is left as it is: its endpoint speaks plain HTTP only, so that the deny would
        close it. The gate reports it.
        """
        if bucket.website_configuration is not None:
            return
        owner = _owner(bucket)
        policy = _own_policy(owner)
        if policy is None:
            if self._targets is None:
                self._targets = list(_targets(bucket.node.root))
            policies, doubtful = _policies_of(bucket, self._targets)
            if doubtful or len(policies) > 1:
                return
            if not policies:
                made = _add_policy(bucket, owner)
                self._targets.append(_Target(made, "", bucket.node.path, None))
                return
            policy = policies[0]
        document = cdk.Stack.of(policy).resolve(policy.policy_document)
        if not _is_proven(bucket, document):
            _add_statement(policy, bucket, taken=_sids(document))
            _warn_of_size(policy, document)


def _owner(bucket: s3.CfnBucket) -> s3.Bucket | None:
    """The L2 that a bucket is the resource of."""
    owner = bucket.node.scope
    if isinstance(owner, s3.Bucket):
        resource = owner.node.default_child
        # What the kernel made has no lasting Python object: two of them can stand for one construct.
        if resource is not None and resource.node.path == bucket.node.path:
            return owner
    return None


def _own_policy(owner: s3.Bucket | None) -> s3.CfnBucketPolicy | None:
    """The policy that an L2 has made by itself, and so knows of."""
    policy = owner.policy if owner else None
    resource = policy.node.default_child if policy else None
    return resource if isinstance(resource, s3.CfnBucketPolicy) else None


def _targets(root: IConstruct) -> Iterator[_Target]:
    # One call walks the whole app inside the kernel, Stages included.
    selector = cdk.ConstructSelector.resources_of_type("AWS::S3::BucketPolicy")
    for policy in cdk.Mixins.of(root, selector).selected_constructs:
        if isinstance(policy, s3.CfnBucketPolicy):
            stack = cdk.Stack.of(policy)
            name = policy.bucket
            path = None
            if cdk.Token.is_unresolved(name):
                fragments = cdk.Tokenization.reverse_string(name)
                token = fragments.first_token
                # INVARIANT: at this time a reference into another stack still resolves to a bare logical
                # id, so that only its target tells which bucket it means.
                if fragments.length == 1 and isinstance(token, cdk.Reference):
                    target = token.target
                    if isinstance(target, s3.CfnBucket) and token.display_name == "Ref":
                        path = target.node.path
            yield _Target(policy, stack.node.path, path, stack.resolve(name))


def _policies_of(bucket: s3.CfnBucket, targets: list[_Target]) -> tuple[list[s3.CfnBucketPolicy], bool]:
    """The policies of a bucket, and whether there may be more."""
    stack = cdk.Stack.of(bucket)
    here, path = stack.node.path, bucket.node.path
    logical_id, name = stack.resolve(bucket.logical_id), stack.resolve(bucket.bucket_name)
    policies, doubtful = [], False
    for target in targets:
        if target.path is not None:
            mine = target.path == path
        elif isinstance(target.value, str):
            mine = target.value == name
        else:
            in_stack = target.stack == here
            mine = in_stack and target.value in ({"Ref": logical_id}, name)
            # A parameter or an import that might turn out to be the name of this bucket.
            doubtful = doubtful or (in_stack and not mine)
        if mine:
            policies.append(target.policy)
    return policies, doubtful and not policies


def _is_proven(bucket: s3.CfnBucket, document: object) -> bool:
    """Judge the bucket with its policy as the gate would, in a template of nothing else."""
    logical_id = cdk.Stack.of(bucket).resolve(bucket.logical_id)
    template = {
        "Resources": {
            logical_id: {"Type": "AWS::S3::Bucket"},
            f"{logical_id}Policy": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {"Bucket": {"Ref": logical_id}, "PolicyDocument": document},
            },
        }
    }
    return isinstance(check_template(template).buckets[0].verdict, Proven)


def _sids(document: object) -> list[object]:
    statements = document.get("Statement") if isinstance(document, Mapping) else None
    if isinstance(statements, list):
        return [statement.get("Sid") for statement in statements if isinstance(statement, Mapping)]
    return [statements.get("Sid")] if isinstance(statements, Mapping) else []


def _add_policy(bucket: s3.CfnBucket, owner: s3.Bucket | None) -> s3.CfnBucketPolicy:
    """Give a bucket without a policy one of its own, in its own stack: elsewhere it could make a cycle."""
    statement = iam.PolicyStatement.from_json(deny_plain_http(bucket.attr_arn))
    if owner is not None:
        # Through the L2, so that what it ties to its policy (auto-delete, say) stays tied.
        owner.add_to_resource_policy(statement)
    policy = _own_policy(owner) or s3.CfnBucketPolicy(
        bucket,
        "SecureTransportPolicy",
        bucket=bucket.ref,
        policy_document=iam.PolicyDocument(statements=[statement]),
    )
    condition = bucket.cfn_options.condition
    if condition is not None:
        # A policy must not outlive its bucket: a `Ref` to a bucket that is not made fails the deployment.
        policy.cfn_options.condition = condition
    return policy


def _add_statement(policy: s3.CfnBucketPolicy, bucket: s3.CfnBucket, *, taken: list[object]) -> None:
    """Add the deny to a policy that exists, in which these Sids are taken."""
    statement = deny_plain_http(bucket.attr_arn)
    if statement["Sid"] in taken:
        del statement["Sid"]
    document = policy.policy_document
    if isinstance(document, iam.PolicyDocument):
        document.add_statements(iam.PolicyStatement.from_json(statement))
    elif isinstance(document, Mapping) and _can_take(document.get("Statement")):
        policy.policy_document = _with(document, statement)
    else:
        # What is only known later is completed later. (`resolve` now would lose references into
        # other stacks.)
        policy.policy_document = cdk.Lazy.uncached_any(_Completed(document, statement))


@jsii.implements(cdk.IAnyProducer)
class _Completed:
    """A document that is resolved with the template, with the deny added then."""

    def __init__(self, document: object, statement: dict[str, Any]) -> None:
        self._document = document
        self._statement = statement

    def produce(self, context: cdk.IResolveContext) -> Any:
        document = context.resolve(self._document)
        if isinstance(document, Mapping) and _can_take(document.get("Statement")):
            return _with(document, context.resolve(self._statement))
        return document


def _warn_of_size(policy: s3.CfnBucketPolicy, document: object) -> None:
    # Intrinsic functions are shorter or longer once they are resolved, so this is a guess.
    size = len(json.dumps([document, deny_plain_http("arn:aws:s3:::a-name-of-usual-length")], default=str))
    if size > _MAX_POLICY_SIZE:
        cdk.Annotations.of(policy).add_warning_v2(
            "secure-bucket:policy-size",
            f"with the deny this policy has about {size:,} bytes; S3 takes {_MAX_POLICY_SIZE:,} at most",
        )


def _can_take(statements: object) -> bool:
    """Whether a statement can be added: not where an intrinsic function stands for all of them."""
    if isinstance(statements, Mapping):
        return "Effect" in statements
    return statements is None or isinstance(statements, list)


def _with(document: Mapping[str, Any], statement: dict[str, Any]) -> dict[str, Any]:
    statements = document.get("Statement")
    if statements is None:
        statements = []
    elif isinstance(statements, Mapping):
        statements = [statements]
    return {**document, "Statement": [*statements, statement]}
