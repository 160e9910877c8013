"""Which buckets of a Stage need a closer look, told in as few calls to the jsii kernel as can be.

In Python every question to a construct is a message to another process, so that an Aspect which visits
each construct takes longer than the whole synthesis. Here one call lists all constructs, one call a stack
resolves all its policies, and the policies are judged together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import IConstruct
from msgspec import Struct

from secure_bucket.cdk.fix.judge import judge_resources, resources_of
from secure_bucket.cdk.fix.policy_finder import path_of
from secure_bucket.proof.verdict import Proven

__all__ = ["Survey", "survey"]

_POLICY, _BUCKET = "/Policy/Resource", "/Resource"


class Survey(Struct, frozen=True):
    """The contents of a Stage, without the Stages inside of it.

    Args:
        stacks: The paths of its stacks, those of nested stacks included.
        unproven: The buckets that are not known to refuse plain HTTP; some of them may.
    """

    stacks: tuple[str, ...]
    unproven: tuple[s3.CfnBucket, ...]


def survey(stage: IConstruct) -> Survey:
    """Survey an App or a Stage."""
    everything = stage.node.find_all()
    # The first one is the Stage itself. A Stage inside of it has been synthesized before.
    inner = tuple(f"{path_of(each)}/" for each in everything[1:] if isinstance(each, cdk.Stage))

    def all_of(kind: type) -> dict[str, Any]:
        found = {path_of(each): each for each in everything if isinstance(each, kind)}
        return {path: each for path, each in found.items() if not path.startswith(inner)}

    stacks = all_of(cdk.Stack)
    proven = _proven(stacks, all_of(s3.CfnBucketPolicy))
    buckets = all_of(s3.CfnBucket)
    return Survey(
        stacks=tuple(stacks),
        unproven=tuple(bucket for path, bucket in buckets.items() if path not in proven),
    )


def _proven(stacks: Mapping[str, cdk.Stack], policies: Mapping[str, s3.CfnBucketPolicy]) -> set[str]:
    """The paths of the buckets that a policy of their own, made by their L2, protects.

    `Fixer` looks at the other buckets one by one, and in the end the gate does.
    """
    by_stack: dict[str, dict[str, s3.CfnBucketPolicy]] = {}
    for path, policy in policies.items():
        if path.endswith(_POLICY):
            stack = _around(path, stacks)
            if stack is not None:
                by_stack.setdefault(stack, {})[path] = policy
    proven: set[str] = set()
    for stack, own in by_stack.items():
        tokens = {path: [policy.bucket, policy.policy_document] for path, policy in own.items()}
        resolved = stacks[stack].resolve(tokens)
        ids = {path: name["Ref"] for path, (name, _) in resolved.items() if _is_reference(name)}
        resources: dict[str, Any] = {}
        for path, id in ids.items():
            resources |= resources_of(id, None, resolved[path][1])
        verdicts = judge_resources(resources)
        proven.update(
            path.removesuffix(_POLICY) + _BUCKET
            for path, id in ids.items()
            if isinstance(verdicts.get(id), Proven)
        )
    return proven


def _around(path: str, stacks: Mapping[str, object]) -> str | None:
    while path:
        path = path.rpartition("/")[0]
        if path in stacks:
            return path
    return None


def _is_reference(name: object) -> bool:
    return isinstance(name, Mapping) and isinstance(name.get("Ref"), str)
