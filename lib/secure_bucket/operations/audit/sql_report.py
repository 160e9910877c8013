"""Count requests by day and client, and answer the question, in SQL."""

from __future__ import annotations

from typing import Final

from secure_bucket.operations.audit.sql_common import ACCESS_POINT

__all__ = ["COLLECT", "REPORT"]

COLLECT: Final = f"""
WITH judged AS (
  SELECT *,
    CASE
      WHEN malformed IS NOT NULL THEN 'malformed'
      WHEN passed IS NOT NULL THEN 'passed'
      WHEN outside THEN 'outside'
      WHEN $some_buckets AND bucket NOT IN ($buckets)
        AND (transport = 'tls' OR NOT ({ACCESS_POINT})) THEN 'passed'
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
"""The number of `requests` by day, and by client for plain HTTP, old TLS and an unknown transport."""

# A single read of `collected` gives the groups of clients, the counts of each bucket, and the days with
# records. `$by_…` selects the keys of the groups.
#
# INVARIANT: a day counts as evidence only in the last stretch of days without a silence of more than
# `$maximum_age` days. Logging may have been off during a longer one.
REPORT: Final = """
WITH answered AS (
  SELECT *,
    CASE
      WHEN outcome NOT IN ('http', 'old') THEN outcome
      WHEN refused THEN 'refused'
      ELSE 'breaks'
    END AS answer,
    source = 'access' OR effect IN ('read', 'write') AS evident
  FROM collected
),
covered AS (
  SELECT bucket AS covered_bucket, source AS covered_source, day AS covered_day, MIN(first_seen) AS begins,
    LAG(day) OVER (PARTITION BY bucket, source ORDER BY day) AS earlier
  FROM answered
  WHERE evident AND bucket IS NOT NULL
  GROUP BY 1, 2, 3
),
stretches AS (
  SELECT covered_bucket, covered_source, MAX(begins) AS begins
  FROM covered
  WHERE earlier IS NULL OR DATE_DIFF('day', CAST(earlier AS DATE), CAST(covered_day AS DATE)) > $maximum_age
  GROUP BY 1, 2
),
known AS (
  SELECT answered.*, evident AND last_seen >= begins AS evidence,
    DENSE_RANK() OVER (PARTITION BY answer ORDER BY requester, user_agent, address) AS client
  FROM answered LEFT JOIN stretches ON bucket = covered_bucket AND source = covered_source
),
keyed AS (
  SELECT answer, outcome, why, tls, file, bucket, source, effect, evidence, client, status, day,
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
    MIN(CASE WHEN evidence THEN first_seen END) AS evidence_from,
    COUNT(DISTINCT CASE WHEN evidence THEN day END) AS days
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
  status_low, status_high, requests, clients, breaking, first_seen, last_seen,
  evidence_from, days,
  all_groups, all_clients, all_requests
FROM placed
WHERE level IN ('count', 'bucket') OR (level = 'day' AND $days AND bucket IS NOT NULL)
  OR (level = 'group' AND answer IN ('breaks', 'refused', 'unknown', 'malformed') AND place <= $limit)
ORDER BY level, answer, place
"""
"""The rows of the answer, from `collected`."""
