"""Detect the transport of an access record, in SQL."""

from __future__ import annotations

from typing import Final

from secure_bucket.operations.audit.sql_common import CIPHER_SUITE, REQUEST, TLS_NUMBER, TLS_VERSION

__all__ = ["ACCESS"]

_OPERATION: Final = "regexp_matches(operation, '^(BATCH|REST|S3|SOAP|WEBSITE)[.][A-Za-z0-9_.]+$')"
# INVARIANT: a record shows its transport only if the fields around it have their documented form.
# A host id with a blank shifts all fields after it. The forms are documented at
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html, read 2026-11.
_WELL_FORMED: Final = (
    f"COALESCE({_OPERATION} AND regexp_matches(status, '^([0-9][0-9][0-9]|-|[?])$')"
    " AND signature IN ('SigV2', 'SigV4', '-') AND authentication IN ('AuthHeader', 'QueryString', '-')"
    f" AND (cipher = '-' OR ({CIPHER_SUITE})) AND (tls = '-' OR ({TLS_VERSION})), FALSE)"
)

# Both are `-` for plain HTTP, and both have a value for HTTPS. A record with one of them contradicts itself.
_HALF: Final = "(cipher = '-') <> (tls = '-')"

# A `-` in both fields means plain HTTP only for a request of a client:
# - `S3.…` is an action of S3 itself (expiry, transitions, deliveries), and `BATCH.DELETE.OBJECT` is one key
# of   a request with its own record, `REST.POST.MULTI_OBJECT_DELETE`. No client connects for either.
# - `REST.COPY.…_GET` is the half of a copy that S3 does for the client, who connected for the other half.
# - Without a request line, a status and an address, the `-` means, as the AWS document says of every field,
#   that the data was unknown, unavailable or not applicable.
# A line without the field for the TLS version does not show the transport.
ACCESS: Final = f"""
SELECT
  file,
  'access' AS source,
  CASE
    WHEN odd IS NOT NULL THEN odd
    WHEN bucket IS NULL OR bucket IN ('', '-') OR operation IS NULL OR status IS NULL OR status = ''
      THEN 'is not a record of an S3 access log'
    WHEN TRY_CAST(first_seen AS TIMESTAMP) IS NULL THEN 'has no time'
  END AS malformed,
  CAST(NULL AS VARCHAR) AS passed,
  bucket,
{REQUEST},
  status,
  status = '403' AS refused,
  CASE
    WHEN operation LIKE 'REST.COPY.%_GET' THEN 'copied from'
    WHEN operation LIKE 'REST.COPY.%' THEN 'copied to'
  END AS effect,
  {TLS_NUMBER},
  CASE
    WHEN (operation LIKE 'S3.%' OR operation = 'BATCH.DELETE.OBJECT') AND {_OPERATION}
      THEN 'internal'
    WHEN tls IS NULL OR tls = '' OR NOT {_WELL_FORMED} OR {_HALF} THEN 'unknown'
    WHEN tls <> '-' THEN 'tls'
    WHEN operation LIKE 'REST.COPY.%_GET' THEN CASE WHEN $skip_copies THEN 'internal' ELSE 'unknown' END
    WHEN request <> '' AND request <> '-' AND status <> '-' AND address NOT IN ('-', '') THEN 'http'
    ELSE 'unknown'
  END AS transport,
  CASE
    WHEN tls IS NULL OR tls = '' THEN 'the record has no field for the TLS version'
    WHEN NOT {_WELL_FORMED}
      THEN 'a field of the record does not have the form that AWS documents'
    WHEN {_HALF} THEN 'the record names only one of the TLS version and the cipher suite'
    WHEN operation LIKE 'REST.COPY.%_GET' THEN 'the half of a copy that S3 does itself does not tell'
    ELSE 'the record says `-`, and of no request of a client'
  END AS why
FROM access
"""
"""`access` as `requests`."""
