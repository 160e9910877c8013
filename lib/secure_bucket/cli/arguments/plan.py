"""Define the arguments of `secure-bucket plan`."""

from __future__ import annotations

import argparse

from secure_bucket.cli.arguments.audit import add_evidence, add_memory
from secure_bucket.cli.arguments.common import (
    add_config,
    add_jobs,
    add_repeatable,
    add_reports,
    add_strict,
    add_together,
)
from secure_bucket.cli.arguments.review import add_accounts, add_asking

__all__ = ["FORMATS", "add"]

FORMATS = ("text", "json", "markdown", "csv", "html")

_DESCRIPTION = """\
Plan the order in which to deny plain HTTP: which buckets change, which clients break and
what comes first. The plan joins templates, accounts and logs by bucket name.

Each source is read now, or from an earlier report that needs no credentials: PATH or
--check, --live or --review, --logs or --audit. A source can be left out; the plan then
names what is missing.

  wave 0  already enforced
  wave 1  safe now: the logs show that nobody uses plain HTTP
  wave 2  after the named clients have moved, in the order that frees buckets soonest
  wave 3  needs evidence first: logs, or the name of the bucket
  wave 4  needs another design first: a website, which speaks only plain HTTP
"""
_EPILOG = """\
exit codes:
  0    nothing is left to do: every bucket is enforced or excepted, according to
       reports no older than --maximum-age
  1    there are buckets to enforce, now or after a change
  2    the plan is incomplete: bad arguments or an unreadable file. It takes
       precedence over 1 and 3; findings are shown anyway
  3    only evidence is missing, or a check or a review is too old
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
        help="template, cdk.out, directory, pattern or -, as for `check`",
    )
    templates.add_argument(
        "--check",
        metavar="FILE",
        help="report of `check --format json`, instead of a PATH",
    )
    add_repeatable(
        templates,
        "--stack-resources",
        "[TEMPLATE=]FILE",
        "output of `aws cloudformation list-stack-resources` or `describe-stack-resources`, which gives the "
        "generated bucket names of a stack",
    )
    add_together(templates)
    running = parser.add_argument_group("live buckets")
    running.add_argument(
        "--live",
        action="store_true",
        help="review the accounts now, as `review` does (default: the account of your environment)",
    )
    add_repeatable(running, "--review", "FILE", "report of `review --format json`", dest="reviews")
    add_accounts(parser)
    add_asking(parser.add_argument_group("AWS session"))
    logs = parser.add_argument_group("logs")
    add_repeatable(logs, "--logs", "LOG", "file, directory, pattern or s3://BUCKET/PREFIX, as for `audit`")
    logs.add_argument("--audit", metavar="FILE", help="report of `audit --format json`")
    add_evidence(logs)
    add_reports(parser, verbose="list every bucket and client", formats=FORMATS)
    how = parser.add_argument_group("run")
    add_strict(how)
    add_memory(how)
    add_jobs(how, "number of processes and threads (default: depends on the input)")
    add_config(how)
