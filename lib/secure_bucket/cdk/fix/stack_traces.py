"""Turn stack traces off during calls of this library to the jsii kernel: they take as long as the calls."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_traces"]

_TRACES = "JSII_HOST_STACK_TRACES"


@contextmanager
def without_traces() -> Iterator[None]:
    """Keep jsii from recording which line of Python each call comes from.

    The line serves to find the creator of a construct, and these calls create none.
    """
    before = os.environ.get(_TRACES)
    os.environ[_TRACES] = "0"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_TRACES]
        else:
            os.environ[_TRACES] = before
