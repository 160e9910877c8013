"""The exit codes of the gate, one app for each situation of `docs/trust.md`, through the real `cdk synth`.

python -m pytest -v tests/synth/test_exit_codes.py
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.synth.harness import ROOT, Run, write_app
from tests.synth.situations import SITUATIONS

APP = """
import sys
sys.path.insert(0, {root!r})
from secure_bucket import enforce_secure_transport
from tests.synth.situations import SITUATIONS

situation = SITUATIONS[app.node.try_get_context("case")]
enforce_secure_transport(app, quiet=True)
situation.build(app)
"""

END = """
app.synth()
if situation.after is not None:
    situation.after(app)
"""


@pytest.mark.slow
@pytest.mark.parametrize("case", SITUATIONS)
def test_the_gate_and_the_check_of_its_assembly_exit_with(case: str, tmp_path: Path) -> None:
    situation = SITUATIONS[case]
    write_app(tmp_path, APP.format(root=str(ROOT)), gate="", end=END)
    run = Run(0, "", "", tmp_path).again("-c", f"case={case}", *situation.arguments)
    assert run.code == situation.synth, run.stderr
    command = [sys.executable, "-m", "secure_bucket", "check", "cdk.out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == situation.check, done.stdout + done.stderr


def test_the_documentation_lists_each_situation_with_its_exit_codes() -> None:
    text = (ROOT / "docs" / "trust.md").read_text(encoding="utf-8")
    section = text.partition("## Exit codes of the gate")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+) \| (\d) \| (\d) \|$", section, re.MULTILINE)
    assert rows == [(each.title, str(each.synth), str(each.check)) for each in SITUATIONS.values()]
