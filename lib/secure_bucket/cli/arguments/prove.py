"""Define the arguments of `secure-bucket prove`."""

from __future__ import annotations

import argparse

from secure_bucket.cli.arguments.common import add_bucket, add_claim

__all__ = ["add"]

_DESCRIPTION = """\
Prove that a bucket policy denies every request over plain HTTP, for example:
    aws s3api get-bucket-policy --bucket NAME |
    secure-bucket prove - --bucket NAME
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add them to the parser of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("policy", metavar="POLICY", help="file with the policy, or - for standard input")
    add_bucket(parser)
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="report format (default: text)"
    )
    parser.add_argument("--quiet", "-q", action="store_true", help="show only errors")
    add_claim(parser)
