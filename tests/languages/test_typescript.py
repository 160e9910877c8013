"""The page of TypeScript holds on the oldest and on the newest AWS CDK, with the real `cdk synth`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.languages.typescript_app import (
    ACKNOWLEDGED,
    BUCKET,
    CLOSED,
    EXCEPTED,
    OPEN,
    TypeScriptApp,
    shown,
)

pytestmark = pytest.mark.slow
SYNTH = ("synth", "--quiet")


@pytest.fixture(params=["oldest", "newest"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> TypeScriptApp:
    return TypeScriptApp(tmp_path, request.param)


def test_the_app_goes_from_red_to_green_as_the_page_says(app: TypeScriptApp) -> None:
    output, summary = shown("text")
    app.write()
    # Older versions record the line of the program only with this option, as the page says.
    red = app.run(*SYNTH, *(("--debug",) if app.cdk == "oldest" else ()))
    assert red.code == 1
    said = red.stderr.splitlines()
    for line in output.splitlines():
        assert line in said
    assert (app.directory / "cdk.out" / "manifest.json.refused").is_file()
    app.write(bucket=CLOSED)
    green = app.run(*SYNTH)
    assert green.code == 0, green.stderr
    assert summary.rstrip() in green.stderr.splitlines()


def test_an_exception_is_accepted_as_the_page_says(app: TypeScriptApp) -> None:
    app.write(bucket=f"const bucket = {BUCKET}", after=EXCEPTED if app.cdk == "oldest" else ACKNOWLEDGED)
    run = app.run(*SYNTH)
    assert run.code == 0, run.stderr
    assert "1 refuted, 0 undecided, 0 skipped; 1 exception in use\n" in run.stderr


STAGE = """
const stage = new cdk.Stage(app, 'Prod');
const inner = new cdk.NestedStack(new cdk.Stack(stage, 'Reports'), 'Nested');
new s3.Bucket(inner, 'Plain');
"""


def test_a_bucket_in_a_nested_stack_of_a_stage_fails(app: TypeScriptApp) -> None:
    app.write(stack=STAGE)
    run = app.run(*SYNTH)
    assert run.code == 1
    assert "construct `Prod/Reports/Nested/Plain`" in run.stderr


@pytest.mark.parametrize("app", ["newest"], indirect=True)
def test_the_same_app_in_javascript(app: TypeScriptApp) -> None:
    app.write()
    program = (app.directory / "bin" / "app.ts").read_text()
    program = re.sub(r"import \* as (\w+) from ('.+?');", r"const \1 = require(\2);", program)
    (app.directory / "bin" / "app.js").write_text(program)
    run = app.run(*SYNTH, "--app", "secure-bucket gate -- node bin/app.js")
    assert run.code == 1
    assert "created at bin/app.js:6:1" in run.stderr


def test_the_page_shows_one_stack_in_both_states() -> None:
    assert OPEN.count("new s3.Bucket(stack, 'Plain')") == CLOSED.count("new s3.Bucket(stack, 'Plain'") == 1
