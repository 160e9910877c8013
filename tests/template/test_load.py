"""Files that are broken, hostile or strange: an answer or a `TemplateError` that says what to do."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from secure_bucket.checks import check_template
from secure_bucket.errors import TemplateError
from secure_bucket.proof.verdict import Refuted, Undecided
from secure_bucket.template import load_document, parse_document
from secure_bucket.template.load import MAX_BYTES

BUCKET = '{"Resources": {"Reports": {"Type": "AWS::S3::Bucket"}}}'


def write(directory: Path, content: str | bytes, name: str = "template.json") -> Path:
    file = directory / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "is empty"),
        ("  \n", "is empty"),
        ("null", "is `null`"),
        ("[]", "it is a list"),
        ('"text"', "it is text"),
        ("just words", "it is text"),
        ("{}x", "text after the end"),
        ('{"Resources": null}', "`Resources` must map"),
        ('{"Resources": []}', "`Resources` must map"),
        ("Resources:\n", "`Resources` must map"),
        ('{"name": "a-package", "version": "1.0.0"}', "it has no `Resources`, but `name`, `version`"),
        ('{"Resources": {"Reports": {"Type": "AWS::S3::Bucket"', "line 1"),
        ('{"Resources": {"Reports": {"Type": "AWS::S3', "does not end on its line"),
        ('{"Resources": {"A": "\\ud800"}}', "surrogate"),
        ('{"Resources": {"\\ud800": 1}}', "surrogate"),
        ('{"Resources": {"A": "\\x"}}', "wrong escape"),
        (b"\xff\xfe{}", "not UTF-8"),
        ("Resources:\n\tReports: {}\n", "not tabs"),
        ("Resources:\n  A: [1, 2\n", "line 3"),
        (
            '{"Resources": {},\n"Resources": {"A": {"Type": "AWS::S3::Bucket"}}}',
            "stands twice, in line 1 and in line 2; put both into one",
        ),
        ("Resources: {A: *missing}\n", "alias `*missing` in line 1, column 16"),
        ("Resources:\n  A: \x07\n", "in line 2, column 6"),
        ("Resources:\n  # éé€𐍈\n  A: é\x07\n", "in line 3, column 7"),
        ("Resources: &loop\n  A: *loop\n", "alias `*loop`"),
        ("Resources: {? [a, b] : 1}\n", "a key that is not text"),
        ("Resources: {A: {<<: 1}}\n", "merges"),
        ("Resources: {A: {Type: B}}\n---\nResources: {}\n", "several YAML documents"),
        ("kind: Service\n---\nResources: 1\nResources: 2\n", "several YAML documents, and a template is one"),
        ("kind: Service\n---\nkind: Job\n", "several YAML documents, and none is a template"),
        ("Resources: {A: \x01}\n", "not YAML"),
        ("[" * 100_000, "nested"),
        ('{"a":' * 100_000, "nested"),
        ("Resources: " + "[" * 1000 + "\n", "nested deeper"),
        ("\n".join(" " * depth + "a:" for depth in range(400)), "nested deeper"),
    ],
)
def test_what_is_no_template_is_refused_with_a_reason(
    tmp_path: Path, content: str | bytes, says: str
) -> None:
    file = write(tmp_path, content)
    with pytest.raises(TemplateError) as caught:
        check_template(file)
    assert says in str(caught.value)
    assert str(file) in str(caught.value)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + BUCKET,
        BUCKET.replace("{", "{ // a comment\n", 1),
        BUCKET.replace("}}}", "},},}"),
        BUCKET.replace("}}}", ', "Properties": {"Tags": [NaN, -Infinity, 1e999, ' + "9" * 5000 + "]}}}}"),
        "/* a comment */ " + BUCKET,
        "{Resources: {Reports: {Type: AWS::S3::Bucket}}}",
        "--- # a comment\nResources:\r\n  Reports:\r\n    Type: AWS::S3::Bucket\r\n...\n",
        "Resources:\n  Reports: !!map {Type: !!str AWS::S3::Bucket}\n---\n",
    ],
)
def test_what_is_only_unusual_is_read(tmp_path: Path, content: str) -> None:
    report = check_template(write(tmp_path, content))
    assert [bucket.logical_id for bucket in report.buckets] == ["Reports"]


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="is a directory"):
        check_template(tmp_path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="No such file"):
        check_template(tmp_path / "missing.yaml")


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(TemplateError, match="not a regular file"):
        check_template(tmp_path / "pipe")


def test_a_path_with_a_null_character_is_refused() -> None:
    with pytest.raises(TemplateError, match="cannot be read"):
        check_template("a\0b")


def test_a_huge_file_is_refused_by_its_size(tmp_path: Path) -> None:
    file = tmp_path / "huge.json"
    with file.open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    with pytest.raises(TemplateError, match="more than"):
        check_template(file)


def test_loader_in_python_refuses_what_is_no_character(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("yaml.CSafeLoader", raising=False)
    with pytest.raises(TemplateError, match="`<template>` is not YAML"):
        parse_document('A: "\\U00110000"\n')


def test_an_alias_bomb_costs_nothing_and_is_undecided_where_it_matters(tmp_path: Path) -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    bomb = "\n".join(levels)
    content = f"""
Metadata:
  {bomb}
Resources:
  Reports: {{Type: AWS::S3::Bucket}}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties: {{Bucket: !Ref Reports, PolicyDocument: {{Statement: *a11}}}}
"""
    (bucket,) = check_template(write(tmp_path, content)).buckets
    assert isinstance(bucket.verdict, Refuted | Undecided)


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = {"Fn::Join": ["", [value]]}
    return value


@pytest.mark.parametrize("depth", [10, 90, 190, 5000])
def test_deep_nesting_in_a_dictionary_ends(depth: int) -> None:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": nested(depth)}}
    policy = {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": nested(depth), "PolicyDocument": {}}}
    report = check_template({"Resources": {"Reports": bucket, "Policy": policy}})
    assert not report.proven


def test_a_dictionary_that_contains_itself_ends() -> None:
    document: dict[str, Any] = {"Statement": []}
    document["Statement"].append(document)
    template = {
        "Resources": {
            "Reports": {"Type": "AWS::S3::Bucket"},
            "Policy": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {"Bucket": {"Ref": "Reports"}, "PolicyDocument": document},
            },
        }
    }
    assert not check_template(template).proven


STRANGE: list[Any] = [
    None,
    True,
    1.5,
    float("nan"),
    10**400,
    "",
    "x",
    [],
    {},
    [None],
    [[]],
    {"Ref": None},
    {"Ref": "Nobody"},
    {"Ref": "AWS::Nothing"},
    {"Ref": "AWS::NoValue"},
    {"Ref": "Reports"},
    {"Ref": "Policy"},
    {"Fn::GetAtt": "Reports"},
    {"Fn::GetAtt": ["Reports"]},
    {"Fn::GetAtt": ["Reports", {"Ref": "Nobody"}]},
    {"Fn::GetAtt": ["Nobody", "Arn"]},
    {"Fn::If": []},
    {"Fn::If": ["C", {"Ref": "Reports"}, "y"]},
    {"Fn::If": [None, "x", "y"]},
    {"Fn::If": [{"Fn::Equals": ["a"]}, "x", "y"]},
    {"Fn::Join": ["", None]},
    {"Fn::Join": [None, [None, {}, []]]},
    {"Fn::Select": ["x", []]},
    {"Fn::Select": [5, ["a"]]},
    {"Fn::Select": [-1, ["a"]]},
    {"Fn::Split": ["", "x"]},
    {"Fn::Sub": None},
    {"Fn::Sub": ["${x}", {"x": {}}]},
    {"Fn::Sub": "${Reports.Nothing} ${} ${!} ${"},
    {"Fn::FindInMap": ["M", "a", "b"]},
    {"Fn::FindInMap": ["M", {"Ref": "P"}, "b"]},
    {"Fn::FindInMap": [1]},
    {"Fn::ImportValue": {}},
    {"Fn::GetStackOutput": None},
    {"Fn::Transform": None},
    {"Fn::Transform": {"Name": "X"}, "Other": 1},
    {"Fn::ForEach::X": None},
    {"Fn::ForEach::X": ["A", ["1"], {"${A}": "v"}]},
    {"Fn::Nothing": 1},
    {"Fn::Length": 1},
    {"Fn::ToJsonString": {"a": object()}},
    {"Fn::Base64": []},
    {"Fn::Cidr": []},
    {1: 2, None: 3},
    object(),
    b"bytes",
    {"Statement": {"Ref": "Reports"}},
    "{{resolve:ssm:x}}",
    "{{resolve:",
]


@pytest.mark.parametrize(
    "strange", STRANGE, ids=lambda value: f"{type(value).__name__}-{value!r:.40}".partition(" at 0x")[0]
)
def test_any_value_anywhere_gets_an_answer(strange: Any) -> None:
    base: dict[str, Any] = {
        "Parameters": {"P": {"Type": "String"}},
        "Mappings": {"M": {"a": {"b": "c"}}},
        "Conditions": {"C": {"Fn::Equals": [{"Ref": "P"}, "x"]}},
        "Outputs": {"O": {"Value": "x"}},
        "Resources": {
            "Reports": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "reports"}},
            "Policy": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {"Bucket": "reports", "PolicyDocument": {"Statement": []}},
            },
        },
    }
    for path in [
        ("Transform",),
        ("Parameters",),
        ("Parameters", "P"),
        ("Parameters", "P", "Type"),
        ("Parameters", "P", "AllowedValues"),
        ("Mappings",),
        ("Mappings", "M"),
        ("Conditions",),
        ("Conditions", "C"),
        ("Outputs",),
        ("Outputs", "O", "Export"),
        ("Resources",),
        ("Resources", "Policy"),
        ("Resources", "Policy", "Type"),
        ("Resources", "Policy", "Condition"),
        ("Resources", "Policy", "Properties"),
        ("Resources", "Policy", "Properties", "Bucket"),
        ("Resources", "Policy", "Properties", "PolicyDocument"),
        ("Resources", "Reports"),
        ("Resources", "Reports", "Condition"),
        ("Resources", "Reports", "Metadata"),
        ("Resources", "Reports", "Properties"),
        ("Resources", "Reports", "Properties", "BucketName"),
        ("Resources", "Reports", "Properties", "WebsiteConfiguration"),
    ]:
        template = json.loads(json.dumps(base))
        inner = template
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = strange
        if path == ("Resources",) and not isinstance(strange, dict):
            with pytest.raises(TemplateError):
                check_template(template)
        else:
            assert not check_template(template).proven


def test_duplicate_keys_say_both_lines(tmp_path: Path) -> None:
    content = '{"Resources": {"A": {\n"Type": "x",\n"Type": "y"}}}'
    document = load_document(write(tmp_path, content))
    assert "in line 2 and in line 3" in document.root["Resources"]["A"]["Type"].reason
    yaml = "Resources:\n  A:\n    Type: x\n    Type: y\n"
    document = load_document(write(tmp_path, yaml, "t.yaml"))
    assert "in line 3 and in line 4" in document.root["Resources"]["A"]["Type"].reason


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2012-10-17", "2012-10-17"),
        ("yes", True),
        ("No", False),
        ("on", True),
        ("OFF", False),
        ("y", "y"),
        ("True", True),
        ("~", None),
        ("", None),
        ("123456789012", 123456789012),
        ("0755", 493),
        ("089", "089"),
        ("0x1F", 31),
        ("0b11", 3),
        ("1_000", 1000),
        ("1:30", 90),
        ("1.2", 1.2),
        ("1e3", "1e3"),
        (".5", 0.5),
        ("=", "="),
        ("1.2.3", "1.2.3"),
        ("'1.2'", "1.2"),
        ('"yes"', "yes"),
        ("!!str 12", "12"),
        ("!!int '12'", 12),
        ("!Ref yes", {"Ref": "yes"}),
        ("!GetAtt A.B.C", {"Fn::GetAtt": ["A", "B.C"]}),
        ("!GetAtt [A, B]", {"Fn::GetAtt": ["A", "B"]}),
        ("!Sub 12", {"Fn::Sub": "12"}),
        ("!Base64 x", {"Fn::Base64": "x"}),
        ("!Join ['', [!Ref a]]", {"Fn::Join": ["", [{"Ref": "a"}]]}),
        ("!Condition c", {"Condition": "c"}),
    ],
)
def test_yaml_scalars_are_read_as_cloudformation_reads_them(written: str, value: object) -> None:
    pytest.importorskip("yaml")
    assert parse_document(f"Resources: {{}}\nMetadata: {written}\n").root["Metadata"] == value


JSON = """{
  "Resources": {
    "A/b": {"Type": "x", "List": [1,
      {"k": 2}]}
  }
}"""
YAML = """
Resources:
    A/b:
         List:
      # a comment
          - 1
          - k: !Sub
             - x
"""


@pytest.mark.parametrize(
    ("text", "pointer", "line", "column"),
    [
        (JSON, "/Resources", 2, 3),
        (JSON, "/Resources/A~1b", 3, 5),
        (JSON, "/Resources/A~1b/List/1", 4, 7),
        (JSON, "/Resources/A~1b/List/1/k", 4, 8),
        (JSON, "/Resources/A~1b/Nothing/3", 3, 5),
        (YAML, "/Resources", 2, 1),
        (YAML, "/Resources/A~1b", 3, 5),
        (YAML, "/Resources/A~1b/List/1", 7, 13),
        (YAML, "/Resources/A~1b/List/1/k/Fn::Sub/0", 8, 16),
        (YAML, "/Resources/A~1b/Nothing/3", 3, 5),
    ],
)
def test_every_value_has_a_line_and_a_column(text: str, pointer: str, line: int, column: int) -> None:
    """What is not there has the place of what is around it."""
    place = parse_document(text, "t").place(pointer)
    assert (place.file, place.line, place.column) == ("t", line, column)


@pytest.mark.parametrize("named", [True, False])
def test_conditions_that_double_with_each_level_end(named: bool) -> None:
    """Each of them asks the one before it twice: 2^60 questions, if nobody remembered an answer."""
    conditions: dict[str, Any] = {"C0": {"Fn::Equals": [{"Ref": "P"}, "x"]}}
    for level in range(1, 60):
        before = {"Condition": f"C{level - 1}"} if named else conditions[f"C{level - 1}"]
        conditions[f"C{level}"] = {"Fn::And": [before, before]}
    template = {
        "Parameters": {"P": {"Type": "String"}},
        "Conditions": conditions,
        "Resources": {"Reports": {"Type": "AWS::S3::Bucket", "Condition": "C59"}},
    }
    assert check_template(template).proven == 0


def test_a_loop_over_aliases_of_aliases_ends(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    levels = ["a0: &a0 {k: x}"] + [f"  a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    bomb = "\n".join(levels)
    content = f"""
Metadata:
  {bomb}
Resources:
  Fn::ForEach::Buckets:
    - Name
    - [A, B]
    - Bucket${{Name}}: {{Type: AWS::S3::Bucket, Properties: {{Tags: *a39}}}}
"""
    report = check_template(write(tmp_path, content))
    assert [finding.rule for finding in report.findings] == ["SB010"]
