"""Count the requests of batches with DuckDB."""

from __future__ import annotations

import codecs
import contextlib
import os
from collections.abc import Iterator
from typing import Any, Final

from secure_bucket.errors import MissingDependencyError
from secure_bucket.findings.finding import Fault
from secure_bucket.operations.audit.audit import LogError, LogLine, Malformed
from secure_bucket.operations.audit.dialects import chain, literal, write
from secure_bucket.operations.audit.kinds import LONGEST_HEAD, LONGEST_LINE, Batch, LogKind
from secure_bucket.operations.audit.question import Question
from secure_bucket.operations.audit.sql_files import ODD_RECORDS, relations
from secure_bucket.operations.audit.sql_report import COLLECT, REPORT
from secure_bucket.policy.messages import name_some

__all__ = ["Engine", "load_duckdb", "unpacked_head"]

MEMORY: Final = "1GB"
"""The default memory of DuckDB before it writes to disk."""

DISK: Final = "16GB"
"""The default maximum that DuckDB writes to disk."""

_PLACES: Final = 5
_PART: Final = 32 * 1024 * 1024
_PACKED: Final = "it holds no lines of UTF-8 within zstd: unpack it with `zstd -d` first"
_LATIN: Final = "secure-bucket-latin"
# Larger buffers take memory and are not faster.
_BUFFER: Final = 4 * LONGEST_LINE
_SEPARATOR: Final = "\x01\x02\x03\x02"
_TEXTS: Final = (
    *("outcome", "why", "file", "source", "bucket", "day", "requester", "user_agent", "address", "operation"),
    *("status", "tls", "effect", "first_seen", "last_seen"),
)
_TYPES: Final = dict.fromkeys(_TEXTS, "VARCHAR") | {"refused": "BOOLEAN", "requests": "BIGINT"}


def load_duckdb() -> Any:
    """Return the module `duckdb`.

    Raises:
        MissingDependencyError: If DuckDB is not installed.
    """
    try:
        import duckdb
    except ImportError:
        raise MissingDependencyError.without_extra("reading logs needs DuckDB", "audit") from None
    return duckdb


def unpacked_head(path: str) -> bytes:
    """Return the beginning of a file that is compressed with zstd.

    Raises:
        LogError: If it is neither text nor lines.
    """
    duckdb = load_duckdb()
    with duckdb.connect() as connection:
        for encoding in ("utf-8", "latin-1"):
            source = _source(path, packed=True, encoding=encoding)
            with contextlib.suppress(duckdb.Error):
                rows = connection.execute(f"SELECT line FROM {source} LIMIT 10000").fetchall()
                lines = ((line or "").encode(encoding, "replace") for (line,) in rows)
                return b"\n".join(lines)[:LONGEST_HEAD]
    raise LogError(_PACKED)


class Engine:
    """A temporary database that counts the requests of batches.

    Args:
        question: The question.
        directory: The directory for its files.
        memory: The maximum memory, such as `1GB`.
        disk: The maximum to write to disk beyond the memory.
        threads: The number of threads (default: one for each core).
    """

    def __init__(
        self,
        question: Question,
        directory: str,
        *,
        memory: str = MEMORY,
        disk: str = DISK,
        threads: int | None = None,
    ) -> None:
        self.duckdb: Any = load_duckdb()
        self.question = question
        self.directory = directory
        settings: dict[str, Any] = {
            "memory_limit": memory,
            "temp_directory": os.path.join(directory, "spilled"),
            "max_temp_directory_size": disk,
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            **({} if threads is None else {"threads": threads}),
        }
        self.connection: Any = self.duckdb.connect(os.path.join(directory, "counts.duckdb"), config=settings)
        self.room: str = f"{memory} of memory and {disk} of disk"
        self.malformed: int = 0
        self.places: list[LogLine] = []
        self.rows = 0
        self._create()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def add(self, batch: Batch) -> Fault | None:
        """Count the requests of a batch, or return a fault and count none of them."""
        read = relations(batch.kind, ordinary=self._is_ordinary(batch))
        sql = write(chain(read, COLLECT), "duckdb", self.question.values())
        problem = self._insert(batch, sql)
        if problem is not None and "not utf-8 encoded" in problem and not batch.packed:
            problem = next(filter(None, (self._insert(part, sql) for part in self._as_utf8(batch))), None)
        if problem is None:
            return None
        if batch.packed:
            problem = _PACKED
        return Fault(batch.names[0], f"{name_some(batch.names)} cannot be read: {problem[:200]}")

    def report(self) -> list[dict[str, Any]]:
        """Return the rows of the answer."""
        asked = chain({"collected": "SELECT * FROM counted"}, REPORT)
        sql = write(asked, "duckdb", self.question.values())
        found = self._execute(sql)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def found_malformed(self) -> Malformed:
        """Return the lines that are not records."""
        return Malformed(self.malformed, tuple(self.places))

    def _create(self) -> None:
        columns = ", ".join(f"{name} {kind}" for name, kind in _TYPES.items())
        self._execute(f"CREATE TABLE counted ({columns})")

    def _as_utf8(self, batch: Batch) -> Iterator[Batch]:
        """Yield the parts of a batch, with each byte that is not UTF-8 read as Latin-1."""
        path = os.path.join(self.directory, "as-utf-8")
        before = 0
        with open(batch.path, "rb") as source:
            while data := source.read(_PART):
                data += source.readline(LONGEST_LINE)
                with open(path, "wb") as part:
                    part.write(data.decode("utf-8", _LATIN).encode())
                yield Batch(batch.kind, path, origins=batch.origins, before=before)
                before += data.count(b"\n")
        os.unlink(path)

    def _is_ordinary(self, batch: Batch) -> bool:
        """Tell whether no JSON record of a batch is odd: then no record is checked twice."""
        if batch.kind is LogKind.ACCESS_LINES:
            return False
        self._view(batch, "NULL", strict=True)
        try:
            return self._one(ODD_RECORDS) == 0
        except self.duckdb.Error:
            return False

    def _insert(self, batch: Batch, sql: str) -> str | None:
        self._execute("SET preserve_insertion_order = false")
        problem = None
        # A line with the separator, or with another line end than the rest, is an error in strict mode, which
        # takes a tenth less of the processor. Then each is read for what it is.
        for strict in (True, False):
            self._view(batch, "NULL", strict=strict)
            try:
                self._execute(f"INSERT INTO counted BY NAME {sql}")
            except self.duckdb.Error as error:
                problem = " ".join(str(error).split()).replace(batch.path, batch.names[0])
                continue
            self._look_at_malformed(batch)
            return None
        return problem

    def _look_at_malformed(self, batch: Batch) -> None:
        count = self._one("SELECT COALESCE(SUM(requests), 0) FROM counted WHERE outcome = 'malformed'")
        if count > self.malformed and len(self.places) < _PLACES:
            # Read the batch again in order, with the number of the line in the column of the file.
            self._execute("SET preserve_insertion_order = true")
            self._view(batch, "CAST(ROW_NUMBER() OVER () AS VARCHAR)")
            wanted = "SELECT file, malformed FROM requests WHERE malformed IS NOT NULL AND file IS NOT NULL"
            wanted += " ORDER BY CAST(file AS BIGINT)"
            sql = write(chain(relations(batch.kind), wanted), "duckdb", self.question.values())
            found = self._execute(f"{sql} LIMIT {_PLACES - len(self.places)}").fetchall()
            self.places += [LogLine(*batch.origin(int(number)), why) for number, why in found]
        self.malformed = count

    def _view(self, batch: Batch, file: str, *, strict: bool = False) -> None:
        # A line with the separator has a `rest`, and is not the record that it begins with. With this column,
        # DuckDB skips empty lines, and so cannot number the lines.
        rest = file == "NULL" and not strict
        source = _source(batch.path, packed=batch.packed, rest=rest, strict=strict)
        line = "CASE WHEN rest IS NULL THEN line ELSE '?' END AS line" if rest else "line"
        self._execute(f"CREATE OR REPLACE TEMP VIEW lines AS SELECT {file} AS file, {line} FROM {source}")

    def _execute(self, sql: str) -> Any:
        try:
            return self.connection.execute(sql)
        except self.duckdb.OutOfMemoryException:
            raise LogError(
                f"there are more clients than {self.room} can count: use more with `--memory`, or ask for "
                "less with `--bucket`, `--since` and `--until`"
            ) from None
        except RuntimeError as error:
            # DuckDB raises this error if Python noticed an interrupt during the query.
            if "interrupted" not in str(error).casefold():
                raise
            raise KeyboardInterrupt from None

    def _one(self, sql: str) -> int:
        (value,) = self._execute(sql).fetchone()
        return int(value)


def _source(
    path: str, *, packed: bool, rest: bool = False, strict: bool = False, encoding: str = "utf-8"
) -> str:
    """Return the lines of a file as a relation: a table with a separator that no log contains."""
    columns = "'line': 'VARCHAR'"
    if rest:
        columns += ", 'rest': 'VARCHAR'"
    return (
        f"read_csv({literal(path)}, columns = {{{columns}}}, null_padding = {str(rest).lower()}, "
        # An empty text differs from a missing column.
        f"{'nullstr = chr(3), ' if rest else ''}"
        f"header = false, auto_detect = false, delim = '{_SEPARATOR}', quote = '', escape = '', "
        f"comment = '', strict_mode = {str(strict).lower()}, max_line_size = {LONGEST_LINE}, "
        f"buffer_size = {_BUFFER}, compression = '{'zstd' if packed else 'none'}', encoding = '{encoding}')"
    )


def _latin(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error(_LATIN, _latin)
