"""Detect the transport of a CloudTrail event, in SQL."""

from __future__ import annotations

from typing import Final

from secure_bucket.detection import DOUBTS, EXPLANATIONS, TLS_FIELDS, Absent, Differs, Explanation
from secure_bucket.operations.audit.sql_common import (
    ACCESS_POINT,
    BUCKET_NAME,
    CIPHER_SUITE,
    REQUEST,
    TLS_NUMBER,
    TLS_VERSION,
)
from secure_bucket.values.never import assert_never

__all__ = ["EVENTS", "bucket_of", "source_of"]


def bucket_of(name: str, resources: str) -> str:
    """Return the bucket of an event.

    An event of an access point, or without request parameters, names its bucket among the resources.

    Args:
        name: The column with the name in the request.
        resources: The column with the resources, as text.
    """
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-monitoring-logging.html
    places = f"COALESCE({name}, '') || ' ' || COALESCE({resources}, '')"
    found = f"NULLIF(regexp_extract({places}, 'arn:[a-z-]+:s3:::([A-Za-z0-9._-]+)', 1), '')"
    elsewhere = f"{name} IS NULL OR {ACCESS_POINT.replace('bucket', name)}"
    return f"CASE WHEN {elsewhere} THEN COALESCE({found}, {name}) ELSE {name} END"


def source_of(copied: str, bucket: str) -> str:
    """Return the bucket that an event copies from; `NULL` if it does not copy from another bucket.

    Args:
        copied: The column with the source in the request, such as `/BUCKET/KEY`.
        bucket: The name of the bucket in the request.
    """
    # The source may be URL-encoded, and CloudTrail writes some parameters as a list.
    start = r'^(?:[\["/]|%2[Ff])*'
    point = "arn(?::|%3[Aa])"
    # Other encoded characters make it a name that no bucket has.
    name = r"(?:[^/%?\"]|%(?:[013-9a-fA-F]|2[0-9a-eA-E]))+"
    found = (
        f"CASE WHEN regexp_matches({copied}, '{start}{point}')"
        f" THEN 'arn:' || regexp_extract({copied}, '{start}{point}([^\"]*)', 1)"
        f" ELSE regexp_extract({copied}, '{start}({name})', 1) END"
    )
    return f"NULLIF(NULLIF({found}, ''), {bucket})"


# `secure_bucket.detection` defines the fields, also for the alarms of `SecureTransportMonitoring`. These are
# the columns of `events` with these fields.
_COLUMNS: Final = {
    "additionalEventData.CipherSuite": "additional_cipher",
    "sessionCredentialFromConsole": "console",
    "sourceIPAddress": "address",
    "tlsDetails.cipherSuite": "cipher",
    "tlsDetails.tlsVersion": "tls",
    "userIdentity.invokedBy": "invoked",
}
_DOUBTFUL: Final = {
    "vpcEndpointId": "endpoint IS NOT NULL",
    "additionalEventData": "additional IS NULL",
    "eventVersion": "eventversion IS NULL OR NOT regexp_matches(eventversion, '^1[.](0[89]|[1-9][0-9])')",
    "sourceIPAddress": "address IS NULL "
    "OR NOT regexp_matches(address, '^[0-9]+[.][0-9.]+$|^[0-9a-fA-F]*:[0-9a-fA-F:.]+$')",
}


def _applies(explanation: Explanation) -> str:
    match explanation.without:
        case Absent(field):
            return f"{_COLUMNS[field]} IS NOT NULL"
        case Differs(field, value):
            return f"{_COLUMNS[field]} LIKE '{value.replace('*', '%')}'"
        case _:
            assert_never(explanation.without)


_TELLS_TLS: Final = " OR ".join(
    f"({TLS_VERSION if field.endswith('Version') else CIPHER_SUITE.replace('cipher', _COLUMNS[field])})"
    for field in TLS_FIELDS
)
_TELLS_SOMETHING: Final = " OR ".join(
    f"COALESCE({_COLUMNS[field]}, '-') NOT IN ('-', '')" for field in TLS_FIELDS
)
# The endpoints of China have another ending, which events may take over.
_OF_S3: Final = "lower(eventsource) LIKE '%s3.amazonaws.com%'"
# Events of a type that nobody knows count as calls.
_NOT_CALLS: Final = "'AwsConsoleAction', 'AwsConsoleSignIn'"
_DATA: Final = "(category = 'Data' OR (category IS NULL AND management = 'false'))"
_WHYS: Final = " ".join(
    f"WHEN {condition} THEN '{why}'"
    for condition, why in (
        (_TELLS_SOMETHING, "the event names a TLS version or a cipher suite that is not known"),
        *((_applies(each), each.why) for each in EXPLANATIONS),
        *((_DOUBTFUL[field], why) for field, why in DOUBTS.items()),
    )
)

# A copy is one event of the target bucket, and the same request needs the permission to read the source. The
# deny of the source refuses it as well, so a copy over plain HTTP counts for both buckets.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
EVENTS: Final = f"""
WITH told AS (
  SELECT *,
    CASE
      WHEN {_TELLS_TLS} THEN 'tls'
      WHEN CASE {_WHYS} END IS NOT NULL THEN 'unknown'
      ELSE 'http'
    END AS transport
  FROM events
),
halves AS (
  SELECT *, CASE WHEN source_of_copy THEN copied ELSE bucket END AS named
  FROM told CROSS JOIN (VALUES (FALSE), (TRUE)) AS half(source_of_copy)
  WHERE NOT source_of_copy OR (copied IS NOT NULL AND transport <> 'tls')
)
SELECT
  file,
  'event' AS source,
  CASE
    WHEN odd IS NOT NULL THEN odd
    WHEN eventtype = 'AwsCloudTrailInsight' THEN NULL
    WHEN eventsource IS NULL OR operation IS NULL THEN 'is not an event of CloudTrail'
    WHEN TRY_CAST(first_seen AS TIMESTAMP) IS NULL THEN 'has no time'
    WHEN NOT {_OF_S3} THEN NULL
    WHEN bucket IS NULL AND {_DATA}
      AND COALESCE(eventtype, '') NOT IN ('AwsServiceEvent', 'AwsVpceEvent', {_NOT_CALLS})
      THEN 'is a data event that names no bucket'
    WHEN NOT regexp_matches(named, {BUCKET_NAME}) AND NOT ({ACCESS_POINT.replace("bucket", "named")})
      THEN 'names a bucket that no bucket can be named'
  END AS malformed,
  CASE
    WHEN eventtype = 'AwsCloudTrailInsight' THEN 'insights, which are not requests'
    WHEN NOT {_OF_S3} THEN 'events of other services'
    WHEN bucket IS NULL THEN 'requests to no bucket'
    WHEN eventtype = 'AwsServiceEvent' THEN 'what AWS did by itself'
    WHEN eventtype = 'AwsVpceEvent' THEN 'network activity, which tells nothing of TLS'
    WHEN eventtype IN ({_NOT_CALLS}) THEN 'events that are not calls'
  END AS passed,
  named AS bucket,
{REQUEST},
  COALESCE(errorcode, '-') AS status,
  COALESCE(errorcode, '-') = 'AccessDenied' AS refused,
  CASE
    WHEN source_of_copy THEN 'copy'
    WHEN {_DATA} THEN
      CASE WHEN readonly = 'true' THEN 'read' ELSE 'write' END
    ELSE 'manage'
  END AS effect,
  {TLS_NUMBER},
  transport,
  CASE {_WHYS} END AS why
FROM halves
"""
"""`events` as `requests`."""
