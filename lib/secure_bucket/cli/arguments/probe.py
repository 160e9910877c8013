"""The arguments of `secure-bucket probe`."""

from __future__ import annotations

import argparse

from secure_bucket.cli.arguments.common import add_access, add_reports

__all__ = ["add"]

_FORMATS = ("text", "json", "sarif", "junit")

_DESCRIPTION = """\
Ask running buckets whether they answer plain HTTP: the same request over HTTPS and over
plain HTTP. It is enforced only if HTTPS is let in, and plain HTTP is refused by the policy.

Nothing is written, and nothing is read: a prefix is listed that nobody uses, and an object
is asked for that is not there, or (with --key) on a condition that does not hold.

Without --sign-http no signature travels in clear. Then only a public bucket has a
conclusive answer, and with --policy-check only: a private one refuses whoever does not
sign over HTTPS as well, and S3 tells them nothing about what refused them.
What is signed and sent over plain HTTP can be read and, within some 15 minutes, repeated
by everybody on the way: that request and no other, as a signature does not tell the secret.
The session token of temporary credentials travels in clear beside it.
"""
_EPILOG = """\
exit codes:
  0    enforced: every bucket refused what it lets in over HTTPS
  1    open: a request got in, or the policy provably lets one in
  2    could not run: bad arguments, no such bucket, no answer over HTTPS, …
  3    inconclusive, and nothing open
  130  interrupted
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add them to the parser of the command."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    parser.add_argument("buckets", nargs="+", metavar="BUCKET", help="a bucket, by its name or ARN")
    what = parser.add_argument_group("what is asked")
    what.add_argument(
        "--sign-http",
        choices=("narrowed", "own"),
        help="what may be signed and sent in clear: narrowed has AWS make a session of 15 minutes that may "
        "do nothing but this (sts:GetFederationToken, or with --role-arn sts:AssumeRole), own takes your "
        "credentials as they are; nothing unless given",
    )
    what.add_argument(
        "--key",
        action="append",
        dest="keys",
        metavar="KEY",
        default=[],
        help="ask for this object, without its content, instead of one that is not there; its name then "
        "travels in clear; can be given again",
    )
    what.add_argument(
        "--tls",
        action="append",
        choices=("1.0", "1.1", "1.2", "1.3"),
        dest="tls",
        metavar="VERSION",
        default=[],
        help="also ask over this TLS version alone, as 1.1; can be given again",
    )
    what.add_argument("--no-http", action="store_true", help="with --tls: do not ask over plain HTTP")
    what.add_argument(
        "--policy-check",
        action="store_true",
        help="also read the bucket policy and prove the same, and say where proof and probe disagree",
    )
    what.add_argument(
        "--strict",
        action="store_true",
        help='with --policy-check: take {"AWS": "*"} not to cover AWS services, which AWS does not document',
    )
    where = parser.add_argument_group("which endpoint is asked")
    where.add_argument(
        "--http-endpoint-url",
        metavar="URL",
        help="the endpoint for plain HTTP of other storage; unless given, that of --endpoint-url with http, "
        "if it names no port",
    )
    where.add_argument("--path-style", action="store_true", help="the name of the bucket stands in the path")
    where.add_argument("--dual-stack", action="store_true", help="the endpoint for IPv4 and IPv6")
    where.add_argument("--fips", action="store_true", help="the FIPS endpoint")
    where.add_argument("--accelerate", action="store_true", help="the endpoint of S3 Transfer Acceleration")
    where.add_argument(
        "--timeout", type=_seconds, metavar="SECONDS", default=10.0, help="for each answer, 10 unless given"
    )
    add_access(
        parser,
        region="where to look for the bucket first",
        endpoint="the HTTPS endpoint of other storage that speaks as S3 does",
    )
    add_reports(parser, verbose="also list every request and its answer", formats=_FORMATS)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError(f"`{text}` is not a number of seconds, above 0 and at most 3600")
    return seconds
