"""The README shows what happens: its example is run, and its output compared."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.synth.harness import ROOT, Run

pytestmark = pytest.mark.slow

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_the_example_says_what_the_readme_says(tmp_path: Path) -> None:
    example, _ = blocks("python")
    _, output, _ = blocks("text")
    (tmp_path / "app.py").write_text(example, encoding="utf-8")
    run = Run(0, "", "", tmp_path).again()
    assert run.code == 1
    # The CDK puts the place in the source before a violation, where it knows it.
    said = [line for line in run.stderr.splitlines() if not re.match(r"app\.py:\d+$", line)]
    for line in output.splitlines():
        assert line in said


def test_one_line_mends_the_example(tmp_path: Path) -> None:
    example, line = blocks("python")
    _, _, output = blocks("text")
    gate = next(each for each in example.splitlines() if "SecureTransportAspect())" in each)
    (tmp_path / "app.py").write_text(example.replace(gate, line), encoding="utf-8")
    run = Run(0, "", "", tmp_path).again()
    assert run.code == 0, run.stderr
    assert run.stderr.startswith(output)


def test_without_the_plain_bucket_it_passes(tmp_path: Path) -> None:
    example, _ = blocks("python")
    kept = [line for line in example.splitlines() if '"Plain"' not in line]
    assert len(kept) == len(example.splitlines()) - 1
    (tmp_path / "app.py").write_text("\n".join(kept), encoding="utf-8")
    run = Run(0, "", "", tmp_path).again()
    assert run.code == 0
    assert f"`{run.summary}`" in README


def test_the_first_commands_are_targets_of_the_makefile() -> None:
    (commands,) = blocks("sh")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^make (\w+)", commands, re.MULTILINE)
    assert targets == ["synth", "test"]
    for target in targets:
        assert f"\n{target}: install" in makefile
