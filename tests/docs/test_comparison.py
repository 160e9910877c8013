"""The comparison with peers: its policies are judged as the page says, without any of the peers."""

from __future__ import annotations

import importlib.util
import re
import sys
from types import ModuleType

import pytest

from secure_bucket import Level, check_template
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "explanation" / "comparison.md").read_text(encoding="utf-8")


def load() -> ModuleType:
    file = ROOT / "benchmarks" / "peer_cases.py"
    spec = importlib.util.spec_from_file_location("peer_cases", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks its module up while it is made.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


CASES = load().CASES
ROWS = dict(re.findall(r"^\| ([^|*]+?) \| (denies|open): ", PAGE, re.MULTILINE))


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_truth_of_the_page_is_ours(case: object) -> None:
    report = check_template(case.template)  # type: ignore[attr-defined]
    assert not report.faults
    denies = not [finding for finding in report.findings if finding.level is Level.ERROR]
    assert denies is case.denies  # type: ignore[attr-defined]
    assert ROWS[case.name] == ("denies" if denies else "open")  # type: ignore[attr-defined]


def test_ours_is_never_wrong_on_the_page() -> None:
    head, *rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in PAGE.splitlines()
        if line.startswith("| ") and ("secure-bucket" in line or re.search(r"\| (denies|open)[: ]", line))
    ]
    ours = head.index("secure-bucket")
    for row in rows:
        if "truth" in row:
            # The second table begins.
            ours = row.index("secure-bucket")
        else:
            assert row[ours] == {"denies": "passes", "open": "flags"}[row[1].partition(":")[0]]
