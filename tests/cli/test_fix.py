"""`secure-bucket fix`: what it shows, what it writes, what it leaves, and its exit codes."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from secure_bucket.cli import fix
from tests.cli.harness import NO_BUCKET, OPEN, SECURE, UNDECIDED, Outcome, write_assembly
from tests.cli.test_process import on_terminal

Run = Callable[..., Outcome]
FIXED = """\
Resources:
  Logs:
    Type: AWS::S3::Bucket
  LogsPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Logs
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Sid: DenyPlainHttp
            Effect: Deny
            Principal: "*"
            Action: s3:*
            Resource:
              - !GetAtt Logs.Arn
              - !Sub "${Logs.Arn}/*"
            Condition:
              Bool:
                aws:SecureTransport: "false"
"""
WEBSITE = """\
Resources:
  Site:
    Type: AWS::S3::Bucket
    Properties:
      WebsiteConfiguration: {IndexDocument: index.html}
"""


def test_unless_it_is_asked_to_write_it_shows_the_difference(run: Run, directory: Path) -> None:
    file = directory / "t.yaml"
    file.write_text(OPEN)
    outcome = run("fix", "t.yaml")
    assert outcome.code == 1
    assert outcome.out.startswith("--- t.yaml\n+++ t.yaml\n@@ -1,3 +1,20 @@\n Resources:\n")
    assert "+  LogsPolicy:\n" in outcome.out
    assert outcome.err.splitlines() == [
        "secure-bucket: t.yaml:2:3: bucket `Logs`: the policy `LogsPolicy` is new",
        "secure-bucket: 1 bucket: 0 proven before, 1 to fix with --write, 0 left",
    ]
    assert file.read_text() == OPEN
    assert run("fix", "t.yaml", "--diff") == outcome


@pytest.mark.skipif(shutil.which("patch") is None, reason="`patch` is not installed")
@pytest.mark.parametrize("text", [OPEN, OPEN.removesuffix("\n"), OPEN.replace("\n", "\r\n")])
def test_patch_understands_the_difference(run: Run, directory: Path, text: str) -> None:
    for name in ("a b.yaml", "c.yaml"):
        (directory / name).write_bytes(text.encode())
    difference = run("fix", "a b.yaml", "--diff").out.encode()
    subprocess.run(["patch", "--binary", "-p0"], input=difference, check=True, capture_output=True)
    assert run("fix", "c.yaml", "--write").code == 0
    assert (directory / "a b.yaml").read_bytes() == (directory / "c.yaml").read_bytes()


def test_it_writes_when_it_is_asked_to_and_the_second_run_changes_nothing(run: Run, directory: Path) -> None:
    file = directory / "t.yaml"
    file.write_text(OPEN)
    outcome = run("fix", "t.yaml", "--write")
    assert (outcome.code, outcome.out) == (0, "")
    assert file.read_text() == FIXED
    assert run("check", "t.yaml").code == 0
    inode = file.stat().st_ino
    assert run("fix", "t.yaml", "-w", "-q") == Outcome(0, "", "")
    assert run("fix", "t.yaml").out == ""
    assert file.stat().st_ino == inode
    assert [each.name for each in directory.iterdir()] == ["t.yaml"]


def test_it_shows_and_writes(run: Run, directory: Path) -> None:
    (directory / "t.yaml").write_text(OPEN)
    assert run("fix", "t.yaml", "--write", "--diff").out.startswith("--- t.yaml")
    assert (directory / "t.yaml").read_text() == FIXED


def test_standard_input_goes_to_standard_output(run: Run) -> None:
    outcome = run("fix", "-", stdin=OPEN)
    assert (outcome.code, outcome.out) == (0, FIXED)
    assert run("fix", "-", "--write", stdin=OPEN).out == FIXED
    assert (run("fix", "-", stdin=FIXED).code, run("fix", "-", stdin=FIXED).out) == (0, FIXED)
    shown = run("fix", "-", "--diff", stdin=OPEN)
    assert (shown.code, shown.out[:15]) == (1, "--- <stdin>\n+++")


def test_what_is_left_on_standard_input_comes_out_as_it_went_in(run: Run) -> None:
    outcome = run("fix", "-", stdin=WEBSITE)
    assert (outcome.code, outcome.out) == (1, WEBSITE)
    assert "is left as it is: it is a website" in outcome.err


@pytest.mark.parametrize("stdin", [b"", b"Resources: [", b"\xff\xfe", b"Resources: null", NO_BUCKET.encode()])
def test_nothing_comes_out_of_standard_input_that_is_no_template(run: Run, stdin: bytes) -> None:
    outcome = run("fix", "-", stdin=stdin)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("secure-bucket: ")


def test_standard_input_stands_alone(run: Run, directory: Path) -> None:
    (directory / "t.yaml").write_text(OPEN)
    outcome = run("fix", "-", "t.yaml", stdin=OPEN)
    assert (outcome.code, outcome.out) == (2, "")
    assert "give no other PATH" in outcome.err


@pytest.mark.parametrize("write", [(), ("--write",)])
@pytest.mark.parametrize(
    ("template", "code", "reason"),
    [
        (WEBSITE, 1, "a website endpoint speaks plain HTTP only"),
        (UNDECIDED, 3, "it cannot be decided"),
        (SECURE, 0, ""),
    ],
)
def test_what_is_left_is_said_and_counts(
    run: Run, directory: Path, write: tuple[str, ...], template: str, code: int, reason: str
) -> None:
    (directory / "t.yaml").write_text(template)
    outcome = run("fix", "t.yaml", *write)
    assert (outcome.code, outcome.out) == (code, "")
    assert reason in outcome.err
    assert (directory / "t.yaml").read_text() == template


def test_undecided_may_be_no_failure(run: Run, directory: Path) -> None:
    (directory / "t.yaml").write_text(UNDECIDED)
    assert run("fix", "t.yaml", "--undecided=warn").code == 0


def test_refuted_goes_before_undecided_and_a_fault_before_both(run: Run, directory: Path) -> None:
    (directory / "a.yaml").write_text(UNDECIDED)
    (directory / "b.yaml").write_text(WEBSITE)
    assert run("fix", "a.yaml", "b.yaml", "--write").code == 1
    (directory / "c.yaml").write_text("Resources: [")
    (directory / "d.yaml").write_text(OPEN)
    assert run("fix", *(f"{name}.yaml" for name in "abcd"), "--write").code == 2
    assert (directory / "d.yaml").read_text() == FIXED


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.yaml"], "`nowhere.yaml` does not exist"),
        ([""], "a PATH is empty"),
        (["bad.yaml"], "`bad.yaml` is not UTF-8 text: byte 0 is 0xe4"),
        (["none.yaml"], "there is no bucket in `none.yaml`"),
        (["empty", "t.yaml"], "`empty` contains no template"),
        ([], "the following arguments are required: PATH"),
    ],
)
def test_bad_input_is_said_in_a_line(run: Run, directory: Path, arguments: list[str], message: str) -> None:
    (directory / "bad.yaml").write_bytes(b"\xe4" + OPEN.encode())
    (directory / "none.yaml").write_text(NO_BUCKET)
    (directory / "t.yaml").write_text(SECURE)
    (directory / "empty").mkdir()
    outcome = run("fix", "--write", *arguments)
    assert outcome.code == 2
    assert message in outcome.err
    assert "Traceback" not in outcome.err
    assert (directory / "bad.yaml").read_bytes() == b"\xe4" + OPEN.encode()


@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_byte_order_mark_and_line_ends_stay(run: Run, directory: Path, start: str, end: str) -> None:
    file = directory / "t.yaml"
    file.write_bytes((start + OPEN.replace("\n", end)).encode())
    assert run("fix", "t.yaml", "--write").code == 0
    assert file.read_bytes() == (start + FIXED.replace("\n", end)).encode()


def test_a_read_only_file_is_not_written(run: Run, directory: Path) -> None:
    file = directory / "t.yaml"
    file.write_text(OPEN)
    file.chmod(0o444)
    outcome = run("fix", "t.yaml", "--write")
    assert outcome.code == 2
    assert "`t.yaml` is read-only: nothing was written to it" in outcome.err
    assert "0 fixed" in outcome.err
    assert file.read_text() == OPEN


def test_a_full_disk_leaves_the_template_as_it_was(
    run: Run, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (directory / "t.yaml").write_text(OPEN)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    outcome = run("fix", "t.yaml", "--write")
    assert outcome.code == 2
    assert "`t.yaml` cannot be written, and is unchanged: No space left on device" in outcome.err
    assert (directory / "t.yaml").read_text() == OPEN
    assert [each.name for each in directory.iterdir()] == ["t.yaml"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
@pytest.mark.parametrize("arguments", [("t.yaml",), ("-",)])
def test_a_full_disk_behind_standard_output_is_said(
    process: Callable[..., Any], directory: Path, arguments: tuple[str, ...]
) -> None:
    (directory / "t.yaml").write_text(OPEN)
    with open("/dev/full", "w") as full, open("t.yaml") as stdin:
        done = process("fix", *arguments, stdout=full, stdin=stdin)
    assert done.returncode == 2
    assert "standard output cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_changes_meanwhile_is_not_overwritten(
    run: Run, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = directory / "t.yaml"
    file.write_text(OPEN)
    repair = fix.repair_document

    def slow(*arguments: Any, **options: Any) -> Any:
        repaired = repair(*arguments, **options)
        file.write_text(SECURE)
        return repaired

    monkeypatch.setattr(fix, "repair_document", slow)
    outcome = run("fix", "t.yaml", "--write")
    assert outcome.code == 2
    assert "changed meanwhile" in outcome.err
    assert file.read_text() == SECURE


def test_a_link_is_followed_and_permissions_stay(run: Run, directory: Path) -> None:
    (directory / "real.yaml").write_text(OPEN)
    (directory / "real.yaml").chmod(0o640)
    (directory / "link.yaml").symlink_to("real.yaml")
    assert run("fix", "link.yaml", "--write").code == 0
    assert (directory / "link.yaml").is_symlink()
    assert (directory / "real.yaml").read_text() == FIXED
    assert stat.S_IMODE((directory / "real.yaml").stat().st_mode) == 0o640


def test_a_cloud_assembly_is_left_unless_it_is_asked_for(run: Run, directory: Path) -> None:
    write_assembly(directory / "cdk.out")
    before = {path: path.read_bytes() for path in directory.rglob("*.json")}
    outcome = run("fix", "cdk.out", "--write")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.count("the AWS CDK made this template") == 4
    assert "--synthesized fixes it anyway" in outcome.err
    assert {path: path.read_bytes() for path in directory.rglob("*.json")} == before
    assert run("fix", "cdk.out/Top.template.json", "--write").code == 1
    assert run("fix", "cdk.out", "--write", "--synthesized").code == 0
    assert run("check", "cdk.out").code == 0


def test_a_bucket_whose_policy_stands_in_another_template_is_left(run: Run, directory: Path) -> None:
    (directory / "bucket.yaml").write_text(f"{OPEN}    Properties: {{BucketName: the-logs}}\n")
    policy = (
        "Resources:\n  Elsewhere:\n    Type: AWS::S3::BucketPolicy\n    Properties:\n      Bucket: the-logs\n"
        "      PolicyDocument: {Statement: []}\n"
    )
    (directory / "policy.yaml").write_text(policy)
    outcome = run("fix", "bucket.yaml", "policy.yaml", "--write")
    assert outcome.code == 1
    assert "its policy `Elsewhere` is in `policy.yaml`: add the deny there" in outcome.err
    assert "policy `Elsewhere` of a bucket that is not declared here" in outcome.err
    assert (directory / "policy.yaml").read_text() == policy
    assert "LogsPolicy" not in (directory / "bucket.yaml").read_text()


@pytest.mark.parametrize("together", [(), ("--together",)])
def test_an_export_leads_to_the_policy_elsewhere(
    run: Run, directory: Path, together: tuple[str, ...]
) -> None:
    (directory / "bucket.yaml").write_text(
        f"{OPEN}Outputs: {{Name: {{Value: !Ref Logs, Export: {{Name: logs}}}}}}\n"
    )
    (directory / "policy.yaml").write_text(
        "Resources:\n  Elsewhere:\n    Type: AWS::S3::BucketPolicy\n    Properties:\n"
        "      Bucket: !ImportValue logs\n      PolicyDocument: {Statement: []}\n"
    )
    outcome = run("fix", "bucket.yaml", "policy.yaml", "--write", *together)
    assert outcome.code == 1
    assert "its policy" in outcome.err
    assert "is in `policy.yaml`" in outcome.err
    assert "LogsPolicy" not in (directory / "bucket.yaml").read_text()


FOR_A_PARAMETER = """\
Parameters: {Name: {Type: String}}
Resources:
  Guard:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Name
      PolicyDocument:
        Statement:
          - Effect: Deny
            Principal: "*"
            Action: s3:*
            Resource: [!Sub "arn:aws:s3:::${Name}", !Sub "arn:aws:s3:::${Name}/*"]
            Condition: {Bool: {aws:SecureTransport: false}}
"""


@pytest.mark.parametrize("together", [(), ("--together",)])
@pytest.mark.parametrize("name", ["", "    Properties: {BucketName: logs-of-everybody}\n"])
def test_a_bucket_and_a_policy_that_may_be_its_own_name_each_other(
    run: Run, directory: Path, together: tuple[str, ...], name: str
) -> None:
    (directory / "bucket.yaml").write_text(OPEN + name)
    (directory / "policy.yaml").write_text(FOR_A_PARAMETER)
    findings = run("check", ".", *together, "--format", "concise").out.splitlines()
    of_bucket = next(each for each in findings if "SB001" in each or "SB002" in each)
    of_policy = next(each for each in findings if "SB005" in each)
    assert "the policy `Guard`" in of_bucket
    assert "it may be for the bucket `Logs` in `bucket.yaml`" in of_policy
    outcome = run("fix", ".", "--write", *together)
    assert outcome.code in (1, 3)
    assert "the policy `Guard`" in outcome.err
    assert "LogsPolicy" not in (directory / "bucket.yaml").read_text()
    assert run("fix", "bucket.yaml", "--write").code == 0


@pytest.mark.parametrize(
    "policy",
    [
        FOR_A_PARAMETER.replace("{Type: String}", "{Type: String, AllowedValues: [reports-of-everybody]}"),
        FOR_A_PARAMETER.replace("!Ref Name", "reports-of-everybody"),
        FOR_A_PARAMETER.replace("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy"),
    ],
)
def test_a_policy_that_is_for_another_bucket_hinders_nothing(run: Run, directory: Path, policy: str) -> None:
    (directory / "bucket.yaml").write_text(OPEN)
    (directory / "policy.yaml").write_text(policy)
    assert "Guard" not in run("check", "bucket.yaml", "policy.yaml", "--select", "SB001").out
    run("fix", "bucket.yaml", "policy.yaml", "--write")
    assert "LogsPolicy" in (directory / "bucket.yaml").read_text()


def test_a_nested_template_is_fixed_only_when_it_is_given(run: Run, directory: Path) -> None:
    (directory / "child.yaml").write_text(OPEN)
    (directory / "parent.yaml").write_text(
        "Resources: {Child: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: child.yaml}}}\n"
    )
    outcome = run("fix", "parent.yaml", "--write")
    assert outcome.code == 1
    assert "only the template that nests `child.yaml` was given" in outcome.err
    assert (directory / "child.yaml").read_text() == OPEN
    assert run("fix", ".", "--write").code == 0
    assert (directory / "child.yaml").read_text() == FIXED


def test_a_nested_bucket_that_only_its_parent_leaves_open_is_left(run: Run, directory: Path) -> None:
    (directory / "child.yaml").write_text(
        SECURE.replace("Resources:\n", "Parameters: {Arn: {Type: String}}\nResources:\n", 1).replace(
            'Principal: "*"', "Principal: {AWS: !Ref Arn}"
        )
    )
    (directory / "parent.yaml").write_text(
        "Resources:\n  Child:\n    Type: AWS::CloudFormation::Stack\n    Properties:\n"
        "      TemplateURL: child.yaml\n      Parameters: {Arn: 'arn:aws:iam::123456789012:root'}\n"
    )
    before = (directory / "child.yaml").read_text()
    outcome = run("fix", ".")
    assert outcome.code == run("check", ".").code == 1
    assert "bucket `Reports` is left as it is" in outcome.err
    assert run("fix", ".", "--write").code == 1
    assert (directory / "child.yaml").read_text() == before


def test_an_exception_is_respected(run: Run, directory: Path) -> None:
    exception = "{SecureBucket: {Exceptions: [{Rule: SB001, Reason: the old scanner}]}}"
    template = f"{OPEN}    Metadata: {exception}\n"
    (directory / "t.yaml").write_text(template)
    outcome = run("fix", "t.yaml", "--write")
    assert outcome.code == 0
    assert "is left as it is: an exception is granted: the old scanner" in outcome.err
    assert (directory / "t.yaml").read_text() == template


def test_an_exception_of_the_settings_is_respected(run: Run, directory: Path) -> None:
    (directory / "t.yaml").write_text(OPEN)
    (directory / "u.yaml").write_text(OPEN)
    (directory / "secure-bucket.toml").write_text(
        'exclude = ["u.*"]\n[[exceptions]]\npath = "t.yaml"\nlogical-id = "Logs"\nrule = "SB001"\n'
        'reason = "so be it"\n'
    )
    assert run("fix", ".", "--write").code == 0
    assert (directory / "t.yaml").read_text() == (directory / "u.yaml").read_text() == OPEN
    assert run("fix", ".", "--write", "--no-config").code == 0
    assert (directory / "u.yaml").read_text() == FIXED


def test_an_ambiguous_template_is_a_fault_and_left(run: Run, directory: Path) -> None:
    text = f"{OPEN}    DeletionPolicy: Retain\n    DeletionPolicy: Delete\n"
    (directory / "t.yaml").write_text(text)
    outcome = run("fix", "t.yaml", "--write")
    assert outcome.code == 2
    assert "the key `DeletionPolicy` stands twice" in outcome.err
    assert (directory / "t.yaml").read_text() == text


def test_colour_and_quiet(run: Run, directory: Path) -> None:
    (directory / "t.yaml").write_text(OPEN)
    outcome = run("fix", "t.yaml", "--color", "--quiet")
    assert outcome.err == ""
    assert outcome.out.startswith("\x1b[1m--- t.yaml\x1b[0m\n\x1b[1m+++ t.yaml\x1b[0m\n\x1b[36m@@")
    assert "\x1b[32m+  LogsPolicy:\x1b[0m\n" in outcome.out
    assert "\n Resources:\n" in outcome.out


def test_a_terminal_gets_colour_and_nothing_that_steers_it(directory: Path) -> None:
    (directory / "t.yaml").write_text(OPEN.replace("Bucket", "Bucket  # \u202esesrever"), encoding="utf-8")
    shown = on_terminal("fix", "t.yaml")
    assert "\x1b[32m+  LogsPolicy:\x1b[0m" in shown
    assert "\\u202esesrever" in shown
    assert "\u202e" not in shown
    assert "\x1b" not in on_terminal("fix", "t.yaml", "--no-color")


def test_json_is_fixed_as_json(run: Run, directory: Path) -> None:
    file = directory / "t.json"
    file.write_text(json.dumps({"Resources": {"Logs": {"Type": "AWS::S3::Bucket"}}}, indent=4))
    assert run("fix", "t.json", "--write").code == 0
    assert list(json.loads(file.read_text())["Resources"]) == ["Logs", "LogsPolicy"]
    assert file.read_text() == json.dumps(json.loads(file.read_text()), indent=4)


def test_the_help_says_what_the_exit_codes_mean(run: Run) -> None:
    text = run("fix", "--help").out
    assert "1    there are fixes to write" in text
    assert "--write" in text
