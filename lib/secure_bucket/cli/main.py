"""The command `secure-bucket`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from secure_bucket.cli.output import OutputError, to_stderr, to_stdout
from secure_bucket.errors import MissingDependencyError, SecureBucketError

__all__ = ["main"]

_COULD_NOT_RUN = 2
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: Its arguments; those of the process unless given.

    Returns:
        The exit code: 0 all proven, 1 refuted, 2 could not run, 3 undecided only, 130 interrupted.

    Raises:
        SystemExit: For `--help`, `--version` and arguments that are none.
    """
    try:
        try:
            return _dispatch(argv)
        finally:
            # Help and version go through `print`: what cannot be written is found out here at the latest.
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
        what = " ".join(f"{type(error).__name__}: {error}".split())
        to_stderr(f"secure-bucket: a fault in secure-bucket itself, please report it: {what}")
    return _COULD_NOT_RUN


def _dispatch(argv: Sequence[str] | None) -> int:
    from secure_bucket.cli.options import build_parser

    parser = build_parser()
    arguments = parser.parse_args(argv)
    # Each command is imported when it is asked for: a cold start is most of the time on a small template.
    if arguments.command == "check":
        from secure_bucket.cli import check

        return check.run(arguments)
    if arguments.command == "fix":
        from secure_bucket.cli import fix

        return fix.run(arguments)
    if arguments.command == "prove":
        from secure_bucket.cli import prove

        return prove.run(arguments)
    if arguments.command == "explain":
        from secure_bucket.cli import explain

        return explain.run(arguments)
    return _completion(parser, arguments.shell)


def _completion(parser: argparse.ArgumentParser, shell: str) -> int:
    import importlib

    try:
        shtab = importlib.import_module("shtab")
    except ImportError:
        raise MissingDependencyError(
            "completion scripts are made by `shtab`: pip install 'secure-bucket[cli]'"
        ) from None
    to_stdout(f"{shtab.complete(parser, shell)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
