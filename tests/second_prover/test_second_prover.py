"""The prover beside a second one that shares nothing with it: z3, asked about all requests at once.

Which policies: a slice of the labelled ones and of the generated ones; `make fuzz` runs the rest for as long
as it is told, and keeps what disagrees as a case here.
"""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from secure_bucket.policy import parse_policy
from secure_bucket.policy.evaluate import evaluate
from secure_bucket.proof import Proven, prove_denies_http
from tests.second_prover.corpus import TEMPLATES, kept_cases, labelled, real_policies
from tests.second_prover.decide import FAULTS, Answer, Outcome, ask, compare
from tests.second_prover.generate import generate
from tests.second_prover.request import BUCKET
from tests.second_prover.sample import sampled

LABELS = {"secure": Answer.DENIED, "insecure": Answer.OPEN}
SLICE = [case for number, case in enumerate(labelled()) if number % 9 == 0]


def deny(condition: dict[str, Any], **elements: Any) -> dict[str, Any]:
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [BUCKET, f"{BUCKET}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}, **condition},
        **elements,
    }


def policy(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in SLICE])
def test_both_provers_agree_on_a_labelled_policy(case: dict[str, Any]) -> None:
    found = compare(case["policy"], timeout=0.5)
    assert found.outcome not in FAULTS, found.note
    if found.second.answer in (Answer.DENIED, Answer.OPEN):
        assert found.second.answer is LABELS[case["expected"]]


@pytest.mark.parametrize("seed", range(40))
def test_both_provers_agree_on_a_generated_policy(seed: int) -> None:
    found = compare(generate(seed), timeout=0.5)
    assert found.outcome not in FAULTS, f"{json.dumps(generate(seed))}\n{found.note}"


@pytest.mark.parametrize("seed", range(1000, 1100))
def test_no_sampled_request_passes_a_proven_policy(seed: int) -> None:
    generated = generate(seed)
    if isinstance(prove_denies_http(generated, bucket_arn=BUCKET), Proven):
        assert sampled(parse_policy(generated), random.Random(seed), 40) is None


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            case,
            id=case["id"],
            marks=[pytest.mark.xfail(reason=case["defect"])] if "defect" in case else [],
        )
        for case in kept_cases()
    ],
)
def test_a_disagreement_is_settled(case: dict[str, Any]) -> None:
    found = compare(case["policy"], timeout=4)
    assert found.outcome not in FAULTS, found.note
    if found.second.answer in (Answer.DENIED, Answer.OPEN):
        assert found.second.answer.value == case["expected"]


def test_the_real_policies_are_there() -> None:
    if not TEMPLATES.exists():
        pytest.skip(f"{TEMPLATES} is absent, so its policies are not run")
    assert len(real_policies()) > 100


@pytest.mark.parametrize("number", range(0, 137, 15))
def test_both_provers_agree_on_a_real_policy(number: int) -> None:
    if number >= len(real_policies()):
        pytest.skip(f"{TEMPLATES} is absent, so its policies are not run")
    found = compare(real_policies()[number], timeout=0.5)
    assert found.outcome not in FAULTS, found.note


# The second prover itself has to find what it is there for.


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        ({"NumericLessThanIfExists": {"s3:signatureAge": "-2"}}, Answer.OPEN),
        ({"NumericGreaterThanIfExists": {"s3:signatureAge": "-2"}}, Answer.DENIED),
        ({"StringLike": {"aws:PrincipalAccount": ["anonymous", "????????????"]}}, Answer.DISPUTED),
        ({"Null": {"aws:PrincipalAccount": "false"}}, Answer.DENIED),
        ({"StringNotLike": {"s3:prefix": "home/*"}}, Answer.OPEN),
        ({"ForAllValues:StringLike": {"aws:TagKeys": "*"}}, Answer.DENIED),
        ({"IpAddressIfExists": {"aws:SourceIp": ["0.0.0.0/0", "::/0"]}}, Answer.DENIED),
        ({"IpAddressIfExists": {"aws:SourceIp": ["0.0.0.0/1", "::/0"]}}, Answer.OPEN),
        ({"StringEquals": {"aws:PrincipalType": "${aws:principaltype}"}}, Answer.DENIED),
        ({"Bool": {"aws:SecureTransport": "False"}}, Answer.DISPUTED),
    ],
)
def test_z3_answers_as_aws_documents(condition: dict[str, Any], answer: Answer) -> None:
    asked = policy(deny(condition))
    second = ask(asked, timeout=4)
    assert second.answer is answer
    if answer is Answer.OPEN:
        assert second.request is not None
        assert not evaluate(asked, second.request)


def test_a_wrong_verdict_is_found() -> None:
    # INVARIANT: a comparison that cannot fail would say nothing, so each of the two verdicts is turned round.
    from tests.second_prover.decide import _judge

    secure, insecure = policy(deny({})), policy(deny({"Null": {"s3:prefix": "false"}}))
    proven = prove_denies_http(secure, bucket_arn=BUCKET)
    refuted = prove_denies_http(insecure, bucket_arn=BUCKET)
    assert _judge(insecure, proven, ask(insecure), 4)[0] is Outcome.WRONG_PROVEN
    assert _judge(secure, refuted, ask(secure), 4)[0] is Outcome.WRONG_REFUTED
