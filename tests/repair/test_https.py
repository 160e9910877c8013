"""Over HTTPS every request is treated after a repair as it was before it."""

from __future__ import annotations

import itertools
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from secure_bucket.policy import Policy, Request, parse_policy
from secure_bucket.policy.evaluate import evaluate
from secure_bucket.repair import repair_document
from secure_bucket.template import Assembly, Document, Inventory, Stack, parse_document
from secure_bucket.template.deployments import deployments_of

ARN = "arn:aws:s3:::example-bucket"
REQUESTS = [
    (principal, action, resource, {"s3:TlsVersion": tls, **source})
    for principal, (action, resource), tls, source in itertools.product(
        ("anonymous", "arn:aws:iam::123456789012:user/ann"),
        (("s3:GetObject", f"{ARN}/report.csv"), ("s3:ListBucket", ARN), ("s3:PutBucketPolicy", ARN)),
        ("1.1", "1.2", "1.3"),
        ({}, {"aws:SourceIp": "203.0.113.7"}),
    )
]
CONDITIONS: list[dict[str, Any]] = [
    {},
    {"Bool": {"aws:SecureTransport": "true"}},
    {"Bool": {"aws:SecureTransport'": "false"}},
    {"Bool": {"aws:SecureTransport": "false"}, "NumericLessThan": {"s3:TlsVersion": "1.2"}},
    {"NumericLessThan": {"s3:TlsVersion": "1.2"}},
    {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
]
statements = st.builds(
    lambda effect, principal, action, resource, condition: {
        "Effect": effect,
        "Principal": principal,
        "Action": action,
        "Resource": resource,
        **({"Condition": condition} if condition else {}),
    },
    st.sampled_from(["Allow", "Deny"]),
    st.sampled_from(["*", {"AWS": "arn:aws:iam::123456789012:user/ann"}]),
    st.sampled_from(["s3:*", "s3:GetObject"]),
    st.sampled_from([ARN, f"{ARN}/*", [ARN, f"{ARN}/*"]]),
    st.sampled_from(CONDITIONS),
)


def policy_of(document: Document) -> Policy:
    inventory = Inventory(Assembly([Stack(document)]))
    (bucket,) = inventory.buckets
    (deployment,) = deployments_of(inventory, bucket)
    return parse_policy(deployment.policies[0].document if deployment.policies else {"Statement": []})


def denied(policy: Policy, transport: str) -> list[object]:
    return [
        evaluate(policy, Request(principal, action, resource, {"aws:SecureTransport": transport, **context}))
        for principal, action, resource, context in REQUESTS
    ]


@settings(max_examples=60, deadline=None)
@given(st.none() | st.lists(statements, max_size=3) | statements)
def test_https_is_treated_as_before_and_http_is_denied(written: object) -> None:
    resources: dict[str, Any] = {
        "Logs": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "example-bucket"}}
    }
    if written is not None:
        properties = {"Bucket": {"Ref": "Logs"}, "PolicyDocument": {"Statement": written}}
        resources["Policy"] = {"Type": "AWS::S3::BucketPolicy", "Properties": properties}
    document = parse_document(json.dumps({"Resources": resources}))
    before, after = policy_of(document), policy_of(repair_document(document).document)
    assert denied(before, "true") == denied(after, "true")
    assert all(answer is True for answer in denied(after, "false"))
