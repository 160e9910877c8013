"""Cut the lines of server access logs into fields, in SQL."""

from __future__ import annotations

from typing import Final

__all__ = ["ACCESS_LINES"]

# The last quotation mark of a line ends the user agent, which may contain any text. Then follow the version
# id, the host id, the signature version, the cipher suite, the kind of authentication, the host, the TLS
# version and the fields that AWS has appended since. Before the first mark are nine fields without blanks.
# The marks suffice to cut most lines. The pattern finds the status in the others: lines with marks in the
# request or the referrer, or with a bare `-` for them.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
_NUMBERS: Final = r" (?:\d{3}|-) \S+ (?:\d+|-) (?:\d+|-) (?:\d+|-) (?:\d+|-) "
_STATUS: Final = f'"{_NUMBERS}'
# A status and five words, which suffices for a line over TLS. With the pattern for each line, 400 MB took 2.5
# seconds of processor time instead of 1.3 (median of 3 runs, 2026-11).
_SIX: Final = " ___ % % % % % "

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TIME: Final = (
    rf"^\[(?:0[1-9]|[12][0-9]|3[01])/(?:{'|'.join(_MONTHS)})/[1-9][0-9]{{3}}"
    ":(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$"
)


def _six(text: str) -> str:
    return f"{text} BETWEEN ' 100 ' AND ' 599 ~' AND {text} LIKE '{_SIX}'"


def _lengths(name: str, first: int, last: int) -> str:
    return " + ".join(f"length({name}[{number}])" for number in range(first, last + 1))


def _moment(time: str) -> str:
    """Return the time of `[06/Feb/2024:00:00:38` as `2024-02-06 00:00:38`."""
    months = " ".join(f"WHEN '{name}' THEN '{number:02}'" for number, name in enumerate(_MONTHS, 1))
    return (
        f"substr({time}, 9, 4) || '-' || CASE substr({time}, 5, 3) {months} END || '-' || "
        f"substr({time}, 2, 2) || ' ' || substr({time}, 14, 8)"
    )


# A line that lost its end is joined with the next one: two records with the end of the second. Such a line
# has a second time, or its first word is longer than the id of an owner.
# The tests of https://github.com/ncbi/ncbi-logging have such a line of S3 (`repeated_time_shifts_tls_vers`).
_HEAD: Final = r"\[[0-9]{2}/[A-Za-z]{3}/[0-9]{4}:[0-9:]{8} [+-][0-9]{4}\] "
# `CASE`, because DuckDB evaluates each condition of an `OR` for all lines.
_JOINED: Final = f"""
  CASE
    WHEN length(head[1]) > 64 THEN TRUE
    WHEN array_length(piece) = 7 AND array_length(tail) <= 15 THEN FALSE
    WHEN array_length(string_split(line, '] ')) > 2 THEN regexp_matches(line, '{_HEAD}[^\\n]* {_HEAD}')
    ELSE FALSE
  END"""

# INVARIANT: a line with this end came over TLS in every interpretation, so its client does not matter.
# Further words may come from the client, who sends the version id and the host.
_MODERN: Final = """
  array_length(tail) <= 11 AND piece[-1] BETWEEN ' !' AND ' ~'
  AND CASE WHEN $minimum_tls > '1.2' THEN tail[8] = 'TLSv1.3' ELSE tail[8] IN ('TLSv1.2', 'TLSv1.3') END
  AND tail[5] IN (
    'ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES256-GCM-SHA384',
    'TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256')
  AND tail[4] IN ('SigV4', 'SigV2', '-') AND tail[6] IN ('AuthHeader', 'QueryString', '-')
  AND COALESCE(tail[9] = '-' OR tail[9] LIKE 'arn:%', TRUE) AND COALESCE(tail[10] IN ('-', 'Yes'), TRUE)
  AND COALESCE(tail[11] = '-' OR tail[11] LIKE '%-%-%', TRUE)"""
# The fields of such a line, in the order of `rest`.
_SURE: Final = "- - yes 200 SigV4 TLS_AES_128_GCM_SHA256 AuthHeader TLSv1.3 "


def _ending(number: int) -> str:
    """Return a field behind the user agent."""
    return f"list_element(tail, shift + {number})"


# After the TLS version, AWS has appended an access point, whether an ACL was needed, and the region of the
# source. If one of these has another form, the value at the place of the TLS version may belong to another
# field. Only a version id of ten words could imitate all of them; future fields of AWS are fewer.
_SHIFTED: Final = f"""
  ({_ending(11)} = '-' AND ({_ending(12)} LIKE '%-%-%' OR {_ending(13)} LIKE '%-%-%'))
  OR ({_ending(8)} <> '-' AND (
    array_length(tail) - shift > 15
    OR NOT (COALESCE({_ending(9)}, '-') = '-' OR {_ending(9)} LIKE 'arn:%')
    OR COALESCE({_ending(10)}, '-') NOT IN ('-', 'Yes')
    OR NOT (COALESCE({_ending(11)}, '-') = '-' OR {_ending(11)} LIKE '%-%-%')))"""

ACCESS_LINES: Final = rf"""
WITH marked AS (
  SELECT file, line, string_split(line, '"') AS piece FROM lines WHERE line IS NOT NULL AND line <> ''
),
split AS (
  SELECT file, line, piece,
    string_split(piece[1], ' ') AS head,
    string_split(piece[-1], ' ') AS tail
  FROM marked
),
shaped AS (
  SELECT *,
    array_length(head) = 10 AND head[10] = '' AS quoted,
    {_JOINED} AS joined,
    COALESCE({_MODERN} AND length(head[3]) = 21 AND head[4] = '+0000]', FALSE) AS modern,
    COALESCE(array_length(head) = 10 AND head[10] = '' AND array_length(piece) > 6 AND piece[5] = ' ', FALSE)
      AS framed
  FROM split
),
counted AS (
  SELECT *,
    CASE
      WHEN NOT framed THEN FALSE
      WHEN modern THEN {_six("piece[3]")} AND piece[3] NOT LIKE '{_SIX}% '
      ELSE regexp_matches(piece[3], '^{_NUMBERS}$')
    END AS usual
  FROM shaped
),
anchored AS (
  SELECT *,
    CASE
      WHEN usual OR NOT modern OR NOT quoted OR piece[2] LIKE ' %' THEN NULL
      WHEN piece[3] LIKE ' %' THEN 3
      WHEN piece[4] LIKE ' %' THEN 4
      WHEN piece[5] LIKE ' %' THEN 5
      WHEN piece[6] LIKE ' %' THEN 6
    END AS place
  FROM counted
),
told AS (
  SELECT *,
    CASE
      WHEN usual THEN modern OR array_length(piece) = 7
      WHEN place IS NULL THEN FALSE
      WHEN NOT ({_six("list_element(piece, place)")}) THEN FALSE
      WHEN list_element(piece, place) NOT LIKE '{_SIX}% '
        THEN array_length(piece) > place + 3 AND list_element(piece, place + 2) = ' '
      ELSE list_element(piece, place) LIKE '{_SIX}- ' AND array_length(piece) > place + 1
    END AS told
  FROM anchored
),
found AS (
  SELECT *, CASE WHEN NOT told AND quoted THEN NULLIF(regexp_extract(line, '{_STATUS}', 0), '') END AS mark
  FROM told
),
referred AS (
  SELECT *,
    CASE
      WHEN told THEN NULL
      WHEN quoted THEN substr(line, strpos(line, mark) + length(mark))
      WHEN array_length(head) > 16 AND head[10] = '-' THEN substr(line, {_lengths("head", 1, 16)} + 17)
    END AS referred
  FROM found
),
ended AS (
  SELECT *,
    CASE
      WHEN told THEN NULL
      WHEN referred LIKE '- %' THEN substr(referred, 3)
      WHEN referred LIKE '"%" %' THEN substr(referred, strpos(substr(referred, 2), '" ') + 3)
    END AS ended
  FROM referred
),
decided AS (
  SELECT *,
    CASE
      WHEN joined OR NOT modern THEN FALSE
      WHEN told THEN TRUE
      ELSE COALESCE(ended LIKE '"%"%', FALSE)
    END AS sure
  FROM ended
),
cut AS (
  SELECT *,
    CASE
      WHEN told OR ended LIKE '"%"%' THEN 0
      WHEN ended LIKE '- %' AND strpos(ended, '"') = 0
        THEN array_length(tail) - array_length(string_split(substr(ended, 2), ' '))
    END AS shift
  FROM decided
),
packed AS (
  SELECT
    CASE WHEN NOT sure THEN file END AS file,
    head[2] AS bucket,
    CASE WHEN $bounded
      THEN COALESCE({_moment("head[3]")} < $since OR {_moment("head[3]")} >= $until, FALSE) ELSE FALSE
    END AS outside,
    CASE
      WHEN sure THEN substr(head[3], 2, 11)
      WHEN head[4] = '+0000]' AND regexp_matches(head[3], '{_TIME}') THEN substr(head[3], 2, 11)
    END AS date,
    head[3] AS time,
    head[8] AS operation,
    CASE WHEN sure THEN '' ELSE
      COALESCE(head[5], '') || ' ' || COALESCE(head[6], '') || ' ' ||
      CASE WHEN
        CASE
          WHEN told THEN piece[2]
          WHEN quoted THEN substr(line, length(piece[1]) + 2, strpos(line, mark) - length(piece[1]) - 2)
          ELSE '-'
        END IN ('', '-') THEN 'no' ELSE 'yes'
      END || ' ' ||
      COALESCE(
        CASE
          WHEN joined THEN NULL
          WHEN {_ending(1)} <> CASE WHEN shift > 0 THEN '-' ELSE '' END THEN NULL
          WHEN COALESCE({_ending(2)}, '') = '' THEN NULL
          WHEN referred LIKE '%" ___ % % % % %"%' AND regexp_matches(referred, '{_STATUS}.*"') THEN '?'
          WHEN told THEN split_part(piece[3], ' ', 2)
          WHEN quoted THEN split_part(mark, ' ', 2)
          ELSE head[11]
        END, '') || ' ' ||
      COALESCE({_ending(4)}, '') || ' ' || COALESCE({_ending(5)}, '') || ' ' ||
      COALESCE({_ending(6)}, '') || ' ' ||
      CASE WHEN {_SHIFTED} THEN 'shifted' ELSE COALESCE({_ending(8)}, '') END || ' ' ||
      CASE
        WHEN told THEN piece[6]
        WHEN ended LIKE '"%' THEN substr(ended, 2, length(ended) - length(piece[-1]) - 2)
        ELSE '-'
      END
    END AS rest
  FROM cut
),
summed AS (
  SELECT file, bucket, outside, date, operation, rest,
    COUNT(*) AS records, MIN(time) AS first_time, MAX(time) AS last_time
  FROM packed
  GROUP BY 1, 2, 3, 4, 5, 6
),
worded AS (
  SELECT *,
    CASE
      WHEN date IS NOT NULL AND regexp_matches(first_time, '{_TIME}') AND regexp_matches(last_time, '{_TIME}')
        THEN {_moment("first_time")}
    END AS first_seen,
    {_moment("last_time")} AS last_seen,
    CASE WHEN rest = '' THEN '{_SURE}' ELSE rest END AS words,
    string_split(CASE WHEN rest = '' THEN '{_SURE}' ELSE rest END, ' ') AS word
  FROM summed
)
SELECT
  file, CAST(NULL AS VARCHAR) AS odd, bucket, outside, records, operation, first_seen,
  CASE WHEN first_seen IS NOT NULL THEN last_seen END AS last_seen,
  word[1] AS address,
  word[2] AS requester,
  NULLIF(word[3], 'no') AS request,
  NULLIF(word[4], '') AS status,
  word[5] AS signature,
  word[6] AS cipher,
  word[7] AS authentication,
  NULLIF(word[8], '') AS tls,
  substr(words, {_lengths("word", 1, 8)} + 9) AS user_agent
FROM worded
"""
"""The relation `access`, from `lines(file, line)` of server access logs as text."""
