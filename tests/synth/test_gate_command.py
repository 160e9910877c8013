"""`secure-bucket gate` as the `app` of the real CDK CLI; the app behind it writes an assembly by itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from tests.synth.harness import CDK, Run, run_in, shell_environment

pytestmark = pytest.mark.slow

APP = """
import json, os, pathlib, signal, sys
case = json.loads(pathlib.Path("case.json").read_text())
with open("rounds", "a") as rounds:
    rounds.write("x")
out = pathlib.Path(os.environ["CDK_OUTDIR"])
out.mkdir(exist_ok=True)
if case["end"] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
if case["end"] == "writes nothing":
    sys.exit()
known = "zones" in json.loads(os.environ.get("CDK_CONTEXT_JSON", "{}"))
plain = {"Type": "AWS::S3::Bucket", "Metadata": {"aws:cdk:path": "Top/Logs/Resource"}}
topic = {"Type": "AWS::SNS::Topic"}
(out / "Top.template.json").write_text(json.dumps({"Resources": {"Logs": plain if case["plain"] else topic}}))
(out / "Other.template.json").write_text(json.dumps({"Resources": {"Topic": topic}}))
artifacts = {
    name: {
        "type": "aws:cloudformation:stack",
        "environment": "aws://111122223333/eu-west-1",
        "properties": {"templateFile": f"{name}.template.json"},
        "displayName": name,
    }
    for name in ("Top", "Other")
}
ask = {"key": "zones", "provider": "availability-zones",
       "props": {"account": "123456789012", "region": "eu-west-1"}}
missing = [ask] if case["missing"] == "always" or case["missing"] == "once" and not known else []
text = json.dumps({"version": "48.0.0", "artifacts": artifacts, "missing": missing})
(out / "manifest.json").write_text(text[:40] if case["end"] == "half" else text)
print("from the app")
"""
GATE = f"{sys.executable} -m secure_bucket gate -- {sys.executable} app.py"
FINDING = "SB001 error: bucket `Logs`: anyone can GET `report.csv` over plain HTTP"


def prepare(directory: Path, *, plain: bool, missing: str = "never", end: str = "") -> None:
    (directory / "app.py").write_text(APP)
    (directory / "cdk.json").write_text(json.dumps({"app": GATE, "watch": {"include": ["none"]}}))
    (directory / "case.json").write_text(json.dumps({"plain": plain, "missing": missing, "end": end}))


KEYS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "eu-west-1"}


def cdk(directory: Path, *arguments: str, **environment: str) -> Run:
    return run_in(directory, str(CDK), "--no-notices", *arguments, **KEYS, **environment)


@pytest.mark.parametrize(
    "command",
    [
        ("list",),
        ("synth", "--quiet", "Other"),
        ("diff", "Other"),
        ("deploy", "--no-execute", "Other"),
        ("validate", "--unstable=validate", "Other"),
        ("synth", "--quiet", "-o", "elsewhere"),
    ],
    ids=" ".join,
)
def test_each_command_of_the_cli_is_refused(tmp_path: Path, command: tuple[str, ...]) -> None:
    prepare(tmp_path, plain=True)
    run = cdk(tmp_path, *command)
    assert run.code == 1
    assert FINDING in run.stderr
    directory = tmp_path / ("elsewhere" if "-o" in command else "cdk.out")
    assert (directory / "manifest.json.refused").is_file()


def test_a_clean_app_passes_through(tmp_path: Path) -> None:
    prepare(tmp_path, plain=False)
    run = cdk(tmp_path, "list", "--app", GATE)
    assert run.code == 0, run.stderr
    assert run.stdout.splitlines() == ["from the app", "Top", "Other"]
    assert "error" not in run.stderr.casefold()


@pytest.mark.parametrize(
    "command", [("deploy", "--all"), ("list",), ("synth", "--ignore-errors")], ids=" ".join
)
def test_a_refused_directory_has_nothing_to_deploy(tmp_path: Path, command: tuple[str, ...]) -> None:
    prepare(tmp_path, plain=True)
    gate = run_in(tmp_path, *GATE.split(), CDK_OUTDIR="cdk.out")
    assert gate.code == 1
    run = cdk(tmp_path, *command, "--app", "cdk.out")
    assert (run.code, "This app contains no stacks" in run.stderr) == (1, True), run.stderr


def test_several_runs_in_one_directory_are_judged_each_by_itself(tmp_path: Path) -> None:
    for plain in (True, False, True):
        prepare(tmp_path, plain=plain)
        run = cdk(tmp_path, "list")
        assert run.code == int(plain), run.stderr
        assert (FINDING in run.stderr) == plain


@pytest.mark.parametrize(
    ("end", "message"),
    [
        ("killed", "signal 9 ended"),
        ("writes nothing", "the app wrote no `cdk.out/manifest.json`"),
        ("half", "is not JSON"),
    ],
)
def test_an_app_that_ends_too_early_fails(tmp_path: Path, end: str, message: str) -> None:
    prepare(tmp_path, plain=False, end=end)
    run = cdk(tmp_path, "list")
    assert run.code == 1
    assert message in run.stderr


def test_the_manifest_of_an_earlier_run_fails(tmp_path: Path) -> None:
    prepare(tmp_path, plain=False)
    assert cdk(tmp_path, "list").code == 0
    prepare(tmp_path, plain=False, end="writes nothing")
    run = cdk(tmp_path, "list")
    assert run.code == 1
    assert "is from an earlier run" in run.stderr


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    server = ThreadedMotoServer(port=0)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.mark.parametrize(
    ("missing", "plain", "code"), [("once", False, 0), ("once", True, 1), ("always", False, 1)]
)
def test_context_is_looked_up_before_the_gate_judges(
    aws: str, tmp_path: Path, missing: str, plain: bool, code: int
) -> None:
    prepare(tmp_path, plain=plain, missing=missing)
    run = cdk(tmp_path, "list", AWS_ENDPOINT_URL=aws)
    assert run.code == code, run.stderr
    assert (tmp_path / "rounds").read_text() == "xx"
    assert (FINDING in run.stderr) == plain
    assert ("is still missing" in run.stderr) == (missing == "always")


def test_context_that_nobody_may_look_up_fails(tmp_path: Path) -> None:
    prepare(tmp_path, plain=False, missing="always")
    run = cdk(tmp_path, "list", "--no-lookups")
    assert run.code == 1
    manifest: dict[str, Any] = json.loads((tmp_path / "cdk.out" / "manifest.json").read_text())
    assert manifest["artifacts"] == {}


def test_watch_deploys_nothing_that_the_gate_refuses(tmp_path: Path) -> None:
    prepare(tmp_path, plain=True)
    with subprocess.Popen(
        [str(CDK), "watch", "--no-notices"],
        cwd=tmp_path,
        env=shell_environment(**KEYS),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as watching:
        assert watching.stdout is not None
        said = ""
        for line in watching.stdout:
            said += line
            if "cannot be deployed" in line:
                break
        os.killpg(watching.pid, signal.SIGKILL)  # `node` is a process of its own, below a Python script.
    assert FINDING in said
    assert "deploying" not in said.casefold()
