"""Every rule is its own manual."""

from __future__ import annotations

import pytest

from secure_bucket.findings import RULES, Rule


def test_ids_and_names_are_unique_and_in_order() -> None:
    assert [rule.id for rule in RULES] == sorted({rule.id for rule in RULES})
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_manual_has_all_its_parts(rule: Rule) -> None:
    headings = [line for line in rule.manual.splitlines() if line.startswith("#")]
    assert headings == [
        f"# {rule.id} {rule.name}",
        "## What it does",
        "## Why it matters",
        "## Example",
        "## Use instead",
        "## References",
    ]
    assert "https://docs.aws.amazon.com/" in rule.manual
