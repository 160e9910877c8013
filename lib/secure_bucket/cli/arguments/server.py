"""Define the arguments of `secure-bucket server`."""

from __future__ import annotations

import argparse

from secure_bucket.cli.arguments.common import add_strict
from secure_bucket.cli.codes import EXIT_CODES_WITHOUT_VERDICT

__all__ = ["add"]

_DESCRIPTION = """\
Run a language server for editors, over standard input and output: it checks templates as
you write them, explains the statements of bucket policies, and adds the deny. It needs the
extra `editor`. One of these lines installs it:

    pip install 'secure-bucket[editor]'
    uv tool install 'secure-bucket[editor]'
    pipx install --force 'secure-bucket[editor]'
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add them to the parser of the command."""
    parser.description = _DESCRIPTION
    parser.epilog = EXIT_CODES_WITHOUT_VERDICT
    add_strict(parser, settings=False)
