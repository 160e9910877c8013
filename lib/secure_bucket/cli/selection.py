"""Select rules by id or name: `--select`, `--ignore` and the settings of the same names."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from secure_bucket.cli.commands import did_you_mean
from secure_bucket.cli.config import Config
from secure_bucket.errors import SecureBucketError
from secure_bucket.findings.finding import Report
from secure_bucket.findings.rules import RULES

__all__ = ["Selection", "selection_of", "suggest_rules"]

_IDS = {word: rule.id for rule in RULES for word in (rule.id.casefold(), rule.name)}


class Selection(Struct, frozen=True):
    """The rules whose findings count.

    Args:
        select: The ids of the selected rules; empty for all rules.
        ignore: The ids of the ignored rules.
    """

    select: frozenset[str] = frozenset()
    ignore: frozenset[str] = frozenset()

    def __contains__(self, rule: str) -> bool:
        return (not self.select or rule in self.select) and rule not in self.ignore

    @property
    def words(self) -> tuple[tuple[str, str], ...]:
        """The options in force, for the reports."""
        named = (("select", self.select), ("ignore", self.ignore))
        return tuple((name, ", ".join(sorted(rules))) for name, rules in named if rules)

    def apply(self, report: Report) -> Report:
        """Return a report in which only findings of selected rules count.

        Faults are not findings of a rule: an unreadable file always fails the check.
        """
        if not self.select and not self.ignore:
            return report
        return replace(
            report,
            findings=tuple(finding for finding in report.findings if finding.rule in self),
            notes=tuple(finding for finding in report.notes if finding.rule in self),
            deselected=(
                *report.deselected,
                *(finding for finding in (*report.findings, *report.notes) if finding.rule not in self),
            ),
        )


def selection_of(arguments: argparse.Namespace, config: Config) -> Selection:
    """Return the rules that the arguments or else the settings select.

    Raises:
        SecureBucketError: If a name is not a rule.
    """
    select, ignore = getattr(arguments, "select", None), getattr(arguments, "ignore", None)
    return Selection(
        _ids(config.select if select is None else select, "select"),
        _ids(config.ignore if ignore is None else ignore, "ignore"),
    )


def _ids(words: Iterable[str], option: str) -> frozenset[str]:
    """Return the ids of rules; each word is an id or a name, or several of them separated by commas."""
    found: set[str] = set()
    for word in (part.strip() for each in words for part in each.split(",")):
        rule = _IDS.get(word.casefold())
        if rule is None:
            raise SecureBucketError(f"{option}: `{word}` is not a rule{suggest_rules(word)}")
        found.add(rule)
    return frozenset(found)


def suggest_rules(word: str) -> str:
    """Return `; did you mean …?` with the rule that is most similar to a word, or the ids of all rules."""
    names = [name for rule in RULES for name in (rule.id, rule.name)]
    return did_you_mean(word, names) or f"; the rules are {', '.join(names[::2])}"
