"""What a review has read so far, so that one that was broken off can go on.

A journal is a file of JSON lines: who it belongs to, and then one line for each bucket. A line is written
at once and whole. What a killed process left of its last line is dropped, and that bucket is asked again.
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
"""How old an answer may be before it is asked for again."""
_CLOCKS: Final = datetime.timedelta(minutes=5)


class BucketAnswer(Struct, frozen=True):
    """What S3 said about one bucket.

    Args:
        policy: Its policy as text; `None` when it has none.
        website: Whether it is configured as a website.
        public_access: Whether the public is kept out; `None` when nobody asked.
        at: When it was asked.
    """

    policy: str | None
    website: bool
    public_access: PublicAccess | None
    at: datetime.datetime


class Journal:
    """The answers of a review that are known already, and the file that new ones are added to.

    Args:
        file: The file; it is created if it does not exist.
        scope: What the review asks, and where: another review must not go on with this journal.
        max_age: How old an answer may be (default: a day).

    Raises:
        LiveError: If the file cannot be used: it is something else, or it belongs to another review.
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
        # The policies of buckets are nobody else's business.
        self._descriptor = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            # A device or a pipe may have no end.
            if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
                raise LiveError(f"the journal `{self.file}` cannot be used: it is not a regular file")
            # INVARIANT: nobody else writes to the file while it is read, repaired and added to.
            self._alone()
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
            self._belongs(records[0], header)
        if not records or "finished" in records[-1]:
            self.finished_before = bool(records)
            os.ftruncate(self._descriptor, 0)
            self._write(first)
        else:
            for number, record in enumerate(records[1:], 2):
                self._keep(number, record)
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

    def _belongs(self, found: Mapping[str, Any], header: Mapping[str, Any]) -> None:
        theirs, ours = found.get("scope"), header["scope"]
        if theirs != ours:
            other = theirs if isinstance(theirs, dict) else {}
            differing = ", ".join(sorted(key for key in {*other, *ours} if other.get(key) != ours.get(key)))
            raise LiveError(
                f"the journal `{self.file}` belongs to another review (it differs in {differing}): "
                "give another file, or remove it"
            )

    def _keep(self, number: int, record: Mapping[str, Any]) -> None:
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
            # One that is to come was written with another clock: nobody knows how old it is.
            late = not self._not_before <= answer.at <= _now() + _CLOCKS
        except (KeyError, TypeError, ValueError):
            whole = False
        if not whole:
            raise LiveError(f"the journal `{self.file}` is damaged in line {number}, and is left alone")
        if late:
            self.stale += 1
        else:
            self._answers[key] = answer

    def _alone(self) -> None:
        with contextlib.suppress(ImportError):
            import fcntl  # Windows has none.

            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise LiveError(f"another review is writing to the journal `{self.file}`") from None

    def answer(self, account: str, bucket: str) -> BucketAnswer | None:
        """Return what is known about a bucket; `None` when it has to be asked for."""
        found = self._answers.get((account, bucket))
        if found is not None:
            with self._lock:
                self.reused += 1
                self.oldest = found.at if self.oldest is None else min(self.oldest, found.at)
        return found

    def add(self, account: str, bucket: str, answer: BucketAnswer) -> None:
        """Write down what S3 said about a bucket.

        Raises:
            LiveError: If it cannot be written.
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
        """Say that the review is done, so that the next one with this file starts anew.

        Raises:
            LiveError: If it cannot be written.
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
