"""Find the calls of a Python program that create an `s3.Bucket`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from secure_bucket.repair.source.site import IS_WEBSITE, Brackets, CannotEditSource, Site, drop_ambiguous

__all__ = ["COMMENT", "python_sites"]

COMMENT = re.compile(rb"#[^\r\n]*")

_LIBRARY = "aws_cdk"
_BUCKET = f"{_LIBRARY}.aws_s3.Bucket"
_BOM = "\ufeff"
_WEBSITE = "website_"


def python_sites(text: str) -> list[Site]:
    """Return the calls of `aws_cdk.aws_s3.Bucket` in a program.

    Raises:
        CannotEditSource: The program is not Python.
    """
    try:
        tree = ast.parse(text.removeprefix(_BOM))
    except (SyntaxError, ValueError, RecursionError) as error:
        raise CannotEditSource(f"the program is not Python that can be read: {error}") from None
    names = drop_ambiguous(_bindings(tree))
    data = text.encode()
    starts = [
        len(_BOM.encode()) if text.startswith(_BOM) else 0,
        *(match.end() for match in re.finditer(rb"\r\n|\r|\n", data)),
    ]
    return [
        _site(node, starts, data)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _dotted(node.func, names) == _BUCKET
    ]


def _bindings(tree: ast.AST) -> Iterator[tuple[str, str]]:
    nodes = list(ast.walk(tree))
    # `from company import *` may redefine the names above it.
    stars = (node.lineno for node in nodes if isinstance(node, ast.ImportFrom) and _is_foreign_star(node))
    last_star = max(stars, default=0)
    for node in nodes:
        match node:
            case ast.Import(names=names):
                for each in names:
                    top = each.name.partition(".")[0]
                    yield (each.asname, each.name) if each.asname else (top, top)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                for each in names:
                    yield each.asname or each.name, f"{module}.{each.name}"
            case ast.ImportFrom(names=names):
                for each in names:
                    yield each.asname or each.name, ""
            case (
                ast.Name(id=name, ctx=ast.Store() | ast.Del())
                | ast.Attribute(value=ast.Name(id=name), ctx=ast.Store() | ast.Del())
                | ast.arg(arg=name)
                | ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
                | ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
                | ast.MatchMapping(rest=str(name))
            ):
                yield name, ""
        if isinstance(node, ast.Import | ast.ImportFrom) and node.lineno < last_star:
            for each in node.names:
                yield each.asname or each.name.partition(".")[0], ""


def _is_foreign_star(node: ast.ImportFrom) -> bool:
    is_star = any(each.name == "*" for each in node.names)
    return is_star and (node.module or "").partition(".")[0] != _LIBRARY


def _dotted(node: ast.expr, names: dict[str, str]) -> str:
    match node:
        case ast.Name(id=name):
            return names.get(name, "")
        case ast.Attribute(value=value, attr=name):
            before = _dotted(value, names)
            return f"{before}.{name}" if before else ""
    return ""


def _site(node: ast.Call, starts: list[int], data: bytes) -> Site:
    def offset(line: int | None, column: int | None) -> int:
        assert line is not None
        assert column is not None
        return starts[line - 1] + column

    members: list[ast.expr | ast.keyword] = sorted(
        (*node.args, *node.keywords), key=lambda each: (each.lineno, each.col_offset)
    )
    close = offset(node.end_lineno, node.end_col_offset) - 1
    if members:
        last = members[-1]
        brackets = Brackets(
            offset(last.lineno, last.col_offset), offset(last.end_lineno, last.end_col_offset), close
        )
    else:
        opened = data.index(b"(", offset(node.func.end_lineno, node.func.end_col_offset))
        brackets = Brackets(opened, opened + 1, close)
    return Site(node.lineno, None, _construct_id(node), brackets, "enforce_ssl=True", _why_not(node))


def _construct_id(node: ast.Call) -> str | None:
    named = [each.value for each in node.keywords if each.arg == "id"]
    for value in (*node.args[1:2], *named):
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return value.value
    return None


def _why_not(node: ast.Call) -> str:
    if any(isinstance(each, ast.Starred) for each in node.args) or any(
        not each.arg for each in node.keywords
    ):
        return "its arguments come from a variable, with `*` or `**`: set `enforce_ssl=True` there"
    for keyword in node.keywords:
        if keyword.arg == "enforce_ssl":
            if isinstance(keyword.value, ast.Constant) and keyword.value.value is True:
                return "it has `enforce_ssl=True`, so that something else takes the deny away"
            return f"it says `enforce_ssl={ast.unparse(keyword.value)}`, which somebody wrote on purpose"
        if keyword.arg and keyword.arg.startswith(_WEBSITE):
            return IS_WEBSITE
    return ""
