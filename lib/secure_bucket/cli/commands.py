"""The commands, and the parser that knows them.

A command is a line here, its arguments in `cli.arguments`, and a module with `run(arguments) -> int`. Of a
command that is not asked for neither is loaded: a cold start is most of the time on a small template.
"""

from __future__ import annotations

import argparse
import importlib
import os
from typing import Final

from secure_bucket.cli.arguments.common import EXIT_CODES
from secure_bucket.cli.output import to_stdout

__all__ = ["COMMANDS", "build_parser"]

COMMANDS: Final = {
    "check": "check templates, directories and cloud assemblies",
    "gate": "run a CDK app in any language, and judge the cloud assembly that it wrote",
    "fix": "add the deny to templates, or show how",
    "prove": "decide about one bucket policy",
    "review": "review the buckets of accounts",
    "probe": "ask running buckets over HTTPS and over plain HTTP",
    "audit": "tell from logs who still uses plain HTTP",
    "plan": "plan in which order to enforce, from templates, accounts and logs",
    "explain": "explain a rule, or a bucket policy",
    "completion": "print a completion script for a shell",
}
"""The commands, each with a line of help."""


class _Help(argparse.RawDescriptionHelpFormatter):
    # Made for every argument that is added: without a width it loads `shutil` and all of its archives.
    def __init__(self, prog: str) -> None:
        columns = os.environ.get("COLUMNS", "")
        if columns.isdecimal() and len(columns) < 5:
            width = int(columns)
        else:
            try:
                width = os.get_terminal_size().columns
            except OSError:
                width = 80
        super().__init__(prog, width=max(width, 40) - 2)


class _Version(argparse.Action):
    # Looking the version up takes time that only this option is worth.
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from secure_bucket import __version__

        to_stdout(f"secure-bucket {__version__}\n")
        parser.exit(0)


def build_parser(only: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of the whole command.

    Args:
        only: The one command that will be asked for; all of them unless given.
    """
    parser = argparse.ArgumentParser(
        prog="secure-bucket",
        description="Prove that no S3 bucket answers plain HTTP, or show the request that gets through.",
        epilog=EXIT_CODES,
        formatter_class=_Help,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS if only is None else (only,):
        words = COMMANDS[name]
        command = commands.add_parser(
            name,
            help=words,
            description=f"{words[0].upper()}{words[1:]}.",
            epilog=EXIT_CODES,
            formatter_class=_Help,
        )
        importlib.import_module(f"secure_bucket.cli.arguments.{name}").add(command)
    return parser
