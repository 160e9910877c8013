"""Every refutation is replayed through the evaluator, on the policy as it comes out in some deployment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from secure_bucket.checks.check import check_template
from secure_bucket.policy.evaluate import evaluate
from secure_bucket.policy.request import Request
from secure_bucket.proof.verdict import Proven, Refuted
from secure_bucket.template import Assembly, Bucket, Inventory, Stack, load_document
from secure_bucket.template.deployments import deployments_of
from secure_bucket.values.unknown import Text, Unknown
from tests.template.field_verdicts import TEMPLATES

CASES = sorted((Path(__file__).parents[1] / "template" / "cases").iterdir())

HTTP_REQUESTS = [
    (principal, action, suffix)
    for principal in ("anonymous", "arn:aws:iam::123456789012:user/alice", "cloudtrail.amazonaws.com")
    for action, suffix in (("s3:GetObject", "/key"), ("s3:PutObject", "/a/b"), ("s3:ListBucket", ""))
]


def written_out(value: Any) -> Any:
    """Return a policy in which each hole is its own name, as it is in a counterexample."""
    if isinstance(value, (Text, Unknown)):
        return str(value)
    if isinstance(value, dict):
        return {key: written_out(item) for key, item in value.items()}
    if isinstance(value, list):
        return [written_out(item) for item in value]
    return value


def documents(inventory: Inventory, bucket: Bucket) -> Iterator[tuple[str, list[Any]]]:
    """Return the ARN and the policies of a bucket in each deployment."""
    for expand in (False, True):
        for way in deployments_of(inventory, bucket, expand=expand):
            policies = [written_out(applied.document) for applied in way.policies if applied.certain]
            yield str(way.bucket_arn), policies or [{"Statement": []}]


def replay(file: Path) -> None:
    document = load_document(file)
    inventory = Inventory(Assembly([Stack(document)]))
    for bucket, judged in zip(inventory.buckets, check_template(document).buckets, strict=False):
        verdict = judged.verdict
        if isinstance(verdict, Refuted):
            assert any(
                not evaluate(policy, verdict.request)
                for arn, policies in documents(inventory, bucket)
                if verdict.request.resource.startswith(arn)
                for policy in policies
            ), (bucket.resource.logical_id, verdict.request)
        elif isinstance(verdict, Proven):
            for arn, policies in documents(inventory, bucket):
                for principal, action, suffix in HTTP_REQUESTS:
                    request = Request(principal, action, arn + suffix, {"aws:SecureTransport": "false"})
                    assert all(evaluate(policy, request) for policy in policies), request


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_the_verdicts_of_a_case_replay(file: Path) -> None:
    if file.stem != "many-parameters":
        replay(file)


@pytest.mark.skipif(
    not TEMPLATES.is_dir(), reason="needs ../shared/templates, which is no part of the repository"
)
@pytest.mark.slow
def test_the_verdicts_of_the_field_replay() -> None:
    for file in TEMPLATES.rglob("*"):
        if file.is_file() and file.suffix in (".json", ".yaml", ".yml"):
            replay(file)
