"""The tools of the CDK CLI show our findings: `cdk validate`, `cdk explore` and `cdk lsp`.

The report that they read is written by the gate of a TypeScript app, and by the plugin of a Python app.
"""

from __future__ import annotations

import asyncio
import http.cookiejar
import json
import os
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

from tests.languages.typescript_app import TypeScriptApp
from tests.synth.harness import CDK, OWN_VALIDATION_OFF, Run, run_in, shell_environment, write_app

pytestmark = pytest.mark.slow
MESSAGE = "`Reports/Plain`: bucket `Plain295EB121`: anyone can GET `report.csv` over plain HTTP"
PYTHON = """
stack = cdk.Stack(app, "Reports")
s3.Bucket(stack, "Plain")
"""


class App:
    """An app with one open bucket, and the program that creates it."""

    def __init__(self, language: str, directory: Path) -> None:
        self.directory = directory
        if language == "TypeScript":
            TypeScriptApp(directory, "newest").write()
            self.program, self.fix = (
                directory / "bin" / "app.ts",
                ("'Plain');", "'Plain', { enforceSSL: true });"),
            )
        else:
            write_app(directory, PYTHON)
            (directory / "cdk.json").write_text('{"app": "python app.py"}')
            self.program, self.fix = directory / "app.py", ('"Plain")', '"Plain", enforce_ssl=True)')
        text = self.program.read_text()
        self.line = 1 + next(number for number, line in enumerate(text.splitlines()) if self.fix[0] in line)

    def cdk(self, *words: str) -> Run:
        return run_in(self.directory, str(CDK), *words, "--no-notices", **OWN_VALIDATION_OFF)

    def mend(self) -> None:
        self.program.write_text(self.program.read_text().replace(*self.fix))


@pytest.fixture(params=["TypeScript", "Python"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> App:
    return App(request.param, tmp_path)


def test_validate_prints_the_finding_with_its_line(app: App) -> None:
    run = app.cdk("validate", "--unstable=validate")
    assert run.code == 1
    assert "can GET `report.csv` over plain HTTP" in run.stderr
    assert f"{app.program.relative_to(app.directory)}:{app.line}" in run.stderr
    app.mend()
    assert app.cdk("validate", "--unstable=validate").code == 0


@contextmanager
def explorer(directory: Path) -> Iterator[str]:
    """Start `cdk explore`, and yield the address that it prints."""
    with subprocess.Popen(
        [str(CDK), "explore", "--unstable=explore", "--no-notices", "--port", "0"],
        cwd=directory,
        env=shell_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield next(line for line in process.stdout if "http://" in line).rpartition(" ")[2].strip()
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # `node` is a process of its own, below a Python script.


def test_explore_shows_one_finding_at_its_line(app: App) -> None:
    assert app.cdk("synth", "--quiet").code == 1
    with explorer(app.directory) as address:
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        browser.open(address, timeout=30).close()  # The token in the address becomes a cookie.
        with browser.open(f"{address.partition('?')[0]}api/policy-validation", timeout=30) as answer:
            shown: dict[str, Any] = json.load(answer)
    (violation,) = (each for each in shown["violations"] if each["ruleName"] == "SB001")
    assert violation["description"].startswith(MESSAGE)
    (occurrence,) = violation["occurrences"]
    file = str(app.program.relative_to(app.directory))
    assert {"file": file, "line": app.line} in occurrence["sourceLocations"]


async def session(app: App) -> None:
    """Open the program in an editor, synthesize it, fix it, and synthesize it again."""
    client = LanguageClient("tests", "1")
    published: asyncio.Queue[lsp.PublishDiagnosticsParams] = asyncio.Queue()
    uri = app.program.as_uri()

    @client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    def on_diagnostics(params: lsp.PublishDiagnosticsParams) -> None:
        if params.uri == uri:
            published.put_nowait(params)

    @client.feature(lsp.WINDOW_LOG_MESSAGE)
    def on_log(_: lsp.LogMessageParams) -> None:
        """The output of the synthesis."""

    words = (str(CDK), "lsp", "--unstable=lsp", "--no-notices")
    await client.start_io(*words, cwd=app.directory, env=shell_environment(**OWN_VALIDATION_OFF))
    folder = lsp.WorkspaceFolder(app.directory.as_uri(), "app")
    await client.initialize_async(
        lsp.InitializeParams(lsp.ClientCapabilities(), root_uri=folder.uri, workspace_folders=[folder])
    )
    client.initialized(lsp.InitializedParams())
    client.text_document_did_open(
        lsp.DidOpenTextDocumentParams(lsp.TextDocumentItem(uri, "any", 1, app.program.read_text()))
    )
    synthesize = lsp.ExecuteCommandParams("cdk.explorer.synthNow", [])
    await asyncio.wait_for(client.workspace_execute_command_async(synthesize), 120)
    (diagnostic,) = (await asyncio.wait_for(published.get(), 30)).diagnostics
    assert diagnostic.range.start.line == app.line - 1
    assert (diagnostic.code, diagnostic.source) == ("SB001", "secure-bucket")
    assert diagnostic.severity == lsp.DiagnosticSeverity.Error
    assert diagnostic.message.startswith(MESSAGE)
    app.mend()
    await asyncio.wait_for(client.workspace_execute_command_async(synthesize), 120)
    while published.qsize() > 1:
        published.get_nowait()
    assert not (await asyncio.wait_for(published.get(), 30)).diagnostics
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()


def test_the_language_server_shows_the_finding_until_it_is_fixed(app: App) -> None:
    asyncio.run(session(app))
