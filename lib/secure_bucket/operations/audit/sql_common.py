"""Write the SQL that several queries share: the time of a record, and the evidence of TLS.

All queries are in the SQL of DuckDB; `dialects` translates them for other engines. A query reads relations
that are defined before it, in a chain that reads each record once:

    lines ──▶ ACCESS_LINES ──▶ access ──▶ ACCESS ──┐
    JSON ────────────────────▶ access ──▶ ACCESS ──┼─▶ requests ──▶ COLLECT ──▶ collected ──▶ REPORT
    CloudTrail ──────────────▶ events ──▶ EVENTS ──┘

The queries use only features of DuckDB, Trino and Spark alike: text functions, `CASE`, grouping sets,
windows. A time is a text in UTC, such as `2024-02-06 00:00:38`: such texts sort like the times, and do not
depend on the time zone of an engine.
"""

from __future__ import annotations

from typing import Final

__all__ = ["ACCESS_POINT", "BUCKET_NAME", "CIPHER_SUITE", "REQUEST", "TLS_NUMBER", "TLS_VERSION", "once"]

TLS_NUMBER: Final = """
  CASE upper(tls)
    WHEN 'TLSV1' THEN '1.0' WHEN 'TLSV1.0' THEN '1.0' WHEN 'TLSV1.1' THEN '1.1'
    WHEN 'TLSV1.2' THEN '1.2' WHEN 'TLSV1.3' THEN '1.3'
  END AS tls
"""
"""The TLS version of a record as a number."""

REQUEST: Final = """\
  outside,
  records,
  first_seen,
  last_seen,
  COALESCE(NULLIF(requester, ''), '-') AS requester,
  COALESCE(NULLIF(user_agent, ''), '-') AS user_agent,
  COALESCE(NULLIF(address, ''), '-') AS address,
  operation"""
"""The columns on the request of a record: the time, the client and the operation."""

# These endings are reserved for access points: no bucket has such a name.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
ACCESS_POINT: Final = (
    "bucket LIKE 'arn:%' OR bucket LIKE '%-s3alias' OR bucket LIKE '%--ol-s3' OR bucket LIKE '%.mrap'"
)
"""Whether the name of a bucket is that of an access point."""

# Some old buckets have capitals and underscores in their names.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
BUCKET_NAME: Final = "'^[A-Za-z0-9][A-Za-z0-9._-]+$'"
"""What the name of a bucket looks like, as a pattern."""

# The values that only TLS leaves in a field. AWS writes suites like OpenSSL or IANA. We infer from both lists
# that each suite names its algorithm in capitals.
TLS_VERSION: Final = "tls LIKE 'TLS%' AND upper(tls) IN ('TLSV1', 'TLSV1.0', 'TLSV1.1', 'TLSV1.2', 'TLSV1.3')"
CIPHER_SUITE: Final = (
    "translate(cipher, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_', '') = ''"
    " AND (cipher LIKE '%AES%' OR cipher LIKE '%CHACHA20%' OR cipher LIKE '%DES%' OR cipher LIKE '%RC4%')"
)

_DIGIT: Final = "[0-9]"
# No braces, because `tables` fills braces with the name of a table.
_TIME: Final = (
    f"^[1-9]{_DIGIT * 3}-[01]{_DIGIT}-[0-3]{_DIGIT}T([01]{_DIGIT}|2[0-3])(:[0-5]{_DIGIT})(:[0-5]{_DIGIT})"
    f"([.]{_DIGIT}+)?Z$"
)


def once(time: str) -> str:
    """Return the columns on the time of a single record.

    Args:
        time: The column with its time, such as `2027-03-01T09:00:00Z`.
    """
    moment = f"substr({time}, 1, 10) || ' ' || substr({time}, 12, 8)"
    told = f"CASE WHEN regexp_matches({time}, '{_TIME}') THEN {moment} END"
    return (
        f"CASE WHEN $bounded THEN COALESCE({told} < $since OR {told} >= $until, FALSE) ELSE FALSE END"
        f" AS outside, 1 AS records, {told} AS first_seen, {told} AS last_seen"
    )
