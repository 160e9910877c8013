"""The arguments of `secure-bucket check`."""

from __future__ import annotations

import argparse

from secure_bucket.cli.arguments.common import (
    add_baseline,
    add_claim,
    add_config,
    add_exclude,
    add_reports,
    add_together,
    number_from_one,
)

__all__ = ["add"]

_DESCRIPTION = """\
Check every S3 bucket of CloudFormation templates: does its policy deny plain HTTP?

PATH is a template (JSON, YAML), the directory of a CDK cloud assembly (cdk.out), a
directory that is searched for both, a pattern, or - for standard input. In a
directory, files that are no templates are passed over and counted.
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add them to the parser of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("paths", nargs="*", metavar="PATH", help="what to check")
    add_reports(parser, verbose="also list proven buckets and files passed over")
    add_claim(parser)
    what = parser.add_argument_group("what is checked")
    add_exclude(what)
    add_together(what)
    what.add_argument(
        "--skip-other-files",
        action="store_true",
        help="pass over given files that are no templates, and do not mind if no bucket is left: for "
        "hooks that hand over every changed file",
    )
    add_baseline(parser)
    how = parser.add_argument_group("how it runs")
    how.add_argument(
        "--jobs",
        "-j",
        type=number_from_one,
        metavar="N",
        help="processes; unless given, one for each core where there is much to read",
    )
    add_config(how)
