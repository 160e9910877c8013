"""Define the arguments of `secure-bucket completion`."""

from __future__ import annotations

import argparse

from secure_bucket.cli.codes import EXIT_CODES_WITHOUT_VERDICT

__all__ = ["add"]


def add(parser: argparse.ArgumentParser) -> None:
    """Add them to the parser of the command."""
    parser.epilog = EXIT_CODES_WITHOUT_VERDICT
    shells = ("bash", "fish", "powershell", "tcsh", "zsh")
    parser.add_argument("shell", metavar="SHELL", choices=shells, help=f"{', '.join(shells[:-1])} or zsh")
