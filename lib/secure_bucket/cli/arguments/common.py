"""Options that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from secure_bucket.errors import SecureBucketError
from secure_bucket.formats import FORMATS

__all__ = [
    "EXIT_CODES",
    "ReportTo",
    "add_access",
    "add_baseline",
    "add_bucket",
    "add_claim",
    "add_colour",
    "add_config",
    "add_endpoint",
    "add_exclude",
    "add_reports",
    "add_show_permissions",
    "add_together",
    "add_verdict",
    "baseline_of",
    "number_from_one",
]

EXIT_CODES = """\
exit codes:
  0    everything is proven
  1    refuted: a request over plain HTTP gets through
  2    could not run: bad arguments, or something that could not be read. It goes
       before 1 and 3, because the answer is not whole; what was found is shown
  3    undecided, and nothing refuted
  130  interrupted
"""


class ReportTo(NamedTuple):
    """One report to write.

    Args:
        format: The name of the format.
        file: The file; `None` for standard output.
    """

    format: str
    file: str | None


class _Format(argparse.Action):
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        reports = [*(namespace.reports or ()), ReportTo(str(values), None)]
        namespace.reports = reports


class _Output(argparse.Action):
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        file = str(values)
        reports = list(namespace.reports or (ReportTo("text", None),))
        if reports[-1].file is not None:
            parser.error(f"--output {file}: give a --format before each --output")
        if not file:
            parser.error("--output: the name of the file is empty")
        reports[-1] = ReportTo(reports[-1].format, file)
        namespace.reports = reports


def add_reports(parser: argparse.ArgumentParser, *, verbose: str, formats: Iterable[str] = FORMATS) -> None:
    """Add the options on what is reported, and where to.

    Args:
        parser: The parser of the command.
        verbose: What `--verbose` does.
        formats: The formats that the command writes: all of them unless given.
    """
    reports = parser.add_argument_group("reports")
    reports.add_argument(
        "--format",
        action=_Format,
        choices=tuple(formats),
        dest="reports",
        help="a format, text unless given; again for a further report",
    )
    reports.add_argument(
        "--output",
        action=_Output,
        metavar="FILE",
        dest="reports",
        help="write the format named just before to FILE; without it, or with -, it goes to standard "
        "output, to which one report can go",
    )
    if "sarif" in formats:
        reports.add_argument(
            "--omit-suppressed",
            action="store_true",
            help="leave what an exception or the baseline excuses out of SARIF: GitHub takes no notice of "
            "suppressions, and would show an alert for it",
        )
    reports.add_argument("--quiet", "-q", action="store_true", help="no text report and no notes")
    reports.add_argument("--verbose", "-v", action="store_true", help=verbose)
    add_colour(reports)


def add_baseline(parser: argparse.ArgumentParser) -> None:
    """Add the options on findings that are known already."""
    known = parser.add_argument_group("known findings")
    baseline = known.add_mutually_exclusive_group()
    baseline.add_argument(
        "--baseline", metavar="FILE", help="findings that stand in FILE do not fail: only new ones do"
    )
    baseline.add_argument(
        "--write-baseline",
        metavar="FILE",
        help="write the findings to FILE; if it exists, only take out what is gone",
    )
    known.add_argument(
        "--grow-baseline", action="store_true", help="let --write-baseline add to an existing file"
    )


def baseline_of(arguments: argparse.Namespace, configured: str | None) -> str | None:
    """Return the baseline to read or write; `None` for none.

    Args:
        arguments: The arguments of the command.
        configured: The baseline that the settings name.

    Raises:
        SecureBucketError: If the arguments contradict each other.
    """
    if arguments.grow_baseline and arguments.write_baseline is None:
        raise SecureBucketError("--grow-baseline says how to --write-baseline FILE: give that, too")
    file: str | None = arguments.write_baseline or arguments.baseline or configured
    return file


def add_exclude(parser: Any) -> None:
    """Add `--exclude`."""
    parser.add_argument(
        "--exclude",
        action="append",
        metavar="PATTERN",
        default=[],
        help="pass over what is found in a directory, or by a pattern, and matches; can be given again",
    )


def add_together(parser: Any) -> None:
    """Add `--together`."""
    parser.add_argument(
        "--together",
        action="store_true",
        help="take all templates as one application, in which exports and imports meet; unless given, "
        "each is checked by itself",
    )


def add_verdict(parser: Any) -> None:
    """Add the options on what makes a verdict, and what it counts for."""
    parser.add_argument(
        "--undecided",
        choices=("error", "warn"),
        help="whether what cannot be decided fails: error unless given",
    )
    parser.add_argument(
        "--strict",
        action=argparse.BooleanOptionalAction,
        default=None,
        help='take {"AWS": "*"} not to cover AWS services, which AWS does not document',
    )


def add_claim(parser: argparse.ArgumentParser) -> None:
    """Add the options on what is claimed of each bucket."""
    claim = parser.add_argument_group("what counts")
    add_verdict(claim)
    claim.add_argument(
        "--minimum-tls",
        type=float,
        choices=(1.0, 1.1, 1.2, 1.3),
        metavar="VERSION",
        help="also find what lets older TLS through, as 1.2",
    )


def add_bucket(parser: argparse.ArgumentParser) -> None:
    """Add the options on which bucket a policy is for."""
    parser.add_argument(
        "--bucket", metavar="NAME", help="the bucket; unless given, the one that the policy names"
    )
    parser.add_argument(
        "--partition",
        metavar="NAME",
        help="aws, aws-cn, aws-us-gov, …; unless given, the one that the policy names, or else aws",
    )


def add_access(parser: argparse.ArgumentParser, *, region: str, endpoint: str) -> None:
    """Add the options on whom AWS is asked as, in one account, and where.

    Args:
        parser: The parser of the command.
        region: What the region is for.
        endpoint: What the endpoint is.
    """
    how = parser.add_argument_group("how AWS is asked")
    how.add_argument("--profile", metavar="NAME", help="a profile of the AWS configuration")
    how.add_argument("--role-arn", metavar="ARN", help="a role to assume")
    how.add_argument("--external-id", metavar="ID", help="the external id that the role asks for")
    add_endpoint(how, region=region, endpoint=endpoint)
    add_show_permissions(how)


def add_endpoint(how: Any, *, region: str, endpoint: str) -> None:
    """Add `--region`, `--endpoint-url` and `--ca-bundle`."""
    how.add_argument("--region", metavar="NAME", help=region)
    how.add_argument("--endpoint-url", metavar="URL", help=endpoint)
    how.add_argument("--ca-bundle", metavar="FILE", help="certificates to trust instead of the usual ones")


def add_show_permissions(how: Any) -> None:
    """Add `--show-permissions`."""
    how.add_argument(
        "--show-permissions",
        action="store_true",
        help="print the IAM policy with what these options need, and ask nothing",
    )


def add_colour(parser: Any) -> None:
    """Add `--color` and `--no-color`."""
    colour = parser.add_mutually_exclusive_group()
    colour.add_argument(
        "--color", action="store_true", default=None, dest="colour", help="colour, also into a pipe"
    )
    colour.add_argument(
        "--no-color",
        action="store_false",
        dest="colour",
        help="no colour; a terminal gets it unless NO_COLOR is set",
    )


def add_config(parser: Any) -> None:
    """Add the options on the file of settings."""
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="settings; unless given, the nearest secure-bucket.toml, or pyproject.toml with "
        "[tool.secure-bucket], from the working directory upwards",
    )
    parser.add_argument("--no-config", action="store_true", help="read no settings")


def number_from_one(text: str) -> int:
    """Return the number that an option was given.

    Raises:
        argparse.ArgumentTypeError: If it is none, or below 1.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"`{text}` is not a number from 1")
    return int(text)
