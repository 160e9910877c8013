"""Reject turns of phrase that hide who does what. Run by `make lint`.

    python tools/plain_english.py [PATH...]

Prints each place as `file:line: turn` and exits with 1 if there is one.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DEFAULT = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "docs",
    "lib",
    "tools",
    "app.py",
    "setup.py",
    "noxfile.py",
    "Makefile",
)

# Each turn, with the words to use in its place.
TURNS = {
    r"(?:is|are|was|were|be) none": "is not a …, is missing",
    r"(?<!there )(?:is|are) no(?! more| longer| such| less| way| \d|t\b) \w+": "is not a …",
    r"whoever": "everybody who, anyone who",
    r"whatever": "any, every",
    r"unless (?:given|set)": "(default: …)",
    r"(?:is|are) said": "is reported",
    r"what there is": "features, findings",
    r"that which": "name the thing",
    r"pass(?:es|ed)? over": "skip",
    r"can be given again": "(repeatable)",
    r"whom": "who, and name the noun",
    r"mend(?:s|ed|ing)?": "fix",
    r"answer(?:s|ing)? plain HTTP": "accepts plain HTTP",
    r"keep(?:s)? back": "hide",
    r"unless told otherwise": "(default: …)",
    r"nobody else's business": "only … may read it",
    r"anew": "again",
    r"all the same": "anyway, as well",
    r"of (?:its|our|their|his) own to": "its own … to",
    r"what (?:came out|is asked|was asked|it comes to|became of)": "result, question, name the thing",
    r"(?:is|are|was|were) looked (?:at|for)": "read, check, examine",
    r"as they are (?:stored|written)": "name the thing",
    r"how things stand": "state",
    r"in (?:so|as) far as": "if, the known …",
    r"as far as (?:the|they|it|we)": "if, the known …",
    r"by what": "how",
    r"has a say": "changes, decides",
    r"written over": "overwritten",
}
PATTERN = re.compile(
    "|".join(rf"(?P<t{number}>\b{turn}\b)" for number, turn in enumerate(TURNS)), re.IGNORECASE
)


def prose(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the prose of a file: all lines of a page; the texts and comments of a Python file."""
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".py":
        yield from enumerate(text.splitlines(), 1)
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            for offset, line in enumerate(node.value.splitlines()):
                yield node.lineno + offset, line


def findings(file: Path) -> Iterator[str]:
    """Yield each forbidden turn of a file, with its replacement."""
    for line, text in prose(file):
        if file == Path(__file__).resolve():
            continue  # It lists the turns.
        for match in PATTERN.finditer(re.sub(r"`[^`]*`|https?://\S+", "", text)):
            instead = list(TURNS.values())[int((match.lastgroup or "t0")[1:])]
            yield f"{file.relative_to(ROOT)}:{line}: `{match[0]}`; write {instead}"


def main(arguments: list[str]) -> int:
    """Check the files and return the exit code."""
    paths = [Path(each).resolve() for each in arguments] or [ROOT / each for each in DEFAULT]
    files = [
        file
        for path in paths
        for file in ([path] if path.is_file() else sorted(path.rglob("*")))
        if file.suffix in (".py", ".md") or file.name == "Makefile"
    ]
    found = [each for file in files for each in findings(file)]
    print(*found, sep="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
