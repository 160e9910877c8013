"""Record the answers of S3 in a file, so that an interrupted review can continue.

A journal is a file of JSON lines: a header that identifies the review, and then one line for each bucket. If
a killed process left an incomplete last line, the next review drops it and reads that bucket again.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import stat
import threading
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from secure_bucket.findings.running import PublicAccess
from secure_bucket.operations.aws.errors import LiveError

__all__ = ["MAX_AGE", "SCHEMA", "BucketAnswer", "Journal"]

SCHEMA: Final = "secure-bucket/journal/1"
MAX_AGE: Final = datetime.timedelta(hours=24)
"""The maximum age of an answer."""
_CLOCKS: Final = datetime.timedelta(minutes=5)


class BucketAnswer(Struct, frozen=True):
    """The answer of S3 about one bucket.

    Args:
        policy: Its policy as text; `None` without a policy.
        website: Whether it is configured as a website.
        public_access: Whether the public is blocked; `None` if the review did not ask.
        at: The time of the answer.
    """

    policy: str | None
    website: bool
    public_access: PublicAccess | None
    at: datetime.datetime


class Journal:
    """The recorded answers of a review, and the file for new answers.

    Args:
        file: The file, which is created if it does not exist.
        scope: The options that identify the review: another review must not use this journal.
        max_age: The maximum age of an answer (default: a day).

    Raises:
        LiveError: If the file is not a journal, or belongs to another review.
    """

    def __init__(self, file: str, scope: Mapping[str, object], max_age: datetime.timedelta = MAX_AGE) -> None:
        self.file = file
        self.reused: int = 0
        self.stale: int = 0
        self.finished_before: bool = False
        self.oldest: datetime.datetime | None = None
        self._lock = threading.Lock()
        self._answers: dict[tuple[str, str], BucketAnswer] = {}
        self._not_before = _now() - max_age
        header = {"schema": SCHEMA, "scope": json.loads(json.dumps(scope)), "started": _written(_now())}
        try:
            self._open(header)
        except OSError as error:
            raise LiveError(f"the journal `{file}` cannot be used: {error.strerror or error}") from None

    def _open(self, header: Mapping[str, object]) -> None:
        # Only the owner may read the bucket policies.
        self._descriptor = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            # Reading a device or a pipe may never end.
            if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
                raise LiveError(f"the journal `{self.file}` cannot be used: it is not a regular file")
            # INVARIANT: no other process writes to the file while this one uses it.
            self._lock_file()
            self._read((json.dumps(header) + "\n").encode("ascii"), header)
        except BaseException:
            os.close(self._descriptor)
            raise

    def _read(self, first: bytes, header: Mapping[str, object]) -> None:
        with open(self._descriptor, "rb", closefd=False) as stream:
            *lines, torn = stream.read().split(b"\n")
        if not lines and not torn.startswith(first[:10]) and torn:
            raise LiveError(f"`{self.file}` is not a journal of secure-bucket, and is left alone")
        records = [self._record(number, line) for number, line in enumerate(lines, 1)]
        if records:
            self._check_scope(records[0], header)
        if not records or "finished" in records[-1]:
            self.finished_before = bool(records)
            os.ftruncate(self._descriptor, 0)
            self._write(first)
        else:
            for number, record in enumerate(records[1:], 2):
                self._load_answer(number, record)
            if torn:
                os.ftruncate(self._descriptor, sum(len(line) + 1 for line in lines))

    def _record(self, number: int, line: bytes) -> dict[str, Any]:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict) or (number == 1 and record.get("schema") != SCHEMA):
            what = "is not a journal of secure-bucket" if number == 1 else f"is damaged in line {number}"
            raise LiveError(f"`{self.file}` {what}, and is left alone")
        return record

    def _check_scope(self, found: Mapping[str, Any], header: Mapping[str, Any]) -> None:
        theirs, ours = found.get("scope"), header["scope"]
        if theirs != ours:
            other = theirs if isinstance(theirs, dict) else {}
            differing = ", ".join(sorted(key for key in {*other, *ours} if other.get(key) != ours.get(key)))
            raise LiveError(
                f"the journal `{self.file}` belongs to another review (it differs in {differing}): "
                "give another file, or remove it"
            )

    def _load_answer(self, number: int, record: Mapping[str, Any]) -> None:
        try:
            shut, policy, website = record["public_access"], record["policy"], record["website"]
            answer = BucketAnswer(
                policy,
                website,
                None if shut is None else PublicAccess[shut],
                datetime.datetime.fromisoformat(record["at"]),
            )
            key = str(record["account"]), str(record["bucket"])
            whole = isinstance(policy, (str, type(None))) and isinstance(website, bool)
            # An answer from the future was written with another clock, so its age is unknown.
            late = not self._not_before <= answer.at <= _now() + _CLOCKS
        except (KeyError, TypeError, ValueError):
            whole = False
        if not whole:
            raise LiveError(f"the journal `{self.file}` is damaged in line {number}, and is left alone")
        if late:
            self.stale += 1
        else:
            self._answers[key] = answer

    def _lock_file(self) -> None:
        with contextlib.suppress(ImportError):
            import fcntl  # Windows has no such module.

            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise LiveError(f"another review is writing to the journal `{self.file}`") from None

    def answer(self, account: str, bucket: str) -> BucketAnswer | None:
        """Return the recorded answer about a bucket; `None` without one."""
        found = self._answers.get((account, bucket))
        if found is not None:
            with self._lock:
                self.reused += 1
                self.oldest = found.at if self.oldest is None else min(self.oldest, found.at)
        return found

    def add(self, account: str, bucket: str, answer: BucketAnswer) -> None:
        """Record the answer of S3 about a bucket.

        Raises:
            LiveError: If the file cannot be written.
        """
        record = {
            "account": account,
            "bucket": bucket,
            "at": _written(answer.at),
            "policy": answer.policy,
            "website": answer.website,
            "public_access": None if answer.public_access is None else answer.public_access.name,
        }
        self._append(record)

    def finish(self) -> None:
        """Record the end of the review, so that the next review with this file starts from the beginning.

        Raises:
            LiveError: If the file cannot be written.
        """
        self._append({"finished": _written(_now())})

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _append(self, record: Mapping[str, object]) -> None:
        line = (json.dumps(record) + "\n").encode("ascii")
        with self._lock:
            try:
                self._write(line)
            except OSError as error:
                text = f"the journal `{self.file}` cannot be written: {error.strerror or error}"
                raise LiveError(text) from None

    def _write(self, line: bytes) -> None:
        while line:
            line = line[os.write(self._descriptor, line) :]


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def _written(at: datetime.datetime) -> str:
    return at.isoformat(timespec="milliseconds")
