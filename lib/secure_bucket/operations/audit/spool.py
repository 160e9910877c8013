"""Feed logs to the engine in batches of a limited size.

A batch is one file for the engine: a large log itself, or the content of many logs, downloaded, unpacked and
joined. So memory and disk space do not grow with the logs. Files are unpacked in Python, which checks the
checksums of gzip.
"""

from __future__ import annotations

import codecs
import gzip
import io
import os
import shutil
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, BinaryIO, Final, cast

from msgspec import Struct

from secure_bucket.errors import SecureBucketError
from secure_bucket.findings.finding import Fault
from secure_bucket.operations.audit.audit import LogError
from secure_bucket.operations.audit.documents import record_lines
from secure_bucket.operations.audit.engine import unpacked_head
from secure_bucket.operations.audit.files import Again, LogFile
from secure_bucket.operations.audit.kinds import (
    HEAD,
    LONGEST_HEAD,
    LONGEST_LINE,
    Batch,
    LogKind,
    kind_of,
)
from secure_bucket.operations.audit.other_forms import is_binary, odd_kind_of, wrapping_of
from secure_bucket.operations.audit.zstd import is_whole, is_zstd

__all__ = ["Done", "Ignored", "batches"]

BATCH: Final = 256 * 1024 * 1024
"""The maximum bytes of a batch."""

_DIRECT: Final = 4 * 1024 * 1024
_CHUNK: Final = 1024 * 1024
# A file of CloudTrail has some megabytes. Memory holds several copies of the text.
_MAX_DOCUMENT: Final = 256 * 1024 * 1024
_NO_LOG: Final = "it holds neither server access logs of S3 nor events of CloudTrail"
_GZIP: Final = b"\x1f\x8b"


class Ignored(Struct, frozen=True):
    """A file that is not a log.

    Args:
        file: The log.
        why: Why it is not a log.
    """

    file: LogFile
    why: str


class Done(Struct, frozen=True):
    """A log whose content is in the batches so far, or in the next ones.

    Args:
        file: The log.
    """

    file: LogFile


def batches(
    files: Iterable[LogFile | Again | Fault], directory: str, *, size: int = BATCH
) -> Iterator[Again | Batch | Done | Fault | Ignored]:
    """Yield the content of logs in batches; the file of a batch exists only until the next step.

    Args:
        files: The logs.
        directory: The directory for the batches.
        size: The maximum bytes of a batch, apart from the rest of a line.
    """
    yield from _Spooler(directory, size).run(files)


class _Spooler:
    def __init__(self, directory: str, size: int) -> None:
        self.directory = directory
        self.size = size
        self.open: dict[LogKind, tuple[Batch, IO[bytes]]] = {}
        self.lines: dict[LogKind, int] = {}
        self.number = 0

    def run(
        self, files: Iterable[LogFile | Again | Fault]
    ) -> Iterator[Again | Batch | Done | Fault | Ignored]:
        for file in files:
            if isinstance(file, (Again, Fault)):
                yield file
                continue
            try:
                yield from self.file(file)
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                yield Fault(file.name, f"`{file.name}` is cut or damaged: {_damage(error)}")
            except OSError as error:
                yield Fault(file.name, f"`{file.name}` cannot be read: {error.strerror or error}")
            except SecureBucketError as error:
                yield Fault(file.name, str(error))
            except UnicodeDecodeError as error:
                yield Fault(file.name, f"`{file.name}` is JSON that is not UTF-8: byte {error.start:,}")
        for kind in list(self.open):
            yield from self.flush(kind)

    def file(self, file: LogFile) -> Iterator[Batch | Done | Ignored]:
        with file.open() as raw:
            head = raw.read(HEAD)
            if is_zstd(head):
                yield from self.zstd(file, head, raw)
                return
            stream = cast(BinaryIO, _Rest(head, raw))
            if head.startswith(_GZIP):
                stream = cast(BinaryIO, gzip.GzipFile(fileobj=stream))
                head = stream.read(HEAD)
            packed = isinstance(stream, gzip.GzipFile)
            rest = stream if packed else raw
            kind = kind_of(head)
            if kind is None and (more := rest.read(LONGEST_HEAD - len(head))):
                head += more
                kind = kind_of(head)
            if kind is None:
                # INVARIANT: a file that may contain requests is never skipped silently.
                kind = _other_kind(file, head, "which is not read here")
            if kind is None:
                yield Ignored(file, "it is empty" if not head.strip() else _NO_LOG)
                return
            yield Done(file)
            if kind is LogKind.DOCUMENT:
                yield from self.document(file, head, rest)
            elif file.path is not None and not packed and file.size >= _DIRECT:
                yield from self.direct(file, kind)
            else:
                yield from self.copy(file, kind, head, rest)

    def direct(self, file: LogFile, kind: LogKind, *, packed: bool = False) -> Iterator[Batch]:
        # Use our own name, because the engine would read some characters of a name as a pattern.
        path = self.path() + (".zst" if packed else "")
        assert file.path is not None
        try:
            os.symlink(os.path.abspath(file.path), path)
        except (OSError, NotImplementedError):
            shutil.copyfile(file.path, path)
        yield Batch(kind, path, packed, [(0, file.name, 1)])
        os.unlink(path)

    def zstd(self, file: LogFile, head: bytes, raw: BinaryIO) -> Iterator[Batch | Done | Ignored]:
        # Python before 3.14 cannot unpack zstd. The engine can, but only from a file.
        path = self.path() + ".zst"
        with open(path, "wb") as copy:
            copy.write(head)
            shutil.copyfileobj(raw, copy, _CHUNK)
        try:
            with open(path, "rb") as copied:
                if not is_whole(copied):
                    raise LogError(f"`{file.name}` is cut or damaged: its zstd data do not end")
            try:
                unpacked = unpacked_head(path)
            except LogError as error:
                raise LogError(f"`{file.name}`: {error}") from None
            kind = kind_of(unpacked)
            if kind is LogKind.DOCUMENT:
                raise LogError(
                    f"`{file.name}` is a JSON document packed with zstd: unpack it with `zstd -d` first"
                )
            if kind is None:
                kind = _other_kind(file, unpacked, "within zstd")
            if kind is None:
                yield Ignored(file, _NO_LOG)
                return
            yield Done(file)
            yield Batch(kind, path, True, [(0, file.name, 1)])
        finally:
            os.unlink(path)

    def copy(self, file: LogFile, kind: LogKind, head: bytes, stream: BinaryIO) -> Iterator[Batch]:
        # The engine removes only the byte order mark of the whole batch: remove that of each log.
        line, chunk = 1, head.removeprefix(codecs.BOM_UTF8)
        self.begin(kind, file.name, line)
        last, carried = b"\n", 0
        try:
            while chunk:
                end = chunk.find(b"\n")
                if carried + (len(chunk) if end < 0 else end) > LONGEST_LINE - _CHUNK:
                    raise LogError(
                        f"`{file.name}` has a line of more than 1 MB after line {line - 1:,}: is it a log?"
                    )
                carried = len(chunk) - 1 - chunk.rfind(b"\n") + (carried if end < 0 else 0)
                last = chunk[-1:]
                if self.full(kind) and b"\n" in chunk:
                    end = chunk.index(b"\n") + 1
                    line += self.put(kind, chunk[:end])
                    yield from self.flush(kind)
                    self.begin(kind, file.name, line)
                    chunk = chunk[end:]
                    continue
                line += self.put(kind, chunk)
                chunk = stream.read(_CHUNK)
        finally:
            # The next log begins on a new line.
            if last != b"\n":
                self.put(kind, b"\n")

    def document(self, file: LogFile, head: bytes, stream: BinaryIO) -> Iterator[Batch]:
        data = head + stream.read(_MAX_DOCUMENT)
        if len(data) > _MAX_DOCUMENT:
            raise LogError(f"`{file.name}` is one JSON document of more than 256 MB: split it first")
        text = data.decode("utf-8-sig")
        del data
        began: set[LogKind] = set()
        for number, (kind, line) in enumerate(record_lines(text, file.name), 1):
            if kind in began and self.full(kind):
                yield from self.flush(kind)
                began.discard(kind)
            if kind not in began:
                self.begin(kind, file.name, number)
                began.add(kind)
            data = line.encode("utf-8", "replace")
            if len(data) >= LONGEST_LINE:
                raise LogError(
                    f"`{file.name}` has a record of more than 2 MB, number {number:,}: is it a log?"
                )
            self.put(kind, data + b"\n")

    def path(self) -> str:
        self.number += 1
        return os.path.join(self.directory, f"batch-{self.number}")

    def begin(self, kind: LogKind, name: str, line: int) -> None:
        if kind not in self.open:
            path = self.path()
            self.open[kind] = (Batch(kind, path), io.BufferedWriter(io.FileIO(path, "wb")))
            self.lines[kind] = 0
        self.open[kind][0].origins.append((self.lines[kind], name, line))

    def full(self, kind: LogKind) -> bool:
        return self.open[kind][1].tell() >= self.size

    def put(self, kind: LogKind, data: bytes) -> int:
        self.open[kind][1].write(data)
        lines = data.count(b"\n")
        self.lines[kind] += lines
        return lines

    def flush(self, kind: LogKind) -> Iterator[Batch]:
        batch, stream = self.open.pop(kind)
        stream.close()
        yield batch
        os.unlink(batch.path)


class _Rest:
    """A stream whose beginning was already read."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self.head = head
        self.stream = stream

    def read(self, size: int = -1) -> bytes:
        if not self.head:
            return self.stream.read(size)
        if 0 <= size < len(self.head):
            data, self.head = self.head[:size], self.head[size:]
            return data
        data, self.head = self.head, b""
        return data + (self.stream.read(size - len(data)) if size >= 0 else self.stream.read())


def _other_kind(file: LogFile, head: bytes, where: str) -> LogKind | None:
    """Return what a file holds in some other form.

    Raises:
        LogError: If nobody can tell without unpacking it.
    """
    kind = odd_kind_of(head)
    wrapping = wrapping_of(head) or ("" if kind else "binary data of an unknown form" * is_binary(head))
    if wrapping:
        raise LogError(f"`{file.name}` is {wrapping}, {where}: unpack it first")
    return kind


def _damage(error: Exception) -> str:
    if isinstance(error, EOFError):
        return "it ends before its gzip data does"
    return f"its gzip data are wrong ({error})"
