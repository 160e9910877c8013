"""Random templates are judged as the oracle judges what they come to with every value of their parameters."""

from __future__ import annotations

import pytest

from secure_bucket.checks import check_template
from secure_bucket.proof.verdict import Proven, Refuted, Undecided
from tests.properties.random_templates import Maker, differences

SEEDS = range(50)


@pytest.mark.parametrize("first", range(0, len(SEEDS), 25))
def test_no_verdict_contradicts_the_oracle(first: int) -> None:
    found = [
        (seed, difference)
        for seed in SEEDS[first : first + 25]
        for difference in differences(Maker(seed).template())
    ]
    assert found == []


def test_random_templates_come_to_every_verdict() -> None:
    kinds = {
        type(bucket.verdict)
        for seed in SEEDS[:40]
        for bucket in check_template(Maker(seed).template()).buckets
    }
    assert kinds == {Proven, Refuted, Undecided}
