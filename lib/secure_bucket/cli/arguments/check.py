"""Define the arguments of `secure-bucket check`."""

from __future__ import annotations

import argparse

from secure_bucket.cli.arguments.common import (
    ReportTo,
    add_baseline,
    add_claim,
    add_config,
    add_exclude,
    add_jobs,
    add_reports,
    add_selection,
    add_together,
)

__all__ = ["add"]

_DESCRIPTION = """\
Find the S3 buckets in CloudFormation templates that accept plain HTTP.

PATH is a template (JSON or YAML), a CDK cloud assembly (cdk.out), a directory that
contains either, a glob pattern, or - for standard input (default: the paths in the
settings, else the working directory). Other files in a directory are skipped.
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add them to the parser of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("paths", nargs="*", metavar="PATH", help="template, cdk.out, directory, pattern or -")
    reports = add_reports(parser, verbose="also list proven buckets and skipped files")
    reports.add_argument(
        "--statistics",
        action="append_const",
        const=ReportTo("statistics", None),
        dest="reports",
        help="count findings by rule, reason, directory and template, the same as --format statistics",
    )
    add_claim(parser)
    add_selection(parser.add_argument_group("rules"))
    what = parser.add_argument_group("input")
    add_exclude(what)
    add_together(what)
    what.add_argument(
        "--skip-other-files",
        action="store_true",
        help="skip PATHs that are not templates, and accept an input without buckets; for hooks that pass "
        "every changed file",
    )
    fixes = parser.add_argument_group("fixes")
    fixes.add_argument(
        "--fix",
        action="store_true",
        help="first add the deny where that is safe, as `fix --write` does, then check",
    )
    fixes.add_argument(
        "--diff",
        action="store_true",
        help="show the changes that --fix would make, and write nothing; takes precedence over --fix",
    )
    add_baseline(parser)
    how = parser.add_argument_group("run")
    add_jobs(how, "number of processes (default: one for each core if the input is large)")
    how.add_argument(
        "--exit-zero",
        action="store_true",
        help="exit with 0 despite findings; an incomplete run still exits with 2",
    )
    add_config(how)
    how.add_argument(
        "--show-settings", action="store_true", help="print the settings in force as TOML, and exit"
    )
