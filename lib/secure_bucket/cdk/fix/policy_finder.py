"""Find the policy of a bucket in the construct tree, before there is a template."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from msgspec import Struct

from secure_bucket.cdk.fix.judge import name_in
from secure_bucket.cdk.fix.survey import SeenBucket, SeenPolicy, Survey, path_of
from secure_bucket.template.text import compare
from secure_bucket.values.unknown import Text

__all__ = ["FoundPolicy", "PolicyFinder", "outermost", "own_policy"]


class FoundPolicy(Struct, frozen=True):
    """The policy of a bucket.

    Args:
        policy: The policy.
        path: Its path.
        stack: Its stack.
        name: Its `Bucket`, not resolved.
        written: Its document, not resolved.
        document: The same, resolved.
    """

    policy: s3.CfnBucketPolicy
    path: str
    stack: cdk.Stack
    name: Any
    written: object
    document: object


class _Target(Struct, frozen=True):
    """The `Bucket` of a policy if it is not a reference: a value, resolved in a stack.

    `name` is the known part of its text: the CDK does not show the content of a mapping.
    """

    policy: SeenPolicy
    stack: str
    outermost: str
    value: object
    name: str | Text | None


class PolicyFinder:
    """Find the policies of the buckets below an App or a Stage.

    Args:
        survey: The survey of the App or the Stage.
    """

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self._names: list[tuple[str, object]] | None = None

    def policy_of(self, bucket: SeenBucket) -> FoundPolicy | str | None:
        """Find the policy of a bucket.

        Returns:
            The policy; `None` if the bucket has none; a sentence if the policy cannot be identified or
            changed.
        """
        return self.own_policy_of(bucket) or self.other_policy_of(bucket)

    def own_policy_of(self, bucket: SeenBucket) -> FoundPolicy | None:
        """Find the policy that the L2 of a bucket made for itself."""
        if not bucket.is_surveyed and (policy := own_policy(bucket.owner)) is not None:
            return _read(policy)
        seen = self._survey.own.get(bucket.path)
        if seen is None or seen.value != {"Ref": bucket.logical_id}:
            return None
        if not bucket.is_surveyed and isinstance(seen.policy, s3.CfnBucketPolicy):
            return _read(seen.policy)
        return _found(seen, self._survey.documents[bucket.path])

    def other_policy_of(self, bucket: SeenBucket) -> FoundPolicy | str | None:
        """Find the policy of a bucket among those that its L2 did not make."""
        known, others = self._others
        found = list(known.get(bucket.path, ()))
        doubtful: list[SeenPolicy] = []
        if others:
            self._look(bucket, others, found, doubtful)
        if len(found) > 1:
            return f"{len(found)} policies are for it, of which the last one wins: {_listed(found)}"
        if doubtful and not found:
            return f"{_listed(doubtful)} may be its policy, which only the deployment tells"
        if not found:
            return None
        policy = found[0].policy
        if not isinstance(policy, s3.CfnBucketPolicy):
            return f"its policy {_listed(found)} is a raw `CfnResource`; add the statement there"
        if not bucket.is_surveyed:
            return _read(policy)
        return _found(found[0], found[0].stack.resolve(found[0].written))

    @functools.cached_property
    def _others(self) -> tuple[dict[str, list[SeenPolicy]], list[_Target]]:
        """Split the policies into those that refer to their bucket, by its path, and the others."""
        known: dict[str, list[SeenPolicy]] = {}
        others: list[_Target] = []
        own = {each.path for path, each in self._survey.own.items() if path in self._survey.buckets}
        for policy in self._survey.policies:
            if policy.path not in own:
                path = _referenced(policy)
                if path is None:
                    stack, value = _passed(policy.stack, policy.value)
                    others.append(_Target(policy, path_of(stack), outermost(stack), value, name_in(value)))
                else:
                    known.setdefault(path, []).append(policy)
        return known, others

    def _look(
        self,
        bucket: SeenBucket,
        targets: list[_Target],
        found: list[SeenPolicy],
        doubtful: list[SeenPolicy],
    ) -> None:
        """Find the policies that name a bucket as text, and those that may name it."""
        stack = bucket.stack
        here, outer = path_of(stack), outermost(stack)
        ours = ({"Ref": bucket.logical_id}, bucket.name)
        for target in targets:
            value, name = target.value, target.name
            if isinstance(name, str):
                if name == ours[1]:
                    found.append(target.policy)
            elif value is not None and (
                (target.stack == here and value in ours) or _imports(value, stack, ours)
            ):
                found.append(target.policy)
            elif self._names_another(target):
                continue
            # A parameter, an import or a mapping may be the name of this bucket.
            elif target.outermost == outer or not _differ(name, bucket.name):
                doubtful.append(target.policy)

    def _names_another(self, target: _Target) -> bool:
        """Tell whether a policy names another bucket of the stack of its value."""
        if self._names is None:
            self._names = []
            for bucket in self._survey.buckets.values():
                stack = path_of(bucket.stack)
                self._names += [(stack, {"Ref": bucket.logical_id}), (stack, bucket.name)]
        return (target.stack, target.value) in self._names


def _differ(target: str | Text | None, name: object) -> bool:
    """Tell whether a target certainly differs from the name of a bucket."""
    return target is not None and isinstance(name, str) and compare(target, name) is False


def own_policy(owner: s3.Bucket | None) -> s3.CfnBucketPolicy | None:
    """Return the policy that an L2 has made itself."""
    policy = owner.policy if owner else None
    resource = policy.node.default_child if policy else None
    return resource if isinstance(resource, s3.CfnBucketPolicy) else None


def _found(seen: SeenPolicy, document: object) -> FoundPolicy:
    assert isinstance(seen.policy, s3.CfnBucketPolicy)
    return FoundPolicy(seen.policy, seen.path, seen.stack, seen.name, seen.written, document)


def _read(policy: s3.CfnBucketPolicy) -> FoundPolicy:
    """Read the present state of a policy."""
    stack, written = cdk.Stack.of(policy), policy.policy_document
    return FoundPolicy(policy, path_of(policy), stack, policy.bucket, written, stack.resolve(written))


def _referenced(policy: SeenPolicy) -> str | None:
    """Return the path of the bucket that a `Ref` means."""
    match policy.value, policy.name:
        case {"Ref": str()}, str(name):
            # INVARIANT: at this time a reference into another stack still resolves to a bare logical id, so
            # only its target tells which bucket it means.
            token = cdk.Tokenization.reverse(name)
            if isinstance(token, cdk.Reference) and isinstance(token.target, cdk.CfnResource):
                return path_of(token.target)
    return None


def _passed(stack: cdk.Stack, value: object) -> tuple[cdk.Stack, object]:
    """Follow the parameters of nested stacks outwards, to the stack that sets the value."""
    while isinstance(value, Mapping) and isinstance(value.get("Ref"), str):
        nesting, parent = stack.nested_stack_resource, stack.nested_stack_parent
        if not isinstance(nesting, cdk.CfnStack) or parent is None:
            break
        given = parent.resolve(nesting.parameters) or {}
        if value["Ref"] not in given:
            break
        stack, value = parent, given[value["Ref"]]
    return stack, value


def _imports(value: object, stack: cdk.Stack, ours: tuple[object, ...]) -> bool:
    """Tell whether a value imports an export that is the name of a bucket."""
    name = value.get("Fn::ImportValue") if isinstance(value, Mapping) else None
    return isinstance(name, str) and any(
        output.export_name == name and stack.resolve(output.value) in ours
        for output in stack.node.find_all()
        if isinstance(output, cdk.CfnOutput) and cdk.Stack.of(output).node.path == stack.node.path
    )


def outermost(stack: cdk.Stack) -> str:
    """Return the path of the top-level stack that deploys a stack."""
    while (parent := stack.nested_stack_parent) is not None:
        stack = parent
    return path_of(stack)


def _listed(policies: list[SeenPolicy]) -> str:
    return ", ".join(f"`{each.path}`" for each in policies)
