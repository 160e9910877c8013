"""The examples, created by CloudFormation: the policies then in force prove, as those synthesized do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from secure_bucket import Proven, Refuted, check_template, prove_denies_http
from tests.server.ministack import Ministack
from tests.synth.harness import ROOT, synth_here

pytestmark = pytest.mark.slow

# The CloudFormation of ministack knows none of these: what needs them is not created.
UNKNOWN = {
    "AWS::CloudTrail::Trail",
    "AWS::CodePipeline::Pipeline",
    "AWS::Config::ConfigRule",
    "AWS::Config::OrganizationConformancePack",
    "AWS::Logs::QueryDefinition",
    "AWS::Organizations::Policy",
}

# What an example lets answer plain HTTP, with an acknowledgment.
EXCEPTED = {"existing_app": ["Incoming"]}

BUCKETS = {"existing_app": 3, "first_bucket": 1, "organization": 3, "pipeline": 5}


def mentions(value: object) -> Iterator[str]:
    """Return the logical ids that a resource refers to."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                yield inner
            elif key in ("Fn::GetAtt", "DependsOn"):
                yield from [inner] if isinstance(inner, str) else inner[: 1 if key == "Fn::GetAtt" else None]
            else:
                yield from mentions(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from mentions(inner)


def deployable(template: dict[str, Any]) -> dict[str, Any]:
    """Return a template without what the server does not know, and without what depends on that."""
    kept = dict(template["Resources"])
    gone = {name for name, body in kept.items() if body["Type"] in UNKNOWN}
    while gone:
        kept = {name: body for name, body in kept.items() if name not in gone}
        gone = {name for name, body in kept.items() if not set(mentions(body)).isdisjoint(gone)}
    return {"Resources": kept}


def policy_of(server: Ministack, bucket: str) -> Any:
    """Return the policy that is in force; `None` when there is none."""
    try:
        return json.loads(server.client("s3").get_bucket_policy(Bucket=bucket)["Policy"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucketPolicy":
            raise
        return None


def test_every_example_is_deployed() -> None:
    assert {file.parent.name for file in (ROOT / "examples").glob("*/app.py")} == BUCKETS.keys()


@pytest.mark.parametrize("name", BUCKETS)
def test_the_policies_in_force_prove(name: str, server: Ministack, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / name, tmp_path, dirs_exist_ok=True)
    run = synth_here(tmp_path)
    assert run.code == 0, run.stderr
    found = 0
    for file in sorted((tmp_path / "cdk.out").rglob("*.template.json")):
        template = deployable(json.loads(file.read_text(encoding="utf-8")))
        before = {each.logical_id: each.verdict for each in check_template(template).buckets}
        if not template["Resources"]:
            continue
        ids = server.deploy(template)
        for logical_id, verdict in before.items():
            found += 1
            in_force = prove_denies_http(
                policy_of(server, ids[logical_id]), bucket_arn=f"arn:aws:s3:::{ids[logical_id]}"
            )
            excepted = logical_id.startswith(tuple(EXCEPTED.get(name, ["\0"])))
            assert isinstance(verdict, Refuted if excepted else Proven)
            assert isinstance(in_force, type(verdict))
    assert found == BUCKETS[name]
