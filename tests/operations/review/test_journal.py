"""The journal of a review that was broken off."""

from __future__ import annotations

import datetime
import json
import os
import stat
import sys
from pathlib import Path

import pytest

from secure_bucket.findings.running import PublicAccess
from secure_bucket.operations.aws.errors import LiveError
from secure_bucket.operations.review.journal import BucketAnswer, Journal

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=5000)
OPEN = BucketAnswer(None, True, PublicAccess.NOT_BLOCKED, NOW)
DENIES = BucketAnswer('{"Statement": "…"}', False, None, NOW)


def answer(**changed: object) -> str:
    moment = "2026-01-01T00:00:00+00:00"
    whole = {
        "account": "1",
        "bucket": "b",
        "at": moment,
        "policy": None,
        "website": True,
        "public_access": None,
    }
    return json.dumps(whole | changed)


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "journal.jsonl")


def write(file: str, *, finished: bool = False) -> None:
    journal = Journal(file, {"--profile": ["a"]})
    journal.add("111122223333", "open", OPEN)
    journal.add("111122223333", "denies", DENIES)
    if finished:
        journal.finish()
    journal.close()


def read(file: str) -> Journal:
    journal = Journal(file, {"--profile": ["a"]})
    journal.close()
    return journal


def test_what_is_written_is_known(file: str) -> None:
    write(file)
    journal = read(file)
    assert journal.answer("111122223333", "open") == OPEN
    assert journal.answer("111122223333", "denies") == DENIES
    assert journal.answer("444455556666", "open") is None
    assert (journal.reused, journal.oldest) == (2, NOW)


def test_a_line_that_was_cut_is_dropped(file: str) -> None:
    write(file)
    whole = Path(file).read_bytes()
    for cut in range(len(whole.rpartition(b"\n")[0].rpartition(b"\n")[0]) + 1, len(whole)):
        Path(file).write_bytes(whole[:cut])
        journal = Journal(file, {"--profile": ["a"]})
        assert journal.answer("111122223333", "open") == OPEN
        assert journal.answer("111122223333", "denies") is None
        journal.add("111122223333", "denies", DENIES)
        journal.close()
        assert Path(file).read_bytes() == whole


def test_a_header_that_was_cut_is_written_anew(file: str) -> None:
    Path(file).write_text('{"schema": "secure-')
    write(file)
    assert read(file).answer("111122223333", "open") == OPEN


def test_a_finished_journal_starts_anew(file: str) -> None:
    write(file, finished=True)
    journal = read(file)
    assert journal.finished_before
    assert journal.answer("111122223333", "open") is None


def test_the_journal_of_another_review_is_refused_and_kept(file: str) -> None:
    write(file)
    before = Path(file).read_bytes()
    with pytest.raises(LiveError, match=r"belongs to another review \(it differs in --bucket, --profile\)"):
        Journal(file, {"--profile": ["b"], "--bucket": ["x"]})
    assert Path(file).read_bytes() == before


@pytest.mark.parametrize(
    "content", ["hello", "hello\n", "[]\n", '{"a": 1}\n', "\0\0\n", '{"schema": "x/1"}\n']
)
def test_a_file_that_is_none_is_left_alone(file: str, content: str) -> None:
    Path(file).write_text(content)
    with pytest.raises(LiveError, match="is not a journal of secure-bucket, and is left alone"):
        Journal(file, {})
    assert Path(file).read_text() == content


@pytest.mark.parametrize(
    "line",
    [
        "hello",
        "{}",
        answer(at="today"),
        answer(at="2026-01-01T00:00:00"),
        answer(policy=3),
        answer(website=0),
        answer(public_access="NO"),
    ],
)
def test_a_damaged_line_is_an_error_and_no_answer(file: str, line: str) -> None:
    write(file)
    with open(file, "a", encoding="utf-8") as stream:
        stream.write(f"{line}\n")
    with pytest.raises(LiveError, match="damaged in line 4"):
        read(file)


def test_an_old_answer_counts_no_more(file: str) -> None:
    journal = Journal(file, {})
    journal.add("1", "old", BucketAnswer(None, False, None, NOW - datetime.timedelta(hours=25)))
    journal.add("1", "new", BucketAnswer(None, False, None, NOW - datetime.timedelta(hours=23)))
    journal.close()
    journal = Journal(file, {})
    assert journal.answer("1", "old") is None
    assert journal.answer("1", "new") is not None
    assert journal.stale == 1
    journal.close()


def test_an_answer_that_is_to_come_counts_no_more(file: str) -> None:
    journal = Journal(file, {})
    journal.add("1", "ahead", BucketAnswer(None, False, None, NOW + datetime.timedelta(hours=1)))
    journal.close()
    journal = Journal(file, {})
    assert journal.answer("1", "ahead") is None
    journal.close()


@pytest.mark.skipif(sys.platform == "win32", reason="files are locked with fcntl")
@pytest.mark.parametrize("finished", [False, True])
def test_a_review_that_may_not_write_changes_nothing(file: str, finished: bool) -> None:
    # Not even the half of a line that the other one is about to finish.
    write(file, finished=finished)
    first = Journal(file, {"--profile": ["a"]})
    os.write(first._descriptor, b'{"account": "1", "buck')
    before = Path(file).read_bytes()
    with pytest.raises(LiveError, match="another review is writing"):
        read(file)
    assert Path(file).read_bytes() == before
    first.close()


@pytest.mark.skipif(sys.platform == "win32", reason="files are locked with fcntl")
def test_two_reviews_do_not_share_a_journal(file: str) -> None:
    first = Journal(file, {})
    with pytest.raises(LiveError, match="another review is writing"):
        Journal(file, {})
    first.close()
    Journal(file, {}).close()


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_nobody_else_reads_the_policies(file: str) -> None:
    write(file)
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(LiveError, match="cannot be used"):
        Journal(str(tmp_path / "no" / "journal"), {})
    with pytest.raises(LiveError, match="cannot be used"):
        Journal(str(tmp_path), {})


@pytest.mark.skipif(os.name == "nt", reason="POSIX devices and pipes")
def test_a_file_without_an_end_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for file in ("/dev/full", "/dev/zero", str(tmp_path / "pipe")):
        with pytest.raises(LiveError, match="it is not a regular file"):
            Journal(file, {})


def test_each_line_is_json(file: str) -> None:
    write(file, finished=True)
    kinds = [set(json.loads(line)) for line in Path(file).read_text().splitlines()]
    answer = {"account", "bucket", "at", "policy", "website", "public_access"}
    assert kinds == [{"schema", "scope", "started"}, answer, answer, {"finished"}]
