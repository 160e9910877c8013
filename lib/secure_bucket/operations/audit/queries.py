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

from typing_extensions import assert_never

from secure_bucket.detection import DOUBTS, EXPLANATIONS, TLS_FIELDS, Absent, Differs, Explanation

__all__ = ["ACCESS", "ACCESS_LINES", "COLLECT", "EVENTS", "REPORT", "bucket_of", "once"]


def once(time: str) -> str:
    """Return the columns on the time of a record that is one by itself.

    Args:
        time: The column with its time, as `2027-03-01T09:00:00Z`.
    """
    moment = f"substr({time}, 1, 10) || ' ' || substr({time}, 12, 8)"
    told = f"CASE WHEN {time} LIKE '____-__-__T__:__:__%Z' THEN {moment} END"
    return (
        f"CASE WHEN $bounded THEN COALESCE({told} < $since OR {told} >= $until, FALSE) ELSE FALSE END"
        f" AS outside, 1 AS records, {told} AS first_seen, {told} AS last_seen"
    )


def bucket_of(name: str, resources: str) -> str:
    """Return the bucket of an event.

    A request to an access point names its bucket among the resources, and so does an event without request
    parameters, which CloudTrail leaves out of some events.

    Args:
        name: The column with the name in the request.
        resources: The column with the resources, as text.
    """
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-monitoring-logging.html
    places = f"COALESCE({name}, '') || ' ' || COALESCE({resources}, '')"
    found = f"NULLIF(regexp_extract({places}, 'arn:[a-z-]+:s3:::([A-Za-z0-9._-]+)', 1), '')"
    return (
        f"CASE WHEN {name} IS NULL OR {name} LIKE 'arn:%' OR {name} LIKE '%-s3alias'"
        f" OR {name} LIKE '%--ol-s3'"
        f" THEN COALESCE({found}, {name})"
        f" ELSE {name} END"
    )


# The last quotation mark of a line ends the user agent, whatever that holds. Behind it come the version id,
# the host id, the signature version, the cipher suite, the kind of authentication, the host, the TLS version
# and what AWS has appended since. Before the first mark come nine fields, none of which holds a blank. Most
# lines are cut at the marks alone. The pattern finds the status in the others: those with marks in the
# request or the referrer, or with a bare `-` for them.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
_STATUS: Final = r'" (?:\d{3}|-) \S+ (?:\d+|-) (?:\d+|-) (?:\d+|-) (?:\d+|-) '


def _lengths(name: str, first: int, last: int) -> str:
    return " + ".join(f"length({name}[{number}])" for number in range(first, last + 1))


# Suites of nearly all requests. A line with one of them is counted without a look at its client.
_USUAL_SUITES: Final = (
    "'ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES256-GCM-SHA384', "
    "'TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'"
)

_USUAL_OPERATIONS: Final = (
    "'REST.GET.OBJECT', 'REST.PUT.OBJECT', 'REST.HEAD.OBJECT', 'REST.GET.BUCKET', 'REST.DELETE.OBJECT', "
    "'REST.PUT.PART', 'REST.POST.UPLOADS', 'REST.POST.UPLOAD', 'REST.COPY.OBJECT', 'REST.COPY.OBJECT_GET'"
)
_USUAL_STATUSES: Final = (
    "'200', '206', '204', '304', '404', '403', '-', '301', '307', '400', '412', '503', '500'"
)

# A record that can only be HTTPS counts for its day; only of the others anything else is kept. `rest` is cut
# at blanks again: none of what it is made of holds one, as the line was cut at each.
# What stands for all of the first kind: neither their clients nor their suites are told apart.
_SURE: Final = "- - REST.GET.OBJECT yes 200 SigV4 TLS_AES_128_GCM_SHA256 AuthHeader TLSv1.3"

ACCESS_LINES: Final = rf"""
WITH marked AS (
  SELECT file, line, string_split(line, '"') AS piece FROM lines WHERE line IS NOT NULL AND line <> ''
),
headed AS (
  SELECT file, line, piece,
    array_length(piece) AS pieces,
    string_split(piece[1], ' ') AS head,
    string_split(piece[3], ' ') AS middle
  FROM marked
),
shaped AS (
  SELECT *,
    array_length(head) = 10 AND head[10] = '' AS quoted,
    COALESCE(
      array_length(head) = 10 AND head[10] = '' AND array_length(middle) = 8 AND pieces > 6 AND piece[5] = ' '
        AND (middle[2] LIKE '___' OR middle[2] = '-'),
      FALSE) AS usual
  FROM headed
),
bodied AS (
  SELECT *,
    CASE
      WHEN usual THEN NULL
      WHEN quoted THEN
        substr(line, strpos(line, NULLIF(regexp_extract(line, '{_STATUS}', 0), '')) + 1)
      WHEN array_length(head) > 16 AND head[10] = '-' THEN substr(line, {_lengths("head", 1, 9)} + 11)
    END AS body
  FROM shaped
),
worded AS (
  SELECT *, CASE WHEN body IS NOT NULL THEN string_split(body, ' ') END AS word FROM bodied
),
referred AS (
  SELECT *, CASE WHEN body IS NOT NULL THEN substr(body, {_lengths("word", 2, 7)} + 8) END AS referred
  FROM worded
),
ended AS (
  SELECT *,
    CASE WHEN usual AND pieces = 7 THEN piece[7] ELSE split_part(line, '"', pieces) END AS last,
    CASE
      WHEN usual AND pieces = 7 THEN NULL
      WHEN usual THEN substr(line, {_lengths("piece", 1, 5)} + 5)
      WHEN referred LIKE '- %' THEN substr(referred, 3)
      WHEN referred LIKE '"%" %' THEN substr(referred, strpos(substr(referred, 2), '" ') + 3)
    END AS ending
  FROM referred
),
cut AS (
  SELECT file, head,
    CASE
      WHEN usual THEN piece[2]
      WHEN quoted THEN substr(line, length(piece[1]) + 2, length(line) - length(body) - length(piece[1]) - 2)
      ELSE '-'
    END AS request,
    CASE
      WHEN usual AND pieces = 7 THEN middle[2]
      WHEN CASE WHEN usual THEN ending ELSE referred END LIKE '%" ___ % % % % %"%'
        AND regexp_matches(CASE WHEN usual THEN ending ELSE referred END, '{_STATUS}.*"') THEN '?'
      WHEN usual THEN middle[2]
      ELSE word[2]
    END AS status,
    CASE
      WHEN usual AND pieces = 7 THEN piece[6]
      WHEN ending LIKE '"%' THEN substr(ending, 2, length(ending) - length(last) - 2)
      ELSE '-'
    END AS user_agent,
    CASE
      WHEN usual OR ending LIKE '"%"%' THEN string_split(last, ' ')
      WHEN ending LIKE '- %' AND strpos(ending, '"') = 0 THEN string_split(substr(ending, 2), ' ')
    END AS tail
  FROM ended
)
,
dated AS (
  SELECT
    file,
    head[2] AS bucket,
    CASE WHEN length(head[3]) = 21 AND head[4] = '+0000]' THEN
      substr(head[3], 9, 4) || '-' || CASE substr(head[3], 5, 3)
        WHEN 'Jan' THEN '01' WHEN 'Feb' THEN '02' WHEN 'Mar' THEN '03' WHEN 'Apr' THEN '04'
        WHEN 'May' THEN '05' WHEN 'Jun' THEN '06' WHEN 'Jul' THEN '07' WHEN 'Aug' THEN '08'
        WHEN 'Sep' THEN '09' WHEN 'Oct' THEN '10' WHEN 'Nov' THEN '11' WHEN 'Dec' THEN '12'
      END || '-' || substr(head[3], 2, 2) || ' ' || substr(head[3], 14, 8)
    END AS moment,
    head[5] AS address,
    head[6] AS requester,
    head[8] AS operation,
    CASE WHEN request <> '' AND request <> '-' THEN 'yes' ELSE 'no' END AS request,
    CASE WHEN array_length(tail) > 1 AND tail[1] = '' AND tail[2] <> '' THEN status END AS status,
    user_agent,
    tail[4] AS signature,
    tail[5] AS cipher,
    tail[6] AS authentication,
    CASE
      WHEN tail[11] = '-' AND (tail[12] LIKE '%-%-%' OR tail[13] LIKE '%-%-%') THEN 'shifted' ELSE tail[8]
    END AS tls
  FROM cut
),
timed AS (
  SELECT *,
    TRY_CAST(moment AS TIMESTAMP) AS instant,
    CASE WHEN $bounded THEN COALESCE(moment < $since OR moment >= $until, FALSE) ELSE FALSE END AS outside,
    tls IN ('TLSv1.2', 'TLSv1.3') AND substr(tls, 5) >= $minimum_tls AND cipher IN ({_USUAL_SUITES})
      AND signature IN ('SigV4', 'SigV2', '-') AND authentication IN ('AuthHeader', 'QueryString', '-')
      AND operation IN ({_USUAL_OPERATIONS}) AND status IN ({_USUAL_STATUSES})
      AND bucket NOT IN ('', '-') AS sure
  FROM dated
),
keyed AS (
  SELECT
    bucket, instant, outside,
    CASE WHEN sure AND instant IS NOT NULL THEN '' ELSE
      COALESCE(address, '') || ' ' || COALESCE(requester, '') || ' ' || COALESCE(operation, '') || ' ' ||
      request || ' ' || COALESCE(status, '') || ' ' || COALESCE(signature, '') || ' ' ||
      COALESCE(cipher, '') || ' ' || COALESCE(authentication, '') || ' ' || COALESCE(tls, '')
    END AS rest,
    CASE WHEN sure AND instant IS NOT NULL THEN NULL ELSE user_agent END AS user_agent,
    CASE WHEN sure AND instant IS NOT NULL THEN NULL ELSE file END AS file
  FROM timed
),
grouped AS (
  SELECT file, bucket, outside, rest, user_agent, CAST(instant AS DATE) AS day,
    COUNT(*) AS records, MIN(instant) AS first_instant, MAX(instant) AS last_instant
  FROM keyed
  GROUP BY 1, 2, 3, 4, 5, 6
),
told AS (
  SELECT *,
    substr(CAST(first_instant AS VARCHAR), 1, 19) AS first_seen,
    substr(CAST(last_instant AS VARCHAR), 1, 19) AS last_seen,
    string_split(CASE WHEN rest = '' THEN '{_SURE}' ELSE rest END, ' ') AS word
  FROM grouped
)
SELECT
  file, bucket, outside, records, first_seen, last_seen, user_agent,
  word[1] AS address,
  word[2] AS requester,
  word[3] AS operation,
  NULLIF(word[4], 'no') AS request,
  NULLIF(word[5], '') AS status,
  word[6] AS signature,
  word[7] AS cipher,
  word[8] AS authentication,
  NULLIF(word[9], '') AS tls
FROM told
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
_TLS_VERSION: Final = (
    "tls LIKE 'TLS%' AND upper(tls) IN ('TLSV1', 'TLSV1.0', 'TLSV1.1', 'TLSV1.2', 'TLSV1.3')"
)
_CIPHER_SUITE: Final = (
    "translate(cipher, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_', '') = ''"
    " AND (cipher LIKE '%AES%' OR cipher LIKE '%CHACHA20%' OR cipher LIKE '%DES%' OR cipher LIKE '%RC4%')"
)
_OPERATION: Final = "regexp_matches(operation, '^(BATCH|REST|S3|SOAP|WEBSITE)[.][A-Za-z0-9_.]+$')"
# INVARIANT: a record tells its transport only where the fields around it have their documented form.
# A host id that holds a blank shifts all that follow. The forms are those of the page above, read 2026-11.
_WELL_FORMED: Final = (
    f"COALESCE({_OPERATION} AND regexp_matches(status, '^([0-9][0-9][0-9]|-|[?])$')"
    " AND signature IN ('SigV2', 'SigV4', '-') AND authentication IN ('AuthHeader', 'QueryString', '-')"
    f" AND (cipher = '-' OR ({_CIPHER_SUITE})) AND (tls = '-' OR ({_TLS_VERSION})), FALSE)"
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
    WHEN TRY_CAST(first_seen AS TIMESTAMP) IS NULL THEN 'has no time'
  END AS malformed,
  CAST(NULL AS VARCHAR) AS passed,
  bucket,
  outside,
  records,
  first_seen,
  last_seen,
  COALESCE(NULLIF(requester, ''), '-') AS requester,
  COALESCE(NULLIF(user_agent, ''), '-') AS user_agent,
  COALESCE(NULLIF(address, ''), '-') AS address,
  operation,
  status,
  status = '403' AS refused,
  CAST(NULL AS VARCHAR) AS effect,
  {_TLS},
  CASE
    WHEN (operation LIKE 'S3.%' OR operation = 'BATCH.DELETE.OBJECT') AND {_OPERATION}
      THEN 'internal'
    WHEN tls IS NULL OR tls = '' OR NOT {_WELL_FORMED} THEN 'unknown'
    WHEN tls <> '-' OR cipher <> '-' THEN 'tls'
    WHEN operation LIKE 'REST.COPY.%_GET' THEN CASE WHEN $skip_copies THEN 'internal' ELSE 'unknown' END
    WHEN request <> '' AND request <> '-' AND status <> '-' AND address NOT IN ('-', '') THEN 'http'
    ELSE 'unknown'
  END AS transport,
  CASE
    WHEN tls IS NULL OR tls = '' THEN 'the record has no field for the TLS version'
    WHEN NOT {_WELL_FORMED}
      THEN 'a field of the record does not have the form that AWS documents'
    WHEN operation LIKE 'REST.COPY.%_GET' THEN 'the half of a copy that S3 does itself does not tell'
    ELSE 'the record says `-`, and of no request of a client'
  END AS why
FROM access
"""
"""`access` as `requests`."""

# What an event is, `secure_bucket.detection` tells, from where the alarms of `SecureTransportMonitoring` are
# written too. Here are the columns of `events` that hold its fields.
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
    f"({_TLS_VERSION if field.endswith('Version') else _CIPHER_SUITE.replace('cipher', _COLUMNS[field])})"
    for field in TLS_FIELDS
)
_TELLS_SOMETHING: Final = " OR ".join(
    f"COALESCE({_COLUMNS[field]}, '-') NOT IN ('-', '')" for field in TLS_FIELDS
)
_DATA: Final = "(category = 'Data' OR (category IS NULL AND management = 'false'))"
_WHYS: Final = " ".join(
    f"WHEN {condition} THEN '{why}'"
    for condition, why in (
        (_TELLS_SOMETHING, "the event names a TLS version or a cipher suite that is not known"),
        *((_applies(each), each.why) for each in EXPLANATIONS),
        *((_DOUBTFUL[field], why) for field, why in DOUBTS.items()),
    )
)

EVENTS: Final = f"""
SELECT
  file,
  'event' AS source,
  CASE
    WHEN eventtype = 'AwsCloudTrailInsight' THEN NULL
    WHEN eventsource IS NULL OR operation IS NULL THEN 'is no event of CloudTrail'
    WHEN TRY_CAST(first_seen AS TIMESTAMP) IS NULL THEN 'has no time'
    WHEN eventsource = 's3.amazonaws.com' AND bucket IS NULL AND {_DATA}
      AND COALESCE(eventtype, 'AwsApiCall') = 'AwsApiCall' THEN 'is a data event that names no bucket'
  END AS malformed,
  CASE
    WHEN eventtype = 'AwsCloudTrailInsight' THEN 'insights, which are no requests'
    WHEN eventsource <> 's3.amazonaws.com' THEN 'events of other services'
    WHEN bucket IS NULL THEN 'requests to no bucket'
    WHEN eventtype = 'AwsServiceEvent' THEN 'what AWS did by itself'
    WHEN eventtype = 'AwsVpceEvent' THEN 'network activity, which tells nothing of TLS'
    WHEN eventtype <> 'AwsApiCall' THEN 'events that are no calls'
  END AS passed,
  bucket,
  outside,
  records,
  first_seen,
  last_seen,
  COALESCE(NULLIF(requester, ''), '-') AS requester,
  COALESCE(NULLIF(user_agent, ''), '-') AS user_agent,
  COALESCE(NULLIF(address, ''), '-') AS address,
  operation,
  COALESCE(errorcode, '-') AS status,
  COALESCE(errorcode, '-') = 'AccessDenied' AS refused,
  CASE
    WHEN {_DATA} THEN
      CASE WHEN readonly = 'true' THEN 'read' ELSE 'write' END
    ELSE 'manage'
  END AS effect,
  {_TLS},
  CASE
    WHEN {_TELLS_TLS} THEN 'tls'
    WHEN CASE {_WHYS} END IS NOT NULL THEN 'unknown'
    ELSE 'http'
  END AS transport,
  CASE {_WHYS} END AS why
FROM events
"""
"""`events` as `requests`."""

COLLECT: Final = """
WITH judged AS (
  SELECT *,
    CASE
      WHEN malformed IS NOT NULL THEN 'malformed'
      WHEN passed IS NOT NULL THEN 'passed'
      WHEN outside THEN 'outside'
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
  CASE WHEN NOT apart THEN substr(first_seen, 1, 10) END AS day,
  CASE WHEN kept THEN requester END AS requester,
  CASE WHEN kept THEN user_agent END AS user_agent,
  CASE WHEN kept THEN address END AS address,
  CASE WHEN kept THEN operation END AS operation,
  CASE WHEN kept THEN status END AS status,
  CASE WHEN outcome = 'old' THEN tls END AS tls,
  CASE WHEN kept THEN refused ELSE FALSE END AS refused,
  CASE WHEN NOT apart THEN effect END AS effect,
  SUM(records) AS requests,
  MIN(first_seen) AS first_seen,
  MAX(last_seen) AS last_seen
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
    CASE WHEN $days THEN day END AS day_key,
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
      WHEN GROUPING(day_key) = 0 THEN 'day'
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
    (bucket, answer, day_key),
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
WHERE level IN ('count', 'bucket') OR (level = 'day' AND $days AND bucket IS NOT NULL)
  OR (level = 'group' AND answer IN ('breaks', 'refused', 'unknown', 'malformed') AND place <= $limit)
ORDER BY level, answer, place
"""
"""`collected` as the rows of the answer."""
