"""Serve an editor: judge the newest text in the background, and never answer for an older one.

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
from pygls.workspace import TextDocument

from secure_bucket.editor.judged_text import JudgedText, judge_text
from secure_bucket.findings.finding import Finding, Level
from secure_bucket.formats.extent import Extent

__all__ = ["make_server"]

_SEVERITIES = {
    Level.ERROR: lsp.DiagnosticSeverity.Error,
    Level.WARNING: lsp.DiagnosticSeverity.Warning,
    Level.NOTE: lsp.DiagnosticSeverity.Information,
}
_SOURCE = "secure-bucket"
_FIXABLE = "SB001"
_ACTIONS = [lsp.CodeActionKind.QuickFix, lsp.CodeActionKind.SourceFixAll]
_Result = TypeVar("_Result")


def make_server(
    *, version: str, strict: bool = False, rule_address: Callable[[str], str] = lambda rule: ""
) -> LanguageServer:
    """Return a language server for CloudFormation templates.

    Args:
        version: The version that it reports.
        strict: As for `check`.
        rule_address: Returns the address of the manual of a rule; `""` if it is not known.
    """
    server = LanguageServer(_SOURCE, version, text_document_sync_kind=lsp.TextDocumentSyncKind.Incremental)
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
        lsp.CodeActionOptions(
            code_action_kinds=[lsp.CodeActionKind.QuickFix, lsp.CodeActionKind.SourceFixAll]
        ),
    )
    async def actions(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        return await editor.actions(params)

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
        # One text after the other: what waits may be outdated by the time it is its turn.
        self._worker = ThreadPoolExecutor(max_workers=1)
        self._judged: dict[str, JudgedText] = {}

    def forget(self, uri: str) -> None:
        """Take the findings about a closed document back."""
        self._judged.pop(uri, None)
        self._publish(uri, None, [])

    async def hover(self, params: lsp.HoverParams) -> lsp.Hover | None:
        """Explain the statement under the cursor."""
        document = self._document(params.text_document.uri)
        judged = await self._judge(document)
        if judged is None:
            return None
        at = self._at(document, params.position)
        explained = await self._run(lambda: judged.explain(*at, strict=self._strict))
        if explained is None:
            return None
        text, extent = explained
        content = lsp.MarkupContent(lsp.MarkupKind.Markdown, text)
        return lsp.Hover(content, _range(document, extent))

    async def actions(self, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        """Offer the deny for the buckets in a range, and for the whole template."""
        document = self._document(params.text_document.uri)
        judged = await self._judge(document)
        if judged is None:
            return []
        offers: list[lsp.CodeAction] = []
        only = params.context.only or _ACTIONS
        for finding in judged.findings if lsp.CodeActionKind.QuickFix in only else ():
            diagnostic = self._diagnostic(document, judged, finding)
            if finding.rule == _FIXABLE and _overlap(diagnostic.range, params.range):
                title = f"Deny plain HTTP to bucket `{finding.logical_id}`"
                offers += await self._offer(
                    document, judged, title, lsp.CodeActionKind.QuickFix, finding.logical_id, [diagnostic]
                )
        if any(lsp.CodeActionKind.SourceFixAll.value.startswith(kind) for kind in only):
            title = "Deny plain HTTP to every bucket of this template"
            offers += await self._offer(document, judged, title, lsp.CodeActionKind.SourceFixAll, None, [])
        return offers

    async def _offer(
        self,
        document: TextDocument,
        judged: JudgedText,
        title: str,
        kind: lsp.CodeActionKind,
        logical_id: str | None,
        diagnostics: list[lsp.Diagnostic],
    ) -> list[lsp.CodeAction]:
        fixed = await self._run(lambda: judged.fixed(logical_id, strict=self._strict))
        if fixed is None or self._document(document.uri).source != judged.text:
            return []
        edit = lsp.TextDocumentEdit(
            lsp.OptionalVersionedTextDocumentIdentifier(document.uri, document.version),
            [_difference(document, judged.text, fixed)],
        )
        return [lsp.CodeAction(title, kind, diagnostics, edit=lsp.WorkspaceEdit(document_changes=[edit]))]

    async def diagnose(self, uri: str) -> None:
        """Publish the findings about the newest text of a document."""
        document = self._document(uri)
        judged = await self._judge(document)
        if judged is None:
            return
        diagnostics = [self._diagnostic(document, judged, finding) for finding in judged.findings]
        if judged.fault:
            line = min(judged.fault_line, len(document.lines) or 1) - 1
            where = lsp.Range(lsp.Position(line, 0), lsp.Position(line + 1, 0))
            diagnostics.append(
                lsp.Diagnostic(where, judged.fault, lsp.DiagnosticSeverity.Error, source=_SOURCE)
            )
        self._publish(uri, document.version, diagnostics)

    async def _judge(self, document: TextDocument) -> JudgedText | None:
        """Return the findings about a document; `None` if it changed in the meantime."""
        text, uri = document.source, document.uri
        known = self._judged.get(uri)
        if known is not None and known.text == text:
            return known
        name = os.path.basename(document.path or uri)
        judged = await self._run(
            lambda: None if self._is_outdated(uri, text) else judge_text(text, name, strict=self._strict)
        )
        if judged is None or self._is_outdated(uri, text):
            return None
        self._judged[uri] = judged
        return judged

    def _is_outdated(self, uri: str, text: str) -> bool:
        documents = self._server.workspace.text_documents
        return uri not in documents or documents[uri].source != text

    async def _run(self, work: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)

    def _document(self, uri: str) -> TextDocument:
        return self._server.workspace.get_text_document(uri)

    def _at(self, document: TextDocument, position: lsp.Position) -> tuple[int, int]:
        """Return the line and the column of a position, from 1."""
        place = document.position_codec.position_from_client_units(document.lines, position)
        return place.line + 1, place.character + 1

    def _diagnostic(self, document: TextDocument, judged: JudgedText, finding: Finding) -> lsp.Diagnostic:
        address = self._rule_address(finding.rule)
        return lsp.Diagnostic(
            _range(document, judged.extent(finding.at)),
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


def _range(document: TextDocument, extent: Extent | None) -> lsp.Range:
    if extent is None:
        return lsp.Range(lsp.Position(0, 0), lsp.Position(0, 0))
    return document.position_codec.range_to_client_units(
        document.lines,
        lsp.Range(
            lsp.Position(extent.line - 1, extent.column - 1),
            lsp.Position(extent.end_line - 1, extent.end_column - 1),
        ),
    )


def _overlap(one: lsp.Range, other: lsp.Range) -> bool:
    return one.start <= other.end and other.start <= one.end


def _difference(document: TextDocument, before: str, after: str) -> lsp.TextEdit:
    """Return the edit of the lines that differ."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    last = len(old) - end
    # A text without a newline at its end has no line behind it.
    until = (
        lsp.Position(last, 0)
        if last < len(old) or before.endswith(("\n", "\r"))
        else document.position_codec.position_to_client_units(
            document.lines, lsp.Position(last - 1, len(old[-1]))
        )
    )
    return lsp.TextEdit(lsp.Range(lsp.Position(start, 0), until), "".join(new[start : len(new) - end]))
