"""The digests of what the gate judged: a later change of the assembly fails every check of it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from secure_bucket import check_assembly
from secure_bucket.checks.judged_files import JUDGED, forget_judged_files, write_judged_files
from secure_bucket.cli.main import main
from secure_bucket.template.manifest import read_manifests


def stack(template: str, **more: str) -> dict[str, object]:
    return {"type": "aws:cloudformation:stack", "properties": {"templateFile": template}, **more}


def write(file: Path, value: object) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(value))


@pytest.fixture
def assembly(tmp_path: Path) -> Path:
    """A judged assembly with a Stage, an asset manifest and metadata in a file of its own."""
    out = tmp_path / "cdk.out"
    write(
        out / "manifest.json",
        {
            "version": "55.0.0",
            "artifacts": {
                "Top": stack("Top.template.json", additionalMetadataFile="Top.metadata.json"),
                "Top.assets": {"type": "cdk:asset-manifest", "properties": {"file": "Top.assets.json"}},
                "Prod": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Prod"}},
            },
        },
    )
    write(out / "Top.template.json", {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    write(out / "Top.metadata.json", {})
    write(out / "Top.assets.json", {"files": {}})
    write(out / "assembly-Prod" / "manifest.json", {"artifacts": {"Data": stack("Data.template.json")}})
    write(out / "assembly-Prod" / "Data.template.json", {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    report = check_assembly(out)
    write_judged_files(out, (*read_manifests(out).files, *report.templates))
    return out


def test_an_assembly_that_nobody_changed_has_no_fault(assembly: Path) -> None:
    assert check_assembly(assembly).faults == ()


def test_digests_still_hold_after_the_directory_was_moved(assembly: Path) -> None:
    moved = assembly.rename(assembly.parent / "elsewhere")
    assert check_assembly(moved).faults == ()


@pytest.mark.parametrize(
    "name",
    [
        "manifest.json",
        "Top.template.json",
        "Top.metadata.json",
        "Top.assets.json",
        "assembly-Prod/manifest.json",
        "assembly-Prod/Data.template.json",
    ],
)
def test_each_file_that_was_judged_is_held_to_its_digest(
    assembly: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = assembly / name
    file.write_text(file.read_text() + "\n")
    (fault,) = check_assembly(assembly).faults
    assert fault.file == str(file)
    assert fault.message.startswith(f"`{file}` was changed after the gate judged it: run `cdk synth` again")
    assert main(["check", str(assembly)]) == 2
    assert "was changed after the gate judged it" in "".join(capsys.readouterr())


def test_every_changed_file_is_shown(assembly: Path) -> None:
    for name in ("Top.template.json", "assembly-Prod/Data.template.json"):
        (assembly / name).write_text(json.dumps({"Resources": {}}))
    assert len(check_assembly(assembly).faults) == 2


def test_a_judged_file_that_is_gone_is_shown(assembly: Path) -> None:
    # Another synthesis into the same directory left its own manifest.
    write(assembly / "manifest.json", {"artifacts": {"Other": stack("Top.template.json")}})
    (assembly / "assembly-Prod" / "Data.template.json").unlink()
    messages = [fault.message for fault in check_assembly(assembly).faults]
    assert [message.split(" after")[0].split("` ")[1] for message in messages] == [
        "was removed",
        "was changed",
    ]


def cut(file: Path) -> None:
    file.write_text(file.read_text()[:-10])


def link_to_nothing(file: Path) -> None:
    file.unlink()
    file.symlink_to("missing")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.write_text(""),
        lambda file: file.write_text("{}"),
        lambda file: file.write_text('{"files": {"Top.template.json": 1}}'),
        lambda file: file.write_bytes(b"\xff\xfe"),
        cut,
        link_to_nothing,
    ],
)
def test_digests_that_cannot_be_read_are_a_fault(assembly: Path, spoil: Callable[[Path], object]) -> None:
    spoil(assembly / JUDGED)
    (fault,) = check_assembly(assembly).faults
    assert fault.file == str(assembly / JUDGED)
    assert "cannot be read" in fault.message


def test_an_assembly_without_a_gate_has_no_digests(assembly: Path) -> None:
    forget_judged_files(assembly)
    forget_judged_files(assembly)
    (assembly / "Top.template.json").write_text(json.dumps({"Resources": {}}))
    assert check_assembly(assembly).faults == ()


def test_the_record_tells_left_over_templates_whatever_their_times(assembly: Path, tmp_path: Path) -> None:
    plain = {"Resources": {"Plain": {"Type": "AWS::S3::Bucket"}}}
    for name in ("Left", "Own"):
        write(assembly / f"{name}.template.json", plain)
    files = (*read_manifests(assembly).files, assembly / "Top.template.json", assembly / "Own.template.json")
    write_judged_files(assembly, files, [assembly / "Left.template.json"])
    shutil.copytree(assembly, tmp_path / "copy", copy_function=shutil.copy)
    for directory in (assembly, tmp_path / "copy"):
        report = check_assembly(directory)
        assert [Path(bucket.at.file).name for bucket in report.buckets] == ["Own.template.json"]
        assert "Left.template.json" in " ".join(report.remarks)


def test_a_left_over_template_that_was_changed_is_judged(assembly: Path) -> None:
    left = assembly / "Left.template.json"
    write(left, {"Resources": {"Plain": {"Type": "AWS::S3::Bucket"}}})
    write_judged_files(assembly, read_manifests(assembly).files, [left])
    assert check_assembly(assembly).buckets == ()
    write(left, {"Resources": {"Plain": {"Type": "AWS::S3::Bucket", "Properties": {}}}})
    assert len(check_assembly(assembly).buckets) == 1


def test_a_template_that_was_added_after_the_gate_is_judged(assembly: Path) -> None:
    added = assembly / "Added.template.json"
    write(added, {"Resources": {"Plain": {"Type": "AWS::S3::Bucket"}}})
    os.utime(added, (1_700_000_000, 1_700_000_000))
    assert len(check_assembly(assembly).buckets) == 1
