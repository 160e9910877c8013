"""A bucket that no deployment creates has a word of its own in every report."""

from __future__ import annotations

from pathlib import Path

import pytest

from secure_bucket.cli.main import main

TEMPLATE = """\
Conditions:
  Never: !Equals [a, b]
Resources:
  Reports: {Type: AWS::S3::Bucket, Condition: Never}
"""


@pytest.mark.parametrize("form", ["text", "json", "sarif", "junit", "html", "github"])
def test_every_format_names_a_bucket_that_is_never_created(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "template.yaml"
    file.write_text(TEMPLATE, encoding="utf-8")
    assert main(["check", str(file), "--format", form]) == 0
    printed = capsys.readouterr().out
    assert "never_created" in printed if form == "json" else "never created" in printed.lower()
    assert "Reports" in printed
    assert "1 proven" not in printed
    assert "Never" in printed
