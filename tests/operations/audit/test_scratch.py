"""What `audit` writes to disk is gone after a run, also when a signal ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from secure_bucket.operations.audit.scratch import scratch_directory

AUDIT = """
import os, duckdb
from secure_bucket.operations.audit.scratch import scratch_directory

with scratch_directory() as directory:
    open(os.path.join(directory, "spilled"), "w").close()
    print("written", flush=True)
    # Minutes long, or over at once.
    duckdb.sql("SELECT max(hash(i)) FROM range({rows}) AS numbers(i)").fetchall()
print("ended", flush=True)
"""


pytest.importorskip("duckdb", reason="needs `pip install 'secure-bucket[audit]'`")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("name", ["SIGHUP", "SIGINT", "SIGTERM"])
def test_a_signal_during_a_query_removes_it(tmp_path: Path, name: str) -> None:
    number = signal.Signals[name]
    # `nohup` ignores SIGHUP, and a child inherits that.
    code = f"import signal\nsignal.signal(signal.{name}, signal.SIG_DFL)\n{AUDIT.format(rows=10**12)}"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    running = subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert running.stdout is not None
        assert running.stdout.readline() == "written\n"
        assert [*tmp_path.glob("secure-bucket-*/spilled")]
        running.send_signal(number)
        rest, _ = running.communicate(timeout=25)
    finally:
        running.kill()
    assert (running.returncode, rest) == (128 + number, "")
    assert [*tmp_path.iterdir()] == []


def test_a_run_that_ends_by_itself_removes_it(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", AUDIT.format(rows=1)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "written\nended\n"
    assert [*tmp_path.iterdir()] == []


def test_a_handler_of_the_program_stays() -> None:
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    with scratch_directory() as directory:
        assert signal.getsignal(signal.SIGINT) is before[0]
        assert Path(directory).is_dir()
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before
    assert not Path(directory).exists()
