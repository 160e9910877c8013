"""Read the records of the tables of Athena, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

from secure_bucket.operations.audit.sql_access import ACCESS
from secure_bucket.operations.audit.sql_common import once
from secure_bucket.operations.audit.sql_events import EVENTS, bucket_of, source_of
from secure_bucket.operations.audit.sql_lines import ACCESS_LINES

__all__ = ["Stored", "table_source"]

Stored: TypeAlias = Literal["access", "cloudtrail"]

# A line that does not match the expression has no value, and counts as malformed.
_LINES: Final = """SELECT "$path" AS file, COALESCE(line, '?') AS line FROM {table}"""

_RESOURCES: Final = " || ' ' || ".join(f"COALESCE(resources[{place}].arn, '')" for place in (1, 2, 3))

_NAME_IN_REQUEST: Final = "json_extract_string(requestparameters, '$.bucketName')"
_COPIED: Final = "json_extract_string(requestparameters, '$.\"x-amz-copy-source\"')"


def _twice(text: str, member: str) -> str:
    """Return the test whether an object names a member twice; marks within a value have a backslash."""
    return f"strpos(substr({text}, strpos({text}, '\"{member}\"') + 1), '\"{member}\"') > 0"


# The SerDe silently chooses one of two values, so only members that are kept as text can be tested.
_TWICE: Final = " OR ".join(
    _twice(text, member)
    for text, member in (
        ("requestparameters", "bucketName"),
        ("requestparameters", "x-amz-copy-source"),
        ("additionaleventdata", "CipherSuite"),
    )
)

_EVENTS: Final = f"""
SELECT
  "$path" AS file,
  CASE WHEN {_TWICE} THEN 'names a member twice' END AS odd,
  {once("eventtime")},
  eventversion,
  eventsource,
  eventname AS operation,
  eventtype,
  eventcategory AS category,
  managementevent AS management,
  readonly,
  errorcode,
  sourceipaddress AS address,
  useragent AS user_agent,
  vpcendpointid AS endpoint,
  useridentity.invokedby AS invoked,
  sessioncredentialfromconsole AS console,
  COALESCE(useridentity.arn, useridentity.principalid) AS requester,
  {bucket_of(_NAME_IN_REQUEST, _RESOURCES)} AS bucket,
  {source_of(_COPIED, _NAME_IN_REQUEST)} AS copied,
  additionaleventdata AS additional,
  json_extract_string(additionaleventdata, '$.CipherSuite') AS additional_cipher,
  tlsdetails.ciphersuite AS cipher,
  tlsdetails.tlsversion AS tls
FROM {{table}}
"""


def table_source(stored: Stored, tables: Sequence[str]) -> dict[str, str]:
    """Return the relations that turn tables into `requests`, in the SQL of DuckDB.

    Args:
        stored: The kind of logs.
        tables: The tables, as written in a query.
    """
    if stored == "access":
        return {"lines": _union(_LINES, tables), "access": ACCESS_LINES, "requests": ACCESS}
    return {"events": _union(_EVENTS, tables), "requests": EVENTS}


def _union(sql: str, tables: Sequence[str]) -> str:
    return " UNION ALL ".join(sql.format(table=table) for table in tables)
