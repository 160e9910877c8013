"""Fail the process of an app at its end if the gate refuses what the app wrote.

An exit handler does so, and what ends a process without its exit handlers does so first.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn
from weakref import WeakKeyDictionary

import aws_cdk as cdk

from secure_bucket.cdk.fix.synthesized import is_of_this_run, path_from_node, path_from_start
from secure_bucket.cdk.gate.state import AppState, states
from secure_bucket.cdk.gate.violations import PLUGIN
from secure_bucket.cdk.versions import has_reliable_plugins
from secure_bucket.checks.gate import refuse_run
from secure_bucket.checks.judged_files import changes_since_judged
from secure_bucket.template.manifest import VALIDATION_REPORT

__all__ = ["end_last", "is_changed", "is_under_the_cli", "running", "say"]

# Set by the CDK CLI: `OUTDIR_ENV` of aws-cdk-lib's cx-api.
_OUTDIR = "CDK_OUTDIR"
_JUDGES = "judges_for_secure_bucket"
_exit = os._exit

running: WeakKeyDictionary[cdk.App, int] = WeakKeyDictionary()
"""The apps that a thread is synthesizing, and the process of the thread."""


def is_changed(directory: str, state: AppState) -> bool:
    """Report the files of an assembly that were changed after the gate judged them."""
    shown = path_from_start(directory)
    messages = [fault.message for fault in changes_since_judged(directory)]
    if has_reliable_plugins() and not state.judged and is_of_this_run(directory):
        messages.append(
            f"`{shown}` was written before the gate was in the app: call `enforce_secure_transport(app)` "
            "before the app is synthesized"
        )
    # INVARIANT: the CDK CLI learns from this file alone that the gate refused the assembly.
    if state.refused and not _holds_refusal(os.path.join(directory, VALIDATION_REPORT)):
        messages.append(
            f"`{os.path.join(shown, VALIDATION_REPORT)}` was changed or removed after the gate refused the "
            "app, so that the AWS CDK would accept the app: leave the file as it is"
        )
    if messages:
        with contextlib.suppress(OSError):
            refuse_run(directory)
    elif state.refused and os.path.realpath(directory) != os.path.realpath(_directory_of_the_cli()):
        # A second App of the process writes it, and the CDK CLI reads the directory of one App only.
        messages.append(f"the gate refused `{shown}`: `cdk synth --app {shown}` shows why")
    for message in messages:
        say(f"{PLUGIN}: {message}")
    return bool(messages)


def _holds_refusal(file: str) -> bool:
    """Tell whether a validation report says that the gate refused the app."""
    try:
        with open(file, "rb") as stream:
            plugins = json.loads(stream.read())["pluginReports"]
        return any(
            (each["pluginName"], each["conclusion"]) == (PLUGIN, "failure") and each["violations"]
            for each in plugins
        )
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return False


def _directory_of_the_cli() -> str:
    return path_from_node(os.environ.get(_OUTDIR, ""))


def is_under_the_cli() -> bool:
    """Tell whether the CDK CLI runs the app."""
    return bool(os.environ.get(_OUTDIR))


def end_last() -> None:
    """Judge at the end of the process, and before what ends the process without its exit handlers."""
    # Handlers run from the newest to the oldest: ours has to be the newest, as it runs the others itself.
    atexit.unregister(_end)
    atexit.register(_end)
    # `os.execl`, `os.execvp` and the others call one of the two `exec` here.
    for name in ("_exit", "execv", "execve"):
        original = getattr(os, name)
        if not hasattr(original, _JUDGES):
            setattr(os, name, _judging(original))


def _judging(original: Callable[..., NoReturn]) -> Callable[..., NoReturn]:
    """Return a function that ends the process, which judges before that.

    A child that the app forked ends with `os._exit` too: each process judges only what it writes itself.
    """

    @functools.wraps(original)
    def judging(*args: Any, **options: Any) -> NoReturn:
        if _is_refused():
            _exit(1)
        original(*args, **options)

    setattr(judging, _JUDGES, True)
    return judging


def _end() -> None:
    """End the process with 1 if an assembly is refused, after the exit handlers of others."""
    if not _is_refused():
        return
    atexit.unregister(_end)
    with contextlib.suppress(BaseException):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    _exit(1)


def _is_refused() -> bool:
    """Tell whether the gate refuses what this process wrote; an error in the gate is a refusal."""
    try:
        return _refuses()
    except BaseException as error:
        # INVARIANT: raise nothing from here. Python ends with 0 after an exit handler that raises, and an app
        # can catch what `os._exit` raises.
        say(f"{PLUGIN}: the gate could not judge the app at its end: {type(error).__name__}: {error}")
        return True


def _refuses() -> bool:
    process = os.getpid()
    if process in running.values():
        # A daemon thread: Node ends the synthesis without it, and nobody would judge what Node writes.
        say(f"{PLUGIN}: the app ended before `synth` did: wait for the thread that calls it")
        return True
    own = states()
    refused = [
        state.watched.ends_in_failure(state.kept, state)
        for state in own
        if state.watched is not None and state.kept is not None
    ]
    refused += [
        is_changed(state.writer[1], state)
        for state in own
        if state.writer is not None and state.writer[0] == process
    ]
    return any(refused)


def say(text: str) -> None:
    """Print on stderr, if somebody can read it."""
    # stdout is for the template.
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            print(text, file=sys.stderr, flush=True)
