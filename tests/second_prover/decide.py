"""Ask both provers about a policy, and compare their answers."""

from __future__ import annotations

import enum
import time
from typing import Any, NamedTuple

import z3

from secure_bucket.policy import Request, parse_policy
from secure_bucket.policy.evaluate import evaluate
from secure_bucket.proof import Proven, Refuted, Undecided, Verdict, prove_denies_http
from tests.second_prover.claim import Claim
from tests.second_prover.request import BUCKET
from tests.second_prover.text import Unsupported

__all__ = ["FAULTS", "Answer", "Comparison", "Outcome", "ask", "compare"]


STEPS = 1_200_000
"""How many steps z3 makes in about a second."""


class Answer(enum.Enum):
    """What the second prover says.

    `DENIED`: every request over plain HTTP is denied, however one reads what AWS leaves open.
    `OPEN`: one gets through, likewise. `DISPUTED`: it depends on what AWS does not document.
    `UNKNOWN`: z3 gave up. `SKIPPED`: the encoding does not cover the policy, or S3 refuses it.
    """

    DENIED = "denied"
    OPEN = "open"
    DISPUTED = "disputed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class Outcome(enum.Enum):
    AGREED = "agreed"
    WRONG_PROVEN = "wrong Proven"
    WRONG_REFUTED = "wrong Refuted"
    BAD_COUNTEREXAMPLE = "a counterexample that is denied or cannot exist"
    NO_REPLAY = "the model of z3 is denied by evaluate"
    PROVEN_ON_DISPUTED = "Proven rests on what AWS does not document"
    NEEDLESS_UNDECIDED = "Undecided, but AWS documents all of it"
    UNDECIDED_ON_DISPUTED = "Undecided where AWS documents nothing"
    REFUTED_ON_DISPUTED = "Refuted where AWS leaves the answer open"
    NOT_COMPARED = "not compared"


FAULTS = frozenset(
    {Outcome.WRONG_PROVEN, Outcome.WRONG_REFUTED, Outcome.BAD_COUNTEREXAMPLE, Outcome.NO_REPLAY}
    | {Outcome.PROVEN_ON_DISPUTED}
)


class Second(NamedTuple):
    answer: Answer
    request: Request | None = None
    why: str = ""
    claim: Claim | None = None


class Comparison(NamedTuple):
    outcome: Outcome
    second: Second
    verdict: Verdict
    seconds: float
    note: str = ""


def _check(claim: Claim, formulas: list[Any], timeout: float) -> tuple[z3.CheckSatResult, Any]:
    solver = z3.Solver()
    # A number of steps, not of seconds, so that a busy machine changes no answer.
    solver.set("rlimit", int(timeout * STEPS))
    solver.set("random_seed", 7)
    for formula in formulas:
        if formula is False:
            return z3.unsat, None
        if formula is not True:
            solver.add(formula)
    answer = solver.check()
    return answer, solver.model() if answer == z3.sat else None


def ask(policy: object, *, timeout: float = 10) -> Second:
    """Decide a policy with z3."""
    parsed = parse_policy(policy)
    if parsed.problems:
        return Second(Answer.SKIPPED, why=f"S3 refuses it: {parsed.problems[0].reason}")
    try:
        claim = Claim(parsed)
        worlds = [True, False] if "s3:tlsversion" in claim.space.keys else [None]
        narrow, model = z3.sat, None
        for tls_absent in worlds:
            for few in (True, False) if claim.space.has_arn else (False,):
                space = claim.space.constraints(narrow=True, tls_absent=tls_absent, few=few)
                answer, model = _check(claim, [claim.open_surely, *space], timeout)
                if answer == z3.sat:
                    break
            narrow = answer if narrow == z3.sat else narrow
        if narrow == z3.sat:
            return Second(Answer.OPEN, claim.space.request(model), claim=claim)
        wide, _ = _check(claim, [claim.open_maybe, *claim.space.constraints(narrow=False)], timeout)
        if wide == z3.unsat:
            return Second(Answer.DENIED, claim=claim)
        if wide == z3.sat and narrow == z3.unsat:
            return Second(Answer.DISPUTED, claim=claim)
        return Second(Answer.UNKNOWN, claim=claim)
    except Unsupported as error:
        return Second(Answer.SKIPPED, why=str(error))


def compare(policy: object, *, timeout: float = 10) -> Comparison:
    """Compare the verdict of the prover with the answer of the second prover."""
    verdict = prove_denies_http(policy, bucket_arn=BUCKET)
    start = time.process_time()
    second = ask(policy, timeout=timeout)
    outcome, note = _judge(policy, verdict, second, timeout)
    return Comparison(outcome, second, verdict, time.process_time() - start, note)


def _judge(policy: object, verdict: Verdict, second: Second, timeout: float) -> tuple[Outcome, str]:
    if second.answer in (Answer.UNKNOWN, Answer.SKIPPED):
        return Outcome.NOT_COMPARED, second.why
    if second.request is not None and evaluate(policy, second.request):
        return Outcome.NO_REPLAY, repr(second.request)
    if isinstance(verdict, Undecided):
        if second.answer is Answer.DISPUTED:
            return Outcome.UNDECIDED_ON_DISPUTED, ""
        return Outcome.NEEDLESS_UNDECIDED, f"{second.answer.value}: {verdict.reasons}"
    if isinstance(verdict, Proven):
        if second.answer is Answer.OPEN:
            return Outcome.WRONG_PROVEN, repr(second.request)
        if second.answer is Answer.DISPUTED:
            return Outcome.PROVEN_ON_DISPUTED, ""
        return Outcome.AGREED, ""
    assert isinstance(verdict, Refuted)
    if second.answer is Answer.DENIED:
        return Outcome.WRONG_REFUTED, repr(verdict.request)
    if evaluate(policy, verdict.request):
        return Outcome.BAD_COUNTEREXAMPLE, f"evaluate denies {verdict.request!r}"
    assert second.claim is not None
    try:
        pinned = second.claim.space.pin(verdict.request)
        wide = second.claim.space.constraints(narrow=False)
        answer, _ = _check(second.claim, [second.claim.open_maybe, pinned, *wide], timeout)
    except Unsupported:
        return Outcome.AGREED, "the counterexample was not checked"
    if answer == z3.unsat:
        return Outcome.BAD_COUNTEREXAMPLE, repr(verdict.request)
    if second.answer is Answer.DISPUTED:
        return Outcome.REFUTED_ON_DISPUTED, ""
    return Outcome.AGREED, ""
