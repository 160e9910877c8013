"""The command `secure-bucket`."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from secure_bucket.cli.output import OutputError, to_stderr, to_stdout
from secure_bucket.errors import SecureBucketError

__all__ = ["console", "main"]

_COULD_NOT_RUN = 2
_INTERRUPTED = 130


def console() -> NoReturn:
    """Run the command as a process of its own, and end it."""
    code = main()
    # Everything is written. Taking apart what the system takes back at once would be a sixth of a cold start.
    os._exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: Its arguments; those of the process unless given.

    Returns:
        The exit code: 0 all proven, 1 refuted, 2 could not run, 3 undecided only, 130 interrupted.

    Raises:
        SystemExit: For `--help`, `--version` and arguments that are none; with 128 and the number of a signal
            that asks to end while several processes work.
    """
    try:
        try:
            return _dispatch(argv)
        finally:
            # Help goes through `print`: what cannot be written is found out here at the latest.
            if sys.stdout is not None:
                to_stdout("")
    except KeyboardInterrupt:
        return _INTERRUPTED
    except (SecureBucketError, OutputError) as error:
        to_stderr(f"secure-bucket: {error}")
    except MemoryError:
        to_stderr("secure-bucket: there is not enough memory for this")
    except Exception as error:
        if "SECURE_BUCKET_DEBUG" in os.environ:
            raise
        if isinstance(error, FileNotFoundError) and not _is_anywhere():
            to_stderr("secure-bucket: the working directory is not there any more")
            return _COULD_NOT_RUN
        what = " ".join(f"{type(error).__name__}: {error}".split())
        to_stderr(f"secure-bucket: a fault in secure-bucket itself, please report it: {what}")
    return _COULD_NOT_RUN


def _is_anywhere() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True


def _dispatch(argv: Sequence[str] | None) -> int:
    from secure_bucket.cli.commands import COMMANDS, build_parser

    given = list(sys.argv[1:] if argv is None else argv)
    parser = build_parser(given[0] if given and given[0] in COMMANDS else None)
    arguments, rest = parser.parse_known_args(given)
    if rest:
        # `argparse` takes the first run of PATHs for all of them, where options stand between.
        end = rest.index("--") if "--" in rest else len(rest)
        paths = [*rest[:end], *rest[end + 1 :]]
        if not hasattr(arguments, "paths") or any(each[:1] == "-" and each != "-" for each in rest[:end]):
            parser.error(f"unrecognized arguments: {' '.join(rest)}")
        arguments.paths = [*arguments.paths, *paths]
    code: int = importlib.import_module(f"secure_bucket.cli.{arguments.command}").run(arguments)
    return code


if __name__ == "__main__":
    console()
