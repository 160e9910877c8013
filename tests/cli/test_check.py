"""What `check` answers, and what it exits with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from secure_bucket import check_template
from secure_bucket.cli.exits import exit_code
from tests.cli.harness import NO_BUCKET, OPEN, SECURE, UNDECIDED, Outcome, write_assembly

Run = Callable[..., Outcome]


@pytest.mark.parametrize(
    ("templates", "arguments", "code"),
    [
        ({"a.yaml": SECURE}, ["a.yaml"], 0),
        ({"a.yaml": OPEN}, ["a.yaml"], 1),
        ({"a.yaml": UNDECIDED}, ["a.yaml"], 3),
        ({"a.yaml": UNDECIDED}, ["--undecided=error", "a.yaml"], 3),
        ({"a.yaml": UNDECIDED}, ["--undecided=warn", "a.yaml"], 0),
        ({"a.yaml": OPEN}, ["--undecided=warn", "a.yaml"], 1),
        ({"a.yaml": SECURE, "b.yaml": OPEN, "c.yaml": UNDECIDED}, ["a.yaml", "b.yaml", "c.yaml"], 1),
        ({"a.yaml": SECURE, "c.yaml": UNDECIDED}, ["."], 3),
        ({"a.yaml": SECURE, "b.yaml": OPEN, "c.yaml": "Resources: ["}, ["a.yaml", "b.yaml", "c.yaml"], 2),
        ({"a.yaml": SECURE}, ["--strict", "a.yaml"], 0),
        ({"a.yaml": SECURE.replace('"*"', '{AWS: "*"}')}, ["a.yaml"], 0),
        ({"a.yaml": SECURE}, ["--minimum-tls=1.2", "a.yaml"], 1),
    ],
)
def test_exit_code(
    directory: Path, run: Run, templates: dict[str, str], arguments: list[str], code: int
) -> None:
    for name, text in templates.items():
        (directory / name).write_text(text)
    assert run("check", *arguments).code == code


def test_strict_does_not_take_every_account_for_every_service(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(SECURE.replace('"*"', '{AWS: "*"}'))
    assert run("check", "--strict", "a.yaml").code in (1, 3)


def test_report_names_place_request_reason_and_fix(directory: Path, run: Run) -> None:
    (directory / "logs.yaml").write_text(OPEN)
    out = run("check", "logs.yaml").out
    assert out.startswith(
        "logs.yaml:2:3: SB001 error: bucket `Logs`: anyone can GET `report.csv` over plain HTTP"
    )
    assert "the bucket has no policy" in out
    assert (
        "  fix: run `secure-bucket fix logs.yaml --write`; `secure-bucket explain SB001` says more\n" in out
    )
    assert out.endswith("1 bucket in 1 template: 0 proven, 1 refuted, 0 undecided, 0 skipped\n")


def test_undecided_as_warning_is_still_said(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(UNDECIDED)
    assert "SB002 warning" in run("check", "--undecided=warn", "a.yaml").out


def test_unreadable_file_does_not_stop_the_others(directory: Path, run: Run) -> None:
    (directory / "a.json").write_text('{"Resources": {')
    (directory / "b.yaml").write_text(OPEN)
    (directory / "c.yaml").write_text(SECURE)
    outcome = run("check", "a.json", "b.yaml", "c.yaml")
    assert outcome.code == 2
    assert "b.yaml:2:3: SB001 error" in outcome.out
    assert "a.json:1:16: error: `a.json` is not JSON" in outcome.out
    assert "2 buckets in 2 templates: 1 proven, 1 refuted" in outcome.out


def test_standard_input_has_places_and_an_excerpt(run: Run) -> None:
    outcome = run("check", "-", stdin=OPEN)
    assert outcome.code == 1
    assert "<stdin>:2:3: SB001 error" in outcome.out
    assert " 2 |   Logs:\n" in outcome.out
    assert "fix: run `secure-bucket fix -`; " in outcome.out


def test_standard_input_stands_beside_files(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(SECURE)
    outcome = run("check", "a.yaml", "-", stdin=json.dumps({"Resources": {"B": {"Type": "AWS::S3::Bucket"}}}))
    assert outcome.code == 1
    assert "2 buckets in 2 templates: 1 proven, 1 refuted" in outcome.out


@pytest.mark.parametrize(
    ("templates", "path", "said"),
    [
        ({}, ".", "`.` contains no template"),
        ({"a.yaml": NO_BUCKET}, "a.yaml", "there is no bucket in `a.yaml`, and an empty check does not pass"),
        ({"a.yaml": NO_BUCKET}, ".", "there is no bucket in `.`, and an empty check does not pass"),
        ({"other.json": "{}", "notes.txt": ""}, ".", "`.` contains no template"),
        ({"a.yaml": SECURE}, "*.json", "nothing matches `*.json`"),
        ({}, "gone.yaml", "`gone.yaml` does not exist"),
    ],
)
def test_nothing_to_check_is_not_a_pass(
    directory: Path, run: Run, templates: dict[str, str], path: str, said: str
) -> None:
    for name, text in templates.items():
        (directory / name).write_text(text)
    outcome = run("check", path)
    assert outcome.code == 2
    assert said in outcome.out


def test_argument_that_leads_nowhere_counts_even_beside_others(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(SECURE)
    (directory / "empty").mkdir()
    outcome = run("check", "a.yaml", "empty")
    assert outcome.code == 2
    assert "`empty` contains no template" in outcome.out


def test_hooks_may_hand_over_files_that_are_no_templates(directory: Path, run: Run) -> None:
    (directory / "compose.yaml").write_text("services: {web: {image: nginx}}\n")
    (directory / "topic.yaml").write_text(NO_BUCKET)
    (directory / "open.yaml").write_text(OPEN)
    (directory / "broken.yaml").write_text("AWSTemplateFormatVersion: [")
    assert run("check", "compose.yaml").code == 2
    assert run("check", "--skip-other-files", "compose.yaml").code == 0
    assert run("check", "--skip-other-files", "compose.yaml", "topic.yaml").code == 0
    assert run("check", "--skip-other-files", "compose.yaml", "open.yaml").code == 1
    assert run("check", "--skip-other-files", "compose.yaml", "broken.yaml").code == 2
    assert run("check", "--skip-other-files", "gone.yaml").code == 2


def test_quiet_says_only_what_could_not_be_done(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(OPEN)
    (directory / "b.yaml").write_text("Resources: [")
    assert run("check", "--quiet", "a.yaml") == Outcome(1, "", "")
    outcome = run("check", "--quiet", "a.yaml", "b.yaml")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("secure-bucket: `b.yaml` is not YAML")


def test_verbose_lists_proven_buckets_and_files_passed_over(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(SECURE)
    (directory / "package.json").write_text("{}")
    (directory / "node_modules").mkdir()
    out = run("check", "--verbose", ".").out
    assert "a.yaml:3:3: proven: bucket `Reports`" in out
    assert "package.json: ignored: no CloudFormation template" in out
    assert "node_modules: ignored: packages of others" in out
    assert "2 files ignored" in run("check", ".").out


def test_several_formats_at_once(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(OPEN)
    outcome = run(
        "check", "a.yaml", "--format", "sarif", "--output", "a.sarif", "--format=junit", "--output=a.xml",
        "--format", "text",
    )  # fmt: skip
    assert outcome.code == 1
    assert "SB001 error" in outcome.out
    assert json.loads((directory / "a.sarif").read_text())["version"] == "2.1.0"
    assert (directory / "a.xml").read_text().startswith("<?xml")
    assert sorted(path.name for path in directory.iterdir()) == ["a.sarif", "a.xml", "a.yaml"]


def test_report_in_a_file_leaves_a_summary_on_standard_error(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(OPEN)
    outcome = run("check", "a.yaml", "--format", "json", "--output", "a.json")
    assert outcome.out == ""
    assert outcome.err.startswith(
        "secure-bucket: Failed: 1 of 1 bucket accepts plain HTTP. 1 bucket in 1 template: 0 proven"
    )
    assert run("check", "a.yaml", "--quiet", "--format", "json", "--output", "a.json").err == ""


def test_output_alone_is_text_and_dash_is_standard_output(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(OPEN)
    run("check", "a.yaml", "--output", "a.txt")
    assert "SB001 error" in (directory / "a.txt").read_text()
    assert json.loads(run("check", "a.yaml", "--format", "json", "--output", "-").out)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.yaml", "--format", "json", "--format", "text"], "one report goes to standard output"),
        (["a.yaml", "--output", "x", "--output", "y"], "give a --format before each --output"),
        (["a.yaml", "--format=json", "--output=x", "--format=text", "--output=./x"], "to the same file"),
        (["a.yaml", "--format", "xml"], "`xml` is not one of text, concise"),
        (["a.yaml", "--output", ""], "the file name is empty"),
        (["a.yaml", "--jobs", "0"], "`0` is not a whole number of at least 1"),
        (["a.yaml", "--minimum-tls", "2"], "`2.0` is not one of 1.0, 1.1, 1.2, 1.3\n"),
        (["a.yaml", "--grow-baseline"], "--write-baseline FILE"),
        (["a.yaml", "--baseline", "x", "--write-baseline", "y"], "not allowed with"),
        (["a.yaml", "--output", "gone/x"], "`gone/x` cannot be written: No such file or directory"),
        ([""], "a PATH is empty"),
    ],
)
def test_wrong_arguments(directory: Path, run: Run, arguments: list[str], said: str) -> None:
    (directory / "a.yaml").write_text(SECURE)
    outcome = run("check", *arguments)
    assert outcome.code == 2
    assert said in outcome.err


def test_template_is_not_written_over(directory: Path, run: Run) -> None:
    (directory / "a.json").write_text('{"Resources": {"Logs": {"Type": "AWS::S3::Bucket"}}}')
    before = (directory / "a.json").read_bytes()
    for arguments in (["--output", "./a.json"], ["--write-baseline", "a.json"]):
        outcome = run("check", "a.json", *arguments)
        assert outcome.code == 2
        assert "a.json` is an input of the check, and the report would overwrite it" in outcome.err
    assert (directory / "a.json").read_bytes() == before
    # The report of the last run lies in the directory that is checked, and is replaced.
    for _ in range(2):
        assert run("check", ".", "--format", "json", "--output", "report.json").code == 1


def test_bucket_that_is_not_proven_fails_even_without_a_finding() -> None:
    report = check_template({"Resources": {"Logs": {"Type": "AWS::S3::Bucket"}}})
    assert exit_code(report) == 1
    assert exit_code(replace(report, findings=())) == 1
    assert exit_code(replace(report, findings=(), baselined=report.findings)) == 0


def test_paths_may_stand_between_options(directory: Path, run: Run) -> None:
    for name in ("a", "b"):
        (directory / f"{name}.yaml").write_text(OPEN)
    assert "2 buckets in 2 templates" in run("check", "a.yaml", "--strict", "b.yaml").out
    assert "2 buckets in 2 templates" in run("check", "a.yaml", "--strict", "-", stdin=OPEN).out
    assert "2 buckets in 2 templates" in run("check", "a.yaml", "--strict", "--", "b.yaml").out
    outcome = run("check", "a.yaml", "--strict", "b.yaml", "--stricter")
    assert outcome.code == 2
    assert "there is no option `--stricter`; did you mean `--strict`?" in outcome.err


def test_sarif_names_files_from_the_root_of_the_repository(
    directory: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (directory / ".git").mkdir()
    (directory / "infra").mkdir()
    (directory / "infra" / "a.yaml").write_text(OPEN)
    monkeypatch.chdir(directory / "infra")
    assert '"uri": "infra/a.yaml"' in run("check", "a.yaml", "--format", "sarif").out
    assert "\na.yaml:2:3" in "\n" + run("check", "a.yaml").out


def test_json_report_is_the_same_at_the_same_time(
    directory: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (directory / "a.yaml").write_text(OPEN)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")
    first = run("check", "a.yaml", "--format", "json").out
    assert first == run("check", "a.yaml", "--format", "json").out
    assert "2027-01-15T08:00:00Z" in first


NESTED = """\
Resources:
  Child:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: child.yaml
      Parameters: {LogBucketArn: "arn:aws:s3:::logs"}
"""
CHILD = UNDECIDED.replace(
    "Type: AWS::S3::Bucket\n", "Type: AWS::S3::Bucket\n    Properties: {BucketName: logs}\n"
)


def test_nested_template_is_judged_where_it_is_nested(directory: Path, run: Run) -> None:
    (directory / "child.yaml").write_text(CHILD)
    assert run("check", "child.yaml").code == 3
    (directory / "parent.yaml").write_text(NESTED)
    outcome = run("check", ".")
    assert outcome.code == 0
    assert "1 bucket in 2 templates: 1 proven" in outcome.out
    # Who names it asks about it by itself, too.
    assert run("check", ".", "child.yaml").code == 3


IMPORTING = """\
Resources:
  LogsPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !ImportValue logs-name
      PolicyDocument:
        Statement:
          - Effect: Deny
            Principal: "*"
            Action: s3:*
            Resource: [!ImportValue logs-arn, !Sub ["${Arn}/*", {Arn: !ImportValue logs-arn}]]
            Condition: {Bool: {aws:SecureTransport: false}}
"""
EXPORTING = (
    OPEN
    + """\
Outputs:
  Name: {Value: !Ref Logs, Export: {Name: logs-name}}
  Arn: {Value: !GetAtt Logs.Arn, Export: {Name: logs-arn}}
"""
)


def test_templates_of_one_application_know_each_others_exports(directory: Path, run: Run) -> None:
    (directory / "logs.yaml").write_text(EXPORTING)
    (directory / "policy.yaml").write_text(IMPORTING)
    assert run("check", ".").code == 1
    outcome = run("check", "--together", ".")
    assert outcome.code == 0
    assert "1 bucket in 2 templates: 1 proven" in outcome.out
    # One that cannot be read does not stop the others here, either.
    (directory / "x.json").write_text('{"AWS')
    (directory / "other.json").write_text("{}")
    outcome = run("check", "--together", ".")
    assert outcome.code == 2
    assert "x.json:1:2: error" in outcome.out
    assert "1 bucket in 2 templates: 1 proven" in outcome.out
    (directory / "x.json").unlink()
    (directory / "parent.yaml").write_text(NESTED)
    (directory / "child.yaml").write_text("Resources: [")
    outcome = run("check", "--together", "--exclude", "child.yaml", ".")
    assert outcome.code == 2
    assert "`child.yaml` is not YAML" in outcome.out
    assert "bucket in 2 templates" in outcome.out


def test_assembly_with_a_stage_and_a_nested_stack(directory: Path, run: Run) -> None:
    write_assembly(directory / "cdk.out")
    outcome = run("check", "cdk.out")
    assert outcome.code == 1
    assert "4 buckets in 4 templates: 0 proven, 4 refuted" in outcome.out
    # All of them are named from here.
    assert "cdk.out/Nested.nested.template.json:1:" in outcome.out
    assert "cdk.out/assembly-Stage/Top.template.json:1:" in outcome.out
    assert str(directory) not in outcome.out
    assert outcome.out.count("anyone can GET `report.csv` over plain HTTP") == 4
    assert run("check", ".").out == outcome.out
    assert run("check", "cdk.out/manifest.json").out == outcome.out


def test_assembly_without_one_of_its_templates_could_not_be_checked(directory: Path, run: Run) -> None:
    write_assembly(directory / "cdk.out")
    (directory / "cdk.out/assembly-Stage/Nested.nested.template.json").unlink()
    outcome = run("check", "cdk.out")
    assert outcome.code == 2
    assert "Nested.nested.template.json" in outcome.out


def test_check_without_a_path_checks_the_working_directory(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(OPEN)
    assert run("check").out == run("check", ".").out
    assert run("check").code == 1


@pytest.mark.parametrize(("template", "code"), [(OPEN, 0), (UNDECIDED, 0), (SECURE, 0), ("Resources: [", 2)])
def test_exit_zero_tolerates_findings_and_no_fault(
    directory: Path, run: Run, template: str, code: int
) -> None:
    (directory / "a.yaml").write_text(template)
    outcome = run("check", "a.yaml", "--exit-zero")
    assert outcome.code == code
    assert outcome.out == run("check", "a.yaml").out


def test_statistics_is_a_format(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(OPEN)
    counted = run("check", "a.yaml", "--statistics")
    assert counted.code == 1
    assert counted.out == run("check", "a.yaml", "--format", "statistics").out
    assert "1  SB001 plaintext-http" in counted.out


def test_assembly_that_waits_for_context_does_not_pass(directory: Path, run: Run) -> None:
    write_assembly(directory / "cdk.out")
    manifest = directory / "cdk.out/manifest.json"
    missing = [{"key": "vpc-provider:account=1", "provider": "vpc-provider", "props": {}}]
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "missing": missing}))
    outcome = run("check", "cdk.out")
    assert outcome.code == 2
    assert "the context `vpc-provider:account=1` is missing; run `cdk synth`" in outcome.out


def test_fix_writes_what_is_safe_and_then_checks(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(OPEN)
    (directory / "b.yaml").write_text(UNDECIDED)
    outcome = run("check", ".", "--fix")
    assert outcome.code == 3
    assert "a.yaml:2:3: bucket `Logs`: the policy `LogsPolicy` is new" in outcome.err
    assert "is left as it is" not in outcome.err, "the report of the check lists it"
    assert outcome.out.splitlines()[-1].startswith("Failed: 1 of 2 buckets is undecided. ")
    assert run("check", "a.yaml", "--fix").code == 0


def test_diff_shows_the_changes_and_writes_nothing(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(OPEN)
    outcome = run("check", "--diff")
    assert outcome.code == 1
    assert outcome.out.startswith("--- a.yaml\n+++ a.yaml\n")
    assert run("check", "--diff", "--fix") == outcome, "as ruff has it, --diff takes precedence"
    assert (directory / "a.yaml").read_text() == OPEN
    assert run("check", "--diff", "--exit-zero") == Outcome(0, outcome.out, outcome.err)
    assert run("check", "--diff", "--ignore", "SB001").out == ""
    (directory / "a.yaml").write_text(UNDECIDED)
    assert run("check", "--diff").code == 3, "a bucket that nothing fixes still fails"
    assert run("check", "--diff", "--exit-zero").code == 0
    assert run("check", "--diff", "--exit-zero", "absent.yaml").code == 2


def test_fix_that_cannot_write_says_so_and_fails_as_incomplete(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(OPEN)
    (directory / "a.yaml").chmod(0o444)
    outcome = run("check", ".", "--fix")
    assert outcome.code == 2
    assert outcome.err.count("`a.yaml` is read-only: nothing was written to it") == 1
    assert outcome.out.splitlines()[-1].startswith("Failed: 1 of 1 bucket accepts plain HTTP. ")


def test_fix_of_nothing_leaves_the_answer_to_the_check(directory: Path, run: Run) -> None:
    (directory / "topic.yaml").write_text(NO_BUCKET)
    assert run("check", "topic.yaml", "--fix", "--skip-other-files").code == 0
    told = run("check", "topic.yaml", "--fix")
    assert (told.code, (told.out + told.err).count("no bucket")) == (2, 1)


def test_diff_of_standard_input_shows_the_changes_also_with_fix(run: Run) -> None:
    outcome = run("check", "-", "--diff", stdin=OPEN)
    assert outcome.code == 1
    assert outcome.out.startswith("--- <stdin>\n")
    assert run("check", "-", "--diff", "--fix", stdin=OPEN) == outcome


def test_fix_cannot_write_standard_input(run: Run) -> None:
    outcome = run("check", "-", "--fix", stdin=OPEN)
    assert (outcome.code, "use `secure-bucket fix -`" in outcome.err) == (2, True)


@pytest.mark.parametrize("format", ["text", "concise", "statistics"])
def test_a_report_for_a_person_gives_the_summary_once(directory: Path, run: Run, format: str) -> None:
    (directory / "a.yaml").write_text(OPEN)
    (directory / "broken.yaml").write_text("AWS: [")
    outcome = run("check", ".", "--format", format)
    assert (outcome.out + outcome.err).count("Incomplete: 1 thing could not be checked") == 1
    assert sum("broken.yaml" in line for line in (outcome.out + outcome.err).splitlines()) == 1


@pytest.mark.parametrize(
    "policy", ['{"Version": "2012-10-17", "Statement": []}', '{"Policy": "{}"}', "Statement: []\n"]
)
def test_a_policy_gets_the_command_for_policies(directory: Path, run: Run, policy: str) -> None:
    (directory / "policy.json").write_text(policy)
    outcome = run("check", "policy.json")
    assert outcome.code == 2
    assert "; `secure-bucket prove` judges a policy by itself" in outcome.out
    assert "secure-bucket prove" in run("fix", "policy.json").err
