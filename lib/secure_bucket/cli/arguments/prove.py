"""The arguments of `secure-bucket prove`."""

from __future__ import annotations

import argparse

from secure_bucket.cli.arguments.common import add_bucket, add_claim

__all__ = ["add"]

_DESCRIPTION = """\
Decide whether a bucket policy denies every request over plain HTTP, as with
    aws s3api get-bucket-policy --bucket NAME | secure-bucket prove - --bucket NAME
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add them to the parser of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("policy", metavar="POLICY", help="a file with the policy, or - for standard input")
    add_bucket(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text unless given")
    parser.add_argument("--quiet", "-q", action="store_true", help="say nothing, but for faults")
    add_claim(parser)
