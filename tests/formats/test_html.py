"""The page for the person who signs off, as text and in a real browser.

The browser is Debian's: `apt-get install chromium chromium-driver`. Without one those tests are skipped.
"""

from __future__ import annotations

import base64
import re
import shutil
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import secure_bucket
from secure_bucket.findings.finding import Finding, JudgedBucket, Level, Report, Safeguard
from secure_bucket.findings.subject import Declared
from secure_bucket.formats.compliance import REQUIREMENTS
from secure_bucket.formats.html_page import render
from secure_bucket.formats.html_style import SCRIPT
from secure_bucket.formats.markup import Markup, tag
from secure_bucket.proof.verdict import Proven, Refuted, Undecided
from secure_bucket.template.safeguards import SafeguardKind
from secure_bucket.values.unknown import Place, Unknown
from tests.formats.sample import (
    FULL,
    HOSTILE,
    REQUEST,
    RUN,
    RUNNING,
    bucket,
    finding,
    hostile_report,
    node_file,
)

PROVEN = Report(buckets=(bucket("Good", Proven((0,))),), templates=("templates/app.yaml",))
PAGES = {
    "full": render(FULL, RUN),
    "running": render(RUNNING, RUN),
    "hostile": render(hostile_report(), replace(RUN, options=((HOSTILE, HOSTILE),), version=HOSTILE)),
    "proven": render(PROVEN, RUN),
    "empty": render(Report(), RUN),
}
pages = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)


class _Outline(HTMLParser):
    """The elements of a page, checked to be closed in order."""

    VOID = ("meta", "wbr")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self._open):
            self.text += data


@pages
def test_the_page_is_well_formed_and_loads_nothing(page: str) -> None:
    outline = _Outline(page)
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">')
    for name, attributes in outline.elements:
        assert name not in ("img", "link", "iframe", "object", "base", "form")
        assert not [key for key in attributes if key.startswith("on") or key in ("src", "style", "action")]
        href = attributes.get("href") or "#"
        assert href.startswith(("#", "https://"))
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)
    assert script is not None
    assert script.group(1) == SCRIPT
    assert [name for name, _ in outline.elements].count("script") == 1
    assert not re.search(r"url\((?!#)", style.group(1))
    assert "@import" not in style.group(1)


@pages
def test_every_link_inside_the_page_leads_somewhere(page: str) -> None:
    elements = _Outline(page).elements
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in elements:
        href, label = attributes.get("href") or "", attributes.get("aria-labelledby")
        assert not href.startswith("#") or href[1:] in ids
        assert label is None or label in ids


def test_texts_are_inert() -> None:
    assert PAGES["hostile"].count("<script") == 1
    assert "<img" not in PAGES["hostile"]
    assert "&lt;script&gt;" in PAGES["hostile"]
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", PAGES["hostile"])


def test_markup_escapes_all_but_markup() -> None:
    assert tag("p", "<b>", Markup("<i></i>"), 1, None, title='"<&') == (
        '<p title="&quot;&lt;&amp;">&lt;b&gt;<i></i>1</p>'
    )


def test_the_evidence_is_the_request() -> None:
    text = _Outline(PAGES["full"]).text
    for part in ("anonymous", "s3:ListBucket", "arn:aws:s3:::<Reports>", "aws:SecureTransport = false"):
        assert part in text
    assert "Denied by statements 1, 3 of its policy." in text
    assert "Sid: DenyHttp" not in text, "the line of the program stands for the statement"
    assert 's3.Bucket(stack, "Reports")' in text


def test_exceptions_stand_there_with_reason_and_end() -> None:
    text = _Outline(PAGES["full"]).text
    assert "The old scanner speaks no TLS, its replacement is ordered2027-03-31in use" in text
    assert "Needed once2026-01-31expired" in text


def test_what_was_checked_stands_there() -> None:
    text = _Outline(PAGES["full"]).text
    for part in ("version 1.2.3", "2027-03-01T12:00:00Z", "--minimum-tls1.3", "templates/other.json"):
        assert part in text
    assert "templates/bad.yaml is not UTF-8 text" in text


def test_the_requirements_are_cited_with_their_documents() -> None:
    numbers = {requirement.number for requirement in REQUIREMENTS}
    assert numbers >= {"4.2.1", "164.312(e)(1)", "SC-8", "2.1.1", "S3.5"}
    text = _Outline(PAGES["full"]).text
    for requirement in REQUIREMENTS:
        for part in (requirement.document, requirement.number, requirement.title):
            assert part in text
        # A requirement that the report shows nothing for takes one line.
        assert (requirement.leaves in text) == bool(requirement.rules)
        # What only safeguards answer is not shown by templates that declare none.
        assert (requirement.shows in text) == bool(requirement.rules)


def test_every_finding_about_transport_bears_on_a_requirement_and_so_does_every_safeguard() -> None:
    cited = {rule for requirement in REQUIREMENTS for rule in requirement.rules}
    assert cited == {"SB001", "SB002", "SB003", "SB004", "SB005", "SB006", "SB010"}
    answering = {kind for requirement in REQUIREMENTS for kind in requirement.safeguards}
    # A resource control policy bears on what the denies bear on, by the verdicts; a remediation on no more.
    assert answering == set(SafeguardKind) - {
        SafeguardKind.METRIC_FILTER,
        SafeguardKind.ORGANIZATION_POLICY,
        SafeguardKind.REMEDIATION,
    }


def test_what_a_requirement_calls_a_construct_is_one_of_this_library() -> None:
    for requirement in REQUIREMENTS:
        assert requirement.constructs
        for name in requirement.constructs:
            assert name.partition("(")[0] in secure_bucket.__all__


def test_the_monitoring_that_is_declared_stands_there() -> None:
    subject = Declared("Changes", construct_path="Stack/Changes")
    rule = Safeguard(subject, SafeguardKind.POLICY_CHANGES, Place("/Resources/Changes"))
    outline = _Outline(render(replace(FULL, safeguards=(rule,)), RUN))
    assert "EventBridge tells of changed and deleted bucket policies" in outline.text
    assert outline.text.count("Stack/Changes") == 4, "the table, and the three requirements that it answers"
    without = _Outline(PAGES["full"]).text
    assert "These templates declare no monitoring of their buckets." in without
    assert "Not shown here, because these templates declare no resource for it:" in without
    assert ": SecureTransportMonitoring adds it" in without


@pytest.mark.parametrize(
    ("report", "outcome"),
    [
        (PROVEN, "Passed: 1 of 1 bucket denies plain HTTP"),
        (Report(), "Nothing was checked: no bucket was found"),
        (
            FULL,
            "Incomplete: 1 thing could not be checked; 1 of 4 buckets accepts plain HTTP, 1 other finding",
        ),
        (replace(FULL, faults=()), "Failed: 1 of 4 buckets accepts plain HTTP, 1 other finding"),
        (
            replace(FULL, faults=(), findings=FULL.findings[1:3], buckets=FULL.buckets[1:]),
            "Passed with reservations: 2 of 3 buckets are not proven, and accepted",
        ),
        (
            replace(PROVEN, baselined=(finding(logical_id="Good"),)),
            "Passed with reservations: every bucket is proven, and other findings are accepted",
        ),
    ],
)
def test_the_outcome_stands_at_the_top(report: Report, outcome: str) -> None:
    page = render(report, RUN)
    assert re.search(r'<p class="outcome \w+">(.*?)</p>', page).group(1) == outcome  # type: ignore[union-attr]
    assert f"<title>Plain HTTP to S3 buckets: {outcome}</title>" in page


@pytest.mark.parametrize(
    ("report", "rule"),
    [
        (replace(PROVEN, findings=(finding("SB010", fix=""),)), "SB010"),
        (Report(buckets=(bucket("Open", Refuted(REQUEST, "the bucket has no policy")),)), "SB001"),
        (Report(buckets=(bucket("Open", Undecided((Unknown("it is imported"),))),)), "SB002"),
    ],
)
def test_without_a_fix_the_manual_of_the_rule_is_the_next_step(report: Report, rule: str) -> None:
    head = render(report, RUN).partition("</header>")[0]
    steps = _Outline(head.partition("<h2>What to do next</h2>")[2].partition("</div>")[0]).text
    assert steps == f"run secure-bucket explain {rule} (1)"


def test_the_first_screen_says_what_is_wrong_with_a_proven_bucket_that_fails() -> None:
    wrong = render(RUNNING, RUN).partition("<h2>What is wrong</h2>")[2].partition("</div>")[0]
    text = _Outline(wrong).text
    assert "denied by" not in text
    assert "GET report.csv over TLS 1.0" in text


# In a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver")
    driver, binary = shutil.which("chromedriver"), shutil.which("chromium")
    if driver is None or binary is None:
        pytest.skip("there is no browser: `apt-get install chromium chromium-driver`")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield chrome
    chrome.quit()


def _open(browser: Any, tmp_path: Path, page: str) -> None:
    file = tmp_path / "page.html"
    file.write_text(page, encoding="utf-8")
    browser.get(file.as_uri())


@pages
def test_the_browser_asks_for_nothing_and_complains_of_nothing(
    browser: Any, tmp_path: Path, page: str
) -> None:
    browser.get_log("performance")
    _open(browser, tmp_path, page)
    assert browser.get_log("browser") == []
    asked = re.findall(
        r'"Network\.requestWillBeSent".*?"documentURL\\?":', str(browser.get_log("performance"))
    )
    assert len(asked) <= 1, "the page itself"
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert "owned" not in browser.title.split(":")[0]
    assert browser.execute_script("return document.scripts.length + document.images.length") == 1


@pages
def test_the_page_is_accessible(browser: Any, tmp_path: Path, page: str) -> None:
    axe = node_file("axe-core/axe.min.js").read_text("utf-8")
    _open(browser, tmp_path, page)
    browser.execute_script(axe)
    found = browser.execute_async_script("axe.run(document).then(arguments[arguments.length - 1])")
    assert [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in found["violations"]] == []
    assert len(found["passes"]) > 20
    # The check can fail: a page without a language is found.
    browser.execute_script("document.documentElement.removeAttribute('lang')")
    found = browser.execute_async_script("axe.run(document).then(arguments[arguments.length - 1])")
    assert [rule["id"] for rule in found["violations"]] == ["html-has-lang"]


@pages
@pytest.mark.parametrize("width", [320, 360, 1280])
def test_the_page_fits_a_narrow_screen(browser: Any, tmp_path: Path, page: str, width: int) -> None:
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        _open(browser, tmp_path, page)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def _printed(browser: Any) -> bytes:
    """Print the page. Chromium's print process may not be up in time on a busy machine: it is asked again."""
    from selenium.common.exceptions import WebDriverException

    for attempt in range(4):
        try:
            printed = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
        except WebDriverException:
            if attempt == 3:
                raise
            time.sleep(1)
        else:
            return base64.b64decode(printed["data"])
    raise AssertionError


@pages
def test_the_page_can_be_printed(browser: Any, tmp_path: Path, page: str) -> None:
    _open(browser, tmp_path, page)
    pdf = _printed(browser)
    assert pdf.startswith(b"%PDF-")
    assert re.search(rb"/Type\s*/Page\b", pdf)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        shown = "return getComputedStyle(document.querySelector(arguments[0])).display"
        assert browser.execute_script(shown, "nav") == "none"
        assert browser.execute_script(shown, "main") != "none"
        # Nothing sticks out of the paper, which is 180 mm wide between its margins.
        metrics = {"width": 680, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 680
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_a_keyboard_reaches_the_verdicts_first(browser: Any, tmp_path: Path) -> None:
    _open(browser, tmp_path, PAGES["full"])
    keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
    browser.switch_to.active_element.send_keys(keys.TAB)
    first = browser.switch_to.active_element
    assert first.text == "Skip to the verdicts"
    assert first.rect["x"] >= 0
    first.send_keys(keys.ENTER)
    assert browser.current_url.endswith("#verdicts")


# 500 buckets


def _many(number: int) -> Report:
    """Return a report on buckets in eight files, none of which has a policy."""
    buckets, findings = [], []
    for index in range(number):
        file = f"infrastructure/stacks/stack-{index % 8}.yaml"
        name = f"ReportsBucket{index}"
        subject, place = Declared(name, file), Place(f"/Resources/{name}", file, index + 2, 3)
        request = replace(REQUEST, action="s3:GetObject", resource=f"arn:aws:s3:::<{name}>/report.csv")
        verdict = Refuted(request, "the bucket has no policy") if index % 2 else Proven((0,))
        buckets.append(JudgedBucket(subject, verdict, place))
        if index % 2:
            message = (
                f"bucket `{name}`: anyone can GET `report.csv` over plain HTTP: the bucket has no policy"
            )
            fix = f"run `secure-bucket fix {file} --write`; `secure-bucket explain SB001` says more"
            findings.append(Finding(subject, "SB001", Level.ERROR, message, fix, place, request))
    return Report(buckets=tuple(buckets), findings=tuple(findings))


def test_a_page_of_500_buckets_is_small() -> None:
    page = render(_many(500), RUN)
    assert len(page.encode()) < 300_000
    assert page.count("infrastructure/") < 100, "a file is named where its group begins"


def test_the_first_screen_says_what_is_wrong_where_and_what_next(browser: Any, tmp_path: Path) -> None:
    metrics = {"width": 1280, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        _open(browser, tmp_path, render(_many(500), RUN))
        head = browser.find_element("tag name", "header")
        assert head.rect["y"] + head.rect["height"] < 800
        for part in (
            "Failed: 250 of 500 buckets accept plain HTTP",
            "the bucket has no policy (250)",
            "infrastructure/stacks/stack-1.yaml (63)",
            "run secure-bucket fix infrastructure/stacks/stack-1.yaml --write",
        ):
            assert part in head.text
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_table_can_be_filtered_and_sorted(browser: Any, tmp_path: Path) -> None:
    select = pytest.importorskip("selenium.webdriver.support.ui").Select
    _open(browser, tmp_path, render(_many(40), RUN))

    def rows() -> list[str]:
        found = browser.find_elements("css selector", "#buckets tbody tr:not(.file)")
        return [row.text for row in found if row.is_displayed()]

    def choose(name: str, value: str) -> None:
        select(browser.find_element("id", f"by-{name}")).select_by_value(value)

    assert len(rows()) == 40
    choose("verdict", "refuted")
    assert len(rows()) == 20
    assert browser.find_element("id", "shown").text == "Filtered: 20 of 40 buckets are shown."
    choose("file", "infrastructure/stacks/stack-1.yaml")
    assert len(rows()) == 5
    assert sum(card.is_displayed() for card in browser.find_elements("css selector", "article")) == 5
    choose("file", "")
    choose("verdict", "")
    choose("sort", "bucket")
    assert [row.split()[0] for row in rows()[:3]] == ["ReportsBucket0", "ReportsBucket1", "ReportsBucket2"]
    assert "infrastructure/stacks/stack-2.yaml line 4" in rows()[2]
    choose("sort", "file")
    assert rows()[0].startswith("ReportsBucket1 ")
    assert browser.find_element("id", "shown").text == ""


def test_without_the_script_everything_is_shown(browser: Any, tmp_path: Path) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        _open(browser, tmp_path, render(_many(10), RUN))
        assert not browser.find_element("id", "controls").is_displayed()
        assert len(browser.find_elements("css selector", "#buckets tbody tr:not(.file)")) == 10
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@pages
def test_the_page_is_accessible_in_dark_colours(browser: Any, tmp_path: Path, page: str) -> None:
    axe = node_file("axe-core/axe.min.js").read_text("utf-8")
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    try:
        _open(browser, tmp_path, page)
        browser.execute_script(axe)
        found = browser.execute_async_script("axe.run(document).then(arguments[arguments.length - 1])")
        assert [
            (rule["id"], [node["target"] for node in rule["nodes"]]) for rule in found["violations"]
        ] == []
        colour = browser.execute_script("return getComputedStyle(document.documentElement).backgroundColor")
        assert colour == "rgb(20, 24, 29)"
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
