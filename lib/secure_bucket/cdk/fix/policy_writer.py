"""Write statements into the policy of a bucket, and make the policy if the bucket has none.

A bucket has at most one policy: never make a second one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import IConstruct

from secure_bucket.cdk.fix.denies import denied_in, normal_form, statements_in, without_deny
from secure_bucket.cdk.fix.lifetime import condition_differs, keep_policy, removal_policy_of
from secure_bucket.cdk.fix.policy_finder import FoundPolicy
from secure_bucket.cdk.fix.survey import SeenBucket, path_of
from secure_bucket.policy.size import MAX_POLICY_BYTES

__all__ = [
    "add_policy",
    "add_statements",
    "arn_for",
    "hindrance",
    "put_deny_last",
    "without_statement",
]

# `resolve` omits a document without a statement.
_EMPTY = {"Version": "2012-10-17"}


def hindrance(policy: FoundPolicy, bucket: SeenBucket, statements: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return why a policy cannot hold more statements, as the end of a sentence; `""` if it can."""
    document = policy.document
    if document is None and isinstance(policy.written, iam.PolicyDocument):
        document = _EMPTY
    resolved = policy.stack.resolve(statements) if statements else ()
    return (
        _cannot_take(document)
        or condition_differs(policy.policy, bucket.bucket)
        or _too_large(document, resolved)
    )


def arn_for(policy: FoundPolicy, bucket: SeenBucket) -> str:
    """Return the ARN of a bucket in a form that adds no reference between stacks.

    A reference into another stack makes an export and a dependency, and so perhaps a cycle between stacks;
    into another region it makes Lambda functions and roles. `Bucket` of the policy already names the bucket.
    """
    if policy.stack is bucket.stack or path_of(policy.stack) == path_of(bucket.stack):
        return bucket.arn
    return f"arn:{cdk.Aws.PARTITION}:s3:::{policy.name}"


def add_statements(policy: FoundPolicy, statements: Sequence[dict[str, Any]]) -> None:
    """Add statements to a policy, each once.

    Args:
        policy: The policy.
        statements: The statements; each loses its `Sid` if another statement of the policy has that `Sid`.
    """
    there = [each for each in statements_in(policy.document) if isinstance(each, Mapping)]
    normal = [normal_form(each) for each in there]
    taken = {each.get("Sid") for each in there if isinstance(each.get("Sid"), str)}
    added: list[dict[str, Any]] = []
    for statement in statements:
        if normal_form(policy.stack.resolve(statement)) in normal:
            continue
        if statement.get("Sid") in taken:
            statement = {key: value for key, value in statement.items() if key != "Sid"}
        actions = statement["Action"]
        if isinstance(actions, list) and len(actions) == 1:
            # As the AWS CDK writes it.
            statement = {**statement, "Action": actions[0]}
        added.append(statement)
    if not added:
        return
    written = policy.written
    if isinstance(written, Mapping) and _can_take(written.get("Statement")):
        policy.policy.policy_document = _with(written, added)
    else:
        # INVARIANT: never change the existing document: another policy may share it. Resolve it only when the
        # CDK writes the template, because `resolve` now would lose references into other stacks.
        policy.policy.policy_document = cdk.Lazy.uncached_any(_Completed(written, added))


def add_policy(
    bucket: SeenBucket, id: str, statements: Sequence[dict[str, Any]], stage: IConstruct | None = None
) -> str:
    """Make a policy for a bucket without one, in the stack and with the lifetime of the bucket.

    Args:
        bucket: The bucket.
        id: The id of the policy, if the bucket has no L2.
        statements: Its statements.
        stage: The App or the Stage that the bucket is in (default: the nearest).

    Returns:
        The path of the policy.
    """
    removal, owner = removal_policy_of(bucket.attributes), bucket.owner
    written = {"Statement": list(statements)}
    own = None if owner is None else _add_own_policy(owner, written, removal)
    if own is not None:
        keep_policy(own, bucket, stage, removal)
        return bucket.path_of_own_policy
    document = iam.PolicyDocument.from_json(written)
    policy = s3.CfnBucketPolicy(bucket.bucket, id, bucket=bucket.bucket.ref, policy_document=document)
    if removal is not None:
        policy.apply_removal_policy(removal)
    keep_policy(policy, bucket, stage, removal)
    return f"{bucket.path}/{id}"


def _add_own_policy(
    owner: s3.Bucket, written: Mapping[str, Any], removal: cdk.RemovalPolicy | None
) -> s3.BucketPolicy | None:
    """Make the policy that the L2 would make, and register it there; `None` if another child has its id."""
    # `add_to_resource_policy` of the L2 takes twice as many calls.
    options: dict[str, Any] = {"bucket": owner, "removal_policy": removal}
    has_document = hasattr(s3.BucketPolicyProps, "document")
    if has_document:
        options["document"] = iam.PolicyDocument.from_json(written)
    try:
        policy = s3.BucketPolicy(owner, "Policy", **options)
    except RuntimeError:
        # Checking first takes two calls for each bucket.
        if owner.node.try_find_child("Policy") is None:
            raise
        return None
    if not has_document:
        policy.document.add_statements(*map(iam.PolicyStatement.from_json, written["Statement"]))
    owner.policy = policy
    return policy


def without_statement(document: object, statement: dict[str, Any]) -> Any:
    """Return a document that omits a statement when the CDK writes the template."""
    return cdk.Lazy.uncached_any(_Without(document, statement))


def put_deny_last(policy: FoundPolicy) -> None:
    """Move the deny that a bucket was made with behind the other statements of its policy.

    An app can override a statement by its number without FIX, such as `PolicyDocument.Statement.0`.
    """
    policy.policy.policy_document = cdk.Lazy.uncached_any(_DenyLast(policy.written))


@jsii.implements(cdk.IAnyProducer)
class _Completed:
    """A document that adds statements when the CDK writes the template."""

    def __init__(self, document: object, statements: list[dict[str, Any]]) -> None:
        self._document = document
        self._statements = statements

    def produce(self, context: cdk.IResolveContext) -> Any:
        document = context.resolve(self._document)
        if document is None:
            document = _EMPTY
        if isinstance(document, Mapping) and _can_take(document.get("Statement")):
            return _with(document, context.resolve(self._statements))
        return document


@jsii.implements(cdk.IAnyProducer)
class _Without:
    """A document that omits a statement when the CDK writes the template."""

    def __init__(self, document: object, statement: dict[str, Any]) -> None:
        self._document = document
        self._statement = statement

    def produce(self, context: cdk.IResolveContext) -> Any:
        return without_deny(context.resolve(self._document), context.resolve(self._statement))


@jsii.implements(cdk.IAnyProducer)
class _DenyLast:
    """A document that moves the deny of an `s3.Bucket` to the end when the CDK writes the template."""

    def __init__(self, document: object) -> None:
        self._document = document

    def produce(self, context: cdk.IResolveContext) -> Any:
        document = context.resolve(self._document)
        for statement in statements_in(document):
            # The AWS CDK writes it without an id.
            if any(denied_in({"Statement": [statement]})) and "Sid" not in statement:
                others = [each for each in statements_in(document) if each is not statement]
                return {**document, "Statement": [*others, statement]}
        return document


def _with(document: Mapping[str, Any], statements: Sequence[Any]) -> dict[str, Any]:
    return {**document, "Statement": [*statements_in(document), *statements]}


def _cannot_take(document: object) -> str:
    if not isinstance(document, Mapping):
        return "has a document that is not an object, so that nothing can be added to it"
    if _can_take(document.get("Statement")):
        return ""
    return "has its statements behind an intrinsic function; add the statement to each branch"


def _can_take(statements: object) -> bool:
    """Tell whether a statement can be added: not if an intrinsic function stands for all statements."""
    if isinstance(statements, Mapping):
        return "Effect" in statements
    return statements is None or isinstance(statements, list)


def _too_large(document: object, statements: Sequence[Mapping[str, Any]]) -> str:
    size = _size(document) + sum(_size(each) + 1 for each in statements)
    if size <= MAX_POLICY_BYTES:
        return ""
    limit = f"S3 takes {MAX_POLICY_BYTES:,}"
    return f"would grow to about {size:,} bytes, and {limit}; make it shorter by hand first"


def _size(value: object) -> int:
    """Estimate, rather too high, the bytes of a document without spaces after its references are resolved."""
    return len(json.dumps(_measurable(value), separators=(",", ":"), ensure_ascii=False).encode("utf-8"))


def _measurable(value: object) -> object:
    if isinstance(value, list):
        return [_measurable(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1:
        ((function, argument),) = value.items()
        if function == "Ref":
            return {"AWS::Partition": "aws-us-gov", "AWS::AccountId": "1" * 12}.get(str(argument), "x" * 63)
        if function == "Fn::GetAtt":
            return "arn:aws-us-gov:s3:::" + "x" * 63
        if function == "Fn::Join" and isinstance(argument, list) and len(argument) == 2:
            parts = [_measurable(part) for part in argument[1]] if isinstance(argument[1], list) else []
            return str(argument[0]).join(map(str, parts))
    return {key: _measurable(each) for key, each in value.items()}
