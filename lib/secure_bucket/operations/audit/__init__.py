"""Count plain HTTP, and TLS older than required, in the logs of S3 and CloudTrail.

    from secure_bucket.operations.audit import Breaks, audit_logs

    audit = audit_logs("logs/", minimum_tls=1.2)
    for group in audit.groups:
        print(group.bucket, group.requester, group.user_agent, group.requests)
    if isinstance(audit.answer, Breaks):
        print(f"{audit.answer.clients} clients break")

Reading needs `pip install 'secure-bucket[audit]'`, and S3 prefixes `secure-bucket[aws]`.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from secure_bucket.operations.audit.audit import (
    Answer,
    Audit,
    AuditedBucket,
    Breaks,
    CannotTell,
    ClientGroup,
    Count,
    Key,
    LogError,
    LogLine,
    Malformed,
    Safe,
    Trouble,
)
from secure_bucket.operations.audit.question import ALL_KEYS, Question

if TYPE_CHECKING:
    from secure_bucket.findings.finding import Fault
    from secure_bucket.operations.audit.files import Again, LogFile
    from secure_bucket.operations.aws.session import Session

__all__ = [
    "Answer",
    "Audit",
    "AuditedBucket",
    "Breaks",
    "CannotTell",
    "ClientGroup",
    "Count",
    "Key",
    "LogError",
    "LogLine",
    "Malformed",
    "Question",
    "Safe",
    "Trouble",
    "audit_logs",
]

_S3 = "s3://"


def audit_logs(
    logs: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    buckets: Sequence[str] = (),
    since: datetime.datetime | None = None,
    until: datetime.datetime | None = None,
    minimum_tls: float | None = None,
    group_by: Sequence[Key] = ALL_KEYS,
    limit: int = 20,
    minimum_window: int = 30,
    maximum_age: int = 7,
    now: datetime.datetime | None = None,
    tolerated_unknown: float = 0.0,
    skip_copies: bool = False,
    days: bool = False,
    session: Session | None = None,
    memory: str = "1GB",
    threads: int | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Audit:
    """Find the clients in logs that break once plain HTTP is denied.

    The function reads server access logs of S3 (text, or the JSON of CloudWatch) and events of CloudTrail,
    plain or compressed with gzip or zstd. Its memory and disk space do not grow with the logs.

    Args:
        logs: Files, directories, patterns, `-` for standard input, and `s3://bucket/prefix`.
        buckets: The buckets to audit (default: all buckets in the logs).
        since: The time of the first request to count (default: count from the first record).
        until: The time after the last request to count (default: count to the last record).
        minimum_tls: Also count TLS below this version, such as 1.2 (default: count only plain HTTP).
        group_by: The keys to group clients by (default: all except the status).
        limit: The number of groups of each kind to return (default: 20).
        minimum_window: The minimum number of days of logs for a safe bucket (default: 30).
        maximum_age: The maximum number of days since the end of the logs for a safe bucket (default: 7).
        now: The time of the audit (default: the time of the clock).
        tolerated_unknown: The share of requests without a known protocol, from 0 to 1, that a safe bucket may
            have; it includes malformed lines (default: 0).
        skip_copies: Whether to skip the half of a server-side copy that S3 does itself. The client connected
            for the other half, which the target bucket logs (default: False).
        days: Whether to count the requests of each bucket by day (default: False).
        session: The AWS session for `s3://…` (default: with the settings of the environment).
        memory: The memory of DuckDB before it writes to disk (default: 1GB).
        threads: The number of threads (default: one for each core).
        progress: Receives the number of finished files.

    Returns:
        The audit, with everything that could not be read in its `faults`.

    Raises:
        LogError: If the arguments contradict each other.
        LiveError: If a request to AWS fails.
        MissingDependencyError: If `secure-bucket[audit]` is not installed.
    """
    # Loads in 40 ms, which only an audit pays.
    from secure_bucket.operations.audit.local import audit_files

    given = [logs] if isinstance(logs, (str, os.PathLike)) else list(logs)
    arguments = tuple(os.fspath(each) for each in given)
    if since is not None and until is not None and since >= until:
        raise LogError("the time that is asked for ends before it begins: `since` has to lie before `until`")
    if not 0 <= tolerated_unknown <= 1:
        raise LogError("the share of requests that may be unknown lies between 0 and 1")
    question = Question(
        now or datetime.datetime.now(datetime.timezone.utc),
        tuple(dict.fromkeys(buckets)),
        since,
        until,
        minimum_tls,
        tuple(dict.fromkeys(group_by)),
        limit,
        minimum_window,
        maximum_age,
        tolerated_unknown,
        skip_copies,
        days,
    )
    files = _files(arguments, question, session)
    return audit_files(arguments, files, question, memory=memory, threads=threads, progress=progress)


def _files(
    arguments: Iterable[str], question: Question, session: Session | None
) -> Iterator[LogFile | Again | Fault]:
    # Loads in 2 ms; see `audit_logs`.
    from secure_bucket.operations.audit.files import find_logs

    seen: set[tuple[int, int]] = set()
    objects: set[str] = set()
    for argument in dict.fromkeys(arguments):
        if argument.startswith(_S3):
            # Load in 9 ms together, which only logs in S3 pay.
            from secure_bucket.operations.audit.s3 import find_objects
            from secure_bucket.operations.aws.session import open_session

            session = session or open_session()
            yield from find_objects(argument, session, objects, since=question.since, until=question.until)
        else:
            yield from find_logs(argument, seen)
