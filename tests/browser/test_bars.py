"""What is away is said at the foot of the screen: nothing that is read or pointed at moves, and nothing is covered."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.axe import findings
from tests.browser.conftest import fits
from tests.browser.editing import Editor, chain
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

Opens = Callable[..., Page]
Shot = Callable[[Page, str], None]
SIZES = [(1440, 900), (390, 844)]
PLACES = {"runs": "/runs", "inbox": "/inbox", "home": "/", "members": "/settings/members", "monitor": "/monitor"}
CHECKS = "**/api/v1/system-checks"
#: Where everything stands that can be pressed or heads a part, but what hangs at the foot.
STANDS = """() => [...document.querySelectorAll("main :is(h1, h2, button, a, input, [role=button])")]
  .filter((one) => one.checkVisibility() && !one.closest("[data-testid=bars], [data-foot]"))
  .map((one) => [one.textContent + one.className, Math.round(one.getBoundingClientRect().top)])
  .filter(([, top]) => top < innerHeight / 2)"""
#: The same, once what is loading has come.
AS_BEFORE = f"before => JSON.stringify(({STANDS})()) === JSON.stringify(before)"
#: What of the page lies below the bars.
COVERED = """(bars) => {
  const top = bars.getBoundingClientRect().top;
  const others = [...document.querySelectorAll("main > *")].filter((one) => one !== bars);
  return others.filter((one) => one.getBoundingClientRect().bottom > top + 1).map((one) => one.className);
}"""


def no_workers(route: Route) -> None:
    """As the server answers where nothing works on runs."""
    response = route.fetch()
    told: Any = response.json()
    for one in told["items"] if isinstance(told, dict) else told:
        one["ok"] = one["ok"] and one["id"] != "workers"
    route.fulfill(response=response, body=json.dumps(told))


def said(page: Page) -> None:
    """Nothing has moved but what stands at the foot, and the bar is seen whole."""
    bars = page.get_by_test_id("bars")
    expect(bars).to_be_visible()
    box = bars.bounding_box()
    window = page.viewport_size
    assert box
    assert window
    assert box["height"] >= 32
    assert box["y"] + box["height"] <= window["height"] + 0.5
    assert bars.evaluate(COVERED) == []
    fits(page)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size[0]))
@pytest.mark.parametrize("place", PLACES)
def test_nothing_moves_when_the_network_goes_and_comes_back(
    place: str, size: tuple[int, int], signed_in: Opens, shot: Shot
) -> None:
    page = signed_in(PLACES[place], viewport={"width": size[0], "height": size[1]})
    expect(page.get_by_role("heading").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    before = page.evaluate(STANDS)
    assert before
    page.context.set_offline(True)
    expect(page.get_by_text("You are offline", exact=False).first).to_be_visible()
    page.wait_for_function(AS_BEFORE, arg=before)
    said(page)
    shot(page, f"bars-{place}-{size[0]}")
    page.context.set_offline(False)
    expect(page.get_by_text("You are offline", exact=False)).to_have_count(0)
    page.wait_for_function(AS_BEFORE, arg=before)


@pytest.mark.parametrize("dark", [False, True])
def test_all_stands_where_it_stood_when_no_worker_runs_and_the_network_is_away_too(
    dark: bool, signed_in: Opens, api: Api, shot: Shot
) -> None:
    made = api.call("POST", "W/workflows", {"name": "Steady", "graph": chain()})["id"]
    page = signed_in(f"/workflows/{made}/build", dark=dark)
    editor = Editor(page, api, made)
    expect(editor.steps).to_have_count(3)
    before = page.evaluate(STANDS)
    page.route(CHECKS, no_workers)
    page.reload()
    expect(editor.steps).to_have_count(3)
    expect(page.get_by_test_id("bars")).to_contain_text("worker")
    page.context.set_offline(True)
    expect(page.get_by_test_id("bars")).to_contain_text("offline")
    page.wait_for_function(AS_BEFORE, arg=before)
    said(page)
    assert findings(page) == []
    shot(page, f"bars-editor-{'dark' if dark else 'light'}")
    page.context.set_offline(False)
