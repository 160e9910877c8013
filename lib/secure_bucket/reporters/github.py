"""The report as workflow commands, so that GitHub Actions shows each finding on its line.

GitHub shows at most ten errors, ten warnings and ten notices of one step, so the errors come first. See
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands.
"""

from __future__ import annotations

from secure_bucket.findings.finding import Finding, Level, Report
from secure_bucket.policy.unknown import Place
from secure_bucket.reporters.characters import well_formed
from secure_bucket.reporters.extent import extent
from secure_bucket.reporters.run import Run
from secure_bucket.reporters.summary import summary

__all__ = ["render"]

_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def render(report: Report, run: Run) -> str:
    """Return the report as workflow commands, one a line, and the summary as a notice."""
    commands = [
        _command(
            "error", run, fault.at if fault.at.file else Place(file=fault.file), "not checked", fault.message
        )
        for fault in report.faults
    ]
    for level in Level:
        commands += [_finding(finding, run) for finding in report.findings if finding.level is level]
    for granted in report.exceptions:
        if granted.used:
            until = f" until {granted.expires.isoformat()}" if granted.expires else ""
            message = f"`{granted.logical_id}` is excepted from {granted.rule}{until}: {granted.reason}"
            commands.append(_command("notice", run, granted.at, "exception", message))
    commands.append(_command("notice", run, Place(), "secure-bucket", summary(report)))
    return well_formed("".join(f"{command}\n" for command in commands))


def _finding(finding: Finding, run: Run) -> str:
    at = finding.created_at or finding.at
    message = f"{finding.message}\nFix: {finding.fix}"
    return _command(_COMMANDS[finding.level], run, at, finding.rule, message)


def _command(command: str, run: Run, at: Place, title: str, message: str) -> str:
    properties = {}
    if at.file:
        properties["file"] = run.relative(at.file)
        if at.line:
            properties["line"] = str(at.line)
            source = run.source(at.file)
            part = extent(source, at) if source is not None else None
            if part is not None and part.end_line > part.line:
                # Over several lines GitHub takes no columns.
                properties["endLine"] = str(part.end_line)
            elif at.column:
                properties["col"] = str(at.column)
                if part is not None:
                    properties["endColumn"] = str(part.end_column)
    properties["title"] = title
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{command} {listed}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
