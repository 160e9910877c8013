"""The menu of the versions of the documentation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.documentation.versions import releases, write_index


def test_only_tags_of_releases_count_and_the_newest_is_first() -> None:
    assert releases(["v0.9.0", "v0.10.0", "v1.0.0rc1", "latest", "v0.2.10"]) == ["0.10.0", "0.9.0", "0.2.10"]


@pytest.mark.parametrize(("versions", "first"), [([], "main"), (["0.2.0", "0.1.0"], "0.2.0")])
def test_the_first_page_leads_to_the_newest_release(tmp_path: Path, versions: list[str], first: str) -> None:
    write_index(tmp_path, versions)
    menu = json.loads((tmp_path / "versions.json").read_text())
    assert [each["version"] for each in menu] == [*versions, "main"]
    assert [each["version"] for each in menu if "latest" in each["aliases"]] == [first]
    assert f"url={first}/" in (tmp_path / "index.html").read_text()
