"""Add the missing deny to a bucket, however its policy is written.

A bucket holds one policy: where there is one, the statement goes into it, and a second one is never
made. Where the policy of a bucket cannot be told for sure, nothing is written, and the gate reports the
bucket with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import IConstruct, Node
from msgspec import Struct

from secure_bucket.cdk.fix.judge import judge_resources, resources_of
from secure_bucket.cdk.fix.lifetime import keep_policy
from secure_bucket.cdk.fix.outcome import Fixed, Left, Outcome
from secure_bucket.cdk.fix.policy_finder import PolicyFinder, path_of
from secure_bucket.cdk.fix.policy_writer import add_policy, add_statements, arn_for, hindrance
from secure_bucket.cdk.fix.users_of_bucket import UsersOfBucket
from secure_bucket.cdk.gate.acknowledgments import METADATA_KEY
from secure_bucket.cdk.gate.violations import id_of
from secure_bucket.cdk.versions import has_acknowledgments
from secure_bucket.findings.exceptions import METADATA_KEY as EXCEPTIONS_KEY
from secure_bucket.findings.rules import EXCUSABLE, REFUTED, UNDECIDED
from secure_bucket.policy.statements import deny_plain_http
from secure_bucket.proof.verdict import Proven, Undecided

__all__ = ["Fixer"]

_REFUTED, _UNDECIDED = id_of(REFUTED), id_of(UNDECIDED)


class _Place(Struct, frozen=True):
    """Where a bucket stands; each of these is a call to the jsii kernel, so that none is asked for twice."""

    path: str
    node: Node
    owner: s3.Bucket | None


class _View(Struct, frozen=True):
    """What is below an App or a Stage."""

    policies: PolicyFinder
    users: UsersOfBucket


class Fixer:
    """Fix the buckets of one app, remembering what it learned between one bucket and the next.

    Args:
        keeps: Whether to keep also policies that exist as long as their buckets (default: False).
    """

    def __init__(self, *, keeps: bool = False) -> None:
        self._keeps = keeps
        self._views: dict[IConstruct | str, _View] = {}
        # The buckets that got a policy since `_views` was filled.
        self._made: set[str] = set()
        self._acknowledged: dict[str, frozenset[str]] = {}

    def forget(self) -> None:
        """Look anew at the next bucket: other code may have made policies or acknowledgments."""
        self._views.clear()
        self._made.clear()
        self._acknowledged.clear()

    def fix(
        self,
        bucket: s3.CfnBucket,
        *,
        websites: bool = False,
        plain_viewers: bool = False,
        stage: IConstruct | None = None,
    ) -> Outcome | None:
        """Add the deny to the policy of a bucket, unless it already refuses plain HTTP.

        Args:
            bucket: The bucket.
            websites: Whether to fix a website bucket too (default: False). Its endpoint speaks plain HTTP
                only, so that the deny closes it.
            plain_viewers: Whether to fix a bucket too of which a CloudFront distribution requests objects
                over plain HTTP (default: False).
            stage: The App or the Stage that the bucket is in (default: the nearest).

        Returns:
            What was done; `None` where there was nothing to do.
        """
        place = _place_of(bucket)
        path = place.path
        if path in self._made:
            return None
        view = self._view_of(stage if stage is not None else _stage_of(bucket))
        policy = view.policies.policy_of(bucket, path, place.owner)
        if isinstance(policy, str):
            return Left(path, policy)
        document: object = None
        rule = _REFUTED
        if policy is not None:
            values = {"ref": bucket.ref, "name": bucket.bucket_name, "document": policy.policy_document}
            # `resolve` omits undefined values.
            resolved = cdk.Stack.of(policy).resolve(values)
            document = resolved.get("document")
            open_rule = _judge(resolved["ref"], resolved.get("name"), document)
            if open_rule is None:
                return None
            rule = open_rule
        why = self._why_not(bucket, place, rule, websites)
        if not why and not plain_viewers:
            why = view.users.plain_viewers(bucket)
        if why:
            return Left(path, why)
        if policy is not None:
            deny = deny_plain_http(arn_for(policy, bucket))
            why = hindrance(policy, bucket, document, [deny])
            if why:
                return Left(path, f"its policy `{path_of(policy)}` {why}")
        why = view.users.flow_logs(bucket, policy, document)
        if why:
            return Left(path, why)
        if policy is None:
            self._made.add(path)
            deny = deny_plain_http(bucket.attr_arn)
            made = add_policy(bucket, place.owner, "SecureTransportPolicy", [deny])
            return Fixed(path, made, is_new=True)
        add_statements(policy, document, [deny])
        if self._keeps:
            keep_policy(policy, bucket)
        return Fixed(path, path_of(policy), is_new=False)

    def is_acknowledged_at(self, scope: IConstruct) -> bool:
        """Whether it is acknowledged on a construct, or around it, that buckets there accept plain HTTP."""
        return _REFUTED in self._acknowledged_on(scope.node, scope.node.path)

    def _view_of(self, stage: IConstruct) -> _View:
        view = self._views.get(stage)
        if view is None:
            # Two Python objects can stand for one construct of the kernel.
            path = path_of(stage)
            view = self._views.get(path) or _View(PolicyFinder(stage), UsersOfBucket(stage))
            self._views[stage] = self._views[path] = view
        return view

    def _why_not(self, bucket: s3.CfnBucket, place: _Place, rule: str, websites: bool) -> str:
        if not websites and bucket.website_configuration is not None:
            return "its website endpoint speaks plain HTTP only, so that the deny would close it"
        if rule in self._acknowledged_on(place.node, place.path, place.owner):
            # The exception may have expired. The gate says so, and fails; to cut somebody off because a
            # day has passed, without anybody having changed a line, is not for FIX to decide.
            return f"`{rule}` is acknowledged on it, or around it"
        if not has_acknowledgments() and rule in _declared_on(bucket):
            return f"`{rule}` is accepted in its `Metadata`"
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


def _declared_on(bucket: s3.CfnBucket) -> Iterator[str]:
    """Yield the ids of the rules from which the `Metadata` of a bucket excepts it."""
    metadata = cdk.Stack.of(bucket).resolve(bucket.cfn_options.metadata) or {}
    declared = metadata.get(EXCEPTIONS_KEY)
    entries = declared.get("Exceptions") if isinstance(declared, Mapping) else None
    for entry in entries if isinstance(entries, list) else ():
        named = entry.get("Rule") if isinstance(entry, Mapping) else None
        rule = EXCUSABLE.get(named.casefold()) if isinstance(named, str) else None
        if rule is not None:
            yield id_of(rule)


def _place_of(bucket: s3.CfnBucket) -> _Place:
    path, node = path_of(bucket), bucket.node
    # The L2 that a bucket is the resource of.
    owner = node.scope if path.endswith("/Resource") else None
    return _Place(path, node, owner if isinstance(owner, s3.Bucket) else None)


def _stage_of(bucket: s3.CfnBucket) -> IConstruct:
    return cdk.Stage.of(bucket) or bucket.node.root


def _judge(reference: object, name: object, document: object) -> str | None:
    """Judge a bucket with its policy as the gate would, in a template of nothing else.

    Returns:
        The id with which the finding is acknowledged; `None` when the bucket is proven.
    """
    # A reference into another stack still resolves to a bare logical id at this time.
    id = reference["Ref"] if isinstance(reference, Mapping) and "Ref" in reference else "Bucket"
    verdict = judge_resources(resources_of(id, name, document))[id]
    if isinstance(verdict, Proven):
        return None
    return _UNDECIDED if isinstance(verdict, Undecided) else _REFUTED
