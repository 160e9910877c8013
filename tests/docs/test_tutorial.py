"""The tutorial, done by the letter in a new environment: its commands run, its output compared."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Block, blocks

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="the page is written for a POSIX shell"),
]

PAGE = ROOT / "docs" / "tutorial" / "first-bucket.md"
TEMPLATE = Path("first-bucket", "cdk.out", "Reports.template.json")


class Shell:
    """The terminal of somebody who follows the page; pip finds the wheel as it would find a release."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.tools = directory / "tools"
        self.tools.mkdir()
        for name in ("node", "npm", "npx"):
            found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
            assert found is not None, f"{name} is missing: run `make install`"
            (self.tools / name).symlink_to(found)
        python = self.tools / "python3"
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
        pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(self.tools))
        subprocess.run([*pip, str(ROOT)], check=True)
        self.before = ""

    def run(self, block: Block, *, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run the commands of a block, which have to end with this exit code."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PY", "CDK_"))}
        path = [each for each in kept["PATH"].split(os.pathsep) if Path(each) != Path(sys.executable).parent]
        done = subprocess.run(
            ["bash", "-e", "-c", self.before + block.text],
            cwd=self.directory,
            env={
                **kept,
                "PATH": os.pathsep.join([str(self.tools), *path]),
                "PIP_FIND_LINKS": f"{kept.get('PIP_FIND_LINKS', '')} {self.tools}",
                "CDK_DISABLE_CLI_TELEMETRY": "true",
                "NO_COLOR": "1",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        # The terminal stays in the folder and in its environment.
        self.before = "cd first-bucket\nsource .venv/bin/activate\n"
        return done


def test_the_tutorial_works_in_a_new_environment(tmp_path: Path) -> None:
    def of(language: str) -> Iterator[Block]:
        return (block for block in blocks(PAGE) if block.language == language)

    prepare, first, second, again, broken = of("sh")
    plain, secure = of("python")
    fails, passes, verbose, refuted = of("text")
    shell = Shell(tmp_path)
    app = tmp_path / "first-bucket" / "app.py"

    shell.run(prepare)
    app.write_text(plain.text, encoding="utf-8")
    said = shell.run(first, code=1).stderr.splitlines()
    for line in fails.text.splitlines():
        assert line in said

    app.write_text(secure.text, encoding="utf-8")
    said = shell.run(second).stderr.splitlines()
    assert passes.text.splitlines() == [line for line in said if line.startswith("secure-bucket")]

    assert shell.run(again).stdout == verbose.text

    file = tmp_path / TEMPLATE
    text = file.read_text(encoding="utf-8")
    assert json.loads(text)["Resources"]
    file.write_text(
        text.replace('"aws:SecureTransport": "false"', '"aws:SecureTransport": "true"', 1), encoding="utf-8"
    )
    out = shell.run(broken, code=2).stdout
    assert "changed after the gate judged it" in out
    assert refuted.text.strip() in out.splitlines()
