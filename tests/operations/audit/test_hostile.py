"""Call no bucket safe that plain HTTP reached, whatever the logs hold, and count as another parser does."""

from __future__ import annotations

import os

import pytest

from secure_bucket.operations.audit import Audit, Breaks, Safe, audit_logs
from tests.operations.audit.hostile import Line, lines, parse
from tests.operations.audit.records import NOW

# A million takes some minutes: set SECURE_BUCKET_HOSTILE_LINES=1000000.
LINES = int(os.environ.get("SECURE_BUCKET_HOSTILE_LINES", "5000"))


@pytest.fixture(scope="module")
def made() -> list[Line]:
    return list(lines(LINES, seed=16))


@pytest.fixture(scope="module")
def audit(made: list[Line], tmp_path_factory: pytest.TempPathFactory) -> Audit:
    """The audit of the lines that are records: a single other one would keep every bucket from safe."""
    path = tmp_path_factory.mktemp("hostile") / "log"
    path.write_text("".join(f"{line.text}\n" for line in made if parse(line.text)), encoding="utf-8")
    # A bucket has about twenty lines in a month: nothing but the transport decides.
    return audit_logs(path, now=NOW, limit=10**6, maximum_age=30)


def test_no_bucket_that_plain_http_reached_is_safe(made: list[Line], audit: Audit) -> None:
    reached = {line.bucket for line in made if line.plain and parse(line.text)}
    safe = {bucket.name for bucket in audit.buckets if isinstance(bucket.answer, Safe)}
    # Both kinds are there in numbers, so that the test can fail.
    assert min(len(reached), len(safe)) > LINES // 100
    assert not safe & reached


def test_counts_and_clients_are_those_of_another_parser(made: list[Line], audit: Audit) -> None:
    clients, requests, https = set(), 0, 0
    for line in made:
        fields = parse(line.text)
        if fields is None or _odd(fields):
            continue
        if fields["tls"] != "-":
            https += 1
        elif fields["request"] not in ("-", "") and fields["status"] not in ("403", "-"):
            requests += 1
            clients.add((fields["requester"], fields["user_agent"], fields["address"]))
    assert isinstance(audit.answer, Breaks)
    assert (audit.answer.requests, audit.answer.clients) == (requests, len(clients))
    assert sum(bucket.https for bucket in audit.buckets) == https
    assert audit.malformed.lines == 0


def test_every_other_line_is_malformed(made: list[Line], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("malformed") / "log"
    others = [line.text for line in made if parse(line.text) is None]
    path.write_text("".join(f"{text}\n" for text in (made[0].text, *others)), encoding="utf-8")
    audit = audit_logs(path, now=NOW)
    assert audit.malformed.lines == len(others) - others.count("") > 0


def _odd(fields: dict[str, str]) -> bool:
    """Tell whether a field does not have its documented form."""
    suite, version = fields["cipher"], fields["tls"].replace("TLSV", "TLSv")
    return (
        fields["signature"] not in ("SigV2", "SigV4", "-")
        or fields["authentication"] not in ("AuthHeader", "QueryString", "-")
        or (suite == "-") != (version == "-")
        or not (suite == "-" or any(name in suite for name in ("AES", "CHACHA20", "DES", "RC4")))
        or any(letter.islower() or letter == "." for letter in suite)
        # A field more than there are: the host held a blank.
        or (fields["region"] == "-" and "-" in (fields["more"] + fields["most"]).strip("-"))
        or (version != "-" and not _appended(fields))
        or version not in ("-", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
    )


def _appended(fields: dict[str, str]) -> bool:
    """Tell whether what AWS has appended behind the TLS version has the forms of it."""
    return (
        (fields["access_point"] in ("-", "") or fields["access_point"].startswith("arn:"))
        and fields["acl"] in ("-", "Yes", "")
        and (fields["region"] in ("-", "") or fields["region"].count("-") > 1)
    )
