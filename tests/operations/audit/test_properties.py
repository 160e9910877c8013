"""Whatever stands in the records, the groups and counts are those that plain Python comes to."""

from __future__ import annotations

import gzip
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secure_bucket.operations.audit import Audit, audit_logs
from tests.operations.audit.records import NOW, Record, garbage, records

pytestmark = pytest.mark.slow

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def audited(*contents: bytes, **options: object) -> Audit:
    with tempfile.TemporaryDirectory() as directory:
        for number, content in enumerate(contents):
            Path(directory, f"2027-{number}").write_bytes(content)
        return audit_logs(directory, now=NOW, limit=1000, threads=1, **options)  # type: ignore[arg-type]


def expected(found: list[Record]) -> Counter[tuple[str, ...]]:
    return Counter(
        (
            each.outcome,
            each.bucket,
            each.requester,
            each.user_agent or "-",
            each.address,
            each.operation,
        )
        for each in found
        if each.outcome in ("breaks", "refused", "unknown")
    )


def counted(audit: Audit) -> Counter[tuple[str, ...]]:
    groups: Counter[tuple[str, ...]] = Counter()
    for each in audit.groups:
        key = (
            each.trouble.value, each.bucket, each.requester, each.user_agent, each.address, each.operation
        )  # fmt: skip
        groups[key] += each.requests  # type: ignore[index]
    return groups


@FEW
@given(st.lists(records, min_size=1, max_size=12), st.lists(garbage, max_size=3), st.booleans())
def test_groups_are_those_of_plain_python(found: list[Record], bad: list[str], packed: bool) -> None:
    lines = [each.line for each in found]
    for number, text in enumerate(bad):
        lines.insert(1 + number * 2 % len(lines), text)
    data = "".join(f"{line}\n" for line in lines).encode()
    audit = audited(gzip.compress(data) if packed else data)
    assert audit.faults == ()
    assert counted(audit) == expected(found)
    outcomes = Counter(each.outcome for each in found)
    assert sum(bucket.https for bucket in audit.buckets) == outcomes["https"]
    assert sum(bucket.internal for bucket in audit.buckets) == outcomes["internal"]
    # A line that is nothing but a blank is a line, too.
    assert audit.malformed.lines == len(bad)
    for bucket in audit.buckets:
        times = sorted(each.time for each in found if each.bucket == bucket.name)
        # What lies before a silence of more than a week is no evidence.
        days = [time.date() for time in times]
        ends = [place for place in range(1, len(days)) if (days[place] - days[place - 1]).days > 7]
        times = times[max(ends, default=0) :]
        assert (bucket.first_seen, bucket.last_seen) == (min(times), max(times))
        assert bucket.days == len({time.date() for time in times})


@FEW
@given(st.lists(records, min_size=1, max_size=8), st.sampled_from([1.0, 1.1, 1.2, 1.3]))
def test_old_tls_counts_when_asked_for(found: list[Record], minimum: float) -> None:
    versions = {"TLSv1": 1.0, "TLSV1.1": 1.1, "TLSv1.2": 1.2, "TLSv1.3": 1.3}
    old = [
        each
        for each in found
        if each.outcome == "https"
        and each.tls in versions
        and versions[each.tls] < minimum
        and each.status != "403"
    ]
    plain = [each for each in found if each.outcome == "breaks"]
    audit = audited("".join(f"{each.line}\n" for each in found).encode(), minimum_tls=minimum)
    assert sum(bucket.breaking for bucket in audit.buckets) == len(old) + len(plain)


@FEW
@given(st.lists(records, min_size=2, max_size=10), st.data())
def test_how_records_are_spread_over_files_changes_nothing(found: list[Record], data: st.DataObject) -> None:
    order = data.draw(st.permutations(found))
    cut = data.draw(st.integers(0, len(found)))
    parts = [order[:cut], order[cut:]]
    contents = ["".join(f"{each.line}\n" for each in part).encode() for part in parts if part]
    apart = audited(gzip.compress(contents[0]), *contents[1:])
    whole = audited("".join(f"{each.line}\n" for each in found).encode())
    assert apart.buckets == whole.buckets
    assert counted(apart) == counted(whole)
    assert apart.answer == whole.answer
