"""The manual page: made from the parser, and read by troff without a complaint."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

from secure_bucket.cli.commands import COMMANDS

TOOL = Path(__file__).parents[2] / "tools" / "man_page.py"


def page() -> str:
    spec = importlib.util.spec_from_file_location("man_page", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.page())


def test_the_page_has_every_command_and_option() -> None:
    text = page()
    for name in COMMANDS:
        assert f".SH SECURE\\-BUCKET {name.upper()}" in text
    for part in (
        "\\fB\\-\\-minimum\\-tls\\fR \\fIVERSION\\fR",
        "\\fB\\-\\-exit\\-zero\\fR",
        ".SH EXIT STATUS",
    ):
        assert part in text
    assert "%(default)" not in text


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_troff_does_not_complain() -> None:
    command = ["groff", "-man", "-Tutf8", "-ww", "-z"]
    done = subprocess.run(command, input=page(), text=True, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
