"""Define the arguments of `secure-bucket fix`."""

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
Add the secure-transport deny to buckets in CloudFormation templates that accept plain HTTP.

The command shows a diff; --write writes the files. It only adds text: comments, order,
quoting and line endings stay as they are. Every fixed bucket is proven to deny plain HTTP,
and a second run changes nothing. A bucket that cannot be fixed safely is left with a
reason: a website, a bucket that CloudFront requests over plain HTTP, several policies, a
policy built by Fn::If or in another template, an undecided or excepted bucket.

Of a cloud assembly (cdk.out) the command fixes the app: it adds enforce_ssl=True (Python) or
enforceSSL: true (TypeScript, JavaScript) to the call that creates the bucket, if that call
is certain. Run it in the directory of the app. The assembly has to hold the places of the
calls: synthesize with `cdk synth --debug`.

PATH is a template, a directory, a glob pattern, or - for standard input, which writes the
fixed template (or, with --diff, the diff) to standard output. A new policy replaces any
bucket policy that is set outside these templates when it is deployed.
"""

_EXIT_CODES = """\
exit codes:
  0    every bucket is proven or excepted (with --write: after the fixes)
  1    there are fixes to write, or a remaining bucket accepts plain HTTP
  2    the run is incomplete: bad arguments, or a file that cannot be read or
       written. It takes precedence over 1 and 3; all other files are fixed
  3    a remaining bucket is undecided, and none accepts plain HTTP
  130  interrupted
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add them to the parser of the command."""
    parser.description = _DESCRIPTION
    parser.epilog = _EXIT_CODES
    parser.add_argument("paths", nargs="+", metavar="PATH", help="template, directory, pattern or -")
    parser.add_argument(
        "--write", "-w", action="store_true", help="write the fixed templates, each completely or not at all"
    )
    parser.add_argument("--diff", action="store_true", help="show the changes (default without --write)")
    parser.add_argument(
        "--synthesized",
        action="store_true",
        help="fix the templates of a cloud assembly, which the CDK will generate again",
    )
    parser.add_argument(
        "--synth",
        metavar="COMMAND",
        help="after --write, run COMMAND to synthesize the app again, and prove what it made",
    )
    parser.add_argument(
        "--plain-viewers",
        action="store_true",
        help="also fix buckets that CloudFront requests over plain HTTP, which then gets 403",
    )
    add_together(parser)
    add_exclude(parser)
    parser.add_argument("--quiet", "-q", action="store_true", help="show only remaining buckets and errors")
    add_colour(parser)
    add_verdict(parser)
    add_config(parser)
