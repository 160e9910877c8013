"""Make access logs that try to pass plain HTTP off as HTTPS, and read them by other means than the audit.

A line is made of a truth (how the request came, and whether it was refused) and then damaged in one of the
ways in which lines are damaged, or shaped by a client who chooses what it sends. The parser reads a line from
left to right, character by character; it knows the documented fields and nothing of SQL.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from tests.operations.audit.records import NOW, ROLE, Record, http

__all__ = ["Line", "lines", "parse"]

SUITES = ("ECDHE-RSA-AES128-GCM-SHA256", "TLS_AES_256_GCM_SHA384", "AES128-SHA", "DES-CBC3-SHA", "RC4-MD5")
VERSIONS = ("TLSv1.2", "TLSv1.3", "TLSv1.1", "TLSv1", "TLSV1.2")
AGENTS = (
    *("curl/8.5.0", "Boto3/1.34.0 md/Botocore#1.34.0 lang/python#3.11", "-", 'a "quoted" agent', '"', '" "'),
    *('" 403 AccessDenied 1 1 1 1 "-" "x', '" - h= SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader h TLSv1.2'),
    *("TLSv1.3", "tab\there", "Grüße", "' OR 1=1 --", "\x1f\x01", "a" * 500, "x 200 - 1 1 1 1 y", "\\"),
)
REQUESTS = (
    *("GET /a HTTP/1.1", "PUT /a?x=TLSv1.2 HTTP/1.1", 'GET /a"b HTTP/1.1', "-"),
    *('GET /a" 403 AccessDenied 1 1 1 1 "-" "b HTTP/1.1', 'GET /a" 403 - - - - - "-" "b" - c HTTP/1.1'),
)
REFERRERS = ("-", "http://example.com/", 'http://example.com/"', "http://example.com/?a b", 'a" "b')
OPERATIONS = ("REST.GET.OBJECT", "REST.PUT.OBJECT", "REST.HEAD.BUCKET", "WEBSITE.GET.OBJECT", "REST.GET.ACL")
# What stands in place of a field, or before it.
JUNK = (*SUITES, *VERSIONS, "SigV4", "AuthHeader", "-", "", "x", "reports.s3.amazonaws.com", "tlsv1.2", "TLS")


class Line(Struct, frozen=True):
    """A line, with what is true of its request.

    Args:
        text: The line.
        bucket: The bucket that was asked.
        plain: Whether the request came over plain HTTP and was not refused.
    """

    text: str
    bucket: str
    plain: bool


def lines(number: int, seed: int) -> Iterator[Line]:
    """Yield lines to buckets of about twenty lines each, most of which see a single request in plain HTTP."""
    chance = random.Random(seed)
    for place in range(number):
        bucket = f"bucket-{place // 20}"
        plain = chance.random() < 0.04
        # Both ends of the time that is asked for, so that nothing but the transport decides.
        age = {0: 0, 1: 29}.get(place % 20, chance.randrange(30))
        record = Record(
            bucket=bucket,
            time=NOW - datetime.timedelta(days=age, seconds=chance.randrange(3600)),
            address=f"192.0.2.{chance.randrange(9)}",
            requester=chance.choice((ROLE, "-")),
            operation=chance.choice(OPERATIONS),
            cipher=chance.choice(SUITES),
            tls=chance.choice(VERSIONS),
        )
        if plain:
            record = http(record)
        if place % 20 > 1 and chance.random() < 0.3:
            record = replace(
                record,
                user_agent=chance.choice(AGENTS),
                request=chance.choice(REQUESTS if plain else (*REQUESTS, None)),
                referrer=chance.choice((*REFERRERS, None)),
                status=chance.choice(("200", "404", "301", "500")),
            )
        elif chance.random() < 0.05:
            record = replace(record, status="403")
        text = record.line
        if place % 20 > 1 and chance.random() < (0.5 if plain else 0.002):
            text = _damaged(text, chance)
        yield Line(text, bucket, plain and record.status != "403" and record.request not in (None, "-"))


def _damaged(text: str, chance: random.Random) -> str:
    head, mark, tail = text.rpartition('"')
    fields = tail.split(" ")
    place = chance.randrange(1, len(fields))
    match chance.randrange(8):
        case 0:
            fields.insert(place, chance.choice(JUNK))
        case 1:
            # Nobody can tell a suite in the place of a `-` from one that was there.
            fields[place] = chance.choice(JUNK[len(SUITES) + len(VERSIONS) :])
        case 2:
            del fields[place]
        case 3:
            fields[2] = f"{fields[2][:9]} {fields[2][9:]}"
        case 4:
            fields = fields[: place + 1]
        case 5:
            fields += [chance.choice(JUNK) for _ in range(4)]
        case 6:
            return text[: chance.randrange(1, len(text) + 1)] + Record().line
        case _:
            return text[: chance.randrange(len(text))]
    return f"{head}{mark}{' '.join(fields)}"


def parse(text: str) -> dict[str, str] | None:
    """Return the fields of a line; `None` if it does not have those of a record."""
    reader = _Reader(text)
    fields = {
        name: reader.word() for name in ("owner", "bucket", "day", "zone", "address", "requester", "id")
    }
    fields |= {name: reader.word() for name in ("operation", "key")}
    fields["request"] = reader.quoted(_numbers)
    for name in ("status", "error", "sent", "size", "total", "turn"):
        fields[name] = reader.word()
    fields["referrer"] = reader.quoted(lambda rest: rest.startswith((' "', " - ")))
    # A line that ends within the user agent may hold a mark that another field began with.
    fields["user_agent"] = reader.quoted(lambda rest: '"' not in rest and rest.startswith(" "))
    for name in ("version", "host_id", "signature", "cipher", "authentication", "host", "tls"):
        fields[name] = reader.word()
    for name in ("access_point", "acl", "region", "more", "most"):
        fields[name] = reader.word()
    # What a client wrote into its request may look like the status, and the other way round.
    marks = text[: text.rfind('"')].split('"')
    if sum(_numbers(" ".join((*marks[place].split(" "), "-"))) for place in range(1, len(marks))) > 1:
        fields["status"] = "?"
    joined = text.count(" +0000] ") > 1 or len(fields["owner"]) > 64
    return None if reader.failed or joined or not fields["version"] else fields


def _numbers(rest: str) -> bool:
    """Tell whether a text begins as what stands behind the request does."""
    words = rest.split(" ")
    return (
        len(words) > 7
        and words[0] == ""
        and (words[1] == "-" or (len(words[1]) == 3 and words[1].isascii() and words[1].isdigit()))
        and words[2] != ""
        and all(word == "-" or (word.isascii() and word.isdigit()) for word in words[3:7])
    )


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.failed = False

    def word(self) -> str:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] != " ":
            self.at += 1
        found = self.text[start : self.at]
        self.at += 1
        return found

    def quoted(self, ends: object) -> str:
        assert callable(ends)
        if self.text[self.at : self.at + 1] != '"':
            self.failed |= self.word() != "-"
            return "-"
        start = end = self.at + 1
        while end < len(self.text):
            if self.text[end] == '"' and ends(self.text[end + 1 :]):
                self.at = end + 2
                return self.text[start:end]
            end += 1
        self.failed = True
        return ""
