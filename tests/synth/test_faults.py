"""Whatever goes wrong inside the gate fails the synthesis. The CDK by itself would ignore it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.synth.harness import Run, cdk_synth, write_app

pytestmark = pytest.mark.slow

# Each case breaks something that the gate relies on, right before it reads the assembly.
CASES = """
import json
import pathlib
import shutil
import tempfile
from msgspec import structs
import secure_bucket.cdk.gate.gate as gate

case = app.node.try_get_context("case")
top = cdk.Stack(app, "Top")
SecureBucket(top, "Good")
SecureBucket(cdk.NestedStack(top, "Nested"), "Good")
check = gate.check_written_assembly

def broken(directory, *given):
    if case in ("truncated", "no-json", "gone"):
        # In a copy: the CDK by itself stops a validation plugin that writes to the assembly.
        directory = shutil.copytree(directory, pathlib.Path(tempfile.mkdtemp()) / "cdk.out")
    out = pathlib.Path(directory)
    if case == "raises":
        raise KeyError("a defect of ours")
    if case == "recursion":
        return broken(directory, *given)
    if case == "surrogate":
        raise ValueError("a lone surrogate: " + chr(0xD800))
    if case == "truncated":
        file = out / "Top.template.json"
        file.write_text(file.read_text()[:-40])
    if case == "no-json":
        (out / "Top.template.json").write_bytes(bytes([0xFF, 0xFE, 0x00]))
    if case == "gone":
        next(out.glob("*.nested.template.json")).unlink()
    if case == "acknowledgments":
        del gate.read_acknowledgments
    if case == "overlooked":
        checked = check(directory, *given)
        return structs.replace(checked, report=type(checked.report)())
    return check(directory, *given)

gate.check_written_assembly = broken
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Run:
    directory = tmp_path_factory.mktemp("faults")
    write_app(directory, CASES)
    return Run(0, "", "", directory)


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("raises", ["KeyError", "a defect of ours", "please report it"]),
        ("recursion", ["RecursionError"]),
        ("surrogate", ["a lone surrogate"]),
        ("truncated", ["Top.template.json"]),
        ("no-json", ["Top.template.json"]),
        ("gone", ["nested.template.json"]),
        ("acknowledgments", ["NameError", "please report it"]),
        ("overlooked", ["Top.template.json", "was not judged"]),
    ],
)
def test_a_fault_inside_the_gate_fails_the_synthesis(app: Run, case: str, words: list[str]) -> None:
    run = app.again("-c", f"case={case}")
    assert run.code == 1, run.stderr
    block = run.block("FATAL ", "secure-bucket::gate-failure")
    for word in words:
        assert word in block


def test_the_app_without_the_fault_passes(app: Run) -> None:
    run = app.again()
    assert run.code == 0, run.stderr


def test_nobody_can_acknowledge_a_fault(tmp_path: Path) -> None:
    body = """
    import secure_bucket.cdk.gate.gate as gate
    SecureBucket(cdk.Stack(app, "Top"), "Good")
    del gate.check_written_assembly
    ids = ("gate-failure", "SB001")
    cdk.Validations.of(app).acknowledge(
        *(cdk.Acknowledgment(id=f"secure-bucket::{id}", reason="no") for id in ids)
    )
    """
    run = cdk_synth(tmp_path, body)
    assert run.code == 1
    run.block("FATAL ", "NameError")
