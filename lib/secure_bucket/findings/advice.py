"""Put the advice of a finding into the language of the program that made the bucket."""

from __future__ import annotations

from secure_bucket.findings.rules.rule import ADVICE_IN_PYTHON

__all__ = ["advice_in"]

_TYPESCRIPT = "set `enforceSSL: true`"
_ADVICE = {
    ".ts": _TYPESCRIPT,
    ".tsx": _TYPESCRIPT,
    ".mts": _TYPESCRIPT,
    ".js": _TYPESCRIPT,
    ".mjs": _TYPESCRIPT,
    ".cjs": _TYPESCRIPT,
    ".java": "call `.enforceSsl(true)` of the builder",
    ".kt": "call `.enforceSsl(true)` of the builder",
    ".cs": "set `EnforceSSL = true`",
    ".go": "set `EnforceSSL: jsii.Bool(true)`",
}


def advice_in(suffix: str, fix: str) -> str:
    """Return the advice of a finding for a program in another language than Python.

    Args:
        suffix: How the name of the program's file ends: `.ts`.
        fix: The advice, as the rules write it.
    """
    return fix.replace(ADVICE_IN_PYTHON, _ADVICE.get(suffix, ADVICE_IN_PYTHON))
