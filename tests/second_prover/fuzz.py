"""Run the second prover beside ours for as long as told, and keep what they disagree about.

    python -m tests.second_prover.fuzz --seconds 600
    python -m tests.second_prover.fuzz --seconds 600 --samples 100
    python -m tests.second_prover.fuzz --limit 20000 --seed 7 --state build/z3.json

The first asks z3 about every policy, the second only draws requests for each policy that is proven. The third
goes on where the last run with the same file ended. A disagreement is made smaller, and kept as a file of
`tests/second_prover/cases`, which the tests then run.
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


class State:
    """What a run has counted and seen, which a file keeps for the next run."""

    def __init__(self, file: pathlib.Path | None, seed: int) -> None:
        kept = json.loads(file.read_text(encoding="utf-8")) if file and file.exists() else {}
        self.file = file
        self.seed: int = kept.get("next seed", seed)
        self.counts: Counter[str] = Counter(kept.get("counts", {}))
        self.seen: set[str] = set(kept.get("seen", ()))
        self.marks: set[str] = set(kept.get("marks", ()))

    def save(self) -> None:
        """Replace the file, if there is one."""
        if self.file is not None:
            kept = {"next seed": self.seed, "counts": self.counts}
            new = self.file.with_suffix(".new")
            sets = {"seen": sorted(self.seen), "marks": sorted(self.marks)}
            new.write_text(json.dumps({**kept, **sets}), encoding="utf-8")
            new.replace(self.file)


def run(state: State, seconds: float, *, timeout: float, samples: int, store: bool, limit: int) -> None:
    """Compare until the time is over or so many policies were seen; print a line for each disagreement."""
    known = [*real_policies(), *(case["policy"] for case in labelled())]
    real = [policy for policy in known if not parse_policy(policy).problems]
    end = time.monotonic() + seconds
    saved = time.monotonic()
    try:
        while time.monotonic() < end and len(state.seen) < limit:
            policy = generate(state.seed, real)
            state.seed += 1
            digest = hashlib.sha256(json.dumps(policy, sort_keys=True).encode()).hexdigest()[:16]
            if digest not in state.seen:
                state.seen.add(digest)
                _compare(policy, state, timeout=timeout, samples=samples, store=store)
            if time.monotonic() > saved + 30:
                saved = time.monotonic()
                state.save()
    except KeyboardInterrupt:
        pass  # What was counted until then is printed.
    state.save()


def _compare(policy: Json, state: State, *, timeout: float, samples: int, store: bool) -> None:
    if samples:
        fault, note = _against_samples(policy, random.Random(state.seed), samples, state.counts)
        wrong: Callable[[Json], bool] = lambda one: (  # noqa: E731
            _against_samples(one, random.Random(1), samples * 5, Counter())[0] != ""
        )
    else:
        compared = compare(policy, timeout=timeout)
        state.counts[f"{compared.outcome.value} [{compared.second.answer.value}]"] += 1
        fault = compared.outcome.value if compared.outcome in FAULTS else ""
        note = compared.note
        wrong = lambda one: compare(one, timeout=timeout).outcome is compared.outcome  # noqa: E731
    if not fault:
        return
    verdict = prove_denies_http(policy, bucket_arn=BUCKET)
    mark = mark_of(policy, fault, verdict)
    if mark in state.marks:
        return
    state.marks.add(mark)
    small = minimize(policy, wrong)
    small_mark = mark_of(small, fault, prove_denies_http(small, bucket_arn=BUCKET))
    if small_mark != mark and small_mark in state.marks:
        return
    state.marks.add(small_mark)
    again = compare(small, timeout=timeout) if not samples else None
    expected = again.second.answer.value if again else "open"
    file = keep(small, fault, again.note if again else note, expected) if store else "(not kept)"
    shown = json.dumps(small, ensure_ascii=False)
    print(f"{fault}: seed {state.seed - 1}, {file}\n  {shown}\n  {note}", flush=True)


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
    parser.add_argument("--state", type=pathlib.Path, help="go on where the last run with this file ended")
    parser.add_argument("--keep", action=argparse.BooleanOptionalAction, default=True, help="write cases")
    options = parser.parse_args(arguments)
    state = State(options.state, options.seed)
    run(
        state,
        options.seconds,
        timeout=options.timeout,
        samples=options.samples,
        store=options.keep,
        limit=options.limit,
    )
    counts = state.counts
    for name, count in [("policies", len(state.seen)), *counts.most_common(), ("next seed", state.seed)]:
        print(f"{count:10} {name}")
    faults = {fault.value for fault in FAULTS}
    return int(any(name.split(" [")[0] in faults or name == "Refuted does not replay" for name in counts))


if __name__ == "__main__":
    sys.exit(main())
