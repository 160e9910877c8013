"""Cut the lines of server access logs into fields, in SQL."""

from __future__ import annotations

from typing import Final

__all__ = ["ACCESS_LINES"]

# The last quotation mark of a line ends the user agent, which may hold any text. Behind it come the version
# id, the host id, the signature version, the cipher suite, the kind of authentication, the host, the TLS
# version and what AWS has appended since. Before the first mark come nine fields, none of which holds a
# blank. Most lines are cut at the marks alone. The pattern finds the status in the others: those with marks
# in the request or the referrer, or with a bare `-` for them.
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
    "'REST.PUT.PART', 'REST.POST.UPLOADS', 'REST.POST.UPLOAD'"
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
packed AS (
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
summed AS (
  SELECT file, bucket, outside, rest, user_agent, CAST(instant AS DATE) AS day,
    COUNT(*) AS records, MIN(instant) AS first_instant, MAX(instant) AS last_instant
  FROM packed
  GROUP BY 1, 2, 3, 4, 5, 6
),
told AS (
  SELECT *,
    substr(CAST(first_instant AS VARCHAR), 1, 19) AS first_seen,
    substr(CAST(last_instant AS VARCHAR), 1, 19) AS last_seen,
    string_split(CASE WHEN rest = '' THEN '{_SURE}' ELSE rest END, ' ') AS word
  FROM summed
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
