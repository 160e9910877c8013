"""Every block of code on every page is run, or named here with the reason and what checks it instead."""

from __future__ import annotations

import datetime
import gzip
import inspect
import io
import itertools
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
import yaml
from msgspec.structs import replace

import secure_bucket
from secure_bucket.cli.main import main
from secure_bucket.formats.json_format import render as render_json
from secure_bucket.formats.text import render as render_text
from secure_bucket.operations import review as reviews
from secure_bucket.operations.audit import Breaks, Safe
from secure_bucket.operations.plan import plan_rollout
from secure_bucket.operations.plan.text_report import render as render_plan
from secure_bucket.operations.probe import probe as probes
from tests.cli.harness import OPEN, SECURE, write_assembly
from tests.cli.test_examples import shell
from tests.docs.pages import PAGES, ROOT, Block, blocks, commands
from tests.formats.sample import RUN
from tests.operations.audit.records import Record
from tests.operations.plan.known import (
    NOW,
    PROVEN,
    REFUTED,
    audit_of,
    declared,
    group,
    logged,
    report_of,
    running,
)

BLOCKS = [block for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES) for block in blocks(page)]

# The tests that run the blocks of a page: all of them, or those in one language.
RUN_BY = {
    "README.md python": "tests/synth/test_readme.py",
    "README.md text": "tests/synth/test_readme.py",
    "docs/command-line.md toml": "tests/cli/test_examples.py",
    "docs/command-line.md yaml": "tests/cli/test_examples.py",
    "docs/explanation/how-it-proves.md": "tests/docs/test_explanation.py",
    "docs/how-to/adopt.md python": "tests/examples/test_examples.py",
    "docs/how-to/ci.md yaml": "tests/cli/test_examples.py",
    "docs/how-to/exceptions.md python": "tests/examples/test_examples.py",
    "docs/how-to/guardrails.md python": "tests/examples/test_examples.py",
    "docs/how-to/other-languages.md diff": "tests/docs/test_languages.py",
    "docs/how-to/other-languages.md text": "tests/docs/test_languages.py",
    "docs/how-to/other-languages.md ts": "tests/languages/test_typescript.py",
    "docs/how-to/pipelines.md python": "tests/examples/test_examples.py",
    "docs/log-buckets.md": "tests/cdk/test_operations_pages.py",
    "docs/mfa.md python": "tests/cdk/test_operations_pages.py",
    "docs/monitoring.md python": "tests/cdk/monitoring/test_monitoring.py",
    "docs/organization.md json": "tests/cdk/test_operations_pages.py",
    "docs/organization.md python": "tests/cdk/test_operations_pages.py",
    "docs/tutorial/first-bucket.md": "tests/docs/test_tutorial.py",
}

# Blocks in these languages are only read here: there is no compiler and no editor for them.
NOT_RUN_LANGUAGES = {
    "csharp": "needs .NET; its report is compared in test_languages.py",
    "go": "needs Go; its report is compared in test_languages.py",
    "java": "needs Java; its report is compared in test_languages.py",
    "lua": "needs Neovim; tests/editor runs the server that it starts",
}

# Commands that are not run here, by how they begin.
NOT_RUN_COMMANDS = {
    ".venv/bin/python -m pytest": "runs the tests",
    "aws ": "needs an AWS account",
    "cd ": "needs the VS Code editor or the folder of the step before",
    "cdk ": "needs the CDK CLI on an app; tests/synth runs it on other apps",
    "code ": "needs the VS Code editor",
    "du ": "measures an installation",
    "make ": "takes long; test_code.py looks its target up",
    "nox": "takes long; CI runs it",
    "npx cdk ": "needs the CDK CLI on an app; tests/synth runs it on other apps",
    "pip ": "needs an index of packages; test_code.py looks its extra up",
    "git diff": "a test below runs it in a repository",
    "python -c": "a test below runs it",
    "python -m pytest": "runs the tests",
    "python -m tests.": "takes long",
    "python benchmarks/": "takes long; test_code.py looks the file up",
    "python tools/": "takes long; test_code.py looks the file up",
    "python3 -m venv": "makes an environment",
    "time ": "measures an installation",
    "uvx ": "needs an index of packages; test_code.py parses its command",
    "SECURE_BUCKET_HOSTILE_LINES": "runs the tests",
}

# Our commands that ask AWS are run with `--show-permissions`: it reads all their options, and asks nothing.
ASKS_AWS = re.compile(r"^(review|probe|plan .*(--live|s3://)|audit .*s3://)")

# Our commands that wait for an editor, or for a command of another kind.
NOT_RUN_OURS = {
    "audit LOG…": "stands for a log of the reader",
    "gate --format sarif": "needs a TypeScript app; tests/cli/test_gate.py runs the gate",
    "gate --init": "test_languages.py runs it",
    "fix cdk.out": "needs an app; tests/cli/test_fix_source.py runs it",
    "check --skip-other-files": "the hook of pre-commit; tests/cli/test_examples.py runs it",
    "server": "waits for an editor; tests/editor runs it",
}


def key(block: Block) -> str:
    return str(block.page.relative_to(ROOT))


def is_run_elsewhere(block: Block) -> bool:
    return key(block) in RUN_BY or f"{key(block)} {block.language}" in RUN_BY


def is_shell(block: Block) -> bool:
    first = next(iter(commands(block)), "")
    return block.language == "sh" or (
        block.language == ""
        and (first.startswith(("secure-bucket ", *NOT_RUN_COMMANDS)) or "| secure-bucket " in first)
    )


def lines() -> Iterator[tuple[Block, str]]:
    """Yield each command of the shell blocks that no other test runs."""
    for block in BLOCKS:
        if is_shell(block) and not is_run_elsewhere(block):
            for line in commands(block):
                yield block, line


def ours() -> Iterator[Any]:
    """Yield the arguments of each command of ours."""
    for block, line in lines():
        if line.startswith("secure-bucket "):
            words = itertools.takewhile(lambda word: word not in ("<", ">", "|"), shlex.split(line)[1:])
            arguments = [*words]
            if not shlex.join(arguments).replace("'", "").startswith((*NOT_RUN_OURS,)):
                yield pytest.param(arguments, id=f"{block.id} {shlex.join(arguments)}")


def test_each_test_that_runs_a_page_exists_and_each_page_has_blocks() -> None:
    for name, test in RUN_BY.items():
        assert (ROOT / test).is_file()
        assert any(name in (key(block), f"{key(block)} {block.language}") for block in BLOCKS), name


@pytest.mark.parametrize("block", [pytest.param(block, id=block.id) for block in BLOCKS])
def test_every_block_is_run_or_named_with_a_reason(block: Block) -> None:
    if is_run_elsewhere(block) or block.language in NOT_RUN_LANGUAGES:
        return
    if is_shell(block):
        for line in commands(block):
            assert line.startswith(("secure-bucket ", *NOT_RUN_COMMANDS)) or "secure-bucket " in line, line
    else:
        known = {*PROGRAMS, *OUTPUTS, *DATA}
        assert any(block.id.startswith(key(block)) and mark in block.text for mark in known), block.text


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the files that the commands of the pages name."""
    directory = tmp_path_factory.mktemp("files")
    for name in ("infra", "logs", "trail"):
        (directory / name).mkdir()
    write_assembly(directory / "cdk.out")
    manifest = directory / "cdk.out" / "manifest.json"
    manifest.write_text(manifest.read_text().replace("Top", "App"))
    (directory / "cdk.out" / "Top.template.json").rename(directory / "cdk.out" / "App.template.json")
    for name in ("template.yaml", "infra/a.yaml"):
        (directory / name).write_text(OPEN)
    (directory / "b.yaml").write_text(SECURE)
    shutil.copy(ROOT / "docs/explanation/policies/narrowed.json", directory / "policy.json")
    bucket = {
        "LogicalResourceId": "Logs",
        "PhysicalResourceId": "app-logs",
        "ResourceType": "AWS::S3::Bucket",
    }
    (directory / "app.json").write_text(json.dumps({"StackResourceSummaries": [bucket]}))
    profiles = (f"[profile {name}]\nregion = eu-west-1\n" for name in ("audit", "production", "staging"))
    (directory / "profiles").write_text("".join(profiles))
    days = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=day) for day in range(40))
    (directory / "logs" / "a").write_text("".join(f"{Record(time=day).line}\n" for day in days))
    (directory / "trail" / "a.json.gz").write_bytes(gzip.compress(b'{"Records": []}'))
    # The reports that a page has written before: by our commands, but for the review of an account.
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        for name, *words in (
            ("baseline.json", "check", ".", "--write-baseline"),
            ("check.json", "check", "cdk.out", "--format", "json", "--output"),
            ("audit.json", "audit", "logs", "--limit", "100000", "--format", "json", "--output"),
        ):
            assert main([*words, name]) in (0, 1)
    review = render_json(report_of(running(REFUTED)), RUN)
    (directory / "review.json").write_text(review, encoding="utf-8")
    return directory


@pytest.fixture
def workspace(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of these files, as the working directory."""
    directory = tmp_path / "workspace"
    shutil.copytree(files, directory)
    monkeypatch.chdir(directory)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(directory / "profiles"))
    return directory


@pytest.mark.parametrize("words", [*ours()])
def test_a_command_of_a_page_runs(
    words: list[str], workspace: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if ASKS_AWS.match(shlex.join(words)) and not {"--show-permissions", "--print-sql"} & {*words}:
        words = [*words, "--show-permissions"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(OPEN.encode())))
    code = main(words)
    asked_nothing = bool({"--show-permissions", "--print-sql"} & {*words})
    assert code in ((0,) if asked_nothing else (0, 1, 3)), capsys.readouterr().err
    for name in (word for before, word in itertools.pairwise(words) if before == "--output"):
        assert asked_nothing or (workspace / name).stat().st_size > 0


def block_with(page: str, mark: str) -> Block:
    (found,) = (block for block in BLOCKS if key(block) == page and mark in block.text)
    return found


def execute(page: str, mark: str, **names: object) -> dict[str, Any]:
    """Run a program of a page, and return what it defines."""
    block = block_with(page, mark)
    scope: dict[str, Any] = {"__name__": "page", **names}
    exec(compile(block.text, block.id, "exec"), scope)
    return scope


# The programs that the tests below run, by a word that only they have.
PROGRAMS = (
    "# refuses plain HTTP",
    "assert_denies_http(stack)",
    "audit_logs(",
    "check_template(",
    "cdk.Acknowledgment(id=",
    "plan_rollout(",
    "probe_bucket(",
    "report-1.schema.json",
    "review_accounts(",
    "RULE = Rule(",
    "s3.CfnBucket(cdk.Stack(",
    "TemplateSnapshotExtension",
)


def test_the_home_page_starts_with_an_app_that_passes() -> None:
    app = cdk.App()
    stack = cdk.Stack(app, "Top")
    execute("docs/index.md", "# refuses plain HTTP", app=app, stack=stack, cdk=cdk)
    app.synth()
    cdk.aws_s3.Bucket(stack, "Plain")
    with pytest.raises(Exception, match="over plain HTTP"):
        app.synth(force=True)


def test_the_readme_accepts_a_finding() -> None:
    app = cdk.App()
    bucket = cdk.aws_s3.Bucket(cdk.Stack(app, "Top"), "Plain")
    secure_bucket.enforce_secure_transport(app)
    execute("README.md", "cdk.Acknowledgment(id=", cdk=cdk, bucket=bucket)
    app.synth()


def test_the_exception_in_metadata_is_granted() -> None:
    names = execute("docs/reference/cdk-versions.md", "s3.CfnBucket(cdk.Stack(")
    app = names["bucket"].node.root
    report = secure_bucket.check_assembly(app.synth().directory, exceptions_as_of=datetime.date(2027, 1, 1))
    assert [exception.rule for exception in report.exceptions] == ["SB001"]


def test_the_rule_of_the_guide_is_a_rule() -> None:
    rule = execute("CONTRIBUTING.md", "RULE = Rule(")["RULE"]
    assert (rule.id, rule.name) == ("SB099", "public-website")


def test_the_schema_of_reports_is_where_the_page_says() -> None:
    assert "secure-bucket/report/1" in execute("docs/reports.md", "report-1.schema.json")["schema"]


def test_the_manual_checks_a_template(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    execute("docs/command-line.md", "check_template(")
    assert "SB001" in capsys.readouterr().out


def test_the_page_on_audits_tells_what_to_enforce(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    execute("docs/audit.md", "audit_logs(")
    assert capsys.readouterr().out == "reports: enforce it\n"


def test_the_page_on_plans_plans(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = execute("docs/plan.md", "plan_rollout(")
    assert names["rollout"].buckets
    assert "reports" in capsys.readouterr().out


def recorded(original: Any, answer: object) -> Any:
    """Stand in for a function that asks AWS: it takes the same arguments, and returns what was recorded."""

    def replay(*arguments: object, **options: object) -> object:
        inspect.signature(original).bind(*arguments, **options)
        return answer

    return replay


def test_the_page_on_reviews_reads_a_recorded_review(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("review_account", "review_accounts", "review_buckets"):
        monkeypatch.setattr(
            reviews, name, recorded(getattr(reviews, name), report_of(running(REFUTED))), raising=False
        )
    execute("docs/review.md", "review_accounts(")
    assert capsys.readouterr().out.startswith("111122223333 reports ")


def test_the_page_on_probes_reads_a_recorded_probe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    http, own = probes.Transport.HTTP, probes.Signer.OWN
    got_in = probes.Exchange("s3:ListBucket", "http://reports.s3.amazonaws.com/", http, own, 200, *[None] * 3)
    outcomes = (
        probes.Enforced(probes.Refuser.POLICY, (got_in,)),
        probes.Open(got_in, (got_in,)),
        probes.Inconclusive(("a proxy answered",), (got_in,)),
    )
    probe = probes.Probe(
        "reports", "arn:aws:s3:::reports", "", tuple(probes.Check(http, o) for o in outcomes)
    )
    monkeypatch.setattr(probes, "probe_bucket", recorded(probes.probe_bucket, probe))
    execute("docs/probe.md", "probe_bucket(")
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == "the bucket policy refuses plain HTTP"
    assert second.startswith("let in: ")
    assert third == "proves nothing: a proxy answered"


@pytest.mark.slow
def test_the_tests_of_the_page_on_tests_pass(tmp_path: Path) -> None:
    programs = [
        block for block in BLOCKS if key(block) == "docs/how-to/testing.md" and block.language == "python"
    ]
    for number, block in enumerate(programs):
        (tmp_path / f"test_page_{number}.py").write_text(block.text, encoding="utf-8")
    for options in (["--snapshot-update"], []):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert f"{len(programs)} passed" in done.stdout, done.stdout


# What a page prints of a command, by a word that only it has.
OUTPUTS = (
    "$ secure-bucket check",
    "ERROR `Reports/Plain`",
    "Failed: 1 of 40 buckets",
    "these break:",
    "wave 0, already enforced",
)


def test_a_session_of_the_readme_is_real(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    block = block_with("README.md", "$ secure-bucket check")
    first, *shown = block.text.splitlines()
    (workspace / "template.yaml").write_text(OPEN.replace("Logs", "Reports"))
    assert main(shlex.split(first)[2:]) == 1
    assert capsys.readouterr().out.splitlines() == shown


def test_the_home_page_shows_what_the_readme_shows() -> None:
    line = block_with("docs/index.md", "ERROR `Reports/Plain`").text
    assert line in block_with("README.md", "ERROR `Reports/Plain`").text


def test_the_page_on_audits_shows_a_real_audit(
    workspace: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secure_bucket.cli.delivery.width_of", lambda stream: 64)
    start = datetime.datetime(2027, 2, 1, tzinfo=datetime.timezone.utc)
    record = Record(user_agent="Scanner/2.1", requester="-", operation="REST.PUT.OBJECT", cipher="-", tls="-")
    plain = [(start + datetime.timedelta(days=2 * day, hours=12), record) for day in range(12)]
    secure = [(start + datetime.timedelta(minutes=11 * step), Record()) for step in range(4000)]
    lines = [f"{replace(each, time=time).line}\n" for time, each in (*plain, *secure)]
    (workspace / "logs" / "a").write_text("".join(lines))
    assert main(["audit", "logs"]) == 1
    said = capsys.readouterr().out
    for part in block_with("docs/audit.md", "these break:").text.split("  …\n"):
        assert part in said


def test_the_page_on_reviews_shows_the_last_line_of_a_review() -> None:
    buckets = (running(REFUTED), *(running(PROVEN, f"b-{number}") for number in range(39)))
    last = block_with("docs/review.md", "Failed: 1 of 40 buckets").text.splitlines()[-1]
    assert last in render_text(report_of(*buckets), RUN).splitlines()


# What a page shows of a file, by a word that only it has.
DATA = (
    "[[exceptions]]",
    "writing:   cdk",
    "on:\n  schedule:",
    "repos:",
    "Each finding appears",
    "Findings appear",
)


def test_the_settings_of_the_page_on_reviews_are_settings(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace / "secure-bucket.toml").write_text(block_with("docs/review.md", "[[exceptions]]").text)
    assert main(["check", "b.yaml"]) == 0, capsys.readouterr().err


def test_the_workflow_of_the_page_on_reviews_gives_options_that_exist(
    capsys: pytest.CaptureFixture[str],
) -> None:
    workflow = yaml.safe_load(block_with("docs/review.md", "on:\n  schedule:").text)
    steps = workflow["jobs"]["review"]["steps"]
    (command,) = (step["run"] for step in steps if "secure-bucket review" in step.get("run", ""))
    assert main([*shlex.split(command)[1:], "--show-permissions"]) == 0


def test_the_hooks_of_the_page_on_commits_find_an_open_bucket(workspace: Path) -> None:
    repository = workspace / "repository"
    (repository / ".git").mkdir(parents=True)
    (repository / "a.yaml").write_text(OPEN)
    (hook,) = yaml.safe_load(block_with("docs/how-to/pre-commit.md", "repos:").text)["repos"][0]["hooks"]
    assert re.search(hook["files"], "a.yaml")
    assert shell(f"{hook['entry']} a.yaml", repository).returncode == 1
    script = block_with("docs/how-to/pre-commit.md", "git diff").text
    done = shell(f"git init -q . && git add a.yaml && {script}", repository)
    assert "a.yaml" in done.stdout
    assert done.returncode == 123


def test_the_conformance_pack_is_written_as_the_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = (
        each for each in commands(block_with("docs/monitoring.md", "conformance_pack()")) if "python" in each
    )
    program = shlex.split(line)[2]
    exec(program)
    assert yaml.safe_load(capsys.readouterr().out)["Resources"]


def test_the_page_on_plans_shows_a_real_plan() -> None:
    enforced = (running(PROVEN, f"b-{number}") for number in range(31))
    review = report_of(running(REFUTED), running(REFUTED, "exports"), *enforced)
    check = report_of(declared(PROVEN, template="cdk.out/App.template.json"))
    role = "arn:aws:sts::111122223333:assumed-role/batch/i-0abc"
    audit = audit_of(
        logged(Safe(), requests=1204),
        logged(Breaks(1, 120), "exports", requests=120),
        groups=[group("exports", role, "old-agent/1.0", requests=120)],
    )
    said = render_plan(plan_rollout(check=check, review=review, audit=audit, now=NOW)).splitlines()
    for line in block_with("docs/plan.md", "wave 0, already enforced").text.splitlines():
        # The page cuts a long line off at …
        kept, cut, _ = line.partition("…")
        assert any(each.startswith(kept) if cut else each == line for each in said), line
