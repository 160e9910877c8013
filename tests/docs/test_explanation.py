"""The pages about the proof say what the prover does."""

from __future__ import annotations

import json
import re

import pytest

from secure_bucket import Proven, Refuted, evaluate, prove_denies_http
from tests.docs.pages import ROOT, blocks

PAGE = ROOT / "docs" / "explanation" / "how-it-proves.md"
BUCKET = "arn:aws:s3:::reports"


def policy(name: str) -> object:
    file = ROOT / "docs" / "explanation" / "policies" / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8"))


def test_the_narrowed_policy_is_open_from_the_vpc() -> None:
    verdict = prove_denies_http(policy("narrowed"), bucket_arn=BUCKET)
    assert isinstance(verdict, Refuted)
    assert verdict.request.resource == BUCKET
    assert verdict.request.context["aws:SourceVpc"] == "vpc-1"
    assert not evaluate(policy("narrowed"), verdict.request)


def test_the_allow_is_open() -> None:
    assert isinstance(prove_denies_http(policy("allow"), bucket_arn=BUCKET), Refuted)


def test_the_three_statements_prove_together_and_none_is_spare() -> None:
    document = policy("together")
    assert isinstance(document, dict)
    assert prove_denies_http(document, bucket_arn=BUCKET) == Proven((0, 1, 2))
    for spare in document["Statement"]:
        rest = {**document, "Statement": [one for one in document["Statement"] if one is not spare]}
        assert isinstance(prove_denies_http(rest, bucket_arn=BUCKET), Refuted)


def test_the_program_of_the_page_prints_what_it_says(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = (one for one in blocks(PAGE) if one.language == "python")
    (said,) = re.findall(r"print\(.*\)  # (.*)", block.text)
    monkeypatch.chdir(ROOT)
    exec(compile(block.text, block.id, "exec"), {})
    assert capsys.readouterr().out == f"{said}\n"
