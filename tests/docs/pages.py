"""The pages of the documentation, and what they show."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
TAB = re.compile(r"^=== \"(?P<label>.+)\"$")
FENCE = re.compile(r"^(?P<indent> *)(?P<fence>```+) *(?P<language>[\w-]*).*$")
SNIPPET = re.compile(r"^ *--8<-- \"(?P<file>[^\":]+)(?::(?P<section>[\w-]+))?\"$")


@dataclass(frozen=True)
class Block:
    """A block of code of a page.

    Args:
        page: The page.
        line: Where it begins.
        language: The word behind the fence; empty for a block that is only indented.
        text: What it holds, with the snippets taken in.
        tab: The label of the tab that it stands in; empty outside of tabs.
    """

    page: Path
    line: int
    language: str
    text: str
    tab: str = ""

    @property
    def id(self) -> str:
        """Where it stands, for the report of a test."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """Yield the blocks of code of a page."""
    lines = page.read_text(encoding="utf-8").splitlines()
    number = 0
    tab = ""
    while number < len(lines):
        begin = number
        if label := TAB.match(lines[number]):
            tab = label["label"]
        elif lines[number] and not lines[number].startswith("    "):
            tab = ""
        opened = FENCE.match(lines[number])
        number += 1
        if opened:
            end = f"{opened['indent']}{opened['fence']}"
            while lines[number] != end:
                number += 1
            inner = [line.removeprefix(opened["indent"]) for line in lines[begin + 1 : number]]
            yield Block(page, begin + 1, opened["language"], "\n".join(taken_in(inner)) + "\n", tab)
            number += 1
        elif lines[begin].startswith("    ") and not lines[begin - 1].strip():
            while number < len(lines) and lines[number].startswith("    "):
                number += 1
            yield Block(page, begin + 1, "", "\n".join(line[4:] for line in lines[begin:number]) + "\n")


def taken_in(lines: list[str]) -> Iterator[str]:
    """Yield lines, with the files of the repository that they take in."""
    for line in lines:
        found = SNIPPET.match(line)
        if found is None:
            yield line
            continue
        text = (ROOT / found["file"]).read_text(encoding="utf-8")
        if found["section"]:
            mark = re.escape(found["section"])
            (text,) = re.findall(
                rf"^[^\n]*--8<-- \[start:{mark}\]\n(.*?)^[^\n]*--8<-- \[end:{mark}\]", text, re.M | re.S
            )
        # As `dedent_subsections` of mkdocs.yml asks.
        yield from textwrap.dedent(text).rstrip("\n").splitlines()


def commands(block: Block) -> Iterator[str]:
    """Yield the commands of a shell block, without comments; one whose quotes go on goes on as well."""
    command = ""
    for line in block.text.replace("\\\n", " ").splitlines():
        command += re.sub(r"(^|\s)#.*", "", line).strip()
        if command.count("'") % 2:
            continue
        if command:
            yield command
        command = ""
