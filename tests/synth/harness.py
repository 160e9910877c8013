"""Run the real `cdk synth` on an app that a test writes down.

The apps are small and each of them holds several cases, because starting Python, Node and the CDK takes
seconds; every assertion is on one case of the output.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
CDK = ROOT / "node_modules" / ".bin" / "cdk"

PREAMBLE = """
import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from secure_bucket import Mode, SecureBucket, SecureTransportAspect, SecureTransportValidation

app = cdk.App()
"""

GATE = "\ncdk.Aspects.of(app).add(SecureTransportAspect())\n"

SYNTH = "\napp.synth()\n"

OWN_VALIDATION_OFF = {"CDK_VALIDATION": "false"}
"""Switches off the CDK's own validation of templates, which is over half of the processor time of a small
app (3.5 s against 0.8 s with aws-cdk-lib 2.275.0). Plugins run all the same, ours too; the examples and
`test_readme.py` run with the CDK's own validation.
"""


@dataclass(frozen=True)
class Run:
    """What came out of a command."""

    code: int
    stdout: str
    stderr: str
    directory: Path

    @property
    def summary(self) -> str | None:
        """The summary line of the gate."""
        found = re.findall(r"^secure-bucket: .*$", self.stderr, re.MULTILINE)
        assert len(found) <= 1, f"more than one summary: {found}"
        return found[0] if found else None

    @property
    def blocks(self) -> list[str]:
        """The violations, one paragraph each."""
        return re.findall(
            r"^(?:FATAL|ERROR|WARNING|INFO) .*?(?=\n\n|\Z)", self.stderr, re.MULTILINE | re.DOTALL
        )

    def block(self, *words: str) -> str:
        """The one violation that holds all these words."""
        found = [block for block in self.blocks if all(word in block for word in words)]
        assert len(found) == 1, f"{len(found)} violations hold {words}:\n{self.stderr}"
        return found[0]

    def report(self) -> dict[str, Any]:
        """What the plugin left in `validation-report.json`."""
        text = (self.directory / "cdk.out" / "validation-report.json").read_text(encoding="utf-8")
        found = [each for each in json.loads(text)["pluginReports"] if each["pluginName"] == "secure-bucket"]
        assert len(found) == 1, f"{len(found)} reports of the plugin"
        report: dict[str, Any] = found[0]
        return report

    def template(self, name: str) -> dict[str, Any]:
        """A synthesized template."""
        text = (self.directory / "cdk.out" / name).read_text(encoding="utf-8")
        template: dict[str, Any] = json.loads(text)
        return template

    def again(self, *arguments: str) -> Run:
        """Run `cdk synth` on the same app with other arguments."""
        return _cdk_synth(self.directory, *arguments)

    def deployable(self, directory: str = "cdk.out", *arguments: str) -> Run:
        """Run `cdk synth` on the cloud assembly that a run left, without the app."""
        return synth_here(self.directory, "--no-notices", "--app", directory, *arguments)

    def python(self, **environment: str) -> Run:
        """Run the same app without the CDK command line."""
        return run_in(self.directory, sys.executable, "app.py", CDK_OUTDIR="cdk.out", **environment)


def write_app(directory: Path, body: str, *, gate: str = GATE, end: str = SYNTH) -> None:
    """Write an app of which a test gives what differs."""
    source = PREAMBLE + textwrap.dedent(body) + gate + end
    (directory / "app.py").write_text(source, encoding="utf-8")


def cdk_synth(directory: Path, body: str, *arguments: str, gate: str = GATE, end: str = SYNTH) -> Run:
    """Write an app and run `cdk synth` on it."""
    write_app(directory, body, gate=gate, end=end)
    return _cdk_synth(directory, *arguments)


def synth_here(directory: Path, *arguments: str, **environment: str) -> Run:
    """Run `cdk synth` on the app of a directory, as its `cdk.json` says."""
    if not CDK.exists():
        pytest.fail(f"{CDK} is missing: run `make install`")
    return run_in(directory, str(CDK), "synth", "--quiet", *arguments, **environment)


def _cdk_synth(directory: Path, *arguments: str) -> Run:
    app = f"{sys.executable} app.py"
    return synth_here(directory, "--no-notices", "--app", app, *arguments, **OWN_VALIDATION_OFF)


def run_in(directory: Path, *command: str, **environment: str) -> Run:
    """Run a command in a directory."""
    done = subprocess.run(
        command,
        cwd=directory,
        env=shell_environment(**environment),
        capture_output=True,
        text=True,
        # A busy machine compiles a new AWS CDK for minutes.
        timeout=1800,
        check=False,
    )
    return Run(done.returncode, done.stdout, done.stderr, directory)


def shell_environment(**extra: str) -> dict[str, str]:
    """Return the environment that an app has at a shell, without what pytest and other tests set."""
    # An AWS CDK that pip did not compile takes 50 s of processor time where Python must not keep the result.
    others = ("PYTEST_", "CDK_", "PYTHONDONTWRITEBYTECODE")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    node = str(Path(sys.executable).parent)
    return {
        **inherited,
        "PATH": os.pathsep.join([node, inherited.get("PATH", "")]),
        "PYTHONPATH": str(ROOT / "lib"),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "NO_COLOR": "1",
        **extra,
    }
