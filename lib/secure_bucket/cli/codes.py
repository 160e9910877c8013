"""Name the exit codes. `main` needs this module first, so it loads nothing."""

from __future__ import annotations

__all__ = [
    "COULD_NOT_RUN",
    "EXIT_CODES",
    "EXIT_CODES_WITHOUT_VERDICT",
    "INTERRUPTED",
    "PROVEN",
    "REFUTED",
    "UNDECIDED",
]

PROVEN = 0
REFUTED = 1
COULD_NOT_RUN = 2
UNDECIDED = 3
INTERRUPTED = 130

EXIT_CODES = """\
exit codes:
  0    every bucket is proven to deny plain HTTP
  1    a bucket accepts plain HTTP
  2    the run is incomplete: bad arguments or an unreadable file. It takes
       precedence over 1 and 3; findings are shown anyway
  3    a bucket is undecided, and none accepts plain HTTP
  130  interrupted
"""

EXIT_CODES_WITHOUT_VERDICT = """\
exit codes:
  0    done
  2    bad arguments, or a file that cannot be read
  130  interrupted
"""
