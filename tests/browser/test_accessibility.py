"""axe finds nothing serious on any screen, in light and in dark."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import httpx2
import pytest
from playwright.sync_api import Page, expect

from builder.practice import example
from tests.browser.axe import findings
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@dataclass(frozen=True, slots=True)
class World:
    """What there is to look at."""

    workflow: str
    run: str


@pytest.fixture(scope="module")
def world(api: Api, product: Product) -> World:
    """The example and one run of it that has ended."""
    workflow = api.call("GET", "W/workflows")["items"][0]["id"]
    trigger = api.call("GET", f"W/workflows/{workflow}/triggers")["items"][0]
    path = "/hooks/" + trigger["url"].split("/hooks/")[1]
    answer = httpx2.post(product.url + path, json=example.sample_order(), timeout=60)
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
    "versions": ("/workflows/{workflow}/versions", "v1"),
    "workflow-settings": ("/workflows/{workflow}/settings", "Description"),
    "runs": ("/runs", "SO-2041"),
    "run": ("/runs/{run}", "Take payment"),
    "run-step": ("/runs/{run}?step=payment", "Safe to repeat: the key sent with it"),
    "connections": ("/connections", "Practice company mail"),
    "settings": ("/settings/workspace", "Time zone"),
}
SIZES = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("screen", SCREENS)
def test_nothing_serious_on(
    screen: str, size: str, dark: bool, signed_in: Callable[..., Page], world: World, shot: Callable[[Page, str], None]
) -> None:
    path, content = SCREENS[screen]
    page = signed_in(path.format(workflow=world.workflow, run=world.run), dark=dark, viewport=SIZES[size])
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text(content).first).to_be_visible()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    shot(page, f"{screen}-{size}-{'dark' if dark else 'light'}")
    assert findings(page) == []
    # Nothing but the canvas and what scrolls on purpose may be wider than the window.
    assert page.evaluate("() => document.documentElement.scrollWidth") <= SIZES[size]["width"]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("path", ["/sign-in", "/setup#token=none", "/invitation#token=none", "/nowhere"])
def test_nothing_serious_before_signing_in_on(path: str, dark: bool, new_page: Callable[..., Page]) -> None:
    page = new_page(dark=dark)
    page.goto(path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert findings(page) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_serious_in_dialogs_of_the_editor(
    dark: bool, signed_in: Callable[..., Page], world: World, shot: Callable[[Page, str], None]
) -> None:
    page = signed_in(f"/workflows/{world.workflow}/build", dark=dark)
    page.get_by_role("button", name="Add step").click()
    expect(page.get_by_role("heading", name="Logic")).to_be_visible()
    shot(page, f"palette-{'dark' if dark else 'light'}")
    assert findings(page) == []
    page.keyboard.press("Escape")
    for button in ("Test", "Publish…"):
        page.get_by_role("banner").or_(page.get_by_role("main")).get_by_role("button", name=button).first.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        assert findings(page) == []
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
