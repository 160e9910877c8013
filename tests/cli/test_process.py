"""The command as a process: its pipes, its signals, its terminal, what it loads."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import pytest

from secure_bucket.cli.commands import COMMANDS
from tests.cli.harness import LIBRARY, OPEN, SECURE, Outcome, command, environment, heed_interrupts

ROOT = Path(__file__).resolve().parents[2]
Process = Callable[..., subprocess.CompletedProcess[str]]

needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="processes are found as Linux lists them")
needs_terminals = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")


def write_many(directory: Path, files: int, *, buckets: int) -> None:
    text = SECURE + "".join(f"  B{number}: {{Type: AWS::S3::Bucket}}\n" for number in range(buckets))
    for number in range(files):
        (directory / f"{number}.yaml").write_text(text)


def check_with_two_workers(*before: str) -> tuple[subprocess.Popen[str], list[int]]:
    """Start a check of the directory, and return it with the processes that it has started by then."""
    checking = subprocess.Popen(
        [*before, *command("check", "--jobs", "2", ".")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        encoding="utf-8",
    )
    children = Path(f"/proc/{checking.pid}/task/{checking.pid}/children")
    while len(workers := children.read_text().split()) < 2 and checking.poll() is None:
        time.sleep(0.05)
    return checking, [int(worker) for worker in workers]


def test_version_and_help(process: Process) -> None:
    import secure_bucket

    version = process("--version")
    assert (version.returncode, version.stdout) == (0, f"secure-bucket {secure_bucket.__version__}\n")
    for arguments in ((), ("check",), ("prove",)):
        help_text = process(*arguments, "--help")
        assert help_text.returncode == 0
        assert "exit codes:" in help_text.stdout
        for code in (
            "0    every bucket",
            "1    a bucket accepts",
            "2    the run is",
            "3    a bucket is undecided",
        ):
            assert code in help_text.stdout


@pytest.mark.parametrize("arguments", [(), ("help",), ("-h",)])
def test_the_command_without_a_command_prints_help(process: Process, arguments: tuple[str, ...]) -> None:
    outcome = process(*arguments)
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert outcome.stdout.startswith("usage: secure-bucket")
    assert "find clients that use plain HTTP in logs" in outcome.stdout


def test_help_of_a_command(process: Process) -> None:
    assert process("help", "check").stdout == process("check", "--help").stdout
    assert process("-V").stdout == process("--version").stdout


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("chek", "a.yaml"), "did you mean `check`?"),
        (("help", "adit"), "did you mean `audit`?"),
        (("fxi", "a.yaml"), "there is no command `fxi`; did you mean `fix`?"),
        (("halp",), "did you mean `help`?"),
        (("scan", "a.yaml"), "there is no command `scan`; the commands are check, gate, fix,"),
        (("--vresion",), "there is no option `--vresion`; did you mean `--version`?"),
        (("--format", "json", "check"), "`--format`; the options of a command follow its name"),
        (("check", "--strct"), "did you mean `--strict`?"),
        (("check", "--format", "jsn"), "did you mean `json`?"),
        (("check", "--undecided", "ignore"), "argument --undecided: `ignore` is not one of error, warn\n"),
        (("check", "--strct", "a.yaml"), "there is no option `--strct`; did you mean `--strict`?"),
        (("check", "--xyz", "a.yaml"), "there is no option `--xyz`; see `secure-bucket check --help`"),
        (
            ("prove", "a.json", "b.json"),
            "`b.json` is one argument too many; see `secure-bucket prove",
        ),
        (("prove",), "the following arguments are required: POLICY; see `secure-bucket prove --help`"),
        (("check", "--select", "SB01", "a.yaml"), "did you mean `SB001`?"),
        (("explain", "sb2"), "did you mean `SB002`?"),
        (("explain", "SB0001"), "did you mean `SB001`?"),
        (("explain", "sb001x"), "did you mean `SB001`?"),
        (("explain", "plaintext-htp"), "did you mean `plaintext-http`?"),
    ],
)
def test_a_misspelt_word_is_corrected(process: Process, arguments: tuple[str, ...], meant: str) -> None:
    outcome = process(*arguments)
    assert outcome.returncode == 2
    assert meant in outcome.stderr


@pytest.mark.parametrize("shell", ["bash", "fish", "powershell", "tcsh", "zsh"])
def test_completion_offers_the_commands(process: Process, shell: str) -> None:
    outcome = process("completion", shell)
    assert outcome.returncode == 0
    assert "audit" in outcome.stdout


@pytest.mark.parametrize("columns", ["40", "80"])
@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_the_terminal(
    run: Callable[..., Outcome], name: str, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    for line in run("help", name).out.splitlines():
        # An example stays in one piece.
        if not line.startswith("    ") and " " in line.strip():
            assert len(line) <= int(columns), line


def test_installed_command_is_the_module(directory: Path, process: Process) -> None:
    installed = Path(sys.executable).with_name("secure-bucket")
    if not installed.exists():
        pytest.skip("secure-bucket is not installed beside this Python")
    (directory / "a.yaml").write_text(OPEN)
    outcome = subprocess.run([installed, "check", "a.yaml"], capture_output=True, encoding="utf-8")
    same = process("check", "a.yaml")
    assert (outcome.returncode, outcome.stdout) == (same.returncode, same.stdout)


def test_check_loads_neither_cdk_nor_what_it_does_not_need(directory: Path) -> None:
    (directory / "a.json").write_text('{"Resources": {"A": {"Type": "AWS::S3::Bucket"}}}')
    code = (
        "import sys; from secure_bucket.cli.main import main; main(['check', 'a.json']);"
        "print(*sys.modules, file=sys.stderr)"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, encoding="utf-8"
    )
    loaded = set(outcome.stderr.split())
    assert "secure_bucket.checks.check" in loaded
    # What `msgspec` takes along differs between the releases of Python.
    plain = subprocess.run(
        [sys.executable, "-c", "import msgspec, sys; print(*sys.modules)"],
        capture_output=True,
        encoding="utf-8",
    )
    loaded -= set(plain.stdout.split())
    unneeded = {
        "aws_cdk", "jsii", "constructs", "yaml", "multiprocessing", "concurrent.futures", "tomllib",
        "importlib.metadata", "shutil", "tempfile", "difflib", "subprocess",
        "secure_bucket.formats.sarif", "secure_bucket.formats.html_page", "secure_bucket.cli.prove",
    }  # fmt: skip
    assert not loaded & unneeded


def test_reader_that_goes_away_changes_nothing(directory: Path) -> None:
    for number in range(300):
        (directory / f"{number}.yaml").write_text(OPEN)
    checking = subprocess.Popen(
        command("check", "."), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    )
    assert checking.stdout is not None
    assert checking.stderr is not None
    checking.stdout.read(10)
    checking.stdout.close()
    assert checking.stderr.read() == b""
    assert checking.wait(60) == 1
    checking.stderr.close()


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are closed as POSIX does it")
def test_streams_that_are_closed(directory: Path, process: Process) -> None:
    (directory / "a.yaml").write_text(SECURE)
    outcome = process("check", "a.yaml", preexec_fn=lambda: os.close(1))
    assert outcome.returncode == 2
    assert "standard output is closed" in outcome.stderr
    assert process("check", "a.yaml", preexec_fn=lambda: os.close(2)).returncode == 0
    outcome = process("check", "-", preexec_fn=lambda: os.close(0))
    assert outcome.returncode == 2
    assert "Traceback" not in outcome.stderr


def ends(group: int) -> bool:
    """Tell whether nothing of a group of processes is left running after a while."""
    for _ in range(50):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as POSIX does it")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_interrupt(directory: Path, jobs: str) -> None:
    write_many(directory, 40, buckets=3_000)
    checking = subprocess.Popen(
        command("check", "--jobs", jobs, "."),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        start_new_session=True,
        preexec_fn=heed_interrupts,
    )
    time.sleep(2)
    checking.send_signal(signal.SIGINT)
    out, err = checking.communicate(timeout=30)
    assert checking.returncode == 130
    assert (out, err) == (b"", b"")
    assert ends(checking.pid)


def on_terminal(*arguments: str, program: Sequence[str] = (), **extra: str) -> str:
    """Return what the command, or a program that runs it, writes to a terminal of 60 columns."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    running = subprocess.Popen(
        [*program, *arguments] if program else command(*arguments),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(TERM="xterm", **extra),
    )
    os.close(theirs)
    chunks = []
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:
            break
        if not chunk:
            break
        chunks.append(chunk)
    os.close(ours)
    running.wait(60)
    return b"".join(chunks).decode()


@needs_terminals
def test_terminal_gets_colour_and_its_width(directory: Path) -> None:
    (directory / "a.yaml").write_text(OPEN)
    shown = on_terminal("check", "a.yaml")
    assert "\x1b[1;31mSB001 error\x1b[0m" in shown
    assert "\x1b" not in on_terminal("check", "a.yaml", "--no-color")
    plain = on_terminal("check", "a.yaml", NO_COLOR="1")
    assert "\x1b" not in plain
    assert max(map(len, plain.partition("  fix:")[0].splitlines())) <= 60


@needs_terminals
@pytest.mark.parametrize(
    ("arguments", "first"),
    [
        (("explain", "SB002"), "Finds a bucket whose template does not decide whether it"),
        (("explain", "policy.json"), "Denies everyone `s3:GetObject` on"),
        (("prove", "policy.json"), "refuted: anyone can GET `report.csv` over plain HTTP:"),
        (("check", ".", "--statistics"), "Incomplete: 1 thing could not be checked; 1 of 1 bucket"),
        (("fix", "site.yaml"), "secure-bucket: site.yaml:2:3: bucket `Logs` is left as it"),
        (("check", "--selekt"), "secure-bucket check: error: there is no option `--selekt`;"),
    ],
)
def test_text_for_a_person_breaks_at_words(directory: Path, arguments: tuple[str, ...], first: str) -> None:
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::reports/*",
        "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}, "Bool": {"aws:SecureTransport": "false"}},
    }
    (directory / "policy.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    site = "    Properties: {WebsiteConfiguration: {IndexDocument: index.html}}\n"
    (directory / "site.yaml").write_text(OPEN + site)
    (directory / "broken.yaml").write_text("AWS: [")
    shown = on_terminal(*arguments, NO_COLOR="1")
    lines = re.sub("```.*?```", "", shown, flags=re.DOTALL).splitlines()
    assert first in map(str.strip, lines)
    # Addresses are not broken.
    prose = [line for line in lines if line[:4].strip() and " " in line.removeprefix("- ")]
    assert max(map(len, prose)) <= 60


def test_pipe_gets_neither_unless_asked(directory: Path, process: Process) -> None:
    (directory / "a.yaml").write_text(OPEN)
    assert "\x1b" not in process("check", "a.yaml").stdout
    assert "\x1b[" in process("check", "a.yaml", "--color").stdout
    assert "\x1b[" in process("check", "a.yaml", env=environment(FORCE_COLOR="1")).stdout
    assert "\x1b" not in process("check", "a.yaml", env=environment(FORCE_COLOR="1", NO_COLOR="1")).stdout
    assert "\x1b" not in process("check", "a.yaml", "--no-color", env=environment(FORCE_COLOR="1")).stdout


@needs_terminals
@pytest.mark.parametrize("value", ["0", "false"])
def test_force_color_can_also_say_no_as_the_cdk_cli_does_in_a_pipe(
    directory: Path, process: Process, value: str
) -> None:
    (directory / "a.yaml").write_text(OPEN)
    assert "\x1b" not in process("check", "a.yaml", env=environment(FORCE_COLOR=value)).stdout
    assert "\x1b" in process("check", "a.yaml", "--color", env=environment(FORCE_COLOR=value)).stdout
    assert "\x1b" not in on_terminal("check", "a.yaml", FORCE_COLOR=value)


def test_output_that_is_no_utf_8_gets_escapes(directory: Path, process: Process) -> None:
    (directory / "é.yaml").write_text(OPEN)
    outcome = process("check", "é.yaml", env=environment(PYTHONIOENCODING="ascii"), encoding="ascii")
    assert outcome.returncode == 1
    assert "\\xe9.yaml:2:3: SB001 error" in outcome.stdout


# The command, for which a tenth of a second is long.
IMPATIENT = (
    "from secure_bucket.cli import main, output; output.Progress.DELAY = 0.1; output.Progress.INTERVAL = 0;"
    "main.console()"
)


@needs_terminals
def test_progress_on_a_terminal_while_it_takes_long(directory: Path) -> None:
    write_many(directory, 20, buckets=30)
    impatient = (sys.executable, "-c", IMPATIENT)
    shown = on_terminal("check", "--format", "json", "--output", "x", ".", program=impatient)
    # The report takes the place of the bar.
    assert re.search(r"\[#+-*\] \d+ of 20 checked\r +\rsecure-bucket: ", shown)
    assert " of 20" not in on_terminal("check", "--quiet", ".", program=impatient)
    (directory / "a.yaml").write_text(OPEN)
    assert " of 1 checked" not in on_terminal("check", "a.yaml")


def test_no_progress_in_a_pipe(directory: Path, process: Process) -> None:
    write_many(directory, 20, buckets=150)
    assert process("check", ".").stderr == ""


def test_processes_say_what_one_says(directory: Path, process: Process) -> None:
    for number in range(60):
        (directory / f"{number}.yaml").write_text((SECURE, OPEN, "AWS: [", "{}")[number % 4])
    alone = process("check", "--jobs", "1", "--verbose", ".", "-")
    together = process("check", "--jobs", "3", "--verbose", ".", "-")
    assert alone.returncode == together.returncode == 2
    assert alone.stdout == together.stdout


@needs_proc
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_asked_to_end_it_leaves_no_process_behind(directory: Path, number: signal.Signals) -> None:
    write_many(directory, 40, buckets=3_000)
    checking, _ = check_with_two_workers()
    checking.send_signal(number)
    # A process that was left behind would hold the pipes open.
    out, err = checking.communicate(timeout=60)
    assert (checking.returncode, out, err) == (128 + number, "", "")


@pytest.mark.slow
@needs_proc
def test_a_signal_at_any_moment_ends_the_command_and_its_workers(directory: Path) -> None:
    write_many(directory, 4, buckets=150)
    rounds = subprocess.run(
        [sys.executable, "-m", "tests.cli.signal_rounds", "signals", "100"],
        env=environment(PYTHONPATH=f"{LIBRARY}{os.pathsep}{ROOT}"),
        capture_output=True,
        encoding="utf-8",
    )
    assert (rounds.returncode, rounds.stderr) == (0, ""), rounds.stdout
    # Most of the signals hit our code.
    assert int(re.findall(r"(\d+) stopped", rounds.stdout)[0]) >= 20, rounds.stdout


@pytest.mark.slow
@needs_proc
def test_a_signal_while_python_loads_the_command_ends_it(directory: Path) -> None:
    random = Random("starts")
    write_many(directory, 4, buckets=150)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        checking = subprocess.Popen(
            command("check", "--jobs", "2", "."),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment(),
            start_new_session=True,
            preexec_fn=heed_interrupts,
        )
        # Python itself does not heed a signal before.
        time.sleep(0.1 + random.uniform(0, 0.1))
        checking.send_signal(number)
        # A worker that was left behind would hold the pipe open.
        _, err = checking.communicate(timeout=20)
        assert checking.returncode in (1, 128 + number, -number, 130), err
        assert ends(checking.pid)


@needs_proc
def test_workers_end_when_the_command_is_killed(directory: Path) -> None:
    write_many(directory, 40, buckets=3_000)
    checking, _ = check_with_two_workers()
    checking.kill()
    checking.communicate(timeout=20)
    assert checking.returncode == -signal.SIGKILL


@pytest.mark.slow
@needs_proc
def test_signal_that_is_ignored_stays_so(directory: Path) -> None:
    write_many(directory, 20, buckets=1_000)
    checking, workers = check_with_two_workers("nohup")
    for each in (checking.pid, *workers):
        os.kill(each, signal.SIGHUP)
    out, _ = checking.communicate(timeout=120)
    assert checking.returncode == 1
    assert "20,020 buckets in 20 templates" in out


def test_processes_are_used_outside_of_the_main_thread(directory: Path) -> None:
    for name in "ab":
        (directory / f"{name}.yaml").write_text(OPEN)
    code = (
        "from threading import Thread; from secure_bucket.cli.main import main;"
        "thread = Thread(target=lambda: print(main(['check', '--jobs', '2', 'a.yaml', 'b.yaml'])));"
        "thread.start(); thread.join()"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, encoding="utf-8", timeout=60
    )
    assert outcome.stdout.endswith("2 refuted, 0 undecided, 0 skipped\n1\n")
    assert outcome.stderr == ""


@pytest.mark.skipif(sys.platform == "win32", reason="the pipes of Windows are others")
def test_nothing_is_lost_in_a_pipe_that_does_not_block(directory: Path) -> None:
    (directory / "a.yaml").write_text(
        "Resources:\n" + "".join(f"  B{number}: {{Type: AWS::S3::Bucket}}\n" for number in range(300))
    )
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    checking = subprocess.Popen(
        command("check", "--format", "json", "a.yaml"), stdout=theirs, env=environment()
    )
    os.close(theirs)
    time.sleep(1)
    with open(ours, "rb") as stream:
        report = json.loads(stream.read())
    assert checking.wait(timeout=60) == 1
    assert len(report["buckets"]) == 300


@pytest.mark.skipif(sys.platform == "win32", reason="there is no shell")
@pytest.mark.parametrize(
    ("arguments", "closed", "said"),
    [
        (("--version",), ">&-", "standard output is closed"),
        (("check", "-"), "<&-", "standard input is closed"),
        (("fix", "-"), "<&-", "standard input is closed"),
    ],
)
def test_what_is_closed_is_said(arguments: tuple[str, ...], closed: str, said: str) -> None:
    outcome = subprocess.run(
        ["sh", "-c", f"{shlex.join(command(*arguments))} {closed}"],
        env=environment(),
        capture_output=True,
        encoding="utf-8",
    )
    assert outcome.returncode == 2
    assert said in outcome.stdout + outcome.stderr
    assert "fault in secure-bucket" not in outcome.stdout + outcome.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps a directory that somebody is in")
def test_working_directory_that_is_gone(directory: Path) -> None:
    gone = directory / "gone"
    gone.mkdir()
    (directory / "a.yaml").write_text(OPEN)
    outcome = subprocess.run(
        ["sh", "-c", f"rmdir {gone}; exec {shlex.join(command('check', '../a.yaml'))}"],
        cwd=gone,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
    )
    assert outcome.returncode == 2
    assert outcome.stderr == "secure-bucket: the working directory no longer exists\n"


def test_python_without_docstrings(directory: Path, process: Process) -> None:
    (directory / "a.yaml").write_text(OPEN)
    bare = environment(PYTHONOPTIMIZE="2")
    assert "leaves manuals out" in process("explain", "SB001", env=bare).stdout
    outcome = process("check", "a.yaml", "--format", "sarif", env=bare)
    assert outcome.returncode == 1
    assert json.loads(outcome.stdout)["runs"][0]["results"]


@needs_proc
def test_process_that_is_killed_is_a_fault(directory: Path) -> None:
    write_many(directory, 40, buckets=3_000)
    checking, workers = check_with_two_workers()
    os.kill(workers[0], signal.SIGKILL)
    out, err = checking.communicate(timeout=120)
    assert checking.returncode == 2
    assert "was not checked: the process that did it was killed" in out
    assert err == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion(process: Process, shell: str) -> None:
    outcome = process("completion", shell)
    assert outcome.returncode == 0
    assert "minimum" in outcome.stdout
    if shell == "bash":
        assert subprocess.run(["bash", "-n"], input=outcome.stdout, encoding="utf-8").returncode == 0
