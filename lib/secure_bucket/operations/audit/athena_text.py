"""Write the table and the query as text, for users who run them by hand."""

from __future__ import annotations

from secure_bucket.operations.audit.dialects import chain, write
from secure_bucket.operations.audit.kinds import LogKind
from secure_bucket.operations.audit.question import Question
from secure_bucket.operations.audit.s3 import parse_location
from secure_bucket.operations.audit.sql_files import relations
from secure_bucket.operations.audit.sql_report import COLLECT, REPORT
from secure_bucket.operations.audit.sql_tables import Stored
from secure_bucket.operations.audit.tables import Layout, create_table, query

__all__ = ["athena_sql", "duckdb_sql"]

_TABLE = "secure_bucket_audit_logs"
_READ = """\
-- {what}
CREATE VIEW lines AS SELECT filename AS file, line FROM read_csv('{files}',
  columns = {{'line': 'VARCHAR'}}, header = false, auto_detect = false, filename = true,
  delim = E'\\x01\\x02', quote = '', escape = '', strict_mode = false);
"""
_READ_FROM = {
    "access": ("server access logs", "*.log"),
    "cloudtrail": ("events of CloudTrail, one in each line, as `jq -c '.Records[]'` writes them", "*.jsonl"),
}


def athena_sql(stored: Stored, argument: str, database: str, question: Question) -> str:
    """Return the table and the query for Athena, for logs in folders of days.

    Args:
        stored: The kind of logs.
        argument: `s3://bucket/prefix`, up to the folders of the years.
        database: The database of the table.
        question: The question.

    Raises:
        LogError: If a name or the location is invalid in Athena.
    """
    location = parse_location(argument)
    create = create_table(stored, database, _TABLE, location, Layout((), True), question)
    return f"{create};\n\n{query(stored, database, [_TABLE], question)};\n"


def duckdb_sql(stored: Stored, question: Question) -> str:
    """Return the query for DuckDB, with a view that reads the lines of files.

    Args:
        stored: The kind of logs.
        question: The question.
    """
    kind = LogKind.ACCESS_LINES if stored == "access" else LogKind.EVENTS
    sql = chain(relations(kind) | {"collected": COLLECT}, REPORT)
    what, files = _READ_FROM[stored]
    asked = write(sql, "duckdb", question.values())
    return f"{_READ.format(what=what, files=files)}\n{asked};\n"
