"""Audit logs on this machine: read every log, count the requests with DuckDB, and conclude."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from secure_bucket.findings.finding import Fault
from secure_bucket.operations.audit.audit import Audit, Malformed
from secure_bucket.operations.audit.conclude import Conclusion
from secure_bucket.operations.audit.doubts import Row
from secure_bucket.operations.audit.engine import MEMORY, Engine
from secure_bucket.operations.audit.files import STDIN, STDIN_NAME, Again, LogFile
from secure_bucket.operations.audit.kinds import Batch
from secure_bucket.operations.audit.question import Question
from secure_bucket.operations.audit.scratch import scratch_directory
from secure_bucket.operations.audit.spool import BATCH, Done, Ignored, batches

__all__ = ["audit_files", "whole_audit"]


def audit_files(
    arguments: Sequence[str],
    files: Iterable[LogFile | Again | Fault],
    question: Question,
    *,
    memory: str = MEMORY,
    threads: int | None = None,
    batch: int = BATCH,
    progress: Callable[[int], None] = lambda done: None,
) -> Audit:
    """Audit logs on this machine.

    Args:
        arguments: The arguments of the audit; each must lead to a log.
        files: The logs.
        question: The question.
        memory: The memory of DuckDB before it writes to disk.
        threads: The number of threads (default: one for each core).
        batch: The maximum bytes of a batch.
        progress: Receives the number of finished logs.
    """
    faults: list[Fault] = []
    ignored: list[tuple[str, str]] = []
    fruitful: set[str] = set()
    done = 0
    with (
        scratch_directory() as directory,
        Engine(question, directory, memory=memory, threads=threads) as engine,
    ):
        for each in batches(files, directory, size=batch):
            match each:
                case Batch():
                    fault = engine.add(each)
                    faults += [fault] if fault else []
                case Again(argument):
                    fruitful.add(argument)
                case Done(file):
                    done += 1
                    fruitful.add(file.argument)
                case Ignored(file, why) if file.named:
                    faults.append(Fault(file.name, f"`{file.name}` is not a log: {why}"))
                case Ignored(file, why):
                    ignored.append((file.name, why))
                case Fault():
                    faults.append(each)
            progress(done + len(ignored))
        rows = engine.report()
        malformed = engine.found_malformed()
    faulty = {STDIN if fault.file == STDIN_NAME else fault.file for fault in faults}
    faults += [
        Fault(argument, f"`{argument}` contains no log")
        for argument in dict.fromkeys(arguments)
        if argument not in fruitful and argument not in faulty and not _any_below(argument, faulty)
    ]
    return whole_audit(arguments, rows, question, malformed, done, tuple(ignored), tuple(faults))


def whole_audit(
    sources: Sequence[str],
    rows: Sequence[Row],
    question: Question,
    malformed: Malformed,
    files: int,
    ignored: tuple[tuple[str, str], ...] = (),
    faults: tuple[Fault, ...] = (),
) -> Audit:
    """Return the audit for the rows of the query."""
    conclusion = Conclusion(rows, question, malformed, len(faults))
    buckets = conclusion.buckets()
    return Audit(
        conclusion.answer(buckets),
        buckets,
        conclusion.groups,
        conclusion.more,
        malformed,
        conclusion.passed,
        tuple(sources),
        files,
        ignored,
        faults,
        question.minimum_tls,
        question.minimum_window,
        question.keys,
        question.since,
        question.until,
        question.tolerated_unknown,
    )


def _any_below(argument: str, names: Iterable[str]) -> bool:
    """Tell whether a file below an argument has a fault."""
    start = argument.rstrip("/") + "/"
    return any(name.startswith(start) for name in names)
