"""Put the advice of a finding into plain words and the programming language of the app."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec.structs import replace

from secure_bucket.findings.finding import Finding, Report
from secure_bucket.findings.rules import OLD_TLS
from secure_bucket.findings.rules.rule import ADVICE_IN_PYTHON

__all__ = ["advice_in", "plain_advice", "with_advice_for"]

_TYPESCRIPT = "set `enforceSSL: true`"
_ADVICE = {
    ".ts": _TYPESCRIPT,
    ".tsx": _TYPESCRIPT,
    ".mts": _TYPESCRIPT,
    ".js": _TYPESCRIPT,
    ".mjs": _TYPESCRIPT,
    ".cjs": _TYPESCRIPT,
    ".java": "call `.enforceSsl(true)` of the builder",
    ".kt": "call `.enforceSsl(true)` of the builder",
    ".cs": "set `EnforceSSL = true`",
    ".go": "set `EnforceSSL: jsii.Bool(true)`",
}

_PROGRAMS = {
    **dict.fromkeys(("node", "npx", "npm", "yarn", "pnpm", "bun", "bunx", "deno", "ts-node", "tsx"), ".ts"),
    **dict.fromkeys(("mvn", "mvnw", "gradle", "gradlew", "java"), ".java"),
    "dotnet": ".cs",
    "go": ".go",
    **dict.fromkeys(("python", "python3", "uv", "poetry", "pipenv"), ".py"),
}
# `make synth` and `./app` do not show the language; these files beside `cdk.json` do.
_FILES = {
    "go.mod": ".go",
    "pom.xml": ".java",
    "build.gradle": ".java",
    "build.gradle.kts": ".java",
    "tsconfig.json": ".ts",
}


def advice_in(suffix: str, fix: str) -> str:
    """Return the advice of a finding in the programming language of a file.

    Args:
        suffix: The ending of the file name, such as `.ts`.
        fix: The advice, as the rules write it.
    """
    return fix.replace(ADVICE_IN_PYTHON, _ADVICE.get(suffix, ADVICE_IN_PYTHON))


def with_advice_for(report: Report, command: Iterable[str], files: Iterable[str] = ()) -> Report:
    """Return a report with its advice in the language of the app.

    A finding with a source line already has the advice for its language.

    Args:
        report: The report on the assembly of the app.
        command: The command that runs the app, such as `npx ts-node app.ts`, which shows the language.
        files: The names of the files beside `cdk.json`, which show it for another command (default: none).
    """
    words = re.findall(r"[\w.-]+", " ".join(command))
    known = (*(_PROGRAMS.get(word) for word in words), *map(_FILES.get, sorted(files)))
    suffix = next(filter(None, known), "")
    findings = tuple(
        finding if finding.created_at else replace(finding, fix=advice_in(suffix, finding.fix))
        for finding in report.findings
    )
    return replace(report, findings=findings)


def plain_advice(finding: Finding) -> str:
    """Return the advice of a finding without JSON; `secure-bucket explain` shows the statement."""
    # A colon, or "with the statement", separates the words from the statement.
    plain = re.sub(r"(?<=write )\{.*\}", "a policy", finding.fix, flags=re.DOTALL)
    plain = re.sub(r"(?::|,? with the statement)? ?\{.*\}", "", plain, flags=re.DOTALL)
    if plain == finding.fix:
        return plain
    plain = re.sub(r"\badd (this )?to\b", "add the deny to", plain)
    manual = finding.rule if finding.rule == OLD_TLS else "SB001"
    return f"{plain}; `secure-bucket explain {manual}` shows the statement"
