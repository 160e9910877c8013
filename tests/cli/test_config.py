"""The settings of a project."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from tests.cli.harness import OPEN, SECURE, UNDECIDED, Outcome

Run = Callable[..., Outcome]


def test_settings_of_either_file(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(UNDECIDED)
    assert run("check", "a.yaml").code == 3
    (directory / "pyproject.toml").write_text('[tool.secure-bucket]\nundecided = "warn"\n')
    assert run("check", "a.yaml").code == 0
    (directory / "secure-bucket.toml").write_text('undecided = "error"\n')
    assert run("check", "a.yaml").code == 3
    assert run("check", "--no-config", "a.yaml").code == 3
    assert run("check", "--config", "pyproject.toml", "a.yaml").code == 0


def test_command_line_counts_more(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(SECURE)
    (directory / "secure-bucket.toml").write_text('minimum-tls = 1.3\nstrict = true\nundecided = "warn"\n')
    assert run("check", "a.yaml").code == 1
    assert '"NumericLessThan": {"s3:TlsVersion": 1.2}' in run("check", "a.yaml", "--minimum-tls", "1.2").out
    (directory / "a.yaml").write_text(UNDECIDED)
    (directory / "secure-bucket.toml").write_text('undecided = "warn"\n')
    assert run("check", "a.yaml", "--undecided=error").code == 3


def test_nearest_file_upwards(directory: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = directory / "app" / "infra"
    inner.mkdir(parents=True)
    (inner / "a.yaml").write_text(UNDECIDED)
    (directory / "secure-bucket.toml").write_text('undecided = "warn"\n')
    # Without a table for us it is somebody else's file.
    (directory / "app" / "pyproject.toml").write_text("[tool.ruff]\nline-length = 110\n# secure-bucket\n")
    monkeypatch.chdir(inner)
    assert run("check", "a.yaml").code == 0
    (directory / "app" / "pyproject.toml").write_text("[tool.secure-bucket]\n")
    assert run("check", "a.yaml").code == 3


def test_paths_start_from_the_file(directory: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (directory / "infra").mkdir()
    (directory / "src").mkdir()
    (directory / "infra" / "a.yaml").write_text(OPEN)
    (directory / "infra" / "b-test.yaml").write_text(OPEN)
    (directory / "secure-bucket.toml").write_text('paths = ["infra"]\nexclude = ["*-test.yaml"]\n')
    monkeypatch.chdir(directory / "src")
    outcome = run("check")
    assert outcome.code == 1
    assert "1 bucket in 1 template" in outcome.out
    (directory / "src" / "c.yaml").write_text(SECURE)
    assert run("check", "c.yaml").code == 0


def test_baseline_in_the_settings(directory: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (directory / "a.yaml").write_text(OPEN)
    run("check", "a.yaml", "--write-baseline", "base.json")
    (directory / "secure-bucket.toml").write_text('baseline = "base.json"\njobs = 1\n')
    (directory / "src").mkdir()
    monkeypatch.chdir(directory / "src")
    assert run("check", "../a.yaml").code == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("undecidet = 1", "there is no setting `undecidet`; did you mean `undecided`?"),
        ("x = 1", "there is no setting `x`; the settings are `paths`, `exclude`"),
        ("undecided = 1", '`undecided` must be `"error"` or `"warn"`, not `1`'),
        ("strict = 1", "`strict` must be `true` or `false`, not `1`"),
        ("minimum-tls = 2", "`minimum-tls` must be a TLS version such as `1.2`, not `2`"),
        ("minimum-tls = true", "`minimum-tls` must be a TLS version"),
        ("jobs = 0", "`jobs` must be a number from 1, not `0`"),
        ("jobs = true", "`jobs` must be a number from 1"),
        ('paths = "a"', "`paths` must be a list of texts, not `a`"),
        ("paths = [1]", "`paths` must be a list of texts"),
        ('baseline = ""', "`baseline` must be a text"),
        ("a = [", "`secure-bucket.toml` is not TOML"),
        ("exceptions = 1", "`exceptions` must be a list of tables"),
        ("exceptions = [1]", "`exceptions[0]` must be a table"),
        ('[[exceptions]]\npath = "a"', "`exceptions[0]` has no `logical-id`"),
        ("[[exceptions]]\nlogicalid = 1", "`logicalid`; did you mean `logical-id`?"),
    ],
)
def test_wrong_settings(directory: Path, run: Run, text: str, said: str) -> None:
    (directory / "a.yaml").write_text(SECURE)
    (directory / "secure-bucket.toml").write_text(text)
    outcome = run("check", "a.yaml")
    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err
    assert outcome.err.startswith("secure-bucket: `secure-bucket.toml`")


def test_file_that_cannot_be_used(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(SECURE)
    (directory / "pyproject.toml").write_text("[project]\n")
    assert "has no table `[tool.secure-bucket]`" in run("check", "--config=pyproject.toml", "a.yaml").err
    assert "cannot be read: No such file" in run("check", "--config=gone.toml", "a.yaml").err
    (directory / "secure-bucket.toml").symlink_to("gone.toml")
    assert run("check", "a.yaml").code == 2
    (directory / "secure-bucket.toml").unlink()
    (directory / "secure-bucket.toml").write_bytes(b"\xff")
    assert "is not UTF-8 text" in run("check", "a.yaml").err
    (directory / "secure-bucket.toml").unlink()
    (directory / "pyproject.toml").write_text("tool = {secure-bucket = 1}\n")
    assert "is not a table of settings" in run("check", "a.yaml").err


def test_table_of_pyproject_in_a_file_of_our_own(directory: Path, run: Run) -> None:
    (directory / "a.yaml").write_text(OPEN)
    (directory / "secure-bucket.toml").write_text("[tool.secure-bucket]\nstrict = true\n")
    outcome = run("check", "a.yaml")
    assert outcome.code == 2
    assert (
        "`[tool.secure-bucket]` is for `pyproject.toml`: in this file, write the settings without it"
        in outcome.err
    )


def test_the_settings_in_force_are_printed_as_settings(directory: Path, run: Run) -> None:
    exception = '[[exceptions]]\nrule = "SB001"\nreason = "no TLS"\npath = "*.yaml"\nlogical-id = "Logs"\n'
    settings = f'strict = true\nignore = ["website-needs-http"]\n\n{exception}expires = 2027-03-01\n'
    (directory / "secure-bucket.toml").write_text(settings)
    (directory / "a.yaml").write_text(SECURE)
    outcome = run("check", "--show-settings", "a.yaml", "--minimum-tls", "1.2", "--jobs", "2")
    assert outcome.code == 0
    assert outcome.out == (
        "# from `secure-bucket.toml` and the command line\n"
        'paths = ["a.yaml"]\nexclude = []\nselect = []\nignore = ["SB004"]\nundecided = "error"\n'
        f"strict = true\nminimum-tls = 1.2\njobs = 2\n\n{exception}expires = 2027-03-01\n"
    )
    (directory / "again.toml").write_text(outcome.out)
    assert run("check", "--config", "again.toml", "--show-settings").out == outcome.out.replace(
        "secure-bucket.toml", "again.toml"
    )


def test_the_schema_accepts_what_the_command_accepts() -> None:
    schema = json.loads(files("secure_bucket.formats").joinpath("settings-1.schema.json").read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    exception = {"rule": "SB001", "reason": "no TLS", "bucket": "scans"}
    good = {"paths": ["infra"], "minimum-tls": 1.2, "ignore": ["SB004"], "exceptions": [exception]}
    assert validator.is_valid(good)
    for wrong in ({"minimum-tls": 2}, {"path": ["infra"]}, {"jobs": 0}, {"undecided": "fail"}):
        assert not validator.is_valid(wrong), wrong
