"""Find placeholders that another tool has not replaced yet.

The forms come from the documentation of each tool, read 2026-11: Serverless Framework (*Variables*), Jinja
(*Template Designer Documentation*), Cookiecutter, ERB, Octopus Deploy (*Variable substitutions*), Python's
`%` formatting, Azure Pipelines (*Define variables*), Concourse (*Vars*), `envsubst` of GNU gettext. That such
a text is for the tool is inferred: CloudFormation itself would use it unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from secure_bucket.template.text import Unsettled, concatenate, first_unsettled
from secure_bucket.values.unknown import Hole, Text, Unknown

__all__ = ["placeholders_as_holes", "unreplaced_whole"]

# One form for each tool. INVARIANT: no policy variable of IAM (`${aws:…}`, `${s3:prefix}`, `${*}`), no pseudo
# parameter (`${AWS::Region}`) and no dynamic reference (`{{resolve:…}}`) has one of them.
_INNER = r"(?:[^{}]|\{(?:[^{}]|\{[^{}]{0,99}\}){0,99}\}){0,299}"
_FORMS: Final = (
    ("cookiecutter", r"\{\{\s*cookiecutter\b[^{}]*\}\}"),
    ("Jinja or a similar tool", r"\{\{\{[^{}]+\}\}\}|\{\{(?!resolve:)[^{}]+\}\}"),
    (
        "the Serverless Framework",
        r"\$\{(?:self|opt|env|sls|cf|param|custom|git|output|terraform|strToBool|file)\b[:(.]"
        + _INNER
        + r"\}"
        r"|\$\{ssm(?:\.[\w-]+)?:/" + _INNER + r"\}|\$\{cf\." + _INNER + r"\}",
    ),
    ("the AWS CDK", r"\$\{Token\[[^\]]*\]\}"),
    ("Terraform", r"\$\{(?:var|local|data|module|each|path)\." + _INNER + r"\}"),
    ("`envsubst` or a similar tool (or `Fn::Sub` is missing)", r"\$\{[A-Za-z_][\w.-]*(?::[-=?+][^{}]*)?\}"),
    ("a shell", r"(?<![\w$])\$[A-Z_][A-Z0-9_]+(?!\w)"),
    ("Octopus Deploy or a similar tool", r"#\{[^{}]+\}#?"),
    ("Python", r"%\([\w.-]+\)[sdr]"),
    ("Azure Pipelines", r"\$\([\w.-]+\)"),
    ("Concourse", r"\(\([\w.:/-]+\)\)"),
    ("a tool with `[[ ]]`", r"\[\[[^\[\]]+\]\]"),
    ("a tool with `<< >>`", r"<<\s*[\w.-]+\s*>>"),
    ("a tool with `@ @`", r"@@[\w.-]+@@|(?<!\w)@[A-Za-z][\w.]*@(?!\w)"),
    (
        "a tool with `__ __`",
        r"__(?!(?:ALL|ANY|DEFAULT|EMPTY|NONE|NULL|UNDEFINED|UNSET)__)[A-Z](?:_?[A-Z0-9])*__"
        r"|(?<!\w)__(?!(?:all|any|default|empty|init|main|name|none|null|undefined|unset)__)"
        r"[a-z](?:_?[A-Za-z0-9])*__(?!\w)",
    ),
    ("a tool with `% %`", r"%{1,2}[A-Za-z_]{3,}[A-Za-z0-9_]*%{1,2}"),
    ("a tool or a person", r"<[A-Z][A-Z0-9_-]{2,}>"),
)
# A tool may omit or repeat the text between the first and the last of these.
_BLOCKS: Final = (("Jinja", "{%", "%}"), ("Jinja", "{#", "#}"), ("ERB", "<%", "%>"))
# Every form begins with one of these.
_START = re.compile(r"\$[({A-Z_]|\{[{%#]|#\{|<[<%A-Z]|%[(%A-Za-z_]|\(\(|\[\[|@[@A-Za-z]|__")
# A line of YAML that is a comment for CloudFormation, and not for the tool.
_DIRECTIVE: Final = r"(?m)^[ \t]*#.*(?:\{%[-+ ]|<%[-= ])"


@cache
def _placeholder_pattern() -> re.Pattern[str]:
    """Return the pattern of all forms; compiling it takes 2.6 ms, which most templates do not need."""
    return re.compile("|".join(f"({form})" for _, form in _FORMS), re.DOTALL)


def placeholders_as_holes(text: str) -> str | Text:
    """Replace each placeholder of another tool in a text by a hole."""
    if not _START.search(text):
        return text
    for tool, opening, closing in _BLOCKS:
        start, end = text.find(opening), text.rfind(closing) + len(closing)
        if 0 <= start < end - len(closing):
            block = _placeholder(text[start:end], tool)
            return concatenate(
                [placeholders_as_holes(text[:start]), block, placeholders_as_holes(text[end:])]
            )
    parts: list[str | Hole] = []
    end = 0
    for match in _placeholder_pattern().finditer(text):
        tool = _FORMS[(match.lastindex or 1) - 1][0]
        parts += [text[end : match.start()], _placeholder(match[0], tool)]
        end = match.end()
    return concatenate([*parts, text[end:]]) if parts else text


def unreplaced_whole(text: str, sections: Mapping[str, object]) -> Unknown | None:
    """Return why a whole template is unknown: another tool has not replaced a section yet.

    Args:
        text: The text of the template.
        sections: Its sections, unresolved.
    """
    for name, section in sections.items():
        if isinstance(section, str) and name not in ("AWSTemplateFormatVersion", "Description"):
            placeholder = first_unsettled(placeholders_as_holes(section))
            if placeholder is not None:
                return Unknown(f"the section `{name}` {placeholder.reason}".replace("` `", "`: `"))
    found = re.search(_DIRECTIVE, text) if "{%" in text or "<%" in text else None
    if found is None:
        return None
    tool = "Jinja" if "{%" in found[0] else "ERB"
    line = text.count("\n", 0, found.start()) + 1
    return Unknown(f"the comment in line {line} is a directive that {tool} has yet to follow")


def _placeholder(text: str, tool: str) -> Unsettled:
    shown = " ".join(text.split())
    shown = shown if len(shown) <= 60 else f"{shown[:57]}…"
    name = text.replace("%2F", "%252F").replace("/", "%2F")
    return Unsettled(name, f"`{shown}` is text that {tool} has yet to replace")
