"""A nested stack whose template is in the same run is judged with its parent, by the path of its URL."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from secure_bucket.checks import check_templates
from secure_bucket.cli.main import main


def write(folder: Path, *, secure: str = "false", condition: str | None = None) -> tuple[Path, Path]:
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [{"Fn::Sub": "arn:aws:s3:::${Name}"}, {"Fn::Sub": "arn:aws:s3:::${Name}/*"}],
        "Condition": {"Bool": {"aws:SecureTransport": secure}},
    }
    policy = {"Bucket": {"Ref": "Name"}, "PolicyDocument": {"Statement": statement}}
    child = {
        "Parameters": {"Name": {"Type": "String"}},
        "Resources": {"Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": policy}},
    }
    nested: dict[str, Any] = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {
            "TemplateURL": {"Fn::Sub": "https://${Artifacts}.s3.amazonaws.com/v1/policies.json"},
            "Parameters": {"Name": {"Ref": "Reports"}},
        },
    }
    if condition:
        nested["Condition"] = condition
    parent = {
        "Parameters": {"Artifacts": {"Type": "String"}, "Stage": {"Type": "String"}},
        "Conditions": {"Production": {"Fn::Equals": [{"Ref": "Stage"}, "production"]}},
        "Resources": {"Reports": {"Type": "AWS::S3::Bucket"}, "Child": nested},
    }
    files = folder / "main.json", folder / "parts" / "policies.json"
    files[1].parent.mkdir()
    for file, template in zip(files, (parent, child), strict=True):
        file.write_text(json.dumps(template), encoding="utf-8")
    return files


def outcome(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    document = json.loads(capsys.readouterr().out)
    return [(each["logical_id"], each["verdict"]["outcome"]) for each in document["buckets"]]


@pytest.mark.parametrize("together", [[], ["--together"]], ids=["each by itself", "together"])
@pytest.mark.parametrize("named", [True, False], ids=["named", "found"])
def test_policy_of_a_child_in_the_run_proves_the_bucket(
    together: list[str], named: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = write(tmp_path)
    arguments = [str(file) for file in files] if named else [str(tmp_path)]
    assert main(["check", *arguments, *together, "--format", "json"]) == 0
    assert outcome(capsys) == [("Reports", "proven")]


@pytest.mark.parametrize("changes", [{"secure": "true"}, {"condition": "Production"}], ids=str)
def test_child_in_the_run_proves_nothing_more_than_it_denies(
    changes: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, **changes)
    assert main(["check", str(tmp_path), "--format", "json"]) == 1
    assert outcome(capsys) == [("Reports", "refuted")]


def test_parent_by_itself_leaves_the_bucket_undecided(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parent, _ = write(tmp_path)
    assert main(["check", str(parent), "--format", "json"]) == 3
    assert outcome(capsys) == [("Reports", "undecided")]


def test_child_that_cannot_be_read_leaves_the_bucket_undecided(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, child = write(tmp_path)
    child.write_text('{"AWS', encoding="utf-8")
    assert main(["check", str(tmp_path), "--format", "json"]) == 2
    assert outcome(capsys) == [("Reports", "undecided")]


def test_templates_that_name_each_other_are_all_judged(tmp_path: Path) -> None:
    files = []
    for name, other in (("a", "b"), ("b", "a")):
        nested = {"TemplateURL": f"https://example.com/{other}.json"}
        resources = {
            "Logs": {"Type": "AWS::S3::Bucket"},
            "Nested": {"Type": "AWS::CloudFormation::Stack", "Properties": nested},
        }
        files.append(tmp_path / f"{name}.json")
        files[-1].write_text(json.dumps({"Resources": resources}), encoding="utf-8")
    report = check_templates(files)
    assert report.refuted >= 2
    assert {bucket.subject.template for bucket in report.buckets} == set(map(str, files))


@pytest.mark.parametrize("given", ["", "x,", "x, ,y", ["x", {"Ref": "Stage"}], ["x", ""]])
def test_a_list_with_an_empty_or_unknown_item_is_not_known(tmp_path: Path, given: object) -> None:
    assert verdict_for_list(tmp_path, given) != "Proven"


@pytest.mark.parametrize("given", ["x", " x , y", ["x", "y"], ["x,y"]])
def test_a_list_of_known_items_is_known(tmp_path: Path, given: object) -> None:
    assert verdict_for_list(tmp_path, given) == "Proven"


def verdict_for_list(folder: Path, given: object) -> str:
    """Return the verdict on a bucket that has a policy if the first item of a list is `x`."""
    bucket_policy = {
        "Type": "AWS::S3::BucketPolicy",
        "Condition": "First",
        "Properties": {
            "Bucket": {"Ref": "Reports"},
            "PolicyDocument": {
                "Statement": {
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "s3:*",
                    "Resource": [{"Fn::GetAtt": ["Reports", "Arn"]}, {"Fn::Sub": "${Reports.Arn}/*"}],
                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                }
            },
        },
    }
    child = {
        "Parameters": {"Names": {"Type": "CommaDelimitedList"}},
        "Conditions": {"First": {"Fn::Equals": [{"Fn::Select": [0, {"Ref": "Names"}]}, "x"]}},
        "Resources": {"Reports": {"Type": "AWS::S3::Bucket"}, "ReportsPolicy": bucket_policy},
    }
    nested = {"Properties": {"TemplateURL": "child.json", "Parameters": {"Names": given}}}
    parent = {
        "Parameters": {"Stage": {"Type": "String"}},
        "Resources": {"Child": {"Type": "AWS::CloudFormation::Stack", **nested}},
    }
    for name, template in {"parent": parent, "child": child}.items():
        (folder / f"{name}.json").write_text(json.dumps(template))
    report = check_templates([folder / "parent.json", folder / "child.json"])
    return type(report.buckets[0].verdict).__name__
