"""How fast logs are read, beside a plain Python loop, `awk` and `grep`, and in how much memory.

    python benchmarks/audit.py [megabytes] [rounds]

A file of server access logs is made, 200 MB unless told otherwise, in which one request in a hundred came
over plain HTTP. Each way answers in a process of its own, all of them in turns:

- `audit` is `secure-bucket audit`: groups, verdicts, coverage, malformed lines.
- `duckdb, plainest` reads, splits and groups the same lines in DuckDB, and checks nothing.
- `python, a pattern` matches each line with a regular expression, and counts by client and by day.
- `python, split` cuts each line at quotation marks and blanks instead, and takes whatever stands there.
- `awk` counts plain HTTP by bucket, requester and address, from the end of each line.
- `grep -c` only counts the lines that end as those of plain HTTP do: about the least that a search takes.

The last three take a line that is none for a request, and none but the first tells the span of time. All have
to come to the same number. GB/s is by the clock, and `CPU` is in seconds of the processors, which a busy
machine changes less. Then `audit` reads four times as much: its memory should not grow.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

OWNER = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
ROLE = "arn:aws:sts::111122223333:assumed-role/reader"
AGENTS = (
    "aws-sdk-java/1.12.400 Linux/5.10 OpenJDK_64-Bit_Server_VM/11.0.18",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36",
    "Boto3/1.34.0 md/Botocore#1.34.0 ua/2.0 os/linux#5.10 lang/python#3.11",
    "curl/8.5.0",
)
AWK = r"""
{ n = split($0, part, "\""); split(part[n], field, " ")
  if (field[4] == "-" && field[7] == "-") { split($0, head, " "); count[head[2] " " head[6] " " head[5]]++ } }
END { for (each in count) print count[each], each }
"""


def lines(size: int) -> Iterator[str]:
    """Yield about so many bytes of log lines."""
    chance = random.Random(1)
    written = number = 0
    while written < size:
        plain = number % 100 == 0
        day, hour, minute = number % 28 + 1, number // 7 % 24, number // 11 % 60
        line = (
            f"{OWNER} reports-{number % 3} [{day:02}/Feb/2027:{hour:02}:{minute:02}:38 +0000] "
            f"10.0.{number % 5}.{number % 250} arn:aws:sts::111122223333:assumed-role/reader/{number % 50:04}"
            f" {chance.getrandbits(64):016X} REST.GET.OBJECT data/2027/part-{number}.parquet "
            f'"GET /reports/data/2027/part-{number}.parquet HTTP/1.1" {403 if number % 700 == 0 else 200} - '
            f'{chance.randrange(10**6)} 4406583 41 28 "-" "{AGENTS[number % 4]}" - '
            f"{chance.getrandbits(256):064x}= SigV4 {'-' if plain else 'ECDHE-RSA-AES128-GCM-SHA256'} "
            f"AuthHeader reports.s3.eu-west-1.amazonaws.com {'-' if plain else 'TLSv1.2'} - - eu-west-1\n"
        )
        written += len(line)
        number += 1
        yield line


def events(size: int) -> Iterator[str]:
    """Yield about so many bytes of data events of CloudTrail, one in each line."""
    written = number = 0
    suite = "ECDHE-RSA-AES128-GCM-SHA256"
    while written < size:
        event = {
            "eventVersion": "1.09",
            "userIdentity": {
                "type": "AssumedRole",
                "arn": f"arn:aws:sts::111122223333:assumed-role/r/{number % 50}",
            },
            "eventTime": f"2027-02-{number % 28 + 1:02}T{number % 24:02}:00:00Z",
            "eventSource": "s3.amazonaws.com",
            "eventName": "GetObject",
            "awsRegion": "eu-west-1",
            "sourceIPAddress": f"10.0.{number % 5}.{number % 250}",
            "userAgent": f"[{AGENTS[number % 4]}]",
            "requestParameters": {"bucketName": f"reports-{number % 3}", "key": f"part-{number}.parquet"},
            "responseElements": None,
            "additionalEventData": {"SignatureVersion": "SigV4", "AuthenticationMethod": "AuthHeader"},
            "requestID": f"{number:016X}",
            "readOnly": number % 2 == 0,
            "resources": [{"type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::reports-{number % 3}"}],
            "eventType": "AwsApiCall",
            "managementEvent": False,
            "eventCategory": "Data",
        }
        if number % 100:
            event["tlsDetails"] = {"tlsVersion": "TLSv1.2", "cipherSuite": suite}
        line = f"{json.dumps(event)}\n"
        written += len(line)
        number += 1
        yield line


def loop(path: str) -> None:
    """Answer the question in plain Python: a pattern for each line, and two counters."""
    pattern = re.compile(
        r'^\S+ (\S+) \[([^:]+):(\S+) \+0000\] (\S+) (\S+) \S+ (\S+) \S+ "([^"]*)" (\S+) \S+ \S+ \S+ \S+ \S+ '
        r'"[^"]*" "(.*)" \S+ \S+ \S+ (\S+) \S+ \S+ (\S+)'
    )
    clients: Counter[tuple[str, ...]] = Counter()
    covered: Counter[tuple[str, str]] = Counter()
    bad = 0
    with open(path, encoding="utf-8") as log:
        for line in log:
            found = pattern.match(line)
            if found is None:
                bad += 1
                continue
            bucket, day, _, address, requester, operation, _, status, agent, cipher, tls = found.groups()
            covered[bucket, day] += 1
            if cipher == "-" and tls == "-":
                clients[bucket, requester, agent, address, operation, status] += 1
    print(sum(clients.values()), len(clients), len(covered), bad)


def split(path: str) -> None:
    """Answer it with less: split each line at quotation marks and blanks."""
    clients: Counter[tuple[str, ...]] = Counter()
    covered: Counter[tuple[str, str]] = Counter()
    with open(path, encoding="utf-8") as log:
        for line in log:
            pieces = line.split('"')
            head, tail = pieces[0].split(" "), pieces[-1].split(" ")
            covered[head[1], head[2][1:12]] += 1
            if tail[4] == "-" and tail[7] == "-":
                status = pieces[2].split(" ", 2)[1]
                clients[head[1], head[5], pieces[-2], head[4], head[7], status] += 1
    print(sum(clients.values()), len(clients), len(covered))


def plainest(path: str) -> None:
    """Read, split and group the lines in DuckDB with the least that this takes; nothing is checked."""
    import duckdb

    source = (
        f"read_csv('{path}', columns = {{'line': 'VARCHAR'}}, header = false, auto_detect = false, "
        "delim = '\x01\x02\x03\x02', quote = '', escape = '', strict_mode = false)"
    )
    rows = duckdb.sql(
        "SELECT head[2], substr(head[3], 2, 11), tail[5], tail[8], COUNT(*), MIN(head[3]), MAX(head[3]) "
        "FROM ("
        "SELECT string_split(piece[1], ' ') AS head, string_split(piece[-1], ' ') AS tail FROM ("
        f"SELECT string_split(line, '\"') AS piece FROM {source})) GROUP BY ALL"
    ).fetchall()
    print(sum(row[4] for row in rows if row[2] == row[3] == "-"))


def odd(lines_of_log: Iterator[str]) -> Iterator[str]:
    """Yield lines, of which 30 in 100 have quotation marks where most have none, or lack those of a field."""
    chance = random.Random(3)
    for line in lines_of_log:
        match chance.randrange(10):
            case 0:
                yield line.replace('"GET /reports', '"GET /"a"/reports', 1)
            case 1:
                yield line.replace(' "-" "', ' - "', 1)
            case 2:
                yield line.replace('"-" "', '"-" "an "odd" ', 1)
            case _:
                yield line


def measured(command: list[str]) -> tuple[float, float, float, str]:
    """Run a command: seconds, seconds of the processors, megabytes at the peak, and what it printed."""
    script = (
        "import json, resource, subprocess, sys, time\n"
        "begun = time.perf_counter()\n"
        "done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "seconds = time.perf_counter() - begun\n"
        "print(json.dumps([seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, done.stdout]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *command], capture_output=True, text=True, check=True
    )
    seconds, processors, peak, out = json.loads(done.stdout)
    return seconds, processors, peak, out


def ways(path: str) -> dict[str, list[str]]:
    """Return the commands that answer the question."""
    own = [sys.executable, __file__]
    found = {
        "audit": [
            sys.executable,
            "-m",
            "secure_bucket",
            "audit",
            path,
            "--format",
            "json",
            "--limit",
            "100000",
        ],
        "duckdb, plainest": [*own, "--plainest", path],
        "python, a pattern": [*own, "--loop", path],
        "python, split": [*own, "--split", path],
    }
    if shutil.which("awk"):
        found["awk"] = ["awk", AWK, path]
    if shutil.which("grep"):
        found["grep -c"] = ["grep", "-c", "-E", r' SigV4 - [^ ]+ [^ ]+ - [^"]*$', path]
    return found


def answers(out: dict[str, str]) -> Iterator[tuple[str, int]]:
    """Yield how many requests over plain HTTP each way has found."""
    for name, text in out.items():
        if name == "audit":
            document = json.loads(text)
            yield name, sum(bucket["breaking"] + bucket["refused"] for bucket in document["buckets"])
        elif name == "awk":
            yield name, sum(int(line.split()[0]) for line in text.splitlines())
        else:
            yield name, int(text.split()[0])


def main() -> None:
    """Print the tables."""
    tasks: dict[str, Callable[[str], None]] = {"--loop": loop, "--plainest": plainest, "--split": split}
    if sys.argv[1:2] and sys.argv[1] in tasks:
        tasks[sys.argv[1]](sys.argv[2])
        return
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory() as directory:
        path, four, other = (Path(directory, name) for name in ("log", "four", "odd"))
        with path.open("w", encoding="utf-8") as log:
            log.writelines(lines(megabytes * 1_000_000))
        runs: dict[str, list[tuple[float, float, float]]] = {name: [] for name in ways(str(path))}
        out: dict[str, str] = {}
        for _ in range(rounds):
            for name, command in ways(str(path)).items():
                *numbers, out[name] = measured(command)
                runs[name].append((numbers[0], numbers[1], numbers[2]))
        found = dict(answers(out))
        if len(set(found.values())) != 1:
            sys.exit(f"they do not agree on how many requests came over plain HTTP: {found}")
        best = {name: [min(column) for column in zip(*each, strict=True)] for name, each in runs.items()}
        show(path.stat().st_size, best, found["audit"], rounds)
        with other.open("w", encoding="utf-8") as log:
            log.writelines(odd(lines(megabytes * 1_000_000)))
        names = ("audit", "duckdb, plainest")
        odds = [min(measured(ways(str(other))[name])[1] for _ in range(rounds)) for name in names]
        print(
            f"\n  with 30 % odd lines: audit CPU {odds[0]:.2f}, plainest query CPU {odds[1]:.2f}, "
            f"ratio {odds[0] / odds[1]:.1f}"
        )
        with other.open("w", encoding="utf-8") as log:
            log.writelines(events(200_000_000))
        used = min(measured(ways(str(other))["audit"])[1] for _ in range(rounds))
        print(f"\n  200 MB of events of CloudTrail: audit CPU {used:.2f}")
        with four.open("wb") as target:
            for _ in range(4):
                with path.open("rb") as source:
                    shutil.copyfileobj(source, target)
        seconds, processors, peak, _ = measured(ways(str(four))["audit"])
        size = four.stat().st_size
        print(
            f"\n  audit of {size / 1e6:,.0f} MB: {size / 1e9 / seconds:.2f} GB/s, CPU {processors:.2f}, "
            f"{peak:.0f} MB of memory, {peak / best['audit'][2]:.2f} times as much"
        )


def show(size: int, best: dict[str, list[float]], found: int, rounds: int) -> None:
    """Print the table."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(f"{size / 1e6:,.0f} MB, {found:,} requests over plain HTTP, best of {rounds}, {cores} cores\n")
    print(f"  {'':18} {'seconds':>8} {'GB/s':>6} {'ratio':>6} {'CPU':>6} {'ratio':>6} {'MB':>5}")
    base = best["audit"]
    for name, (seconds, processors, peak) in best.items():
        print(
            f"  {name:18} {seconds:8.2f} {size / 1e9 / seconds:6.2f} {seconds / base[0]:6.2f} "
            f"{processors:6.2f} {processors / base[1]:6.2f} {peak:5.0f}"
        )


if __name__ == "__main__":
    main()
