"""Generate the reference from the code: commands, exit codes, rules, names and schemas."""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import secure_bucket
from secure_bucket.cli.commands import COMMANDS, build_parser
from secure_bucket.findings.finding import Level
from secure_bucket.findings.rules import RULES, Rule
from secure_bucket.formats.compliance import REQUIREMENTS
from secure_bucket.operations.audit.families import FAMILIES
from secure_bucket.policy.condition_key import GLOBAL_KEYS, S3_KEYS
from secure_bucket.policy.condition_keys import KEYS
from secure_bucket.prices import READ_ON, monitoring_costs

# The public modules whose names `secure_bucket` itself does not export, by page.
MODULES = {
    "testing": "testing",
    "review": "operations.review",
    "audit": "operations.audit",
    "plan": "operations.plan",
    "statements": "policy.statements",
    "detection": "detection",
    "conformance": "conformance",
}

# The help of `--help`, which every command has.
HELP = "show this help message and exit"


def pages(root: Path) -> dict[str, str]:
    """Return each text by the name of its file."""
    parser = build_parser()
    return {
        "commands.md": "\n".join(commands(parser)),
        "exit-codes.md": "\n".join(exit_codes(parser)),
        "condition-keys.md": "\n".join(condition_keys()),
        "rules.md": "\n".join(rules()),
        "clients.md": "\n".join(clients()),
        "prices.md": "\n".join(prices()),
        "requirements.md": "\n".join(requirements()),
        "schemas.md": "\n".join(schemas(root)),
        "not-covered.md": section(root / "README.md", "What is not covered"),
        **api(root),
    }


def prices() -> Iterator[str]:
    """Yield the table of the costs of monitoring."""
    yield (
        f"By the pricing pages of AWS for `us-east-1` in {READ_ON}; other regions differ, and free tiers are "
        "left out.\n"
    )
    yield "| what | price | page |\n| --- | --- | --- |"
    for cost in monitoring_costs():
        yield f"| {cost.what} | {cost.price} | {cost.page} |"


def clients() -> Iterator[str]:
    """Yield a chapter for each family of clients, with its change."""
    for family in FAMILIES:
        yield f"### {family.name[0].upper()}{family.name[1:]}\n"
        yield f"Cause: {family.cause}. User agents match `{family.pattern}`.\n"
        yield f"| before | after |\n| --- | --- |\n| {_cell(family.before)} | {_cell(family.after)} |\n"
        yield f"It worked when {family.check}. [Document]({family.document})."
        yield f"For TLS 1.2 it needs {family.tls} or newer.\n" if family.tls else ""


def _cell(text: str) -> str:
    """Return a text as code in a table, or as prose if it has backticks."""
    if "`" in text:
        return cell(text)
    return f"`{text.replace('|', '&#124;')}`"


def subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the parser of each command."""
    (commands,) = (one for one in parser._actions if isinstance(one, argparse._SubParsersAction))
    return dict(commands.choices)


def commands(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yield a chapter for each command, from its parser."""
    for name, command in subparsers(parser).items():
        yield f"## secure-bucket {name} {{: #{name} }}\n"
        yield f"{COMMANDS[name][0].upper()}{COMMANDS[name][1:]}.\n"
        usage = command.format_usage().strip().splitlines()
        # All lines of the usage are indented by the length of "usage: ".
        yield "\n".join(("```text", *(line[len("usage: ") :] for line in usage), "```\n"))
        description = (command.description or "").strip()
        if description.rstrip(".").casefold() != COMMANDS[name].casefold():
            yield f"{prose(description)}\n"
        for group in command._action_groups:
            actions = [one for one in group._group_actions if one.help not in (argparse.SUPPRESS, HELP)]
            if not actions:
                continue
            title = {"positional arguments": "arguments"}.get(group.title or "", group.title or "")
            yield f"**{title[:1].upper()}{title[1:]}**\n"
            if group.description:
                yield f"{prose(group.description)}\n"
            yield "| argument | meaning |\n|---|---|"
            yield from (f"| {spelled(one)} | {explained(one)} |" for one in actions)
            yield ""


def spelled(action: argparse.Action) -> str:
    """Return the spelling of an argument, as code."""
    metavar = action.metavar if isinstance(action.metavar, str) else None
    values = metavar or (
        "{" + ",".join(map(str, action.choices)) + "}" if action.choices else action.dest.upper()
    )
    if not action.option_strings:
        return code(values)
    takes = "" if action.nargs == 0 else f" {values}"
    return ", ".join(code(f"{option}{takes}") for option in action.option_strings)


def explained(action: argparse.Action) -> str:
    """Return the help on an argument, in one line."""
    words = (action.help or "") % {**vars(action), "prog": "secure-bucket"}
    told = cell(" ".join(words.split()))
    if (
        action.choices
        and isinstance(action.metavar, str)
        and not all(str(one) in told for one in action.choices)
    ):
        told = f"{told} ({', '.join(code(str(one)) for one in action.choices)})"
    return told


def exit_codes(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yield the exit codes of each command, from its help."""
    by_words: dict[tuple[tuple[str, str], ...], list[str]] = defaultdict(list)
    for name, command in subparsers(parser).items():
        by_words[tuple(codes(command.epilog or ""))].append(name)
    for words, names in by_words.items():
        if words:
            yield f"**{', '.join(code(f'secure-bucket {name}') for name in names)}**\n"
            yield "| code | meaning |\n|---:|---|"
            yield from (f"| {number} | {cell(meaning)} |" for number, meaning in words)
            yield ""


def codes(epilog: str) -> Iterator[tuple[str, str]]:
    """Yield the exit codes of an epilog, with their meanings."""
    _, _, told = epilog.partition("exit codes:\n")
    for entry in re.split(r"\n(?=  \d)", told):
        number, _, meaning = entry.strip().partition(" ")
        if number:
            yield number, " ".join(meaning.split())


def rules() -> Iterator[str]:
    """Yield an index of the rules, and the manual of each, one level deeper."""
    yield "| rule | what it does | severity |\n|---|---|---|"
    for rule in RULES:
        fixable = ", fixable" if rule.about_verdict and not rule.undecidable else ""
        link = f"[{rule.id}](#{rule.id.lower()})"
        yield f"| {link} `{rule.name}` | {first_sentence(rule)} | {severities(rule)}{fixable} |"
    yield ""
    for rule in RULES:
        title, *rest = outside_of_code(rule.manual.strip(), deepen)
        assert title == f"## {rule.id} {rule.name}", f"the manual of {rule.id} begins with {title!r}"
        yield f"{title} {{: #{rule.id.lower()} }}"
        yield from rest
        yield ""


def severities(rule: Rule) -> str:
    """Return the levels of the findings of a rule, the most severe first, from its module."""
    module = importlib.import_module(f"secure_bucket.findings.rules.{rule.id.lower()}")
    used = set(re.findall(r"\bLevel\.([A-Z]+)", inspect.getsource(module)))
    return " or ".join(level.value for level in Level if level.name in used)


def first_sentence(rule: Rule) -> str:
    """Return the first sentence of the manual of a rule."""
    what = rule.manual.partition("## What it does")[2].partition("##")[0]
    found = re.match(r"(?:`[^`]*`|[^.`])*\.", " ".join(what.split()))
    assert found is not None, rule.id
    return cell(found[0])


def condition_keys() -> Iterator[str]:
    """Yield a row for each condition key, grouped by document."""
    documents = (
        ("Global keys", GLOBAL_KEYS, "AWS global condition context keys"),
        ("Keys of S3", S3_KEYS, "Actions, resources, and condition keys for Amazon S3"),
    )
    for title, source, document in documents:
        yield f"## {title}\n\nAWS describes them in [{document}]({source}).\n"
        yield "| key | type | values | requests with it | for principals | read |\n|---|---|---|---|---|---|"
        for key in (key for key in KEYS.values() if key.name.startswith("s3:") == (source == S3_KEYS)):
            values = ", ".join(map(code, key.values)) or cell(key.form.value)
            several = ", several at once" if key.multivalued else ""
            kinds = ", ".join(kind.value for kind in key.kinds) or "every kind"
            read = f"[{key.read}]({key.source})"
            told = (code(key.name), key.type.value + several, values, key.presence.value, kinds, read)
            yield f"| {' | '.join(told)} |"
        yield ""


def requirements() -> Iterator[str]:
    """Yield each requirement with its demand, its evidence, and the part without evidence."""
    for document in dict.fromkeys(one.document for one in REQUIREMENTS):
        rows = [one for one in REQUIREMENTS if one.document == document]
        yield f"## {document}\n\n[Read {document}]({rows[0].url})\n"
        yield "| number, title | asks for | answered by | shown | not shown |\n|---|---|---|---|---|"
        for one in rows:
            answers = [f"[{rule}](rules.md#{rule.lower()})" for rule in one.rules]
            answers += [code(construct) for construct in one.constructs]
            title = f"**{one.number}** {cell(one.title)}"
            told = (title, cell(one.asks), ", ".join(answers), cell(one.shows), cell(one.leaves))
            yield f"| {' | '.join(told)} |"
        yield ""


def deepen(line: str) -> str:
    """Return a line with its heading one level deeper, and bare addresses as links."""
    line = f"#{line}" if line.startswith("#") else line
    return re.sub(r"(?<![<(\[`])https://[^\s>)]+", r"<\g<0>>", line)


def outside_of_code(text: str, change: Any) -> Iterator[str]:
    """Yield the lines of a text; change those outside of code."""
    inside = False
    for line in text.splitlines():
        if line.startswith("```"):
            inside = not inside
            yield line
        else:
            yield line if inside else change(line)


def schemas(root: Path) -> Iterator[str]:
    """Yield each published schema, with its purpose and its members."""
    for file in sorted((root / "lib" / "secure_bucket").rglob("*.schema.json")):
        schema = json.loads(file.read_text(encoding="utf-8"))
        package = ".".join(file.parent.relative_to(root / "lib").parts)
        yield f"## {schema['title']} {{: #{file.name.removesuffix('.schema.json')} }}\n"
        yield f"{schema['description']}\n" if "description" in schema else ""
        yield "```python\nfrom importlib.resources import files\n"
        yield f'schema = files("{package}").joinpath("{file.name}").read_text("utf-8")\n```\n'
        yield "| member | |\n|---|---|"
        required = schema.get("required", ())
        for name, member in schema["properties"].items():
            told = cell(member.get("description", ""))
            yield f"| `{name}`{'' if name in required else ' (optional)'} | {told} |"
        yield f'\n??? note "The whole schema, `{file.name}`"\n\n    ```json'
        yield "\n".join(f"    {line}" for line in file.read_text(encoding="utf-8").splitlines())
        yield "    ```\n"


# The methods that only the AWS CDK calls.
CALLED_BY_THE_CDK = "|".join(
    (
        *("add_to_resource_policy", "apply_to", "check", "construct_unique_id", "inject", "name"),
        *("rule_ids", "supports", "validate", "version", "visit"),
    )
)

GROUPS = {"cdk": "constructs", "findings": "checks", "policy": "proof", "values": "proof"}
"""The page of a part of the package, if its name differs from the part."""


def api(root: Path) -> dict[str, str]:
    """Return the names of the package by page; Zensical fills in their docstrings."""
    pages: dict[str, list[str]] = defaultdict(list)
    index = ["| name | what it is |\n|---|---|"]
    for name in secure_bucket.__all__:
        module = secure_bucket._MODULES[name]
        path = defined(root, f"secure_bucket.{module}", name)
        part = module.partition(".")[0]
        pages[GROUPS.get(part, part)].append(path)
        index.append(f"| [`{name}`][{path}] | {cell(first_line(root, path))} |")
    for page, module in MODULES.items():
        for name in exported(root, f"secure_bucket.{module}"):
            path = defined(root, f"secure_bucket.{module}", name)
            if path not in pages[page]:
                pages[page].append(path)
    readme = (root / "README.md").read_text(encoding="utf-8")

    def importance(path: str) -> int:
        """Return the place of a name in the README; the end if the README does not mention it."""
        _, features = readme.split("\n## Features\n")
        found = re.search(rf"`{path.rpartition('.')[2]}\b", features)
        return found.start() if found else len(readme)

    hidden = f"    options:\n      filters: ['!^_', '!^({CALLED_BY_THE_CDK})$']\n"
    texts = {
        f"api-{page}.md": "\n\n".join(
            f"::: {path}\n{hidden if page == 'constructs' else ''}" for path in sorted(paths, key=importance)
        )
        for page, paths in pages.items()
    }
    return {**texts, "api-names.md": "\n".join(index)}


def exported(root: Path, module: str) -> list[str]:
    """Return `__all__` of a module without importing it; an empty list for a missing module."""
    file = source(root, module)
    for node in ast.parse(file.read_text(encoding="utf-8")).body if file is not None else ():
        if "__all__" in assigned(node) and isinstance(node, ast.Assign):
            return list(ast.literal_eval(node.value))
    return []


def source(root: Path, module: str) -> Path | None:
    """Return the file of a module."""
    path = root / "lib" / Path(*module.split("."))
    files = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in files if file.exists()), None)


def defined(root: Path, module: str, name: str) -> str:
    """Return the path of the definition of a name, through the imports of its modules."""
    file = source(root, module)
    assert file is not None, module
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and any(one.name == name for one in node.names):
            return defined(root, node.module or "", name)
    return f"{module}.{name}"


def first_line(root: Path, path: str) -> str:
    """Return the first sentence of the docstring of a name."""
    module, _, name = path.rpartition(".")
    file = source(root, module)
    assert file is not None, module
    body = ast.parse(file.read_text(encoding="utf-8")).body
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == name:
            words = ast.get_docstring(node) or ""
        elif name in assigned(node) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            words = str(after.value.value)
        else:
            continue
        return " ".join(words.partition("\n\n")[0].split())
    return ""


def assigned(node: ast.stmt) -> list[str]:
    """Return the names that a statement assigns."""
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [one.id for one in targets if isinstance(one, ast.Name)]


def section(file: Path, title: str) -> str:
    """Return the text below a heading of a page."""
    _, found, rest = file.read_text(encoding="utf-8").partition(f"\n## {title}\n")
    assert found, f"{file} has no section {title!r}"
    return rest.partition("\n## ")[0].strip() + "\n"


def prose(text: str) -> str:
    """Return a help text in Markdown; indented lines are code."""
    return "\n\n".join(
        "\n".join(
            escape(line) if not line.startswith("    ") else f"\n{line}\n" for line in block.splitlines()
        )
        for block in text.strip().split("\n\n")
    )


def escape(text: str) -> str:
    """Return a text with escapes for Markdown."""
    return re.sub(r"([\\*_<>\[\]#|])", r"\\\1", text)


def cell(text: str) -> str:
    """Return a text for a table cell; text in backticks stays code."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else options(part) for part in parts).replace("|", "&#124;")


def options(text: str) -> str:
    """Return a text with its options as code."""
    return re.sub(r"(?<![\w-])--[a-z][\w-]*(?:=\w+)?", r"`\g<0>`", re.sub(r"([\\*_<>\[\]])", r"\\\1", text))


def code(text: str) -> str:
    """Return a text as code in a table cell."""
    return f"`{text}`" if "|" not in text else "<code>" + text.replace("|", "&#124;") + "</code>"
