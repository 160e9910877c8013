"""The exit codes of the gate, one app for each situation of `docs/trust.md`, through the real `cdk synth`.

python -m pytest -v tests/synth/test_exit_codes.py
"""

from __future__ import annotations

import functools
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from secure_bucket.errors import TemplateError
from secure_bucket.testing import assert_denies_http
from tests.synth.harness import ROOT, Run, run_in, write_app
from tests.synth.situations import SITUATIONS
from tests.synth.situations.files import FILES, FileSituation, text_of
from tests.synth.situations.subjects import SUBJECTS, Subject

APP = """
import sys
sys.path.insert(0, {root!r})
from secure_bucket import enforce_secure_transport
from tests.synth.situations import SITUATIONS

situation = SITUATIONS[app.node.try_get_context("case")]
mode = Mode.FIX if situation.fix else Mode.FLAG
if situation.fix == "last":
    situation.build(app)
enforce_secure_transport(app, mode=mode, undecided=situation.undecided)
if situation.fix != "last":
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
        if situation.settings:
            (directory / "secure-bucket.toml").write_text(situation.settings, encoding="utf-8")
        write_app(directory, APP.format(root=str(ROOT)), gate="", end=END)
        run = Run(0, "", "", directory)
        if situation.is_run_alone:
            run.python(CDK_CONTEXT_JSON=json.dumps({"case": case}), CDK_VALIDATION="false")
            run = run.deployable()
        else:
            run = run.again("-c", f"case={case}", *situation.arguments)
        if situation.edit is not None:
            situation.edit(directory)
        arguments = situation.check_arguments
        if situation.undecided == "warning":
            arguments = (*arguments, "--undecided", "warn")
        return run, check_in(directory, "cdk.out", *arguments)

    def run_case(case: str) -> tuple[Run, Run]:
        build = SITUATIONS[case].build
        first = next(each for each, situation in SITUATIONS.items() if situation.build is build)
        return run_app(build, first)

    return run_case


def check_in(directory: Path, *arguments: str) -> Run:
    return run_in(directory, sys.executable, "-m", "secure_bucket", "check", *arguments)


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
        printed = run.stdout + run.stderr
        assert situation.named in printed
        assert not situation.never or situation.never not in printed
    assert situation.says in synth.stderr


@pytest.mark.parametrize("case", [case for case, each in SITUATIONS.items() if each.helper is not None])
def test_the_helper_for_tests_judges_as_the_gate(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A situation may set it.
    monkeypatch.setenv("CDK_VALIDATION", "false")
    situation = SITUATIONS[case]
    app = cdk.App(outdir=str(tmp_path))
    situation.build(app)
    if situation.helper:
        assert_denies_http(app)
    else:
        with pytest.raises((AssertionError, TemplateError), match=re.escape(situation.named) or None):
            assert_denies_http(app)


@pytest.mark.parametrize("situation", FILES, ids=lambda each: each.title)
def test_the_check_of_templates_exits_with(situation: FileSituation, tmp_path: Path) -> None:
    for name, content in situation.files.items():
        (tmp_path / name).write_text(text_of(content), encoding="utf-8")
    if situation.settings:
        (tmp_path / "secure-bucket.toml").write_text(situation.settings, encoding="utf-8")
    run = check_in(tmp_path, *situation.arguments)
    assert run.code == situation.code, run.stdout + run.stderr
    for words in situation.named:
        assert words in run.stdout + run.stderr


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda each: each.title)
def test_the_helper_for_tests_judges(subject: Subject, tmp_path: Path) -> None:
    given, options = subject.make(cdk.App(outdir=str(tmp_path))), dict(subject.options)
    if subject.passes:
        assert_denies_http(given, **options)
    else:
        with pytest.raises(AssertionError, match=re.escape(subject.says)):
            assert_denies_http(given, **options)


RESULTS = {True: "passes", False: "fails", None: "–"}


def test_the_documentation_lists_each_situation_with_its_results() -> None:
    text = (ROOT / "docs" / "trust.md").read_text(encoding="utf-8")
    section = text.partition("## Exit codes of the gate")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+) \| (\d) \| (\d) \| (.+) \|$", section, re.MULTILINE)
    assert rows == [
        (each.title, str(each.synth), str(each.check), RESULTS[each.helper]) for each in SITUATIONS.values()
    ]
    rows = re.findall(r"^\| ([^|]+) \| (\d) \|$", section, re.MULTILINE)
    assert rows == [(each.title, str(each.code)) for each in FILES]
    rows = re.findall(r"^\| ([^|]+) \| (passes|fails) \|$", section, re.MULTILINE)
    assert rows == [(each.title, RESULTS[each.passes]) for each in SUBJECTS]
