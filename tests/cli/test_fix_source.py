"""`secure-bucket fix cdk.out`: the fix goes where the program creates the bucket."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.harness import Outcome, command, environment
from tests.synth.harness import CDK, OWN_VALIDATION_OFF, synth_here

Run = Callable[..., Outcome]

APP = """\
import aws_cdk as cdk
from aws_cdk import aws_s3 as s3


class Data(cdk.Stack):
    def __init__(self, scope, id):
        super().__init__(scope, id)
        s3.Bucket(self, "Reports")
        s3.Bucket(
            self,
            "Scratch",
            auto_delete_objects=True,
            removal_policy=cdk.RemovalPolicy.DESTROY,  # only a test
        )
        for name in "AB":
            s3.Bucket(self, f"Many{name}")
        s3.Bucket(self, "Plain", enforce_ssl=False)
        s3.CfnBucket(self, "Raw")


app = cdk.App()
Data(app, "Data")
Data(cdk.Stage(app, "Prod"), "Data")
app.synth()
"""
FIXED = APP.replace('"Reports")', '"Reports", enforce_ssl=True)').replace(
    "# only a test\n", "# only a test\n            enforce_ssl=True,\n"
)


@pytest.mark.slow
def test_the_app_is_fixed_and_synthesized_again(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "cdk.json").write_text(json.dumps({"app": f"{sys.executable} app.py"}))
    run = synth_here(tmp_path, "--debug", **OWN_VALIDATION_OFF)
    assert run.code == 0, run.stderr

    def fix(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command("fix", "cdk.out", *arguments),
            cwd=tmp_path,
            env={**environment(), **OWN_VALIDATION_OFF},
            capture_output=True,
            encoding="utf-8",
            timeout=120,
        )

    shown = fix()
    assert shown.returncode == 1
    assert shown.stdout.startswith("--- app.py\n+++ app.py\n")
    assert (tmp_path / "app.py").read_text() == APP
    written = fix("--write", "--synth", f"{CDK} synth --quiet")
    assert written.returncode == 1
    assert (tmp_path / "app.py").read_text() == FIXED
    # Each Stage, and the app itself, has its own.
    assert "4 fixed buckets proven after `" in written.stderr
    assert "nothing else changed" in written.stderr
    assert written.stderr.count("one call creates 2 buckets of this stack") == 4
    assert written.stderr.count("`enforce_ssl=False`, which somebody wrote on purpose") == 2
    assert written.stderr.count("does not call `s3.Bucket`") == 2
    assert "12 buckets: 0 proven before, 4 fixed, 8 left" in written.stderr
    again = fix("--write")
    assert again.stdout == ""
    assert (tmp_path / "app.py").read_text() == FIXED
    assert "0 fixed, 8 left" in again.stderr


def assembly(directory: Path, *buckets: tuple[str, str, int], body: object = None) -> None:
    """Write an assembly whose buckets were created at places of programs."""
    metadata = {
        f"/App/{name}/Resource": [
            {"type": "aws:cdk:logicalId", "data": name},
            {"type": "aws:cdk:creationStack", "data": [f"new App ({directory / file}:{line}:1)"]},
        ]
        for name, file, line in buckets
    }
    stack = {
        "type": "aws:cloudformation:stack",
        "properties": {"templateFile": "App.template.json"},
        "metadata": metadata,
    }
    (directory / "cdk.out").mkdir()
    (directory / "cdk.out/manifest.json").write_text(
        json.dumps({"version": "36.0.0", "artifacts": {"App": stack}})
    )
    resources = {
        name: {"Type": "AWS::S3::Bucket", "Metadata": {"aws:cdk:path": f"App/{name}/Resource"}}
        | (body if isinstance(body, dict) else {})
        for name, _, _ in buckets
    }
    (directory / "cdk.out/App.template.json").write_text(json.dumps({"Resources": resources}))


SCRIPT = "import * as s3 from 'aws-cdk-lib/aws-s3';\nnew s3.Bucket(this, 'A');\n"


def test_typescript_is_fixed_and_the_old_templates_are_no_pass(run: Run, directory: Path) -> None:
    (directory / "app.ts").write_text(SCRIPT)
    assembly(directory, ("A", "app.ts", 2))
    outcome = run("fix", "cdk.out", "--write")
    assert outcome.code == 1
    assert (directory / "app.ts").read_text() == SCRIPT.replace("'A'", "'A', { enforceSSL: true }")
    assert "synthesize the app again" in outcome.err


def test_compiled_javascript_is_left(run: Run, directory: Path) -> None:
    (directory / "app.ts").write_text(SCRIPT)
    (directory / "app.js").write_text(SCRIPT)
    assembly(directory, ("A", "app.js", 2))
    outcome = run("fix", "cdk.out", "--write")
    assert (outcome.code, outcome.out) == (1, "")
    assert "compiled from TypeScript" in outcome.err
    assert (directory / "app.js").read_text() == SCRIPT


def test_without_the_parser_it_says_what_to_install(
    run: Run, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tree_sitter", None)
    (directory / "app.ts").write_text(SCRIPT)
    assembly(directory, ("A", "app.ts", 2))
    outcome = run("fix", "cdk.out")
    assert outcome.code == 1
    assert "pip install 'secure-bucket[source]'" in outcome.err


@pytest.mark.parametrize(("content", "why"), [(b"\xff", "cannot be changed"), (None, "cannot be changed")])
def test_a_program_that_cannot_be_read_is_a_fault(
    run: Run, directory: Path, content: bytes | None, why: str
) -> None:
    if content is not None:
        (directory / "app.py").write_bytes(content)
    assembly(directory, ("A", "app.py", 2))
    outcome = run("fix", "cdk.out", "--write")
    assert outcome.code == 2
    assert why in outcome.err


def assert_left(run: Run, directory: Path, words: str, *, code: int) -> None:
    """Run the fix, and expect it to say why it leaves the program as it is."""
    source = (directory / "app.py").read_text()
    outcome = run("fix", "cdk.out", "--write")
    assert outcome.code == code
    assert words in outcome.err
    assert (directory / "app.py").read_text() == source


def test_an_excepted_bucket_of_the_same_call_keeps_it(run: Run, directory: Path) -> None:
    source = "from aws_cdk import aws_s3 as s3\ns3.Bucket(app, 'A')\n"
    (directory / "app.py").write_text(source)
    (directory / "secure-bucket.toml").write_text(
        '[[exceptions]]\nrule = "SB001"\npath = "**"\nlogical-id = "A"\nreason = "old devices"\n'
    )
    assembly(directory, ("A", "app.py", 2))
    assert_left(run, directory, "an exception is granted: old devices", code=0)


def test_a_website_that_only_the_template_shows_is_left(run: Run, directory: Path) -> None:
    source = "from aws_cdk import aws_s3 as s3\ns3.Bucket(app, 'A')\n"
    (directory / "app.py").write_text(source)
    website = {"Properties": {"WebsiteConfiguration": {"IndexDocument": "i.html"}}}
    assembly(directory, ("A", "app.py", 2), body=website)
    assert_left(run, directory, "it is a website", code=1)


def test_a_program_that_changed_after_its_synthesis_is_left(run: Run, directory: Path) -> None:
    source = "from aws_cdk import aws_s3 as s3\ns3.Bucket(app, 'New')\n"
    (directory / "app.py").write_text(source)
    assembly(directory, ("A", "app.py", 2))
    assert_left(run, directory, "the call in line 2 creates `New`, and not `A`", code=1)


def test_the_places_have_to_be_known(run: Run, directory: Path) -> None:
    assembly(directory, ("A", "gone/../../elsewhere.py", 2))
    outcome = run("fix", "cdk.out")
    assert outcome.code == 1
    assert "run `cdk synth --debug` in this directory first" in outcome.err


def test_synth_needs_write(run: Run, directory: Path) -> None:
    (directory / "app.py").write_text("")
    assembly(directory, ("A", "app.py", 1))
    outcome = run("fix", "cdk.out", "--synth", "true")
    assert outcome.code == 2
    assert "--synth needs --write" in outcome.err


POLICY = """
t['Resources']['P'] = {'Type': 'AWS::S3::BucketPolicy', 'Properties': {
    'Bucket': {'Ref': 'A'}, 'PolicyDocument': {'Statement': STATEMENTS}}}
"""
DENY = """{'Effect': 'Deny', 'Principal': '*', 'Action': 's3:*',
    'Condition': {'Bool': {'aws:SecureTransport': 'false'}},
    'Resource': [{'Fn::GetAtt': ['A', 'Arn']}, {'Fn::Join': ['', [{'Fn::GetAtt': ['A', 'Arn']}, '/*']]}]}"""
ALLOW = """{'Effect': 'Allow', 'Principal': {'AWS': '111122223333'}, 'Action': 's3:GetObject',
    'Resource': {'Fn::Join': ['', [{'Fn::GetAtt': ['A', 'Arn']}, '/*']]}}"""


@pytest.mark.parametrize(
    ("statements", "change", "said"),
    [
        (f"[{ALLOW}, {DENY}]", "", "1 fixed bucket proven after"),
        (f"[{DENY}]", "", "`P` of `cdk.out/App.template.json` changed as well"),
        (
            f"[{DENY}, {ALLOW}, {ALLOW.replace('GetObject', 'PutObject')}]",
            "",
            "`P` of `cdk.out/App.template.json`",
        ),
        (
            f"[{ALLOW}, {DENY}]",
            "t['Resources']['P']['DeletionPolicy'] = 'Retain'",
            "`P` of `cdk.out/App.template",
        ),
    ],
)
def test_a_policy_that_was_there_only_gets_the_deny(
    directory: Path, statements: str, change: str, said: str
) -> None:
    (directory / "app.py").write_text("from aws_cdk import aws_s3 as s3\ns3.Bucket(app, 'A')\n")
    assembly(directory, ("A", "app.py", 2))
    head = "import json\nname = 'cdk.out/App.template.json'\nt = json.load(open(name))\n"
    tail = "\njson.dump(t, open(name, 'w'))\n"
    subprocess.run(
        [sys.executable, "-c", head + POLICY.replace("STATEMENTS", f"[{ALLOW}]") + tail], check=True
    )
    (directory / "synth.py").write_text(head + POLICY.replace("STATEMENTS", statements) + change + tail)
    done = subprocess.run(
        command("fix", "cdk.out", "--write", "--synth", f"{sys.executable} synth.py"),
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.returncode == (0 if "proven" in said else 3), done.stderr
    assert said in done.stderr


NESTED = """
t['Resources']['N'] = {'Type': 'AWS::CloudFormation::Stack', 'Properties': {'TemplateURL': {'Fn::Sub': URL}},
    'Metadata': {'aws:asset:path': PATH, 'aws:asset:property': 'TemplateURL'}}
"""


@pytest.mark.parametrize(
    ("url", "path", "code"),
    [
        ("'https://s3/b.json'", "'N.nested.template.json'", 0),
        ("'https://s3/b.json'", "'M.nested.template.json'", 3),
    ],
)
def test_the_address_of_a_nested_template_follows_its_content(
    directory: Path, url: str, path: str, code: int
) -> None:
    (directory / "app.py").write_text("from aws_cdk import aws_s3 as s3\ns3.Bucket(app, 'A')\n")
    assembly(directory, ("A", "app.py", 2))
    (directory / "cdk.out/N.nested.template.json").write_text('{"Resources": {}}')
    head = "import json\nname = 'cdk.out/App.template.json'\nt = json.load(open(name))\n"
    tail = "\njson.dump(t, open(name, 'w'))\n"
    before = NESTED.replace("URL}", "'https://s3/a.json'}").replace("PATH", "'N.nested.template.json'")
    subprocess.run([sys.executable, "-c", head + before + tail], check=True)
    after = NESTED.replace("URL}", f"{url}}}").replace("PATH", path) + POLICY.replace(
        "STATEMENTS", f"[{DENY}]"
    )
    (directory / "synth.py").write_text(head + after + tail)
    done = subprocess.run(
        command("fix", "cdk.out", "--write", "--synth", f"{sys.executable} synth.py"),
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert ("`N` of `cdk.out/App.template.json` changed as well" in done.stderr) == (code == 3), done.stderr
    assert ("1 fixed bucket proven" in done.stderr) == (code == 0), done.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("pass", "bucket `A` of `cdk.out/App.template.json` is not proven after"),
        ("t['Outputs'] = {'X': {'Value': 'x'}}", "`Outputs` of `cdk.out/App.template.json` changed as well"),
        ("t['Resources']['T'] = {'Type': 'AWS::SNS::Topic'}", "`T` of `cdk.out/App.template.json` changed"),
        ("t['Resources']['A']['Properties'] = {'BucketName': 'n'}", "`A` of `cdk.out/App.template.json`"),
        ("sys.exit(7)", "ended with exit code 7"),
    ],
)
def test_what_else_changes_is_reported(directory: Path, change: str, said: str) -> None:
    (directory / "app.py").write_text("from aws_cdk import aws_s3 as s3\ns3.Bucket(app, 'A')\n")
    assembly(directory, ("A", "app.py", 2))
    (directory / "synth.py").write_text(
        "import json, sys\nname = 'cdk.out/App.template.json'\nt = json.load(open(name))\n"
        f"{change}\njson.dump(t, open(name, 'w'))\n"
    )
    done = subprocess.run(
        command("fix", "cdk.out", "--write", "--synth", f"{sys.executable} synth.py"),
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.returncode in (1, 3)
    assert said in done.stderr
