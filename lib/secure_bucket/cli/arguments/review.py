"""Define the arguments of `secure-bucket review`."""

from __future__ import annotations

import argparse
from typing import Any

from secure_bucket.cli.arguments.common import (
    add_baseline,
    add_claim,
    add_config,
    add_endpoint,
    add_repeatable,
    add_reports,
    add_selection,
    add_show_permissions,
    positive_number,
)
from secure_bucket.formats import FORMATS, REVIEW_FORMATS

__all__ = ["add", "add_accounts", "add_asking"]

_DESCRIPTION = """\
Find the S3 buckets in one or many AWS accounts that accept plain HTTP.

The command reads the bucket policies in force and changes nothing; --show-permissions
prints the permissions it needs. It uses the account of your environment or profile, like
the AWS CLI. A bucket that it cannot read is reported and gives exit code 2.
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add them to the parser of the command."""
    parser.description = _DESCRIPTION
    add_reports(parser, verbose="also list proven buckets", formats=(*FORMATS, *REVIEW_FORMATS))
    add_claim(parser)
    add_selection(parser.add_argument_group("rules"))
    add_accounts(parser)
    what = parser.add_argument_group("buckets")
    add_repeatable(what, "--bucket", "NAME", "review only this bucket", dest="buckets")
    add_repeatable(what, "--exclude", "PATTERN", "skip buckets whose name matches PATTERN, such as 'tmp-*'")
    what.add_argument(
        "--compare",
        metavar="FILE",
        help="report what changed since an earlier review, written with --format json",
    )
    how = parser.add_argument_group("AWS session")
    add_asking(how)
    add_config(how)
    add_baseline(parser)


def add_accounts(parser: argparse.ArgumentParser) -> None:
    """Add the options on which accounts to read, and with which role."""
    accounts = parser.add_argument_group("accounts")
    add_repeatable(accounts, "--profile", "NAME", "AWS profile of an account", dest="profiles")
    add_repeatable(accounts, "--role-arn", "ARN", "IAM role to assume in an account", dest="role_arns")
    accounts.add_argument(
        "--role-name",
        metavar="NAME",
        help="name of the role to assume in each --account or in the --organization",
    )
    add_repeatable(accounts, "--account", "ID", "account ID of 12 digits", dest="accounts")
    accounts.add_argument(
        "--organization",
        action="store_true",
        help="read every account of the organization; closed and suspended accounts are listed and skipped",
    )
    add_repeatable(accounts, "--skip-account", "ID", "skip this account", dest="skip_accounts")
    accounts.add_argument("--external-id", metavar="ID", help="external ID that the roles require")


def add_asking(how: Any) -> None:
    """Add the options on how to read the accounts."""
    how.add_argument(
        "--aggregator",
        metavar="NAME",
        help="read all accounts in one query from this AWS Config aggregator instead of S3; its records may "
        "be old",
    )
    add_endpoint(
        how,
        region="region to start in; with --aggregator, the region of the aggregator",
        endpoint="endpoint for every service (default: AWS)",
    )
    how.add_argument(
        "--threads",
        type=positive_number,
        metavar="N",
        default=16,
        help="number of buckets to read at a time (default: 16)",
    )
    how.add_argument(
        "--resume",
        metavar="FILE",
        help="record progress in FILE, and continue an interrupted review from it",
    )
    how.add_argument(
        "--max-age",
        type=positive_number,
        metavar="HOURS",
        help="with --resume: read again what is older than HOURS (default: 24)",
    )
    add_show_permissions(how)
