"""The end of an exception, as it stands in its reason."""

from __future__ import annotations

import datetime

import pytest

from secure_bucket.findings.acknowledgments import by_construct, nearest
from secure_bucket.findings.expiry import expiry_of, is_reason, parse_day
from secure_bucket.template.manifest import Acknowledged
from secure_bucket.values.unknown import Place

DAY = datetime.date(2027, 3, 1)


@pytest.mark.parametrize(
    "reason",
    [
        "the old scanner speaks no TLS, expires 2027-03-01",
        "expires 2027-03-01",
        "Expires: 2027-03-01",
        "no TLS (expires 2027-03-01)",
        "no TLS (expires on 2027-03-01), see ticket 7",
        "no TLS. Expires 2027-03-01.",
        "no TLS; expiry: 2027-03-01",
        "expires 2027-03-01, or rather: expires 2028-01-01",
        "accepted until 2027-03-01",
        "till the end of 2027-03-01",
        "2027-03-01 is its expiry",
        "valid to 2027-03-01",
        "approved by the CISO, valid through 2027-03-01",
        "good through 2027-03-01",
        "extended up to 2027-03-01",
        "accepted thru 2027-03-01",
        "not after 2027-03-01",
        "no longer valid after 2027-03-01",
        "the exception ends on 2027-03-01",
        "this waiver ends 2027-03-01",
        "no TLS in the scanner; end: 2027-03-01",
        "ends 2027-03-01",
        "End date: 2027-03-01, ticket 7",
        "no TLS (deadline 2027-03-01)",
        "untill 2027-03-01",
        "til 2027-03-01",
        "Expiry date: 2027-03-01",
        "expiration date is 2027-03-01",
        "expires `2027-03-01`",
        "expires **2027-03-01**.",
        "expires - 2027-03-01",
        "accepted until '2027-03-01'",
        "valid_until: 2027-03-01",
        "validUntil=2027-03-01",
        "until our go-live (2027-03-01)",
        "until then: 2027-03-01",
        "temporary, until it is replaced, 2027-03-01 at the latest",
        "until the migration completes on 2027-03-01",
        "ＥＸＰＩＲＥＳ 2027-03-01",
        "exp\u200bires 2027-03-01",
    ],
)
def test_a_day_is_read_where_it_is_said(reason: str) -> None:
    assert expiry_of(reason) == DAY


@pytest.mark.parametrize(
    "reason",
    [
        "",
        "the old scanner speaks no TLS",
        "ticket 2027-03-01",
        "its lifecycle rule has expired versions",
        "unexpired",
        "an expiry nobody knows",
        "until the scanner is replaced",
        "until 3 devices are replaced, till then no TLS",
        "the support of the vendor ended 2024-06-30",
        "its end of life was 2024-06-30",
        "no plain request in the logs from 2026-01-01 through 2026-10-31",
        "bought before 2019-05-01, replaced by 2027-03-01",
        "access is allowed to 10.0.0.0/8 only, until 10.1.2.3 is gone",
        "valid to the standard of the team",
        "the trend ends here",
        "its old versions have expired. 2026-03-01 is the day of the review",
        "it still has 2024-01-01 in its name",
        "until TLS 1.2 is there",
        "until version 2.10.1 of the firmware is out",
        "until OPS-2024 and #2027 are done",
        "until https://tickets.example.com/2027/03 is done, it may march on",
        "until the printer is replaced. Bought in 2019",
        "until its owner says that it may go",
    ],
)
def test_no_end_is_read_where_none_is_said(reason: str) -> None:
    assert expiry_of(reason) is None


@pytest.mark.parametrize(
    ("reason", "written"),
    [
        ("expires 2027-02-30", "2027-02-30"),
        ("expires 2027-3-1", "2027-3-1"),
        ("expires 20270301", "20270301"),
        ("expires 2027-W09-1", "2027-W09-1"),
        ("expires 01.03.2027", "01.03.2027"),
        ("expires ２０２７-03-01", "２０２７-03-01"),
        ("expires March 2027", "March"),
        ("expires 2027-03-01T12:00", "2027-03-01T12:00"),
        ("expires", ""),
        ("until March 2027", "March"),
        ("until 1 March 2027", "1"),
        ("valid till 31.03.2027", "31.03.2027"),
        ("until the end of 2027", "2027"),
        ("until Q3 2027", "Q3"),
        ("valid to 31.03.2027", "31.03.2027"),
        ("good through March 2027", "March"),
        ("valid through 3/2027", "3/2027"),
        ("the exception ends in Q3 2027", "Q3"),
        ("no TLS, ends 31.03.2027", "31.03.2027"),
        ("not after 2027-3-1", "2027-3-1"),
        ("expired on 1/3/2027", "1/3/2027"),
        ("31.03.2027 is the expiration", "31.03.2027"),
        ("expires 2027-03-01, expires soon", "soon"),
        ("until the 31st of December 2027", "December"),
        ("until end of year 2027", "end of year"),
        ("until Christmas 2027", "Christmas"),
        ("until the migration in 2027", "2027"),
        ("until summer 2027", "2027"),
        ("until Mon 6 Jan 2027", "Jan"),
        ("until Monday, 6 January 2027", "Monday"),
        ("until week 3 of 2027", "2027"),
        ("until the end of January", "January"),
        ("until the end of May", "May"),
        ("till the 31. December", "December"),
        ("until approx. 2027", "2027"),
        ("until FY27", "FY27"),
        ("until H2", "H2"),
        ("until the end of the year", "end of the year"),
        ("until next week", "next week"),
        ("until it is replaced in 3 months", "in 3 months"),
        ("until EOY", "EOY"),
        ("an exception whose expiry is the 3/2027 review", "3/2027"),
    ],
)
def test_what_is_no_day_is_handed_back(reason: str, written: str) -> None:
    assert expiry_of(reason) == written


def test_one_without_an_end_does_not_revive_an_expired_one() -> None:
    def counting(*reasons: str) -> str | None:
        paths = ("Top/Logs", "Top", "")
        made = [Acknowledged("a", path, why, Place()) for path, why in zip(paths, reasons, strict=False)]
        found = nearest(by_construct(made), "a", "Top/Logs", DAY)
        return None if found is None else found.reason

    assert counting("no end", "expires 2027-02-28") == "expires 2027-02-28"
    assert counting("no end", "no TLS", "expires soon") == "expires soon"
    assert counting("expires 2027-03-01", "expires 2027-02-28") == "expires 2027-03-01"
    assert counting("no end", "expires 2027-03-01") == "no end"
    assert counting() is None
    twice = [Acknowledged("a", "Top", why, Place()) for why in ("expires 2027-02-28", "no end")]
    found = nearest(by_construct(twice), "a", "Top/Logs", DAY)
    assert found == twice[0]


@pytest.mark.parametrize(
    "text", ["2027-03-1", "20270301", "2027-W09-1", "2027-03-01T00:00", "2027-02-30", "", "２０２７-03-01"]
)
def test_a_day_has_one_form_in_every_python(text: str) -> None:
    assert parse_day("2027-03-01") == DAY
    assert parse_day(text) is None


@pytest.mark.parametrize("text", ["", " ", "\u200b", "\xa0\u2060", "...", "-", "\t\n"])
def test_a_reason_without_a_letter_is_not_a_reason(text: str) -> None:
    assert not is_reason(text)
    assert is_reason(f"{text}no TLS")
