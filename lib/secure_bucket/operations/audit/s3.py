"""The logs below an S3 prefix: listed in pages, narrowed by date, fetched ahead of their reader."""

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
from secure_bucket.operations.audit.errors import LogError
from secure_bucket.operations.audit.files import Again, LogFile
from secure_bucket.operations.aws.errors import LiveError, translated
from secure_bucket.operations.aws.session import Session
from secure_bucket.prices import EGRESS_GIGABYTE

__all__ = [
    "LATE",
    "Download",
    "Location",
    "StoredLog",
    "all_logs",
    "download_of",
    "find_objects",
    "list_logs",
    "parse_location",
]

_LOCATION = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?", re.DOTALL)
_FOLDERS: Final = (re.compile(r"\d{4}"), re.compile(r"\d\d"), re.compile(r"\d\d"))
# `2024-02-06-00-00-38-3E57427F3EXAMPLE` of S3, and `…_20240206T0035Z_…` of CloudTrail.
_NAME_DATE = re.compile(r"(?:^|/)(\d{4})-(\d\d)-(\d\d)-\d\d-\d\d-\d\d-|_(\d{4})(\d\d)(\d\d)T\d{4}Z_")
# S3 delivers records hours after the request, and now and then days; a name tells the time of delivery.
LATE: Final = datetime.timedelta(days=3)
_SMALL: Final = 8 * 1024 * 1024
_AHEAD: Final = 16


class Location(Struct, frozen=True):
    """A prefix of a bucket.

    Args:
        bucket: The bucket.
        prefix: What the keys begin with; `""` for all.
    """

    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"


class StoredLog(Struct, frozen=True):
    """An object that may be a log.

    Args:
        key: Its key.
        size: How many bytes it has.
    """

    key: str
    size: int


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
    """Yield the objects below a prefix, without the folders and files of days that were not asked for.

    Args:
        location: The prefix.
        session: How to ask AWS.
        since: The time of the first request that counts (default: any).
        until: The time after the last one (default: any).

    Raises:
        LiveError: If they cannot be listed.
    """
    first = None if since is None else since.astimezone(datetime.timezone.utc).date()
    last = None if until is None else until.astimezone(datetime.timezone.utc).date() + LATE
    pending = [location.prefix]
    while pending:
        prefix = pending.pop()
        inner = []
        for page in _pages(location.bucket, prefix, session):
            for entry in page.get("Contents", ()):
                date = _date_of(entry["Key"])
                if entry["Size"] and not (date and _outside(date, first, last)):
                    yield StoredLog(entry["Key"], entry["Size"])
            for entry in page.get("CommonPrefixes", ()):
                if not _outside_folders(_folders(entry["Prefix"]), first, last):
                    inner.append(entry["Prefix"])
        pending.extend(reversed(inner))


def all_logs(location: Location, session: Session) -> Iterator[StoredLog]:
    """Yield every object below a prefix, a page of a thousand with each call.

    Raises:
        LiveError: If they cannot be listed.
    """
    for page in _pages(location.bucket, location.prefix, session, Delimiter=""):
        for entry in page.get("Contents", ()):
            if entry["Size"]:
                yield StoredLog(entry["Key"], entry["Size"])


class Download(Struct, frozen=True):
    """What an audit on this machine reads from S3.

    Args:
        files: How many objects.
        size: How many bytes, as they are stored.
    """

    files: int
    size: int

    @property
    def dollars(self) -> float:
        """What the transfer out of AWS costs; inside of the region it is free."""
        return self.size / 1e9 * EGRESS_GIGABYTE


def download_of(
    arguments: Iterable[str],
    session: Session,
    *,
    since: datetime.datetime | None = None,
    until: datetime.datetime | None = None,
) -> Download:
    """Return what an audit of S3 prefixes reads, from their listing alone.

    Args:
        arguments: Each an `s3://bucket/prefix`.
        session: How to ask AWS.
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
    """Yield the logs below an S3 prefix, small ones fetched ahead by several threads.

    Args:
        argument: `s3://bucket/prefix`.
        session: How to ask AWS.
        seen: The address of each object that was yielded before; they are not yielded again.
        since: As for `list_logs`.
        until: As for `list_logs`.

    Raises:
        LogError: If the argument is no such thing.
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
    """An object as a stream, whose errors are those of this library."""

    def __init__(self, client: Any, location: Location, stored: StoredLog) -> None:
        self.on = f"`s3://{location.bucket}/{stored.key}`"
        with translated("s3:GetObject", self.on):
            self.body = client.get_object(Bucket=location.bucket, Key=stored.key)["Body"]

    def read(self, size: int = -1) -> bytes:
        with translated("s3:GetObject", self.on):
            data: bytes = self.body.read() if size < 0 else self.body.read(size)
        return data

    def __enter__(self) -> _Body:
        return self

    def __exit__(self, *_: object) -> None:
        self.body.close()


def _pages(bucket: str, prefix: str, session: Session, **options: str) -> Iterator[Any]:
    client = session.client("s3")
    with translated("s3:ListBucket", f"bucket `{bucket}`"):
        yield from client.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=prefix, **{"Delimiter": "/", **options}
        )


def _folders(prefix: str) -> tuple[int, ...]:
    """Return the year, the month and the day that a prefix ends in, as many of them as it has."""
    parts = prefix.rstrip("/").split("/")
    for length in (3, 2, 1):
        tail = parts[-length:]
        if (
            len(tail) == length
            and all(map(re.Pattern.fullmatch, _FOLDERS, tail))
            and 1990 < int(tail[0]) < 2200
        ):
            return tuple(map(int, tail))
    return ()


def _outside_folders(dated: tuple[int, ...], first: datetime.date | None, last: datetime.date | None) -> bool:
    """Tell whether everything in a folder of a year, a month or a day lies outside of a time."""
    if not dated:
        return False
    year, month, day = (*dated, *(0, 0)[: 3 - len(dated)])
    try:
        begins = datetime.date(year, month or 1, day or 1)
        ends = begins if day else _month_end(year, month or 12)
    except ValueError:
        return False
    return (first is not None and ends < first) or (last is not None and begins > last)


def _month_end(year: int, month: int) -> datetime.date:
    following = datetime.date(year + month // 12, month % 12 + 1, 1)
    return following - datetime.timedelta(days=1)


def _date_of(key: str) -> datetime.date | None:
    found = _NAME_DATE.search(key)
    if found is None:
        return None
    try:
        year, month, day = (int(part) for part in found.groups() if part is not None)
        return datetime.date(year, month, day)
    except ValueError:
        return None


def _outside(date: datetime.date, first: datetime.date | None, last: datetime.date | None) -> bool:
    return (first is not None and date < first) or (last is not None and date > last)
