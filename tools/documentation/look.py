"""Take screenshots of every page of the site, and list elements that do not fit.

    make docs
    python tools/documentation/look.py build/site /tmp/pictures report.html   # further pages as arguments

Each page has screenshots at 1400, 500 and 360 pixels, light and dark. The command needs selenium and
Chromium.
"""

from __future__ import annotations

import argparse
import base64
import shutil
from pathlib import Path
from typing import Any

from selenium import webdriver

WIDTHS = (1400, 500, 360)
# Elements wider than the page, and code or words that are cut off without a way to scroll to the rest.
TORN = """
const wide = document.documentElement.scrollWidth > innerWidth ? ['the page scrolls sideways'] : [];
const cut = [...document.querySelectorAll('main *, body > *')].filter(each => {
  const style = getComputedStyle(each);
  return style.overflowX === 'hidden' && style.textOverflow !== 'ellipsis' && each.clientWidth > 2
    && each.scrollWidth > each.clientWidth + 2;
});
return wide.concat(cut.map(each => each.tagName + ' cut off: ' + each.textContent.trim().slice(0, 60)));
"""


def main() -> int:
    """Take the screenshots, and return 1 if an element does not fit."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("site", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("pages", type=Path, nargs="*")
    arguments = parser.parse_args()
    arguments.target.mkdir(parents=True, exist_ok=True)
    site = arguments.site.resolve()
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for each in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(each)
    browser = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    torn = 0
    try:
        for page in (*sorted(site.rglob("index.html")), *(each.resolve() for each in arguments.pages)):
            name = page.relative_to(site).parent.as_posix() if page.is_relative_to(site) else page.stem
            browser.get(page.as_uri())
            for width in WIDTHS:
                target = arguments.target / name.replace("/", "-").replace(".", "home")
                for said in look(browser, width, target):
                    torn += 1
                    print(f"{name}, {width} pixels: {said}")
    finally:
        browser.quit()
    return 1 if torn else 0


def look(browser: Any, width: int, target: Path) -> list[str]:
    """Take two screenshots of the open page, and return the elements that do not fit."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    torn: list[str] = browser.execute_script(TORN)
    height = min(browser.execute_script("return document.documentElement.scrollHeight"), 8000)
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**metrics, "height": height})
    for scheme in ("light", "dark"):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        # The page follows the scheme a moment later.
        browser.execute_async_script("setTimeout(arguments[0], 50)")
        shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
        target.with_name(f"{target.name}-{width}-{scheme}.png").write_bytes(base64.b64decode(shot["data"]))
    return torn


if __name__ == "__main__":
    raise SystemExit(main())
