"""FIX only ever narrows: it denies every request over plain HTTP, and nothing that comes over HTTPS."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from hypothesis import event, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from secure_bucket import Mode, Proven, enforce_secure_transport, evaluate, prove_denies_http
from secure_bucket.policy import Request
from tests.cases.request_space import BUCKET
from tests.properties.strategies import Json, policies, requests


def fixed(policy: dict[str, Json]) -> dict[str, Json]:
    """The policy of a bucket that went through a synthesis with FIX, and then through another one."""
    app = cdk.App()
    stack = cdk.Stack(app, "Top")
    bucket = s3.CfnBucket(stack, "Bucket", bucket_name=BUCKET.rpartition(":")[2])
    s3.CfnBucketPolicy(stack, "Policy", bucket=bucket.ref, policy_document=copy.deepcopy(policy))
    enforce_secure_transport(app, mode=Mode.FIX, quiet=True)
    first = document(app)
    app.synth(force=True)
    assert document(app) == first, "once more changes nothing"
    return first


def document(app: cdk.App) -> dict[str, Json]:
    file = Path(app.synth().directory) / "Top.template.json"
    resources = json.loads(file.read_text(encoding="utf-8"))["Resources"]
    assert sorted(resources) == ["Bucket", "Policy"], "never a second policy"
    found: dict[str, Json] = deployed(resources["Policy"]["Properties"]["PolicyDocument"])
    return found


def deployed(value: Any) -> Any:
    """What becomes of the references that FIX writes."""
    if value == {"Fn::GetAtt": ["Bucket", "Arn"]}:
        return BUCKET
    if isinstance(value, dict):
        if list(value) == ["Fn::Join"]:
            return "".join(deployed(part) for part in value["Fn::Join"][1])
        return {key: deployed(each) for key, each in value.items()}
    return [deployed(each) for each in value] if isinstance(value, list) else value


def as_list(statements: Any) -> list[Any]:
    return statements if isinstance(statements, list) else [statements]


def over_https(request: Request) -> Request:
    secure = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}
    return replace(request, context={**request.context, **secure})


@settings(max_examples=12)
@given(policies(), st.lists(requests(), min_size=10, max_size=40))
def test_fix_denies_every_http_request_and_no_https_request(
    policy: dict[str, Json], asked: list[Request]
) -> None:
    after = fixed(policy)
    assert isinstance(prove_denies_http(after, bucket_arn=BUCKET), Proven)
    before = as_list(policy["Statement"])
    added = as_list(after["Statement"])[len(before) :]
    event(f"{len(added)} added")
    # Idle unless it is needed, and then one statement, behind all the others, which stay as they were.
    was_proven = isinstance(prove_denies_http(policy, bucket_arn=BUCKET), Proven)
    assert len(added) == (0 if was_proven else 1)
    assert as_list(after["Statement"])[: len(before)] == before
    assert {**after, "Statement": before} == {**policy, "Statement": before}
    for request in asked:
        assert evaluate(after, request)
        secure = over_https(request)
        assert evaluate(after, secure) == evaluate(policy, secure)
