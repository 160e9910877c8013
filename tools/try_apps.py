"""Synthesize third-party CDK apps with the gate and with FIX, and report the changes.

    python tools/try_apps.py DIRECTORY...

Each directory contains an `app.py`. It runs without the CDK CLI in its own process: unchanged, with the gate
or FIX right before `app.synth()`, and with FIX right after `cdk.App()`. FIX may change the bucket policies
that deny plain HTTP, the hashes that follow from them, and the dependencies of notifications. If another
value differs, the unchanged app runs again: values that differ there as well, such as the time, are not
reported.
"""

from __future__ import annotations

import json
import os
import random
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MODES = ("none", "flag-last", "fix-last", "fix-first")


def run(mode: str) -> None:
    """Run the app of the working directory with the gate."""
    import aws_cdk as cdk

    from secure_bucket import Mode, enforce_secure_transport

    kind, _, where = mode.partition("-")
    init, synth = cdk.App.__init__, cdk.App.synth

    def gated_init(self: cdk.App, *args: Any, **options: Any) -> None:
        init(self, *args, **options)
        enforce_secure_transport(self, mode=Mode(kind))

    def gated_synth(self: cdk.App, *args: Any, **options: Any) -> Any:
        enforce_secure_transport(self, mode=Mode(kind))
        return synth(self, *args, **options)

    if where == "first":
        cdk.App.__init__ = gated_init  # type: ignore[method-assign]
    elif where == "last":
        cdk.App.synth = gated_synth  # type: ignore[method-assign]
    sys.path.insert(0, os.getcwd())
    sys.argv = ["app.py"]
    random.seed(0)  # Some apps give their resources random names.
    runpy.run_path("app.py", run_name="__main__")


def synthesize(app: Path, mode: str, out: Path) -> str:
    """Synthesize an app, and return the end of its output if it wrote no assembly."""
    settings = app / "cdk.json"
    context = (
        json.loads(settings.read_text(encoding="utf-8")).get("context", {}) if settings.is_file() else {}
    )
    # Without stacks to bundle for, the CDK needs no Docker.
    context |= {"aws:cdk:bundling-stacks": [], "aws:cdk:enable-path-metadata": True}
    environment = {
        **os.environ,
        "CDK_OUTDIR": str(out),
        "CDK_CONTEXT_JSON": json.dumps(context),
        "CDK_DEFAULT_ACCOUNT": "111122223333",
        "CDK_DEFAULT_REGION": "eu-west-1",
        "CDK_VALIDATION": "false",
    }
    command = [sys.executable, str(Path(__file__).resolve()), "--run", mode]
    done = subprocess.run(command, cwd=app, env=environment, capture_output=True, text=True, check=False)
    return "" if (out / "manifest.json").is_file() else done.stderr[-300:]


def templates(out: Path) -> dict[str, Any]:
    """Return the templates of an assembly without the values that FIX may change."""
    found = {}
    for file in sorted(out.rglob("*.template.json")):
        template = json.loads(file.read_text(encoding="utf-8"))
        resources = template.get("Resources", {})
        policies = {id for id, each in resources.items() if each.get("Type") == "AWS::S3::BucketPolicy"}
        for id, each in list(resources.items()):
            if id in policies and not without_deny(each["Properties"]):
                del resources[id]
            properties = each.get("Properties")
            if isinstance(properties, dict):
                properties.pop("TemplateURL", None)
            each.get("Metadata", {}).pop("aws:asset:path", None)
            if each.get("Type") == "Custom::S3BucketNotifications":
                waits = [other for other in each.pop("DependsOn", ()) if other not in policies]
                each |= {"DependsOn": waits} if waits else {}
            if each.get("Type") == "AWS::CDK::Metadata":
                each["Properties"] = {}
        found[str(file.relative_to(out))] = template
    return found


def without_deny(properties: dict[str, Any]) -> bool:
    """Remove the deny from a policy, and tell whether statements remain."""
    document = properties.get("PolicyDocument")
    statements = document.get("Statement") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(statements, list):
        return True
    document["Statement"] = [each for each in statements if "aws:SecureTransport" not in json.dumps(each)]
    return bool(document["Statement"])


def count_denies(out: Path) -> int:
    """Count the statements of the bucket policies of an assembly that name `aws:SecureTransport`."""
    number = 0
    for file in out.rglob("*.template.json"):
        for each in json.loads(file.read_text(encoding="utf-8")).get("Resources", {}).values():
            if each.get("Type") == "AWS::S3::BucketPolicy":
                number += json.dumps(each).count('"aws:SecureTransport"')
    return number


def differences(one: Any, other: Any, at: str = "") -> Iterator[str]:
    """Yield the places at which two JSON values differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one | other:
            yield from differences(one.get(key), other.get(key), f"{at}/{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from differences(left, right, f"{at}/{index}")
    elif one != other:
        yield at


def try_app(app: Path, temporary: Path) -> dict[str, str]:
    """Return the result of each mode; only that of "none" if the unchanged app does not run."""
    faults = {mode: synthesize(app, mode, temporary / mode) for mode in MODES}
    if faults["none"]:
        return {"none": f"does not run here without the gate: {faults['none'].splitlines()[-1]}"}
    plain, before = templates(temporary / "none"), count_denies(temporary / "none")
    changes = {mode: set(differences(plain, templates(temporary / mode))) for mode in MODES[1:]}
    varying: set[str] = set()
    if any(changes.values()) and not synthesize(app, "none", temporary / "again"):
        varying = set(differences(plain, templates(temporary / "again")))
    results = {}
    for mode, changed in changes.items():
        added = count_denies(temporary / mode) - before
        result = f"ok, {added} {'deny' if added == 1 else 'denies'} added"
        if changed & varying:
            result += f"; differs in each run: {', '.join(sorted(changed & varying))}"
        if changed - varying:
            result = f"changes {', '.join(sorted(changed - varying))}"
        results[mode] = faults[mode] or result
    return results


def main(directories: list[str]) -> int:
    """Try every app, print one line for each mode, and return 1 if one crashed or changed."""
    worst = 0
    for directory in directories:
        with tempfile.TemporaryDirectory() as temporary:
            for mode, result in try_app(Path(directory).resolve(), Path(temporary)).items():
                worst = max(worst, mode != "none" and not result.startswith("ok"))
                print(f"{directory}: {mode}: {result}", flush=True)
    return worst


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        run(sys.argv[2])
    else:
        sys.exit(main(sys.argv[1:]))
