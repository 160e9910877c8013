"""The tutorial, done by the letter: its files written, its commands run, its output compared."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Block, blocks, commands
from tests.synth.harness import Run, synth_here

pytestmark = pytest.mark.slow

PAGE = ROOT / "docs" / "tutorial" / "first-bucket.md"
TEMPLATE = Path("cdk.out", "Reports.template.json")


def of(language: str) -> list[Block]:
    return [block for block in blocks(PAGE) if block.language == language]


def said(run: Run) -> list[str]:
    # The CDK puts the place in the source before a violation, where it knows it.
    return [line for line in run.stderr.splitlines() if not re.match(r"app\.py:\d+$", line)]


def check(directory: Path, command: str) -> subprocess.CompletedProcess[str]:
    program, *arguments = shlex.split(command)
    assert program == "secure-bucket"
    return subprocess.run(
        [sys.executable, "-m", "secure_bucket", *arguments],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT / "lib"), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
    )


def test_the_tutorial_works(tmp_path: Path) -> None:
    prepare, first, second, again, broken = (list(commands(block)) for block in of("sh"))
    plain, secure = of("python")
    fails, passes, verbose, refuted = of("text")

    assert "pip install 'secure-bucket[cdk]'" in prepare
    assert "npm install --no-save aws-cdk@2" in prepare
    (synth,) = first
    assert second == first
    assert shlex.split(synth)[:3] == ["npx", "cdk", "synth"]
    arguments = [sys.executable + " app.py" if "app.py" in word else word for word in shlex.split(synth)[3:]]

    (tmp_path / "app.py").write_text(plain.text, encoding="utf-8")
    run = synth_here(tmp_path, *arguments)
    assert run.code == 1
    for line in fails.text.splitlines():
        assert line in said(run)

    (tmp_path / "app.py").write_text(secure.text, encoding="utf-8")
    run = synth_here(tmp_path, *arguments)
    assert run.code == 0, run.stderr
    assert f"{run.summary}\n" == passes.text

    (verbosely,) = again
    done = check(tmp_path, verbosely)
    assert (done.returncode, done.stdout) == (0, verbose.text)

    file = tmp_path / TEMPLATE
    text = file.read_text(encoding="utf-8")
    assert json.loads(text)["Resources"]
    file.write_text(
        text.replace('"aws:SecureTransport": "false"', '"aws:SecureTransport": "true"', 1), "utf-8"
    )
    (command,) = broken
    done = check(tmp_path, command)
    assert done.returncode == 2
    assert "changed after the gate judged it" in done.stdout
    assert refuted.text.strip() in done.stdout.splitlines()
