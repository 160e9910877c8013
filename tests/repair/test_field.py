"""Templates as they are found, where they are at hand: nothing in them may get lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from secure_bucket.checks.check import check_template
from secure_bucket.errors import TemplateError
from secure_bucket.proof.verdict import Proven, Refuted
from secure_bucket.repair import repair_document
from secure_bucket.template import load_document
from tests.repair.unchanged import assert_lines_stay, assert_nothing_else_changed

pytestmark = pytest.mark.slow

FIELD = Path(__file__).parents[3] / "shared" / "templates"
SHARE = 0.9


@pytest.mark.skipif(not FIELD.is_dir(), reason="`../shared/templates` is not here")
def test_every_bucket_of_the_field_is_fixed_or_left_with_a_reason() -> None:
    fixed = refuted = 0
    for path in sorted(FIELD.rglob("*")):
        if path.suffix not in (".json", ".yaml", ".yml", ".template"):
            continue
        try:
            document = load_document(path)
        except TemplateError:
            continue
        open_buckets = [
            bucket.logical_id
            for bucket in check_template(document).buckets
            if isinstance(bucket.verdict, Refuted)
        ]
        repair = repair_document(document, synthesized=True)
        done = {each.logical_id for each in repair.fixed}
        reasons = {each.logical_id: each.why for each in repair.left if not each.undecided}
        assert sorted([*done, *reasons]) == sorted(open_buckets), path
        assert all(reasons.values()), path
        fixed, refuted = fixed + len(done), refuted + len(open_buckets)
        if not done:
            assert repair.document is document, path
            continue
        verdicts = {each.logical_id: each.verdict for each in check_template(repair.document).buckets}
        assert all(isinstance(verdicts[logical_id], Proven) for logical_id in done), path
        assert_nothing_else_changed(document, repair.document)
        assert_lines_stay(document, repair.document)
        assert not repair_document(repair.document, synthesized=True).fixed, path
    print(f"{fixed} of {refuted} buckets fixed")
    assert fixed >= SHARE * refuted > 0
