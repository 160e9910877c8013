"""Find the calls of a TypeScript or JavaScript program that create an `s3.Bucket`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from secure_bucket.errors import MissingDependencyError
from secure_bucket.repair.source.site import IS_WEBSITE, Brackets, CannotEditSource, Site, drop_ambiguous

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["COMMENT", "script_sites"]

COMMENT = re.compile(rb"//[^\r\n]*|/\*.*?\*/", re.DOTALL)

_JAVASCRIPT = (".js", ".cjs", ".mjs", ".jsx")
_COMPILED = re.compile(r"Object\.defineProperty\(exports, ['\"]__esModule['\"]")
_BUCKET = "aws-cdk-lib/aws-s3.Bucket"
_LIBRARY = "aws-cdk-lib"
_PROPERTY = "enforceSSL"
# ECMA-262, 12.3 Line Terminators.
_LINE_ENDS = re.compile("\r\n|[\n\r\u2028\u2029]")


def script_sites(text: str, suffix: str) -> list[Site]:
    """Return the calls `new s3.Bucket(…)` in a program.

    Args:
        text: The program.
        suffix: The suffix of its file, such as `.ts`.

    Raises:
        CannotEditSource: The program cannot be parsed, or it was compiled from another file.
        MissingDependencyError: The extra `source` is not installed.
    """
    # tsc writes `__esModule` into each compiled module, also without a source map.
    if "sourceMappingURL=" in text or (suffix in _JAVASCRIPT and _COMPILED.search(text)):
        raise CannotEditSource("the program was compiled from another file: change that file")
    data = text.encode()
    root = _parse(data, suffix)
    if root.has_error:
        raise CannotEditSource("the program has a syntax error, or syntax that the parser does not know")
    names = drop_ambiguous(_bindings(root))
    return [
        site
        for node in _descendants(root)
        if node.type == "new_expression"
        and _dotted(node.child_by_field_name("constructor"), names) == _BUCKET
        if (site := _site(node, data)) is not None
    ]


def _parse(data: bytes, suffix: str) -> Node:
    try:
        import tree_sitter_typescript as grammar
        from tree_sitter import Language, Parser
    except ImportError:
        raise MissingDependencyError.without_extra(
            "changing TypeScript and JavaScript needs tree-sitter", "source"
        ) from None
    # In plain TypeScript `<T>x` is a cast; in the other languages it is JSX.
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


# The nodes that redefine a name in a part of the program, and the field with the name or the pattern.
_BINDING_FIELDS = {
    "required_parameter": "pattern",
    "optional_parameter": "pattern",
    "arrow_function": "parameter",
    "catch_clause": "parameter",
    "for_in_statement": "left",
    "assignment_expression": "left",
    "class": "name",
    "class_declaration": "name",
    "abstract_class_declaration": "name",
    "function_expression": "name",
    "function_declaration": "name",
    "generator_function": "name",
    "generator_function_declaration": "name",
    "enum_declaration": "name",
    "internal_module": "name",
    "module": "name",
}
_NAMES = ("identifier", "type_identifier", "shorthand_property_identifier_pattern")


def _bound(pattern: Node | None) -> Iterator[tuple[str, str]]:
    """Yield the names of a pattern, each with an unknown meaning."""
    for part in _descendants(pattern) if pattern is not None else ():
        if part.type in _NAMES:
            yield _text(part), ""


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
        elif node.type in _BINDING_FIELDS:
            yield from _bound(node.child_by_field_name(_BINDING_FIELDS[node.type]))


def _declared(node: Node) -> Iterator[tuple[str, str]]:
    """Yield the names of a declaration: with their modules for `require(…)`, else with an unknown meaning."""
    pattern, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    required = re.fullmatch(r"require\(\s*(['\"])(.+?)\1\s*\)", _text(value))
    module = required[2] if required else ""
    if pattern is None or not module:
        yield from _bound(pattern)
    elif pattern.type != "object_pattern":
        yield _text(pattern), module
    else:
        for part in pattern.named_children:
            value = part.child_by_field_name("value")
            if part.type == "shorthand_property_identifier_pattern":
                yield _text(part), _member(module, _text(part))
            elif part.type == "pair_pattern" and value is not None and value.type == "identifier":
                yield _text(value), _member(module, _text(part.child_by_field_name("key")))
            else:
                yield from _bound(part)


def _member(module: str, name: str) -> str:
    """Return a member of a module; the member `aws_s3` of the library is its module `aws-s3`."""
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


def _site(node: Node, data: bytes) -> Site | None:
    arguments = node.child_by_field_name("arguments")
    if arguments is None:
        return None
    given = [each for each in arguments.named_children if each.type != "comment"]
    brackets, member, why_not = _place(arguments, given)
    # V8 counts columns in units of UTF-16.
    *above, line = _LINE_ENDS.split(data[: node.start_byte].decode())
    column = len(line.encode("utf-16-le")) // 2
    return Site(len(above) + 1, column + 1, _construct_id(given), brackets, member, why_not)


def _construct_id(given: list[Node]) -> str | None:
    literal = given[1] if len(given) > 1 else None
    if literal is None or literal.type not in ("string", "template_string"):
        return None
    text = _text(literal)[1:-1]
    # This function does not evaluate escapes and substitutions.
    return None if "\\" in text or (literal.type == "template_string" and "${" in text) else text


def _place(arguments: Node, given: list[Node]) -> tuple[Brackets, str, str]:
    """Return the list that gets the property, the text to add, and the reason not to add it."""
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
        # A pair has a key, a method has a name, and a shorthand has neither.
        key = member.child_by_field_name("key") or member.child_by_field_name("name")
        name = _text(key if key is not None else member).strip("'\"")
        if key is not None and (key.type == "computed_property_name" or "\\" in name):
            return f"its props have a computed name (`{name}`)"
        if name == _PROPERTY:
            value = _text(member.child_by_field_name("value"))
            if value == "true":
                return f"it has `{_PROPERTY}: true`, so that something else takes the deny away"
            return f"it says `{_text(member)}`, which somebody wrote on purpose"
        if name.startswith("website"):
            return IS_WEBSITE
    return ""
