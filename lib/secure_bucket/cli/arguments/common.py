"""Define the options that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from secure_bucket.errors import SecureBucketError
from secure_bucket.formats import FORMATS

__all__ = [
    "ReportTo",
    "add_access",
    "add_baseline",
    "add_bucket",
    "add_claim",
    "add_colour",
    "add_config",
    "add_endpoint",
    "add_exclude",
    "add_jobs",
    "add_minimum_tls",
    "add_repeatable",
    "add_reports",
    "add_selection",
    "add_show_permissions",
    "add_strict",
    "add_together",
    "add_verdict",
    "positive_number",
    "refuse_empty",
]


class ReportTo(NamedTuple):
    """One report to write.

    Args:
        format: The name of the format.
        file: The file; `None` for standard output.
    """

    format: str
    file: str | None


class _Report(argparse.Action):
    """Record a format, or the file for the format before it."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        value = str(values)
        reports = list(namespace.reports or ())
        if self.choices is not None:
            reports.append(ReportTo(value, None))
        else:
            reports = reports or [ReportTo("text", None)]
            if reports[-1].file is not None:
                parser.error(f"--output {value}: give a --format before each --output")
            if not value:
                parser.error("--output: the file name is empty")
            reports[-1] = ReportTo(reports[-1].format, value)
        namespace.reports = reports


def add_reports(
    parser: argparse.ArgumentParser,
    *,
    verbose: str,
    formats: Iterable[str] = FORMATS,
    output: str = "write the report of the preceding --format to FILE (default: -, standard output, which "
    "takes only one report)",
    quiet: str = "hide the text report and notes",
) -> Any:
    """Add the options for report formats and files, and return their group.

    Args:
        parser: The parser of the command.
        verbose: What `--verbose` does.
        formats: The formats that the command writes (default: all).
        output: The help text of `--output`.
        quiet: The help text of `--quiet`.
    """
    reports = parser.add_argument_group("reports")
    reports.add_argument(
        "--format",
        action=_Report,
        choices=tuple(formats),
        metavar="FORMAT",
        dest="reports",
        help=f"report format: {', '.join(formats)} (default: text; repeatable)",
    )
    reports.add_argument(
        "--output",
        action=_Report,
        metavar="FILE",
        dest="reports",
        help=output,
    )
    if "sarif" in formats:
        reports.add_argument(
            "--omit-suppressed",
            action="store_true",
            help="leave excepted and baselined findings out of SARIF, because GitHub ignores SARIF "
            "suppressions and would show an alert for each",
        )
    reports.add_argument("--quiet", "-q", action="store_true", help=quiet)
    reports.add_argument("--verbose", "-v", action="store_true", help=verbose)
    add_colour(reports)
    return reports


def add_baseline(parser: argparse.ArgumentParser) -> None:
    """Add the options for a baseline of known findings."""
    known = parser.add_argument_group("known findings")
    baseline = known.add_mutually_exclusive_group()
    baseline.add_argument(
        "--baseline", metavar="FILE", help="ignore the findings listed in FILE; only new ones fail"
    )
    baseline.add_argument(
        "--write-baseline",
        metavar="FILE",
        help="write the findings to FILE; if FILE exists, only remove findings that are gone",
    )
    known.add_argument(
        "--grow-baseline", action="store_true", help="let --write-baseline add findings to an existing FILE"
    )


def add_repeatable(group: Any, option: str, metavar: str, help: str, *, dest: str | None = None) -> None:
    """Add an option that can be given several times."""
    names = {} if dest is None else {"dest": dest}
    group.add_argument(
        option, action="append", metavar=metavar, default=[], help=f"{help} (repeatable)", **names
    )


def add_exclude(parser: Any) -> None:
    """Add `--exclude`."""
    add_repeatable(parser, "--exclude", "PATTERN", "skip files that match PATTERN")


def add_together(parser: Any) -> None:
    """Add `--together`."""
    parser.add_argument(
        "--together",
        action="store_true",
        help="treat all templates as one application, whose exports and imports match (default: check each "
        "template alone)",
    )


def add_verdict(parser: Any) -> None:
    """Add `--undecided` and `--strict`."""
    parser.add_argument(
        "--undecided",
        choices=("error", "warn"),
        help="treat undecided buckets as errors or warnings (default: error)",
    )
    add_strict(parser)


def add_claim(parser: argparse.ArgumentParser) -> None:
    """Add the options on what to prove about each bucket."""
    claim = parser.add_argument_group("what to prove")
    add_verdict(claim)
    add_minimum_tls(claim, "also report buckets that accept TLS older than VERSION, such as 1.2")


def add_minimum_tls(group: Any, help: str) -> None:
    """Add `--minimum-tls`."""
    group.add_argument(
        "--minimum-tls", type=float, choices=(1.0, 1.1, 1.2, 1.3), metavar="VERSION", help=help
    )


def add_strict(parser: Any, *, settings: bool = True) -> None:
    """Add `--strict`, and `--no-strict` for commands with settings."""
    document = " (AWS does not document it)" if settings else ""
    parser.add_argument(
        "--strict",
        action=argparse.BooleanOptionalAction if settings else "store_true",
        default=None if settings else False,
        help=f'assume that {{"AWS": "*"}} does not cover AWS services{document}',
    )


def add_jobs(group: Any, help: str) -> None:
    """Add `--jobs`."""
    group.add_argument("--jobs", "-j", type=positive_number, metavar="N", help=help)


def add_selection(parser: Any) -> None:
    """Add `--select` and `--ignore`."""
    for name, what in (
        ("--select", "check only these rules, by ID or name (default: all; repeatable)"),
        ("--ignore", "do not count findings of these rules, by ID or name (repeatable)"),
    ):
        parser.add_argument(name, action="append", metavar="RULE,...", help=what)


def add_bucket(parser: argparse.ArgumentParser) -> None:
    """Add `--bucket` and `--partition`."""
    parser.add_argument(
        "--bucket", metavar="NAME", help="name of the bucket (default: the bucket that the policy names)"
    )
    parser.add_argument(
        "--partition",
        metavar="NAME",
        help="partition, such as aws-cn (default: the partition that the policy names, else aws)",
    )


def add_access(parser: argparse.ArgumentParser, *, region: str, endpoint: str) -> None:
    """Add the options for the AWS session of one account.

    Args:
        parser: The parser of the command.
        region: The help text of `--region`.
        endpoint: The help text of `--endpoint-url`.
    """
    how = parser.add_argument_group("AWS session")
    how.add_argument("--profile", metavar="NAME", help="AWS profile to use")
    how.add_argument("--role-arn", metavar="ARN", help="IAM role to assume")
    how.add_argument("--external-id", metavar="ID", help="external ID that the role requires")
    add_endpoint(how, region=region, endpoint=endpoint)
    add_show_permissions(how)


def add_endpoint(how: Any, *, region: str, endpoint: str) -> None:
    """Add `--region`, `--endpoint-url` and `--ca-bundle`."""
    how.add_argument("--region", metavar="NAME", help=region)
    how.add_argument("--endpoint-url", metavar="URL", help=endpoint)
    how.add_argument(
        "--ca-bundle", metavar="FILE", help="CA certificates to trust (default: those of the AWS SDK)"
    )


def add_show_permissions(how: Any) -> None:
    """Add `--show-permissions`."""
    how.add_argument(
        "--show-permissions",
        action="store_true",
        help="print an IAM policy with the permissions that these options need, and exit",
    )


def add_colour(parser: Any) -> None:
    """Add `--color` and `--no-color`."""
    colour = parser.add_mutually_exclusive_group()
    colour.add_argument(
        "--color", action="store_true", default=None, dest="colour", help="use colour, also in a pipe"
    )
    colour.add_argument(
        "--no-color",
        action="store_false",
        dest="colour",
        help="use no colour (default: colour in a terminal, unless NO_COLOR is set)",
    )


def add_config(parser: Any) -> None:
    """Add `--config` and `--no-config`."""
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="settings file (default: the nearest secure-bucket.toml, or pyproject.toml with "
        "[tool.secure-bucket], in the working directory or above it)",
    )
    parser.add_argument("--no-config", action="store_true", help="ignore settings files")


def refuse_empty(**values: Iterable[str]) -> None:
    """Raise `SecureBucketError` for an empty value, which a shell passes for an unset variable."""
    for name, given in values.items():
        if "" in given:
            option = name if name.isupper() else f"--{name.replace('_', '-')}"
            raise SecureBucketError(f"a {option} is empty: is a variable unset?")


def positive_number(text: str) -> int:
    """Return the number in an option's text.

    Raises:
        argparse.ArgumentTypeError: If the text is not a number, or the number is below 1.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"`{text}` is not a whole number of at least 1")
    return int(text)
