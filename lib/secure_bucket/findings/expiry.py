"""Read the last day of an exception, and check its reason.

An acknowledgment of the AWS CDK has a free text as its reason, and no end. So the reason states the end in
natural words: *the old scanner speaks no TLS, expires 2027-03-01*. Exceptions in templates and settings have
a key for the end, and their reasons can state it too.
"""

from __future__ import annotations

import datetime
import re
import unicodedata

__all__ = ["expiry_of", "holds_on", "is_reason", "parse_day"]

# Compiled on first use: that takes 2 ms, and most templates have no exception.
_VALID = r"valid|good|in force|accepted|allowed|approved|granted|tolerated|excepted|exempt(?:ed)?|extended"
_NAMED = r"exception|exemption|waiver|acceptance|acknowledge?ment|approval|permission|grace period"
# Other words can end other things too: "support ended 2024-06-30", "no plain request through 2026".
_WORD = (
    rf"(?i)(?:\b(?P<expires>expir\w*)(?:\s+date)?|until+|\btill?|\b(?:{_VALID})\s+(?:up\s+)?(?:to|through|thru)"
    r"|\b(?:not|no longer)\s+(?:valid\s+)?(?:after|later than|past)"
    rf"|(?:\b(?:{_NAMED})\s+|^\W*|[.,;:(]\s*)(?:end\s+date|ends?|ending|lapses|deadline|sunset))"
    r"(?![^\W_])[^\w.,;!?]*(?:(?:on|at|by|in|the|end|of|is)\s+)*['\"`*]*"
)
_DAY = r"(?a)\d{4}-\d{2}-\d{2}\Z"
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
# Text that looks like a date, and not like an IP address. Plain numbers can follow `until` too: "until 3
# devices are replaced".
_DATE = (
    rf"(?i)(?!\d+\.\d+\.\d+\.\d)(?:\d{{4}}|\d{{1,2}}[./-]\d"
    rf"|(?:\d{{1,2}}(?:st|nd|rd|th|\.)?\s+)?(?:{_MONTHS})[a-z]*\.?,?\s+\d|Q[1-4]\b)"
)
_DATE_BEFORE = (
    rf"(?i)(\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,4}}[./-]\d{{1,2}}[./-]\d{{1,4}}|(?:{_MONTHS})[a-z]*\.?\s+\d{{4}})"
    r"[\s,;:()]*(?:is\s+(?:its|the)\s+|its\s+|the\s+)?\Z"
)
# What is a date wherever it stands in the sentence of such a word: "until the migration in March 2027". A
# month alone has a capital letter, which "may" and "march" have not; a version or a ticket is not a year.
_LATER = (
    r"(?<![\w#./:-])(?:\d{4}-\d{1,2}-\d{1,2}(?![\w-])|(?:19|20|21)\d\d(?:\d{4})?(?![\w-])"
    r"|\d{1,2}[./-]\d{1,2}[./-]\d{4}|\d{1,2}[/-]\d{1,2}[/-]\d\d|\d{1,2}/\d{4}"
    r"|[QH][1-4]\b|FY\s?'?\d\d"
    r"|(?i:january|february|april|june|july|august|september|october|november|december)\b"
    r"|(?:May|March|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|EO[DWMQY])\b"
    r"|(?i:(?:mon|tues|wednes|thurs|fri|satur|sun)day|tomorrow|christmas|easter|new year|year.end)\b"
    r"|(?i:(?:end of|next|this|coming)(?: the| this| next)? (?:day|week|month|quarter|year|[sw]\w+er))\b"
    r"|(?i:in (?:\d+|an?|one|two|three|six) (?:day|week|month|year)s?)\b)"
)
# A full stop after a number or an abbreviation does not end a sentence: "till the 31. December".
_SENTENCE_END = r"(?i)(?<!\d)(?<!\b\w\w)(?<!\b\w\w\w)(?<!approx)[.!?]\s"


def parse_day(text: str) -> datetime.date | None:
    """Return the day in a text such as `2027-03-01`; `None` if the text is not a day."""
    try:
        # `fromisoformat` alone takes other forms as well, and not the same ones in every Python.
        return datetime.date.fromisoformat(text) if re.match(_DAY, text) else None
    except ValueError:
        return None


def is_reason(text: str) -> bool:
    """Tell whether a reason contains more than spaces, invisible characters and dots."""
    return any(map(str.isalnum, text))


def holds_on(reason: str, today: datetime.date) -> bool:
    """Tell whether an exception with a reason holds on a day: up to and including its last day."""
    end = expiry_of(reason)
    return is_reason(reason) and (end is None or (isinstance(end, datetime.date) and today <= end))


def expiry_of(reason: str) -> datetime.date | str | None:
    """Read the last day on which an exception holds.

    Args:
        reason: The reason of an acknowledgment.

    Returns:
        The day, or the earliest of several; `None` if the reason states no end. If the reason has another
        text in place of a day after `expires`, or a date in another form than `2027-03-01` beside another
        word for an end, that text.
    """
    days: list[datetime.date] = []
    reason = _plain(reason)
    for found in re.finditer(_WORD, reason):
        word, rest = str(found["expires"] or "").casefold(), reason[found.end() :]
        before = re.search(_DATE_BEFORE, reason[: found.start()]) if word else None
        text = rest.split(maxsplit=1)[0].rstrip("(),;.!'\"`*") if rest.strip() else ""
        if word != "expires" and not (re.match(_DATE, rest) or (word and rest[:1].isdigit())):
            if before is None and (found["expires"] or found[0][:1] in "uUtT"):
                sentence = re.split(_SENTENCE_END, reason[found.start() :], maxsplit=1)[0]
                before = re.search(_LATER, sentence)
            if before is None:
                continue
            text = before[before.lastindex or 0]
        day = parse_day(text)
        if day is None:
            return text
        days.append(day)
    return min(days, default=None)


def _plain(reason: str) -> str:
    """Return a reason without invisible characters, and with letters in place of lookalikes."""
    shown = (each for each in reason if unicodedata.category(each) != "Cf")
    return "".join(unicodedata.normalize("NFKC", each) if each.isalpha() else each for each in shown)
