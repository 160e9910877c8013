"""Run the command `secure-bucket`."""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from secure_bucket.cli.codes import COULD_NOT_RUN, INTERRUPTED
from secure_bucket.cli.output import OutputError, to_stderr, to_stdout
from secure_bucket.errors import SecureBucketError

__all__ = ["console", "main"]


def console() -> NoReturn:
    """Run the command and end the process."""
    # Few objects here form cycles, and the collector takes a tenth of the time to check 400 real templates.
    gc.set_threshold(20_000)
    # The handler of Python raises an exception anywhere, and inside an import the exception can get lost.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    code = main()
    # Skip interpreter teardown: a sixth of a cold start.
    os._exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: The arguments (default: those of the process).

    Returns:
        The exit code; `secure-bucket --help` lists the meanings.

    Raises:
        SystemExit: For `--help`, `--version` and unknown arguments.
    """
    try:
        try:
            return _dispatch(argv)
        finally:
            # `argparse` prints help with `print`: flush it here, where a full disk is reported.
            if sys.stdout is not None:
                to_stdout("")
    except KeyboardInterrupt:
        return INTERRUPTED
    except (SecureBucketError, OutputError) as error:
        to_stderr(f"secure-bucket: {error}")
    except MemoryError:
        to_stderr("secure-bucket: out of memory")
    except Exception as error:
        if "SECURE_BUCKET_DEBUG" in os.environ:
            raise
        if isinstance(error, FileNotFoundError) and not _has_working_directory():
            to_stderr("secure-bucket: the working directory no longer exists")
            return COULD_NOT_RUN
        what = " ".join(f"{type(error).__name__}: {error}".split())
        to_stderr(f"secure-bucket: internal error in secure-bucket, please report it: {what}")
    return COULD_NOT_RUN


def _has_working_directory() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True


def _dispatch(argv: Sequence[str] | None) -> int:
    # Loads in 18 ms; `main` handles Ctrl-C meanwhile.
    from secure_bucket.cli.commands import COMMANDS, build_parser, did_you_mean

    given = list(sys.argv[1:] if argv is None else argv)
    if not given or given[0] == "help":
        given = [*given[1:], "--help"]
    parser = build_parser(given[0] if given[0] in COMMANDS else None)
    first, known = given[0], ("--help", "--version", "-h", "-V")
    if first.startswith("-") and not any(each.startswith(first) for each in known):
        meant = did_you_mean(first, known) or "; the options of a command follow its name"
        parser.error(f"there is no option `{first}`{meant}")
    arguments, rest = parser.parse_known_args(given)
    if rest:
        # `argparse` stops reading PATHs at the first option after one.
        end = rest.index("--") if "--" in rest else len(rest)
        paths = [*rest[:end], *rest[end + 1 :]]
        if not hasattr(arguments, "paths") or any(each[:1] == "-" and each != "-" for each in rest[:end]):
            arguments.parser.refuse(rest[:end] or rest)
        arguments.paths = [*arguments.paths, *paths]
    run = importlib.import_module(f"secure_bucket.cli.{arguments.command}").run
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    code: int = run(arguments)
    return code


if __name__ == "__main__":
    console()
