"""Policies with the verdict they deserve, as data: a line of a `.jsonl` file each.

`tier` says how sure the label is: `core` and `hard` follow from what AWS documents, `disputed` rests on
something that AWS does not document, so that `Undecided` is as good an answer. `defect` says how the prover
is wrong about a case; remove it with the defect.
"""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

from secure_bucket.policy import Request
from secure_bucket.policy.evaluate import evaluate
from secure_bucket.proof import Proven, Refuted, Undecided, prove_denies_http
from tests.cases.request_space import BUCKET, faults, plain_requests

HERE = pathlib.Path(__file__).parent
SHARED = HERE.parents[2] / "shared" / "policy-cases.jsonl"


CONTRADICTED = {
    # *IAM policy elements: Variables and tags*, read 2026-11: "You can't use a policy variable with other
    # operators, such as Numeric, Date, Boolean, Binary, IP Address, or Null operators."
    "op-variable-2012",
}
"""Labels of ../shared that AWS's own documents contradict."""


def read(file: pathlib.Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


OURS = [case for file in sorted(HERE.glob("*.jsonl")) for case in read(file)]
THEIRS = read(SHARED) if SHARED.exists() else []


def params(cases: list[dict[str, Any]], *, judged: bool = False) -> list[Any]:
    """Return the cases as parameters; a `defect` of the prover is expected to fail where it is judged."""
    return [
        pytest.param(
            case,
            id=case["id"],
            marks=[pytest.mark.xfail(reason=case["defect"])] if judged and "defect" in case else [],
        )
        for case in cases
    ]


def test_the_shared_cases_are_there() -> None:
    if not THEIRS:
        pytest.skip(f"{SHARED} is absent, so its cases are not run")


def test_every_case_has_its_own_id_and_a_reason() -> None:
    assert len({case["id"] for case in OURS}) == len(OURS)
    for case in OURS:
        assert case["why"]
        assert case["tier"] in ("core", "hard", "disputed")
        assert case["expected"] in ("secure", "insecure")


@pytest.mark.parametrize("case", params([case for case in OURS + THEIRS if "witness" in case]))
def test_the_witness_of_an_insecure_policy_is_a_request_that_is_not_denied(case: dict[str, Any]) -> None:
    assert case["expected"] == "insecure"
    request = Request(**case["witness"])
    assert faults(request) == []
    assert not evaluate(case["policy"], request)


@pytest.mark.parametrize("case", params([case for case in OURS + THEIRS if case["expected"] == "secure"]))
def test_a_secure_policy_denies_every_plain_request(case: dict[str, Any]) -> None:
    if case["tier"] == "disputed":
        pytest.skip("rests on what AWS does not document")
    assert [request for request in plain_requests() if not evaluate(case["policy"], request)] == []


@pytest.mark.parametrize("case", params(OURS + THEIRS, judged=True))
def test_the_verdict_is_the_label(case: dict[str, Any]) -> None:
    verdict = prove_denies_http(case["policy"], bucket_arn=BUCKET)
    if (case["tier"] == "disputed" or case["id"] in CONTRADICTED) and isinstance(verdict, Undecided):
        return
    assert isinstance(verdict, Proven if case["expected"] == "secure" else Refuted), verdict
    if isinstance(verdict, Refuted):
        assert faults(verdict.request, case["policy"]) == []
        assert not evaluate(case["policy"], verdict.request)
