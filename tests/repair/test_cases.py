"""Templates before and after, and templates that are left as they are: each pair and each file is a case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from secure_bucket.checks.check import check_template
from secure_bucket.cli.rewrite import diff_lines
from secure_bucket.findings.combine import ClaimOutcome
from secure_bucket.findings.declared import DeclaredJudgement
from secure_bucket.proof.verdict import Proven
from secure_bucket.repair import repair, repair_document
from secure_bucket.template import Document, load_document, parse_document

HERE = Path(__file__).parent
PAIRS = sorted((HERE / "cases").glob("*.before.*"))
LEFT = sorted((HERE / "left").glob("*.yaml"))


def after(before: Path) -> Path:
    return before.with_name(before.name.replace(".before.", ".after."))


def read(text: str) -> Document:
    return parse_document(text, "template")


@pytest.mark.parametrize("before", PAIRS, ids=lambda path: path.name)
def test_the_deny_is_put_where_it_belongs(before: Path) -> None:
    outcome = repair_document(load_document(before))
    assert not outcome.left
    # `read_bytes`, because Python makes one line end of all.
    assert outcome.document.text.encode() == after(before).read_bytes()


@pytest.mark.parametrize("before", PAIRS, ids=lambda path: path.name)
def test_what_comes_out_proves_and_is_not_repaired_again(before: Path) -> None:
    document = load_document(after(before))
    assert all(isinstance(bucket.verdict, Proven) for bucket in check_template(document).buckets)
    again = repair_document(document)
    assert (again.fixed, again.left) == ((), ())
    assert again.document is document


def no_end(text: str) -> str:
    return text.removesuffix("\n")


def windows(text: str) -> str:
    return text.replace("\n", "\r\n")


@pytest.mark.parametrize("before", PAIRS, ids=lambda path: path.name)
@pytest.mark.parametrize(
    "write",
    [no_end, windows, lambda text: no_end(windows(text)).removesuffix("\r")],
    ids=["end", "crlf", "both"],
)
def test_line_ends_stay_as_they_are(before: Path, write: Callable[[str], str]) -> None:
    outcome = repair_document(read(write(before.read_text(encoding="utf-8"))))
    assert outcome.document.text == write(after(before).read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", LEFT, ids=lambda path: path.stem)
def test_what_cannot_be_fixed_safely_is_left_with_the_reason(path: Path) -> None:
    document = load_document(path)
    expected = document.root["Metadata"]["Case"]["left"]
    outcome = repair_document(document)
    assert outcome.document is document
    assert [left.logical_id for left in outcome.left] == list(expected)
    for left in outcome.left:
        assert expected[left.logical_id] in left.why
        assert left.at.line > 0


def test_a_bucket_that_cannot_be_fixed_does_not_stop_the_others() -> None:
    text = (HERE / "left" / "document-shared-by-an-alias.yaml").read_text(encoding="utf-8")
    document = read(f"{text}  More:\n    Type: AWS::S3::Bucket\n")
    outcome = repair_document(document)
    assert [fixed.logical_id for fixed in outcome.fixed] == ["More"]
    assert [left.logical_id for left in outcome.left] == ["Logs"]
    assert outcome.document.text.startswith(document.text)


@pytest.mark.parametrize("first", ["  Logs:\n    Type: AWS::S3::Bucket\n", ""])
def test_a_key_that_stands_twice_elsewhere_does_not_stop_it(first: str) -> None:
    queue = "  Queue:\n    Type: AWS::SQS::Queue\n    Condition: A\n    Condition: B\n"
    last = "" if first else "  Logs:\n    Type: AWS::S3::Bucket\n"
    document = read(f"Resources:\n{first}{queue}{last}")
    outcome = repair_document(document)
    assert [fixed.logical_id for fixed in outcome.fixed] == ["Logs"]
    assert queue in outcome.document.text


def test_a_statement_that_denies_https_is_pointed_at() -> None:
    outcome = repair_document(load_document(HERE / "cases" / "broken-denies.before.yaml"))
    notes = {fixed.logical_id: fixed.note for fixed in outcome.fixed}
    assert "its statement 1 denies requests over HTTPS" in notes["Value"]
    assert notes["Tls"] == notes["Misspelt"] == ""


def test_a_template_of_the_cdk_is_repaired_when_asked() -> None:
    document = load_document(HERE / "left" / "made-by-cdk.yaml")
    assert [fixed.logical_id for fixed in repair_document(document, synthesized=True).fixed] == ["Logs"]


def test_what_is_named_is_left() -> None:
    document = read("Resources: {Logs: {Type: AWS::S3::Bucket}, Other: {Type: AWS::S3::Bucket}}")
    outcome = repair_document(document, leave={"Logs": "somebody said so"})
    assert [(left.logical_id, left.why) for left in outcome.left] == [("Logs", "somebody said so")]
    assert [fixed.logical_id for fixed in outcome.fixed] == ["Other"]


@pytest.mark.parametrize(("length", "fits"), [(19_500, True), (20_200, False)])
def test_a_policy_does_not_outgrow_what_s3_takes(length: int, fits: bool) -> None:
    document = read(
        "Resources:\n  Logs:\n    Type: AWS::S3::Bucket\n  Policy:\n    Type: AWS::S3::BucketPolicy\n"
        "    Properties:\n      Bucket: !Ref Logs\n      PolicyDocument:\n        Statement:\n"
        "          - {Effect: Allow, Principal: {AWS: '123456789012'}, Action: s3:GetObject, "
        f"Resource: !Sub '${{Logs.Arn}}/{'x' * length}'}}\n"
    )
    outcome = repair_document(document)
    assert len(outcome.fixed) == fits
    if not fits:
        assert outcome.document is document
        assert "and S3 takes 20,480" in outcome.left[0].why


def test_a_repair_that_changes_another_verdict_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    document = read("Resources: {Logs: {Type: AWS::S3::Bucket}, Site: {Type: AWS::S3::Bucket}}")
    judgements = repair._judgements

    def wrong(changed: Document, strict: bool) -> Iterator[DeclaredJudgement]:
        for judgement in judgements(changed, strict):
            if changed is not document and judgement.resource.logical_id == "Site":
                judgement = replace(judgement, http=ClaimOutcome(Proven()))
            yield judgement

    monkeypatch.setattr(repair, "_judgements", wrong)
    outcome = repair_document(document, leave={"Site": "somebody said so"})
    assert outcome.document is document
    assert not outcome.fixed
    assert [left.why for left in outcome.left] == [
        "somebody said so",
        "the repair of this template would change the verdict on `Site`",
    ]


def test_a_template_without_text_is_left() -> None:
    outcome = repair_document(parse_document({"Resources": {"Logs": {"Type": "AWS::S3::Bucket"}}}))
    assert [left.why for left in outcome.left] == ["the template has no text"]


def test_many_buckets_do_not_take_long() -> None:
    count = 300
    document = read(
        "Resources:\n" + "".join(f"  B{index}: {{Type: AWS::S3::Bucket}}\n" for index in range(count))
    )
    assert len(repair_document(document).fixed) == count


def test_an_alias_bomb_is_over_soon() -> None:
    lines = ["Metadata:", "  A0: &a0 [x]"]
    lines += [f"  A{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    document = read("\n".join([*lines, "Resources:", "  Logs: {Type: AWS::S3::Bucket}"]))
    assert [fixed.logical_id for fixed in repair_document(document).fixed] == ["Logs"]


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ("a\n", "a\n", []),
        ("a\nb\n", "a\nc\nb\n", ["--- f\n", "+++ f\n", "@@ -1,2 +1,3 @@\n", " a\n", "+c\n", " b\n"]),
        (
            "a",
            "a\nb",
            [
                *("--- f\n", "+++ f\n", "@@ -1 +1,2 @@\n"),
                *("-a\n", "\\ No newline at end of file\n"),
                *("+a\n", "+b\n", "\\ No newline at end of file\n"),
            ],
        ),
        ("a\r\n\u2028", "a\r\n\u2028\n", None),
    ],
)
def test_the_difference_is_what_patch_reads(before: str, after: str, lines: list[str] | None) -> None:
    found = list(diff_lines(before, after, "f"))
    if lines is None:
        assert all(line.endswith("\n") and line.count("\n") == 1 for line in found)
    else:
        assert found == lines
