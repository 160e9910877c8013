"""Find the synthesized Stages, which must not get another construct."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterable

import aws_cdk as cdk
from constructs import IConstruct

from secure_bucket.cdk.fix.survey import path_of
from secure_bucket.template.manifest import MANIFEST

__all__ = ["is_of_this_run", "outdir_of", "path_from_node", "path_from_start", "synthesized_stages"]

# A manifest of an earlier run is older. File systems keep times in steps of up to two seconds.
_THIS_RUN = time.time() - 2
# Node was started here, when the app imported the CDK.
_START = os.getcwd()


def synthesized_stages(constructs: Iterable[IConstruct]) -> set[str]:
    """Return the paths, each with a `/` at the end, of the synthesized Stages.

    `Stage.synth` compares the paths of all constructs with those of the first synthesis, and raises
    `ConstructTreeModifiedAfterSynth` where one was added. No property tells that a Stage is synthesized.
    Three traces do, all measured with aws-cdk-lib 2.275: the rule `CheckBootstrapVersion`, which the default
    synthesizer adds to a stack while it synthesizes the stack; the deployments of a pipeline, which CDK
    Pipelines makes from the assembly of a Stage; and for other synthesizers the manifest of the Stage, which
    this run has written. Another App of the same run can have written it too: then FIX leaves the Stage.
    """
    # An app without CDK Pipelines must not load that module.
    pipelines = sys.modules.get("aws_cdk.pipelines")
    stages: dict[str, cdk.Stage] = {}
    stacks: set[str] = set()
    without_rule: set[str] = set()
    for construct in constructs:
        if isinstance(construct, cdk.Stage):
            stages[f"{path_of(construct)}/"] = construct
        elif isinstance(construct, cdk.Stack):
            if not isinstance(construct.synthesizer, cdk.DefaultStackSynthesizer):
                without_rule.add(f"{path_of(construct)}/")
        elif isinstance(construct, cdk.CfnRule):
            stack, _, id = path_of(construct).rpartition("/")
            if id == "CheckBootstrapVersion":
                stacks.add(f"{stack}/")
        elif pipelines is not None and isinstance(construct, pipelines.PipelineBase):
            for wave in construct.waves:
                for stage in wave.stages:
                    stacks.update(f"{stack.construct_path}/" for stack in stage.stacks)
    # The path of an App is empty, and the CDK can synthesize an App again.
    return {
        path
        for path, stage in stages.items()
        if path != "/"
        and (_any_in(stacks, path) or (_any_in(without_rule, path) and is_of_this_run(outdir_of(stage))))
    }


def outdir_of(stage: cdk.Stage) -> str:
    """Return the path of the assembly of an App or of a Stage."""
    return path_from_node(stage.outdir)


def path_from_node(path: str) -> str:
    """Return a path from Node as this process reads it.

    The CDK CLI names a relative output directory. Node resolves it from the directory where Node was started,
    even if the app changes its working directory later (aws-cdk-lib 2.150 and 2.275, CDK CLI 2.1148.1).
    """
    with contextlib.suppress(FileNotFoundError):
        if os.getcwd() == _START:
            return path
    return os.path.join(_START, path)


def path_from_start(path: str) -> str:
    """Return an absolute path relative to the directory where the app was started."""
    return path.removeprefix(os.path.join(_START, ""))


def _any_in(stacks: Iterable[str], stage: str) -> bool:
    return any(stack.startswith(stage) for stack in stacks)


def is_of_this_run(directory: str) -> bool:
    """Tell whether this run wrote the manifest of a directory."""
    try:
        return os.stat(os.path.join(directory, MANIFEST)).st_mtime >= _THIS_RUN
    except OSError:
        return False
