"""The pages of `audit`, `plan` and `review`, as text and in a real browser."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from secure_bucket.findings.comparison import compare_reports
from secure_bucket.findings.finding import JudgedBucket, Report
from secure_bucket.findings.subject import Running
from secure_bucket.formats.html_page import render as render_review
from secure_bucket.operations.audit import Audit, audit_logs
from secure_bucket.operations.audit.html_report import render as render_audit
from secure_bucket.operations.plan import plan_rollout
from secure_bucket.operations.plan.html_report import render as render_plan
from secure_bucket.policy.request import Request
from secure_bucket.proof.verdict import Proven, Refuted, Undecided, Verdict
from secure_bucket.values.unknown import Place, Unknown
from tests.formats import test_html
from tests.formats.sample import RUN, node_file
from tests.operations.audit.records import NOW, Record, http
from tests.operations.plan.known import REFUTED, report_of, running

browser = test_html.browser
HOSTILE = '<script>alert("x")</script>&amp;'
REQUEST = Request("anonymous", "s3:GetObject", "arn:aws:s3:::a/x", {"aws:SecureTransport": "false"})
VERDICTS: tuple[Verdict, ...] = (
    Proven(()),
    Refuted(REQUEST, HOSTILE),
    Undecided((Unknown("a condition is not known", Place()),)),
)


def audit_of(tmp_path: Path, **options: Any) -> Audit:
    """Return an audit of three buckets over 40 days, with each kind of request."""
    found = []
    for day in range(40):
        record = Record(time=NOW - datetime.timedelta(days=day, hours=1))
        found += [record, replace(record, bucket="calm"), replace(record, bucket="odd")]
        if day % 7 == 0:
            found += [http(replace(record, user_agent=HOSTILE))]
        if day % 5 == 0:
            found += [
                http(replace(record, status="403", address="192.0.2.9")),
                replace(record, bucket="odd", tls=None),
            ]
    (tmp_path / "log").write_text("".join(f"{each.line}\n" for each in found), encoding="utf-8")
    return audit_logs(tmp_path / "log", now=NOW, days=True, **options)


def review_of(verdicts: tuple[Verdict, ...], accounts: int = 4) -> Report:
    buckets = []
    for account in range(accounts):
        for number, verdict in enumerate(verdicts[: account % 3 + 1]):
            name = f"b-{account}-{number}"
            buckets.append(JudgedBucket(Running(name, f"arn:aws:s3:::{name}", f"{account:012}"), verdict))
    return Report(buckets=tuple(buckets), accounts=tuple(f"{account:012}" for account in range(accounts)))


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    audit = audit_of(tmp_path_factory.mktemp("logs"))
    names = ("reports", "calm", "odd", "alone")
    plan = plan_rollout(review=report_of(*(running(REFUTED, name) for name in names)), audit=audit, now=NOW)
    now = review_of(VERDICTS)
    compared = replace(now, comparison=compare_reports(review_of(VERDICTS[::-1]), now, "earlier.json"))
    return {
        "audit": render_audit(audit, RUN),
        "plan": render_plan(plan, RUN),
        "review": render_review(now, RUN),
        "compared": render_review(compared, RUN),
    }


NAMES = ("audit", "plan", "review", "compared")
every = pytest.mark.parametrize("name", NAMES)


@every
def test_each_picture_has_a_name_and_its_table(pages: dict[str, str], name: str) -> None:
    page = pages[name]
    pictures = re.findall(r'<svg role="img" aria-label="([^"]+)"', page)
    assert pictures
    assert all("table" in picture for picture in pictures)
    assert page.count("<table") >= len(pictures)
    assert HOSTILE not in page


def test_the_strip_of_a_bucket_has_each_kind_of_request(pages: dict[str, str]) -> None:
    strips = re.search(r'<svg role="img" aria-label="Requests by day.*?</svg>', pages["audit"], re.DOTALL)
    assert strips is not None
    # 40 days of three buckets, with 6 days in plain HTTP, 8 refused and 8 unknown.
    fills = [strips[0].count(f'<rect class="{fill}"') for fill in ("empty", "solid", "hatch", "dots")]
    assert fills == [120, 6, 8, 8]


def test_days_are_only_counted_where_they_are_asked_for(tmp_path: Path) -> None:
    (bucket, *_) = audit_of(tmp_path).buckets
    for name in ("https", "breaking", "refused", "unknown"):
        assert sum(getattr(day, name) for day in bucket.course) == getattr(bucket, name)
    assert all(bucket.course == () for bucket in audit_logs(tmp_path / "log", now=NOW).buckets)


def test_the_plan_names_the_clients_before_their_buckets(pages: dict[str, str]) -> None:
    assert "after move 1" in pages["plan"]
    clients = re.search(r"Clients in the order in which they move.*?</table>", pages["plan"], re.DOTALL)
    assert clients is not None
    assert "reports" in clients[0]


def test_the_review_shows_what_changed(pages: dict[str, str]) -> None:
    assert "Since the earlier review" in pages["compared"]
    assert "Since the earlier review" not in pages["review"]
    assert "Open before" in pages["compared"]


def opened(browser: Any, tmp_path: Path, page: str) -> None:
    file = tmp_path / "page.html"
    file.write_text(page, encoding="utf-8")
    browser.get(file.as_uri())


@every
def test_the_browser_complains_of_nothing_and_the_page_is_accessible(
    browser: Any,
    tmp_path: Path,
    pages: dict[str, str],
    name: str,
) -> None:
    axe = node_file("axe-core/axe.min.js").read_text("utf-8")
    opened(browser, tmp_path, pages[name])
    assert browser.get_log("browser") == []
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
    browser.execute_script(axe)
    found = browser.execute_async_script("axe.run(document).then(arguments[arguments.length - 1])")
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found["violations"]] == []


@every
def test_the_pictures_are_drawn_in_patterns_and_fit(
    browser: Any,
    tmp_path: Path,
    pages: dict[str, str],
    name: str,
) -> None:
    metrics = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        opened(browser, tmp_path, pages[name])
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 400
        fills = browser.execute_script(
            "return [...new Set([...document.querySelectorAll('svg[role=img] rect')]"
            ".map(each => getComputedStyle(each).fill))]"
        )
        assert len(fills) > 1
        # A picture scrolls rather than shrink until nobody can read it.
        smallest = browser.execute_script(
            "return Math.min(...[...document.querySelectorAll('svg[role=img]')]"
            ".map(each => each.getBoundingClientRect().width / each.viewBox.baseVal.width))"
        )
        assert smallest > 0.9
        # What is not told apart by lightness is told apart by a pattern.
        assert all(re.fullmatch(r'rgb\((\d+), \d+, \d+\)|url\("?#(hatch|dots)"?\)', fill) for fill in fills)
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@every
def test_the_page_prints_its_pictures(
    browser: Any,
    tmp_path: Path,
    pages: dict[str, str],
    name: str,
) -> None:
    opened(browser, tmp_path, pages[name])
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        shown = (
            "return [...document.querySelectorAll('svg[role=img]')]"
            ".every(each => each.getBoundingClientRect().width > 100)"
        )
        assert browser.execute_script(shown)
        assert (
            browser.execute_script("return getComputedStyle(document.querySelector('nav')).display") == "none"
        )
        printed = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
        assert len(printed["data"]) > 5_000
        # Nothing sticks out of the paper, which is 180 mm wide between its margins.
        metrics = {"width": 680, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 680
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
