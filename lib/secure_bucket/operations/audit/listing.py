"""List the objects below a prefix for Athena, and choose the tables that cover them."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from secure_bucket.operations.audit.audit import LogError
from secure_bucket.operations.audit.question import Question
from secure_bucket.operations.audit.s3 import Location, StoredLog, folders_of, list_logs
from secure_bucket.operations.audit.tables import Layout, Unit
from secure_bucket.operations.aws.session import Session

__all__ = ["Listing", "Missed", "Table", "list_for_athena"]

# "Athena cannot read more than 1 million partitions in a single scan": beyond this, use partitions of months
# or years. https://docs.aws.amazon.com/athena/latest/ug/partitions.html, read 2026-11
_MOST_PARTITIONS: Final = 1_000_000
# A statement has at most 262,144 bytes, and the other lines of it a few thousand.
# https://docs.aws.amazon.com/athena/latest/ug/service-limits.html, read 2026-11
_LONGEST_NAMES: Final = 200_000
# Each table needs a statement. We infer that more tables take too long.
_MOST_TABLES: Final = 20
_TRAIL: Final = "CloudTrail"
_UNITS: Final[tuple[Unit, ...]] = ("DAYS", "MONTHS", "YEARS")
# A folder beside `CloudTrail` belongs to another service, except for the region of access logs.
_REGION: Final = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d+")
# "Athena treats source files that start with an underscore (_) or dot (.) as hidden."
# https://docs.aws.amazon.com/athena/latest/ug/other-notable-limitations.html, read 2026-11
_HIDDEN: Final = re.compile(r"(?:^|/)[_.]")
_HIDES: Final = "have `_` or `.` in front of a name, and Athena skips those"
_ARCHIVED: Final = "are archived in S3 Glacier, and Athena skips those: restore and copy them first"
_BESIDE: Final = (
    "lie outside of the folders of days that the tables read: audit them by themselves, with a longer "
    "prefix or without --athena"
)


class Table(Struct, frozen=True):
    """A table that Athena reads logs through.

    Args:
        layout: The form of the keys after the prefix.
        some: One of the logs.
    """

    layout: Layout
    some: StoredLog


class Missed(Struct, frozen=True):
    """Objects that no table covers.

    Args:
        why: The reason.
        files: The number of objects.
        example: The key of one object.
    """

    why: str
    files: int
    example: str


class Listing(Struct, frozen=True):
    """The objects below a prefix.

    Args:
        tables: The tables, one for each depth of the folders of days.
        files: The number of objects that the query reads.
        size: The number of their stored bytes.
        partitions: The number of partitions of the tables, including empty ones.
        missed: The objects that the tables do not cover.
    """

    tables: tuple[Table, ...]
    files: int
    size: int
    partitions: int
    missed: tuple[Missed, ...]


class _Folder:
    """The objects in the folders of days below one path, or without such folders."""

    def __init__(self, some: StoredLog) -> None:
        self.some = some
        self.files: Counter[datetime.date | None] = Counter()
        self.sizes: Counter[datetime.date | None] = Counter()


_Folders = dict[tuple[str, ...], _Folder]


def list_for_athena(location: Location, session: Session, question: Question) -> Listing | None:
    """List the objects below a prefix.

    Args:
        location: The prefix, which ends with `/`.
        session: The AWS session.
        question: The question, which limits the days to read.

    Returns:
        The listing; `None` if there is no object.

    Raises:
        LogError: If there are too many folders for the partitions of the tables.
        LiveError: If the objects cannot be listed.
    """
    folders: _Folders = {}
    undated: list[_Folder] = []
    examples: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for log in list_logs(location, session):
        relative = log.key[len(location.prefix) :]
        if log.archived or _HIDDEN.search(relative):
            why = _ARCHIVED if log.archived else _HIDES
            counts[why] += 1
            examples.setdefault(why, log.key)
            continue
        path, day = folders_of(relative) or ("", None)
        if day is None:
            undated = undated or [_Folder(log)]
            folder = undated[0]
        else:
            folder = folders.setdefault(tuple(path.split("/")) if path else (), _Folder(log))
        folder.files[day] += 1
        folder.sizes[day] += log.size
    tables = list(_layouts(_logs_of(folders), location, question))
    missed = [Missed(why, number, examples[why]) for why, number in counts.items()]
    if undated and not tables:
        tables = [(Layout(), undated)]
    elif undated:
        missed.append(Missed(_BESIDE, undated[0].files.total(), undated[0].some.key))
    read = [(layout, folder) for layout, covered in tables for folder in covered]
    if not read and not missed:
        return None
    return Listing(
        tuple(Table(layout, covered[0].some) for layout, covered in tables),
        sum(_asked(folder.files, layout, question) for layout, folder in read),
        sum(_asked(folder.sizes, layout, question) for layout, folder in read),
        sum(layout.partitions(question) for layout, _ in tables),
        tuple(missed),
    )


def _logs_of(folders: _Folders) -> _Folders:
    """Return the folders without those of other AWS services beside `CloudTrail`."""
    above = {path[: path.index(_TRAIL)] for path in folders if _TRAIL in path}

    def is_log(path: tuple[str, ...]) -> bool:
        beside = next((name for depth, name in enumerate(path) if path[:depth] in above), _TRAIL)
        return beside == _TRAIL or _REGION.fullmatch(beside) is not None

    return {path: folder for path, folder in folders.items() if is_log(path)}


def _layouts(
    folders: _Folders, location: Location, question: Question
) -> Iterator[tuple[Layout, list[_Folder]]]:
    """Yield the layouts of the tables, each with its folders; no two tables read the same folder."""
    # The trail of an organization has one more folder than that of an account, and access logs have no
    # `CloudTrail`.
    # https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
    shapes: dict[tuple[int, int], _Folders] = {}
    for path, folder in folders.items():
        trail = path.index(_TRAIL) if _TRAIL in path else -1
        shapes.setdefault((len(path), trail), {})[path] = folder
    pending = [shapes[shape] for shape in sorted(shapes)]
    splits = 0
    while pending:
        covered = pending.pop(0)
        names = tuple(tuple(sorted(set(level))) for level in zip(*covered, strict=True))
        first = min(day for folder in covered.values() for day in folder.files if day is not None)
        layout = Layout(names, True, datetime.date(first.year, 1, 1))
        for unit in _UNITS:
            layout = replace(layout, unit=unit)
            if layout.partitions(question) <= _MOST_PARTITIONS:
                break
        if layout.partitions(question) > _MOST_PARTITIONS or len(str(names)) > _LONGEST_NAMES:
            splits += 1
            level = max(range(len(names)), key=lambda level: len(names[level]))
            if splits >= _MOST_TABLES or len(names[level]) < 2:
                raise LogError(
                    f"the folders below `{location}` are too many for {_MOST_TABLES} tables of Athena: give "
                    "a longer prefix or --since"
                )
            half = frozenset(names[level][: len(names[level]) // 2])
            pending.append({path: folder for path, folder in covered.items() if path[level] in half})
            pending.append({path: folder for path, folder in covered.items() if path[level] not in half})
            continue
        yield layout, list(covered.values())


def _asked(counter: Counter[datetime.date | None], layout: Layout, question: Question) -> int:
    return sum(number for day, number in counter.items() if day is None or layout.reads(day, question))
