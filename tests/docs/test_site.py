"""The site, built as it is published: without a warning, whole in itself, its links leading somewhere."""

from __future__ import annotations

import functools
import http.server
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urlsplit
from xml.etree import ElementTree

import pytest

import secure_bucket
from secure_bucket.cli.commands import COMMANDS
from secure_bucket.findings.rules import RULES
from tests.docs.pages import PAGES, ROOT
from tests.formats import test_html

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("zensical") is None or importlib.util.find_spec("mkdocstrings") is None,
        reason="the site is built with what needs Python 3.11: pip install -e '.[dev]'",
    ),
]

# Where a browser fetches something by itself, without anybody following a link.
FETCHED = {"audio", "embed", "iframe", "img", "input", "link", "script", "source", "track", "video"}


class Page(HTMLParser):
    """What a page leads to, what it fetches, and what can be led to in it."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.words = ""
        self._canonical = False
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        # What `rel` says about other pages is not fetched.
        related = tag == "link" and values.get("rel") in ("canonical", "next", "prev")
        for name in ("href", "src"):
            if name in values and not related:
                (self.fetched if tag in FETCHED else self.links).append(values[name])

    def handle_data(self, data: str) -> None:
        self.words += data


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A server for the site that keeps no log."""

    def log_message(self, *_: object) -> None: ...


browser = test_html.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built in a directory of its own."""
    directory = tmp_path_factory.mktemp("site")
    # Copies: links would be followed back to the repository, and the site be built there.
    for name in ("docs", "tools"):
        shutil.copytree(ROOT / name, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "examples", directory / "examples", ignore=shutil.ignore_patterns("cdk.out"))
    shutil.copytree(
        ROOT / "lib", directory / "lib", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
    )
    shutil.copy(ROOT / "mkdocs.yml", directory)
    # A proxy that is not there: what is fetched from anywhere fails.
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "documentation" / "build.py", "--directory", directory],
        capture_output=True,
        text=True,
        env={**os.environ, **nowhere, "no_proxy": "", "NO_PROXY": ""},
        timeout=300,
    )
    said = f"{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, said
    # A docstring that does not fit its signature is a warning of griffe, which fails no build.
    assert not re.search(r"warning|griffe:|error", said, re.I), said
    return directory / "build" / "site"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    """Every page of the site, by its file."""
    found = {file: Page(file) for file in sorted(site.rglob("*.html"))}
    assert len(found) > len(PAGES)
    return found


def test_every_page_is_built_and_in_the_navigation(site: Path) -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    for page in PAGES:
        path = page.relative_to(ROOT / "docs")
        assert re.search(rf"[ :]{re.escape(path.as_posix())}$", navigation, re.M), (
            f"{path} is not in mkdocs.yml"
        )
        place = path.parent if path.stem == "index" else path.with_suffix("")
        assert (site / place / "index.html").is_file()


def test_nothing_is_fetched_from_elsewhere(site: Path, pages: dict[Path, Page]) -> None:
    for file, page in pages.items():
        assert page.fetched
        for address in page.fetched:
            parts = urlsplit(address)
            assert (parts.scheme, parts.netloc) == ("", ""), f"{file} fetches {address}"
    for sheet in site.rglob("*.css"):
        styles = sheet.read_text(encoding="utf-8")
        assert not re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)\s]*", styles), sheet


def test_a_browser_asks_nobody_else(site: Path, browser: Any) -> None:
    handler = functools.partial(Quiet, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        root = f"http://127.0.0.1:{server.server_port}/"
        for path in ("", "explanation/how-it-proves/", "reference/api/constructs/"):
            browser.get_log("performance")
            browser.get(root + path)
            asked = [*requested(browser)]
            assert root + path in asked
            assert [address for address in asked if not address.startswith((root, "data:", "blob:"))] == []
        server.shutdown()


def requested(browser: Any) -> Iterator[str]:
    """Yield the addresses that the browser has asked for."""
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            yield message["params"]["request"]["url"]


def test_every_link_within_the_site_leads_to_an_anchor(site: Path, pages: dict[Path, Page]) -> None:
    for file, page in pages.items():
        if file.name == "404.html":
            # It is served at any address, so that its links begin at the root.
            continue
        for address in (*page.links, *page.fetched):
            if urlsplit(address).scheme or not address:
                continue
            path, anchor = urldefrag(unquote(address))
            target = (file.parent / path).resolve() if path else file
            target = target / "index.html" if target.is_dir() else target
            assert target.is_file(), f"{file.relative_to(site)} leads to {address}"
            if anchor and target in pages:
                known = pages[target].anchors
                assert anchor in known, f"{file.relative_to(site)} leads to {address}"


def test_every_name_has_its_place_in_the_reference(pages: dict[Path, Page], site: Path) -> None:
    page = pages[site / "reference" / "api" / "names" / "index.html"]
    for name in secure_bucket.__all__:
        assert any(link.rpartition(".")[2] == name for link in page.links), (
            f"`{name}` is not in the reference"
        )


def test_the_reference_tells_what_values_are_made_of(pages: dict[Path, Page], site: Path) -> None:
    words = "".join(pages[site / "reference" / "api" / "proof" / "index.html"].words.split())
    assert "Refuted(request:Request,why:str,at:Place=Place(),statement:int|None=None" in words
    assert "request(Request)" in words


def test_every_command_and_rule_has_its_place(pages: dict[Path, Page], site: Path) -> None:
    commands = pages[site / "reference" / "commands" / "index.html"]
    assert set(COMMANDS) <= commands.anchors
    assert "--write-baseline FILE" in commands.words
    assert {rule.id.lower() for rule in RULES} <= pages[site / "reference" / "rules" / "index.html"].anchors


def test_no_snippet_is_left_over(pages: dict[Path, Page]) -> None:
    for file, page in pages.items():
        assert "--8<--" not in page.words, file
        assert ":::" not in page.words.replace("arn:aws:s3:::", "").replace(":s3:::", ""), file


def test_every_picture_can_be_read_aloud_and_takes_the_colours_of_the_page(site: Path) -> None:
    # The recorded session has the colours of a terminal.
    pictures = sorted(set((site.parent / "docs").glob("*.svg")) - {site.parent / "docs" / "session.svg"})
    assert len(pictures) == 6
    for picture in pictures:
        root = ElementTree.fromstring(picture.read_text(encoding="utf-8"))
        names = {element.tag.rpartition("}")[2]: element for element in root}
        assert root.get("role") == "img"
        assert root.get("aria-labelledby") == f"{names['title'].get('id')} {names['desc'].get('id')}"
        assert len(names["desc"].text or "") > 40
        for element in root.iter():
            assert not {"fill", "stroke", "style", "color"} & set(element.attrib), picture
    styles = (ROOT / "docs" / "stylesheets" / "pictures.css").read_text(encoding="utf-8")
    used = {word for picture in pictures for word in _classes(picture)}
    assert used <= set(re.findall(r"\.([a-z]+)\b", styles))


def test_the_recorded_session_is_real_and_loads_nothing(site: Path) -> None:
    text = (site.parent / "docs" / "session.svg").read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    assert root.get("role") == "img"
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    words = " ".join("".join(root.itertext()).replace("\xa0", " ").split())
    for part in (
        "SB001 error",
        "(exit code 1)",
        "1 fixed, 0 left",
        "Passed: 1 of 1 bucket denies plain HTTP",
    ):
        assert part in words


def test_the_recorded_session_is_whole_on_the_home_page(site: Path) -> None:
    _, _, picture = (site / "index.html").read_text(encoding="utf-8").partition('<svg class="rich-terminal"')
    picture, end, _ = picture.partition("</svg>")
    assert end
    assert "exit" in picture
    assert "<code" not in picture
    assert picture.count("<g") == picture.count("</g>")


def test_the_home_page_shows_the_version(site: Path) -> None:
    assert f"version {secure_bucket.__version__}" in (site / "index.html").read_text(encoding="utf-8")


def _classes(picture: Path) -> Iterator[str]:
    for element in ElementTree.fromstring(picture.read_text(encoding="utf-8")).iter():
        yield from element.get("class", "").split()
