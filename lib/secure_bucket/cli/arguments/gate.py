"""Define the arguments of `secure-bucket gate`."""

from __future__ import annotations

import argparse

from secure_bucket.cli.arguments.common import add_claim, add_config, add_reports, add_selection

__all__ = ["add"]

_DESCRIPTION = """\
Run a CDK app in any language, and judge the cloud assembly that it wrote.

COMMAND is the `app` in cdk.json; --init puts the gate in front of it:

    "app": "secure-bucket gate -- npx ts-node bin/app.ts"

Every cdk command then fails while a bucket is not proven to deny plain HTTP. The
manifest of a refused assembly becomes manifest.json.refused, so that `cdk deploy -a
cdk.out` fails as well. Settings, exceptions and the baseline are those of `check`.
The findings go to standard error, and into validation-report.json for `cdk validate`,
`cdk explore` and the language server of the CDK.
"""

_EXIT_CODES = """\
exit codes:
  0    everything is proven, or the CDK CLI has to look up context first
  1    the gate refuses the assembly: a finding, an undecided bucket, or an
       assembly that is missing, old or unreadable
  2    could not run: bad arguments, or cdk.json cannot be edited
  126  COMMAND cannot be executed
  127  COMMAND does not exist
  128+ signal N ended COMMAND: 128 + N. A COMMAND that fails in another way gives
       its own exit code
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add them to the parser of the command."""
    parser.description = _DESCRIPTION
    parser.epilog = _EXIT_CODES
    parser.add_argument("app", nargs="*", metavar="COMMAND", help="the app and its arguments, after --")
    edit = parser.add_argument_group("edit cdk.json").add_mutually_exclusive_group()
    edit.add_argument("--init", action="store_true", help="put the gate into `app` of cdk.json")
    edit.add_argument("--remove", action="store_true", help="take the gate out of `app` of cdk.json")
    add_reports(
        parser,
        verbose="also list proven buckets in text reports",
        output="write the report of the preceding --format to FILE; standard output belongs to the app",
        quiet="hide the summary of a passing run",
    )
    add_claim(parser)
    add_selection(parser.add_argument_group("rules"))
    known = parser.add_argument_group("baseline")
    known.add_argument(
        "--baseline", metavar="FILE", help="ignore the findings listed in FILE; only new ones fail"
    )
    add_config(parser.add_argument_group("run"))
