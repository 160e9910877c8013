"""Run the second prover beside ours for as long as told, and keep what they disagree about.

    python -m tests.second_prover.fuzz --seconds 600
    python -m tests.second_prover.fuzz --seconds 600 --samples 100

The first asks z3 about every policy, the second only draws requests for each policy that is proven. A
disagreement is made smaller, and kept as a file of `tests/second_prover/cases`, which the tests then run.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import pathlib
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from secure_bucket.policy import parse_policy
from secure_bucket.policy.evaluate import evaluate
from secure_bucket.proof import Proven, Refuted, prove_denies_http
from tests.second_prover.corpus import CASES, labelled, real_policies
from tests.second_prover.decide import FAULTS, Outcome, compare
from tests.second_prover.generate import generate
from tests.second_prover.request import BUCKET
from tests.second_prover.sample import sampled

Json = Any


def smaller(policy: Json) -> Iterator[Json]:
    """Yield the policies that have one word less."""
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    for place, statement in enumerate(statements):
        without = [*statements[:place], *statements[place + 1 :]]
        if without:
            yield {**policy, "Statement": without}
        for name, element in statement.items():
            for simpler in _simpler(name, element):
                changed = copy.deepcopy(statements)
                changed[place] = {**statement, name: simpler}
                yield {**policy, "Statement": changed}


def _simpler(name: str, element: Json) -> Iterator[Json]:
    if name == "Condition":
        for operator, block in element.items():
            others = {other: inside for other, inside in element.items() if other != operator}
            yield others
            for key, value in block.items():
                rest = {other: inside for other, inside in block.items() if other != key}
                if rest:
                    yield {**element, operator: rest}
                if isinstance(value, list) and len(value) > 1:
                    for one in value:
                        yield {
                            **element,
                            operator: {**block, key: [word for word in value if word != one] or one},
                        }
    elif isinstance(element, list) and len(element) > 1:
        for place in range(len(element)):
            yield element[:place] + element[place + 1 :]


def minimize(policy: Json, wrong: Callable[[Json], bool], *, seconds: float = 10) -> Json:
    """Return a policy of as few words as possible that is still wrong."""
    end = time.monotonic() + seconds
    found = True
    while found and time.monotonic() < end:
        found = False
        for candidate in smaller(policy):
            if time.monotonic() > end:
                break
            if wrong(candidate):
                policy, found = candidate, True
                break
    return policy


def keep(policy: Json, outcome: str, note: str, expected: str) -> pathlib.Path:
    """Write a disagreement as a case, to which its judge adds the source as `why`."""
    name = hashlib.sha256(json.dumps(policy, sort_keys=True).encode()).hexdigest()[:12]
    file = CASES / f"{name}.json"
    case = {"expected": expected, "outcome": outcome, "note": note, "policy": policy}
    CASES.mkdir(exist_ok=True)
    file.write_text(json.dumps(case, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return file


def signature(policy: Json) -> str:
    """Return what is alike in policies that show the same fault."""
    text = json.dumps(policy["Statement"], sort_keys=True)
    words = sorted({w for w in text.replace('"', " ").replace(",", " ").split() if ":" in w and w[-1] == ":"})
    return " ".join(words)


def mark_of(policy: Json, fault: str, verdict: object) -> str:
    """Return what is alike in disagreements of one cause, so that each is reported once."""
    if fault == Outcome.BAD_COUNTEREXAMPLE.value and isinstance(verdict, Refuted):
        return f"{fault} {sorted(verdict.request.context)}"
    return f"{fault} {signature(policy)}"


def run(seconds: float, seed: int, *, timeout: float, samples: int, store: bool, limit: int) -> Counter[str]:
    """Compare until the time is over; print a line for each disagreement, and return how often what came."""
    known = [*real_policies(), *(case["policy"] for case in labelled())]
    real = [policy for policy in known if not parse_policy(policy).problems]
    counts: Counter[str] = Counter()
    seen: set[int] = set()
    kept: set[str] = set()
    times: list[float] = []
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end and counts["policies"] < limit:
            policy = generate(seed, real)
            seed += 1
            digest = hash(json.dumps(policy, sort_keys=True))
            if digest in seen:
                continue
            seen.add(digest)
            counts["policies"] += 1
            if samples:
                fault, note = _against_samples(policy, random.Random(seed), samples, counts)
                wrong: Callable[[Json], bool] = lambda one: (  # noqa: E731
                    _against_samples(one, random.Random(1), samples * 5, Counter())[0] != ""
                )
            else:
                compared = compare(policy, timeout=timeout)
                times.append(compared.seconds)
                counts[f"{compared.outcome.value} [{compared.second.answer.value}]"] += 1
                fault = compared.outcome.value if compared.outcome in FAULTS else ""
                note = compared.note
                outcome = compared.outcome
                wrong = lambda one, outcome=outcome: compare(one, timeout=timeout).outcome is outcome  # type: ignore[misc]  # noqa: E731
            if fault:
                verdict = prove_denies_http(policy, bucket_arn=BUCKET)
                mark = mark_of(policy, fault, verdict)
                if mark in kept:
                    continue
                kept.add(mark)
                small = minimize(policy, wrong)
                small_mark = mark_of(small, fault, prove_denies_http(small, bucket_arn=BUCKET))
                if small_mark != mark and small_mark in kept:
                    continue
                kept.add(small_mark)
                again = compare(small, timeout=timeout) if not samples else None
                expected = again.second.answer.value if again else "open"
                file = keep(small, fault, again.note if again else note, expected) if store else "(not kept)"
                print(
                    f"{fault}: seed {seed - 1}, {file}\n  {json.dumps(small, ensure_ascii=False)}\n  {note}",
                    flush=True,
                )
    except KeyboardInterrupt:
        pass  # What was counted until then is printed.
    counts["next seed"] = seed
    if times:
        times.sort()
        counts["ms, median"] = round(1000 * times[len(times) // 2])
        counts["ms, 95 of 100"] = round(1000 * times[len(times) * 95 // 100])
        counts["ms, longest"] = round(1000 * times[-1])
    return counts


def _against_samples(policy: Json, rng: random.Random, samples: int, counts: Counter[str]) -> tuple[str, str]:
    verdict = prove_denies_http(policy, bucket_arn=BUCKET)
    counts[type(verdict).__name__] += 1
    if isinstance(verdict, Refuted) and evaluate(policy, verdict.request):
        return "Refuted does not replay", repr(verdict.request)
    if isinstance(verdict, Proven):
        found = sampled(parse_policy(policy), rng, samples)
        if found is not None:
            return Outcome.WRONG_PROVEN.value, repr(found)
    return "", ""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.second_prover.fuzz", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--seconds", type=float, default=60, help="how long to run (default: 60)")
    parser.add_argument(
        "--seed", type=int, default=random.SystemRandom().randrange(10**9), help="the first seed"
    )
    parser.add_argument("--timeout", type=float, default=2, help="seconds for a question to z3 (default: 2)")
    parser.add_argument("--samples", type=int, default=0, help="draw that many requests instead of asking z3")
    parser.add_argument("--limit", type=int, default=10**9, help="stop after that many policies")
    parser.add_argument("--keep", action=argparse.BooleanOptionalAction, default=True, help="write cases")
    options = parser.parse_args(arguments)
    counts = run(
        options.seconds,
        options.seed,
        timeout=options.timeout,
        samples=options.samples,
        store=options.keep,
        limit=options.limit,
    )
    for name, count in counts.most_common():
        print(f"{count:10} {name}")
    faults = {fault.value for fault in FAULTS}
    return int(any(name.split(" [")[0] in faults or name == "Refuted does not replay" for name in counts))


if __name__ == "__main__":
    sys.exit(main())
