"""The arguments of `secure-bucket fix`."""

from __future__ import annotations

import argparse

from secure_bucket.cli.arguments.common import (
    add_colour,
    add_config,
    add_exclude,
    add_together,
    add_verdict,
)

__all__ = ["add"]

_DESCRIPTION = """\
Add the deny to every bucket of CloudFormation templates that provably answers plain HTTP.

Nothing is written unless --write says so: the changes are shown as a diff. Only text is
added, and comments, order, quoting and line ends stay as they are. What is written
proves, and a second run changes nothing. A bucket that cannot be fixed safely is left,
with the reason: a website, several policies, a policy that is built by Fn::If or stands
in another template, what the CDK has made, what is undecided or excepted.

PATH is a template, a directory, a pattern, or - for standard input: the fixed template
then goes to standard output, or with --diff the diff. A bucket policy that nobody here
declares (set by hand, by another stack) is replaced by a new one at deployment.
"""

_EXIT_CODES = """\
exit codes:
  0    everything is proven, or was excepted; with --write after what was written
  1    there is something to fix, or a bucket is left that answers plain HTTP
  2    could not run: bad arguments, or something that could not be read or written.
       It goes before 1 and 3; what could be done is done all the same
  3    a bucket is left that is undecided, and nothing else
  130  interrupted
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add them to the parser of the command."""
    parser.description = _DESCRIPTION
    parser.epilog = _EXIT_CODES
    parser.add_argument("paths", nargs="+", metavar="PATH", help="what to fix")
    parser.add_argument(
        "--write", "-w", action="store_true", help="write the templates anew, each wholly or not at all"
    )
    parser.add_argument(
        "--diff", action="store_true", help="show the changes; so it is unless --write is given"
    )
    parser.add_argument(
        "--synthesized", action="store_true", help="also fix what the CDK has made, which it will make anew"
    )
    add_together(parser)
    add_exclude(parser)
    parser.add_argument("--quiet", "-q", action="store_true", help="say only what is left, and faults")
    add_colour(parser)
    add_verdict(parser)
    add_config(parser)
