"""The same question for another engine: parsed once, filled with values as values, written anew."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from secure_bucket.errors import MissingDependencyError

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["Dialect", "SqlValue", "chain", "literal", "load_sqlglot", "write"]

Dialect: TypeAlias = Literal["duckdb", "athena", "spark"]
SqlValue: TypeAlias = "str | int | bool | Sequence[str]"

_NAME: Final = re.compile(r"\$([a-z_]+)")

# An index behind the end of an array is an error for Trino and Spark, unless it is asked for in this way.
_ELEMENT: Final = {"athena": "ELEMENT_AT", "spark": "TRY_ELEMENT_AT"}


def load_sqlglot() -> Any:
    """Return the module.

    Raises:
        MissingDependencyError: If it is not installed.
    """
    try:
        import sqlglot
    except ImportError:
        raise MissingDependencyError.without_extra("reading logs needs sqlglot", "audit") from None
    return sqlglot


def chain(relations: Mapping[str, str], question: str) -> str:
    """Return a question with the relations that it reads, each defined by another one.

    Args:
        relations: The name and the SQL of each, those first that others read.
        question: The SQL that reads them.
    """
    definitions = ",\n".join(f"{name} AS ({sql})" for name, sql in relations.items())
    return f"WITH {definitions}\nSELECT * FROM ({question}) AS answer"


def write(sql: str, dialect: Dialect, values: Mapping[str, SqlValue] | None = None) -> str:
    """Return a question in the SQL of an engine.

    Args:
        sql: The question, in the SQL of DuckDB.
        dialect: The engine.
        values: What to put for each `$name`. It is written as a literal and never read as SQL.
    """
    given = values or {}
    if dialect == "duckdb":
        # It is written for that engine: no parser has to be loaded for logs that are read here.
        return _NAME.sub(lambda found: _literal(given[found[1]]), sql)
    return _written(sql, dialect, tuple((name, _frozen(value)) for name, value in given.items()))


@lru_cache(32)
def _written(sql: str, dialect: Dialect, values: tuple[tuple[str, SqlValue], ...]) -> str:
    # It takes a quarter of a second, and is asked for again with each batch.
    tree = load_sqlglot().parse_one(sql, read="duckdb")
    filled = tree.transform(_fill, dict(values)).transform(_portable, dialect)
    text: str = filled.sql(dialect=dialect, pretty=True)
    return text


def _frozen(value: SqlValue) -> SqlValue:
    return value if isinstance(value, (str, int)) else tuple(value)


def literal(text: str) -> str:
    """Return a text as a literal of DuckDB, quoted so that it ends where it should."""
    return "'" + text.replace("'", "''") + "'"


def _literal(value: SqlValue) -> str:
    if isinstance(value, (bool, int)):
        return str(value).lower()
    return literal(value) if isinstance(value, str) else ", ".join(map(literal, value))


def _fill(node: exp.Expression, values: Mapping[str, SqlValue]) -> exp.Expression:
    from sqlglot import exp

    if isinstance(node, exp.In) and len(node.expressions) == 1:
        # A list takes the place of one name: `IN ($buckets)`.
        value = values.get(_name(node.expressions[0]))
        if isinstance(value, tuple):
            node.set("expressions", [exp.Literal.string(each) for each in value])
        return node
    name = _name(node)
    if not name:
        return node
    value = values[name]
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    return exp.Literal.number(value) if isinstance(value, int) else exp.Literal.string(str(value))


def _name(node: Any) -> str:
    from sqlglot import exp

    if isinstance(node, (exp.Parameter, exp.Placeholder)):
        return str(node.this.name if isinstance(node.this, exp.Expression) else node.this)
    return ""


def _portable(node: exp.Expression, dialect: Dialect) -> exp.Expression:
    from sqlglot import exp

    if dialect not in _ELEMENT:
        return node
    if isinstance(node, exp.Bracket):
        # The tree counts one less than both of these functions, from the end too.
        place = exp.Literal.number(int(node.expressions[0].to_py()) + 1)
        return exp.Anonymous(this=_ELEMENT[dialect], expressions=[node.this, place])
    if isinstance(node, exp.Anonymous) and node.name == "list_element":
        return exp.Anonymous(this=_ELEMENT[dialect], expressions=node.expressions)
    return node
