"""Add the missing deny to a bucket, in whatever way its policy is written.

A bucket holds one policy: where there is one, the statement goes into it, and a second one is never
made. Where the policy of a bucket cannot be told for sure, nothing is written, and the gate reports the
bucket with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import IConstruct, Node
from msgspec import Struct

from secure_bucket.cdk.fix.lifetime import condition_differs, live_as
from secure_bucket.cdk.fix.outcome import Fixed, Left, Outcome
from secure_bucket.cdk.fix.policy_lookup import Targets, path_of
from secure_bucket.cdk.gate.acknowledgments import METADATA_KEY
from secure_bucket.cdk.gate.violations import id_of
from secure_bucket.checks.check import check_template
from secure_bucket.policy.statements import deny_plain_http
from secure_bucket.proof.verdict import Proven, Undecided

__all__ = ["Fixer"]

_REMOVALS: dict[object, cdk.RemovalPolicy] = {
    cdk.CfnDeletionPolicy.DELETE: cdk.RemovalPolicy.DESTROY,
    cdk.CfnDeletionPolicy.RETAIN: cdk.RemovalPolicy.RETAIN,
}

LIMIT = 20_480
"""The most bytes that S3 takes as a bucket policy."""

_REFUTED, _UNDECIDED = id_of("SB001"), id_of("SB002")


class _Place(Struct, frozen=True):
    """Where a bucket stands; each of these is a call to the jsii kernel, so that none is asked for twice."""

    path: str
    node: Node
    owner: s3.Bucket | None


class Fixer:
    """Fix the buckets of one app, remembering what it learned between one bucket and the next."""

    def __init__(self) -> None:
        self._targets: dict[IConstruct | str, Targets] = {}
        # The buckets that got a policy since `_targets` was filled.
        self._made: set[str] = set()
        self._acknowledged: dict[str, frozenset[str]] = {}

    def forget(self) -> None:
        """Look anew at the next bucket: other code may have made policies or acknowledgments."""
        self._targets.clear()
        self._made.clear()
        self._acknowledged.clear()

    def fix(
        self, bucket: s3.CfnBucket, *, websites: bool = False, stage: IConstruct | None = None
    ) -> Outcome | None:
        """Add the deny to the policy of a bucket, unless it already refuses plain HTTP.

        Args:
            bucket: The bucket.
            websites: Whether to mend a website bucket too. It is left as it is unless set: its endpoint
                speaks plain HTTP only, so that the deny closes it.
            stage: The App or the Stage that the bucket is in; looked for unless set.

        Returns:
            What was done; `None` where there was nothing to do.
        """
        place = _place_of(bucket)
        path = place.path
        policy = _own_policy(place.owner)
        if policy is None:
            if path in self._made:
                return None
            targets = self._targets_in(stage if stage is not None else _stage_of(bucket))
            found = targets.policies_of(bucket, path)
            if isinstance(found, str):
                return Left(path, found)
            if isinstance(found, s3.CfnBucketPolicy):
                policy = found
            elif found is not None:
                why = f"its policy `{path_of(found)}` is a raw `CfnResource`; add the statement there"
                return Left(path, why)
        document: object = None
        rule = _REFUTED
        if policy is not None:
            stack = cdk.Stack.of(policy)
            values = {"ref": bucket.ref, "name": bucket.bucket_name, "document": policy.policy_document}
            resolved = stack.resolve(values)
            # What is nothing is dropped.
            document = resolved.get("document")
            open_rule = _judge(resolved["ref"], resolved.get("name"), document)
            if open_rule is None:
                return None
            rule = open_rule
        why = self._why_not(bucket, place, rule, websites)
        if why:
            return Left(path, why)
        if policy is None:
            self._made.add(path)
            return Fixed(path, _add_policy(bucket, place), is_new=True)
        why = _cannot_take(document) or condition_differs(policy, bucket) or _too_large(document)
        if why:
            return Left(path, f"its policy `{path_of(policy)}` {why}")
        _add_statement(policy, bucket, taken=_sids(document))
        return Fixed(path, path_of(policy), is_new=False)

    def is_acknowledged_at(self, scope: IConstruct) -> bool:
        """Whether it is acknowledged on a construct, or around it, that buckets there answer plain HTTP."""
        return _REFUTED in self._acknowledged_on(scope.node, scope.node.path)

    def _targets_in(self, stage: IConstruct) -> Targets:
        # A Stage is deployed by itself: no policy outside of it can be meant for a bucket inside.
        targets = self._targets.get(stage)
        if targets is None:
            # Two Python objects can stand for one construct of the kernel.
            path = path_of(stage)
            targets = self._targets.get(path) or Targets(stage)
            self._targets[stage] = self._targets[path] = targets
        return targets

    def _why_not(self, bucket: s3.CfnBucket, place: _Place, rule: str, websites: bool) -> str:
        if not websites and bucket.website_configuration is not None:
            return "its website endpoint speaks plain HTTP only, so that the deny would close it"
        if rule in self._acknowledged_on(place.node, place.path, place.owner):
            # The exception may have expired. The gate says so, and fails; to cut somebody off because a
            # day has passed, without anybody having changed a line, is not for FIX to decide.
            return f"`{rule}` is acknowledged on it, or around it"
        return ""

    def _acknowledged_on(self, node: Node, path: str, scope: IConstruct | None = None) -> frozenset[str]:
        """The ids of what is acknowledged on a construct, or on anything around it."""
        if path not in self._acknowledged:
            ids: set[str] = set()
            for entry in node.metadata:
                if entry.type == METADATA_KEY:
                    ids.update(entry.data)
            if path:
                outer = path.rpartition("/")[0]
                known = self._acknowledged.get(outer)
                if known is None and (scope := scope or node.scope) is not None:
                    known = self._acknowledged_on(scope.node, outer)
                ids |= known or set()
            self._acknowledged[path] = frozenset(ids)
        return self._acknowledged[path]


def _place_of(bucket: s3.CfnBucket) -> _Place:
    path, node = path_of(bucket), bucket.node
    # The L2 that a bucket is the resource of.
    owner = node.scope if path.endswith("/Resource") else None
    return _Place(path, node, owner if isinstance(owner, s3.Bucket) else None)


def _stage_of(bucket: s3.CfnBucket) -> IConstruct:
    return cdk.Stage.of(bucket) or bucket.node.root


def _own_policy(owner: s3.Bucket | None) -> s3.CfnBucketPolicy | None:
    """The policy that an L2 has made by itself, and so knows of."""
    policy = owner.policy if owner else None
    resource = policy.node.default_child if policy else None
    return resource if isinstance(resource, s3.CfnBucketPolicy) else None


def _judge(reference: object, name: object, document: object) -> str | None:
    """Judge a bucket with its policy as the gate would, in a template of nothing else.

    Returns:
        The id with which the finding is acknowledged; `None` when the bucket is proven.
    """
    bucket: dict[str, Any] = {"Type": "AWS::S3::Bucket"}
    if name is not None:
        bucket["Properties"] = {"BucketName": name}
    # A reference into another stack still resolves to a bare logical id at this time.
    id = reference["Ref"] if isinstance(reference, Mapping) and "Ref" in reference else "Bucket"
    policy = {"Bucket": {"Ref": id}, "PolicyDocument": document}
    resources = {id: bucket, f"{id}Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": policy}}
    verdict = check_template({"Resources": resources}).buckets[0].verdict
    if isinstance(verdict, Proven):
        return None
    return _UNDECIDED if isinstance(verdict, Undecided) else _REFUTED


def _sids(document: object) -> list[object]:
    return [statement.get("Sid") for statement in _statements(document) if isinstance(statement, Mapping)]


def _statements(document: object) -> Sequence[object]:
    statements = document.get("Statement") if isinstance(document, Mapping) else None
    if isinstance(statements, list):
        return statements
    return [statements] if isinstance(statements, Mapping) else []


def _cannot_take(document: object) -> str:
    """Why no statement can be added to a policy with this document; `""` if one can."""
    if not isinstance(document, Mapping):
        return "has a document that is no object, so that nothing can be added to it"
    if _can_take(document.get("Statement")):
        return ""
    return "has its statements behind an intrinsic function; add the statement to each branch"


def _can_take(statements: object) -> bool:
    """Whether a statement can be added: not where an intrinsic function stands for all of them."""
    if isinstance(statements, Mapping):
        return "Effect" in statements
    return statements is None or isinstance(statements, list)


def _too_large(document: object) -> str:
    """Why the deny does not fit into a document; `""` if it does."""
    size = _size(document) + _size(deny_plain_http({"Fn::GetAtt": ["Bucket", "Arn"]})) + 1
    if size <= LIMIT:
        return ""
    return f"would grow to about {size:,} bytes, and S3 takes {LIMIT:,}; make it shorter by hand first"


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


def _add_policy(bucket: s3.CfnBucket, place: _Place) -> str:
    """Give a bucket without a policy one of its own, in its own stack: elsewhere it could make a cycle.

    Returns:
        The path of the new policy.
    """
    statement = iam.PolicyStatement.from_json(deny_plain_http(bucket.attr_arn))
    made: s3.BucketPolicy | None = None
    if place.owner is not None:
        # Through the L2, so that what it ties to its policy (auto-delete, say) stays tied.
        place.owner.add_to_resource_policy(statement)
        made = place.owner.policy
    options = bucket.cfn_options
    condition, deletion, replacement = (
        options.condition,
        options.deletion_policy,
        options.update_replace_policy,
    )
    removal = _REMOVALS.get(deletion) if deletion == replacement else None
    if made is not None and condition is None and (removal is not None or deletion is replacement is None):
        # The usual case, in as few calls as can be.
        if removal is not None:
            made.apply_removal_policy(removal)
        return f"{place.path.removesuffix('/Resource')}/Policy/Resource"
    policy = _own_policy(place.owner) or s3.CfnBucketPolicy(
        bucket,
        "SecureTransportPolicy",
        bucket=bucket.ref,
        policy_document=iam.PolicyDocument(statements=[statement]),
    )
    live_as(policy, bucket)
    return path_of(policy)


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


def _with(document: Mapping[str, Any], statement: dict[str, Any]) -> dict[str, Any]:
    statements = document.get("Statement")
    if statements is None:
        statements = []
    elif isinstance(statements, Mapping):
        statements = [statements]
    return {**document, "Statement": [*statements, statement]}
