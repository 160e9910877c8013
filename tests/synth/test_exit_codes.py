"""The exit codes of the gate, one app for each situation of `docs/trust.md`, through the real `cdk synth`.

python -m pytest -v tests/synth/test_exit_codes.py
"""

from __future__ import annotations

import functools
import json
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.synth.harness import ROOT, Run, run_in, write_app
from tests.synth.situations import SITUATIONS

APP = """
import sys
sys.path.insert(0, {root!r})
from secure_bucket import enforce_secure_transport
from tests.synth.situations import SITUATIONS

situation = SITUATIONS[app.node.try_get_context("case")]
if situation.is_fixed:
    situation.build(app)
    enforce_secure_transport(app, mode=Mode.FIX, quiet=True)
else:
    enforce_secure_transport(app, quiet=True)
    situation.build(app)
"""

END = """
app.synth()
if situation.after is not None:
    situation.after(app)
"""


@pytest.fixture(scope="module")
def run_case(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Run, Run]]:
    """Return what runs `cdk synth` and then `check` on a situation, once for all that are in one app."""

    @functools.cache
    def run_app(build: Callable[[Any], Any], case: str) -> tuple[Run, Run]:
        situation = SITUATIONS[case]
        directory = tmp_path_factory.mktemp(build.__name__)
        write_app(directory, APP.format(root=str(ROOT)), gate="", end=END)
        run = Run(0, "", "", directory)
        if situation.is_run_alone:
            run.python(CDK_CONTEXT_JSON=json.dumps({"case": case}), CDK_VALIDATION="false")
            run = run.deployable()
        else:
            run = run.again("-c", f"case={case}", *situation.arguments)
        if situation.edit is not None:
            situation.edit(directory)
        return run, run_in(directory, sys.executable, "-m", "secure_bucket", "check", "cdk.out")

    def run_case(case: str) -> tuple[Run, Run]:
        build = SITUATIONS[case].build
        first = next(each for each, situation in SITUATIONS.items() if situation.build is build)
        return run_app(build, first)

    return run_case


@pytest.mark.slow
@pytest.mark.parametrize("case", SITUATIONS)
def test_the_gate_and_the_check_of_its_assembly_exit_with(
    case: str, run_case: Callable[[str], tuple[Run, Run]]
) -> None:
    situation = SITUATIONS[case]
    synth, check = run_case(case)
    assert synth.code == situation.synth, synth.stderr
    assert check.code == situation.check, check.stdout + check.stderr
    for run in (synth, check):
        assert situation.named in run.stdout + run.stderr


def test_the_documentation_lists_each_situation_with_its_exit_codes() -> None:
    text = (ROOT / "docs" / "trust.md").read_text(encoding="utf-8")
    section = text.partition("## Exit codes of the gate")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+) \| (\d) \| (\d) \|$", section, re.MULTILINE)
    assert rows == [(each.title, str(each.synth), str(each.check)) for each in SITUATIONS.values()]
