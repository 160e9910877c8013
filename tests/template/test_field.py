"""Templates that nobody here wrote: every one is read, and no verdict changes unnoticed."""

from __future__ import annotations

import pytest

from tests.template.field_verdicts import HEADER, TABLE, TEMPLATES, rows
from tests.template.field_weakened import proofs, survivors

pytestmark = pytest.mark.slow


@pytest.mark.skipif(
    not TEMPLATES.is_dir(), reason="needs ../shared/templates, which is no part of the repository"
)
def test_field_templates_have_the_verdicts_of_the_table() -> None:
    assert [HEADER, *rows()] == TABLE.read_text(encoding="utf-8").splitlines()


def test_few_verdicts_of_the_table_are_undecided() -> None:
    verdicts = [row.split("\t")[2] for row in TABLE.read_text(encoding="utf-8").splitlines()[1:]]
    assert len(verdicts) > 500
    assert verdicts.count("Undecided") / len(verdicts) < 0.035


@pytest.mark.skipif(
    not TEMPLATES.is_dir(), reason="needs ../shared/templates, which is no part of the repository"
)
def test_no_proof_survives_a_weaker_policy() -> None:
    some = list(proofs())[::8]
    assert len(some) > 10
    for file, root, logical_id, needing in some:
        assert list(survivors(root, logical_id, needing)) == [], file
