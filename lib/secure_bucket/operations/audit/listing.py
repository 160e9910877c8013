"""List what lies below a prefix for Athena: the layout, what a query reads, and what it misses."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from typing import Final

from msgspec import Struct

from secure_bucket.operations.audit.errors import LogError
from secure_bucket.operations.audit.question import Question
from secure_bucket.operations.audit.s3 import LATE, Location, StoredLog, all_logs
from secure_bucket.operations.audit.tables import Layout
from secure_bucket.operations.aws.session import Session

__all__ = ["Listing", "list_for_athena"]

_DAY: Final = re.compile(r"(?:^|/)((?:19|20|21)\d\d)/(\d\d)/(\d\d)/")
# Athena computes every partition before it reads one. That more take it minutes is inferred.
_MOST_PARTITIONS: Final = 1_000_000


class Listing(Struct, frozen=True):
    """What lies below a prefix.

    Args:
        layout: How the keys go on after the prefix.
        some: One of the logs.
        files: How many objects the query reads.
        size: How many bytes they have, as they are stored.
        missed: How many objects the table does not cover.
        example: The key of one of these; `""` without one.
    """

    layout: Layout
    some: StoredLog
    files: int
    size: int
    missed: int
    example: str


class _Folder:
    """The objects in the folders of days below one path."""

    def __init__(self, some: StoredLog) -> None:
        self.some = some
        self.files: Counter[datetime.date | None] = Counter()
        self.sizes: Counter[datetime.date | None] = Counter()


def list_for_athena(location: Location, session: Session, question: Question) -> Listing | None:
    """List the objects below a prefix, a page of a thousand with each call.

    Args:
        location: The prefix, which ends with `/`.
        session: How to ask AWS.
        question: What is asked: days that are not asked for are not read.

    Returns:
        The listing; `None` if there is no object.

    Raises:
        LogError: If there are more folders than a table can have partitions.
        LiveError: If they cannot be listed.
    """
    folders: dict[tuple[str, ...], _Folder] = {}
    undated: _Folder | None = None
    for log in all_logs(location, session):
        relative = log.key[len(location.prefix) :]
        found = _DAY.search(relative)
        day = None if found is None else _date(*found.groups())
        if found is None or day is None:
            undated = undated or _Folder(log)
            folder = undated
        else:
            path = tuple(relative[: found.start()].split("/")) if found.start() else ()
            folder = folders.setdefault(path, _Folder(log))
        folder.files[day] += 1
        folder.sizes[day] += log.size
    if not folders:
        return None if undated is None else _listing(Layout(), [undated], undated.some, question, [])
    # Beside the events lie their digests, and other services of AWS.
    above = {path[: path.index("CloudTrail")] for path in folders if "CloudTrail" in path}
    folders = {
        path: folder
        for path, folder in folders.items()
        if not any(path[:depth] in above and path[depth] != "CloudTrail" for depth in range(len(path)))
    }
    depths: Counter[int] = Counter()
    for path, folder in folders.items():
        depths[len(path)] += folder.files.total()
    ((depth, _),) = depths.most_common(1)
    covered = {path: folder for path, folder in folders.items() if len(path) == depth}
    names = tuple(tuple(sorted({path[level] for path in covered})) for level in range(depth))
    days = [day for folder in covered.values() for day in folder.files if day is not None]
    layout = Layout(names, True, datetime.date(min(days).year, 1, 1))
    _check_size(layout, location, question)
    missed = [folder for path, folder in folders.items() if len(path) != depth]
    missed += [undated] if undated is not None else []
    return _listing(layout, list(covered.values()), next(iter(covered.values())).some, question, missed)


def _listing(
    layout: Layout, read: list[_Folder], some: StoredLog, question: Question, missed: list[_Folder]
) -> Listing:
    first = None if question.since is None else question.since.astimezone(datetime.timezone.utc).date()
    last = None if question.until is None else question.until.astimezone(datetime.timezone.utc).date() + LATE

    def asked(day: datetime.date | None) -> bool:
        # Without partitions Athena reads all that lies below the prefix.
        return day is None or not ((first and day < first) or (last and day > last))

    return Listing(
        layout,
        some,
        sum(files for folder in read for day, files in folder.files.items() if asked(day)),
        sum(size for folder in read for day, size in folder.sizes.items() if asked(day)),
        sum(folder.files.total() for folder in missed),
        missed[0].some.key if missed else "",
    )


def _check_size(layout: Layout, location: Location, question: Question) -> None:
    assert layout.first is not None
    first = layout.first if question.since is None else max(layout.first, question.since.date())
    partitions = max((question.now.date() - first).days, 1)
    for names in layout.folders:
        partitions *= len(names)
    if partitions > _MOST_PARTITIONS:
        raise LogError(
            f"the table would have {partitions:,} partitions below `{location}`: give a longer prefix or "
            "--since"
        )


def _date(*parts: str) -> datetime.date | None:
    try:
        return datetime.date(*map(int, parts))
    except ValueError:
        return None
