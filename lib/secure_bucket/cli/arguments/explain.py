"""Define the arguments of `secure-bucket explain`."""

from __future__ import annotations

import argparse

from secure_bucket.cli.arguments.common import add_bucket, add_strict
from secure_bucket.cli.codes import EXIT_CODES_WITHOUT_VERDICT

__all__ = ["add"]

_DESCRIPTION = """\
Explain a rule (SB001 or plaintext-http), or what each statement of a bucket policy
does and how it affects plain HTTP. Without an argument, list the rules.
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add them to the parser of the command."""
    parser.description = _DESCRIPTION
    parser.epilog = EXIT_CODES_WITHOUT_VERDICT
    parser.add_argument("subject", nargs="?", metavar="RULE|POLICY", help="rule, policy file or -")
    add_bucket(parser)
    add_strict(parser, settings=False)
