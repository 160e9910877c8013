"""Define the arguments of `secure-bucket completion`."""

from __future__ import annotations

import argparse

__all__ = ["add"]


def add(parser: argparse.ArgumentParser) -> None:
    """Add them to the parser of the command."""
    parser.add_argument("shell", choices=("bash", "fish", "powershell", "tcsh", "zsh"))
