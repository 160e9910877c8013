"""Write the manual page of the command from its argument parser, the source of `--help`.

    python tools/man_page.py            # into build/man/secure-bucket.1

The page has a section for each command. `man -l build/man/secure-bucket.1` shows it.
"""

from __future__ import annotations

import argparse
import datetime
import os
import re
from collections.abc import Iterator
from pathlib import Path

from secure_bucket.cli.codes import EXIT_CODES
from secure_bucket.cli.commands import COMMANDS, build_parser
from secure_bucket.version import installed_version

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "build" / "man" / "secure-bucket.1"


def page() -> str:
    """Return the page as troff with the man macros (man 7 man-pages)."""
    return "".join(f"{line}\n" for line in _lines())


def _lines() -> Iterator[str]:
    parser = build_parser()
    (commands,) = (each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
    day = datetime.datetime.fromtimestamp(
        int(os.environ.get("SOURCE_DATE_EPOCH") or datetime.datetime.now().timestamp()), datetime.timezone.utc
    )
    yield f'.TH SECURE\\-BUCKET 1 "{day:%Y-%m-%d}" "secure-bucket {installed_version()}" "User Commands"'
    yield from (".SH NAME", "secure\\-bucket \\- prove that no S3 bucket accepts plain HTTP")
    yield from (".SH SYNOPSIS", ".B secure\\-bucket", ".I COMMAND", "[OPTIONS]")
    yield from (".SH DESCRIPTION", _text(parser.description or ""))
    yield ".SH COMMANDS"
    for name, words in COMMANDS.items():
        yield from (".TP", f".B {_text(name)}", _text(f"{words[0].upper()}{words[1:]}."))
    for name, command in commands.choices.items():
        yield f".SH {_text(f'secure-bucket {name}').upper()}"
        yield from _prose(command.description or "")
        for group in command._action_groups:
            actions = [each for each in group._group_actions if each.help is not argparse.SUPPRESS]
            if actions:
                yield f".SS {_text(group.title or '')}"
            for action in actions:
                yield from (".TP", _option(action), _text(_help(command, action)))
    yield from (".SH EXIT STATUS", ".nf", _text(EXIT_CODES.strip()), ".fi")
    yield ".SH FILES"
    yield from (".TP", ".I secure\\-bucket.toml\\fR, \\fIpyproject.toml", "The settings of a project.")


def _help(command: argparse.ArgumentParser, action: argparse.Action) -> str:
    return command._get_formatter()._expand_help(action) if action.help else ""


def _option(action: argparse.Action) -> str:
    value = (
        "" if action.nargs == 0 else _text(str(action.metavar or "|".join(map(str, action.choices or ()))))
    )
    names = ", ".join(f"\\fB{_text(each)}\\fR" for each in action.option_strings)
    return f"{names} \\fI{value}\\fR".strip() if value else names


def _prose(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        if paragraph.startswith("    "):
            yield from (".nf", _text(paragraph), ".fi")
        else:
            yield from (".PP", _text(" ".join(paragraph.split())))


def _text(text: str) -> str:
    """Return a text for troff, with escapes for requests and backslashes."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", escaped, flags=re.MULTILINE)


if __name__ == "__main__":
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(page(), encoding="utf-8")
    print(TARGET)
