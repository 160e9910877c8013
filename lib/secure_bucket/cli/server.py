"""Run `secure-bucket server`: a language server for editors."""

from __future__ import annotations

import argparse
import os
import sys

from secure_bucket.cli.codes import COULD_NOT_RUN
from secure_bucket.errors import MissingDependencyError
from secure_bucket.version import installed_addresses, installed_version

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Serve an editor until it ends the session, and return the exit code.

    Raises:
        MissingDependencyError: If the extra `editor` is not installed.
    """
    try:
        # Loads in 320 ms, most of it for pygls, which may not be installed.
        from secure_bucket.editor.server import make_server
    except ImportError:
        raise MissingDependencyError.without_extra("the language server needs pygls", "editor") from None
    server = make_server(
        version=installed_version(), strict=arguments.strict, rule_address=installed_addresses().rule
    )
    # pygls closes its output stream: give it a duplicate of standard output.
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as output:
        server.start_io(stdout=output)
    return 0 if server.is_shut_down else COULD_NOT_RUN
