"""The questions, each written once, in the SQL of DuckDB; `dialects` turns them into that of other engines.

A question reads relations that are defined before it. They are chained so that each record is read once:

    lines ──▶ ACCESS_LINES ──▶ access ──▶ ACCESS ──┐
    JSON ────────────────────▶ access ──▶ ACCESS ──┼─▶ requests ──▶ COLLECT ──▶ collected ──▶ REPORT
    CloudTrail ──────────────▶ events ──▶ EVENTS ──┘

Only what DuckDB, Trino and Spark have in common is used: text functions, `CASE`, grouping sets, windows. A
time is a text as `2024-02-06 00:00:38`, in UTC: such texts sort as the times do, and no engine's idea of time
zones has a say in them.
"""

from __future__ import annotations

from typing import Final

__all__ = ["ACCESS", "ACCESS_LINES", "COLLECT", "EVENTS", "REPORT"]

# The last quotation mark of a line ends the user agent, whatever that holds. Behind it come the version id,
# the host id, the signature version, the cipher suite, the kind of authentication, the host, the TLS version
# and what AWS has appended since. Before the first mark come nine fields, none of which holds a blank. A line
# with six marks is therefore cut at them, which is many times as fast as a regular expression. That one is
# for lines with more marks (in a user agent, a referrer, a request) or fewer (a bare `-` instead of them).
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
_ODD: Final = (
    r"^\S+ \S+ \[[^\]]*\] \S+ \S+ \S+ \S+ \S+ "
    r'(?:"(.*?)"|-) (\d{3}|-) \S+ (?:\d+|-) (?:\d+|-) (?:\d+|-) (?:\d+|-) '
    r'(?:".*?"|-) (?:"(.*)"|-)( [^"]*)$'
)

ACCESS_LINES: Final = rf"""
WITH marked AS (
  SELECT file, line, string_split(line, '"') AS piece FROM lines WHERE line IS NOT NULL AND line <> ''
),
headed AS (
  SELECT file, line, piece,
    string_split(piece[1], ' ') AS head,
    string_split(piece[3], ' ') AS middle
  FROM marked
),
shaped AS (
  SELECT *,
    array_length(piece) = 7 AND array_length(head) = 10 AND array_length(middle) = 8 AND piece[5] = ' '
      AND (middle[2] LIKE '___' OR middle[2] = '-') AS even
  FROM headed
),
cut AS (
  SELECT file, head,
    CASE WHEN even THEN piece[2] ELSE regexp_extract(line, '{_ODD}', 1) END AS request,
    CASE WHEN even THEN middle[2] ELSE regexp_extract(line, '{_ODD}', 2) END AS status,
    CASE WHEN even THEN piece[6] ELSE regexp_extract(line, '{_ODD}', 3) END AS user_agent,
    string_split(CASE WHEN even THEN piece[7] ELSE regexp_extract(line, '{_ODD}', 4) END, ' ') AS tail
  FROM shaped
)
SELECT
  file,
  head[2] AS bucket,
  CASE WHEN head[3] LIKE '[__/___/____:__:__:__' AND head[4] = '+0000]' THEN
    substr(head[3], 9, 4) || '-' || CASE substr(head[3], 5, 3)
      WHEN 'Jan' THEN '01' WHEN 'Feb' THEN '02' WHEN 'Mar' THEN '03' WHEN 'Apr' THEN '04'
      WHEN 'May' THEN '05' WHEN 'Jun' THEN '06' WHEN 'Jul' THEN '07' WHEN 'Aug' THEN '08'
      WHEN 'Sep' THEN '09' WHEN 'Oct' THEN '10' WHEN 'Nov' THEN '11' WHEN 'Dec' THEN '12'
    END || '-' || substr(head[3], 2, 2) || ' ' || substr(head[3], 14, 8)
  END AS moment,
  head[5] AS address,
  head[6] AS requester,
  head[8] AS operation,
  request,
  CASE WHEN array_length(tail) > 1 THEN status END AS status,
  user_agent,
  tail[4] AS signature,
  tail[5] AS cipher,
  tail[6] AS authentication,
  tail[8] AS tls
FROM cut
"""
"""`lines(file, line)` of the text of server access logs, as `access`."""

_TLS: Final = """
  CASE upper(tls)
    WHEN 'TLSV1' THEN '1.0' WHEN 'TLSV1.0' THEN '1.0' WHEN 'TLSV1.1' THEN '1.1'
    WHEN 'TLSV1.2' THEN '1.2' WHEN 'TLSV1.3' THEN '1.3'
  END AS tls
"""

# What only TLS can leave in a field. AWS writes suites as OpenSSL or IANA do. That each of them names its
# algorithm in capitals is inferred from the lists of both.
_TLS_VERSION: Final = "upper(tls) IN ('TLSV1', 'TLSV1.0', 'TLSV1.1', 'TLSV1.2', 'TLSV1.3')"
_CIPHER_SUITE: Final = (
    "translate(cipher, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_', '') = ''"
    " AND (cipher LIKE '%AES%' OR cipher LIKE '%CHACHA20%' OR cipher LIKE '%DES%' OR cipher LIKE '%RC4%')"
)
# INVARIANT: a record tells its transport only where the fields around it have their documented form.
# A host id that holds a blank shifts all that follow. The forms are those of the page above, read 2026-11.
_WELL_FORMED: Final = (
    "(signature IN ('SigV2', 'SigV4', '-') AND authentication IN ('AuthHeader', 'QueryString', '-')"
    f" AND (cipher = '-' OR ({_CIPHER_SUITE})) AND (tls = '-' OR {_TLS_VERSION}))"
)

# A `-` in both fields is plain HTTP only where there was a request of a client to speak of:
# - `S3.…` is what S3 does by itself (expiry, transitions, deliveries), and `BATCH.DELETE.OBJECT` is one key
#   of a request that has a record of its own, `REST.POST.MULTI_OBJECT_DELETE`. Nobody connects for either.
# - `REST.COPY.…_GET` is the half of a copy that S3 does for the client, who connected for the other half.
# - Without a request line, a status and an address the `-` means, as the AWS document says of every field,
#   that the data was unknown, unavailable or not applicable.
# A line from before the field for the TLS version does not tell.
ACCESS: Final = f"""
SELECT
  file,
  'access' AS source,
  CASE
    WHEN bucket IS NULL OR bucket IN ('', '-') OR operation IS NULL OR status IS NULL OR status = ''
      THEN 'is no record of an S3 access log'
    WHEN TRY_CAST(moment AS TIMESTAMP) IS NULL THEN 'has no time'
  END AS malformed,
  CAST(NULL AS VARCHAR) AS passed,
  bucket,
  moment,
  COALESCE(NULLIF(requester, ''), '-') AS requester,
  COALESCE(NULLIF(user_agent, ''), '-') AS user_agent,
  COALESCE(NULLIF(address, ''), '-') AS address,
  operation,
  status,
  status = '403' AS refused,
  CAST(NULL AS VARCHAR) AS effect,
  {_TLS},
  CASE
    WHEN operation LIKE 'S3.%' OR operation = 'BATCH.DELETE.OBJECT' THEN 'internal'
    WHEN tls IS NULL OR tls = '' OR NOT {_WELL_FORMED} THEN 'unknown'
    WHEN tls <> '-' OR cipher <> '-' THEN 'tls'
    WHEN operation LIKE 'REST.COPY.%_GET' THEN 'unknown'
    WHEN request <> '' AND request <> '-' AND status <> '-' AND address <> '-' THEN 'http'
    ELSE 'unknown'
  END AS transport,
  CASE
    WHEN tls IS NULL OR tls = '' THEN 'the record has no field for the TLS version'
    WHEN NOT {_WELL_FORMED} THEN 'a field of the record does not have the form that AWS documents'
    WHEN operation LIKE 'REST.COPY.%_GET' THEN 'the half of a copy that S3 does itself does not tell'
    ELSE 'the record says `-`, and of no request of a client'
  END AS why
FROM access
"""
"""`access` as `requests`."""

# CloudTrail leaves `tlsDetails` away where there was no TLS. It also does so where an AWS service made the
# call on somebody's behalf, for events older than version 1.08, and where a VPC endpoint stood between; an
# event of S3 then may still name the cipher suite in `additionalEventData`. Only where all of these are ruled
# out is its absence plain HTTP.
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
_BY_SERVICE: Final = (
    "invoked = 'yes' OR address IS NULL "
    "OR NOT regexp_matches(address, '^[0-9]+[.][0-9.]+$|^[0-9a-fA-F]*:[0-9a-fA-F:.]+$')"
)
_TOO_OLD: Final = "eventversion IS NULL OR NOT regexp_matches(eventversion, '^1[.](0[89]|[1-9][0-9])')"

EVENTS: Final = f"""
SELECT
  file,
  'event' AS source,
  CASE
    WHEN eventtype = 'AwsCloudTrailInsight' THEN NULL
    WHEN eventsource IS NULL OR operation IS NULL THEN 'is no event of CloudTrail'
    WHEN TRY_CAST(moment AS TIMESTAMP) IS NULL THEN 'has no time'
  END AS malformed,
  CASE
    WHEN eventtype = 'AwsCloudTrailInsight' THEN 'insights, which are no requests'
    WHEN eventsource <> 's3.amazonaws.com' THEN 'events of other services'
    WHEN bucket IS NULL THEN 'requests to no bucket'
    WHEN eventtype = 'AwsServiceEvent' THEN 'what AWS did by itself'
  END AS passed,
  bucket,
  moment,
  COALESCE(NULLIF(requester, ''), '-') AS requester,
  COALESCE(NULLIF(user_agent, ''), '-') AS user_agent,
  COALESCE(NULLIF(address, ''), '-') AS address,
  operation,
  COALESCE(errorcode, '-') AS status,
  COALESCE(errorcode, '-') = 'AccessDenied' AS refused,
  CASE
    WHEN category = 'Data' OR (category IS NULL AND management = 'false') THEN
      CASE WHEN readonly = 'true' THEN 'read' ELSE 'write' END
    ELSE 'manage'
  END AS effect,
  {_TLS},
  CASE
    WHEN {_TLS_VERSION} OR ({_CIPHER_SUITE}) THEN 'tls'
    WHEN COALESCE(cipher, '-') NOT IN ('-', '') THEN 'unknown'
    WHEN {_BY_SERVICE} THEN 'unknown'
    WHEN endpoint IS NOT NULL OR {_TOO_OLD} OR additional IS NULL OR tls IS NOT NULL THEN 'unknown'
    ELSE 'http'
  END AS transport,
  CASE
    WHEN {_BY_SERVICE} THEN 'an AWS service made the call, and CloudTrail does not tell how'
    WHEN endpoint IS NOT NULL THEN 'it came through a VPC endpoint, and CloudTrail does not tell how'
    WHEN {_TOO_OLD} THEN 'the event is older than `tlsDetails`'
    ELSE 'the event has no `tlsDetails`, and nothing else that tells'
  END AS why
FROM events
"""
"""`events` as `requests`."""

COLLECT: Final = """
WITH judged AS (
  SELECT *,
    CASE
      WHEN malformed IS NOT NULL THEN 'malformed'
      WHEN passed IS NOT NULL THEN 'passed'
      WHEN moment < $since OR moment >= $until THEN 'outside'
      WHEN $some_buckets AND bucket NOT IN ($buckets) THEN 'passed'
      WHEN transport <> 'tls' THEN transport
      WHEN $minimum_tls = '' THEN 'https'
      WHEN tls IS NULL THEN 'unknown'
      WHEN tls < $minimum_tls THEN 'old'
      ELSE 'https'
    END AS outcome
  FROM requests
),
spared AS (
  SELECT *,
    outcome IN ('http', 'old', 'unknown') AS kept,
    outcome IN ('malformed', 'passed', 'outside') AS apart
  FROM judged
)
SELECT
  outcome,
  CASE outcome
    WHEN 'malformed' THEN malformed
    WHEN 'passed' THEN COALESCE(passed, 'requests to other buckets')
    WHEN 'unknown' THEN CASE transport WHEN 'tls' THEN 'it was TLS, of a version not told' ELSE why END
  END AS why,
  CASE WHEN outcome = 'malformed' THEN file END AS file,
  source,
  CASE WHEN NOT apart THEN bucket END AS bucket,
  CASE WHEN NOT apart THEN substr(moment, 1, 10) END AS day,
  CASE WHEN kept THEN requester END AS requester,
  CASE WHEN kept THEN user_agent END AS user_agent,
  CASE WHEN kept THEN address END AS address,
  CASE WHEN kept THEN operation END AS operation,
  CASE WHEN kept THEN status END AS status,
  CASE WHEN outcome = 'old' THEN tls END AS tls,
  CASE WHEN kept THEN refused ELSE FALSE END AS refused,
  CASE WHEN NOT apart THEN effect END AS effect,
  COUNT(*) AS requests,
  MIN(moment) AS first_seen,
  MAX(moment) AS last_seen
FROM spared
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
"""
"""`requests`, counted by day, and by client where plain HTTP or old TLS was spoken, or may have been."""

# One pass over `collected` answers three questions: the groups of clients, what was counted of each bucket,
# and the days on which something was. `$by_…` tells what the groups are of.
REPORT: Final = """
WITH answered AS (
  SELECT *,
    CASE
      WHEN outcome NOT IN ('http', 'old') THEN outcome
      WHEN refused THEN 'refused'
      ELSE 'breaks'
    END AS answer,
    source = 'access' OR effect <> 'manage' AS evident
  FROM collected
),
known AS (
  SELECT *,
    DENSE_RANK() OVER (PARTITION BY answer ORDER BY requester, user_agent, address) AS client
  FROM answered
),
keyed AS (
  SELECT answer, outcome, why, tls, file, bucket, source, effect, evident, client, status, day,
    requests, first_seen, last_seen,
    CASE WHEN $by_bucket THEN bucket END AS bucket_key,
    CASE WHEN $by_requester THEN requester END AS requester,
    CASE WHEN $by_user_agent THEN user_agent END AS user_agent,
    CASE WHEN $by_address THEN address END AS address,
    CASE WHEN $by_operation THEN operation END AS operation,
    CASE WHEN $by_status THEN status END AS status_key
  FROM known
),
grouped AS (
  SELECT
    CASE
      WHEN GROUPING(file) = 0 THEN 'group'
      WHEN GROUPING(source) = 0 THEN 'count'
      ELSE 'bucket'
    END AS level,
    answer, outcome, why, tls, file, COALESCE(bucket, bucket_key) AS bucket,
    requester, user_agent, address, operation, source, effect,
    MIN(status) AS status_low,
    MAX(status) AS status_high,
    SUM(requests) AS requests,
    COUNT(DISTINCT client) AS clients,
    COUNT(DISTINCT CASE WHEN answer = 'breaks' THEN client END) AS breaking,
    MAX(client) AS last_client,
    MIN(first_seen) AS first_seen,
    MAX(last_seen) AS last_seen,
    COUNT(DISTINCT CASE WHEN evident THEN day END) AS days
  FROM keyed
  GROUP BY GROUPING SETS (
    (answer, outcome, why, tls, file, bucket_key, requester, user_agent, address, operation, status_key),
    (bucket, answer, why, source, effect),
    (bucket)
  )
),
placed AS (
  SELECT *,
    ROW_NUMBER() OVER (
      PARTITION BY level, answer
      ORDER BY requests DESC, last_seen DESC,
        bucket, requester, user_agent, address, operation, status_low, outcome, why, tls, file
    ) AS place,
    COUNT(*) OVER (PARTITION BY level, answer) AS all_groups,
    MAX(last_client) OVER (PARTITION BY level, answer) AS all_clients,
    SUM(requests) OVER (PARTITION BY level, answer) AS all_requests
  FROM grouped
)
SELECT
  level, answer, outcome, why, tls, file, bucket, requester, user_agent, address, operation, source, effect,
  status_low, status_high, requests, clients, breaking, first_seen, last_seen, days,
  all_groups, all_clients, all_requests
FROM placed
WHERE level <> 'group' OR (answer IN ('breaks', 'refused', 'unknown', 'malformed') AND place <= $limit)
ORDER BY level, answer, place
"""
"""`collected` as the rows of the answer."""
