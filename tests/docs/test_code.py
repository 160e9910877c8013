"""What the pages show can be copied: Python compiles and imports, commands take their options."""

from __future__ import annotations

import argparse
import ast
import importlib
import itertools
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from secure_bucket.cli.commands import COMMANDS, build_parser
from tests.docs.pages import PAGES, ROOT, Block, blocks, commands

ALL = [block for page in (ROOT / "README.md", *PAGES) for block in blocks(page)]
PYTHON = [block for block in ALL if block.language == "python"]
SETUP = (ROOT / "setup.py").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

# What the pages name of other commands.
FOREIGN = {
    *(
        "--all",
        "--app",
        "--cached",
        "--debug",
        "--diff-filter",
        "--exclusively",
        "--from",
        "--name-only",
        "--no-asset-metadata",
        "--no-save",
        "--quiet",
        "--unstable",
        "--query",
    ),
    *(
        "--ignore-errors",
        "--output",
        "--hypothesis-profile",
        "--snapshot-update",
        "--repeat-many",
        "--with-prowler",
    ),
}


def options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from options(inner)


OPTIONS = {*options(build_parser()), *FOREIGN}


def our_commands() -> Iterator[object]:
    """Yield the arguments of each command of ours that is shown."""
    for block in ALL:
        for line in commands(block) if block.language in ("", "sh") else ():
            if re.search(r"(^|[ |])secure-bucket ", line) and not line.startswith(("pip ", "secure-bucket:")):
                words = shlex.shlex(line, posix=True, punctuation_chars=True)
                words.whitespace_split = True
                _, *arguments = itertools.dropwhile(lambda word: word != "secure-bucket", words)
                ours = [*itertools.takewhile(lambda word: not set(word) <= set("();<>|&"), arguments)]
                yield pytest.param(ours, id=f"{block.id} {shlex.join(ours)}")
    for page in PAGES:
        for code in re.findall(r"`secure-bucket ([a-z]+ [^`\n]+)`", page.read_text(encoding="utf-8")):
            # A word in capitals stands for one of the reader's.
            if not re.search(r"…|\b[A-Z]{2,}\b", code):
                yield pytest.param(shlex.split(code), id=f"{page.relative_to(ROOT)} {code}")


@pytest.mark.parametrize("block", [pytest.param(block, id=block.id) for block in PYTHON])
def test_python_compiles_and_finds_what_it_imports(block: Block) -> None:
    tree = ast.parse(block.text, block.id)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                importlib.import_module(name.name)
        elif isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module or "")
            for name in node.names:
                assert hasattr(module, name.name) or importlib.import_module(f"{node.module}.{name.name}")


@pytest.mark.parametrize("words", [*our_commands()])
def test_a_command_takes_what_it_is_shown_with(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    if words in (["--help"], ["--version"]) or (words[0] == "help" and {*words[1:]} <= COMMANDS.keys()):
        return
    parser = build_parser()
    try:
        parser.parse_args(words)
    except SystemExit:
        pytest.fail(capsys.readouterr().err)


@pytest.mark.parametrize("page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES])
def test_every_option_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    named = {option for code in inline for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", code)}
    assert named <= OPTIONS, f"no command of ours has {sorted(named - OPTIONS)}"


def test_extras_and_targets_that_the_pages_name_exist() -> None:
    texts = [
        page.read_text(encoding="utf-8") for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES)
    ]
    for text in texts:
        for extra in re.findall(r"secure-bucket\[([\w,]+)\]", text):
            for name in extra.split(","):
                assert f'"{name}":' in SETUP, f"there is no extra `{name}`"
        shown = re.findall(r"(?:^    |`|^)make ([a-z-]+)", text, re.M)
        for target in shown:
            assert re.search(rf"^{target}:", MAKEFILE, re.M), f"there is no target `{target}`"
        for script in re.findall(r"python ((?:benchmarks|tools)/[\w/]+\.py)", text):
            assert (ROOT / script).is_file(), f"there is no `{script}`"


# What an app or its tests import; pipx installs commands only.
LIBRARIES = {"'secure-bucket[cdk]'", "'secure-bucket[snapshots]'"}


SHOWING = [
    *(ROOT / each for each in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *PAGES,
    *sorted((ROOT / "examples" / "ci").iterdir()),
]
PACKAGE = r"('secure-bucket\[[\w,]+\]'|secure-bucket)(?![\w\[-])"


@pytest.mark.parametrize("page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in SHOWING])
def test_every_install_line_is_right_for_pip_uv_and_pipx(page: Path) -> None:
    for line in page.read_text(encoding="utf-8").splitlines():
        shown = re.findall(rf"(pip|pipx|uv add(?: --dev)?|uv pip|uv tool)(?: install)? {PACKAGE}", line)
        if not shown or "pipx run secure-bucket" in line:
            continue
        assert len({package for _, package in shown}) == 1, f"two packages: {line}"
        tools = [tool for tool, _ in shown]
        if shown[0][1] in LIBRARIES:
            # What is in an environment of its own cannot be imported.
            assert tools[0] == "pip", line
            assert tools[1:] in (["uv add"], ["uv add --dev"], ["uv pip"]), line
        else:
            assert tools == ["pip", "uv tool", "pipx"], line


@pytest.mark.parametrize(
    "block", [pytest.param(block, id=block.id) for block in ALL if block.language == "json"]
)
def test_json_is_json(block: Block) -> None:
    json.loads(block.text)


def test_no_page_has_the_marks_of_a_merge() -> None:
    for page in (*ROOT.glob("*.md"), *PAGES):
        assert not re.search(r"^(<{7} |={7}$|>{7} )", page.read_text(encoding="utf-8"), re.M), page
