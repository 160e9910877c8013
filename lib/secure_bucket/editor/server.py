"""Serve an editor: judge the newest text in the background, and discard results for older texts.

https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/ (read 2026-11).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from secure_bucket.editor.judged_text import JudgedText, judge_text
from secure_bucket.editor.open_text import OpenText
from secure_bucket.findings.finding import Finding, Level

__all__ = ["Server", "make_server"]

_SEVERITIES = {
    Level.ERROR: lsp.DiagnosticSeverity.Error,
    Level.WARNING: lsp.DiagnosticSeverity.Warning,
    Level.NOTE: lsp.DiagnosticSeverity.Information,
}
_SOURCE = "secure-bucket"
_FIXABLE = "SB001"
_ACTIONS = [lsp.CodeActionKind.QuickFix, lsp.CodeActionKind.SourceFixAll]
_Result = TypeVar("_Result")


class Server(LanguageServer):
    """A language server that knows whether the editor asked it to shut down."""

    is_shut_down = False


def make_server(
    *, version: str, strict: bool = False, rule_address: Callable[[str], str] = lambda rule: ""
) -> Server:
    """Return a language server for CloudFormation templates.

    Args:
        version: The version that it reports.
        strict: As for `check`.
        rule_address: Returns the address of the manual of a rule; `""` if the address is unknown.
    """
    # The editor sends the whole text with each change, because pygls counts a form feed and U+2028 as line
    # ends, unlike the protocol, and would apply partial changes to the wrong lines.
    server = Server(_SOURCE, version, text_document_sync_kind=lsp.TextDocumentSyncKind.Full)
    editor = _Editor(server, strict, rule_address)

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    async def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        await editor.diagnose(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: lsp.DidChangeTextDocumentParams) -> None:
        await editor.diagnose(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        editor.forget(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    async def hover(params: lsp.HoverParams) -> lsp.Hover | None:
        return await editor.hover(params)

    @server.feature(
        lsp.TEXT_DOCUMENT_CODE_ACTION,
        lsp.CodeActionOptions(code_action_kinds=_ACTIONS),
    )
    async def actions(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        return await editor.actions(params)

    @server.feature(lsp.SHUTDOWN)
    def shut_down(_: None) -> None:
        server.is_shut_down = True

    return server


class _Editor:
    """The open documents of one editor.

    Args:
        server: The connection.
        strict: As for `check`.
        rule_address: Returns the address of the manual of a rule.
    """

    def __init__(self, server: LanguageServer, strict: bool, rule_address: Callable[[str], str]) -> None:
        self._server = server
        self._strict = strict
        self._rule_address = rule_address
        # One thread judges the texts, and skips those that are outdated when their turn comes. Requests have
        # their own thread, because a fix of many buckets takes longer than the judgement of the next text.
        self._judging = ThreadPoolExecutor(max_workers=1)
        self._answering = ThreadPoolExecutor(max_workers=1)
        self._open: dict[str, OpenText] = {}
        self._judged: dict[str, JudgedText] = {}

    def forget(self, uri: str) -> None:
        """Withdraw the findings about a closed document."""
        self._open.pop(uri, None)
        self._judged.pop(uri, None)
        self._publish(uri, None, [])

    async def diagnose(self, uri: str) -> None:
        """Publish the findings about a document that the editor opened or changed."""
        document = self._server.workspace.get_text_document(uri)
        encoding = lsp.PositionEncodingKind(self._server.workspace.position_encoding or "utf-16")
        text = self._open[uri] = OpenText(uri, document.version, document.source, encoding.value)
        judged = await self._judge(text)
        if judged is None:
            return
        diagnostics = [self._diagnostic(text, judged, finding) for finding in judged.findings]
        if judged.fault:
            line = min(judged.fault_line, len(text.lines) or 1) - 1
            where = lsp.Range(lsp.Position(line, 0), lsp.Position(line + 1, 0))
            diagnostics.append(
                lsp.Diagnostic(where, judged.fault, lsp.DiagnosticSeverity.Error, source=_SOURCE)
            )
        self._publish(uri, text.version, diagnostics)

    async def hover(self, params: lsp.HoverParams) -> lsp.Hover | None:
        """Explain the statement under the cursor."""
        text = self._open.get(params.text_document.uri)
        judged = await self._judge(text)
        if text is None or judged is None:
            return None
        at = text.place_of(params.position)
        explained = await self._run(text, lambda: judged.explain(*at, strict=self._strict), self._answering)
        if explained is None:
            return None
        words, extent = explained
        return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, words), text.range_of(extent))

    async def actions(self, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        """Offer the deny for the buckets in a range, and for the whole template."""
        text = self._open.get(params.text_document.uri)
        judged = await self._judge(text)
        if text is None or judged is None:
            return []
        offers: list[lsp.CodeAction | None] = []
        only = params.context.only or _ACTIONS
        for finding in judged.findings if lsp.CodeActionKind.QuickFix in only else ():
            where = text.range_of(judged.extent(finding.at))
            if finding.rule == _FIXABLE and _overlap(where, params.range):
                title = f"Deny plain HTTP to bucket `{finding.logical_id}`"
                about = [self._diagnostic(text, judged, finding)]
                offers.append(
                    await self._offer(
                        text, judged, title, lsp.CodeActionKind.QuickFix, finding.logical_id, about
                    )
                )
        if any(lsp.CodeActionKind.SourceFixAll.value.startswith(kind) for kind in only):
            title = "Deny plain HTTP to every bucket of this template"
            offers.append(await self._offer(text, judged, title, lsp.CodeActionKind.SourceFixAll, None, []))
        return [] if self._is_outdated(text) else [each for each in offers if each is not None]

    async def _offer(
        self,
        text: OpenText,
        judged: JudgedText,
        title: str,
        kind: lsp.CodeActionKind,
        logical_id: str | None,
        diagnostics: list[lsp.Diagnostic],
    ) -> lsp.CodeAction | None:
        fixed = await self._run(text, lambda: judged.fixed(logical_id, strict=self._strict), self._answering)
        if fixed is None:
            return None
        edit = lsp.TextDocumentEdit(
            lsp.OptionalVersionedTextDocumentIdentifier(text.uri, text.version), [text.edit_to(fixed)]
        )
        return lsp.CodeAction(title, kind, diagnostics, edit=lsp.WorkspaceEdit(document_changes=[edit]))

    async def _judge(self, text: OpenText | None) -> JudgedText | None:
        """Return the findings about a text; `None` if the editor has a newer text."""
        if text is None or self._is_outdated(text):
            return None
        known = self._judged.get(text.uri)
        if known is not None and known.text == text.text:
            return known
        document = self._server.workspace.get_text_document(text.uri)
        name = os.path.basename(document.path or text.uri)
        judged = await self._run(
            text, lambda: judge_text(text.text, name, strict=self._strict), self._judging
        )
        if judged is not None:
            self._judged[text.uri] = judged
        return judged

    def _is_outdated(self, text: OpenText) -> bool:
        return self._open.get(text.uri) is not text

    async def _run(
        self, text: OpenText, work: Callable[[], _Result], worker: ThreadPoolExecutor
    ) -> _Result | None:
        """Return the result of work in the background; `None` if the text is outdated before or after it."""
        loop = asyncio.get_running_loop()
        result = await loop.run_in_executor(worker, lambda: None if self._is_outdated(text) else work())
        return None if self._is_outdated(text) else result

    def _diagnostic(self, text: OpenText, judged: JudgedText, finding: Finding) -> lsp.Diagnostic:
        address = self._rule_address(finding.rule)
        return lsp.Diagnostic(
            text.range_of(judged.extent(finding.at)),
            f"{finding.message}\nfix: {finding.fix}",
            _SEVERITIES[finding.level],
            finding.rule,
            lsp.CodeDescription(address) if address else None,
            _SOURCE,
        )

    def _publish(self, uri: str, version: int | None, diagnostics: list[lsp.Diagnostic]) -> None:
        self._server.text_document_publish_diagnostics(
            lsp.PublishDiagnosticsParams(uri, diagnostics, version)
        )


def _overlap(one: lsp.Range, other: lsp.Range) -> bool:
    return one.start <= other.end and other.start <= one.end
