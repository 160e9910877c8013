"""Define the arguments of `secure-bucket probe`."""

from __future__ import annotations

import argparse

from secure_bucket.cli.arguments.common import add_access, add_repeatable, add_reports

__all__ = ["add"]

_FORMATS = ("text", "json", "sarif", "junit")

_DESCRIPTION = """\
Send the same request to a live bucket over HTTPS and over plain HTTP. The deny is enforced
if HTTPS is allowed and the bucket policy refuses plain HTTP.

The command writes nothing and reads no content: it lists a prefix that nobody uses, and
requests an object that does not exist or (with --key) a condition that does not hold.

Without --sign-http no signature travels in clear. Then only a public bucket gives a
conclusive answer, because a private bucket refuses every unsigned request and S3 does not
say why; the proof of the bucket policy decides for private buckets, if the caller may read it.
The requests show how the bucket answers this identity; the proof makes that general.
Anyone on the network path can read a request that is signed and sent over plain HTTP, and
can repeat that one request for about 15 minutes; the signature does not reveal the secret
key. The session token of temporary credentials is sent in clear as well.
"""
_EPILOG = """\
exit codes:
  0    enforced: every bucket refused over plain HTTP what it allows over HTTPS
  1    open: a request got through, or the policy provably allows one
  2    the run is incomplete: bad arguments, no such bucket, no answer over HTTPS
  3    inconclusive, and no bucket is open
  130  interrupted
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add them to the parser of the command."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    parser.add_argument("buckets", nargs="+", metavar="BUCKET", help="bucket name or ARN")
    what = parser.add_argument_group("requests")
    what.add_argument(
        "--sign-http",
        choices=("narrowed", "own"),
        help="sign the requests over plain HTTP: narrowed uses a session of 15 minutes that is limited to "
        "these requests (sts:GetFederationToken, or sts:AssumeRole with --role-arn), own uses your "
        "credentials (default: unsigned)",
    )
    add_repeatable(
        what,
        "--key",
        "KEY",
        "request this object, without its content, instead of a missing one; its name is sent in clear",
        dest="keys",
    )
    what.add_argument(
        "--tls",
        action="append",
        choices=("1.0", "1.1", "1.2", "1.3"),
        dest="tls",
        metavar="VERSION",
        default=[],
        help="also send requests with only this TLS version, such as 1.1 (repeatable)",
    )
    what.add_argument("--no-http", action="store_true", help="with --tls: send no requests over plain HTTP")
    what.add_argument(
        "--policy-check",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="also prove the bucket policy, which makes the answer hold for every identity, and report where "
        "proof and probe disagree (default: if the caller may read the policy)",
    )
    what.add_argument(
        "--strict",
        action="store_true",
        help='for the proof of the bucket policy: assume that {"AWS": "*"} does not cover AWS services',
    )
    where = parser.add_argument_group("endpoint")
    where.add_argument(
        "--http-endpoint-url",
        metavar="URL",
        help="plain-HTTP endpoint of S3-compatible storage (default: --endpoint-url with http, if it names "
        "no port)",
    )
    where.add_argument(
        "--path-style", action="store_true", help="put the bucket name into the path of the URL"
    )
    where.add_argument("--dual-stack", action="store_true", help="use the dual-stack endpoint")
    where.add_argument("--fips", action="store_true", help="use the FIPS endpoint")
    where.add_argument(
        "--accelerate", action="store_true", help="use the endpoint of S3 Transfer Acceleration"
    )
    where.add_argument(
        "--timeout",
        type=_seconds,
        metavar="SECONDS",
        default=10.0,
        help="seconds to wait for each answer (default: 10)",
    )
    add_access(
        parser,
        region="region to look for the bucket in first",
        endpoint="HTTPS endpoint of S3-compatible storage",
    )
    add_reports(parser, verbose="also list every request and its answer", formats=_FORMATS)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError(f"`{text}` is not a number of seconds above 0 and at most 3600")
    return seconds
