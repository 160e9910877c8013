"""`secure-bucket completion`: what a shell completes of this command."""

from __future__ import annotations

import argparse
import importlib

from secure_bucket.cli.commands import build_parser
from secure_bucket.cli.output import to_stdout
from secure_bucket.errors import MissingDependencyError

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Print the script for a shell.

    Returns:
        The exit code.

    Raises:
        MissingDependencyError: If the library that writes it is not installed.
    """
    try:
        shtab = importlib.import_module("shtab")
    except ImportError:
        raise MissingDependencyError(
            "completion scripts are made by `shtab`: pip install 'secure-bucket[cli]'"
        ) from None
    to_stdout(f"{shtab.complete(build_parser(), arguments.shell)}\n")
    return 0
