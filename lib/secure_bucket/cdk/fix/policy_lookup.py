"""Which policy is for which bucket, told in the construct tree, before there is a template."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct
from msgspec import Struct

__all__ = ["Targets", "path_of"]


class _Target(Struct, frozen=True):
    """What a policy names as its bucket: the path of its construct, or else the value, resolved."""

    policy: cdk.CfnResource
    stack: str
    path: str | None
    value: object


class Targets:
    """The bucket policies below an App or a Stage, with what each of them names as its bucket.

    Args:
        scope: The App or the Stage.
    """

    def __init__(self, scope: IConstruct) -> None:
        self._scope = scope
        # Those of which it is known for which bucket they are, by its path; and the others.
        self._known: dict[str, list[cdk.CfnResource]] = {}
        self._others: list[_Target] = []
        for target in _targets(scope):
            if target.path is None:
                self._others.append(target)
            else:
                self._known.setdefault(target.path, []).append(target.policy)
        self._names: list[tuple[str, object]] | None = None

    def policies_of(self, bucket: s3.CfnBucket, path: str) -> cdk.CfnResource | str | None:
        """Find the policy of a bucket.

        Returns:
            The policy, or `None` where there is none; a sentence where it cannot be told.
        """
        found = list(self._known.get(path, ()))
        doubtful: list[cdk.CfnResource] = []
        if self._others:
            self._look(bucket, found, doubtful)
        if len(found) > 1:
            return f"{len(found)} policies are for it, of which the last one wins: {_listed(found)}"
        if found:
            return found[0]
        if doubtful:
            return f"{_listed(doubtful)} may be its policy, which only the deployment tells"
        return None

    def _look(
        self, bucket: s3.CfnBucket, found: list[cdk.CfnResource], doubtful: list[cdk.CfnResource]
    ) -> None:
        """Find the policies that name a bucket in words, and those that may do so."""
        stack = cdk.Stack.of(bucket)
        here = stack.node.path
        # `resolve` drops what is nothing.
        resolved = stack.resolve({"ref": bucket.ref, "name": bucket.bucket_name})
        reference, name = resolved["ref"], resolved.get("name")
        for target in self._others:
            if isinstance(target.value, str):
                if target.value == name:
                    found.append(target.policy)
            elif target.stack == here:
                if target.value is not None and target.value in (reference, name):
                    found.append(target.policy)
                elif not self._names_another(target):
                    # A parameter or an import that might turn out to be the name of this bucket.
                    doubtful.append(target.policy)

    def _names_another(self, target: _Target) -> bool:
        """Whether a policy is for another bucket of its stack, which has the same name in the same words."""
        if self._names is None:
            selector = cdk.ConstructSelector.resources_of_type("AWS::S3::Bucket")
            self._names = []
            for bucket in cdk.Mixins.of(self._scope, selector).selected_constructs:
                if isinstance(bucket, s3.CfnBucket):
                    stack = cdk.Stack.of(bucket)
                    self._names.append((stack.node.path, stack.resolve(bucket.bucket_name)))
        return (target.stack, target.value) in self._names


def path_of(construct: IConstruct) -> str:
    """Return the path of a construct, in one call to the kernel; `construct.node.path` takes two."""
    # A resource adds its type, `Top/Plain/Resource [AWS::S3::Bucket]`; no id holds a space and a bracket
    # at its end by chance.
    text = cast(Construct, construct).to_string()
    head, separator, _ = text.rpartition(" [AWS::S3::")
    return head if separator else text


def _targets(scope: IConstruct) -> Iterator[_Target]:
    # One call walks everything inside the kernel.
    selector = cdk.ConstructSelector.resources_of_type("AWS::S3::BucketPolicy")
    for policy in cdk.Mixins.of(scope, selector).selected_constructs:
        if isinstance(policy, s3.CfnBucketPolicy):
            named: object = policy.bucket
        elif isinstance(policy, cdk.CfnResource):
            named = policy._cfn_properties.get("Bucket")
        else:
            continue
        stack = cdk.Stack.of(policy)
        value = stack.resolve(named)
        # The same name in two Stages is two buckets, in two accounts or regions.
        if not isinstance(value, str) or _is_deployed_with(policy, scope):
            yield _Target(policy, stack.node.path, _referenced(named), value)


def _is_deployed_with(policy: IConstruct, scope: IConstruct) -> bool:
    stage = cdk.Stage.of(policy)
    return stage is None or stage.node.path == scope.node.path


def _referenced(name: object) -> str | None:
    """The path of the bucket that a `Ref` means."""
    if isinstance(name, str) and cdk.Token.is_unresolved(name):
        fragments = cdk.Tokenization.reverse_string(name)
        token = fragments.first_token
        # INVARIANT: at this time a reference into another stack still resolves to a bare logical id, so
        # that only its target tells which bucket it means.
        if fragments.length == 1 and isinstance(token, cdk.Reference):
            target = token.target
            if isinstance(target, cdk.CfnResource) and token.display_name == "Ref":
                return path_of(target)
    return None


def _listed(policies: list[cdk.CfnResource]) -> str:
    return ", ".join(f"`{path_of(policy)}`" for policy in policies)
