"""The events of a run are filtered, and a stretch of its timeline is zoomed, by mouse and by keys."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.test_looking_back import SIZES, orders
from tests.browser.test_retrying import fire
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
Opens = Callable[..., Page]


@pytest.fixture(scope="module")
def lived(api: Api, product: Product) -> dict[str, str]:
    """A run that failed, and took long enough for a stretch of it to be seen."""
    live = api.publish("Orders seen closely", orders("/with/slow=300;fail=422/payments"))
    return {"failed": fire(api, product, live, "PO-7", total=500)}


@pytest.mark.parametrize("size", SIZES)
def test_events_are_filtered_and_the_filter_stays_in_the_address(
    signed_in: Opens, lived: dict[str, str], shot: Callable[[Page, str], None], size: str
) -> None:
    page = signed_in(f"/runs/{lived['failed']}?dock=events", viewport=SIZES[size])
    search = page.get_by_role("searchbox", name="Search events")
    expect(search).to_be_visible()
    rows = page.get_by_role("row").filter(has_text=re.compile("payment|total|accepted", re.I))
    expect(page.get_by_text(re.compile(r"^\d+ events$"))).to_be_visible()
    assert findings(page) == []
    page.get_by_label("Kind", exact=True).select_option(label="Step failed")
    expect(page).to_have_url(re.compile("kind=failed"))
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Take payment failed")
    search.focus()
    page.keyboard.type("nothing like it")
    expect(page.get_by_text("No event fits this filter.")).to_be_visible()
    expect(search).to_have_value("nothing like it")
    assert findings(page) == []
    shot(page, f"events-none-{size}")
    page.reload()
    expect(page.get_by_text("No event fits this filter.")).to_be_visible()
    page.get_by_role("button", name="Show all events").press("Enter")
    expect(search).to_be_focused()
    expect(page).not_to_have_url(re.compile("kind=|find="))
    page.get_by_label("Step", exact=True).select_option(label="Take payment")
    expect(page.get_by_text(re.compile(r"^2 events fit\."))).to_be_visible()
    shot(page, f"events-{size}")


@pytest.mark.parametrize("size", SIZES)
def test_a_stretch_of_the_timeline_is_zoomed_by_mouse_and_by_keys(
    signed_in: Opens, lived: dict[str, str], shot: Callable[[Page, str], None], size: str
) -> None:
    page = signed_in(f"/runs/{lived['failed']}", viewport=SIZES[size])
    if size == "phone":
        page.get_by_role("radio", name="Timeline").click()
    axis = page.get_by_test_id("axis")
    expect(axis).to_be_visible()
    all_button = page.get_by_role("button", name="Show all", exact=True)
    line = axis.locator("div")
    # Waits until it stays where it is: a bar above it may come and go while the page is still being connected.
    line.hover()
    box = line.bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.2, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, y, steps=5)
    expect(page.get_by_test_id("brush")).to_be_visible()
    shot(page, f"timeline-brush-{size}")
    page.mouse.up()
    expect(page.get_by_test_id("brush")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"zoom=\d+-\d+"))
    expect(all_button).to_be_visible()
    assert findings(page) == []
    shot(page, f"timeline-zoomed-{size}")
    page.reload()
    expect(all_button).to_be_visible()
    all_button.press("Enter")
    expect(page).not_to_have_url(re.compile("zoom="))
    expect(axis).to_be_focused()
    axis.press("+")
    expect(page).to_have_url(re.compile("zoom="))
    before = page.url
    axis.press("ArrowRight")
    expect(page).not_to_have_url(before)
    axis.press("0")
    expect(page).not_to_have_url(re.compile("zoom="))
    page.get_by_role("tree", name="Steps in time").get_by_role("treeitem", name="Take payment").click()
    expect(page).to_have_url(re.compile("step="))
    expect(page).not_to_have_url(re.compile("zoom="))
