"""The examples for continuous integration, and the hook for pre-commit: their commands are run."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.harness import NO_BUCKET, OPEN, SECURE, Outcome, environment

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[2]


def commands(value: Any) -> Iterator[str]:
    """Return the shell commands of a workflow of GitHub or GitLab."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "run":
                yield inner
            elif key == "script":
                yield from inner
            else:
                yield from commands(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from commands(inner)


def shell(script: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """Run a script as a runner does, with this library as `secure-bucket`."""
    binaries = directory.parent / "bin"
    binaries.mkdir(exist_ok=True)
    wrapper = binaries / "secure-bucket"
    wrapper.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m secure_bucket "$@"\n')
    wrapper.chmod(0o755)
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=directory,
        env=environment(PATH=f"{binaries}{os.pathsep}{os.environ['PATH']}"),
        capture_output=True,
        encoding="utf-8",
    )


@pytest.fixture
def repository(directory: Path) -> Path:
    inner = directory / "repository"
    (inner / ".git").mkdir(parents=True)
    (inner / "infra").mkdir()
    (inner / "infra" / "a.yaml").write_text(SECURE)
    return inner


@pytest.mark.parametrize("name", ["github.yml", "gitlab.yml"])
def test_example_checks_and_reports(repository: Path, name: str) -> None:
    document = yaml.safe_load((ROOT / "examples" / "ci" / name).read_text())
    install, check = commands(document)
    assert install == "pip install secure-bucket"
    outcome = shell(check, repository)
    assert outcome.returncode == 0, outcome.stderr
    (repository / "infra" / "b.yaml").write_text(OPEN)
    outcome = shell(check, repository)
    assert outcome.returncode == 1
    assert "infra/b.yaml" in outcome.stdout
    if name == "github.yml":
        assert "::error file=infra/b.yaml,line=2," in outcome.stdout
        upload = document["jobs"]["check"]["steps"][-1]
        sarif = json.loads((repository / upload["with"]["sarif_file"]).read_text())
        assert [result["ruleId"] for result in sarif["runs"][0]["results"]] == ["SB001"]
    else:
        artifacts = document["secure-bucket"]["artifacts"]
        assert "<failure" in (repository / artifacts["reports"]["junit"]).read_text()
        assert "Logs" in (repository / artifacts["paths"][0]).read_text()


def test_hook_takes_what_pre_commit_hands_over(repository: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    files = {
        "infra/a.yaml": SECURE,
        "infra/t.yml": NO_BUCKET,
        "compose.yaml": "services: {}\n",
        "a.json": "{}",
    }
    for file, text in files.items():
        (repository / file).write_text(text)
        assert re.search(hook["files"], file)
    assert not re.search(hook["files"], "readme.md")
    for file in files:
        assert shell(f"{hook['entry']} {file}", repository).returncode == 0, file
    (repository / "infra" / "b.template").write_text(OPEN)
    assert re.search(hook["files"], "infra/b.template")
    assert shell(f"{hook['entry']} {' '.join(files)} infra/b.template", repository).returncode == 1


def test_settings_and_exceptions_of_the_documentation_are_taken(
    directory: Path, run: Callable[..., Outcome]
) -> None:
    page = (ROOT / "docs" / "command-line.md").read_text()
    exceptions, settings = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    template, *_ = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (directory / "pyproject.toml").write_text(settings + exceptions)
    (directory / "baseline.json").write_text('{"schema": "secure-bucket/baseline/1", "findings": []}')
    (directory / "infra").mkdir()
    (directory / "cdk.out").mkdir()
    (directory / "infra" / "a.yaml").write_text(f"Resources:\n{template}")
    (directory / "infra" / "b-test.yaml").write_text(OPEN)
    outcome = run("check", "--format", "json")
    report = json.loads(outcome.out)
    assert outcome.code == 2
    assert [fault["file"] for fault in report["faults"]] == ["cdk.out"]
    assert [exception["rule"] for exception in report["exceptions"]] == ["SB001"]
    assert "SB006" in {finding["rule"] for finding in report["findings"]}
    assert "SB009" not in {finding["rule"] for finding in report["findings"]}


def test_exit_codes_of_the_documentation_are_those_of_the_help(run: Callable[..., Outcome]) -> None:
    page = (ROOT / "docs" / "command-line.md").read_text()
    section = page.partition("## Exit codes\n")[2].partition("\n## ")[0]
    documented = re.findall(r"^\| (\d+) \| ", section, re.MULTILINE)
    _, _, said = run("--help").out.partition("exit codes:\n")
    assert documented == re.findall(r"^  (\d+) ", said, re.MULTILINE) == ["0", "1", "2", "3", "130"]
