"""The arguments of `secure-bucket audit`."""

from __future__ import annotations

import argparse
import datetime
import re
from typing import Any

from secure_bucket.cli.arguments.common import add_access, add_reports, number_from_one

__all__ = ["KEYS", "add", "add_evidence", "add_memory"]

KEYS = ("bucket", "requester", "user-agent", "address", "operation", "status")

_FORMATS = ("text", "json", "csv")

_DESCRIPTION = """\
Tell from logs who still uses plain HTTP, or TLS older than asked, before the deny goes on.

LOG is a file, a directory, a pattern, - for standard input, or s3://BUCKET/PREFIX. It holds
server access logs of S3 (the text, or the JSON that CloudWatch delivers) or events of
CloudTrail, packed with gzip, zstd or not at all.

It says *safe to enforce* only where the logs of a bucket span enough days, end recently,
hold requests, and tell of each one how it came. A request that was refused already (403)
breaks nothing.
"""
_EPILOG = """\
exit codes:
  0    safe to enforce
  1    clients break
  2    could not run: bad arguments, or a log that could not be read. It goes before
       1 and 3, because the answer is not whole; what was found is shown
  3    cannot tell; --undecided=warn makes it 0
  130  interrupted
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add them to the parser of the command."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    parser.add_argument("logs", nargs="+", metavar="LOG", help="what to read")
    what = parser.add_argument_group("what counts")
    what.add_argument(
        "--bucket",
        action="append",
        dest="buckets",
        metavar="NAME",
        default=[],
        help="this bucket alone, which then has to be in the logs; can be given again",
    )
    add_evidence(what)
    what.add_argument(
        "--undecided",
        choices=("error", "warn"),
        default="error",
        help="whether cannot tell fails: error unless given",
    )
    shown = parser.add_argument_group("what is shown")
    shown.add_argument(
        "--group-by",
        type=_keys,
        metavar="KEYS",
        default=KEYS[:-1],
        help=f"some of {','.join(KEYS)}; all but the status unless given",
    )
    shown.add_argument(
        "--limit",
        type=number_from_one,
        metavar="N",
        default=20,
        help="the N largest groups of each kind, 20 unless given",
    )
    add_reports(parser, verbose="also list the files that are no logs", formats=_FORMATS)
    _add_athena(parser)
    add_access(
        parser,
        region="the region of the logs",
        endpoint="another endpoint than that of AWS, for every service",
    )
    how = parser.add_argument_group("how it runs")
    add_memory(how)
    how.add_argument(
        "--jobs", "-j", type=number_from_one, metavar="N", help="threads; one for each core unless given"
    )


def add_evidence(what: Any) -> None:
    """Add the options on which requests count, and how many days of them are evidence."""
    what.add_argument(
        "--since",
        type=_moment,
        metavar="TIME",
        help="from then on: 2027-03-01, 2027-03-01T12:00 (UTC), or 30d ago",
    )
    what.add_argument("--until", type=_end, metavar="TIME", help="until then; a day counts whole")
    what.add_argument(
        "--minimum-tls",
        type=float,
        choices=(1.0, 1.1, 1.2, 1.3),
        metavar="VERSION",
        help="also count older TLS, as 1.2",
    )
    what.add_argument(
        "--minimum-window",
        type=_days,
        metavar="DAYS",
        default=30,
        help="how many days the logs have to span to say safe, 30d unless given",
    )
    what.add_argument(
        "--maximum-age",
        type=_days,
        metavar="DAYS",
        default=7,
        help="how many days ago they may end, 7d unless given",
    )


def add_memory(how: Any) -> None:
    """Add `--memory`."""
    how.add_argument(
        "--memory",
        type=_memory,
        metavar="SIZE",
        default="1GB",
        help="before it writes to disk, 1GB unless given",
    )


def _add_athena(parser: argparse.ArgumentParser) -> None:
    athena = parser.add_argument_group("past one machine")
    athena.add_argument(
        "--athena",
        action="store_true",
        help="let Amazon Athena run the query over one s3://BUCKET/PREFIX, once told what it costs",
    )
    athena.add_argument(
        "--print-sql",
        nargs="?",
        const="athena",
        choices=("duckdb", "athena"),
        help="print the table and the query for Athena, or the query for DuckDB; run nothing",
    )
    athena.add_argument(
        "--logs-are",
        choices=("access", "cloudtrail"),
        help="what the prefix holds; found out unless given, and access for --print-sql",
    )
    athena.add_argument(
        "--database", metavar="NAME", default="default", help="of the table: default unless given"
    )
    athena.add_argument("--workgroup", metavar="NAME", default="primary", help="primary unless given")
    athena.add_argument(
        "--output-location", metavar="S3", help="where the results go; what the workgroup says unless given"
    )
    athena.add_argument("--yes", "-y", action="store_true", help="run the query without asking")


def _moment(text: str) -> datetime.datetime:
    """Return a time in UTC: a day, a time, or a number of days ago.

    Raises:
        argparse.ArgumentTypeError: If it is none.
    """
    ago = re.fullmatch(r"(\d{1,5})d", text)
    try:
        if ago:
            return datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=int(ago[1]))
        time = datetime.datetime.fromisoformat(f"{text[:-1]}+00:00" if text.endswith("Z") else text)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"`{text}` is neither a day as 2027-03-01, nor a time as 2027-03-01T12:00, nor days ago as 30d"
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=datetime.timezone.utc)


def _end(text: str) -> datetime.datetime:
    time = _moment(text)
    return time + datetime.timedelta(days=1) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else time


def _days(text: str) -> int:
    found = re.fullmatch(r"(\d{1,5})d?", text)
    if found is None or int(found[1]) < 1:
        raise argparse.ArgumentTypeError(f"`{text}` is not a number of days from 1, as 30d")
    return int(found[1])


def _keys(text: str) -> tuple[str, ...]:
    keys = tuple(dict.fromkeys(key.strip().replace("_", "-") for key in text.split(",")))
    for key in keys:
        if key not in KEYS:
            raise argparse.ArgumentTypeError(f"`{key}` is nothing to group by; there are {', '.join(KEYS)}")
    return keys


def _memory(text: str) -> str:
    if not re.fullmatch(r"[1-9]\d{0,5} ?(?:MB|GB|MiB|GiB)", text):
        raise argparse.ArgumentTypeError(f"`{text}` is not a size as 500MB or 4GB")
    return text
