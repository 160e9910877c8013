"""The rules, one file each."""

from __future__ import annotations

from typing import Final

from secure_bucket.findings.finding import Finding
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

__all__ = ["EXCUSABLE", "OLD_TLS", "REFUTED", "RULES", "UNDECIDED", "Rule", "rule_of"]

RULES: tuple[Rule, ...] = (
    sb001.RULE,
    sb002.RULE,
    sb003.RULE,
    sb004.RULE,
    sb005.RULE,
    sb006.RULE,
    sb007.RULE,
    sb008.RULE,
    sb009.RULE,
    sb010.RULE,
    sb011.RULE,
    sb012.RULE,
)
"""Every rule, in the order of its id."""

REFUTED: Final = sb001.RULE.id
"""The rule that finds a bucket which accepts plain HTTP."""

UNDECIDED: Final = sb002.RULE.id
"""The rule that finds a bucket of which that is not known."""

OLD_TLS: Final = sb006.RULE.id
"""The rule that finds a bucket which accepts TLS below the minimum that was asked for."""

UNREAD: Final = sb010.RULE.id
"""The rule that finds a template which nobody could read."""

EXCUSABLE = {word: rule.id for rule in RULES if rule.excusable for word in (rule.id.casefold(), rule.name)}
"""The rules that an exception can be granted from, by id in lower case and by name."""

_BY_ID: Final = {rule.id: rule for rule in RULES}


def rule_of(finding: Finding) -> Rule:
    """Return the rule of a finding; a rule of a newer version, read from a report, has no facts."""
    return _BY_ID.get(finding.rule) or Rule(finding.rule, finding.rule, None, lambda judgement: iter(()))
