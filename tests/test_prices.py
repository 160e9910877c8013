"""Every price that the library states comes from one table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from secure_bucket.prices import monitoring_costs, monthly_requests_cost

ROOT = Path(__file__).parent.parent


def test_the_key_costs_more_with_each_of_its_first_two_rotations() -> None:
    (key,) = [cost for cost in monitoring_costs() if cost.page == "KMS"]
    assert re.findall(r"\$\d\.\d\d", key.price) == ["$1.00", "$2.00", "$3.00", "$0.03"]


def test_the_example_of_the_page_is_computed_from_the_table() -> None:
    page = (ROOT / "docs/monitoring.md").read_text(encoding="utf-8")
    found = re.search(r"(\d+) million requests a month costs about \$(\d+) for the data events", page)
    assert found is not None
    assert monthly_requests_cost(int(found[1]) * 1_000_000) == pytest.approx(int(found[2]))


def test_no_other_module_states_a_price() -> None:
    for path in (ROOT / "lib").rglob("*.py"):
        if path.name != "prices.py":
            assert re.findall(r"\$\d+\.\d\d", path.read_text(encoding="utf-8")) == [], path
