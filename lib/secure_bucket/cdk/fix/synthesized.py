"""Find the stacks that are synthesized already, and must not get another construct."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import aws_cdk as cdk
from constructs import IConstruct

from secure_bucket.cdk.fix.policy_finder import path_of

__all__ = ["synthesized_stacks"]


def synthesized_stacks(constructs: Iterable[IConstruct]) -> set[str]:
    """Return the paths of the stacks that are synthesized already.

    `Stage.synth` compares the paths of all constructs with those of the first synthesis, and raises
    `ConstructTreeModifiedAfterSynth` where one was added. No property tells that a Stage is synthesized.
    Two traces do, both measured with aws-cdk-lib 2.275: the rule `CheckBootstrapVersion`, which the default
    synthesizer adds to a stack while it synthesizes the stack, and the deployments of a pipeline, which CDK
    Pipelines makes from the assembly of a Stage. A Stage that somebody synthesizes by hand, with another
    synthesizer and outside of a pipeline, leaves neither.
    """
    # An app without CDK Pipelines does not load that module for this question.
    pipelines = sys.modules.get("aws_cdk.pipelines")
    found: set[str] = set()
    for construct in constructs:
        if isinstance(construct, cdk.CfnRule):
            stack, _, id = path_of(construct).rpartition("/")
            if id == "CheckBootstrapVersion":
                found.add(stack)
        elif pipelines is not None and isinstance(construct, pipelines.PipelineBase):
            for wave in construct.waves:
                for stage in wave.stages:
                    found.update(stack.construct_path for stack in stage.stacks)
    return found
