"""The end of an exception, as it stands in its reason."""

from __future__ import annotations

import datetime

import pytest

from secure_bucket.findings.acknowledgments import expiry_of

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
        ("expires 2027-03-01, expires soon", "soon"),
    ],
)
def test_what_is_no_day_is_handed_back(reason: str, written: str) -> None:
    assert expiry_of(reason) == written
