"""A file is replaced wholly or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from secure_bucket.template.write import write_atomically


def test_a_file_is_written_with_its_line_ends(tmp_path: Path) -> None:
    write_atomically(tmp_path / "report", "a\r\nb\n桶")
    assert (tmp_path / "report").read_bytes() == "a\r\nb\n桶".encode()
    assert os.listdir(tmp_path) == ["report"]


def test_an_existing_file_keeps_its_permissions(tmp_path: Path) -> None:
    file = tmp_path / "report"
    file.write_text("old")
    file.chmod(0o640)
    write_atomically(file, "new")
    assert file.read_text() == "new"
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_new_file_gets_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "usual").write_text("")
    write_atomically(tmp_path / "report", "new")
    assert (tmp_path / "report").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    write_atomically(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_a_name_of_the_greatest_length_can_be_written(tmp_path: Path) -> None:
    file = tmp_path / ("桶" * 85)
    write_atomically(file, "new")
    assert file.read_text() == "new"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs the file size limit of POSIX")
@pytest.mark.parametrize("existing", [True, False])
def test_a_disk_that_is_full_leaves_the_old_file_and_no_other(tmp_path: Path, existing: bool) -> None:
    file = tmp_path / "report"
    if existing:
        file.write_text("old")
    program = (
        "import resource, signal, sys; from secure_bucket.template.write import write_atomically\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: write_atomically(sys.argv[1], 'x' * 5000)\n"
        "except OSError: sys.exit(7)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(file)], check=False).returncode == 7
    assert os.listdir(tmp_path) == (["report"] if existing else [])
    assert not existing or file.read_text() == "old"


def test_what_a_killed_process_left_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / f".report.{os.getpid()}.tmp").write_text("half")
    write_atomically(tmp_path / "report", "new")
    assert os.listdir(tmp_path) == ["report"]


def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "no" / "report", "new")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_device_is_written_to_directly() -> None:
    write_atomically("/dev/null", "new")
    assert not Path("/dev/null").is_file()
    with pytest.raises(OSError, match="No space"):
        write_atomically("/dev/full", "new")
