"""Apps that write an assembly which the gate must not pass, whatever state they leave it in."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.harness import Outcome
from tests.cli.test_gate import BUCKET, DENY, python

Run = Callable[..., Outcome]

HEAD = f"""
import json, os, signal, sys, time
from pathlib import Path
out = Path(os.environ["CDK_OUTDIR"])
plain, secure = {{"Logs": {BUCKET!r}}}, {{"Logs": {BUCKET!r}, "Policy": {DENY!r}}}

def stack(file):
    return {{
        "type": "aws:cloudformation:stack",
        "environment": "aws://unknown-account/unknown-region",
        "properties": {{"templateFile": str(file)}},
    }}

def stage(directory):
    return {{"type": "cdk:cloud-assembly", "properties": {{"directoryName": str(directory)}}}}

def write(resources, directory=out, artifact=None, **more):
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "Top.template.json").write_text(json.dumps({{"Resources": resources}}))
    manifest = {{"version": "48.0.0", "artifacts": {{"Top": artifact or stack("Top.template.json")}}, **more}}
    (directory / "manifest.json").write_text(json.dumps(manifest))

def inside(path):
    return Path(f"{{out}}{{path}}")

def instead(name, make, *arguments):
    os.unlink(out / name)
    make(*arguments, out / name)
"""
SB001 = "SB001 error: bucket `Logs`: anyone can GET `report.csv` over plain HTTP"
CASES = {
    "ends at once": ("os._exit(0)", "the app wrote no"),
    "writes to another directory": ("write(plain, Path('other'))", "the app wrote no"),
    "changes its directory": (
        "os.mkdir('in'); os.chdir('in'); write(plain, Path('out'))",
        "the app wrote no",
    ),
    "removes its directory": (
        "import shutil; write(plain); shutil.rmtree(os.getcwd())",
        "the app wrote no",
    ),
    "is killed after the manifest": ("write(secure); os.kill(os.getpid(), signal.SIGKILL)", "signal 9 ended"),
    "aborts after the manifest": ("write(secure); os.abort()", "signal 6 ended"),
    "closes its streams": ("write(plain); os.close(1); os.close(2); os._exit(0)", SB001),
    "leaves a daemon with its streams": (
        "write(plain)\nif os.fork() == 0: time.sleep(1); os._exit(0)",
        SB001,
    ),
    "makes the directory a link": ("write(plain, Path('real')); out.symlink_to('real')", SB001),
    "makes the manifest a link": (
        "write(plain); os.rename(out / 'manifest.json', 'm.json')\n"
        "os.symlink(os.path.abspath('m.json'), out / 'manifest.json')",
        SB001,
    ),
    "makes the manifest a directory": ("write(plain); instead('manifest.json', os.mkdir)", "is a directory"),
    "makes the manifest a FIFO": ("write(plain); instead('manifest.json', os.mkfifo)", "not a regular file"),
    "makes the manifest endless": (
        "write(plain); instead('manifest.json', os.symlink, '/dev/zero')",
        "not a regular file",
    ),
    "makes the template a FIFO": (
        "write(plain); instead('Top.template.json', os.mkfifo)",
        "not a regular file",
    ),
    "writes half a template": (
        "write(plain); file = out / 'Top.template.json'; file.write_text(file.read_text()[:30])",
        "is not JSON",
    ),
    "writes two templates into one file": (
        "write(secure); file = out / 'Top.template.json'; file.write_text(file.read_text() * 2)",
        "is not JSON",
    ),
    "writes UTF-16": (
        "write(plain); file = out / 'manifest.json'; file.write_text(file.read_text(), encoding='utf-16')",
        "is not JSON",
    ),
    "names an absolute template": (
        "good = Path('good').absolute(); write(secure, good)\n"
        "write(secure, artifact=stack(good / 'Top.template.json'))\n"
        "write(plain, inside(good))",
        SB001,
    ),
    "names an absolute Stage": (
        "good = Path('good').absolute(); write(secure, good)\n"
        "write(secure, artifact=stage(good))\n"
        "write(plain, inside(good))",
        SB001,
    ),
    "names a template behind a link": (
        "write(secure, Path('good/in')); write(secure, Path('good')); write(plain)\n"
        "write(plain, artifact=stack('link/../Top.template.json'))\n"
        "os.symlink(os.path.abspath('good/in'), out / 'link')",
        SB001,
    ),
    "names no stack in a way that is known": (
        "write(plain, artifact={'type': 'aws:stack', 'properties': {'file': 'Top.template.json'}})",
        SB001,
    ),
    "says that its template is left over": (
        "import hashlib; write(plain); data = (out / 'Top.template.json').read_bytes()\n"
        "left = {'Top.template.json': hashlib.sha256(data).hexdigest()}\n"
        "(out / 'secure-bucket-judged.json').write_text(json.dumps({'files': {}, 'left': left}))",
        SB001,
    ),
    "says that it is refused already": (
        "write(plain); (out / 'manifest.json.refused').write_bytes((out / 'manifest.json').read_bytes())",
        SB001,
    ),
    "blocks the name of the record": (
        "write(secure); (out / 'secure-bucket-judged.json').mkdir()",
        "/out` cannot be written: Is a directory",
    ),
    "blocks the name of a refused manifest": (
        "write(plain); (out / 'manifest.json.refused').mkdir()",
        "do not deploy",
    ),
}


@pytest.fixture(autouse=True)
def outdir(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The output directory that the CDK CLI names."""
    monkeypatch.setenv("CDK_OUTDIR", str(directory / "out"))
    monkeypatch.setenv("CDK_CLI_VERSION", "2.1148.1")
    return directory / "out"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no FIFOs and no such links")
@pytest.mark.parametrize(("code", "message"), CASES.values(), ids=CASES)
def test_an_app_does_not_pass_that(run: Run, code: str, message: str) -> None:
    outcome = run("gate", *python(HEAD + code))
    assert outcome.code not in (0, 2), outcome.err
    assert message in outcome.err
    assert "Traceback" not in outcome.err
