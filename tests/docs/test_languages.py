"""The page on other languages shows what the command writes for each of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from secure_bucket.cli.main import main
from tests.cli.test_gate import BUCKET
from tests.docs.pages import ROOT, blocks

PAGE = ROOT / "docs" / "how-to" / "other-languages.md"
NAMES = ("TypeScript", "Java", "Go", ".NET")


def lines(name: str, language: str) -> list[str]:
    return [
        line
        for block in blocks(PAGE)
        if (block.tab, block.language) == (name, language)
        for line in block.text.splitlines()
    ]


@pytest.mark.parametrize("name", NAMES)
def test_init_changes_the_line_that_the_page_shows(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    old, new = lines(name, "diff")
    file = tmp_path / "cdk.json"
    file.write_text(f"{{\n{old[1:]}\n}}\n")
    assert main(["gate", "--init"]) == 0
    assert capsys.readouterr().out.splitlines()[-3:-1] == [old, new]
    assert file.read_text() == f"{{\n{new[1:]}\n}}\n"


@pytest.mark.parametrize("name", NAMES)
def test_the_gate_says_what_the_page_shows(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CDK_OUTDIR", "cdk.out")
    command = json.loads("{" + lines(name, "diff")[0][1:] + "}")["app"].split()[0]
    bucket = {**BUCKET, "Metadata": {"aws:cdk:path": "Reports/Plain/Resource"}}
    template = json.dumps({"Resources": {"Plain295EB121": bucket}}, indent=1)
    artifact = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://unknown-account/unknown-region",
        "properties": {"templateFile": "Reports.template.json"},
    }
    manifest = json.dumps({"version": "48.0.0", "artifacts": {"Reports": artifact}})
    program = tmp_path / Path(command).name
    program.write_text(
        f"#!/bin/sh\nmkdir cdk.out\necho '{template}' > cdk.out/Reports.template.json\n"
        f"echo '{manifest}' > cdk.out/manifest.json\n"
    )
    program.chmod(0o755)
    assert main(["gate", "--", f"./{program.name}"]) == 1
    said = capfd.readouterr().err
    first, fix, construct, *_ = lines(name, "text")
    assert first in said
    assert fix in said
    assert construct in said


def test_the_page_shows_each_language_in_the_same_tabs() -> None:
    for language in ("diff", "text"):
        shown = [block.tab for block in blocks(PAGE) if block.tab and block.language == language]
        assert tuple(shown) == NAMES
    for name, language in zip(NAMES, ("ts", "java", "go", "csharp"), strict=True):
        assert len([block for block in blocks(PAGE) if (block.tab, block.language) == (name, language)]) == 4


def test_the_tutorial_leads_to_every_language_at_its_top() -> None:
    text = (ROOT / "docs" / "tutorial" / "first-bucket.md").read_text(encoding="utf-8")
    _, top, *_ = text.split("\n\n")
    (named,) = re.findall(r"\[(.+)\]\(\.\./how-to/other-languages\.md\)", top)
    assert all(name in named for name in NAMES)
