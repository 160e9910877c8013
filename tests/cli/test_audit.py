"""`secure-bucket audit`, as a command: its arguments, its reports, its exit codes."""

from __future__ import annotations

import csv
import datetime
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import pytest
from msgspec.structs import replace

from tests.cli.harness import Outcome, command, environment, heed_interrupts
from tests.operations.audit.records import Record, http

Run = Callable[..., Outcome]
Process = Callable[..., subprocess.CompletedProcess[str]]

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
HTTPS = Record(time=NOW)
PLAIN = http(HTTPS)


def days(record: Record = HTTPS) -> list[Record]:
    return [replace(record, time=NOW - datetime.timedelta(days=day)) for day in range(30)]


def write(directory: Path, *records: Record, name: str = "log") -> None:
    (directory / name).write_text("".join(f"{each.line}\n" for each in records))


def test_safe(directory: Path, run: Run) -> None:
    write(directory, *days())
    outcome = run("audit", "log")
    assert outcome.code == 0
    assert outcome.out.splitlines()[-1] == (
        "safe to enforce: no request over plain HTTP to 1 bucket got through in 30 days of logs"
    )


def test_breaks(directory: Path, run: Run) -> None:
    write(directory, *days(), PLAIN, replace(PLAIN, user_agent="aws-cli/2", status="403"))
    outcome = run("audit", "log")
    assert outcome.code == 1
    assert outcome.out.splitlines()[-1] == "1 client breaks: 1 request over plain HTTP got through"
    assert "these break:" in outcome.out
    assert "these are refused already:" in outcome.out


def test_cannot_tell(directory: Path, run: Run) -> None:
    write(directory, HTTPS)
    outcome = run("audit", "log")
    assert outcome.code == 3
    assert "cannot tell: the logs span 1 day" in outcome.out
    assert run("audit", "log", "--undecided", "warn").code == 0
    assert run("audit", "log", "--minimum-window", "1d").code == 0


def test_fault_goes_first(directory: Path, run: Run) -> None:
    write(directory, *days(), PLAIN)
    (directory / "cut.gz").write_bytes(b"\x1f\x8b\x08\x00")
    outcome = run("audit", "log", "cut.gz")
    assert outcome.code == 2
    assert "error: `cut.gz` is cut or damaged" in outcome.out
    assert "these break:" in outcome.out
    assert outcome.out.splitlines()[-1].startswith("not everything could be read (1 fault)")


def test_directory_without_logs(directory: Path, run: Run) -> None:
    outcome = run("audit", ".")
    assert (outcome.code, "`.` contains no log" in outcome.out) == (2, True)


def test_options_reach_the_question(directory: Path, run: Run) -> None:
    write(directory, *days(), replace(HTTPS, tls="TLSv1.1"), replace(PLAIN, bucket="other"))
    assert run("audit", "log", "--bucket", "reports").code == 0
    assert run("audit", "log", "--bucket", "reports", "--minimum-tls", "1.2").code == 1
    assert run("audit", "log", "--bucket", "reports", "--bucket", "typo").code == 3
    assert run("audit", "log", "--since", "5d", "--bucket", "reports").code == 3
    assert run("audit", "log", "--until", f"{NOW - datetime.timedelta(days=1):%Y-%m-%d}").code == 3
    day = f"{NOW:%Y-%m-%d}"
    assert run("audit", "log", "--since", day, "--until", day, "--bucket", "other").code == 1
    table = run("audit", "log", "--group-by", "address").out
    assert "address" in table
    assert "user agent" not in table


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "required: LOG"),
        (("",), "a LOG is empty"),
        (("log", "--bucket", ""), "a --bucket is empty"),
        (("log", "--since", "yesterday"), "`yesterday` is not a day"),
        (("log", "--since", "2027-02-30"), "is not a day"),
        (("log", "--since", "1d", "--until", "2d"), "--since must be before --until"),
        (("log", "--minimum-window", "0"), "`0` is not a number of days"),
        (("log", "--group-by", "key"), "`key` is not a column"),
        (("log", "--limit", "0"), "`0` is not a whole number of at least 1"),
        (("log", "--memory", "lots"), "`lots` is not a size"),
        (("log", "--format", "sarif"), "`sarif` is not one of"),
        (("log", "--output", "log"), "`log` is a log, and the report would overwrite it"),
        (("log", "--external-id", "x"), "--external-id needs --role-arn"),
        (("log", "--athena"), "Athena reads one `s3://BUCKET/PREFIX`"),
        (("s3://logs/a", "s3://logs/b", "--athena", "--yes"), "Athena reads one `s3://BUCKET/PREFIX`"),
        (("s3://logs/a", "--athena"), "nobody can confirm it without a terminal: give --yes"),
        (("s3://logs/a", "--print-sql", "--database", "a;b"), "`a;b` is not a name of a database"),
        (("s3://A/", "--print-sql"), "is not `s3://BUCKET/PREFIX`"),
        (("log", "nothing"), "`nothing` does not exist"),
        (("log", "*.nothing"), "nothing matches `*.nothing`"),
    ],
)
def test_bad_arguments(directory: Path, run: Run, arguments: tuple[str, ...], words: str) -> None:
    write(directory, HTTPS)
    outcome = run("audit", *arguments)
    assert outcome.code == 2
    assert words in outcome.out + outcome.err
    assert "please report it" not in outcome.err
    assert (directory / "log").read_text() == f"{HTTPS.line}\n"


def test_json(directory: Path, run: Run) -> None:
    write(directory, *days(), PLAIN, replace(PLAIN, status="403"), replace(PLAIN, tls=None))
    (directory / "bad").write_text(f"{PLAIN.line}\nbad\n")
    (directory / "README").write_text("nothing\n")
    outcome = run("audit", ".", "nothing", "--format", "json", "--minimum-tls", "1.2", "--since", "40d")
    document = json.loads(outcome.out)
    schema = json.loads(files("secure_bucket.formats").joinpath("audit-1.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    closed = json.loads(json.dumps(schema), object_hook=lambda each: closed_object(each))
    jsonschema.validate(document, closed, format_checker=jsonschema.FormatChecker())
    assert document["answer"] == {"outcome": "breaks", "clients": 1, "requests": 2}
    assert document["run"]["exit_code"] == outcome.code == 2
    assert {group["trouble"] for group in document["groups"]} == {"breaks", "refused", "unknown"}
    assert document["malformed"]["places"] == [
        {"file": os.path.join(".", "bad"), "line": 2, "why": "is not a record of an S3 access log"}
    ]
    assert document["faults"][0]["message"] == "`nothing` does not exist"


def closed_object(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that takes no member that it does not describe."""
    if schema.get("type") == "object" and "properties" in schema and "additionalProperties" not in schema:
        return schema | {"additionalProperties": False}
    return schema


def test_csv_holds_no_formula(directory: Path, run: Run) -> None:
    agents = ('=HYPERLINK("http://x")', "+1", "@SUM(A1)", "-2", "plain, with a comma", "-")
    write(directory, *(replace(PLAIN, user_agent=agent) for agent in agents))
    outcome = run("audit", "log", "--format", "csv", "--output", "out.csv", "--format", "text")
    assert outcome.code == 1
    rows = list(csv.DictReader(io.StringIO((directory / "out.csv").read_text())))
    assert {row["user_agent"] for row in rows} == {
        *('\'=HYPERLINK("http://x")', "'+1", "'@SUM(A1)", "'-2", "plain, with a comma", "-")
    }
    assert {row["requests"] for row in rows} == {"1"}


def test_nothing_steers_the_terminal(directory: Path, run: Run) -> None:
    write(directory, replace(PLAIN, user_agent="\x1b[2Jgone\u202e"))
    outcome = run("audit", "log")
    assert "\x1b" not in outcome.out
    assert "\\x1b[2Jgone\\u202e" in outcome.out


def test_quiet(directory: Path, run: Run) -> None:
    write(directory, *days())
    outcome = run("audit", "log", "--quiet")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_table_fits_the_terminal(directory: Path, columns: int) -> None:
    pty = pytest.importorskip("pty", reason="Windows has no pseudo-terminals")
    import fcntl
    import struct
    import termios

    requester = f"arn:aws:iam::1:user/{'x' * 90}"
    write(directory, replace(PLAIN, user_agent="Mozilla/5.0 " * 20, requester=requester))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    done = subprocess.Popen(command("audit", "log"), stdout=theirs, env=environment(NO_COLOR="1"))
    os.close(theirs)
    data = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:
            break
        if not chunk:
            break
        data += chunk
    assert done.wait(timeout=60) == 1
    os.close(ours)
    lines = data.decode().replace("\r\n", "\n").splitlines()
    assert "these break:" in lines
    # An address stays in one piece, so that a terminal can open it.
    assert max(len(line) for line in lines if "https://" not in line) <= columns


def test_printed_sql_for_duckdb_runs(directory: Path, run: Run) -> None:
    write(directory, *days(), PLAIN, name="a.log")
    sql = run("audit", "logs", "--print-sql", "duckdb", "--bucket", "reports", "--bucket", "it's").out
    rows = duckdb.connect().execute(sql).fetchall()
    assert {row[0] for row in rows} == {"bucket", "count", "group"}
    assert ("group", "breaks", "http") in {row[:3] for row in rows}


@pytest.mark.parametrize("stored", ["access", "cloudtrail"])
def test_printed_sql_for_athena(run: Run, stored: str) -> None:
    outcome = run("audit", "s3://logs/AWSLogs/", "--print-sql", "--logs-are", stored)
    assert outcome.code == 0
    assert "CREATE EXTERNAL TABLE" in outcome.out
    assert "'storage.location.template' = 's3://logs/AWSLogs/${day}/'" in outcome.out


def test_permissions(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "cn-north-1")
    outcome = run("audit", "s3://logs/a*/", "log", "--show-permissions")
    policy = json.loads(outcome.out)
    assert [statement["Resource"] for statement in policy["Statement"]] == [
        ["arn:aws-cn:s3:::logs"],
        ["arn:aws-cn:s3:::logs/a${*}/*"],
    ]
    athena = json.loads(run("audit", "s3://logs/a/", "--athena", "--show-permissions").out)
    actions = {action for statement in athena["Statement"] for action in statement["Action"]}
    assert {"athena:StartQueryExecution", "athena:StopQueryExecution", "glue:CreateTable"} <= actions


def test_permissions_of_who_assumes_a_role_are_not_those_of_the_role(run: Run) -> None:
    role = "arn:aws:iam::111122223333:role/audit"
    policies = json.loads(run("audit", "s3://logs/a/", "--role-arn", role, "--show-permissions").out)
    actions = {
        name: [statement["Action"] for statement in policy["Statement"]] for name, policy in policies.items()
    }
    assert actions == {"Caller": [["sts:AssumeRole"]], "Role": [["s3:ListBucket"], ["s3:GetObject"]]}


def test_local_logs_need_no_permission(run: Run) -> None:
    outcome = run("audit", "log", "--show-permissions")
    assert json.loads(outcome.out)["Statement"] == []
    assert "no permission is needed" in outcome.err


def test_no_credentials(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    outcome = run("audit", "s3://logs/a/")
    assert outcome.code == 2
    assert "there are no AWS credentials" in outcome.out


def test_interrupt(directory: Path) -> None:
    os.mkfifo(directory / "pipe")
    running = subprocess.Popen(
        command("audit", "pipe"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        preexec_fn=heed_interrupts,
    )
    with open(directory / "pipe", "wb") as pipe:
        pipe.write(f"{PLAIN.line}\n".encode())
        pipe.flush()
        time.sleep(0.5)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=30)
    assert (running.returncode, out, err) == (130, b"", b"")


def test_other_commands_load_no_engine(directory: Path, process: Process) -> None:
    code = (
        "import sys; from secure_bucket.cli.main import main\n"
        "try: main(['audit', '--help'])\nexcept SystemExit: pass\n"
        "print(*sorted({'duckdb', 'sqlglot', 'boto3'} & set(sys.modules)), file=sys.stderr)"
    )
    shell = [sys.executable, "-c", code]
    done = subprocess.run(shell, env=environment(), capture_output=True, encoding="utf-8")
    assert done.stderr.strip() == ""
