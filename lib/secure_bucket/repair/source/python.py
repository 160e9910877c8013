"""Find the calls of a Python program that create an `s3.Bucket`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from secure_bucket.repair.source.site import Brackets, CannotEditSource, Site, unambiguous

__all__ = ["COMMENT", "python_sites"]

COMMENT = re.compile(rb"#[^\r\n]*")

_BUCKET = "aws_cdk.aws_s3.Bucket"
_WEBSITE = "website_"


def python_sites(text: str) -> list[Site]:
    """Return the calls of `aws_cdk.aws_s3.Bucket` in a program.

    Raises:
        CannotEditSource: It is not Python.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise CannotEditSource(f"the program is not Python that can be read: {error}") from None
    names = unambiguous(_bindings(tree))
    data = text.encode()
    starts = [0, *(match.end() for match in re.finditer(rb"\r\n|\r|\n", data))]
    return [
        _site(node, starts, data)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _dotted(node.func, names) == _BUCKET
    ]


def _bindings(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
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
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name, ""
            case ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, ""


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
    return Site(
        node.lineno,
        node.col_offset + 1,
        brackets,
        "enforce_ssl=True",
        _why_not(node),
    )


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
            return "it is a website, whose endpoint speaks plain HTTP only: serve it through CloudFront"
    return ""
