"""Send a signal to many runs of the command, each at a moment of its own, and print what was left undone.

    python -m tests.cli.signal_rounds SEED ROUNDS

Each run checks the working directory. It is a fork of this process, which has loaded what the command loads
first: a round takes a quarter of a second of processor time, and its signal hits our code instead of Python's
start.

A run has to end within a second of its signal. A machine on which a whole run takes more than half a second
is slow or busy: there it has twice the time of a whole run. The last line names the slowest end.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections import Counter
from random import Random
from typing import NoReturn

from secure_bucket.cli.main import console

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# What users are promised.
SECONDS = 1.0


def check(stderr: int) -> NoReturn:
    """Be the command: `check` with two workers, in a group of processes of its own."""
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(stderr, 2)
    sys.argv[1:] = ["check", "--jobs", "2", "."]
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        console()
    except KeyboardInterrupt:
        # In the line above, where the command has not begun.
        os._exit(130)


def read_to_end(pipe: int, patience: float) -> bytes | None:
    """Return what is written into a pipe until the last process closes it; `None` if one keeps it open."""
    end = time.monotonic() + patience
    written = b""
    while select.select([pipe], [], [], max(0.0, end - time.monotonic()))[0]:
        chunk = os.read(pipe, 65536)
        if not chunk:
            return written
        written += chunk
    return None


def take_turn(number: signal.Signals, moment: float | None, patience: float) -> tuple[str, str, float]:
    """Run the command, send it a signal after some seconds, and return its end, what is wrong, and when."""
    pipe, theirs = os.pipe()
    command = os.fork()
    if not command:
        os.close(pipe)
        check(theirs)
    os.close(theirs)
    if moment is not None:
        time.sleep(moment)
        # Not waited for, so the number is still that of the command.
        os.kill(command, number)
    sent = time.monotonic()
    written = read_to_end(pipe, patience)
    lasted = time.monotonic() - sent
    os.close(pipe)
    if written is None:
        os.killpg(command, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
    if written is None:
        return str(code), f"a process was left running after {patience:.3f} s", lasted
    if written:
        return str(code), f"it wrote {written.decode()!r}", lasted
    known = {1: "finished", -number: "before its handlers", 128 + number: "stopped"}
    return known.get(code, str(code)), "" if code in known else f"it ended with {code}", lasted


def main(seed: str, rounds: int) -> int:
    """Run the rounds, and return 1 if a run ended in another way than it has to."""
    random = Random(seed)
    for stop in NUMBERS:
        signal.signal(stop, signal.SIG_DFL)
    *outcome, whole = take_turn(signal.SIGINT, None, 60)
    assert outcome == ["finished", ""]
    patience = max(SECONDS, 2 * whole)
    ends: Counter[str] = Counter()
    faults, slowest = 0, 0.0
    for _ in range(rounds):
        number, moment = random.choice(NUMBERS), random.uniform(0, whole)
        end, wrong, lasted = take_turn(number, moment, patience)
        ends[end] += 1
        slowest = max(slowest, lasted)
        if wrong:
            faults += 1
            print(f"{number.name} after {moment:.3f} of {whole:.3f} s: {wrong}")
    print(*(f"{count} {end}" for end, count in ends.most_common()), sep=", ")
    print(f"the slowest ended {slowest:.3f} s after its signal, and had {patience:.3f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], int(sys.argv[2])))
