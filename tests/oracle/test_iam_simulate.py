"""`evaluate` and an IAM simulator that others wrote agree on random policies and requests.

The simulator is `@cloud-copilot/iam-simulate`. It is under the AGPL, so it is no dependency of this project:
`npm ci --prefix tests/oracle` installs it for these tests, which are skipped without it.

Every disagreement found so far was judged by what AWS documents, and none was `evaluate`'s mistake. Policies
and requests where the two are known to differ are not asked about:

- The simulator knows no newline in a key, takes `*` and `?` in a key for wildcards, and reads a policy of
  version 2008-10-17 as one of 2012-10-17.
- It finds no IPv4 address in `0.0.0.0/0`, no IPv6 address outside an IPv4 address without a prefix, and no
  date in a number of seconds.
- It ignores the case of the front of an ARN, accepts the name of a bucket as its ARN, the name of an operator
  in any case, a Principal that is an account id alone, and a statement without `Resource`.
- It lets a negated operator match where a variable has no value, and takes `False` for `false`. AWS documents
  neither.
"""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator

import pytest
from hypothesis import assume, given, settings

from secure_bucket.policy import Request
from secure_bucket.policy.evaluate import evaluate
from secure_bucket.proof import Refuted, prove_denies_http
from tests.cases.request_space import BUCKET, faults, plain_requests
from tests.cases.test_labelled_policies import OURS, THEIRS, params
from tests.properties.strategies import Json, policies, requests

HERE = pathlib.Path(__file__).parent
Simulator = Callable[[Json, Request], bool | str]

if not (HERE / "node_modules").is_dir() or shutil.which("node") is None:
    pytest.skip("`npm ci --prefix tests/oracle` has not been run", allow_module_level=True)


@pytest.fixture(scope="module")
def simulate() -> Iterator[Simulator]:
    process = subprocess.Popen(
        ["node", "simulate.mjs"],
        cwd=HERE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        ask, answer = process.stdin, process.stdout

        def denied(policy: Json, request: Request) -> bool | str:
            asked = {name: getattr(request, name) for name in ("principal", "action", "resource", "context")}
            ask.write(json.dumps([policy, asked]) + "\n")
            ask.flush()
            found: bool | str = json.loads(answer.readline())
            return found

        yield denied
        ask.close()


def comparable(policy: Json, request: Request) -> bool:
    """Tell whether the simulator is known to understand both."""
    text = json.dumps(policy)
    key = request.resource[len(BUCKET) :]
    old = '"2012-10-17"' not in text and "${" in text
    present = {name.lower() for name in request.context}
    unresolved = any(name.lower() not in present for name in re.findall(r"\$\{(aws:[^,}]+)\}", text))
    addresses = any(part in text for part in ('"0.0.0.0/0"', '"192.0.2.1"'))
    return not (old or unresolved or addresses or any(character in key for character in "*?\n"))


@given(policies(), requests())
@settings(max_examples=400, deadline=None)
def test_the_simulator_agrees(simulate: Simulator, policy: Json, request_: Request) -> None:
    assume(comparable(policy, request_))
    assert simulate(policy, request_) is evaluate(policy, request_)


@given(policies())
@settings(deadline=None)
def test_the_simulator_does_not_deny_a_counterexample(simulate: Simulator, policy: Json) -> None:
    verdict = prove_denies_http(policy, bucket_arn=BUCKET)
    assume(isinstance(verdict, Refuted) and comparable(policy, verdict.request))
    assert isinstance(verdict, Refuted)
    assert simulate(policy, verdict.request) is False


@pytest.mark.parametrize("case", params([case for case in OURS + THEIRS if case["tier"] != "disputed"]))
def test_the_simulator_agrees_on_the_labelled_policies(simulate: Simulator, case: Json) -> None:
    if case["id"] in {"document-none", "resource-arn-case", "resource-name-only", "time-epoch"}:
        pytest.skip("known to differ, see above")
    verdict = prove_denies_http(case["policy"], bucket_arn=BUCKET)
    asked = list(plain_requests())[::17]
    asked += [Request(**case["witness"])] if "witness" in case else []
    asked += [verdict.request] if isinstance(verdict, Refuted) else []
    for request in asked:
        if comparable(case["policy"], request) and not faults(request, case["policy"]):
            answer = simulate(case["policy"], request)
            assert answer is evaluate(case["policy"], request) or str(answer).startswith("refused"), request
