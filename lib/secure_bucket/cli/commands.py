"""List the commands and build their argument parser.

A command has a line here, its arguments in `cli.arguments`, and a module with `run(arguments) -> int`. The
parser loads only the requested command, because a cold start is most of the time of a small check.
"""

from __future__ import annotations

import argparse
import importlib
import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final, NoReturn

from secure_bucket.cli.codes import EXIT_CODES
from secure_bucket.cli.output import to_stderr, to_stdout
from secure_bucket.version import installed_version

__all__ = ["COMMANDS", "build_parser", "did_you_mean"]

COMMANDS: Final = {
    "check": "find buckets that accept plain HTTP in templates and cloud assemblies",
    "gate": "run a CDK app in any language, and check the cloud assembly that it writes",
    "fix": "add the deny to templates, or show the changes",
    "prove": "prove that a bucket policy denies plain HTTP",
    "review": "find live buckets that accept plain HTTP in AWS accounts",
    "probe": "send requests to live buckets over HTTPS and plain HTTP",
    "audit": "find clients that use plain HTTP in logs",
    "plan": "plan the order in which to deny plain HTTP",
    "explain": "explain a rule or a bucket policy",
    "server": "run a language server for editors, over standard input and output",
    "completion": "print a completion script for a shell",
}
"""The commands, each with a line of help."""


class _Help(argparse.HelpFormatter):
    # `argparse` creates a formatter for every argument, and imports `shutil` if the formatter has no width.
    def __init__(self, prog: str) -> None:
        columns = os.environ.get("COLUMNS", "")
        if columns.isdecimal() and len(columns) < 5:
            width = int(columns)
        else:
            try:
                width = os.get_terminal_size().columns
            except OSError:
                width = 80
        super().__init__(prog, width=max(width, 40) - 2, max_help_position=min(24, width // 4))

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[Any],
        prefix: str | None = None,
    ) -> None:
        """Show `[OPTIONS]` in place of the options."""
        forms = {"?": "[{0}]", "*": "[{0} ...]", "+": "{0} [{0} ...]", argparse.PARSER: "{0} ..."}
        operands = (
            forms.get(str(each.nargs), "{0}").format(each.metavar or f"{{{','.join(each.choices or ())}}}")
            for each in actions
            if not each.option_strings
        )
        prefix = prefix or "usage: "
        lines = _wrapped(" ".join((f"{self._prog} [OPTIONS]", *operands)), self._width - len(prefix))
        super().add_usage(f"\n{' ' * len(prefix)}".join(lines), [], [], prefix)

    def _split_lines(self, text: str, width: int) -> list[str]:
        return _wrapped(" ".join(text.split()), width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        """Wrap each paragraph and each row of a table; do not wrap examples, which start with four spaces."""
        rows: list[str] = []
        for line in text.strip("\n").split("\n"):
            if (
                not line
                or not rows
                or not rows[-1]
                or rows[-1].endswith(":")
                or re.match(r"  (\S|  \S)", line)
            ):
                rows.append(line)
            else:
                rows[-1] += f" {line.strip()}"
        return "\n".join(line for row in rows for line in _wrapped(row, width)) + "\n"


def _wrapped(row: str, width: int) -> list[str]:
    if row.startswith("    "):
        return [row]
    table = re.match(r"  (\S.*?  +|\d+\+ )", row)
    margin = table[0] if table else ""
    words = row[len(margin) :]
    import textwrap  # Takes 0.8 ms, which only `--help` pays.

    # Do not break the name of an option.
    return textwrap.wrap(
        words, width, initial_indent=margin, subsequent_indent=" " * len(margin), break_on_hyphens=False
    ) or [""]


class _Version(argparse.Action):
    # Only this option pays for reading the package metadata.
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        to_stdout(f"secure-bucket {installed_version()}\n")
        parser.exit(0)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        if message.startswith("the following arguments are required"):
            message += f"; see `{self.prog} --help`"
        self.print_usage(sys.stderr)
        to_stderr(f"{self.prog}: error: {message}")
        self.exit(2)

    def refuse(self, unknown: Sequence[str]) -> NoReturn:
        """End the run because of arguments that the command does not have."""
        # A number or a single dash can be an argument of an option.
        options = [each for each in unknown if re.match("-[^0-9]", each)]
        meant = f"; see `{self.prog} --help`"
        if not options:
            self.error(f"`{unknown[0]}` is one argument too many{meant}")
        option = options[0].partition("=")[0]
        known = re.findall(r"--[\w-]+", self.format_help())
        self.error(f"there is no option `{option}`{did_you_mean(option, known) or meant}")

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if action.choices is None or value in action.choices:
            return
        known, word = list(map(str, action.choices)), str(value)
        if action.dest == "command":
            meant = did_you_mean(word, (*known, "help")) or f"; the commands are {', '.join(known)}"
            self.error(f"there is no command `{word}`{meant}")
        # A number such as `1.0` resembles `2.0`, but the user did not mean it.
        meant = did_you_mean(word, known) if word[:1].isalpha() else ""
        raise argparse.ArgumentError(action, f"`{word}` is not one of {', '.join(known)}{meant}")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean …?` with the most similar known word; `""` without a similar word.

    Args:
        word: The unknown word.
        known: The known words.
    """
    from difflib import get_close_matches  # Takes 0.8 ms, which only a mistake pays.

    words = {each.casefold(): each for each in known}
    # `SB1` is SB001, and not as much like SB012.
    if (number := re.fullmatch(r"(sb)0*(\d{1,3})", word.casefold())) and (
        rule := words.get(f"{number[1]}{number[2]:0>3}")
    ):
        return f"; did you mean `{rule}`?"
    # Two swapped letters in a word of three give a similarity of two thirds.
    close = get_close_matches(word.casefold(), words, n=1, cutoff=0.65)
    return f"; did you mean `{words[close[0]]}`?" if close else ""


def build_parser(only: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of the whole command.

    Args:
        only: The only command to load (default: all commands).
    """
    parser = _Parser(
        prog="secure-bucket",
        description="Prove that no S3 bucket accepts plain HTTP, or show the request that gets through.",
        epilog=f"{EXIT_CODES}\nRun `secure-bucket help COMMAND` for the options of a command.",
        formatter_class=_Help,
    )
    parser.add_argument("--version", "-V", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, prog="secure-bucket")
    for name in COMMANDS if only is None else (only,):
        words = COMMANDS[name]
        command = commands.add_parser(
            name,
            help=words,
            description=f"{words[0].upper()}{words[1:]}.",
            epilog=EXIT_CODES,
            formatter_class=_Help,
        )
        command.set_defaults(parser=command)
        importlib.import_module(f"secure_bucket.cli.arguments.{name}").add(command)
    return parser
