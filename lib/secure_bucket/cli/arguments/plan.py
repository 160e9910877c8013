"""The arguments of `secure-bucket plan`."""

from __future__ import annotations

import argparse

from secure_bucket.cli.arguments.audit import add_evidence, add_memory
from secure_bucket.cli.arguments.common import add_config, add_reports, add_together, number_from_one
from secure_bucket.cli.arguments.review import add_accounts, add_asking

__all__ = ["FORMATS", "add"]

FORMATS = ("text", "json", "markdown", "csv")

_DESCRIPTION = """\
Plan in which order to deny plain HTTP: which buckets change, which clients break, and
what comes first. Templates, accounts and logs are put together by the names of buckets.

Each of the three is read now, or from a report that was written before, which needs no
credentials: PATH or --check, --live or --review, --logs or --audit. Any of them can be
left out; what it would have told is then said to be missing.

  wave 0  already enforced
  wave 1  safe now: the logs show that nobody uses plain HTTP
  wave 2  after clients have moved, which are named, in the order that frees buckets soonest
  wave 3  needs evidence first: logs, or the name of the bucket
  wave 4  needs another design first: a website, which speaks plain HTTP only
"""
_EPILOG = """\
exit codes:
  0    nothing is left to do: every bucket is enforced, or left by an exception, by
       reports that are at most --maximum-age old
  1    there is something to enforce, now or after a change
  2    could not run: bad arguments, or something that could not be read. It goes before
       1 and 3, because the plan is not whole; what was found is shown
  3    only evidence is missing, or a check or a review is too old to be one
  130  interrupted
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add them to the parser of the command."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    templates = parser.add_argument_group("templates")
    templates.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="a template, a cdk.out, a directory, a pattern, or -, as for `check`",
    )
    templates.add_argument(
        "--check",
        metavar="FILE",
        help="what `check --format json` wrote, instead of a PATH",
    )
    templates.add_argument(
        "--stack-resources",
        action="append",
        dest="stack_resources",
        metavar="[TEMPLATE=]FILE",
        default=[],
        help="the names of buckets that CloudFormation made up: what `aws cloudformation "
        "list-stack-resources` or `describe-stack-resources` printed; can be given again, for each stack",
    )
    add_together(templates)
    running = parser.add_argument_group("running buckets")
    running.add_argument(
        "--live",
        action="store_true",
        help="review the accounts now, as `review` does: that of the environment unless options say others",
    )
    running.add_argument(
        "--review",
        action="append",
        dest="reviews",
        metavar="FILE",
        default=[],
        help="what `review --format json` wrote; can be given again, for each account",
    )
    add_accounts(parser)
    add_asking(parser.add_argument_group("how AWS is asked"))
    logs = parser.add_argument_group("logs")
    logs.add_argument(
        "--logs",
        action="append",
        metavar="LOG",
        default=[],
        help="a file, a directory, a pattern, or s3://BUCKET/PREFIX, as for `audit`; can be given again",
    )
    logs.add_argument("--audit", metavar="FILE", help="what `audit --format json` wrote")
    add_evidence(logs)
    add_reports(parser, verbose="list every bucket and client", formats=FORMATS)
    how = parser.add_argument_group("how it runs")
    how.add_argument(
        "--strict",
        action=argparse.BooleanOptionalAction,
        default=None,
        help='take {"AWS": "*"} not to cover AWS services, which AWS does not document',
    )
    add_memory(how)
    how.add_argument(
        "--jobs", "-j", type=number_from_one, metavar="N", help="processes and threads; as fits unless given"
    )
    add_config(how)
