"""Write the report as workflow commands, so that GitHub Actions shows each finding on its line.

GitHub shows at most ten errors, ten warnings and ten notices of one step, so the errors come first. See
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands.
"""

from __future__ import annotations

from secure_bucket.findings.advice import plain_advice
from secure_bucket.findings.finding import Finding, Level, Report
from secure_bucket.formats.characters import well_formed
from secure_bucket.formats.ending import closing
from secure_bucket.formats.extent import Excerpts
from secure_bucket.formats.run import Run
from secure_bucket.values.unknown import Place

__all__ = ["render"]

_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def render(report: Report, run: Run) -> str:
    """Return the report as workflow commands, one on each line, and the summary as a notice."""
    writer = _Writer(run)
    commands = []
    for fault in report.faults:
        commands.append(writer.command("error", fault.place, "not checked", fault.message))
    for level in Level:
        commands += [writer.finding(finding) for finding in report.findings if finding.level is level]
    for granted in report.exceptions:
        if granted.used:
            until = f" until {granted.expires.isoformat()}" if granted.expires else ""
            message = f"`{granted.subject.label}` is excepted from {granted.rule}{until}: {granted.reason}"
            commands.append(writer.command("notice", granted.at, "exception", message))
    for at, logical_id, why in report.never_created:
        commands.append(writer.command("notice", at, "never created", f"bucket `{logical_id}`: {why}"))
    commands.append(writer.command("notice", Place(), "secure-bucket", closing(report)))
    return well_formed("".join(f"{command}\n" for command in commands))


class _Writer:
    def __init__(self, run: Run) -> None:
        self.run = run
        self.excerpts = Excerpts(run.source)

    def finding(self, finding: Finding) -> str:
        at = finding.created_at or finding.at
        message = f"{finding.message}\nFix: {plain_advice(finding)}"
        return self.command(_COMMANDS[finding.level], at, finding.rule, message)

    def command(self, command: str, at: Place, title: str, message: str) -> str:
        properties = {}
        if at.file:
            properties["file"] = self.run.relative(at.file)
        if at.file and at.line:
            properties["line"] = str(at.line)
            part = self.excerpts.at(at)
            if part is not None and part.end_line > part.line:
                # GitHub ignores columns for several lines.
                properties["endLine"] = str(part.end_line)
            elif part is not None:
                properties |= {"col": str(part.column), "endColumn": str(part.end_column)}
            elif at.column:
                properties["col"] = str(at.column)
        properties["title"] = title
        listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
        return f"::{command} {listed}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
