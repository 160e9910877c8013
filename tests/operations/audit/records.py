"""Records of server access logs as values, and the lines that S3 would write for them.

What is in a line is known here because the line was made of it; nothing is read back by the code under test.
"""

from __future__ import annotations

import datetime

from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

OWNER = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
ROLE = "arn:aws:sts::111122223333:assumed-role/reader/i-0abc"
NOW = datetime.datetime(2027, 3, 1, 12, tzinfo=datetime.timezone.utc)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Record(Struct, frozen=True):
    """One record; `None` for a text stands for a bare `-` where S3 writes quotation marks otherwise."""

    bucket: str = "reports"
    time: datetime.datetime = NOW - datetime.timedelta(hours=3)
    address: str = "192.0.2.3"
    requester: str = ROLE
    operation: str = "REST.GET.OBJECT"
    key: str = "2027/report.csv"
    request: str | None = "GET /reports/2027/report.csv HTTP/1.1"
    status: str = "200"
    referrer: str | None = "-"
    user_agent: str | None = "curl/8.5.0"
    cipher: str = "ECDHE-RSA-AES128-GCM-SHA256"
    tls: str | None = "TLSv1.2"
    appended: str = " - - eu-west-1"

    @property
    def line(self) -> str:
        """The line of it."""
        moment = self.time.strftime(f"%d/{MONTHS[self.time.month - 1]}/%Y:%H:%M:%S +0000")
        quoted = [
            "-" if text is None else f'"{text}"' for text in (self.request, self.referrer, self.user_agent)
        ]
        line = (
            f"{OWNER} {self.bucket} [{moment}] {self.address} {self.requester} 3E57427F33A59F07 "
            f"{self.operation} {self.key} {quoted[0]} {self.status} - 113 440 41 28 {quoted[1]} {quoted[2]} "
            f"- s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= SigV4 {self.cipher} AuthHeader "
            f"{self.bucket}.s3.eu-west-1.amazonaws.com"
        )
        return line if self.tls is None else f"{line} {self.tls}{self.appended}"

    @property
    def outcome(self) -> str:
        """What it is, told in the plainest way: the words of the query are not used."""
        if self.operation.startswith("S3.") or self.operation == "BATCH.DELETE.OBJECT":
            return "internal"
        if self.tls is None:
            return "unknown"
        if (self.tls == "-") != (self.cipher == "-"):
            return "unknown"
        if self.tls != "-":
            return "https"
        if self.operation in ("REST.COPY.OBJECT_GET", "REST.COPY.PART_GET"):
            return "unknown"
        if self.request in (None, "-") or self.status == "-" or self.address == "-":
            return "unknown"
        return "refused" if self.status == "403" else "breaks"


def http(record: Record) -> Record:
    """Return a record over plain HTTP."""
    return replace(record, cipher="-", tls="-")


# What a client may send: everything but a line end, quotation marks and backslashes above all.
texts = st.one_of(
    st.sampled_from(
        ["curl/8.5.0", "aws-cli/2.15", 'a "quoted" agent', '" "', "\\", "'; DROP TABLE x; --", "{}"]
    ),
    st.text(st.characters(exclude_characters="\n\r\0", exclude_categories=("Cs",)), min_size=1, max_size=12),
).filter(lambda text: text == text.strip() and text != "")

records = st.builds(
    Record,
    bucket=st.sampled_from(["reports", "logs.example"]),
    time=st.datetimes(datetime.datetime(2027, 1, 1), datetime.datetime(2027, 3, 1)).map(
        lambda time: time.replace(microsecond=0, tzinfo=datetime.timezone.utc)
    ),
    address=st.sampled_from(["192.0.2.3", "2001:db8::1", "-"]),
    requester=st.sampled_from([ROLE, "-", OWNER]),
    operation=st.sampled_from(
        [
            *("REST.GET.OBJECT", "REST.PUT.OBJECT", "WEBSITE.GET.OBJECT", "REST.COPY.OBJECT_GET"),
            *("S3.EXPIRE.OBJECT", "BATCH.DELETE.OBJECT", "REST.POST.MULTI_OBJECT_DELETE"),
        ]
    ),
    request=st.sampled_from([None, "-", "GET /a HTTP/1.1", 'GET /a"b"c HTTP/1.1']),
    status=st.sampled_from(["200", "403", "404", "-"]),
    referrer=st.sampled_from([None, "-", "http://example.com/"]),
    user_agent=st.one_of(st.none(), texts),
    cipher=st.sampled_from(["-", "ECDHE-RSA-AES128-GCM-SHA256"]),
    tls=st.sampled_from([None, "-", "-", "TLSv1.2", "TLSv1.3", "TLSV1.1", "TLSv1"]),
    appended=st.sampled_from(
        ["", " -", " - - -", " arn:aws:s3:eu-west-1:1:accesspoint/a Yes eu-west-1 more"]
    ),
)

garbage = st.text(
    st.characters(exclude_characters="\n\r\0", exclude_categories=("Cs",)), min_size=1, max_size=60
)
