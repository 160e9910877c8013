"""The advice of a finding fits who wrote the bucket: a program, a template, or the author of a website."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from secure_bucket import check_assembly, check_template
from secure_bucket.findings.finding import Level
from secure_bucket.policy.statements import deny_plain_http


def template(**properties: Any) -> dict[str, Any]:
    return {"Resources": {"Site": {"Type": "AWS::S3::Bucket", "Properties": properties}}}


WEBSITE = {"WebsiteConfiguration": {"IndexDocument": "index.html"}}
OPEN = {"Statement": []}
UNDECIDED = {"Statement": [{**deny_plain_http("arn:aws:s3:::x"), "Resource": {"Ref": "Unknown"}}]}


@pytest.mark.parametrize(("document", "rule"), [(None, "SB001"), (OPEN, "SB001"), (UNDECIDED, "SB002")])
def test_a_website_is_one_finding_that_never_asks_for_the_deny(document: Any, rule: str) -> None:
    written = template(**WEBSITE)
    written["Parameters"] = {"Unknown": {"Type": "CommaDelimitedList"}}
    if document is not None:
        properties = {"Bucket": {"Ref": "Site"}, "PolicyDocument": document}
        written["Resources"]["Policy"] = {"Type": "AWS::S3::BucketPolicy", "Properties": properties}
    (finding,) = check_template(written).findings
    assert (finding.rule, finding.level) == (rule, Level.ERROR)
    assert finding.fix == (
        "remove `WebsiteConfiguration`, and serve the bucket through CloudFront with origin access control"
    )


def test_a_website_in_a_cdk_app_is_not_told_to_use_a_secure_bucket() -> None:
    written = template(**WEBSITE)
    written["Resources"]["Site"]["Metadata"] = {"aws:cdk:path": "Top/Site/Resource"}
    (finding,) = check_template(written).findings
    assert "SecureBucket" not in finding.fix
    assert "its website endpoint speaks plain HTTP only" in finding.message


def test_a_template_is_told_the_command_that_fixes_it(tmp_path: Path) -> None:
    file = tmp_path / "my template.json"
    file.write_text(json.dumps(template()), encoding="utf-8")
    (finding,) = check_template(str(file)).findings
    assert finding.fix.startswith(f"run `secure-bucket fix '{file}' --write`; `secure-bucket explain SB001`")
    (finding,) = check_template(template()).findings
    assert finding.fix.startswith("add an `AWS::S3::BucketPolicy`"), "there is no file to fix"


@pytest.mark.parametrize(
    ("file", "advice"),
    [
        ("app.py", "use `SecureBucket`, or `enforce_ssl=True`"),
        ("app.ts", "set `enforceSSL: true`"),
        ("app.js", "set `enforceSSL: true`"),
        ("App.java", "call `.enforceSsl(true)` of the builder"),
        ("App.cs", "set `EnforceSSL = true`"),
        ("app.go", "set `EnforceSSL: jsii.Bool(true)`"),
    ],
)
def test_a_program_is_told_in_its_own_language(
    file: str, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / file).write_text("\n", encoding="utf-8")
    written = template()
    written["Resources"]["Site"]["Metadata"] = {"aws:cdk:path": "Top/Site/Resource"}
    out = tmp_path / "cdk.out"
    out.mkdir()
    (out / "Top.template.json").write_text(json.dumps(written), encoding="utf-8")
    frames = [f"new Bucket ({tmp_path / file}:1:1)"]
    metadata = {"/Top/Site/Resource": [{"type": "aws:cdk:creationStack", "data": frames}]}
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://unknown-account/unknown-region",
        "properties": {"templateFile": "Top.template.json"},
        "metadata": metadata,
    }
    manifest = {"version": "36.0.0", "artifacts": {"Top": stack}}
    (out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (finding,) = check_assembly(out).findings
    assert finding.created_at is not None
    assert finding.fix == advice
    # `Site` without `/Resource` is an L1 construct, which has no such prop, or is of an included template.
    (out / "Top.template.json").write_text(
        json.dumps(written).replace("Top/Site/Resource", "Top/Site"), encoding="utf-8"
    )
    stack["metadata"] = {"/Top/Site": metadata["/Top/Site/Resource"]}
    (out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (finding,) = check_assembly(out).findings
    before, after = (
        "replace the L1 construct with an L2 bucket",
        "run `secure-bucket fix` on an included template",
    )
    assert finding.fix == f"{before}: {advice}; {after}"
