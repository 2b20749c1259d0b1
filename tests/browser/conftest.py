"""A real product and a real Chromium. A page that logs an error or loads something from elsewhere fails its test."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    Request,
    expect,
    sync_playwright,
)

from tests.product import ROOT, Api, Product
from tests.services import skip_or_fail

SHOTS = ROOT / "tests" / "browser" / "shots"
#: Pictures are taken to be looked at, and take longer than the clicks around them: only where somebody asks for them.
WANTED = bool(os.environ.get("MILLRACE_SHOTS"))
DIST = Path(os.environ.get("FRONTEND_DIR") or ROOT / "frontend" / "dist") / "index.html"
OPTIONS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--no-first-run",
)
#: What a busy machine may take for what a quick one does at once, in ms; what never comes fails all the same.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)
FAILED = pytest.StashKey[bool]()
DESK = {"width": 1440, "height": 900}


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright: Playwright, chromium: Path) -> Iterator[Browser]:
    """One Chromium for all tests; each page has a profile of its own."""
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    launched = playwright.chromium.launch(executable_path=chromium, args=[*OPTIONS, *root])
    yield launched
    launched.close()


@contextmanager
def fresh_product(directory: Path) -> Iterator[Product]:
    """A fresh installation in one process, not set up yet."""
    if not DIST.exists():
        skip_or_fail("The front end is not built: make frontend/dist/.stamp")
    with Product(directory / "data") as running:
        running.start()
        yield running


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Product, Api]]:
    """An installation that has been set up, for all modules that do not ask for one of their own."""
    with fresh_product(tmp_path_factory.mktemp("shared")) as running:
        api = running.set_up()
        yield running, api
        api.close()


@pytest.fixture(scope="module")
def product(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, profiles: Profiles
) -> Iterator[Product]:
    """The shared installation; where a module says OWN_PRODUCT, a fresh one of its own, not set up yet."""
    if getattr(request.module, "OWN_PRODUCT", False):
        with fresh_product(tmp_path_factory.mktemp("product")) as running:
            yield running
            profiles.forget(running.url)
    else:
        yield request.getfixturevalue("shared")[0]


@pytest.fixture(scope="module")
def api(request: pytest.FixtureRequest, product: Product) -> Iterator[Api]:
    """The API of the product, set up, as its administrator."""
    if getattr(request.module, "OWN_PRODUCT", False):
        api = product.set_up()
        yield api
        api.close()
    else:
        yield request.getfixturevalue("shared")[1]


@dataclass(frozen=True, slots=True)
class Look:
    """What a profile is made with."""

    url: str
    dark: bool
    width: int
    height: int


class Profiles:
    """Browser profiles. The next test gets one that has been emptied: only what was fetched is not fetched again."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._idle: dict[Look, list[BrowserContext]] = {}

    def take(self, look: Look) -> BrowserContext:
        """A profile with nothing in it but a blank page."""
        if idle := self._idle.get(look):
            return idle.pop()
        context = self._browser.new_context(
            base_url=look.url,
            viewport={"width": look.width, "height": look.height},
            color_scheme="dark" if look.dark else "light",
            locale="en-US",
            # Nothing is seen of what slides in, and each of its frames is painted without a graphics card.
            reduced_motion="reduce",
            timezone_id="Europe/Berlin",
        )
        context.set_default_timeout(PATIENCE)
        context.new_page()
        return context

    def give_back(self, look: Look, context: BrowserContext) -> None:
        """Empty a profile: no page, cookie, permission or stored thing stays in it."""
        blank = context.new_page()
        for page in context.pages:
            if page is not blank:
                page.close()
        context.set_offline(False)
        context.clear_cookies()
        context.clear_permissions()
        devtools = context.new_cdp_session(blank)
        devtools.send("Storage.clearDataForOrigin", {"origin": look.url, "storageTypes": "all"})
        devtools.detach()
        self._idle.setdefault(look, []).append(context)

    def forget(self, url: str) -> None:
        """Close those of an installation that has ended."""
        for look in [look for look in self._idle if look.url == url]:
            for context in self._idle.pop(look):
                context.close()


@pytest.fixture(scope="session")
def profiles(browser: Browser) -> Profiles:
    return Profiles(browser)


class Pages:
    """Opens pages of a product, each in a profile of its own, and notes what goes wrong in them."""

    def __init__(self, profiles: Profiles, product: Product) -> None:
        self.wrong: list[str] = []
        self._profiles = profiles
        self._url = product.url
        self._taken: list[tuple[Look, BrowserContext]] = []

    def open(self, *, dark: bool = False, viewport: dict[str, int] | None = None) -> Page:
        """A blank page."""
        look = Look(self._url, dark, **(viewport or DESK))
        context = self._profiles.take(look)
        self._taken.append((look, context))
        page = context.pages[0]
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("request", self._asked)
        return page

    def keep(self, name: str) -> None:
        """Take a picture of each page that is open."""
        for number, page in enumerate(page for _, context in self._taken for page in context.pages):
            SHOTS.mkdir(exist_ok=True)
            page.screenshot(path=SHOTS / f"failed-{name}-{number}.png")

    def close(self) -> None:
        """Close them all; what went wrong in them fails the test."""
        for look, context in self._taken:
            self._profiles.give_back(look, context)
        assert self.wrong == []

    def _said(self, message: ConsoleMessage) -> None:
        # Chromium reports every refused request; the pages handle those, and the tests look at what they show.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.wrong.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self._url, "data:", "blob:", "about:")):
            self.wrong.append(f"asked elsewhere: {request.url}")


def fits(page: Page) -> None:
    """Nothing is wider than the window, once all that is loaded has been laid out."""
    page.wait_for_function("() => document.documentElement.scrollWidth <= window.innerWidth")


def sign_in(page: Page, api: Api) -> None:
    """Give a page the session of `api`."""
    page.context.add_cookies(
        [
            {"name": cookie.name, "value": cookie.value or "", "url": str(api.client.base_url)}
            for cookie in api.client.cookies.jar
            if "session" in cookie.name
        ]
    )


@pytest.fixture
def new_page(request: pytest.FixtureRequest, profiles: Profiles, product: Product) -> Iterator[Callable[..., Page]]:
    """Opens pages in a profile of their own; what went wrong in them fails the test at its end."""
    pages = Pages(profiles, product)
    yield pages.open
    if request.node.stash.get(FAILED, False):
        pages.keep(re.sub(r"\W+", "-", request.node.name))
    pages.close()


@pytest.fixture
def signed_in(api: Api, new_page: Callable[..., Page]) -> Callable[..., Page]:
    """Opens a page with the administrator's session."""

    def open_(path: str = "/", *, dark: bool = False, viewport: dict[str, int] | None = None) -> Page:
        page = new_page(dark=dark, viewport=viewport)
        sign_in(page, api)
        page.goto(path)
        return page

    return open_


@pytest.fixture(scope="module")
def viewer(product: Product, api: Api) -> Iterator[Api]:
    """Somebody who may look and not change. Whoever came for another module, or earlier for this one, is a member of
    an installation that is shared: each time it is somebody else."""
    link = api.call("POST", "W/members", {"email": f"vera.{uuid4().hex}@example.com", "role": "viewer"})["link"]
    joined = Api(product.url)
    token = link.split("token=")[1]
    joined.call("POST", "/invitations/accept", {"token": token, "name": "Vera", "password": "a quiet observer 77"})
    joined.read_session()
    yield joined
    joined.close()


@pytest.fixture
def as_viewer(viewer: Api, new_page: Callable[..., Page]) -> Callable[[str], Page]:
    """Opens a page with the session of somebody who may only look."""

    def open_(path: str) -> Page:
        page = new_page()
        sign_in(page, viewer)
        page.goto(path)
        return page

    return open_


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note on a test that it failed, for the fixtures that end after it."""
    report = yield
    if report.when == "call" and report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture
def shot() -> Callable[[Page, str], None]:
    """Keeps a picture of a page in tests/browser/shots, to look at, where MILLRACE_SHOTS is set."""

    def take(page: Page, name: str) -> None:
        if not WANTED:
            return
        SHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SHOTS / f"{name}.png")

    return take
