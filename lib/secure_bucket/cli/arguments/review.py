"""The arguments of `secure-bucket review`."""

from __future__ import annotations

import argparse
from typing import Any

from secure_bucket.cli.arguments.common import (
    add_baseline,
    add_claim,
    add_config,
    add_endpoint,
    add_reports,
    add_show_permissions,
    number_from_one,
)

__all__ = ["add", "add_accounts", "add_asking"]

_DESCRIPTION = """\
Review every general purpose S3 bucket of an account, or of many: does the policy that is
in force deny plain HTTP? Nothing is changed; --show-permissions prints what has to be allowed.

The account is that of the environment or the profile, as for the AWS CLI. A bucket that
cannot be read is reported as such, with exit code 2, and never passes for fine.
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add them to the parser of the command."""
    parser.description = _DESCRIPTION
    add_reports(parser, verbose="also list proven buckets")
    add_claim(parser)
    add_accounts(parser)
    what = parser.add_argument_group("which buckets")
    what.add_argument(
        "--bucket",
        action="append",
        dest="buckets",
        metavar="NAME",
        default=[],
        help="only this bucket; can be given again",
    )
    what.add_argument(
        "--exclude",
        action="append",
        metavar="PATTERN",
        default=[],
        help="leave out buckets whose name matches, as 'tmp-*'; can be given again",
    )
    how = parser.add_argument_group("how AWS is asked")
    add_asking(how)
    add_config(how)
    add_baseline(parser)


def add_accounts(parser: argparse.ArgumentParser) -> None:
    """Add the options on whom AWS is asked as."""
    accounts = parser.add_argument_group("which accounts")
    accounts.add_argument(
        "--profile",
        action="append",
        dest="profiles",
        metavar="NAME",
        default=[],
        help="a profile of the AWS configuration; can be given again, one for each account",
    )
    accounts.add_argument(
        "--role-arn",
        action="append",
        dest="role_arns",
        metavar="ARN",
        default=[],
        help="a role to assume; can be given again, one for each account",
    )
    accounts.add_argument(
        "--role-name", metavar="NAME", help="the role to assume in each --account, or of the --organization"
    )
    accounts.add_argument(
        "--account",
        action="append",
        dest="accounts",
        metavar="ID",
        default=[],
        help="an account, by its 12 digits; can be given again",
    )
    accounts.add_argument(
        "--organization",
        action="store_true",
        help="every account of the organization; closed and suspended ones are named and passed over",
    )
    accounts.add_argument(
        "--skip-account",
        action="append",
        dest="skip_accounts",
        metavar="ID",
        default=[],
        help="pass over an account; can be given again",
    )
    accounts.add_argument("--external-id", metavar="ID", help="the external id that the roles ask for")


def add_asking(how: Any) -> None:
    """Add the options on how AWS is asked."""
    how.add_argument(
        "--aggregator",
        metavar="NAME",
        help="ask this aggregator of AWS Config, in one query for all accounts, instead of S3 for each "
        "bucket; the answer is as old as its records",
    )
    add_endpoint(
        how,
        region="the region to start in; with --aggregator, its region",
        endpoint="another endpoint than that of AWS, for every service",
    )
    how.add_argument(
        "--threads",
        type=number_from_one,
        metavar="N",
        default=16,
        help="how many buckets are read at a time, 16 unless given",
    )
    how.add_argument(
        "--resume",
        metavar="FILE",
        help="write down in FILE what is read; go on with it after a review that was broken off",
    )
    how.add_argument(
        "--max-age",
        type=number_from_one,
        metavar="HOURS",
        help="with --resume: ask again for what was read longer ago, 24 unless given",
    )
    add_show_permissions(how)
