"""Define the arguments of `secure-bucket audit`."""

from __future__ import annotations

import argparse
import datetime
import re
from typing import Any

from secure_bucket.cli.arguments.common import (
    add_access,
    add_jobs,
    add_minimum_tls,
    add_repeatable,
    add_reports,
    positive_number,
)

__all__ = ["KEYS", "add", "add_evidence", "add_memory"]

KEYS = ("bucket", "requester", "user-agent", "address", "operation", "status")

_FORMATS = ("text", "json", "csv", "html")

_DESCRIPTION = """\
Find the clients that still use plain HTTP, or old TLS, before you add the deny.

LOG is a file, a directory, a glob pattern, - for standard input, or s3://BUCKET/PREFIX. It
contains S3 server access logs (text, or JSON delivered by CloudWatch) or CloudTrail events,
plain or compressed with gzip or zstd.

A bucket is *safe to enforce* only if its logs span enough days, end recently, contain
requests, and show for each request whether it used HTTPS. Requests that were already
refused (403) do not count: the deny breaks nothing for them.
"""
_EPILOG = """\
exit codes:
  0    safe to enforce
  1    the deny would break clients
  2    the run is incomplete: bad arguments or an unreadable log. It takes
       precedence over 1 and 3; findings are shown anyway
  3    the logs cannot tell; 0 with --undecided=warn
  130  interrupted
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add them to the parser of the command."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    parser.add_argument(
        "logs", nargs="+", metavar="LOG", help="file, directory, pattern, - or s3://BUCKET/PREFIX"
    )
    what = parser.add_argument_group("which requests count")
    only = "audit only this bucket, which the logs must contain"
    add_repeatable(what, "--bucket", "NAME", only, dest="buckets")
    add_evidence(what)
    what.add_argument(
        "--undecided",
        choices=("error", "warn"),
        default="error",
        help="treat *cannot tell* as an error or a warning (default: error)",
    )
    shown = parser.add_argument_group("output")
    shown.add_argument(
        "--group-by",
        type=_keys,
        metavar="KEYS",
        default=KEYS[:-1],
        help=f"columns to group by, joined by commas: {', '.join(KEYS)} (default: all except status)",
    )
    shown.add_argument(
        "--limit",
        type=positive_number,
        metavar="N",
        default=20,
        help="show the N largest groups of each kind (default: 20)",
    )
    add_reports(parser, verbose="also list skipped files", formats=_FORMATS)
    _add_athena(parser)
    add_access(
        parser,
        region="region of the logs",
        endpoint="endpoint for every service (default: AWS)",
    )
    how = parser.add_argument_group("run")
    add_memory(how)
    add_jobs(how, "number of threads (default: one for each core)")


def add_evidence(what: Any) -> None:
    """Add the options on which requests count and how many days of logs are enough."""
    what.add_argument(
        "--since",
        type=_moment,
        metavar="TIME",
        help="ignore requests before TIME: 2027-03-01, 2027-03-01T12:00 (UTC), or 30d ago",
    )
    what.add_argument(
        "--until", type=_end, metavar="TIME", help="ignore requests after TIME; a day is included whole"
    )
    add_minimum_tls(what, "also count requests over TLS older than VERSION, such as 1.2")
    what.add_argument(
        "--minimum-window",
        type=_days,
        metavar="DAYS",
        default=30,
        help="days that the logs must span to call a bucket safe (default: 30d)",
    )
    what.add_argument(
        "--maximum-age",
        type=_days,
        metavar="DAYS",
        default=7,
        help="most days without a log, until today or in between, to call a bucket safe (default: 7d)",
    )
    what.add_argument(
        "--tolerate-unknown",
        type=_share,
        metavar="PERCENT",
        default=0.0,
        help="share of requests without a known protocol that a safe bucket may have (default: 0%%)",
    )
    what.add_argument(
        "--skip-copies",
        action="store_true",
        help="ignore the source half of server-side copies, which the target bucket logs as well",
    )


def add_memory(how: Any) -> None:
    """Add `--memory`."""
    how.add_argument(
        "--memory",
        type=_memory,
        metavar="SIZE",
        default="1GB",
        help="memory to use before writing to disk (default: 1GB)",
    )


def _add_athena(parser: argparse.ArgumentParser) -> None:
    athena = parser.add_argument_group("Amazon Athena")
    athena.add_argument(
        "--athena",
        action="store_true",
        help="run the query over one s3://BUCKET/PREFIX in Amazon Athena, after showing its cost",
    )
    athena.add_argument(
        "--print-sql",
        nargs="?",
        const="athena",
        choices=("duckdb", "athena"),
        help="print the SQL for Athena (table and query) or DuckDB (query), and exit",
    )
    athena.add_argument(
        "--logs-are",
        choices=("access", "cloudtrail"),
        help="kind of logs under the prefix (default: detected; access for --print-sql)",
    )
    athena.add_argument(
        "--database", metavar="NAME", default="default", help="database of the table (default: default)"
    )
    athena.add_argument(
        "--workgroup", metavar="NAME", default="primary", help="workgroup of the query (default: primary)"
    )
    athena.add_argument(
        "--output-location", metavar="S3", help="S3 location of the results (default: that of the workgroup)"
    )
    athena.add_argument(
        "--yes", "-y", action="store_true", help="run the query without asking for confirmation"
    )


def _moment(text: str) -> datetime.datetime:
    """Return a time in UTC: a day, a time, or a number of days ago.

    Raises:
        argparse.ArgumentTypeError: If the text is not a time.
    """
    ago = re.fullmatch(r"(\d{1,5})d", text)
    try:
        if ago:
            return datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=int(ago[1]))
        time = datetime.datetime.fromisoformat(f"{text[:-1]}+00:00" if text.endswith("Z") else text)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"`{text}` is not a day (2027-03-01), a time (2027-03-01T12:00) or a number of days (30d)"
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=datetime.timezone.utc)


def _end(text: str) -> datetime.datetime:
    time = _moment(text)
    return time + datetime.timedelta(days=1) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else time


def _days(text: str) -> int:
    found = re.fullmatch(r"(\d{1,5})d?", text)
    if found is None or int(found[1]) < 1:
        raise argparse.ArgumentTypeError(f"`{text}` is not a number of days of at least 1, such as 30d")
    return int(found[1])


def _share(text: str) -> float:
    found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,9})?)%?", text)
    if found is None or float(found[1]) > 100:
        raise argparse.ArgumentTypeError(f"`{text}` is not a share of 100 percent, as 0.1%")
    return float(found[1]) / 100


def _keys(text: str) -> tuple[str, ...]:
    keys = tuple(dict.fromkeys(key.strip().replace("_", "-") for key in text.split(",")))
    for key in keys:
        if key not in KEYS:
            raise argparse.ArgumentTypeError(f"`{key}` is not a column; the columns are {', '.join(KEYS)}")
    return keys


def _memory(text: str) -> str:
    if not re.fullmatch(r"[1-9]\d{0,5} ?(?:MB|GB|MiB|GiB)", text):
        raise argparse.ArgumentTypeError(f"`{text}` is not a size, such as 500MB or 4GB")
    return text
