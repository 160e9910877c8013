"""`secure-bucket check` as a whole command, beside its peers, on one template and on many.

    python benchmarks/check.py [--templates 1000] [--repeat 7] [--without checkov …] [--output FILE]

Everything is installed by this program itself, each tool into an environment of its own below
`build/benchmarks/`, from PyPI and npm, the newest release of each; with `--upgrade` again. Every command
is a process of its own, timed from its start to its end, in turns, so that a busy moment hits all of them.

The peers run as their users run them: checkov and cfn-lint with all of their rules for CloudFormation, and
checkov also with one of them alone; cfn-guard's engine with one rule in the way of the registry's and none of
its own. None of the three proves anything; only what it takes is compared here.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from installed import (
    BUILD,
    GUARD_PACKAGE,
    environment,
    node_package,
    node_path,
    own_command,
    say,
    version_of,
)

TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Description: Reports number {number}
Parameters:
  Stage:
    Type: String
    AllowedValues: [test, production]
Resources:
  Reports:
    Type: AWS::S3::Bucket
    Properties:
      BucketEncryption:
        ServerSideEncryptionConfiguration:
          - ServerSideEncryptionByDefault: {{SSEAlgorithm: aws:kms}}
      Tags:
        - {{Key: stage, Value: !Ref Stage}}
  ReportsPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Reports
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Sid: DenyPlainHttp
            Effect: Deny
            Principal: "*"
            Action: s3:*
            Resource:
              - !GetAtt Reports.Arn
              - !Sub "${{Reports.Arn}}/*"
            Condition:
              Bool:
                aws:SecureTransport: {denied}
Outputs:
  Name:
    Value: !Ref Reports
"""
# Every tenth template is open: the value is the wrong one.
OPEN_EVERY = 10

GUARD = """\
const fs = require("fs");
const { RegoEngine, TemplateFile } = require("@aws/cloudformation-validate");
const rule = `
let policies = Resources.*[ Type == 'AWS::S3::BucketPolicy' ]

rule denies_plain_http when %policies !empty {
    %policies.Properties.PolicyDocument.Statement[*] {
        Effect == 'Deny'
        Condition.Bool.'aws:SecureTransport' in [false, 'false']
    }
}
`;
const engine = new RegoEngine({ guardRules: [{ name: "https.guard", content: rule }] });
const path = process.argv[2];
const many = fs.statSync(path).isDirectory();
const files = many ? fs.readdirSync(path).map((name) => `${path}/${name}`) : [path];
for (const file of files) {
    engine.validateStandard(new TemplateFile(file), { disableBuiltinRules: true });
}
"""


@dataclass
class Tool:
    """A command to time.

    Args:
        name: What it is called in the table.
        command: Returns its command line for a file or a directory.
        version: Its version.
        many: Whether it is run on the directory, too.
        times: The seconds it took, by what it was run on.
        work: The seconds that processors worked for it, which other work on the machine changes less.
        peak: The most memory it took, in bytes, by what it was run on.
    """

    name: str
    command: Callable[[Path], list[str]]
    version: str = ""
    many: bool = True
    times: dict[str, list[float]] = field(default_factory=dict)
    work: dict[str, list[float]] = field(default_factory=dict)
    peak: dict[str, int] = field(default_factory=dict)

    def run(self, on: str, path: Path, codes: Iterable[int]) -> None:
        """Run it once, and note what it took."""
        started = time.perf_counter()
        with open(os.devnull, "w") as null:
            process = subprocess.Popen(self.command(path), stdout=null, stderr=null, cwd=path.parent)
            _, status, usage = os.wait4(process.pid, 0)
        self.times.setdefault(on, []).append(time.perf_counter() - started)
        self.work.setdefault(on, []).append(usage.ru_utime + usage.ru_stime)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in codes:
            raise SystemExit(f"{self.name} exited with {process.returncode}: {self.command(path)}")
        scale = 1 if sys.platform == "darwin" else 1024
        self.peak[on] = max(self.peak.get(on, 0), usage.ru_maxrss * scale)

    def best(self, on: str) -> float:
        """Return the shortest time."""
        return min(self.times[on])

    def least(self, on: str) -> float:
        """Return the least work."""
        return min(self.work[on])


def ours(upgrade: bool) -> list[Tool]:
    """Return our command, and what any command in Python that reads YAML takes."""
    binaries = own_command(upgrade=upgrade)
    python, command = str(binaries / "python"), str(binaries / "secure-bucket")
    version = version_of(binaries, "secure-bucket")
    read = "import sys, yaml; yaml.compose(open(sys.argv[1]), Loader=yaml.CSafeLoader)"
    yaml = version_of(binaries, "PyYAML")
    return [
        Tool("secure-bucket", lambda path: [command, "check", "--no-config", str(path)], version),
        Tool(
            "secure-bucket --jobs 1",
            lambda path: [command, "check", "--no-config", "--jobs", "1", str(path)],
            version,
        ),
        Tool("python -c pass", lambda path: [python, "-c", "pass"], sys.version.split()[0], many=False),
        Tool("python, PyYAML reads the file", lambda path: [python, "-c", read, str(path)], yaml, many=False),
    ]


def checkov(upgrade: bool) -> list[Tool]:
    binaries = environment("checkov", "checkov", upgrade=upgrade)
    options = ["--framework", "cloudformation", "--quiet", "--compact", "--skip-download"]

    def command(path: Path, *further: str) -> list[str]:
        return [str(binaries / "checkov"), "-d" if path.is_dir() else "-f", str(path), *options, *further]

    version = version_of(binaries, "checkov")
    return [
        Tool("checkov", command, version),
        Tool("checkov, one check", lambda path: command(path, "--check", "CKV_AWS_53"), version),
    ]


def cfn_lint(upgrade: bool) -> list[Tool]:
    binaries = environment("cfn-lint", "cfn-lint", upgrade=upgrade)
    return [
        Tool(
            "cfn-lint",
            lambda path: [str(binaries / "cfn-lint"), f"{path}/*.yaml" if path.is_dir() else str(path)],
            version_of(binaries, "cfn-lint"),
        )
    ]


def cfn_guard(upgrade: bool) -> list[Tool]:
    path = node_path(upgrade=upgrade)
    directory = node_package("cfn-guard", GUARD_PACKAGE, path, upgrade=upgrade)
    installed = directory / "node_modules" / GUARD_PACKAGE / "package.json"
    script = directory / "guard.js"
    script.write_text(GUARD)
    node = shutil.which("node", path=path) or "node"
    version = json.loads(installed.read_text())["version"]
    return [
        Tool(f"cfn-guard's engine ({GUARD_PACKAGE})", lambda path: [node, str(script), str(path)], version)
    ]


PEERS = {"checkov": checkov, "cfn-lint": cfn_lint, "cfn-guard": cfn_guard}


def write_templates(directory: Path, number: int) -> None:
    """Fill a directory with templates."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for index in range(number):
        denied = "true" if index % OPEN_EVERY == OPEN_EVERY - 1 else "false"
        (directory / f"reports-{index:05}.yaml").write_text(TEMPLATE.format(number=index, denied=denied))


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    head, *body = rows
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *body]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def comparison(tools: Sequence[Tool], on: str, number: int) -> str:
    """Return what each command took, and how many times as much as ours that is."""
    ours = tools[0]
    rows = [["", "version", "seconds", "ratio", "CPU seconds", "ratio", "templates a second", "memory"]]
    for tool in tools:
        if on in tool.times:
            took, work = tool.best(on), tool.least(on)
            rows.append(
                [
                    tool.name,
                    tool.version,
                    f"{took:.3f}",
                    f"{took / ours.best(on):.2f}",
                    f"{work:.3f}",
                    f"{work / ours.least(on):.2f}",
                    f"{number / took:,.1f}",
                    megabytes(tool.peak[on]),
                ]
            )
    return table(rows)


def growth(tool: Tool, directory: Path, numbers: Sequence[int]) -> str:
    """Return how time and memory grow with the number of templates, in one process."""
    rows = [["templates", "seconds", "CPU seconds", "CPU milliseconds each", "memory"]]
    for number in numbers:
        write_templates(directory, number)
        tool.run(str(number), directory, (1,))
        took, work = tool.best(str(number)), tool.least(str(number))
        memory = megabytes(tool.peak[str(number)])
        rows.append([f"{number:,}", f"{took:.2f}", f"{work:.2f}", f"{1000 * work / number:.2f}", memory])
    return table(rows)


def megabytes(number: int) -> str:
    """Return a number of bytes in MB."""
    return f"{number / 1e6:,.0f} MB"


def main() -> None:
    """Install, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--templates", type=int, default=1000, help="how many there are in the directory")
    parser.add_argument("--repeat", type=int, default=7, help="how often one template is checked")
    parser.add_argument("--repeat-many", type=int, default=1, help="how often the directory is checked")
    parser.add_argument("--without", action="append", choices=PEERS, default=[], help="leave a peer out")
    parser.add_argument("--upgrade", action="store_true", help="install everything again")
    parser.add_argument("--output", type=Path, help="also write the tables to this file")
    arguments = parser.parse_args()
    tools = ours(arguments.upgrade)
    for name, prepare in PEERS.items():
        if name not in arguments.without:
            tools += prepare(arguments.upgrade)
    directory = BUILD / "templates"
    write_templates(directory, arguments.templates)
    one = BUILD / "one.yaml"
    one.write_text(TEMPLATE.format(number=1, denied="false"))
    # checkov, cfn-lint and cfn-guard's engine exit with what they like.
    codes: dict[str, Iterable[int]] = {"one": range(128), "many": range(128)}
    for tool in tools:
        own = tool.name.startswith("secure-bucket")
        say(f"{tool.name} …")
        tool.run("warm", one, (0,) if own else codes["one"])
        if tool.many:
            for _ in range(arguments.repeat_many):
                tool.run("many", directory, (1,) if own else codes["many"])
    for _ in range(arguments.repeat):
        for tool in tools:
            own = tool.name.startswith("secure-bucket")
            tool.run("one", one, (0,) if own else codes["one"])
    reading = next(tool for tool in tools if "reads the file" in tool.name)
    sections = [
        f"{os.cpu_count()} cores, {sys.platform}, Python {sys.version.split()[0]}; the least of "
        f"{arguments.repeat} runs on one template and of {arguments.repeat_many} on many; the ratios are to "
        "`secure-bucket`.\n",
        "One template:\n",
        comparison(tools, "one", 1),
        f"A cold start takes {tools[0].best('one') / reading.best('one'):.2f} times as long as a bare Python "
        f"that reads the YAML of the file, and {tools[0].least('one') / reading.least('one'):.2f} times the "
        "work.\n",
        f"{arguments.templates:,} templates:\n",
        comparison(tools, "many", arguments.templates),
        "In one process:\n",
        growth(tools[1], BUILD / "growing", (250, 1000, 4000)),
    ]
    text = "\n".join(sections)
    print(text, end="")
    if arguments.output:
        arguments.output.write_text(text)


if __name__ == "__main__":
    main()
