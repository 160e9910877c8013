"""The verdicts on templates from the field, as a table.

`python -m tests.template.field_verdicts` writes the table anew; `test_field.py` compares with it. The
templates stand beside the repository, in `../shared/templates`, and are no part of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from secure_bucket.checks import check_template
from secure_bucket.findings import JudgedBucket
from secure_bucket.proof.verdict import Proven, Refuted, Undecided
from secure_bucket.values.never import assert_never

TEMPLATES = Path(__file__).resolve().parents[3] / "shared" / "templates"
TABLE = Path(__file__).with_name("field-verdicts.tsv")
HEADER = "file\tlogical id\tverdict\twhat gets through, or is not known"


def rows() -> Iterator[str]:
    """Return a row for each bucket of each template."""
    for file in sorted(TEMPLATES.rglob("*")):
        if file.is_file() and file.suffix in (".json", ".yaml", ".yml"):
            for bucket in check_template(file).buckets:
                name = file.relative_to(TEMPLATES)
                yield f"{name}\t{bucket.logical_id}\t{type(bucket.verdict).__name__}\t{_kind(bucket)}"


def _kind(bucket: JudgedBucket) -> str:
    verdict = bucket.verdict
    match verdict:
        case Proven():
            return ""
        case Refuted():
            return verdict.request.action
        case Undecided():
            return re.sub("`[^`]*`", "…", verdict.reasons[0].reason)
        case _:
            assert_never(verdict)


if __name__ == "__main__":
    table = [HEADER, *rows()]
    TABLE.write_text("\n".join(table) + "\n", encoding="utf-8")
    for verdict in ("Proven", "Refuted", "Undecided"):
        print(f"{sum(f'{chr(9)}{verdict}{chr(9)}' in row for row in table):4} {verdict}")
