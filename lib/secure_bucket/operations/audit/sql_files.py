"""Read the records of files, in the SQL of DuckDB."""

from __future__ import annotations

from typing import Final

from secure_bucket.operations.audit.kinds import CONTAINERS, LogKind
from secure_bucket.operations.audit.sql_access import ACCESS
from secure_bucket.operations.audit.sql_common import BUCKET_NAME, once
from secure_bucket.operations.audit.sql_events import EVENTS, bucket_of, source_of
from secure_bucket.operations.audit.sql_lines import ACCESS_LINES

__all__ = ["ODD_RECORDS", "relations"]

# A line of an export has a time before the JSON. Text that is not JSON has no members.
_FROM_BRACE: Final = "CASE WHEN starts_with(line, '{') THEN line ELSE substr(line, strpos(line, '{')) END"
_JSON: Final = f"CASE WHEN json_valid({_FROM_BRACE}) THEN {_FROM_BRACE} END"


def _listed(members: tuple[str, ...]) -> str:
    return ", ".join(f"'{member}'" for member in members)


# DuckDB reads the first of two members with one name, other readers the last. Hive, and so Athena, does not
# distinguish `tlsDetails` and `tlsdetails`. The client chooses the names in a request, and may use both
# cases.
_RESOURCES: Final = tuple(f".resources[{place}]" for place in range(3))
_INSENSITIVE: Final = tuple(
    f"{start}{member}"
    for start in ("$", "$.detail")
    for member in ("", ".tlsDetails", ".additionalEventData", ".userIdentity", *_RESOURCES)
)
_SENSITIVE: Final = ("$.requestParameters", "$.detail.requestParameters")
_DETAIL: Final = _INSENSITIVE.index("$.detail") + 1


def _twice(objects: str, names: str) -> str:
    """Return the test whether one of some objects has two members with one name."""
    return f"list_bool_or([len(names) <> list_unique({names}) FOR names IN {objects}])"


_PARSED: Final = f"SELECT file, {_JSON} AS line FROM lines WHERE line IS NOT NULL AND line <> ''"
_NAMES: Final = f"json_keys(line, [{_listed(_INSENSITIVE + _SENSITIVE)}])"
_ODD: Final = f"""
  CASE
    WHEN {_twice(f"members[:{len(_INSENSITIVE)}]", "[lower(name) FOR name IN names]")}
      OR {_twice(f"members[{len(_INSENSITIVE) + 1}:]", "names")}
      THEN 'names a member twice'
    WHEN list_has_any(members[1], [{_listed(CONTAINERS)}])
      OR list_has_any(members[{_DETAIL}], [{_listed(CONTAINERS)}]) THEN 'holds further records'
    WHEN list_contains(members[1], 'eventSource') AND list_contains(members[{_DETAIL}], 'eventSource')
      THEN 'is an event within an event'
  END"""
_JSON_LINES: Final = (
    f"SELECT *, {_ODD} AS odd FROM (SELECT *, {_NAMES} AS members FROM ({_PARSED}) AS parsed)"
)

# The names of members say whether a record is odd, and most records have the names of others.
ODD_RECORDS: Final = (
    f"SELECT COUNT({_ODD}) FROM (SELECT DISTINCT {_NAMES} AS members FROM ({_PARSED}) AS parsed)"
)
"""How many sets of names in JSON `lines(file, line)` are those of records that cannot be told."""

_ACCESS_MEMBERS: Final = (
    *("$.bucket_name", "$.request_time", "$.remote_ip", "$.requester", "$.operation", "$.request_uri"),
    *("$.http_status", "$.user_agent", "$.cipher_suite", "$.tls_version"),
    *("$.signature_version", "$.authentication_type"),
)

# CloudWatch writes null for a `-` of the text form. A missing member is different: then the transport is
# unknown.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/sal-cw-log-format.html
_ACCESS_JSON: Final = f"""
SELECT
  file,
  odd,
  CASE WHEN regexp_matches(value[1], {BUCKET_NAME}) THEN value[1] END AS bucket,
  {once("value[2]")},
  value[3] AS address,
  value[4] AS requester,
  value[5] AS operation,
  value[6] AS request,
  COALESCE(value[7], '-') AS status,
  value[8] AS user_agent,
  COALESCE(value[11], '-') AS signature,
  CASE
    WHEN value[9] IS NOT NULL THEN value[9]
    WHEN json_exists(line, '$.cipher_suite') THEN '-'
  END AS cipher,
  COALESCE(value[12], '-') AS authentication,
  CASE
    WHEN value[10] IS NOT NULL THEN value[10]
    WHEN json_exists(line, '$.tls_version') AND json_exists(line, '$.cipher_suite') THEN '-'
  END AS tls
FROM (
  SELECT file, line, odd, json_extract_string(line, [{_listed(_ACCESS_MEMBERS)}]) AS value
  FROM json_lines)
"""

_EVENT_MEMBERS: Final = (
    *("$.eventTime", "$.eventVersion", "$.eventSource", "$.eventName", "$.eventType", "$.eventCategory"),
    *(
        "$.managementEvent",
        "$.readOnly",
        "$.errorCode",
        "$.sourceIPAddress",
        "$.userAgent",
        "$.vpcEndpointId",
    ),
    *(
        "$.sessionCredentialFromConsole",
        "$.userIdentity.arn",
        "$.userIdentity.principalId",
        "$.userIdentity.invokedBy",
    ),
    *("$.requestParameters.bucketName", "$.additionalEventData", "$.additionalEventData.CipherSuite"),
    *("$.tlsDetails.tlsVersion", "$.tlsDetails.cipherSuite", "$.resources"),
    "$.requestParameters.x-amz-copy-source",
)

_EVENTS: Final = f"""
SELECT
  file,
  odd,
  {once("value[1]")},
  value[2] AS eventversion,
  value[3] AS eventsource,
  value[4] AS operation,
  value[5] AS eventtype,
  value[6] AS category,
  value[7] AS management,
  value[8] AS readonly,
  value[9] AS errorcode,
  value[10] AS address,
  value[11] AS user_agent,
  value[12] AS endpoint,
  value[16] AS invoked,
  value[13] AS console,
  COALESCE(value[14], value[15]) AS requester,
  {bucket_of("value[17]", "value[22]")} AS bucket,
  {source_of("value[23]", "value[17]")} AS copied,
  value[18] AS additional,
  value[19] AS additional_cipher,
  value[21] AS cipher,
  value[20] AS tls
FROM (
  SELECT file, odd, json_extract_string(
    CASE WHEN json_exists(line, '$.detail.eventSource') THEN CAST(json_extract(line, '$.detail') AS VARCHAR)
      ELSE line END,
    [{_listed(_EVENT_MEMBERS)}]) AS value
  FROM json_lines)
"""


def relations(kind: LogKind, *, ordinary: bool = False) -> dict[str, str]:
    """Return what turns `lines(file, line)` of a kind into `requests`.

    Args:
        kind: The kind.
        ordinary: Whether `ODD_RECORDS` found none (default: check each record).
    """
    if kind is LogKind.ACCESS_LINES:
        return {"access": ACCESS_LINES, "requests": ACCESS}
    lines = f"SELECT *, CAST(NULL AS VARCHAR) AS odd FROM ({_PARSED}) AS parsed" if ordinary else _JSON_LINES
    if kind is LogKind.ACCESS_JSON:
        return {"json_lines": lines, "access": _ACCESS_JSON, "requests": ACCESS}
    return {"json_lines": lines, "events": _EVENTS, "requests": EVENTS}
