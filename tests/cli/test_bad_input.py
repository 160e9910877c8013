"""Input that cannot be read: a clear message with the place, exit 2, and the other files are checked."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.harness import OPEN, SECURE, Outcome, environment

Run = Callable[..., Outcome]
Process = Callable[..., subprocess.CompletedProcess[str]]

BOMB = "Resources:\n  A0: &a0 {Type: AWS::S3::Bucket}\n" + "".join(
    f"  A{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40)
)
STRING_POLICY = """\
Resources:
  Logs: {Type: AWS::S3::Bucket}
  LogsPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Logs
      PolicyDocument: let nobody in
"""
CASES = {
    "not UTF-8": ("a.yaml", b"Resources:\n  A: \xff\xfe\n", "is not UTF-8 text: byte 16 is 0xff"),
    "UTF-16": ("a.yaml", OPEN.encode("utf-16"), "is not UTF-8 text"),
    "truncated JSON": ("a.json", b'{"Resources": {"A": {"Type": "AWS', "a.json:1:30: error"),
    "YAML with a tab": ("a.yaml", b"Resources:\n\tA: {}\n", "a.yaml:2:1: error: `a.yaml` is not YAML"),
    "a duplicate key in JSON": (
        "a.json",
        b'{"Resources": {\n"A": {"Type": "AWS::S3::Bucket"},\n"A": {"Type": "AWS::SNS::Topic"}}}',
        "the key `A` stands twice, in line 2 and in line 3",
    ),
    "a duplicate key in YAML": (
        "a.yaml",
        f"Parameters: {{}}\n{SECURE}Parameters: {{A: {{Type: String}}}}\n".encode(),
        "the key `Parameters` stands twice, in line 1 and in line 17",
    ),
    "a list": ("a.json", b"[1]", "is not a CloudFormation template: it is a list"),
    "no resources": ("a.yaml", b"Resources: null\n", "`Resources` must map logical ids to resources"),
    "a policy that is text": (
        "a.yaml",
        STRING_POLICY.encode(),
        "the policy cannot be read as JSON",
    ),
    "deep nesting in JSON": (
        "a.json",
        b'{"Resources":' + b"[" * 100_000,
        "nested deeper than 200 levels, in line 1, column 214",
    ),
    "deep nesting in YAML": ("a.yaml", b"Resources: " + b"[" * 5_000, "nested deeper than"),
    "an alias bomb": ("a.yaml", BOMB.encode(), "2:3: SB001 error"),
    "an alias to itself": ("a.yaml", b"Resources: &a\n  A: *a\n", "alias `*a` in line 2"),
    "nothing": ("a.yaml", b"", "`a.yaml` is empty"),
    "binary": ("a.json", bytes(range(256)) * 9, "is not UTF-8 text"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_template(directory: Path, run: Run, case: str) -> None:
    name, content, said = CASES[case]
    (directory / name).write_bytes(content)
    (directory / "z.yaml").write_text(SECURE)
    outcome = run("check", name, "z.yaml")
    # Aliases in themselves are no mistake: the bomb is read, and holds an open bucket.
    assert outcome.code == (1 if case == "an alias bomb" else 2)
    assert said in outcome.out
    assert re.search("[12] proven", outcome.out)
    assert run("check", "-", stdin=content).code == outcome.code


POLICIES = {
    "text": (b'"let nobody in"', "is not a bucket policy: it is text"),
    "a list": (b"[]", "is not a bucket policy: it is a list"),
    "a template": (b'{"Resources": {"A": {"Type": "B"}}}', "run `secure-bucket check`"),
    "truncated": (b'{"Statement": [', "p.json` is not JSON: the text ends too early"),
    "nothing": (b" ", "is empty"),
    "not UTF-8": (b'{"Statement": "\xff"}', "is not UTF-8 text: byte 15"),
    "deep nesting": (b'{"Statement":' + b"[" * 100_000, "nested deeper than"),
}


@pytest.mark.parametrize("command", ["prove", "explain"])
@pytest.mark.parametrize("case", POLICIES)
def test_bad_policy(directory: Path, run: Run, command: str, case: str) -> None:
    content, said = POLICIES[case]
    (directory / "p.json").write_bytes(content)
    outcome = run(command, "p.json", "--bucket", "logs")
    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err
    assert run(command, "-", "--bucket", "logs", stdin=content).code == 2


def test_key_that_stands_twice_matters_where_it_bears_on_a_bucket(directory: Path, run: Run) -> None:
    topic = "  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: a, TopicName: b}}\n"
    (directory / "a.yaml").write_text(SECURE + topic)
    assert run("check", "a.yaml").code == 0
    (directory / "a.yaml").write_text(SECURE + topic + topic)
    assert run("check", "a.yaml").code == 0
    (directory / "a.yaml").write_text(SECURE.replace("Bucket: !Ref", "Bucket: other\n      Bucket: !Ref"))
    assert run("check", "a.yaml").code == 2
    (directory / "a.yaml").write_text(SECURE + topic + topic.replace("SNS::Topic", "S3::Bucket"))
    assert run("check", "a.yaml").code == 2


def test_large_file(directory: Path, run: Run) -> None:
    with open("a.json", "wb") as stream:
        stream.truncate(200 * 1024 * 1024)
    outcome = run("check", "a.json")
    assert outcome.code == 2
    assert "`a.json` has 209,715,200 bytes" in outcome.out


def test_large_standard_input(process: Process, directory: Path) -> None:
    with open("a.json", "wb") as stream:
        stream.truncate(200 * 1024 * 1024)
    with open("a.json", "rb") as stream:
        outcome = process("check", "-", stdin=stream)
    assert outcome.returncode == 2
    assert "`<stdin>` has more than 16,777,216 bytes" in outcome.stdout


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_fifo_does_not_hang(directory: Path, process: Process) -> None:
    os.mkfifo("a.yaml")
    outcome = process("check", "a.yaml")
    assert outcome.returncode == 2
    assert "`a.yaml` is not a regular file" in outcome.stdout
    assert process("check", ".").returncode == 2


def test_directory_loop(directory: Path, run: Run) -> None:
    (directory / "loop").symlink_to("loop")
    outcome = run("check", "loop")
    assert outcome.code == 2
    assert "`loop` cannot be read: Too many levels of symbolic links" in outcome.out


@contextlib.contextmanager
def bound_by_permissions() -> Iterator[None]:
    """Be somebody whom permissions bind."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="this system has no such permissions")
def test_no_permission(directory: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as place:
        monkeypatch.chdir(place)
        os.chmod(place, 0o755)
        for name in ("file.yaml", "b.yaml", "inside/a.yaml"):
            Path(name).parent.mkdir(exist_ok=True)
            Path(name).write_text(OPEN)
        # Everything is loaded before the files of Python itself may be out of reach.
        run("check", ".")
        Path("file.yaml").chmod(0)
        Path("inside").chmod(0)
        with bound_by_permissions():
            outcome = run("check", "file.yaml", ".")
            policy = run("prove", "file.yaml")
        Path("inside").chmod(0o755)
        monkeypatch.chdir(directory)
    assert outcome.code == policy.code == 2
    assert "`file.yaml` cannot be read: Permission denied" in outcome.out
    assert "`inside` cannot be looked into: Permission denied" in outcome.out
    assert "b.yaml:2:3: SB001 error" in outcome.out
    assert "`file.yaml` cannot be read: Permission denied" in policy.err


def small_disk() -> None:
    """Let no file of this process grow beyond a few bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is set as Linux does it")
@pytest.mark.parametrize("before", ["the old report\n", None])
def test_disk_that_is_full_leaves_the_old_file_and_no_partial_one(
    directory: Path, process: Process, before: str | None
) -> None:
    (directory / "a.yaml").write_text(SECURE)
    report = directory / "report.json"
    if before is not None:
        report.write_text(before)
    outcome = process(
        *("check", "a.yaml", "--format", "json", "--output", "report.json"),
        preexec_fn=small_disk,
        # Python itself would leave halves of its compiled modules behind.
        env=environment(PYTHONDONTWRITEBYTECODE="1"),
    )
    assert outcome.returncode == 2
    assert "`report.json` cannot be written: File too large" in outcome.stderr
    assert "Traceback" not in outcome.stderr
    left = ["a.yaml"] if before is None else ["a.yaml", "report.json"]
    assert sorted(path.name for path in directory.iterdir()) == left
    assert before is None or report.read_text() == before


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
@pytest.mark.parametrize("arguments", [["check", "a.yaml"], ["explain", "SB001"], ["--help"], ["--version"]])
def test_standard_output_that_is_full(directory: Path, process: Process, arguments: list[str]) -> None:
    (directory / "a.yaml").write_text(SECURE)
    with open("/dev/full", "w") as full:
        outcome = process(*arguments, stdout=full)
    assert outcome.returncode == 2
    assert "standard output cannot be written: No space left on device" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_fault_of_our_own_is_a_fault_and_no_traceback(
    directory: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("of\nall things")

    monkeypatch.setattr("secure_bucket.checks.check_targets.check_templates", fail)
    (directory / "a.yaml").write_text(SECURE)
    outcome = run("check", "a.yaml")
    assert outcome.code == 2
    assert "please report it: ZeroDivisionError: of all things" in outcome.out


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (
            f"Description: one\n{SECURE}Description: two\n",
            "in line 1 and in line 17; no bucket depends on it",
        ),
        (SECURE.replace("Effect: Deny", "Effect: Deny\n            Effect: Deny"), ", with the same value"),
        (
            f"{SECURE}  Queue:\n    Type: AWS::SQS::Queue\n    Type: AWS::SQS::Queue\n",
            ", with the same value",
        ),
        (
            f"{SECURE}  Queue:\n    Type: AWS::SQS::Queue\n    Properties: {{A: 1, A: 2}}\n",
            "; no bucket depends on it",
        ),
    ],
)
def test_a_duplicate_key_that_cannot_matter_is_a_warning(
    directory: Path, run: Run, text: str, warning: str
) -> None:
    (directory / "a.yaml").write_text(text)
    outcome = run("check", "a.yaml")
    assert outcome.code == 0
    assert "note: `a.yaml`: the key `" in outcome.out
    assert f"{warning}\n" in outcome.out


def test_a_duplicate_key_with_different_values_in_a_policy_stays_a_fault(directory: Path, run: Run) -> None:
    twice = SECURE.replace("Effect: Deny", "Effect: Deny\n            Effect: Allow")
    (directory / "a.yaml").write_text(twice)
    assert run("check", "a.yaml").code == 2


NOTHING = {
    ("check", "absent"): "`absent` does not exist",
    ("check", "empty"): "`empty` contains no template",
    ("fix", "absent"): "`absent` does not exist",
    ("fix", "empty"): "`empty` contains no template",
    ("fix", "-"): "`<stdin>` is empty",
    ("audit", "absent"): "`absent` does not exist",
    ("audit", "empty"): "`empty` contains no log",
    ("audit", "-"): "`<stdin>` is not a log: it is empty",
    ("plan", "absent"): "`absent` does not exist",
    ("plan", "empty"): "`empty` contains no template",
    ("prove", "binary"): "`binary` is not UTF-8 text: byte 0 is 0xff; save the file as UTF-8",
    (
        "check",
        "--no-config",
        "/dev/null",
    ): "not a regular file: give a file, or `-` for standard input",
    ("check", "a.yaml", "--config", "binary"): "`binary` is not UTF-8 text: byte 0 is 0xff",
    (
        "check",
        "a.yaml",
        "--baseline",
        "absent",
    ): "cannot be read: No such file or directory; `--write-baseline absent`",
    ("plan", "a.yaml", "--review", "a.yaml"): "`a.yaml` is not JSON, as a report of `--format json` is",
    ("gate", "--init"): "there is no `cdk.json` in the working directory: go to the directory of the app",
    (
        "fix",
        "a.yaml",
        "--write",
        "--synth",
        "true",
    ): "--synth needs a cloud assembly (cdk.out)",
}


@pytest.mark.parametrize("arguments", NOTHING)
def test_input_without_content_is_one_sentence(directory: Path, run: Run, arguments: tuple[str, ...]) -> None:
    (directory / "empty").mkdir()
    (directory / "binary").write_bytes(b"\xff")
    (directory / "a.yaml").write_text(OPEN)
    outcome = run(*arguments, stdin="")
    told = (outcome.out + outcome.err).splitlines()
    assert outcome.code == 2
    assert NOTHING[arguments] in told[0]
    # A second line may count what could not be read; it does not count buckets of which there are none.
    assert len(told) <= 2
    assert not any("0 buckets" in line or "0 proven" in line for line in told)
    assert (directory / "a.yaml").read_text() == OPEN
