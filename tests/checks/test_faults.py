"""Faults name file, line and resource; all of them are shown; a missing dependency is not a defect."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from secure_bucket import TemplateError, check_assembly
from secure_bucket.checks.check import Settings
from secure_bucket.checks.check_targets import check_target
from secure_bucket.checks.find_targets import find_targets
from secure_bucket.cli.main import main
from secure_bucket.errors import TemplateErrors
from secure_bucket.findings.finding import Fault

QUEUE = {"Type": "AWS::SQS::Queue"}


def nested(url: str) -> object:
    return {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}


def stack_set(body: str) -> object:
    return {"Type": "AWS::CloudFormation::StackSet", "Properties": {"TemplateBody": body}}


@pytest.fixture
def assembly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An assembly in which a stack, a nested stack and the bodies of two stack sets cannot be read."""
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "cdk.out"
    out.mkdir()
    artifacts = {
        name: {"type": "aws:cloudformation:stack", "properties": {"templateFile": f"{name}.template.json"}}
        for name in ("Bad", "Gone", "Top")
    }
    (out / "manifest.json").write_text(json.dumps({"version": "50.0.0", "artifacts": artifacts}))
    (out / "Bad.template.json").write_text('{\n  "Resources": {\n    "A": ]\n}')
    resources = {
        "Set": stack_set("{"),
        "Queue": QUEUE,
        "Other": stack_set('{"Resources": 5}'),
        "Nested": nested("child.json"),
    }
    (out / "Top.template.json").write_text(json.dumps({"Resources": resources}, indent=1))
    (out / "child.json").write_text('{"x": 1}')
    return out


def test_every_template_that_cannot_be_read_is_a_fault(
    assembly: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "cdk.out"]) == 2
    lines = [line for line in "".join(capsys.readouterr()).splitlines() if ": error: " in line]
    assert [line.partition(": error: ")[0] for line in lines] == [
        "cdk.out/Bad.template.json:3:10",
        "cdk.out/Gone.template.json",
        "cdk.out/Top.template.json:6:5",
        "cdk.out/Top.template.json:15:5",
        "cdk.out/child.json",
    ]
    assert "TemplateBody of Set" in lines[2]
    assert "TemplateBody of Other" in lines[3]
    assert lines[4].endswith("`Nested` deploys it")


def test_the_function_raises_all_of_them(assembly: Path) -> None:
    with pytest.raises(TemplateErrors) as raised:
        check_assembly(assembly)
    assert len(raised.value.errors) == 5
    assert isinstance(raised.value, TemplateError)
    for each in raised.value.errors:
        assert str(each) in str(raised.value)


def faults(file: str) -> tuple[Fault, ...]:
    import datetime

    (target,) = find_targets([file]).found
    return check_target(target, Settings(False, None, datetime.date(2027, 3, 1))).faults


def test_a_key_that_stands_twice_names_its_resource(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.yaml").write_text("Resources:\n  B:\n    Type: AWS::S3::Bucket\n    Type: AWS::SNS::Topic\n")
    (fault,) = faults("t.yaml")
    assert fault.message.startswith("`B`: the key `Type` stands twice, in line 3 and in line 4")
    assert (fault.at.file, fault.at.line) == ("t.yaml", 3)


def test_a_missing_pyyaml_is_not_a_defect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "yaml", None)
    Path("t.yaml").write_text("Resources: {}\n")
    (fault,) = faults("t.yaml")
    assert fault.message == "`t.yaml` is YAML, which needs `pip install PyYAML`"
    Path("t.json").write_text('{"Resources": {')
    (fault,) = faults("t.json")
    assert "PyYAML" not in fault.message
