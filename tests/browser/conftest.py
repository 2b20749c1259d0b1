"""A real product and a real Chromium. A page that logs an error or loads something from elsewhere fails its test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Request, sync_playwright

from tests.product import ROOT, Api, Product
from tests.services import skip_or_fail

SHOTS = ROOT / "tests" / "browser" / "shots"
DIST = Path(os.environ.get("FRONTEND_DIR") or ROOT / "frontend" / "dist") / "index.html"
OPTIONS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--no-first-run",
)
DESK = {"width": 1440, "height": 900}


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright: Playwright, chromium: Path) -> Iterator[Browser]:
    """One Chromium for all tests; each page has its own profile."""
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    launched = playwright.chromium.launch(executable_path=chromium, args=[*OPTIONS, *root])
    yield launched
    launched.close()


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A fresh installation in one process, not set up yet."""
    if not DIST.exists():
        skip_or_fail("The front end is not built: make frontend/dist/.stamp")
    with Product(tmp_path_factory.mktemp("product") / "data") as running:
        running.start()
        yield running


@pytest.fixture(scope="module")
def api(product: Product) -> Iterator[Api]:
    """The API of the product, set up, as its administrator."""
    api = product.set_up()
    yield api
    api.close()


@pytest.fixture
def new_page(browser: Browser, product: Product) -> Iterator[Callable[..., Page]]:
    """Opens pages in a profile of their own; what went wrong in them fails the test at its end."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def open_(*, dark: bool = False, viewport: dict[str, int] | None = None) -> Page:
        context = browser.new_context(
            base_url=product.url,
            viewport=viewport or DESK,  # type: ignore[arg-type]
            color_scheme="dark" if dark else "light",
            locale="en-US",
            timezone_id="Europe/Berlin",
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()

        def said(message: ConsoleMessage) -> None:
            # Chromium reports every refused request; the pages handle those, and the tests look at what they show.
            if message.type == "error" and "Failed to load resource" not in message.text:
                wrong.append(f"console: {message.text}")

        def asked(request: Request) -> None:
            if not request.url.startswith((product.url, "data:", "blob:", "about:")):
                wrong.append(f"asked elsewhere: {request.url}")

        page.on("console", said)
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("request", asked)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture
def signed_in(api: Api, new_page: Callable[..., Page], product: Product) -> Callable[..., Page]:
    """Opens a page with the administrator's session."""

    def open_(path: str = "/", *, dark: bool = False, viewport: dict[str, int] | None = None) -> Page:
        page = new_page(dark=dark, viewport=viewport)
        page.context.add_cookies(
            [
                {"name": cookie.name, "value": cookie.value or "", "url": product.url}
                for cookie in api.client.cookies.jar
                if "session" in cookie.name
            ]
        )
        page.goto(path)
        return page

    return open_


@pytest.fixture
def shot(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Keeps a picture of a page in tests/browser/shots, to look at."""

    def take(page: Page, name: str) -> None:
        SHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SHOTS / f"{name}.png")

    return take
