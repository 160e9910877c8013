"""The arguments of the command, and the words of its help."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from secure_bucket.reporters import FORMATS

__all__ = ["ReportTo", "build_parser"]

EXIT_CODES = """\
exit codes:
  0    everything is proven
  1    refuted: a request over plain HTTP gets through
  2    could not run: bad arguments, or something that could not be read. It goes
       before 1 and 3, because the answer is not whole; what was found is shown
  3    undecided, and nothing refuted
  130  interrupted
"""

_CHECK = """\
Check every S3 bucket of CloudFormation templates: does its policy deny plain HTTP?

PATH is a template (JSON, YAML), the directory of a CDK cloud assembly (cdk.out), a
directory that is searched for both, a pattern, or - for standard input. In a
directory, files that are no templates are passed over and counted.
"""

_FIX = """\
Add the deny to every bucket of CloudFormation templates that provably answers plain HTTP.

Nothing is written unless --write says so: the changes are shown as a diff. Only text is
added, and comments, order, quoting and line ends stay as they are. What is written
proves, and a second run changes nothing. A bucket that cannot be fixed safely is left,
with the reason: a website, several policies, a policy that is built by Fn::If or stands
in another template, what the CDK has made, what is undecided or excepted.

PATH is a template, a directory, a pattern, or - for standard input: the fixed template
then goes to standard output, or with --diff the diff. A bucket policy that nobody here
declares (set by hand, by another stack) is replaced by a new one at deployment.
"""

_FIX_EXIT_CODES = """\
exit codes:
  0    everything is proven, or was excepted; with --write after what was written
  1    there is something to fix, or a bucket is left that answers plain HTTP
  2    could not run: bad arguments, or something that could not be read or written.
       It goes before 1 and 3; what could be done is done all the same
  3    a bucket is left that is undecided, and nothing else
  130  interrupted
"""

_PROVE = """\
Decide whether a bucket policy denies every request over plain HTTP, as with
    aws s3api get-bucket-policy --bucket NAME | secure-bucket prove - --bucket NAME
"""

_EXPLAIN = """\
Print the manual of a rule (SB001, or plaintext-http), or say in plain words what each
statement of a bucket policy does and how it bears on plain HTTP. Without an argument
list the rules.
"""


class ReportTo(NamedTuple):
    """One report to write.

    Args:
        format: The name of the format.
        file: The file; `None` for standard output.
    """

    format: str
    file: str | None


class _Help(argparse.RawDescriptionHelpFormatter):
    # Made for every argument that is added: without a width it loads `shutil` and all of its archives.
    def __init__(self, prog: str) -> None:
        columns = os.environ.get("COLUMNS", "")
        if columns.isdecimal() and len(columns) < 5:
            width = int(columns)
        else:
            try:
                width = os.get_terminal_size().columns
            except OSError:
                width = 80
        super().__init__(prog, width=max(width, 40) - 2)


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


class _Version(argparse.Action):
    # Looking the version up takes time that only this option is worth.
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from secure_bucket import __version__

        print(f"secure-bucket {__version__}")
        parser.exit(0)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command."""
    parser = argparse.ArgumentParser(
        prog="secure-bucket",
        description="Prove that no S3 bucket answers plain HTTP, or show the request that gets through.",
        epilog=EXIT_CODES,
        formatter_class=_Help,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_check(commands)
    _add_fix(commands)
    _add_prove(commands)
    _add_explain(commands)
    completion = _command(commands, "completion", "print a completion script for a shell", None)
    completion.add_argument("shell", choices=("bash", "tcsh", "zsh"))
    return parser


def _command(commands: Any, name: str, words: str, description: str | None) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=words,
        description=description or f"{words[0].upper()}{words[1:]}.",
        epilog=EXIT_CODES,
        formatter_class=_Help,
    )
    return parser


def _add_check(commands: Any) -> None:
    parser = _command(commands, "check", "check templates, directories and cloud assemblies", _CHECK)
    parser.add_argument("paths", nargs="*", metavar="PATH", help="what to check")
    reports = parser.add_argument_group("reports")
    reports.add_argument(
        "--format",
        action=_Format,
        choices=tuple(FORMATS),
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
    reports.add_argument("--quiet", "-q", action="store_true", help="no text report and no notes")
    reports.add_argument(
        "--verbose", "-v", action="store_true", help="also list proven buckets and files passed over"
    )
    _add_colour(reports)
    _add_claim(parser)
    what = parser.add_argument_group("what is checked")
    what.add_argument(
        "--exclude",
        action="append",
        metavar="PATTERN",
        default=[],
        help="pass over what is found in a directory and matches; can be given again",
    )
    what.add_argument(
        "--together",
        action="store_true",
        help="take all templates as one application, in which exports and imports meet; unless given, "
        "each is checked by itself",
    )
    what.add_argument(
        "--skip-other-files",
        action="store_true",
        help="pass over given files that are no templates, and do not mind if no bucket is left: for "
        "hooks that hand over every changed file",
    )
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
    how = parser.add_argument_group("how it runs")
    how.add_argument(
        "--jobs",
        "-j",
        type=_jobs,
        metavar="N",
        help="processes; unless given, one for each core where there is much to read",
    )
    _add_config(how)


def _add_fix(commands: Any) -> None:
    parser = _command(commands, "fix", "add the deny to templates, or show how", _FIX)
    parser.epilog = _FIX_EXIT_CODES
    parser.add_argument("paths", nargs="+", metavar="PATH", help="what to fix")
    parser.add_argument(
        "--write", "-w", action="store_true", help="write the templates anew, each wholly or not at all"
    )
    parser.add_argument(
        "--diff", action="store_true", help="show the changes; so it is unless --write is given"
    )
    parser.add_argument(
        "--synthesized", action="store_true", help="also fix what the CDK has made, which it will make anew"
    )
    parser.add_argument(
        "--together",
        action="store_true",
        help="take all templates as one application, in which exports and imports meet",
    )
    parser.add_argument(
        "--exclude",
        action="append",
        metavar="PATTERN",
        default=[],
        help="pass over what is found in a directory and matches; can be given again",
    )
    parser.add_argument("--quiet", "-q", action="store_true", help="say only what is left, and faults")
    _add_colour(parser)
    parser.add_argument(
        "--undecided",
        choices=("error", "warn"),
        help="whether what is undecided fails: error unless given",
    )
    parser.add_argument(
        "--strict",
        action=argparse.BooleanOptionalAction,
        default=None,
        help='take {"AWS": "*"} not to cover AWS services, which AWS does not document',
    )
    _add_config(parser)


def _add_prove(commands: Any) -> None:
    parser = _command(commands, "prove", "decide about one bucket policy", _PROVE)
    parser.add_argument("policy", metavar="POLICY", help="a file with the policy, or - for standard input")
    _add_bucket(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text unless given")
    parser.add_argument("--quiet", "-q", action="store_true", help="say nothing, but for faults")
    _add_claim(parser)


def _add_explain(commands: Any) -> None:
    parser = _command(commands, "explain", "explain a rule, or a bucket policy", _EXPLAIN)
    parser.add_argument("subject", nargs="?", metavar="RULE|POLICY", help="a rule, a file, or -")
    _add_bucket(parser)
    parser.add_argument("--strict", action="store_true", help='take {"AWS": "*"} not to cover AWS services')


def _add_bucket(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--bucket", metavar="NAME", help="the bucket; unless given, the one that the policy names"
    )
    parser.add_argument(
        "--partition",
        metavar="NAME",
        help="aws, aws-cn, aws-us-gov, …; unless given, the one that the policy names, or else aws",
    )


def _add_claim(parser: argparse.ArgumentParser) -> None:
    claim = parser.add_argument_group("what counts")
    claim.add_argument(
        "--undecided",
        choices=("error", "warn"),
        help="whether what cannot be decided fails: error unless given",
    )
    claim.add_argument(
        "--strict",
        action=argparse.BooleanOptionalAction,
        default=None,
        help='take {"AWS": "*"} not to cover AWS services, which AWS does not document',
    )
    claim.add_argument(
        "--minimum-tls",
        type=float,
        choices=(1.0, 1.1, 1.2, 1.3),
        metavar="VERSION",
        help="also find what lets older TLS through, as 1.2",
    )


def _add_colour(parser: Any) -> None:
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


def _add_config(parser: Any) -> None:
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="settings; unless given, the nearest secure-bucket.toml, or pyproject.toml with "
        "[tool.secure-bucket], from the working directory upwards",
    )
    parser.add_argument("--no-config", action="store_true", help="read no settings")


def _jobs(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"`{text}` is not a number from 1")
    return int(text)
