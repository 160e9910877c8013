"""The positions of an editor, and those of the findings."""

from __future__ import annotations

import json

import pytest
from lsprotocol import types as lsp

from secure_bucket import check_template
from secure_bucket.editor import judged_text
from secure_bucket.editor.judged_text import judge_text
from secure_bucket.editor.open_text import OpenText
from secure_bucket.formats.extent import Extent
from secure_bucket.proof import Proven
from secure_bucket.template import parse_document

LINE = "é😀x: y\n"


@pytest.mark.parametrize(("encoding", "x", "end"), [("utf-8", 6, 10), ("utf-16", 3, 7), ("utf-32", 2, 6)])
def test_columns_are_counted_in_the_units_of_the_editor(encoding: str, x: int, end: int) -> None:
    text = OpenText("file:///t", 1, f"a: b\r\n{LINE}", encoding)
    found = text.range_of(Extent(2, 3, 2, 7, (LINE,)))
    assert found == lsp.Range(lsp.Position(1, x), lsp.Position(1, end))
    assert text.place_of(found.start) == (2, 3)
    assert text.place_of(found.end) == (2, 7)
    # Within a character, behind the line, and behind the text.
    assert text.place_of(lsp.Position(1, x - 1 if encoding != "utf-32" else x))[1] in (2, 3)
    assert text.place_of(lsp.Position(1, 99)) == (2, 8)
    assert text.place_of(lsp.Position(9, 9)) == (10, 1)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", ["", "end"])
def test_lines_end_as_the_protocol_says(end: str, last: str) -> None:
    text = OpenText("file:///t", 1, f"a\u2028b\f{end}{end}c\x85d{end}{last}", "utf-16")
    assert list(text.lines) == [f"a\u2028b\f{end}", end, f"c\x85d{end}", *([last] if last else [])]


@pytest.mark.parametrize("between", ["\u2028", "\u2029", "\x85", "\x1c", "\x0b", "\x0c", "\r", "😀"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_an_edit_proves_a_template_with_other_ends_of_lines(between: str, newline: str) -> None:
    body = {"Description": "a?b", "Resources": {"A": {"Type": "AWS::S3::Bucket"}}}
    # In a comment, where JSON for CloudFormation has them too.
    whole = json.dumps(body, indent=2, ensure_ascii=False).replace("?", between if between > " " else "b")
    text = OpenText("file:///t.json", 1, whole.replace("\n", newline), "utf-16")
    fixed = judge_text(text.text, "t.json").fixed(None, strict=False)
    assert fixed is not None
    edit = text.edit_to(fixed)
    assert (edit.range.start.character, edit.range.end.character) == (0, 0)
    lines = [*text.lines]
    lines[edit.range.start.line : edit.range.end.line] = [edit.new_text]
    assert "".join(lines) == fixed
    (bucket,) = check_template(parse_document("".join(lines), "t.json")).buckets
    assert isinstance(bucket.verdict, Proven)


@pytest.mark.parametrize(
    ("text", "is_fault"),
    [
        ("Resources:\n  A: {Type: AWS::S3::Bucket\n", True),
        ('AWSTemplateFormatVersion: "2010-09-09"\n\tResources:\n', True),
        ('{"Type": "AWS::S3::Bucket"', True),
        ("", False),
        ('{"name": "app",', False),
        ("{{- if .Values.on }}\nkind: Service\n{{- end }}\n", False),
        ("on: push\n\tjobs: {}\n", False),
    ],
)
def test_only_what_may_be_a_template_is_broken(text: str, is_fault: bool) -> None:
    judged = judge_text(text, "t.yaml")
    assert bool(judged.fault) == is_fault
    assert not judged.findings


def test_an_internal_error_is_a_fault_of_the_new_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise TypeError("unexpected")

    monkeypatch.setattr(judged_text, "check_template", fail)
    judged = judge_text("Resources: {}\n", "t.yaml")
    assert judged.fault == "internal error in secure-bucket, please report it: TypeError: unexpected"
    assert not judged.findings
