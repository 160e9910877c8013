"""No stack traces while this library itself asks the jsii kernel: they cost as much as the questions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_traces"]

_TRACES = "JSII_HOST_STACK_TRACES"


@contextmanager
def without_traces() -> Iterator[None]:
    """Keep jsii from recording which line of Python each call comes from.

    That line leads to who made a construct; what is asked here is of no interest to anybody.
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
