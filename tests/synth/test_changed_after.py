"""What changes `cdk.out` after the gate judged it fails the run, or the next check of the directory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.synth.harness import Run, cdk_synth, write_app

pytestmark = pytest.mark.slow

GATE = "\nfrom secure_bucket import enforce_secure_transport\nenforce_secure_transport(app)\n"
BUCKET = 'SecureBucket(cdk.Stack(app, "Top"), "Reports")\n'

SCRIPT = """
app.synth()
import pathlib
file = pathlib.Path(app.outdir, "Top.template.json")
file.write_text(file.read_text().replace("AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy"))
"""

SECOND_APP = """
app.synth()
second = cdk.App(outdir=app.outdir)
s3.Bucket(cdk.Stack(second, "Other"), "Plain")
second.synth()
"""

LATER_PLUGIN = """
import jsii

@jsii.implements(cdk.IPolicyValidationPlugin)
class Later:
    name, version, rule_ids = (property(lambda self, text=text: text) for text in ("later", "1", []))

    def validate(self, context):
        for path in context.template_paths:
            with open(path) as stream:
                text = stream.read().replace("AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy")
            with open(path, "w") as stream:
                stream.write(text)
        return cdk.PolicyValidationPluginReport(success=True, violations=[])

cdk.Validations.of(app).add_plugins(Later())
app.synth()
"""


def check(directory: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "secure_bucket", "check", "cdk.out"]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("end", "changed"),
    [
        (SCRIPT, "Top.template.json"),
        (f"{SCRIPT}__import__('os')._exit(0)\n", "Top.template.json"),
        (SECOND_APP, "manifest.json"),
        (LATER_PLUGIN, "Top.template.json"),
    ],
    ids=["script", "script that ends at once", "second app", "later plugin"],
)
def test_a_change_in_the_process_of_the_app_fails_cdk_synth(tmp_path: Path, end: str, changed: str) -> None:
    run = cdk_synth(tmp_path, BUCKET, gate=GATE, end=end)
    assert run.code == 1, run.stderr
    assert f"{changed}` was changed after the gate judged it: run `cdk synth` again" in run.stderr


def test_a_change_after_cdk_synth_fails_the_check_of_the_directory(tmp_path: Path) -> None:
    run = cdk_synth(tmp_path, BUCKET, gate=GATE)
    assert run.code == 0, run.stderr

    assert check(tmp_path).returncode == 0
    # Still secure: but nobody knows whether the exceptions of the gate are for this.
    file = tmp_path / "cdk.out" / "Top.template.json"
    file.write_text(file.read_text() + "\n")
    done = check(tmp_path)
    assert done.returncode == 2
    assert "`cdk.out/Top.template.json` was changed after the gate judged it" in done.stdout + done.stderr


WITHOUT_REPORT = """
app.synth()
import pathlib
report = pathlib.Path(app.outdir, "validation-report.json")
case = app.node.try_get_context("case")
if case == "removed":
    report.unlink()
elif case == "emptied":
    report.write_text('{"version": "55.0.0", "title": "Validation Report", "pluginReports": []}')
elif case == "broken":
    report.write_text("[")
"""


@pytest.mark.parametrize("gate", [GATE, "cdk.Validations.of(app).add_plugins(SecureTransportValidation())\n"])
def test_who_removes_the_report_of_the_cdk_does_not_pass(tmp_path: Path, gate: str) -> None:
    body = 's3.Bucket(cdk.Stack(app, "Top"), "Plain")\n'
    run = cdk_synth(tmp_path, body, "-c", "case=removed", gate=gate, end=WITHOUT_REPORT)
    for case in ("emptied", "broken"):
        assert run.code == 1, run.stderr
        assert "validation-report.json` was changed or removed after the gate refused the app" in run.stderr
        run = run.again("-c", f"case={case}")


def test_a_report_without_an_accepted_finding_is_left_alone(tmp_path: Path) -> None:
    body = """
    bucket = s3.Bucket(cdk.Stack(app, "Top"), "Plain")
    accepted = cdk.Acknowledgment(id="secure-bucket::SB001", reason="the old scanner speaks no TLS")
    cdk.Validations.of(bucket).acknowledge(accepted)
    """
    run = cdk_synth(tmp_path, body, gate=GATE)
    assert run.code == 0, run.stderr


STAGE_AGAIN = """
app.synth()
bucket.policy.node.default_child.add_property_override("PolicyDocument.Statement", [])
again = app.node.try_get_context("again")
if again == "stage":
    stage.synth(force=True)
elif again == "app":
    app.synth(force=True)
else:
    app.synth()
"""


def test_a_synthesis_after_the_synthesis_is_judged_or_refused(tmp_path: Path) -> None:
    body = """
    stage = cdk.Stage(app, "Prod")
    # `app.synth(force=True)` leaves a Stage as it is (aws-cdk-lib 2.275).
    scope = app if app.node.try_get_context("again") == "app" else stage
    bucket = SecureBucket(cdk.Stack(scope, "Data"), "Reports")
    """
    run = cdk_synth(tmp_path, body, "-c", "again=stage", gate=GATE, end=STAGE_AGAIN)
    assert run.code == 1, run.stderr
    assert "template.json` was changed after the gate judged it" in run.stderr
    run = run.again("-c", "again=app")
    assert run.code == 1, run.stderr
    run.block("ERROR `Data/Reports`", "over plain HTTP")
    # Without `force` the CDK returns what it wrote first, which the gate has judged.
    run = run.again("-c", "again=cached")
    assert run.code == 0, run.stderr
    (file,) = (tmp_path / "cdk.out" / "assembly-Prod").glob("*.template.json")
    assert "aws:SecureTransport" in file.read_text(encoding="utf-8")


def test_an_aspect_for_two_apps_is_a_gate_for_both(tmp_path: Path) -> None:
    body = """
    aspect = SecureTransportAspect()
    second = cdk.App(outdir="second")
    plain = app.node.try_get_context("plain")
    for each, name in ((app, "first"), (second, "second")):
        (s3.Bucket if plain == name else SecureBucket)(cdk.Stack(each, "Top"), "Reports")
        cdk.Aspects.of(each).add(aspect)
    """
    end = "app.synth()\nsecond.synth()\n"
    run = cdk_synth(tmp_path, body, "-c", "plain=first", gate="", end=end)
    assert run.code == 1, run.stderr
    run.block("ERROR `Top/Reports`", "over plain HTTP")
    # The CLI reads the findings there only when somebody deploys that directory.
    run = run.again("-c", "plain=second")
    assert run.code == 1, run.stderr
    assert "secure-bucket: the gate refused `second`: `cdk synth --app second` shows why" in run.stderr
    done = run.deployable("second")
    assert done.code == 1, done.stderr
    done.block("ERROR `Top/Reports`", "over plain HTTP")


def test_an_assembly_of_a_bare_python_run_is_refused_by_the_command_line(tmp_path: Path) -> None:
    body = """
    import os
    top = cdk.Stack(app, "Top")
    (s3.Bucket if os.environ.get("PLAIN") else SecureBucket)(cdk.NestedStack(top, "Nested"), "Reports")
    """
    write_app(tmp_path, body, gate=GATE)
    run = Run(0, "", "", tmp_path)
    for environment, code in (({"PLAIN": "1"}, 1), ({}, 0)):
        assert run.python(**environment).code == code
        done = run.deployable("cdk.out", "--no-asset-metadata")
        assert done.code == code, done.stderr


def test_the_template_of_a_stack_that_was_renamed_is_not_judged(tmp_path: Path) -> None:
    old = cdk_synth(tmp_path, 's3.Bucket(cdk.Stack(app, "Old"), "Plain")\n', gate="")
    assert old.code == 0, old.stderr
    run = cdk_synth(tmp_path, BUCKET, gate=GATE)
    assert run.code == 0, run.stderr
    assert (tmp_path / "cdk.out" / "Old.template.json").exists()
    done = check(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "not judged, because no manifest leads to it" in done.stdout + done.stderr
