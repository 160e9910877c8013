"""What each tool says about policies that look right and are not, and that look odd and are right.

    python benchmarks/peers.py [--without checkov …] [--with-prowler] [--upgrade] [--output FILE]

The tools are installed by this program itself, as `check.py` does. Each is asked by the one rule of it that
is about plain HTTP, and with all of its rules where it has none. prowler looks at running buckets: its check
gets the policies as they would be deployed. It is only asked on request, as it takes 2 GB and some minutes to
install. The program stops if ours says anything but the truth, which stands in `peer_cases.py`.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from installed import (
    BUILD,
    GUARD_PACKAGE,
    ROOT,
    environment,
    node_package,
    node_path,
    own_command,
    say,
    version_of,
)
from peer_cases import APPS, CASES, App, Case

WORK = BUILD / "peers"
RULE = "package/rules/control-tower/cfn-guard/s3/ct-s3-pr-8.guard"
RIGHT = next(index for index, case in enumerate(CASES) if case.denies)

# What the other rules of AwsSolutions say about a bucket is of no interest here.
NAG_3 = """
cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))
cdk.Validations.of(app).acknowledge(cdk.Acknowledgment(id="AwsSolutions::AwsSolutions-S1", reason="no"))
"""
NAG_2 = """
cdk.Aspects.of(app).add(cdk_nag.AwsSolutionsChecks())
for stack in [one for one in app.node.find_all() if isinstance(one, cdk.Stack)]:
    suppression = cdk_nag.NagPackSuppression(id="AwsSolutions-S1", reason="this rule is not asked")
    cdk_nag.NagSuppressions.add_stack_suppressions(stack, [suppression])
"""
GUARD_PLUGIN = """
cdk.Validations.of(app).add_plugins(
    cdk_validator_cfnguard.CfnGuardValidator(control_tower_rules_enabled=False, rules=[{rule!r}])
)
"""
OURS = """
cdk.Aspects.of(app).add(secure_bucket.SecureTransportAspect())
"""


@dataclass(frozen=True)
class Tool:
    """A tool that judges templates.

    Args:
        name: What it is called in the table.
        version: Its version.
        flags: Returns for each template whether it is flagged; `None` instead of all where it does not look.
    """

    name: str
    version: str
    flags: Callable[[Sequence[Path]], Sequence[bool] | None]


@dataclass(frozen=True)
class Gate:
    """A tool that judges an app of the CDK.

    Args:
        name: What it is called in the table.
        version: Its version.
        python: The Python that has it.
        module: What the app imports.
        lines: What the app says.
    """

    name: str
    version: str
    python: Path
    module: str
    lines: str


def run(command: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command, whatever it exits with."""
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)


def ours(upgrade: bool) -> Tool:
    binaries = own_command(upgrade=upgrade)

    def flagged(file: Path) -> bool:
        done = run([binaries / "secure-bucket", "check", "--no-config", "--format", "json", file])
        found = bool(json.loads(done.stdout)["findings"])
        if done.returncode not in (0, 1) or found != bool(done.returncode):
            raise SystemExit(f"secure-bucket exited with {done.returncode}: {file}\n{done.stderr}")
        return found

    return Tool("secure-bucket", version_of(binaries, "secure-bucket"), lambda files: [*map(flagged, files)])


def guard_package(upgrade: bool) -> tuple[Path, Path]:
    """Return the commands of the CDK's plugin for cfn-guard, and what it packs: cfn-guard, and rules."""
    binaries = environment("cdk-validator-cfnguard", "cdklabs.cdk-validator-cfnguard", upgrade=upgrade)
    unpacked = binaries.parent / "unpacked"
    if upgrade or not unpacked.exists():
        (archive,) = binaries.parent.glob(
            "lib/python*/site-packages/cdklabs/cdk_validator_cfnguard/_jsii/*.tgz"
        )
        with tarfile.open(archive) as packed:
            packed.extractall(unpacked, filter="data")
    return binaries, unpacked


def cfn_guard(upgrade: bool) -> Tool:
    _, unpacked = guard_package(upgrade)
    system = (
        "macos" if sys.platform == "darwin" else "ubuntu",
        os.uname().machine.replace("arm64", "aarch64"),
    )
    command = unpacked / "package" / "bin" / Path(*system) / "cfn-guard"
    command.chmod(0o755)

    def flagged(file: Path) -> bool:
        words: list[str | Path] = ["validate", "--data", file, "--rules", unpacked / RULE]
        (report,) = json.loads(
            run([command, *words, "--output-format", "json", "--structured", "-S", "none"]).stdout
        )
        return bool(report["status"] == "FAIL")

    version = run([command, "--version"]).stdout.split()[-1]
    return Tool("cfn-guard", version, lambda files: [*map(flagged, files)])


def by_difference(name: str, version: str, findings: Callable[[Sequence[Path]], list[set[str]]]) -> Tool:
    """Return a tool without a rule about plain HTTP: it flags what the right policy does not have, too."""

    def flagged(files: Sequence[Path]) -> Sequence[bool] | None:
        said = findings(files)
        flags = [bool(each - said[RIGHT]) for each in said]
        return flags if any(flags) else None

    return Tool(name, version, flagged)


ENGINE = """\
const { RegoEngine, TemplateFile } = require("%s");
const [rule, ...files] = process.argv.slice(2);
const engine = new RegoEngine({ guardRules: [{ name: "rule", content: rule }] });
const reports = files.map((file) => engine.validateStandard(new TemplateFile(file)));
console.log(JSON.stringify(reports.map((report) => report.diagnostics.map((one) => one.ruleId))));
"""
# It takes no parameterized rules, and CT.S3.PR.8 consists of them: this asks for less, in its way.
SIMPLER_RULE = """
let policies = Resources.*[ Type == 'AWS::S3::BucketPolicy' ]

rule denies_plain_http when %policies !empty {
    some %policies.Properties.PolicyDocument.Statement[*] {
        Effect == 'Deny'
        Action == 's3:*'
        Condition.Bool.'aws:SecureTransport' == 'false'
    }
}
"""


def engine(upgrade: bool) -> Tool:
    path = node_path(upgrade=upgrade)
    directory = node_package("cfn-guard", GUARD_PACKAGE, path, upgrade=upgrade)
    script = directory / "peers.js"
    script.write_text(ENGINE % GUARD_PACKAGE)
    version = json.loads((directory / "node_modules" / GUARD_PACKAGE / "package.json").read_text())["version"]

    def findings(files: Sequence[Path]) -> list[set[str]]:
        done = run([shutil.which("node", path=path) or "node", script, SIMPLER_RULE, *files])
        if done.returncode:
            raise SystemExit(done.stderr)
        return [set(each) for each in json.loads(done.stdout)]

    return by_difference(GUARD_PACKAGE, version, findings)


def checkov(upgrade: bool) -> Tool:
    binaries = environment("checkov", "checkov", upgrade=upgrade)

    def findings(file: Path) -> set[str]:
        words = [
            "--framework",
            "cloudformation",
            "--quiet",
            "--compact",
            "--skip-download",
            "--output",
            "json",
        ]
        said = json.loads(run([binaries / "checkov", "-f", file, *words]).stdout)
        return {each["check_id"] for each in said.get("results", {}).get("failed_checks", ())}

    version = version_of(binaries, "checkov")
    return by_difference("checkov", version, lambda files: [*map(findings, files)])


def cfn_lint(upgrade: bool) -> Tool:
    binaries = environment("cfn-lint", "cfn-lint", upgrade=upgrade)

    def findings(file: Path) -> set[str]:
        said = json.loads(run([binaries / "cfn-lint", "--format", "json", file]).stdout or "[]")
        return {each["Rule"]["Id"] for each in said}

    version = version_of(binaries, "cfn-lint")
    return by_difference("cfn-lint", version, lambda files: [*map(findings, files)])


def cdk_nag(name: str, requirement: str, lines: str) -> Callable[[bool], tuple[Tool, Gate]]:
    def prepare(upgrade: bool) -> tuple[Tool, Gate]:
        binaries = environment(name.replace(" ", "-"), requirement, "aws-cdk-lib", upgrade=upgrade)
        version = version_of(binaries, "cdk-nag")
        gate = Gate(name, version, binaries / "python", "cdk_nag", lines)
        return Tool(name, version, lambda files: nagged(gate, files)), gate

    return prepare


def nagged(gate: Gate, files: Sequence[Path]) -> Sequence[bool]:
    """Return what cdk-nag says about templates, each included in a stack of its own."""
    stacks = [f"Case{number}" for number in range(len(files))]
    code = "from aws_cdk import cloudformation_include as include\n" + "\n".join(
        f"include.CfnInclude(cdk.Stack(app, {stack!r}), 'Template', template_file={str(file)!r})"
        for stack, file in zip(stacks, files, strict=True)
    )
    _, output = synthesize(gate, code)
    failed = set()
    for report in output.glob("validation-report.json"):
        for plugin in json.loads(report.read_text())["pluginReports"]:
            for violation in plugin["violations"]:
                if violation["ruleName"] == "AwsSolutions-S10":
                    failed |= {one["constructPath"].split("/")[0] for one in violation["violatingConstructs"]}
    # The second version writes a table for each stack, and no validation report worth the name.
    for report in output.glob("AwsSolutions-*-NagReport.csv"):
        with report.open(encoding="utf-8", newline="") as rows:
            failed |= {
                row["Resource ID"].split("/")[0]
                for row in csv.DictReader(rows)
                if (row["Rule ID"], row["Compliance"]) == ("AwsSolutions-S10", "Non-Compliant")
            }
    return [stack in failed for stack in stacks]


def synthesize(gate: Gate, code: str) -> tuple[int, Path]:
    """Run `cdk synth` on an app; return its exit code, and the cloud assembly."""
    directory = WORK / "app"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    imports = f"import aws_cdk as cdk\nimport {gate.module}\nfrom aws_cdk import aws_s3 as s3\n"
    if gate.module == "cdk_validator_cfnguard":
        imports = imports.replace("import cdk_v", "from cdklabs import cdk_v")
    (directory / "app.py").write_text(f"{imports}app = cdk.App()\n{code}\n{gate.lines}\napp.synth()\n")
    path = node_path(upgrade=False)
    cdk = node_package("aws-cdk", "aws-cdk", path, upgrade=False) / "node_modules" / ".bin" / "cdk"
    words: list[str | Path] = [cdk, "synth", "--quiet", "--no-notices", "--app", f"{gate.python} app.py"]
    done = run(words, cwd=directory, env={**os.environ, "PATH": path, "CDK_DISABLE_CLI_TELEMETRY": "true"})
    if "Traceback" in done.stderr or not (directory / "cdk.out" / "manifest.json").exists():
        raise SystemExit(f"{gate.name}: the app does not run:\n{done.stderr}")
    return done.returncode, directory / "cdk.out"


PROWLER = """\
import json, sys, types
client = types.ModuleType("prowler.providers.aws.services.s3.s3_client")
client.s3_client = types.SimpleNamespace(buckets={})
sys.modules[client.__name__] = client
import importlib
name = "s3_bucket_secure_transport_policy"
check = getattr(importlib.import_module(f"prowler.providers.aws.services.s3.{name}.{name}"), name)
flags = []
for policy in json.load(sys.stdin):
    bucket = types.SimpleNamespace(
        name="reports", id="", arn="arn:aws:s3:::reports", region="eu-central-1", tags=[], policy=policy
    )
    client.s3_client.buckets = {bucket.arn: bucket}
    (report,) = check().execute()
    flags.append(report.status != "PASS")
print("flags:", json.dumps(flags))
"""


def prowler(upgrade: bool) -> Tool:
    binaries = environment("prowler", "prowler", upgrade=upgrade)

    def flagged(files: Sequence[Path]) -> Sequence[bool]:
        policies = [deployed(json.loads(file.read_text())) for file in files]
        done = run([binaries / "python", "-c", PROWLER], input=json.dumps(policies))
        _, found, said = done.stdout.rpartition("flags:")
        if not found:
            raise SystemExit(f"prowler: {done.stderr}")
        flags: list[bool] = json.loads(said)
        return flags

    return Tool("prowler", version_of(binaries, "prowler"), flagged)


def deployed(template: Mapping[str, Any]) -> object:
    """Return the policy of a template as S3 would have it after a deployment to the first allowed stage."""
    resource = template["Resources"].get("Policy")
    if resource is None:
        return None
    document = settled(resource["Properties"]["PolicyDocument"])
    assert isinstance(document, dict)
    statements = document["Statement"]
    # S3 keeps a list, whatever it was given.
    return {**document, "Statement": statements if isinstance(statements, list) else [statements]}


def settled(value: object) -> object:
    """Return a value without intrinsic functions; only those that the cases use."""
    match value:
        case {"Fn::GetAtt": ["Reports", "Arn"]}:
            return "arn:aws:s3:::reports"
        case {"Fn::Sub": str(text)}:
            return text.replace("${Reports.Arn}", "arn:aws:s3:::reports")
        case {"Fn::Join": ["", list(parts)]}:
            return "".join(str(settled(part)) for part in parts)
        case dict():
            return {name: settled(each) for name, each in value.items()}
        case list():
            kept = [each for each in value if not (isinstance(each, dict) and "Fn::If" in each)]
            return [settled(each) for each in kept]
        case _:
            return value


def guard_gate(upgrade: bool) -> Gate:
    binaries, unpacked = guard_package(upgrade)
    version = version_of(binaries, "cdklabs.cdk-validator-cfnguard")
    lines = GUARD_PLUGIN.format(rule=str(unpacked / RULE))
    return Gate("cdk-validator-cfnguard", version, binaries / "python", "cdk_validator_cfnguard", lines)


def mark(flags: bool, denies: bool) -> str:
    """Return what a tool says, and whether it is right."""
    said = "flags" if flags else "passes"
    return said if flags != denies else f"**{said}** ✗"


def table(cases: Sequence[Case | App], columns: Mapping[str, Sequence[bool]]) -> str:
    """Return a table in Markdown, with the sums of what was wrong."""
    head = ["", "truth", *columns]
    rows = [head, ["---"] * len(head)]
    for number, case in enumerate(cases):
        truth = "denies" if case.denies else "open"
        reason = f": {case.why}" if isinstance(case, Case) else ""
        marks = [mark(flags[number], case.denies) for flags in columns.values()]
        rows.append([case.name, truth + reason, *marks])
    for title, wanted in (("open, and passed", False), ("denies, and flagged", True)):
        of = sum(case.denies is wanted for case in cases)
        sums = []
        for flags in columns.values():
            wrong = sum(case.denies is wanted is flag for case, flag in zip(cases, flags, strict=True))
            sums.append(f"{wrong} of {of}")
        rows.append([f"*{title}*", "", *sums])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


TOOLS = {
    "cfn-guard": cfn_guard,
    "engine": engine,
    "cfn-lint": cfn_lint,
    "checkov": checkov,
}
NAGS = {
    "cdk-nag-2": cdk_nag("cdk-nag 2", "cdk-nag>=2,<3", NAG_2),
    "cdk-nag-3": cdk_nag("cdk-nag 3", "cdk-nag>=3,<4", NAG_3),
}


def main() -> None:
    """Install, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--without", action="append", choices=[*TOOLS, *NAGS], default=[], help="leave a peer out"
    )
    parser.add_argument("--with-prowler", action="store_true", help="ask prowler, too: it takes 2 GB")
    parser.add_argument("--upgrade", action="store_true", help="install everything again")
    parser.add_argument("--output", type=Path, help="also write the tables to this file")
    arguments = parser.parse_args()
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    files = []
    for number, case in enumerate(CASES):
        files.append(WORK / f"case-{number:02}.json")
        files[-1].write_text(json.dumps(case.template, indent=1))

    tools = [ours(arguments.upgrade)]
    gates = [Gate("secure-bucket", tools[0].version, Path(sys.executable), "secure_bucket", OURS)]
    for name, prepare in TOOLS.items():
        if name not in arguments.without:
            tools.append(prepare(arguments.upgrade))
    for name, prepare_both in NAGS.items():
        if name not in arguments.without:
            tool, gate = prepare_both(arguments.upgrade)
            tools.append(tool)
            gates.append(gate)
    if "cfn-guard" not in arguments.without:
        gates.append(guard_gate(arguments.upgrade))
    if arguments.with_prowler:
        tools.append(prowler(arguments.upgrade))

    templates: dict[str, Sequence[bool]] = {}
    silent = []
    for tool in tools:
        say(f"{tool.name} …")
        flags = tool.flags(files)
        if flags is None:
            silent.append(tool.name)
        elif len(set(flags)) == 1:
            raise SystemExit(f"{tool.name} says the same of every policy: it was not asked rightly")
        else:
            templates[tool.name] = flags
    apps: dict[str, Sequence[bool]] = {}
    for gate in gates:
        say(f"{gate.name}, {len(APPS)} apps …")
        apps[gate.name] = [synthesize(gate, app.code)[0] != 0 for app in APPS]

    own: list[tuple[Sequence[Case | App], Sequence[bool]]] = [
        (CASES, templates["secure-bucket"]),
        (APPS, apps["secure-bucket"]),
    ]
    for cases, flags in own:
        wrong = [case.name for case, flag in zip(cases, flags, strict=True) if flag is case.denies]
        if wrong:
            raise SystemExit(f"secure-bucket is wrong about: {', '.join(wrong)}")
    asked: list[Tool | Gate] = [*tools, *gates]
    versions = dict.fromkeys(f"{one.name} {one.version}" for one in asked)
    text = (
        f"Asked on {datetime.date.today():%d %B %Y}: {', '.join(versions)}.\n\n"
        f"{table(CASES, templates)}\n"
        f"Without a rule about it: {', '.join(silent) or 'none'}.\n\n"
        f"In an app of the CDK, by the exit code of `cdk synth`:\n\n{table(APPS, apps)}"
    )
    print(text, end="")
    if arguments.output:
        arguments.output.write_text(text)
    say(f"the templates are in {WORK.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
