"""Run `secure-bucket gate`: run a CDK app for the CDK CLI, and judge the assembly that it wrote."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import os
import sys

from secure_bucket.checks.check import Settings
from secure_bucket.checks.cloud_assembly import check_written_assembly
from secure_bucket.checks.gate import refuse_run, rewritten, stamp_of, times_in, waits_for_context
from secure_bucket.checks.judged_files import forget_judged_files, left_over_files, write_judged_files
from secure_bucket.checks.refusal import REFUSED, forget_refusal, leave_tree
from secure_bucket.cli.app_process import AppProcess
from secure_bucket.cli.arguments.common import ReportTo
from secure_bucket.cli.baseline import apply_baseline, read_baseline
from secure_bucket.cli.cdk_json import edit_app
from secure_bucket.cli.config import config_of
from secure_bucket.cli.delivery import deliver, reports_of, run_of
from secure_bucket.cli.exits import exit_code, undecided_as_warnings
from secure_bucket.cli.frame import claim_of, undecided_fails
from secure_bucket.cli.output import is_utf8, to_stderr, wants_colour
from secure_bucket.cli.selection import selection_of
from secure_bucket.errors import SecureBucketError
from secure_bucket.findings.advice import with_advice_for
from secure_bucket.findings.finding import Report
from secure_bucket.formats.cdk_validation import write_validation_report
from secure_bucket.formats.summary import summary
from secure_bucket.formats.text import render
from secure_bucket.policy.messages import name_some
from secure_bucket.template.leftovers import Leftovers
from secure_bucket.template.manifest import MANIFEST, VALIDATION_REPORT
from secure_bucket.version import installed_version

__all__ = ["run"]

# Set by the CDK CLI: `OUTDIR_ENV` and `CLI_VERSION_ENV` of aws-cdk-lib's cx-api, 2.150 and 2.276.
_OUTDIR = "CDK_OUTDIR"
_CLI_VERSION = "CDK_CLI_VERSION"
# Makes an app in Python or Java record its lines; `cdk --debug` sets it as well.
_TRACES = "JSII_HOST_STACK_TRACES"


def run(arguments: argparse.Namespace) -> int:
    """Run the app and judge the assembly that it wrote, or edit `cdk.json`.

    Returns:
        The exit code.

    Raises:
        SecureBucketError: If the arguments contradict each other, or `cdk.json` cannot be edited.
    """
    if arguments.init or arguments.remove:
        if arguments.app:
            raise SecureBucketError("--init and --remove take no COMMAND: they edit the one of `cdk.json`")
        return edit_app(remove=arguments.remove)
    if not arguments.app:
        raise SecureBucketError("give the COMMAND that runs the app after `--` (see --help)")
    return _gate(arguments, _files_of(arguments))


def _files_of(arguments: argparse.Namespace) -> tuple[ReportTo, ...]:
    """Return the reports to write to files.

    Raises:
        SecureBucketError: If a report would go to standard output, which belongs to the app.
    """
    if not arguments.reports:
        return ()
    reports = reports_of(arguments.reports)
    for each in reports:
        if each.file is None and each.format != "text":
            raise SecureBucketError(
                f"--format {each.format} needs an --output FILE: standard output belongs to the app"
            )
    return tuple(each for each in reports if each.file is not None)


def _gate(arguments: argparse.Namespace, files: tuple[ReportTo, ...]) -> int:
    # A person can set the directory: nobody then looks context up.
    called_by_cdk = all(map(os.environ.get, (_OUTDIR, _CLI_VERSION)))
    directory = os.environ.get(_OUTDIR) or "cdk.out"
    variables = {_OUTDIR: directory, _TRACES: os.environ.get(_TRACES, "1")}
    with AppProcess(arguments.app, variables) as child:
        try:
            before = stamp_of(directory)
            forget_refusal(directory)
            forget_judged_files(directory)
            code = child.run()
            if code in (126, 127) and not child.started:
                return code
            if code != 0:
                # Do not judge the files: a failed run may leave new files beside old ones.
                _refuse(directory)
                return code
            after = stamp_of(directory)
            if after is None:
                raise SecureBucketError(
                    f"the app wrote no `{os.path.join(directory, MANIFEST)}`: does it call `synth`, and "
                    "leave the output directory to the CDK CLI?"
                )
            if after == before:
                raise SecureBucketError(
                    f"`{os.path.join(directory, MANIFEST)}` is from an earlier run: the app did not write it "
                    "again"
                )
            if waits_for_context(directory, called_by_cdk=called_by_cdk):
                return 0
            passed, shown = _judge(arguments, files, directory)
        except (SecureBucketError, OSError) as error:
            reason = getattr(error, "strerror", None)
            to_stderr(f"secure-bucket: {f'`{directory}` cannot be written: {reason}' if reason else error}")
            passed = shown = False
        except BaseException:
            # INVARIANT: an assembly that was not judged completely cannot be deployed from its directory.
            _refuse(directory)
            raise
        if not passed:
            _refuse(directory)
            if shown:
                # An error here only affects `cdk explore`, not the verdict.
                with contextlib.suppress(OSError, SecureBucketError):
                    leave_tree(directory)
        return 0 if passed else 1


def _refuse(directory: str) -> None:
    try:
        if refuse_run(directory):
            to_stderr(
                f"secure-bucket: `{os.path.join(directory, MANIFEST)}` is now `{REFUSED}`, so that the "
                "directory cannot be deployed"
            )
    except OSError as error:
        to_stderr(
            f"secure-bucket: `{os.path.join(directory, MANIFEST)}` cannot be moved aside: "
            f"{error.strerror or error}; do not deploy `{directory}`"
        )


def _judge(arguments: argparse.Namespace, files: tuple[ReportTo, ...], directory: str) -> tuple[bool, bool]:
    """Judge an assembly, and report the findings on stderr and in files.

    Returns:
        Whether the assembly passes, and whether its validation report contains the findings.

    Raises:
        SecureBucketError: If the assembly cannot be judged, or a report cannot be written.
    """
    config = config_of(arguments)
    claim = claim_of(arguments, config)
    settings = Settings(claim.strict, claim.minimum_tls, datetime.date.today())
    leftovers = Leftovers(left_over_files(directory), is_fresh=True)
    times = times_in(directory)
    checked = check_written_assembly(directory, settings, leftovers)
    report = checked.report
    # If a process of the app writes after the gate has ended, `check` finds the change with these files.
    judged: tuple[str | os.PathLike[str], ...] = (*checked.manifests.files, *report.templates)
    write_judged_files(directory, judged, checked.left)
    report = claim.grant(with_advice_for(report, arguments.app, os.listdir()), config)
    baseline = arguments.baseline or config.baseline
    if baseline is not None:
        report, _ = apply_baseline(report, read_baseline(baseline))
    report = selection_of(arguments, config).apply(report)
    fails = undecided_fails(arguments, config)
    if not fails:
        report = undecided_as_warnings(report)
    code = exit_code(report)
    _write_to_stderr(report, arguments, code)
    if files:
        words = (("undecided", "error" if fails else "warn"), *claim.words)
        deliver(report, files, arguments, words, code, on_stderr=False)
    shown = _record(report, directory, passed=code == 0)
    if changed := rewritten(judged, times):
        raise SecureBucketError(
            f"{name_some(changed)} was written again while the gate judged it: does the app leave a process "
            "behind, or does another run use this directory?"
        )
    return code == 0, shown


def _write_to_stderr(report: Report, arguments: argparse.Namespace, code: int) -> None:
    if code == 0 and (arguments.quiet or not report.findings):
        if not arguments.quiet:
            to_stderr(f"secure-bucket: {summary(report)}")
    elif sys.stderr is not None:
        text = render(
            report,
            run_of((), code),
            colour=wants_colour(sys.stderr, arguments.colour),
            ascii_only=not is_utf8(sys.stderr),
        )
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(text)
            sys.stderr.flush()


def _record(report: Report, directory: str, *, passed: bool) -> bool:
    """Write the report for the tools of the CDK, and return whether it was written."""
    try:
        write_validation_report(report, directory, passed=passed, version=installed_version())
    except Exception as error:  # The file is only for other tools: an error does not change the verdict.
        file = os.path.join(directory, VALIDATION_REPORT)
        to_stderr(f"secure-bucket: `{file}` cannot be written: {getattr(error, 'strerror', None) or error}")
        return False
    return True
