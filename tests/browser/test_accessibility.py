"""axe finds nothing serious on any screen, in light and in dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import httpx2
import pytest
from playwright.sync_api import Page, expect

from builder.practice import example
from tests.browser.axe import THEMED, findings
from tests.browser.conftest import Pages, Profiles, sign_in
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True


@dataclass(frozen=True, slots=True)
class World:
    """What there is to look at."""

    workflow: str
    run: str


@pytest.fixture(scope="module")
def world(api: Api, product: Product) -> World:
    """The example and one run of it that has ended."""
    workflow = api.call("GET", "W/workflows?limit=200")["items"][0]["id"]
    trigger = api.call("GET", f"W/workflows/{workflow}/triggers")["items"][0]
    path = "/hooks/" + trigger["url"].split("/hooks/")[1]
    answer = httpx2.post(product.url + path, json=example.ORDER_TO_CASH.sample, timeout=60)
    return World(workflow, answer.json()["run"])


#: Each screen's address, and a text by which it is known to have its content.
SCREENS = {
    "home": ("/", "Needs attention"),
    "workflows": ("/workflows", "Order to cash"),
    "editor": ("/workflows/{workflow}/build", "Credit approved?"),
    "step": ("/workflows/{workflow}/build?step=invoice", "Address"),
    "decision": ("/workflows/{workflow}/build?step=approved", "Yes, if"),
    "webhook": ("/workflows/{workflow}/build?step=order", "Address to send to"),
    "workflow-runs": ("/workflows/{workflow}/runs", "SO-2041"),
    "workflow-run": ("/workflows/{workflow}/run", "not started by hand"),
    "versions": ("/workflows/{workflow}/versions", "v1"),
    "workflow-settings": ("/workflows/{workflow}/settings", "Description"),
    "runs": ("/runs", "SO-2041"),
    "run": ("/runs/{run}", "Take payment"),
    "run-step": ("/runs/{run}?step=payment", "Safe to repeat: the key sent with it"),
    "connections": ("/connections", "Practice company mail"),
    "settings": ("/settings/workspace", "Time zone"),
}
SIZES = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
#: In which theme a screen is opened at this size, and to which it changes then.
THEMES: dict[str, tuple[Literal["light", "dark"], ...]] = {"desk": ("light", "dark"), "phone": ("dark", "light")}


@pytest.fixture(scope="module")
def walkers(profiles: Profiles, product: Product, api: Api) -> Iterator[dict[str, Page]]:
    """A signed-in page of each size, in which one screen is opened after the other."""
    pages = Pages(profiles, product)
    opened = {size: pages.open(viewport=viewport) for size, viewport in SIZES.items()}
    for page in opened.values():
        sign_in(page, api)
    yield opened
    pages.close()


def choose(page: Page, theme: Literal["light", "dark"]) -> None:
    """Let the system ask for a theme, and wait until it is painted."""
    page.emulate_media(color_scheme=theme)
    expect(page.locator(f"html[data-theme={theme}]")).to_be_attached()
    page.wait_for_function(
        "() => document.getAnimations().every("
        "(one) => one.playState !== 'running' || one.effect.getComputedTiming().endTime === Infinity)"
    )


def readable(page: Page, size: str, name: str, shot: Callable[[Page, str], None]) -> None:
    """In both themes: seen, nothing serious by axe, no sideways scrolling."""
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    for theme in THEMES[size]:
        choose(page, theme)
        shot(page, f"{name}-{size}-{theme}")
        only = None if theme == THEMES[size][0] else THEMED
        assert findings(page, only=only) == [], (name, theme)
        # Nothing but the canvas and what scrolls on purpose may be wider than the window.
        # A page that was just opened is laid out once more when its fonts are there.
        page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=SIZES[size]["width"])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("screen", SCREENS)
def test_nothing_serious_in_either_theme_on(
    screen: str, size: str, walkers: dict[str, Page], world: World, shot: Callable[[Page, str], None]
) -> None:
    path, content = SCREENS[screen]
    page = walkers[size]
    page.emulate_media(color_scheme=THEMES[size][0])
    page.goto(path.format(workflow=world.workflow, run=world.run))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text(content).first).to_be_visible()
    readable(page, size, screen, shot)


@pytest.mark.parametrize("path", ["/sign-in", "/setup#token=none", "/invitation#token=none", "/nowhere"])
def test_nothing_serious_in_either_theme_before_signing_in_on(
    path: str, new_page: Callable[..., Page], shot: Callable[[Page, str], None]
) -> None:
    page = new_page()
    page.goto(path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    readable(page, "desk", path.partition("#")[0].strip("/"), shot)


def test_nothing_serious_in_either_theme_in_dialogs_of_the_editor(
    signed_in: Callable[..., Page], world: World, shot: Callable[[Page, str], None]
) -> None:
    page = signed_in(f"/workflows/{world.workflow}/build")
    page.get_by_role("button", name="Add step").click()
    expect(page.get_by_role("heading", name="Logic")).to_be_visible()
    readable(page, "desk", "palette", shot)
    page.keyboard.press("Escape")
    for button in ("Test", "Publish…"):
        page.get_by_role("banner").or_(page.get_by_role("main")).get_by_role("button", name=button).first.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        readable(page, "desk", f"dialog-{button.removesuffix('…').lower()}", shot)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
