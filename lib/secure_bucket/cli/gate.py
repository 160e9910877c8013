"""Run a CDK app for the CDK CLI, and judge what it wrote: `secure-bucket gate`."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import difflib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from types import FrameType

from secure_bucket.checks.gate import (
    MANIFEST,
    REFUSED,
    forget_refusal,
    refuse,
    stamp_of,
    waits_for_context,
)
from secure_bucket.cli.output import speaks_utf8, to_stderr, to_stdout, wants_colour
from secure_bucket.errors import SecureBucketError

__all__ = ["run"]

_OUTDIR = "CDK_OUTDIR"  # Set by the CDK CLI: `OUTDIR_ENV` of aws-cdk-lib's cx-api.
_FORWARDED = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP.

_SETTINGS = "cdk.json"
_PREFIX = "secure-bucket gate -- "
_WRAPPED = re.compile(
    r"\s*(?:\S*secure-bucket|\S+ -m secure_bucket) +gate(?: .*?)? -- (?P<app>.+)", re.DOTALL
)
# A shell would end the gate's command there: only a shell of its own keeps the whole app behind the gate.
_FOR_A_SHELL = re.compile(r"[;&|<>(){}`!#\n\r]|\$\(|^\s*\w+=")


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
        return _edit(remove=arguments.remove)
    if not arguments.app:
        raise SecureBucketError("give the COMMAND that runs the app after `--` (see --help)")
    return _gate(arguments)


def _gate(arguments: argparse.Namespace) -> int:
    called_by_cdk = bool(os.environ.get(_OUTDIR))
    directory = os.environ.get(_OUTDIR) or "cdk.out"
    with _Child(arguments.app, directory) as child:
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


class _Child:
    """The app as a child process, to which the signals of this one are forwarded."""

    def __init__(self, command: Sequence[str], directory: str) -> None:
        self.command = command
        self.environment = {**os.environ, _OUTDIR: directory}
        self.process: subprocess.Popen[bytes] | None = None
        self.started = False
        self.starting = False
        self.pending: list[int] = []
        self.handlers = contextlib.ExitStack()

    def __enter__(self) -> _Child:
        for name in _FORWARDED:
            self.handlers.enter_context(self._forwarded(name))
        return self

    def __exit__(self, *_: object) -> None:
        self.handlers.close()

    @contextlib.contextmanager
    def _forwarded(self, name: str) -> Iterator[None]:
        number = getattr(signal, name, None)
        before = None if number is None else signal.getsignal(number)
        # What is ignored (`nohup`) stays ignored, in the app as well.
        if number is None or before in (signal.SIG_IGN, None):
            yield
            return
        signal.signal(number, self._on_signal)
        try:
            yield
        finally:
            signal.signal(number, before)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        if self.process is not None:
            if not _reached_the_app(number):
                self.process.send_signal(number)
        elif self.starting:
            self.pending.append(number)
        else:
            raise SystemExit(128 + number)

    def run(self) -> int:
        """Return the exit code as a shell tells it."""
        name = self.command[0]
        if not name:
            to_stderr("secure-bucket: the COMMAND is empty: is a variable not set?")
            return 127
        # Windows finds `npx.cmd` only by its whole name.
        program = (shutil.which(name) or name) if sys.platform == "win32" else name
        self.starting = True
        try:
            process = subprocess.Popen([program, *self.command[1:]], env=self.environment)
            self.process, self.started = process, True
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            to_stderr(f"secure-bucket: `{name}` cannot be run: {reason}")
            return 127 if isinstance(error, FileNotFoundError) else 126
        finally:
            self.starting = False
        for number in self.pending:
            process.send_signal(number)
        code = process.wait()
        self.process = None
        if code < 0:
            to_stderr(f"secure-bucket: signal {-code} ended `{name}`: nothing is judged")
            return 128 - code
        return code


def _reached_the_app(number: int) -> bool:
    """Tell whether a signal has reached the app already: Ctrl-C goes to every process in the foreground."""
    if number != signal.SIGINT:
        return False
    if sys.platform == "win32":
        return True
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def _edit(*, remove: bool) -> int:
    """Put the gate into `cdk.json`, or take it out.

    Raises:
        SecureBucketError: If that cannot be done.
    """
    from secure_bucket.formats.write import write_atomically

    try:
        with open(_SETTINGS, "rb") as stream:
            text = stream.read().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SecureBucketError(f"`{_SETTINGS}` cannot be read: {reason}") from None
    start, end, app = _app_in(text)
    wrapped = _WRAPPED.fullmatch(app)
    if remove:
        if wrapped is None:
            raise SecureBucketError(f"`app` of `{_SETTINGS}` does not run `secure-bucket gate`: `{app}`")
        written = json.dumps(_unwrapped(wrapped["app"]), ensure_ascii=False)
    else:
        if wrapped is not None or "secure-bucket gate" in app:
            raise SecureBucketError(f"`app` of `{_SETTINGS}` runs `secure-bucket gate` already: `{app}`")
        if not app.strip() or os.path.isdir(app):
            raise SecureBucketError(f"`app` of `{_SETTINGS}` is not a command: `{app}`")
        written = json.dumps(f"{_PREFIX}{_for_shell(app)}", ensure_ascii=False)
    new = f"{text[:start]}{written}{text[end:]}"
    try:
        write_atomically(_SETTINGS, new)
    except OSError as error:
        raise SecureBucketError(f"`{_SETTINGS}` cannot be written: {error.strerror or error}") from None
    lines = difflib.unified_diff(text.splitlines(), new.splitlines(), _SETTINGS, _SETTINGS, lineterm="")
    to_stdout("".join(f"{line}\n" for line in lines))
    return 0


def _for_shell(app: str) -> str:
    return f"sh -c {shlex.quote(app)}" if _FOR_A_SHELL.search(app) else app


def _unwrapped(app: str) -> str:
    with contextlib.suppress(ValueError):
        words = shlex.split(app)
        if len(words) == 3 and _for_shell(words[2]) == app:
            return words[2]
    return app


def _app_in(text: str) -> tuple[int, int, str]:
    """Return where the value of `app` begins and ends, and what it says.

    Raises:
        SecureBucketError: If it is not there once, as a text.
    """
    space = re.compile(r"[ \t\r\n\ufeff]*")
    decoder = json.JSONDecoder()
    found: list[tuple[int, int, object]] = []

    def skip(at: int) -> int:
        match = space.match(text, at)
        return at if match is None else match.end()

    try:
        if not isinstance(json.loads(text.lstrip("\ufeff")), dict):
            raise SecureBucketError(f"`{_SETTINGS}` is not an object")
        at = skip(skip(0) + 1)
        while text[at] != "}":
            key, at = decoder.raw_decode(text, at)
            start = skip(skip(at) + 1)
            value, end = decoder.raw_decode(text, start)
            if key == "app":
                found.append((start, end, value))
            at = skip(end)
            if text[at] == ",":
                at = skip(at + 1)
    except (ValueError, RecursionError) as error:
        raise SecureBucketError(f"`{_SETTINGS}` is not JSON: {error}") from None
    if len(found) != 1:
        how = "has no" if not found else "has more than one"
        raise SecureBucketError(f"`{_SETTINGS}` {how} `app`")
    start, end, app = found[0]
    if not isinstance(app, str):
        raise SecureBucketError(f"`app` of `{_SETTINGS}` is not a text")
    return start, end, app
