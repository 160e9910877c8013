"""Write statements into the policy of a bucket, and make the policy where a bucket has none.

A bucket holds one policy: a second one is never made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from secure_bucket.cdk.fix.lifetime import condition_differs, keep_policy
from secure_bucket.cdk.fix.policy_finder import path_of
from secure_bucket.policy.statements import MAX_POLICY_BYTES

__all__ = ["add_policy", "add_statements", "arn_for", "hindrance"]

# What `resolve` omits: a document without a statement.
_EMPTY = {"Version": "2012-10-17"}


def hindrance(
    policy: s3.CfnBucketPolicy,
    bucket: s3.CfnBucket,
    document: object,
    statements: Sequence[Mapping[str, Any]],
) -> str:
    """Return why statements cannot be added to a policy, as the end of a sentence about it; `""` if they can.

    Args:
        policy: The policy.
        bucket: Its bucket.
        document: The document of the policy, resolved.
        statements: The statements.
    """
    if document is None and isinstance(policy.policy_document, iam.PolicyDocument):
        document = _EMPTY
    resolved = cdk.Stack.of(policy).resolve(statements)
    return _cannot_take(document) or condition_differs(policy, bucket) or _too_large(document, resolved)


def arn_for(policy: s3.CfnBucketPolicy, bucket: s3.CfnBucket) -> str:
    """Return the ARN of a bucket in such words that writing it into a policy makes no new reference.

    A reference into another stack makes an export and a dependency, and with these cycles between stacks;
    into another region it makes Lambda functions and roles. The policy names the bucket in `Bucket` already.
    """
    if cdk.Stack.of(policy).node.path == cdk.Stack.of(bucket).node.path:
        return bucket.attr_arn
    return f"arn:{cdk.Aws.PARTITION}:s3:::{policy.bucket}"


def add_statements(
    policy: s3.CfnBucketPolicy, document: object, statements: Sequence[dict[str, Any]]
) -> None:
    """Add statements to a policy, each once.

    Args:
        policy: The policy.
        document: Its document, resolved.
        statements: The statements; one whose `Sid` another statement of the policy has goes without.
    """
    stack = cdk.Stack.of(policy)
    there = [each for each in _statements(document) if isinstance(each, Mapping)]
    normal = [_normal(each) for each in there]
    taken = {each.get("Sid") for each in there if isinstance(each.get("Sid"), str)}
    added: list[dict[str, Any]] = []
    for statement in statements:
        if _normal(stack.resolve(statement)) in normal:
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
    written = policy.policy_document
    if isinstance(written, Mapping) and _can_take(written.get("Statement")):
        policy.policy_document = _with(written, added)
    else:
        # INVARIANT: the document that is there is never changed itself: another policy may share it. What it
        # comes to is only known when the template is written. (`resolve` now would lose references into other
        # stacks.)
        policy.policy_document = cdk.Lazy.uncached_any(_Completed(written, added))


def add_policy(
    bucket: s3.CfnBucket, owner: s3.Bucket | None, id: str, statements: Sequence[dict[str, Any]]
) -> str:
    """Give a bucket without a policy one in its own stack, which lives as long as the bucket.

    Args:
        bucket: The bucket.
        owner: The L2 that it is the resource of.
        id: The id of the policy, where the bucket has no L2 that makes it.
        statements: Its statements.

    Returns:
        The path of the policy.
    """
    parsed = [iam.PolicyStatement.from_json(each) for each in statements]
    if owner is not None:
        # Through the L2, so that what it ties to its policy (auto-delete, say) stays tied.
        for statement in parsed:
            owner.add_to_resource_policy(statement)
        if owner.policy is not None:
            keep_policy(owner.policy, bucket)
            return f"{path_of(owner)}/Policy/Resource"
    document = iam.PolicyDocument(statements=parsed)
    policy = s3.CfnBucketPolicy(bucket, id, bucket=bucket.ref, policy_document=document)
    keep_policy(policy, bucket)
    return path_of(policy)


@jsii.implements(cdk.IAnyProducer)
class _Completed:
    """A document that is resolved with the template, with statements added then."""

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


def _normal(value: object) -> object:
    """Write a statement as the AWS CDK writes it: a list of one value is that value."""
    if isinstance(value, Mapping):
        return {
            key: {"AWS": "*"} if (key, each) == ("Principal", "*") else _normal(each)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return _normal(value[0]) if len(value) == 1 else [_normal(each) for each in value]
    return value


def _with(document: Mapping[str, Any], statements: Sequence[Any]) -> dict[str, Any]:
    return {**document, "Statement": [*_statements(document), *statements]}


def _statements(document: object) -> Sequence[Any]:
    statements = document.get("Statement") if isinstance(document, Mapping) else None
    if isinstance(statements, list):
        return statements
    return [statements] if isinstance(statements, Mapping) else []


def _cannot_take(document: object) -> str:
    if not isinstance(document, Mapping):
        return "has a document that is not an object, so that nothing can be added to it"
    if _can_take(document.get("Statement")):
        return ""
    return "has its statements behind an intrinsic function; add the statement to each branch"


def _can_take(statements: object) -> bool:
    """Whether a statement can be added: not where an intrinsic function stands for all of them."""
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
    """The bytes of a document without spaces, once its references are resolved; rather more than less."""
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
