"""The audit on this machine: every log read, counted by DuckDB, concluded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from secure_bucket.findings.finding import Fault
from secure_bucket.operations.audit.audit import Audit, Malformed
from secure_bucket.operations.audit.conclude import Conclusion
from secure_bucket.operations.audit.doubts import Row
from secure_bucket.operations.audit.engine import MEMORY, Engine
from secure_bucket.operations.audit.files import Again, LogFile
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
    """Return the audit of logs that can be opened here.

    Args:
        arguments: What led to them, which each have to lead to one.
        files: The logs.
        question: What is asked.
        memory: How much memory DuckDB takes before it writes to disk.
        threads: How many threads it uses (default: one for each core).
        batch: How many bytes are joined in one file for it.
        progress: Called with the number of logs that are done.
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
    faulty = {fault.file for fault in faults}
    faults += [
        Fault(argument, f"`{argument}` holds no log: nothing was read there")
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
    """Return the audit that the rows of an answer come to."""
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
    """Tell whether something below an argument has a fault already, which says enough."""
    start = argument.rstrip("/") + "/"
    return any(name.startswith(start) for name in names)
