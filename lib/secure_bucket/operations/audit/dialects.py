"""Translate queries to the SQL of another engine, with their values as literals."""

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

# In Trino and Spark, an index behind the end of an array is an error, except with these functions.
_ELEMENT: Final = {"athena": "ELEMENT_AT", "spark": "TRY_ELEMENT_AT"}


def load_sqlglot() -> Any:
    """Return the module `sqlglot`.

    Raises:
        MissingDependencyError: If sqlglot is not installed.
    """
    try:
        import sqlglot
    except ImportError:
        raise MissingDependencyError.without_extra("reading logs needs sqlglot", "audit") from None
    return sqlglot


def chain(relations: Mapping[str, str], question: str) -> str:
    """Return a query with the relations that it reads.

    Args:
        relations: The name and the SQL of each relation; a relation comes before those that read it.
        question: The SQL of the query.
    """
    definitions = ",\n".join(f"{name} AS ({sql})" for name, sql in relations.items())
    return f"WITH {definitions}\nSELECT * FROM ({question}) AS answer"


def write(sql: str, dialect: Dialect, values: Mapping[str, SqlValue] | None = None) -> str:
    """Return a query in the SQL of an engine.

    Args:
        sql: The query, in the SQL of DuckDB.
        dialect: The engine.
        values: The value of each `$name`. It becomes a literal, and is never parsed as SQL.
    """
    given = values or {}
    if dialect == "duckdb":
        # The query is in the SQL of DuckDB already, so local logs need no parser.
        return _NAME.sub(lambda found: _literal(given[found[1]]), sql)
    return _written(sql, dialect, tuple((name, _frozen(value)) for name, value in given.items()))


@lru_cache(32)
def _written(sql: str, dialect: Dialect, values: tuple[tuple[str, SqlValue], ...]) -> str:
    # Cached, because it takes a quarter of a second, and each batch needs it.
    tree = load_sqlglot().parse_one(sql, read="duckdb")
    filled = tree.transform(_fill, dict(values)).transform(_portable, dialect)
    text: str = filled.sql(dialect=dialect, pretty=True)
    return text


def _frozen(value: SqlValue) -> SqlValue:
    return value if isinstance(value, (str, int)) else tuple(value)


def literal(text: str) -> str:
    """Return a text as a quoted literal of DuckDB."""
    return "'" + text.replace("'", "''") + "'"


def _literal(value: SqlValue) -> str:
    if isinstance(value, (bool, int)):
        return str(value).lower()
    return literal(value) if isinstance(value, str) else ", ".join(map(literal, value))


def _fill(node: exp.Expression, values: Mapping[str, SqlValue]) -> exp.Expression:
    from sqlglot import exp

    if isinstance(node, exp.In) and len(node.expressions) == 1:
        # A list replaces one name: `IN ($buckets)`.
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
        # The tree counts from 0, and both of these functions count from 1.
        place = exp.Literal.number(int(node.expressions[0].to_py()) + 1)
        return exp.Anonymous(this=_ELEMENT[dialect], expressions=[node.this, place])
    if isinstance(node, exp.Anonymous) and node.name == "list_element":
        return exp.Anonymous(this=_ELEMENT[dialect], expressions=node.expressions)
    return node
