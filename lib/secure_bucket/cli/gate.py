"""Run a CDK app for the CDK CLI, and judge what it wrote: `secure-bucket gate`."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import os
import sys

from secure_bucket.checks.gate import (
    MANIFEST,
    REFUSED,
    forget_refusal,
    refuse,
    stamp_of,
    waits_for_context,
)
from secure_bucket.cli.app_process import AppProcess
from secure_bucket.cli.output import speaks_utf8, to_stderr, wants_colour
from secure_bucket.errors import SecureBucketError

__all__ = ["run"]

_OUTDIR = "CDK_OUTDIR"  # Set by the CDK CLI: `OUTDIR_ENV` of aws-cdk-lib's cx-api.


def run(arguments: argparse.Namespace) -> int:
    """Run the app and judge what it wrote, or edit `cdk.json`.

    Returns:
        The exit code.

    Raises:
        SecureBucketError: If the arguments contradict each other, or `cdk.json` cannot be edited.
    """
    if arguments.init or arguments.remove:
        if arguments.app:
            raise SecureBucketError("--init and --remove take no COMMAND: they edit the one of `cdk.json`")
        from secure_bucket.cli.cdk_json import edit_app

        return edit_app(remove=arguments.remove)
    if not arguments.app:
        raise SecureBucketError("give the COMMAND that runs the app after `--` (see --help)")
    return _gate(arguments)


def _gate(arguments: argparse.Namespace) -> int:
    called_by_cdk = bool(os.environ.get(_OUTDIR))
    directory = os.environ.get(_OUTDIR) or "cdk.out"
    with AppProcess(arguments.app, {_OUTDIR: directory}) as child:
        try:
            before = stamp_of(directory)
            forget_refusal(directory)
            code = child.run()
            if code in (126, 127) and not child.started:
                return code
            if code != 0:
                # Its files are not judged: those of a run that failed half-way mix with older ones.
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
                    f"`{os.path.join(directory, MANIFEST)}` is of an earlier run: the app did not write it "
                    "again"
                )
            if waits_for_context(directory, called_by_cdk=called_by_cdk):
                return 0
            passed = _judge(arguments, directory)
        except SecureBucketError as error:
            to_stderr(f"secure-bucket: {error}")
            passed = False
        except BaseException:
            # INVARIANT: an assembly that was not judged to its end cannot be deployed from its directory.
            _refuse(directory)
            raise
        if not passed:
            _refuse(directory)
        return 0 if passed else 1


def _refuse(directory: str) -> None:
    try:
        if refuse(directory):
            to_stderr(
                f"secure-bucket: `{os.path.join(directory, MANIFEST)}` is now `{REFUSED}`, so that the "
                "directory cannot be deployed"
            )
    except OSError as error:
        to_stderr(
            f"secure-bucket: `{os.path.join(directory, MANIFEST)}` cannot be moved aside: "
            f"{error.strerror or error}; do not deploy `{directory}`"
        )


def _judge(arguments: argparse.Namespace, directory: str) -> bool:
    """Judge an assembly, report on stderr, and return whether it passes.

    Raises:
        SecureBucketError: If it cannot be judged.
    """
    from secure_bucket.checks.check import check_assembly
    from secure_bucket.cli.config import config_of
    from secure_bucket.cli.delivery import run_of
    from secure_bucket.cli.exits import exit_code, undecided_as_warnings
    from secure_bucket.cli.selection import selection_of
    from secure_bucket.formats.summary import summary
    from secure_bucket.formats.text import render

    config = config_of(arguments)
    strict = bool(config.strict if arguments.strict is None else arguments.strict)
    minimum = config.minimum_tls if arguments.minimum_tls is None else arguments.minimum_tls
    today = datetime.date.today()
    report = check_assembly(directory, strict=strict, minimum_tls_version=minimum, exceptions_as_of=today)
    if config.exceptions:
        from secure_bucket.cli.settings_exceptions import grant_configured

        report = grant_configured(report, config, minimum_tls=minimum, today=today)
    baseline = arguments.baseline or config.baseline
    if baseline is not None:
        from secure_bucket.cli.baseline import apply_baseline, read_baseline

        report, _ = apply_baseline(report, read_baseline(baseline))
    report = selection_of(arguments, config).apply(report)
    if (arguments.undecided or config.undecided or "error") == "warn":
        report = undecided_as_warnings(report)
    code = exit_code(report)
    if code == 0 and (arguments.quiet or not report.findings):
        if not arguments.quiet:
            to_stderr(f"secure-bucket: {summary(report)}")
        return True
    if sys.stderr is not None:
        text = render(
            report,
            run_of((), code),
            colour=wants_colour(sys.stderr, arguments.colour),
            ascii_only=not speaks_utf8(sys.stderr),
        )
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(text)
            sys.stderr.flush()
    return code == 0
