"""Run `secure-bucket completion`: print a completion script for a shell."""

from __future__ import annotations

import argparse
import importlib

from secure_bucket.cli.commands import build_parser
from secure_bucket.cli.output import to_stdout

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Print the script for a shell, and return the exit code."""
    shtab = importlib.import_module("shtab")
    to_stdout(f"{shtab.complete(build_parser(), arguments.shell)}\n")
    return 0
