"""Run the app of a CDK project as a child process."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType

from secure_bucket.cli.output import to_stderr

__all__ = ["AppProcess"]

_FORWARDED = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP.


class AppProcess:
    """The app as a child process that receives the signals of this process.

    Args:
        command: The program and its arguments.
        variables: The variables to add to the environment.
    """

    def __init__(self, command: Sequence[str], variables: Mapping[str, str]) -> None:
        self.command = command
        self.environment: dict[str, str] = {**os.environ, **variables}
        self.process: subprocess.Popen[bytes] | None = None
        self.started: bool = False
        self.starting: bool = False
        self.pending: list[int] = []
        self.handlers: contextlib.ExitStack[bool | None] = contextlib.ExitStack()

    def __enter__(self) -> AppProcess:
        for name in _FORWARDED:
            self.handlers.enter_context(self._forwarded(name))
        return self

    def __exit__(self, *_: object) -> None:
        self.handlers.close()

    @contextlib.contextmanager
    def _forwarded(self, name: str) -> Iterator[None]:
        number = getattr(signal, name, None)
        before = None if number is None else signal.getsignal(number)
        # An ignored signal (`nohup`) stays ignored in the app as well.
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
        """Run the app, and return the exit code as a shell reports it."""
        name = self.command[0]
        if not name:
            to_stderr("secure-bucket: the COMMAND is empty: is a variable unset?")
            return 127
        # Windows finds `npx.cmd` only by its full name.
        program = (shutil.which(name) or name) if sys.platform == "win32" else name
        words = [program, *self.command[1:]]
        # Like the CDK CLI, which runs "app": "bin/app.js" with Node.js (`guessExecutable`, 2.1148.1).
        if name.endswith(".js") and os.path.isfile(name) and not _is_program(name):
            words = ["node", *words]
        self.starting = True
        try:
            process = subprocess.Popen(words, env=self.environment)
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


def _is_program(file: str) -> bool:
    return sys.platform != "win32" and os.access(file, os.X_OK)


def _reached_the_app(number: int) -> bool:
    """Tell whether the terminal sent a signal to the app too: Ctrl-C goes to every foreground process."""
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
