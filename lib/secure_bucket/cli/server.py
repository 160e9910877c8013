"""Run `secure-bucket server`: a language server for editors."""

from __future__ import annotations

import argparse

from secure_bucket.errors import MissingDependencyError
from secure_bucket.version import installed_addresses, installed_version

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Serve an editor until it ends the session, and return the exit code.

    Raises:
        MissingDependencyError: If the extra `editor` is not installed.
    """
    try:
        from secure_bucket.editor.server import make_server
    except ImportError:
        raise MissingDependencyError(
            "the language server needs pygls: pip install 'secure-bucket[editor]'"
        ) from None
    server = make_server(
        version=installed_version(), strict=arguments.strict, rule_address=installed_addresses().rule
    )
    server.start_io()
    return 0
