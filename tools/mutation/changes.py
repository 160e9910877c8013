"""List the small changes of a module, and make one of them."""

from __future__ import annotations

import ast
import copy
import pathlib
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

__all__ = ["LIBRARY", "Change", "changed_tree", "changes_of", "source_of"]

LIBRARY: Final = pathlib.Path(__file__).parents[2] / "lib" / "secure_bucket"


class Change(NamedTuple):
    """A change of one place of a module.

    Args:
        module: The module, such as `proof.search`.
        function: The function, such as `Clause.covers`; `""` for code that runs at import.
        what: The place before and after.
        number: The number of the change, in the order of `places`.
    """

    module: str
    function: str
    what: str
    number: int

    @property
    def name(self) -> str:
        where = f"{self.module}.{self.function}" if self.function else self.module
        return f"{where}: {self.what}"


def source_of(module: str) -> pathlib.Path:
    """Return the file of a module."""
    return LIBRARY / f"{module.replace('.', '/')}.py"


OPPOSITES: Final[dict[type[ast.AST], type[ast.AST]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.Add,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitXor: ast.BitOr,
}
NOTHING: Final = ast.Constant(None)


def others(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the replacements of a node."""
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in OPPOSITES:
            yield _with(node, ops=[OPPOSITES[type(operator)]()])
        case ast.BoolOp(values=[_, _]):
            yield _with(node, op=OPPOSITES[type(node.op)]())
            yield from node.values
        case ast.BoolOp(values=values):
            yield _with(node, op=OPPOSITES[type(node.op)]())
            yield from (_with(node, values=values[:at] + values[at + 1 :]) for at in range(len(values)))
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.BinOp(op=operator) if type(operator) in OPPOSITES and not _is_of_types(node):
            yield _with(node, op=OPPOSITES[type(operator)]())
        case ast.AugAssign(op=operator) if type(operator) in OPPOSITES:
            yield _with(node, op=OPPOSITES[type(operator)]())
            yield ast.Pass()
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
        case ast.Constant(value=str(value)) if " " not in value:
            yield ast.Constant(f"{value}XX" if value else "X")
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield body
            yield orelse
            del test
        case ast.If(test=test) | ast.While(test=test) if not isinstance(test, (ast.Constant, ast.UnaryOp)):
            yield _with(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.Return(value=value) if value is not None and not isinstance(value, ast.Constant):
            yield ast.Return(NOTHING)
        case ast.Assign() | ast.AnnAssign(value=ast.expr()) if not isinstance(node.value, ast.Constant):
            yield _with(node, value=NOTHING)
        case ast.Expr(value=ast.Call() | ast.Yield() | ast.YieldFrom()):
            yield ast.Pass()
        case ast.Break():
            yield ast.Continue()
        case ast.Continue():
            yield ast.Break()
        case ast.comprehension(ifs=[_, *_]):
            yield _with(node, ifs=[])
        case ast.Slice(lower=lower, upper=upper):
            if lower is not None:
                yield _with(node, lower=None)
            if upper is not None:
                yield _with(node, upper=None)
        case ast.Call(func=ast.Name(id="any" | "all" as name)):
            yield _with(node, func=ast.Name("all" if name == "any" else "any", ast.Load()))
        case ast.Call(keywords=keywords) if keywords and all(keyword.arg for keyword in keywords):
            yield from (
                _with(node, keywords=keywords[:at] + keywords[at + 1 :]) for at in range(len(keywords))
            )
        case ast.Call(args=args) if len(args) > 1:
            yield from (
                _with(node, args=[*args[:at], NOTHING, *args[at + 1 :]])
                for at, argument in enumerate(args)
                if not isinstance(argument, (ast.Starred, ast.Constant))
            )


def _with(node: ast.AST, **fields: Any) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _is_of_types(node: ast.BinOp) -> bool:
    """Tell whether a node joins types, such as `str | None`."""
    text = ast.unparse(node)
    return isinstance(node.op, ast.BitOr) and ("None" in text or text.replace(" | ", "").isidentifier())


_TYPES: Final = ("returns", "annotation", "decorator_list", "bases", "keywords")
"""The fields of a function or a class that do not run with it."""


def places(tree: ast.Module) -> Iterator[tuple[str, ast.AST, str, int | None, ast.AST]]:
    """Yield each place to change: its function, the node around it, the field, the index and the node."""

    def walk(node: ast.AST, function: str) -> Iterator[tuple[str, ast.AST, str, int | None, ast.AST]]:
        for field, value in ast.iter_fields(node):
            if field in _TYPES and not isinstance(node, ast.Call):
                continue
            for index, item in enumerate(value) if isinstance(value, list) else ((None, value),):
                if not isinstance(item, ast.AST) or _is_left_alone(item, node):
                    continue
                inner = function
                if isinstance(item, (ast.FunctionDef, ast.ClassDef)):
                    inner = f"{function}.{item.name}" if function else item.name
                yield function, node, field, index, item
                yield from walk(item, inner)

    yield from walk(tree, "")


def _is_left_alone(node: ast.AST, parent: ast.AST) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Raise() | ast.Assert() | ast.JoinedStr():
            return True
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__" | "T" | "_T")]):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.AnnAssign(annotation=ast.Name(id="TypeAlias")):
            return True
        case ast.Call(func=ast.Name(id="TypeVar" | "assert_never" | "cast" | "Unknown")):
            return True
        case ast.Call(func=ast.Attribute(attr="opaque")):
            # The words of a message.
            return True
    return isinstance(parent, ast.Subscript) and isinstance(node, ast.Name)


def changes_of(module: str) -> list[Change]:
    """Return every change of a module, in the order of its text."""
    tree = ast.parse(source_of(module).read_text(encoding="utf-8"))
    found: list[Change] = []
    times: dict[tuple[str, str], int] = {}
    number = 0
    for function, _, _, _, node in places(tree):
        for other in others(node):
            what = f"`{_short(node)}` -> `{_short(other)}`"
            again = times[function, what] = times.get((function, what), 0) + 1
            found.append(Change(module, function, what if again == 1 else f"{what} #{again}", number))
            number += 1
    return found


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).split())
    if isinstance(node, (ast.If, ast.While)):
        text = text.partition(": ")[0]
    return text if len(text) < 90 else f"{text[:42]} … {text[-42:]}"


def changed_tree(change: Change) -> ast.Module:
    """Return the syntax tree of a module with a change."""
    tree = ast.parse(source_of(change.module).read_text(encoding="utf-8"))
    number = 0
    for _, parent, field, index, node in places(tree):
        for other in others(node):
            if number == change.number:
                new = ast.copy_location(copy.copy(other), node)
                if index is None:
                    setattr(parent, field, new)
                else:
                    getattr(parent, field)[index] = new
                return ast.fix_missing_locations(tree)
            number += 1
    raise LookupError(change.name)
