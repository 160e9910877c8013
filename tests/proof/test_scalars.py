"""Numbers, dates and addresses of a policy: what each text stands for, exactly."""

from __future__ import annotations

from fractions import Fraction

import pytest

from secure_bucket.proof.scalars import (
    AddressRanges,
    Days,
    parse_address,
    parse_days,
    parse_instant,
    parse_network,
    parse_number,
    write_instant,
    write_number,
)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", Fraction(0)),
        ("-3", Fraction(-3)),
        ("+3", None),
        ("1.2", Fraction(6, 5)),
        ("1.20", Fraction(6, 5)),
        ("9007199254740993", Fraction(9007199254740993)),
        ("", None),
        ("1e3", None),
        (".5", None),
        ("1.", None),
        ("0x10", None),
        ("nan", None),
        ("١", None),
    ],
)
def test_numbers(text: str, number: Fraction | None) -> None:
    assert parse_number(text) == number


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01", None),
        ("1970-01-02T00:00:00Z", Fraction(86_400)),
        ("1970-01-01T01:02Z", Fraction(3_720)),
        ("1970-01-01T01:02:03Z", Fraction(3_723)),
        ("1970-01-01T01:02:03.25Z", Fraction(14_893, 4)),
        ("1970-01-01T01:00:00+01:00", Fraction(0)),
        ("1970-01-01T00:00:00-01:30", Fraction(5_400)),
        ("1970-01-01T00:00:00-0130", None),
        ("1970-01-01T00:00:00-01:60", None),
        ("1970-01-01T00:00:00+24:00", None),
        ("1969-12-31T23:59:59Z", Fraction(-1)),
        ("1969-12-31T23:59:59.5Z", Fraction(-1, 2)),
        ("0001-01-01T00:00Z", Fraction(-62_135_596_800)),
        ("1700000000", Fraction(1_700_000_000)),
        ("17000", Fraction(17_000)),
        # A year, or a second of 1970: nothing says which.
        ("2030", None),
        ("0.0", None),
        ("1700000000.5", None),
        ("+1700000000", None),
        ("2030-13-01", None),
        ("2030-02-30", None),
        ("2030-01-01T00:00:00", None),
        ("2030-01-01T25:00:00Z", None),
        ("2030-01-01 00:00:00Z", None),
        ("tomorrow", None),
        ("", None),
    ],
)
def test_instants(text: str, seconds: Fraction | None) -> None:
    assert parse_instant(text) == seconds


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("1970-01-02", Days(Fraction(10 * 3_600), Fraction(2 * 86_400 + 12 * 3_600))),
        ("1970-01", Days(Fraction(-14 * 3_600), Fraction(31 * 86_400 + 12 * 3_600))),
        ("1970", None),
        ("1970-01-02T00:00:00Z", None),
        ("1970-02-30", None),
        ("86400", None),
    ],
)
def test_a_date_without_a_time_begins_in_any_zone(text: str, days: Days | None) -> None:
    assert parse_days(text) == days


@pytest.mark.parametrize(
    "seconds", [Fraction(0), Fraction(-1, 2), Fraction(14_893, 4), Fraction(-62_135_596_800)]
)
def test_an_instant_is_read_as_it_is_written(seconds: Fraction) -> None:
    written = write_instant(seconds)
    assert written is not None
    assert parse_instant(written) == seconds


def test_an_instant_beyond_the_calendar_is_none() -> None:
    assert write_instant(Fraction(10**15)) is None
    assert write_instant(Fraction(-(10**15))) is None


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Fraction(12), "12"),
        (Fraction(-1, 2), "-0.5"),
        (Fraction(6, 5), "1.2"),
        (Fraction("0.000000000000000001"), "0.000000000000000001"),
        (Fraction("999999999999999999.999999999999999999"), "999999999999999999.999999999999999999"),
    ],
)
def test_a_number_is_written_with_all_its_digits(number: Fraction, text: str) -> None:
    assert write_number(number) == text


def ranges(*networks: str) -> AddressRanges:
    parsed = [parse_network(network) for network in networks]
    return AddressRanges.union([each for each in parsed if each is not None])


def test_networks_side_by_side_are_one_range() -> None:
    whole = ranges("128.0.0.0/1", "0.0.0.0/1", "10.0.0.0/8")
    assert dict(whole.ranges) == {4: ((0, 2**32 - 1),), 6: ()}
    apart = ranges("10.0.0.0/24", "10.0.2.0/24")
    assert len(dict(apart.ranges)[4]) == 2
    inside = ranges("10.0.0.0/8", "10.1.0.0/16")
    assert dict(inside.ranges)[4] == ((0x0A000000, 0x0AFFFFFF),)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.0.0.0", True),
        ("10.0.0.255", True),
        ("10.0.1.0", False),
        ("9.255.255.255", False),
        ("10.0.2.7", True),
        ("0.0.0.0", False),
        ("2001:db8::1", True),
        ("2001:db9::", False),
        ("::10.0.0.1", False),
    ],
)
def test_an_address_is_in_a_range_or_not(address: str, expected: bool) -> None:
    parsed = parse_address(address)
    assert parsed is not None
    assert ranges("10.0.0.0/24", "10.0.2.0/24", "2001:db8::/32").contain(parsed) is expected


def test_what_is_no_address_is_none() -> None:
    assert parse_address("10.0.0.256") is None
    assert parse_network("10.0.0.0/33") is None
    assert parse_network("10.0.0.7/24") == ranges("10.0.0.0/24")


def test_networks_with_an_address_between_them_are_two_ranges() -> None:
    networks = [parse_network(text) for text in ("10.0.0.0", "10.0.0.2")]
    union = AddressRanges.union([network for network in networks if network is not None])
    between = parse_address("10.0.0.1")
    assert between is not None
    assert not union.contain(between)
