"""Find the logs below an S3 prefix: list them by date, and fetch small ones ahead."""

from __future__ import annotations

import datetime
import io
import re
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, BinaryIO, Final, cast

from msgspec import Struct

from secure_bucket.findings.finding import Fault
from secure_bucket.operations.audit.audit import LogError
from secure_bucket.operations.audit.files import Again, LogFile
from secure_bucket.operations.aws.errors import LiveError, translate_errors
from secure_bucket.operations.aws.session import Session
from secure_bucket.prices import EGRESS_GIGABYTE

__all__ = [
    "LATE",
    "Download",
    "Location",
    "StoredLog",
    "download_of",
    "find_objects",
    "folders_of",
    "list_logs",
    "parse_location",
]

_LOCATION = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?", re.DOTALL)
# `2027/02/01/` of CloudTrail, and of S3 with partitioned keys.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_PartitionedPrefix.html
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
_FOLDERS: Final = re.compile(r"(?:^|/)((?:19|20|21)\d\d)/(\d\d)/(\d\d)/")
# `2024-02-06-00-00-38-3E57427F3EXAMPLE` of S3, and `EMLARXS9EXAMPLE.2024-02-06-20.a1b2c3d4.gz` of CloudFront.
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging-legacy-s3.html
_NAME: Final = re.compile(r"(?:^|[/.])(\d{4})-(\d\d)-(\d\d)-\d\d(?:-\d\d-\d\d-|\.)")
# `…_20240206T0035Z_…` of CloudTrail.
_STAMP: Final = re.compile(r"_(\d{4})(\d\d)(\d\d)T\d{4}Z_")
# Sorts after every key in a folder, and is valid in XML.
_LAST: Final = "\ufffd"
# "If you do not enable the feature on a table before you run a query, Athena skips all of the table's S3
# Glacier Flexible Retrieval and S3 Glacier Deep Archive objects": no other reader can read them either.
# https://docs.aws.amazon.com/athena/latest/ug/querying-glacier.html, read 2026-11
_ARCHIVES: Final = frozenset(("GLACIER", "DEEP_ARCHIVE"))
# S3 delivers records hours after the request, sometimes days; a name contains the time of delivery.
LATE: Final = datetime.timedelta(days=3)
_SMALL: Final = 8 * 1024 * 1024
_AHEAD: Final = 16


class Location(Struct, frozen=True):
    """A prefix of a bucket.

    Args:
        bucket: The bucket.
        prefix: The prefix of the keys; `""` for all keys.
    """

    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"


class StoredLog(Struct, frozen=True):
    """An object that may be a log.

    Args:
        key: Its key.
        size: The number of its bytes.
        archived: Whether it has to be restored before it can be read.
    """

    key: str
    size: int
    archived: bool = False


def parse_location(text: str) -> Location:
    """Return the bucket and the prefix of `s3://bucket/prefix`.

    Raises:
        LogError: If the text is not such an address.
    """
    found = _LOCATION.fullmatch(text)
    if found is None:
        raise LogError(f"`{text}` is not `s3://BUCKET/PREFIX`, with the name of a bucket as S3 allows it")
    return Location(found[1], found[2] or "")


def list_logs(
    location: Location,
    session: Session,
    *,
    since: datetime.datetime | None = None,
    until: datetime.datetime | None = None,
) -> Iterator[StoredLog]:
    """Yield the objects below a prefix, without those of other days.

    Each call lists a thousand keys in any number of folders. If a page ends within a year, a month or a day
    outside the given time, the next page begins after it.

    Args:
        location: The prefix.
        session: The AWS session.
        since: The time of the first request to count (default: any time).
        until: The time after the last request to count (default: any time).

    Raises:
        LiveError: If the objects cannot be listed.
    """
    first = None if since is None else since.astimezone(datetime.timezone.utc).date()
    last = None if until is None else until.astimezone(datetime.timezone.utc).date() + LATE
    client = session.client("s3")
    after = ""
    while True:
        options = {"StartAfter": after} if after else {}
        with translate_errors("s3:ListBucket", f"bucket `{location.bucket}`"):
            page = client.list_objects_v2(Bucket=location.bucket, Prefix=location.prefix, **options)
        found = page.get("Contents", ())
        for entry in found:
            key = entry["Key"]
            dates = [_date(pattern.search(key)) for pattern in (_FOLDERS, _NAME, _STAMP)]
            if entry["Size"] and not any(date and _outside((date, date), first, last) for date in dates):
                yield StoredLog(key, entry["Size"], entry.get("StorageClass") in _ARCHIVES)
        if not page["IsTruncated"]:
            return
        after = _next_start(found[-1]["Key"], first, last)


def folders_of(key: str) -> tuple[str, datetime.date] | None:
    """Return the path above the folders of a day, and the day; `None` if there are no such folders."""
    found = _FOLDERS.search(key)
    day = _date(found)
    return None if found is None or day is None else (key[: found.start()], day)


class Download(Struct, frozen=True):
    """The download of an audit on this machine.

    Args:
        files: The number of objects.
        size: The number of stored bytes.
    """

    files: int
    size: int

    @property
    def dollars(self) -> float:
        """The price of the transfer out of AWS; within the region it is free."""
        return self.size / 1e9 * EGRESS_GIGABYTE


def download_of(
    arguments: Iterable[str],
    session: Session,
    *,
    since: datetime.datetime | None = None,
    until: datetime.datetime | None = None,
) -> Download:
    """Return the size of the download for S3 prefixes; only list the objects.

    Args:
        arguments: The prefixes, each as `s3://bucket/prefix`.
        session: The AWS session.
        since: As for `list_logs`.
        until: As for `list_logs`.

    Raises:
        LogError: If an argument is not such an address.
        LiveError: If the objects cannot be listed.
    """
    files = size = 0
    for argument in dict.fromkeys(arguments):
        for log in list_logs(parse_location(argument), session, since=since, until=until):
            files += 1
            size += log.size
    return Download(files, size)


def find_objects(
    argument: str,
    session: Session,
    seen: set[str],
    *,
    since: datetime.datetime | None = None,
    until: datetime.datetime | None = None,
) -> Iterator[LogFile | Again | Fault]:
    """Yield the logs below an S3 prefix; several threads fetch small ones ahead.

    Args:
        argument: `s3://bucket/prefix`.
        session: The AWS session.
        seen: The address of each object so far, which is not yielded again.
        since: As for `list_logs`.
        until: As for `list_logs`.

    Raises:
        LogError: If the argument is not such an address.
    """
    location = parse_location(argument)
    client = session.client("s3")
    waiting: deque[tuple[StoredLog, Future[bytes] | None]] = deque()
    executor = ThreadPoolExecutor(_AHEAD)
    try:
        try:
            for stored in list_logs(location, session, since=since, until=until):
                address = f"s3://{location.bucket}/{stored.key}"
                if address in seen:
                    yield Again(argument)
                    continue
                seen.add(address)
                small = stored.size <= _SMALL
                waiting.append((stored, executor.submit(_fetch, client, location, stored) if small else None))
                if len(waiting) >= _AHEAD:
                    yield _file(argument, location, client, *waiting.popleft())
        except LiveError as error:
            yield Fault(argument, str(error))
        while waiting:
            yield _file(argument, location, client, *waiting.popleft())
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def _file(
    argument: str, location: Location, client: Any, stored: StoredLog, fetched: Future[bytes] | None
) -> LogFile:
    def opened() -> BinaryIO:
        if fetched is not None:
            return io.BytesIO(fetched.result())
        return cast(BinaryIO, _Body(client, location, stored))

    return LogFile(f"s3://{location.bucket}/{stored.key}", argument, False, opened, size=stored.size)


def _fetch(client: Any, location: Location, stored: StoredLog) -> bytes:
    with _Body(client, location, stored) as body:
        return body.read()


class _Body:
    """An object as a stream that raises errors of this library."""

    def __init__(self, client: Any, location: Location, stored: StoredLog) -> None:
        self.on = f"`s3://{location.bucket}/{stored.key}`"
        with translate_errors("s3:GetObject", self.on):
            self.body = client.get_object(Bucket=location.bucket, Key=stored.key)["Body"]

    def read(self, size: int = -1) -> bytes:
        with translate_errors("s3:GetObject", self.on):
            data: bytes = self.body.read() if size < 0 else self.body.read(size)
        return data

    def __enter__(self) -> _Body:
        return self

    def __exit__(self, *_: object) -> None:
        self.body.close()


def _next_start(key: str, first: datetime.date | None, last: datetime.date | None) -> str:
    """Return the start of the next page: after a key, or after a time outside the given one."""
    for pattern, separator in ((_FOLDERS, "/"), (_NAME, "-")):
        found = pattern.search(key)
        for length in (1, 2, 3) if _date(found) else ():
            assert found is not None
            if _outside(_span(*map(int, found.groups()[:length])), first, last):
                return key[: found.end(length)] + separator + _LAST
    return key


def _span(year: int, month: int = 0, day: int = 0) -> tuple[datetime.date, datetime.date]:
    """Return the first and the last day of a year, a month or a day."""
    begins = datetime.date(year, month or 1, day or 1)
    if day:
        return begins, begins
    month = month or 12
    return begins, datetime.date(year + month // 12, month % 12 + 1, 1) - datetime.timedelta(days=1)


def _date(found: re.Match[str] | None) -> datetime.date | None:
    if found is None:
        return None
    try:
        return datetime.date(*map(int, found.groups()))
    except ValueError:
        return None


def _outside(
    span: tuple[datetime.date, datetime.date], first: datetime.date | None, last: datetime.date | None
) -> bool:
    return (first is not None and span[1] < first) or (last is not None and span[0] > last)
