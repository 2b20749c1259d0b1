"""Takes the pictures of the README anew: `make pictures`.

A fresh product with the example and one run of it, in light and in dark, as a visitor of 1440 × 900 sees it.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from pathlib import Path

import httpx2
from playwright.sync_api import Browser, expect, sync_playwright

from tests.product import ROOT, Api, Product
from tests.services import find_chromium

FOLDER = ROOT / "docs" / "pictures"


def main() -> None:
    """Start the product, run the example once, and photograph the canvas and the run."""
    with tempfile.TemporaryDirectory(prefix="millrace-pictures-") as folder, Product(Path(folder) / "data") as product:
        product.start()
        api = product.set_up()
        workflow = api.call("GET", "W/workflows")["items"][0]["id"]
        words = shlex.split(product.printed_curl())
        url = next(word for word in words if word.startswith("http"))
        headers = {"Content-Type": "application/json"}
        httpx2.post(url, content=words[words.index("-d") + 1], headers=headers, timeout=60).raise_for_status()
        run = api.call("GET", "W/runs")["items"][0]["id"]
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=find_chromium(), args=options)
            for look in ("light", "dark"):
                photograph(browser, product, api, f"/workflows/{workflow}/build?step=invoice", "build", look)
                photograph(browser, product, api, f"/runs/{run}?step=payment", "run", look)
            browser.close()
        api.close()


def photograph(browser: Browser, product: Product, api: Api, path: str, name: str, look: str) -> None:
    """One page in one look."""
    context = browser.new_context(
        base_url=product.url,
        viewport={"width": 1440, "height": 900},
        color_scheme="dark" if look == "dark" else "light",
        locale="en-US",
        timezone_id="Europe/Berlin",
    )
    context.add_cookies(
        [{"name": cookie.name, "value": cookie.value or "", "url": product.url} for cookie in api.client.cookies.jar]
    )
    page = context.new_page()
    page.goto(path)
    expect(page.get_by_text("Take payment").first).to_be_visible()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    page.mouse.move(700, 20)
    page.wait_for_timeout(800)
    page.screenshot(path=FOLDER / f"{name}-{look}.png")
    context.close()


if __name__ == "__main__":
    main()
