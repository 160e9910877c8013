"""Find the calls of a TypeScript or JavaScript program that create an `s3.Bucket`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from secure_bucket.errors import MissingDependencyError
from secure_bucket.repair.source.site import Brackets, CannotEditSource, Site, unambiguous

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["COMMENT", "script_sites"]

COMMENT = re.compile(rb"//[^\r\n]*|/\*.*?\*/", re.DOTALL)

_BUCKET = "aws-cdk-lib/aws-s3.Bucket"
_LIBRARY = "aws-cdk-lib"
_PROPERTY = "enforceSSL"


def script_sites(text: str, suffix: str) -> list[Site]:
    """Return the calls `new s3.Bucket(…)` in a program.

    Args:
        text: The program.
        suffix: How the name of its file ends, as `.ts`.

    Raises:
        CannotEditSource: It cannot be parsed, or it was compiled from another file.
        MissingDependencyError: The extra `source` is not installed.
    """
    if "sourceMappingURL=" in text:
        raise CannotEditSource("the program was compiled from another file: change that file")
    data = text.encode()
    root = _parse(data, suffix)
    if root.has_error:
        raise CannotEditSource("the program has a syntax error, or syntax that the parser does not know")
    names = unambiguous(_bindings(root))
    return [
        site
        for node in _descendants(root)
        if node.type == "new_expression"
        and _dotted(node.child_by_field_name("constructor"), names) == _BUCKET
        if (site := _site(node)) is not None
    ]


def _parse(data: bytes, suffix: str) -> Node:
    try:
        import tree_sitter_typescript as grammar
        from tree_sitter import Language, Parser
    except ImportError:
        raise MissingDependencyError(
            "changing TypeScript and JavaScript needs tree-sitter: pip install 'secure-bucket[source]'"
        ) from None
    # In plain TypeScript `<T>x` is a cast; everywhere else it would be JSX.
    is_typescript = suffix in (".ts", ".mts", ".cts")
    language = grammar.language_typescript() if is_typescript else grammar.language_tsx()
    return Parser(Language(language)).parse(data).root_node


def _descendants(root: Node) -> Iterator[Node]:
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(reversed(node.named_children))


def _text(node: Node | None) -> str:
    return node.text.decode() if node is not None and node.text is not None else ""


def _bindings(root: Node) -> Iterator[tuple[str, str]]:
    for node in _descendants(root):
        if node.type == "import_statement":
            module = _text(node.child_by_field_name("source")).strip("'\"")
            for part in _descendants(node):
                if part.type == "namespace_import":
                    yield _text(part.named_children[-1]), module
                elif part.type == "import_specifier":
                    name, alias = part.child_by_field_name("name"), part.child_by_field_name("alias")
                    yield _text(alias or name), _member(module, _text(name))
                elif part.type == "import_require_clause":
                    required = _text(part.child_by_field_name("source")).strip("'\"")
                    yield _text(part.named_children[0]), required
                elif part.type == "import_clause" and part.named_children[0].type == "identifier":
                    yield _text(part.named_children[0]), module
        elif node.type == "variable_declarator":
            yield from _declared(node)
        elif node.type in ("required_parameter", "optional_parameter"):
            yield _text(node.child_by_field_name("pattern")), ""
        elif node.type in ("class_declaration", "function_declaration"):
            yield _text(node.child_by_field_name("name")), ""


def _declared(node: Node) -> Iterator[tuple[str, str]]:
    """Yield what a `const … = require(…)` binds, and of other declarations that the name is taken."""
    pattern, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    required = re.fullmatch(r"require\(\s*(['\"])(.+?)\1\s*\)", _text(value))
    module = required[2] if required else ""
    if pattern is None:
        return
    if pattern.type != "object_pattern":
        yield _text(pattern), module
        return
    for part in pattern.named_children:
        if part.type == "pair_pattern":
            key = _text(part.child_by_field_name("key"))
            yield _text(part.child_by_field_name("value")), _member(module, key) if module else ""
        else:
            yield _text(part), _member(module, _text(part)) if module else ""


def _member(module: str, name: str) -> str:
    """Return a member of a module; `aws_s3` of the library is its module `aws-s3`."""
    if module == _LIBRARY and name.startswith("aws_"):
        return f"{module}/{name.replace('_', '-')}"
    return f"{module}.{name}"


def _dotted(node: Node | None, names: dict[str, str]) -> str:
    if node is None:
        return ""
    if node.type == "identifier":
        return names.get(_text(node), "")
    if node.type == "member_expression":
        before = _dotted(node.child_by_field_name("object"), names)
        return _member(before, _text(node.child_by_field_name("property"))) if before else ""
    return ""


def _site(node: Node) -> Site | None:
    arguments = node.child_by_field_name("arguments")
    if arguments is None:
        return None
    given = [each for each in arguments.named_children if each.type != "comment"]
    line, column = node.start_point
    brackets, member, why_not = _place(arguments, given)
    return Site(line + 1, column + 1, brackets, member, why_not)


def _place(arguments: Node, given: list[Node]) -> tuple[Brackets, str, str]:
    """Return the list that gets the property, the text to add, and why it must not be added."""
    outer = _brackets(arguments, given)
    if any(each.type == "spread_element" for each in given):
        return outer, "", f"its arguments come from a variable, with `...`: set `{_PROPERTY}: true` there"
    if len(given) == 2:
        return outer, f"{{ {_PROPERTY}: true }}", ""
    if len(given) != 3 or given[2].type != "object":
        return outer, "", f"its props come from a variable: set `{_PROPERTY}: true` there"
    props = given[2]
    members = [each for each in props.named_children if each.type != "comment"]
    return _brackets(props, members), f"{_PROPERTY}: true", _why_not(members)


def _brackets(node: Node, members: list[Node]) -> Brackets:
    close = node.end_byte - 1
    if not members:
        return Brackets(node.start_byte, node.start_byte + 1, close)
    return Brackets(members[-1].start_byte, members[-1].end_byte, close)


def _why_not(members: list[Node]) -> str:
    for member in members:
        if member.type == "spread_element":
            return f"its props have a spread (`{_text(member)}`), which may set `{_PROPERTY}`"
        key = member.child_by_field_name("key")
        name = _text(key if key is not None else member).strip("'\"")
        if key is not None and key.type == "computed_property_name":
            return f"its props have a computed name (`{name}`)"
        if name == _PROPERTY:
            value = _text(member.child_by_field_name("value"))
            if value == "true":
                return f"it has `{_PROPERTY}: true`, so that something else takes the deny away"
            return f"it says `{_text(member)}`, which somebody wrote on purpose"
        if name.startswith("website"):
            return "it is a website, whose endpoint speaks plain HTTP only: serve it through CloudFront"
    return ""
