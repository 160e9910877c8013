"""Files, directories, patterns and streams: what is read, what is passed over, and what is a fault."""

from __future__ import annotations

import bz2
import datetime
import gzip
import io
import lzma
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from msgspec.structs import replace

from secure_bucket.operations.audit import Audit, Breaks, LogError, Safe, audit_logs
from secure_bucket.operations.audit.engine import Engine
from secure_bucket.operations.audit.files import find_logs
from secure_bucket.operations.audit.local import audit_files
from secure_bucket.operations.audit.question import Question
from tests.operations.audit.records import NOW, Record, http

PLAIN = f"{http(Record()).line}\n"
HTTPS = f"{Record().line}\n"
NO_LOG = "it holds neither server access logs of S3 nor events of CloudTrail"


def tar_of(data: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        member = tarfile.TarInfo("2027/log")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def breaking(audit: Audit) -> int:
    return sum(bucket.breaking for bucket in audit.buckets)


def test_directory_is_read_with_all_below_it(tmp_path: Path) -> None:
    (tmp_path / "2027" / "03").mkdir(parents=True)
    (tmp_path / "2027-03-01-00-00-00-AAAA").write_text(PLAIN)
    (tmp_path / "2027" / "03" / ".hidden.gz").write_bytes(gzip.compress(PLAIN.encode()))
    (tmp_path / "README").write_text("what these are\n")
    # https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html
    cloudfront = (
        "#Version: 1.0\n#Fields: date time x-edge-location cs-protocol\n2027-03-01\t01:00:00\tFRA2\thttp\n"
    )
    (tmp_path / "E1.2027-03-01-01.a1b2.gz").write_bytes(gzip.compress(cloudfront.encode()))
    (tmp_path / "empty").write_text("")
    audit = audit_logs(tmp_path, now=NOW)
    assert (breaking(audit), audit.files, audit.faults) == (2, 2, ())
    assert {(os.path.basename(file), why) for file, why in audit.ignored} == {
        ("E1.2027-03-01-01.a1b2.gz", NO_LOG),
        ("README", NO_LOG),
        ("empty", "it is empty"),
    }


@pytest.mark.parametrize(
    ("wrapped", "words"),
    [
        (gzip.compress(gzip.compress(PLAIN.encode())), "packed with gzip twice"),
        (bz2.compress(PLAIN.encode()), "packed with bzip2"),
        (lzma.compress(PLAIN.encode()), "packed with xz"),
        (PLAIN.encode("utf-16"), "text in UTF-16"),
        (b"PK\x03\x04\x14\x00", "a zip archive"),
        (b"PAR1\x15\x04", "a Parquet file"),
        (tar_of(PLAIN.encode()), "a tar archive"),
        (gzip.compress(tar_of(PLAIN.encode())), "a tar archive"),
    ],
)
def test_log_that_is_wrapped_otherwise_is_not_passed_over(tmp_path: Path, wrapped: bytes, words: str) -> None:
    (tmp_path / "whole").write_text(HTTPS)
    (tmp_path / "wrapped").write_bytes(wrapped)
    audit = audit_logs(tmp_path, now=NOW)
    assert audit.ignored == ()
    (fault,) = audit.faults
    assert fault.message.endswith(f"wrapped` is {words}, which is not read here: unpack it first")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\0" * 200_000 + PLAIN.encode(), id="behind NUL"),
        pytest.param(b"an export of logs\n" * 5_000 + PLAIN.encode(), id="behind a long head"),
        pytest.param(PLAIN.encode("utf-16-le"), id="UTF-16, little end first"),
        pytest.param(PLAIN.encode("utf-16-be"), id="UTF-16, big end first"),
        pytest.param(f"Mar  1 09:00:00 host s3: {PLAIN}".encode(), id="behind words"),
        pytest.param(PLAIN.replace(" ", "\t").encode(), id="tabs"),
        pytest.param(PLAIN.replace(" ", "  ").encode(), id="two blanks"),
        pytest.param(PLAIN.replace(" +0000]", "]").encode(), id="no time zone"),
        pytest.param(PLAIN.replace("/Mar/", "/mar/").encode(), id="month in lower case"),
        pytest.param(
            b'x {"eventVersion": "1.09", "eventSource": "s3.amazonaws.com"}\n', id="an event behind words"
        ),
        pytest.param(b"\x1f\x9d\x90" + bytes(range(256)), id="compress"),
        pytest.param(b"Rar!\x1a\x07" + bytes(range(256)), id="RAR"),
        pytest.param(b"LZIP" + bytes(range(256)), id="lzip"),
        pytest.param(b"Salted__" + bytes(range(256)), id="encrypted by OpenSSL"),
        pytest.param(b"\0" * 2_000_000, id="nothing but NUL"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_that_may_hold_records_keeps_all_from_safe(tmp_path: Path, data: bytes, packed: bool) -> None:
    around = [replace(Record(), time=NOW - datetime.timedelta(days=day, hours=1)).line for day in range(31)]
    (tmp_path / "a").write_text("".join(f"{line}\n" for line in around))
    assert isinstance(audit_logs(tmp_path, now=NOW).answer, Safe)
    (tmp_path / "b").write_bytes(gzip.compress(data) if packed else data)
    audit = audit_logs(tmp_path, now=NOW)
    assert not isinstance(audit.answer, Safe)
    assert audit.ignored == ()


def test_logs_that_begin_with_a_byte_order_mark_are_read_whole(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_text(PLAIN, encoding="utf-8-sig")
    audit = audit_logs(tmp_path, now=NOW)
    assert (breaking(audit), audit.malformed.lines) == (3, 0)


def test_log_that_begins_with_something_like_json_is_read(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(f"{{\n{PLAIN}")
    audit = audit_logs(tmp_path / "log", now=NOW)
    assert (breaking(audit), audit.malformed.lines) == (1, 1)


def test_pattern(tmp_path: Path) -> None:
    for name in ("a.log", "b.log", "c.txt"):
        (tmp_path / name).write_text(PLAIN)
    assert breaking(audit_logs(str(tmp_path / "*.log"), now=NOW)) == 2
    audit = audit_logs(str(tmp_path / "*.nothing"), now=NOW)
    assert "nothing matches" in audit.faults[0].message


def test_file_is_read_once_however_often_it_is_named(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(PLAIN)
    (tmp_path / "link").symlink_to(log)
    (tmp_path / "loop").symlink_to(tmp_path)
    assert breaking(audit_logs([log, tmp_path, str(tmp_path / "l*")], now=NOW)) == 1


def test_name_is_no_pattern_and_no_sql(tmp_path: Path) -> None:
    for name in ("a[1].log", "it's.log", "*.log", "a b;--.log", "ä.log", "x.gz"):
        (tmp_path / name).write_text(PLAIN * 12000)
    assert (tmp_path / "*.log").stat().st_size > 4 * 1024 * 1024
    audit = audit_logs(tmp_path, now=NOW)
    assert (breaking(audit), audit.faults) == (6 * 12000, ())


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress((PLAIN + "bad\n").encode()))))
    audit = audit_logs("-", now=NOW)
    assert breaking(audit) == 1
    assert (audit.malformed.places[0].file, audit.malformed.places[0].line) == ("<stdin>", 2)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writing = subprocess.Popen(["sh", "-c", 'printf %s "$0" > pipe', PLAIN], cwd=tmp_path)
    assert breaking(audit_logs(tmp_path / "pipe", now=NOW)) == 1
    assert writing.wait(timeout=10) == 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipe_in_a_directory_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "log").write_text(PLAIN)
    for argument in (tmp_path, str(tmp_path / "*")):
        audit = audit_logs(argument, now=NOW)
        assert breaking(audit) == 1
        assert [fault.message.partition("` ")[2] for fault in audit.faults] == [
            "is not a regular file: name it as a LOG to have it read"
        ]


def test_gzip_of_several_members(tmp_path: Path) -> None:
    (tmp_path / "log.gz").write_bytes(gzip.compress(PLAIN.encode()) + gzip.compress(PLAIN.encode()))
    assert breaking(audit_logs(tmp_path / "log.gz", now=NOW)) == 2


def damaged(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


@pytest.mark.parametrize("lines", [3, 20_000])
@pytest.mark.parametrize("how", ["cut in the middle", "cut at the end", "checksum", "junk behind"])
def test_gzip_that_is_cut_or_damaged_is_a_fault(tmp_path: Path, how: str, lines: int) -> None:
    whole = gzip.compress("".join(PLAIN.replace("curl", f"curl{number}") for number in range(lines)).encode())
    data = {
        "cut in the middle": whole[: len(whole) // 2],
        "cut at the end": whole[:-4],
        "checksum": damaged(whole, len(whole) - 6),
        "junk behind": whole + b"junk",
    }[how]
    (tmp_path / "cut.gz").write_bytes(data)
    (tmp_path / "whole").write_text(HTTPS)
    audit = audit_logs([tmp_path / "cut.gz", tmp_path / "whole"], now=NOW)
    (fault,) = audit.faults
    assert "cut.gz` is cut or damaged" in fault.message
    # The others are read all the same.
    assert sum(bucket.https for bucket in audit.buckets) == 1


@pytest.mark.skipif(shutil.which("zstd") is None, reason="there is no zstd to pack with")
@pytest.mark.parametrize("through", ["file", "stdin"])
def test_zstd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, through: str) -> None:
    packed = subprocess.run(
        ["zstd", "-c"], input=PLAIN.encode() * 100, capture_output=True, check=True
    ).stdout
    (tmp_path / "log").write_bytes(packed)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(packed)))
    audit = audit_logs(tmp_path / "log" if through == "file" else "-", now=NOW)
    assert (breaking(audit), audit.faults) == (100, ())
    (tmp_path / "cut").write_bytes(packed[: len(packed) // 2])
    assert len(audit_logs(tmp_path / "cut", now=NOW).faults) == 1


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"hello\n", b"\0\0\0", b"{}", b"[]", b'{"a": 1}\n', b"\x1f\x8b"]
)
def test_named_file_has_to_be_a_log(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "log").write_bytes(content)
    audit = audit_logs(tmp_path / "log", now=NOW)
    assert len(audit.faults) == 1
    assert str(tmp_path / "log") in audit.faults[0].message


def test_directory_without_logs_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("nothing here\n")
    audit = audit_logs(tmp_path, now=NOW)
    assert [fault.message for fault in audit.faults] == [f"`{tmp_path}` contains no log"]


def test_file_that_is_not_there(tmp_path: Path) -> None:
    audit = audit_logs(tmp_path / "nothing", now=NOW)
    assert [fault.message for fault in audit.faults] == [f"`{tmp_path / 'nothing'}` does not exist"]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may read everything")
def test_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(PLAIN)
    (tmp_path / "log").chmod(0)
    assert "Permission denied" in audit_logs(tmp_path / "log", now=NOW).faults[0].message


def test_malformed_lines_are_told_by_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "1").write_text(PLAIN + "bad one\n" + PLAIN)
    (tmp_path / "2").write_text(PLAIN + PLAIN.rstrip("\n"))
    (tmp_path / "3").write_text(PLAIN + "\n" + PLAIN + "bad two")
    audit = audit_logs(tmp_path, now=NOW)
    assert breaking(audit) == 6
    assert [(os.path.basename(place.file), place.line) for place in audit.malformed.places] == [
        ("1", 2),
        ("3", 4),
    ]


def test_batches_are_cut_between_lines(tmp_path: Path) -> None:
    lines = [replace(http(Record()), address=f"192.0.2.{number % 250}").line for number in range(8000)]
    lines[5000] = "bad"
    lines[7999] = "worse"
    (tmp_path / "log.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    (tmp_path / "other").write_text(PLAIN)
    files = [each for name in ("log.gz", "other") for each in find_logs(str(tmp_path / name), set())]
    audit = audit_files([each.argument for each in files], files, Question(NOW, limit=500), batch=100_000)  # type: ignore[union-attr]
    assert breaking(audit) == 7999
    assert audit.malformed.lines == 2
    assert [place.line for place in audit.malformed.places] == [5001, 8000]
    assert len(audit.groups) == 250


@pytest.mark.parametrize("size", [900_000, 1_500_000, 3_000_000, 6_000_000])
@pytest.mark.parametrize("packed", [True, False])
def test_line_without_end_is_a_fault_of_its_file_alone(tmp_path: Path, size: int, packed: bool) -> None:
    data = (PLAIN + "x" * size + "\n" + PLAIN).encode()
    (tmp_path / "1").write_bytes(gzip.compress(data) if packed else data)
    (tmp_path / "2").write_text(HTTPS)
    audit = audit_logs(tmp_path, now=NOW)
    assert sum(bucket.https for bucket in audit.buckets) == 1
    # Either it is a line that is no record, or there is a fault: it is never passed over.
    assert (audit.malformed.lines, breaking(audit)) == (1, 2) or [
        os.path.basename(each.file) for each in audit.faults
    ] == ["1"]
    assert (size > 1_000_000) == bool(audit.faults)


class Interrupted:
    """A connection that ends as that of DuckDB does when Python notices an interrupt meanwhile."""

    def execute(self, sql: str) -> None:
        raise RuntimeError("Query interrupted")

    def close(self) -> None:
        """Do nothing."""


def test_interrupt_of_the_engine_is_one(tmp_path: Path) -> None:
    with Engine(Question(NOW), str(tmp_path)) as engine:
        engine.connection.close()
        engine.connection = Interrupted()
        with pytest.raises(KeyboardInterrupt):
            engine.report()


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    (tmp_path / "log").write_text(PLAIN)
    audit_logs(tmp_path / "log", now=NOW)
    assert list(scratch.iterdir()) == []


def test_a_path_that_is_given_twice_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log").write_text(PLAIN)
    monkeypatch.chdir(tmp_path)
    audit = audit_logs(["log", "log", "./log", ".", str(tmp_path / "l*")], now=NOW)
    assert (breaking(audit), audit.files, audit.faults) == (1, 1, ())


@pytest.fixture
def zstd(tmp_path: Path) -> Path:
    if shutil.which("zstd") is None:
        pytest.skip("there is no zstd to pack with")
    # Blocks hold 128 KB each, so that the second one begins somewhere in a line.
    text = "".join(f"{replace(Record(), key=str(number)).line}\n" for number in range(2000)) + PLAIN
    path = tmp_path / "log.zst"
    path.write_bytes(subprocess.run(["zstd", "-c"], input=text.encode(), capture_output=True).stdout)
    return path


def test_zstd_that_was_cut_anywhere_is_a_fault(zstd: Path) -> None:
    whole = zstd.read_bytes()
    assert audit_logs(zstd, now=NOW).buckets[0].breaking == 1
    for kept in (len(whole) - 1, len(whole) - 4, len(whole) - 5, len(whole) // 2, 20, 5):
        zstd.write_bytes(whole[:kept])
        (fault,) = audit_logs(zstd, now=NOW).faults
        assert "its zstd data do not end" in fault.message


def test_zstd_of_several_frames_is_read_whole(zstd: Path) -> None:
    skippable = b"\x50\x2a\x4d\x18\x04\x00\x00\x00none"
    whole = zstd.read_bytes()
    zstd.write_bytes(skippable + whole + skippable + whole)
    audit = audit_logs(zstd.parent, now=NOW)
    assert (audit.faults, audit.buckets[0].breaking) == ((), 2)
    zstd.write_bytes(whole + b"and then something else")
    assert len(audit_logs(zstd, now=NOW).faults) == 1


@pytest.mark.parametrize("mark", ["\x01\x02\x03\x02", "\x01\x02\x03\x02\x01\x02\x03\x02"])
@pytest.mark.parametrize("at", ["start", "middle"])
def test_a_line_with_the_separator_of_the_reader_is_counted(tmp_path: Path, mark: str, at: str) -> None:
    line = mark + PLAIN if at == "start" else PLAIN.replace("curl", mark)
    (tmp_path / "log").write_text(f"{Record().line}\n{line}\n")
    audit = audit_logs(tmp_path / "log", now=NOW)
    assert (audit.buckets[0].requests, audit.malformed.lines) == (1, 1)


MANY = "".join(
    PLAIN.replace("192.0.2.3", f"10.{number >> 8}.{number & 255}.1").replace("curl", f"client-{number}")
    for number in range(30_000)
)


def test_clients_that_do_not_fit_into_memory_are_counted_exactly(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(MANY * 2)
    audit = audit_files(
        ["log"], find_logs(str(tmp_path / "log"), set()), Question(NOW), memory="100MB", threads=1
    )
    assert audit.answer == Breaks(30_000, 60_000)


def test_what_does_not_fit_on_the_disk_allowed_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    (tmp_path / "log").write_text(MANY)
    monkeypatch.setattr(Engine.__init__, "__kwdefaults__", {"memory": "10MB", "disk": "1MB", "threads": 1})
    with pytest.raises(LogError, match="more clients than 10MB of memory and 1MB of disk"):
        audit_files(["log"], find_logs(str(tmp_path / "log"), set()), Question(NOW), memory="10MB", threads=1)
    assert os.listdir(tmp_path / "tmp") == []
