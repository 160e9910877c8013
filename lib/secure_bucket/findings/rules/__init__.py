"""The rules, one file each."""

from __future__ import annotations

from secure_bucket.findings.rules import (
    sb001,
    sb002,
    sb003,
    sb004,
    sb005,
    sb006,
    sb007,
    sb008,
    sb009,
    sb010,
    sb011,
    sb012,
)
from secure_bucket.findings.rules.rule import Rule

__all__ = ["EXCUSABLE", "RULES", "Rule"]

_EXCUSABLE_RULES = (
    sb001.RULE,
    sb002.RULE,
    sb003.RULE,
    sb004.RULE,
    sb005.RULE,
    sb006.RULE,
    sb010.RULE,
    sb011.RULE,
    sb012.RULE,
)

RULES: tuple[Rule, ...] = tuple(
    sorted((*_EXCUSABLE_RULES, sb007.RULE, sb008.RULE, sb009.RULE), key=lambda rule: rule.id)
)
"""Every rule, in the order of its id."""

EXCUSABLE = {word: rule.id for rule in _EXCUSABLE_RULES for word in (rule.id.casefold(), rule.name)}
"""The rules that an exception can be granted from, by id in lower case and by name."""
