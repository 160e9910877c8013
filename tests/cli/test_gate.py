"""`secure-bucket gate`: an app as a child process, and the judgement on what it wrote."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from secure_bucket import check_assembly
from secure_bucket.checks.refusal import is_refused
from secure_bucket.errors import TemplateError
from tests.cli.harness import Outcome, command, environment, heed_interrupts, write_assembly

Run = Callable[..., Outcome]
Process = Callable[..., subprocess.CompletedProcess[str]]

BUCKET = {"Type": "AWS::S3::Bucket"}
DENY = {
    "Type": "AWS::S3::BucketPolicy",
    "Properties": {
        "Bucket": {"Ref": "Logs"},
        "PolicyDocument": {
            "Statement": {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [
                    {"Fn::GetAtt": ["Logs", "Arn"]},
                    {"Fn::Join": ["", [{"Fn::GetAtt": ["Logs", "Arn"]}, "/*"]]},
                ],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        },
    },
}
APP = """
import json, os, pathlib, sys
out = pathlib.Path(os.environ["CDK_OUTDIR"])
out.mkdir(exist_ok=True)
resources, missing = json.loads(sys.argv[1]), json.loads(sys.argv[2])
(out / "Top.template.json").write_text(json.dumps({"Resources": resources}))
artifact = {
    "type": "aws:cloudformation:stack",
    "environment": "aws://unknown-account/unknown-region",
    "properties": {"templateFile": "Top.template.json"},
}
manifest = {"version": "48.0.0", "artifacts": {"Top": artifact}, "missing": [{"key": key} for key in missing]}
(out / "manifest.json").write_text(json.dumps(manifest))
print("from the app")
"""


@pytest.fixture(autouse=True)
def outdir(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The output directory that the CDK CLI names."""
    (directory / "app.py").write_text(APP)
    monkeypatch.setenv("CDK_OUTDIR", str(directory / "out"))
    monkeypatch.setenv("CDK_CLI_VERSION", "2.1148.1")
    return directory / "out"


def app(*, secure: bool = True, missing: tuple[str, ...] = ()) -> tuple[str, ...]:
    resources = {"Logs": BUCKET, **({"Policy": DENY} if secure else {})}
    return ("--", sys.executable, "app.py", json.dumps(resources), json.dumps(missing))


def python(code: str) -> tuple[str, ...]:
    return ("--", sys.executable, "-c", code)


def test_a_clean_app_passes_with_one_line_on_stderr(process: Process) -> None:
    done = process("gate", *app(), env=environment())
    assert (done.returncode, done.stdout) == (0, "from the app\n")
    assert done.stderr.startswith("secure-bucket: 1 bucket in 1 template: 1 proven")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("program", "advice"),
    [
        ("npx", "set `enforceSSL: true`"),
        ("mvnw", "call `.enforceSsl(true)` of the builder"),
        ("dotnet", "set `EnforceSSL = true`"),
        ("go", "set `EnforceSSL: jsii.Bool(true)`"),
        ("python3", "use `SecureBucket`, or `enforce_ssl=True`"),
    ],
)
def test_the_advice_is_in_the_language_of_the_command(
    run: Run, directory: Path, program: str, advice: str
) -> None:
    (directory / program).symlink_to(sys.executable)
    bucket = {**BUCKET, "Metadata": {"aws:cdk:path": "Top/Logs/Resource"}}
    outcome = run("gate", "--", f"./{program}", "app.py", json.dumps({"Logs": bucket}), "[]")
    assert outcome.code == 1
    assert f"fix: {advice}" in outcome.err


@pytest.mark.parametrize(
    ("file", "advice"),
    [
        ("go.mod", "set `EnforceSSL: jsii.Bool(true)`"),
        ("pom.xml", "call `.enforceSsl(true)` of the builder"),
        ("tsconfig.json", "set `enforceSSL: true`"),
        ("setup.py", "use `SecureBucket`, or `enforce_ssl=True`"),
    ],
)
@pytest.mark.parametrize("program", ["infra", "python3"])
def test_a_file_of_the_project_shows_the_language_of_another_command(
    run: Run, directory: Path, file: str, advice: str, program: str
) -> None:
    (directory / file).write_text("")
    (directory / program).symlink_to(sys.executable)
    bucket = {**BUCKET, "Metadata": {"aws:cdk:path": "Top/Logs/Resource"}}
    outcome = run("gate", "--", f"./{program}", "app.py", json.dumps({"Logs": bucket}), "[]")
    assert outcome.code == 1
    expected = advice if program == "infra" else "use `SecureBucket`, or `enforce_ssl=True`"
    assert f"fix: {expected}" in outcome.err


def test_quiet_hides_the_summary(process: Process) -> None:
    done = process("gate", "--quiet", *app(), env=environment())
    assert (done.returncode, done.stdout, done.stderr) == (0, "from the app\n", "")


def test_a_plain_bucket_fails_and_the_directory_cannot_be_deployed(process: Process, outdir: Path) -> None:
    done = process("gate", "--quiet", *app(secure=False), env=environment())
    assert (done.returncode, done.stdout) == (1, "from the app\n")
    assert "SB001" in done.stderr
    assert "manifest.json.refused" in done.stderr
    assert json.loads((outdir / "manifest.json").read_text())["artifacts"] == {}
    assert (outdir / "manifest.json.refused").exists()
    assert process("gate", *app(), env=environment()).returncode == 0
    assert not (outdir / "manifest.json.refused").exists()


def test_the_directory_that_the_gate_refused_is_not_judged_as_if_it_were_empty(
    run: Run, outdir: Path
) -> None:
    assert run("gate", *app(secure=False)).code == 1
    outcome = run("check", "out")
    assert outcome.code == 2
    assert "the gate refused `out`" in outcome.out
    with pytest.raises(TemplateError, match="the gate refused"):
        check_assembly(outdir)


def plugin_reports(outdir: Path) -> list[dict[str, Any]]:
    report = json.loads((outdir / "validation-report.json").read_text())
    assert report["version"] == "48.0.0"
    reports: list[dict[str, Any]] = report["pluginReports"]
    return reports


def test_the_findings_are_in_the_validation_report_of_the_cdk(run: Run, outdir: Path) -> None:
    assert run("gate", *app(secure=False)).code == 1
    (report,) = plugin_reports(outdir)
    assert (report["pluginName"], report["conclusion"]) == ("secure-bucket", "failure")
    (violation,) = report["violations"]
    assert (violation["ruleName"], violation["severity"]) == ("SB001", "error")
    assert "can GET `report.csv` over plain HTTP" in violation["description"]
    (construct,) = violation["violatingConstructs"]
    assert construct["cloudFormationResource"] == {"templatePath": "Top.template.json", "logicalId": "Logs"}
    assert run("gate", *app()).code == 0
    assert plugin_reports(outdir) == []


OTHER = {"pluginName": "other", "conclusion": "success", "violations": []}
OUR_PLUGIN = {"pluginName": "secure-bucket", "conclusion": "failure", "violations": [{"ruleName": "SB001"}]}


@pytest.mark.parametrize("other", [OTHER, OUR_PLUGIN], ids=["another plugin", "our plugin"])
def test_the_reports_of_plugins_are_kept(run: Run, outdir: Path, other: dict[str, Any]) -> None:
    outdir.mkdir()
    file = outdir / "validation-report.json"
    file.write_text(json.dumps({"version": "48.0.0", "title": "Of the CDK", "pluginReports": [other]}))
    for secure in (False, True):
        assert run("gate", *app(secure=secure)).code == (0 if secure else 1)
        assert plugin_reports(outdir)[0] == other
        assert len(plugin_reports(outdir)) == (1 if secure else 2)
    assert json.loads(file.read_text())["title"] == "Of the CDK"


def test_an_accepted_finding_is_suppressed_in_the_validation_report(
    run: Run, directory: Path, outdir: Path
) -> None:
    (directory / "secure-bucket.toml").write_text(
        '[[exceptions]]\npath = "out/*"\nlogical-id = "Logs"\nrule = "SB001"\nreason = "a device"\n'
    )
    assert run("gate", *app(secure=False)).code == 0
    (report,) = plugin_reports(outdir)
    assert (report["conclusion"], report["violations"]) == ("success", [])
    (suppressed,) = report["suppressedViolations"]
    assert (suppressed["acknowledgedId"], suppressed["reason"]) == ("secure-bucket::SB001", "a device")


@pytest.mark.parametrize("text", ["", "[]", '{"pluginReports": 1}'])
@pytest.mark.parametrize("secure", [True, False])
def test_the_exit_code_does_not_depend_on_the_validation_report(
    run: Run, outdir: Path, text: str, secure: bool
) -> None:
    outdir.mkdir()
    file = outdir / "validation-report.json"
    file.write_text(text)
    outcome = run("gate", *app(secure=secure))
    assert outcome.code == (0 if secure else 1)
    assert "validation-report.json` cannot be written" in outcome.err
    assert file.read_text() == text
    # Without the report the directory has nothing to show.
    assert (outdir / "manifest.json").exists() == secure


def test_reports_are_written_to_files(run: Run, directory: Path) -> None:
    files = ("--format", "json", "--output", "a.json", "--format", "sarif", "--output", "a.sarif")
    outcome = run("gate", *files, *app(secure=False))
    assert outcome.code == 1
    assert json.loads((directory / "a.json").read_text())["findings"][0]["rule"] == "SB001"
    assert json.loads((directory / "a.sarif").read_text())["runs"][0]["results"]
    assert outcome.err.count("SB001 error") == 1


def test_no_report_goes_to_standard_output(run: Run, outdir: Path) -> None:
    outcome = run("gate", "--format", "json", *app())
    assert outcome.code == 2
    assert "standard output belongs to the app" in outcome.err
    assert not outdir.exists()


def test_a_report_that_cannot_be_written_fails(run: Run, outdir: Path) -> None:
    assert run("gate", "--format", "json", "--output", "none/a.json", *app()).code == 1
    assert not (outdir / "manifest.json").exists()


def test_stages_and_nested_stacks_are_judged(run: Run, directory: Path) -> None:
    write_assembly(directory / "ready")
    outcome = run("gate", *python("import shutil; shutil.copytree('ready', 'out')"))
    assert outcome.code == 1
    assert outcome.err.count("SB001 error") == 4


def test_an_undecided_bucket_fails_unless_it_is_a_warning(run: Run, directory: Path) -> None:
    policy = json.loads(json.dumps(DENY))
    policy["Properties"]["PolicyDocument"] = {"Ref": "Given"}
    words = (sys.executable, "app.py", json.dumps({"Logs": BUCKET, "Policy": policy}), "[]")
    assert run("gate", "--", *words).code == 1
    assert run("gate", "--undecided", "warn", "--", *words).code == 0


def test_settings_exceptions_and_baseline_of_check_hold(run: Run, directory: Path) -> None:
    assert run("gate", *app(secure=False)).code == 1
    (directory / "out" / "manifest.json.refused").rename(directory / "out" / "manifest.json")
    assert run("check", "out", "--write-baseline", "known.json").code == 0
    assert run("gate", "--baseline", "known.json", *app(secure=False)).code == 0
    (directory / "secure-bucket.toml").write_text(
        '[[exceptions]]\npath = "out/*"\nlogical-id = "Logs"\nrule = "SB001"\nreason = "a device"\n'
    )
    assert run("gate", *app(secure=False)).code == 0
    (directory / "secure-bucket.toml").write_text("nonsense")
    outcome = run("gate", *app())
    assert outcome.code == 1
    assert "is not TOML" in outcome.err


def test_the_app_that_fails_is_not_judged(run: Run, outdir: Path) -> None:
    assert run("gate", *app()).code == 0
    outcome = run("gate", *python("raise SystemExit(7)"))
    assert outcome.code == 7
    assert "proven" not in outcome.err
    assert not (outdir / "manifest.json").exists()


@pytest.mark.parametrize(
    ("words", "code"), [(("./none",), 127), (("./plain.txt",), 126), (("",), 127), ((".",), 126)]
)
def test_a_command_that_cannot_be_run_is_one_line(
    run: Run, directory: Path, words: tuple[str, ...], code: int
) -> None:
    (directory / "plain.txt").write_text("text")
    outcome = run("gate", "--", *words)
    assert outcome.code == code
    assert outcome.err.count("\n") == 1


def test_no_command_is_said(run: Run) -> None:
    outcome = run("gate")
    assert outcome.code == 2
    assert "after `--`" in outcome.err


def test_the_words_after_the_dashes_reach_the_app(process: Process) -> None:
    code = "import sys; print(sys.argv[1:]); raise SystemExit(3)"
    done = process("gate", "--quiet", *python(code), "--quiet", "--", "-x", "*", env=environment())
    assert (done.returncode, done.stdout) == (3, "['--quiet', '--', '-x', '*']\n")


@pytest.mark.parametrize(("given", "seen"), [(None, "1"), ("0", "0")])
def test_the_app_records_its_lines_unless_the_user_says_otherwise(
    process: Process, given: str | None, seen: str
) -> None:
    code = "import os; print(os.environ['JSII_HOST_STACK_TRACES']); raise SystemExit(3)"
    own = {"JSII_HOST_STACK_TRACES": given} if given else {}
    env = {key: value for key, value in environment().items() if key != "JSII_HOST_STACK_TRACES"}
    assert process("gate", *python(code), env={**env, **own}).stdout == f"{seen}\n"


def test_standard_input_reaches_the_app(process: Process) -> None:
    code = "import sys; print(sys.stdin.read()); raise SystemExit(3)"
    done = process("gate", *python(code), stdin=None, input="hello", env=environment())
    assert done.stdout == "hello\n"


def test_no_manifest_fails(run: Run) -> None:
    outcome = run("gate", *python(""))
    assert outcome.code == 1
    assert "the app wrote no" in outcome.err


def test_the_manifest_of_an_earlier_run_is_refused(run: Run, outdir: Path) -> None:
    assert run("gate", *app()).code == 0
    outcome = run("gate", *python(""))
    assert outcome.code == 1
    assert "is from an earlier run" in outcome.err
    assert not (outdir / "manifest.json").exists()


def test_the_same_content_written_again_is_of_this_run(run: Run, outdir: Path) -> None:
    assert run("gate", *app()).code == 0
    assert run("gate", *app()).code == 0


@pytest.mark.parametrize("name", ["manifest.json", "Top.template.json"])
@pytest.mark.parametrize("step", ["check_written_assembly", "write_validation_report"])
def test_an_assembly_that_is_written_again_while_it_is_judged_is_refused(
    run: Run, outdir: Path, monkeypatch: pytest.MonkeyPatch, name: str, step: str
) -> None:
    from secure_bucket.cli import gate

    original = getattr(gate, step)

    def do_and_write(*arguments: Any, **options: Any) -> Any:
        done = original(*arguments, **options)
        (outdir / name).write_text((outdir / name).read_text())
        return done

    monkeypatch.setattr(gate, step, do_and_write)
    outcome = run("gate", *app())
    assert outcome.code == 1
    assert f"{name}` was written again while the gate judged it" in outcome.err
    assert not (outdir / "manifest.json").exists()


def test_what_changes_the_assembly_after_the_gate_fails_its_next_check(run: Run, outdir: Path) -> None:
    assert run("gate", *app()).code == 0
    assert run("check", "out").code == 0
    template = outdir / "Top.template.json"
    template.write_text(json.dumps({"Resources": {"Logs": BUCKET, "Policy": DENY, "Late": BUCKET}}))
    outcome = run("check", "out")
    assert outcome.code == 2
    assert "Top.template.json` was changed after the gate judged it" in outcome.out + outcome.err
    # The next run begins anew.
    assert run("gate", *app()).code == 0
    assert run("check", "out").code == 0


def test_a_template_that_was_left_over_in_the_last_run_is_judged_in_the_next(run: Run, outdir: Path) -> None:
    outdir.mkdir()
    (outdir / "Old.template.json").write_text(json.dumps({"Resources": {"Old": BUCKET}}))
    assert run("gate", *app()).code == 0
    assert run("check", "out").code == 0
    again = f"""
import pathlib, runpy, sys
sys.argv[1:] = {[*app()[3:]]!r}
runpy.run_path("app.py")
file = pathlib.Path("out", "Old.template.json")
file.write_text(file.read_text())
"""
    assert run("gate", *python(again)).code == 1


def test_nothing_says_that_a_refused_assembly_was_judged(run: Run, outdir: Path) -> None:
    assert run("gate", *app()).code == 0
    assert (outdir / "secure-bucket-judged.json").exists()
    assert run("gate", *app(missing=("zones",))).code == 0
    assert not (outdir / "secure-bucket-judged.json").exists()
    assert run("gate", *app()).code == 0
    assert run("gate", *app(secure=False)).code == 1
    assert not (outdir / "secure-bucket-judged.json").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows starts no file without an extension")
@pytest.mark.parametrize(("mode", "code"), [(0o644, 7), (0o755, 8)])
def test_a_script_that_is_not_a_program_is_run_by_node_as_by_the_cdk_cli(
    run: Run, directory: Path, monkeypatch: pytest.MonkeyPatch, mode: int, code: int
) -> None:
    for name, own, text in (("node", 0o755, "exit 7"), ("app.js", mode, "exit 8")):
        (directory / name).write_text(f"#!/bin/sh\n{text}\n")
        (directory / name).chmod(own)
    monkeypatch.setenv("PATH", str(directory), prepend=os.pathsep)
    assert run("gate", "--", str(directory / "app.js")).code == code


def test_files_of_an_earlier_run_are_not_judged(run: Run, outdir: Path) -> None:
    outdir.mkdir()
    (outdir / "Old.template.json").write_text(json.dumps({"Resources": {"Old": BUCKET}}))
    write_assembly(outdir / "assembly-Old")
    assert run("gate", *app()).code == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"artifacts": {',
        "[]",
        '{"artifacts": 1}',
        '{"missing": 3}',
        '{"missing": 0}',
        '{"missing": [{}]}',
        "\\xff",
    ],
)
def test_half_a_manifest_is_refused(run: Run, outdir: Path, text: str) -> None:
    outdir.mkdir()
    outcome = run("gate", *python(f"open('out/manifest.json', 'w').write({text!r})"))
    assert outcome.code == 1
    assert "manifest.json" in outcome.err
    assert not (outdir / "manifest.json").exists()


@pytest.mark.parametrize(("fault", "code"), [(RuntimeError("x"), 2), (KeyboardInterrupt(), 130)])
def test_what_is_not_judged_to_its_end_is_refused(
    run: Run, outdir: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException, code: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr("secure_bucket.cli.gate.check_written_assembly", fail)
    assert run("gate", *app()).code == code
    assert not (outdir / "manifest.json").exists()


def test_an_app_that_is_killed_fails(run: Run, outdir: Path) -> None:
    outcome = run("gate", *python("import os; os.kill(os.getpid(), 9)"))
    assert outcome.code == 137
    assert "signal 9" in outcome.err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("caught", [False, True])
def test_signals_reach_the_app(directory: Path, name: str, caught: bool) -> None:
    number = getattr(signal, name)
    handler = "lambda *_: sys.exit(9)" if caught else "signal.SIG_DFL"
    code = f"""
import signal, sys, time
signal.signal(signal.{name}, {handler})
print("ready", flush=True)
time.sleep(30)
"""
    gate = subprocess.Popen(
        command("gate", *python(code)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        encoding="utf-8",
        preexec_fn=heed_interrupts,
    )
    assert gate.stdout is not None
    assert gate.stdout.readline() == "ready\n"
    gate.send_signal(number)
    _, err = gate.communicate(timeout=20)
    assert gate.returncode == (9 if caught else 128 + number)
    assert "Traceback" not in err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals")
def test_control_c_reaches_the_app_once(directory: Path) -> None:
    import pty

    code = """
import signal, time
count = 0
def counted(*_):
    global count
    count += 1
signal.signal(signal.SIGINT, counted)
print("ready", flush=True)
end = time.monotonic() + 3
while time.monotonic() < end:
    time.sleep(0.1)
print("count", count, flush=True)
"""
    process, terminal = pty.fork()
    if process == 0:
        words = command("gate", *python(code))
        os.execvpe(words[0], words, environment())
    said = b""
    while b"ready" not in said:
        said += os.read(terminal, 1024)
    os.write(terminal, b"\x03")
    with contextlib.suppress(OSError):  # Linux ends a terminal that nobody writes to any more with EIO.
        while chunk := os.read(terminal, 1024):
            said += chunk
    os.waitpid(process, 0)
    os.close(terminal)
    assert b"count 1" in said


NESTED = """
import pathlib
for each in ("out", "out/assembly-Prod", "out/assembly-Prod/assembly-Prod-Inner", "out/asset.1"):
    pathlib.Path(each).mkdir(exist_ok=True)
    pathlib.Path(each, "manifest.json").write_text('{"version": "48.0.0", "artifacts": {}, "missing": %s}')
"""


@pytest.mark.parametrize(
    ("missing", "code", "left"),
    [("[]", 1, ["asset.1"]), ('[{"key": "ami"}]', 0, ["", "asset.1"])],
    ids=["refused", "waits for context"],
)
def test_the_stages_cannot_be_deployed_either(
    run: Run, outdir: Path, missing: str, code: int, left: list[str]
) -> None:
    broken = '\npathlib.Path("out/manifest.json").write_text("{")' if code else ""
    assert run("gate", *python(NESTED % missing + broken)).code == code
    found = sorted(file.parent.relative_to(outdir).as_posix() for file in outdir.rglob("manifest.json"))
    assert found == [each or "." for each in left]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_signal_that_comes_while_the_assembly_is_judged_refuses_it(
    run: Run, outdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)

    monkeypatch.setattr("secure_bucket.cli.gate.check_written_assembly", end)
    assert run("gate", *app()).code == 128 + signal.SIGTERM
    assert not (outdir / "manifest.json").exists()


def test_a_round_with_missing_context_is_not_judged(run: Run, outdir: Path) -> None:
    for missing in (("a", "b"), ("b",)):
        outcome = run("gate", *app(secure=False, missing=missing))
        assert (outcome.code, outcome.err) == (0, "")
    assert run("gate", *app(secure=False)).code == 1
    assert run("gate", *app()).code == 0
    assert [each for each in outdir.iterdir() if "missing" in each.name] == []


def test_stacks_that_wait_for_context_cannot_be_deployed(run: Run, outdir: Path) -> None:
    assert run("gate", *app(missing=("a",))).code == 0
    manifest = json.loads((outdir / "manifest.json").read_text())
    assert (manifest["artifacts"], manifest["missing"]) == ({}, [{"key": "a"}])
    # An app that does not write it again is not taken for the last round.
    assert run("gate", *python("")).code == 1


def test_context_that_stays_missing_fails(run: Run, outdir: Path) -> None:
    assert run("gate", *app(missing=("a", "b"))).code == 0
    outcome = run("gate", *app(missing=("b", "a")))
    assert outcome.code == 1
    assert "`a`, `b` is still missing" in outcome.err
    assert not (outdir / "manifest.json").exists()
    # The CDK CLI ends there: the next round is the first of another run.
    assert run("gate", *app(missing=("a", "b"))).code == 0


@pytest.mark.parametrize("variable", ["CDK_OUTDIR", "CDK_CLI_VERSION"])
def test_missing_context_fails_without_the_cdk_command(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.delenv(variable)
    assert run("gate", *app()).code == 0
    outcome = run("gate", *app(missing=("a",)))
    assert outcome.code == 1
    assert "only the `cdk` command looks up" in outcome.err


CDK_JSON = '{ "context": {"app": 1},\r\n\t"app" :  "npx ts-node \\u0062in/app.ts",\r\n  "watch":{} }\r\n'


def test_init_and_remove_change_only_the_app(run: Run, directory: Path) -> None:
    file = directory / "cdk.json"
    file.write_bytes(CDK_JSON.encode())
    outcome = run("gate", "--init")
    assert outcome.code == 0
    assert '+\t"app" :  "secure-bucket gate -- npx ts-node' in outcome.out
    new = "secure-bucket gate -- npx ts-node bin/app.ts"
    assert file.read_bytes().decode() == CDK_JSON.replace("npx ts-node \\u0062in/app.ts", new)
    again = run("gate", "--init")
    assert again.code == 2
    assert "already" in again.err
    assert run("gate", "--remove").code == 0
    assert json.loads(file.read_text()) == json.loads(CDK_JSON)
    assert run("gate", "--remove").code == 2


@pytest.mark.parametrize("output", ["cdk.out", "out"])
def test_remove_takes_the_findings_out_of_the_validation_report(
    run: Run, directory: Path, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDK_OUTDIR", output)
    settings = {"app": "node app.js", **({} if output == "cdk.out" else {"output": output})}
    (directory / "cdk.json").write_text(json.dumps(settings))
    assert run("gate", "--init").code == 0
    assert run("gate", *app(secure=False)).code == 1
    assert len(plugin_reports(directory / output)) == 1
    assert run("gate", *app()).code == 0
    assert run("gate", "--remove").code == 0
    assert plugin_reports(directory / output) == []
    assert not (directory / output / "secure-bucket-judged.json").exists()


@pytest.mark.parametrize(
    "app",
    [
        "go mod download && go run app.go",
        "A=1 node app.js",
        "a; it's",
        "cd x\nnode .",
        "exec node app.js",
        ". ./x",
    ],
)
def test_init_keeps_a_whole_line_of_shell_behind_the_gate(run: Run, directory: Path, app: str) -> None:
    file = directory / "cdk.json"
    file.write_text(json.dumps({"app": app}))
    assert run("gate", "--init").code == 0
    assert json.loads(file.read_text())["app"].startswith("secure-bucket gate -- sh -c '")
    assert run("gate", "--remove").code == 0
    assert json.loads(file.read_text()) == {"app": app}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"app": 1}', '{"app": " "}', '{"app": "."}', '{"app": "a", "app": "b"}', '{"app": "a"'],
)
def test_init_refuses_what_it_cannot_edit(run: Run, directory: Path, text: str) -> None:
    (directory / "cdk.json").write_text(text)
    outcome = run("gate", "--init")
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert (directory / "cdk.json").read_text() == text


def test_remove_leaves_a_gate_that_is_started_in_another_way(run: Run, directory: Path) -> None:
    text = json.dumps({"app": "uvx secure-bucket gate -- node app.js"})
    (directory / "cdk.json").write_text(text)
    assert "edit it by hand" in run("gate", "--remove").err
    assert (directory / "cdk.json").read_text() == text


def test_init_without_a_file_is_said(run: Run) -> None:
    assert "there is no `cdk.json` in the working directory" in run("gate", "--init").err


def _cdk_app(directory: Path, body: str) -> int:
    from tests.synth.harness import synth_here

    head = "import aws_cdk as cdk\nfrom aws_cdk import aws_s3 as s3\napp = cdk.App()\n"
    (directory / "cdk_app.py").write_text(f"{head}{body}\napp.synth()\n")
    words = " ".join(command("gate", "--", sys.executable, "cdk_app.py"))
    (directory / "cdk.json").write_text(json.dumps({"app": words}))
    return synth_here(directory, "--no-notices").code


@pytest.mark.slow
def test_cdk_synth_fails_for_a_plain_bucket_without_any_aspect(directory: Path) -> None:
    secure = 's3.Bucket(cdk.Stack(app, "Top"), "Good", enforce_ssl=True)'
    assert _cdk_app(directory, secure) == 0
    staged = f'{secure}\ns3.Bucket(cdk.Stack(cdk.Stage(app, "Stage"), "In"), "Plain")'
    assert _cdk_app(directory, staged) == 1
    assert is_refused(str(directory / "cdk.out"))
    assert _cdk_app(directory, 's3.Bucket(cdk.Stack(app, "Top"), "Plain")') == 1


BUNDLED = """
import jsii
from aws_cdk import aws_s3_assets as assets

@jsii.implements(cdk.ILocalBundling)
class Bundling:
    def try_bundle(self, output_dir, *, image, **_):
        print("bundling")
        for name in ("manifest.json", "bundled.template.json"):
            with open(f"{output_dir}/{name}", "w") as file:
                file.write("{}")
        return True

options = cdk.BundlingOptions(image=cdk.DockerImage.from_registry("none"), local=Bundling())
stack = cdk.Stack(app, "Top")
assets.Asset(stack, "Code", path="code", bundling=options)
s3.Bucket(stack, "Plain")
"""


@pytest.mark.slow
def test_bundled_assets_stay_as_they_are_when_the_gate_refuses(directory: Path) -> None:
    (directory / "code").mkdir()
    (directory / "code" / "index.js").write_text("")
    assert _cdk_app(directory, BUNDLED) == 1
    (asset,) = (each for each in (directory / "cdk.out").glob("asset.*") if each.is_dir())
    assert sorted(each.name for each in asset.iterdir()) == ["bundled.template.json", "manifest.json"]
    assert json.loads((directory / "cdk.out" / "manifest.json").read_text())["artifacts"].keys() <= {"Tree"}
