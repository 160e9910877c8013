"""What changes `cdk.out` after the gate judged it fails the run, or the next check of the directory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.synth.harness import cdk_synth

pytestmark = pytest.mark.synth

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


@pytest.mark.parametrize(
    ("end", "changed"),
    [(SCRIPT, "Top.template.json"), (SECOND_APP, "manifest.json"), (LATER_PLUGIN, "Top.template.json")],
    ids=["script", "second app", "later plugin"],
)
def test_a_change_in_the_process_of_the_app_fails_cdk_synth(tmp_path: Path, end: str, changed: str) -> None:
    run = cdk_synth(tmp_path, BUCKET, gate=GATE, end=end)
    assert run.code == 1, run.stderr
    assert f"{changed}` was changed after the gate judged it: run `cdk synth` again" in run.stderr


def test_a_change_after_cdk_synth_fails_the_check_of_the_directory(tmp_path: Path) -> None:
    run = cdk_synth(tmp_path, BUCKET, gate=GATE)
    assert run.code == 0, run.stderr

    def check() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "secure_bucket", "check", "cdk.out"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert check().returncode == 0
    # Still secure: but nobody knows whether the exceptions of the gate are for this.
    file = tmp_path / "cdk.out" / "Top.template.json"
    file.write_text(file.read_text() + "\n")
    done = check()
    assert done.returncode == 2
    assert "`cdk.out/Top.template.json` was changed after the gate judged it" in done.stdout + done.stderr
