"""What is written on links stays readable however close the cards stand: while drawing, and of a run."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.editing import Link, Opens, edit_fields, graph, step
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

#: Of each label: its words, and whether it is what stands in front at its middle and near its ends.
IN_FRONT = """(labels) => labels.map((one) => {
  const { left, right, top, bottom } = one.getBoundingClientRect();
  const middle = (top + bottom) / 2;
  one.style.pointerEvents = "auto";
  const seen = [left + 6, (left + right) / 2, right - 6].map((x) => [middle, top + 4, bottom - 4].every((y) => {
    const front = document.elementFromPoint(x, y);
    return front !== null && one.contains(front);
  }));
  one.style.pointerEvents = "";
  return [one.textContent, seen.every(Boolean)];
})"""


@pytest.fixture(scope="module")
def close(api: Api, product: Product) -> tuple[str, str]:
    """A decision whose ways lead to cards that all but touch it; the workflow, and a run of it."""
    rules = [{"left": "{{ trigger.body.total }}", "op": "gt", "right": "100"}]
    steps = [
        step("start", "trigger.webhook@1", "Order comes in", (0, 0), methods=["POST"], respond="when_finished"),
        step("big", "flow.decision@1", "Is it large?", (0, 70), conditions={"match": "all", "rules": rules}),
        {**edit_fields("yes", "Ask finance", (-120, 142), a="1"), "settings": {"on_failure": "error_port"}},
        edit_fields("no", "Just post it", (110, 138), b="1"),
        edit_fields("late", "Tell somebody", (-120, 212), c="1"),
    ]
    links: list[Link] = [("start", "big"), ("big", "yes", "yes"), ("big", "no", "no"), ("yes", "error", "late")]
    live = api.publish("Close cards", graph(steps, links))
    api.client.post(product.url + live.path, json={"total": 150})
    return live.workflow, api.call("GET", f"W/runs?workflow={live.workflow}")["items"][0]["id"]


def labels(page: Page) -> list[tuple[str, bool]]:
    found = page.locator(".react-flow__edgelabel-renderer span[class*=label]")
    expect(found.first).to_be_visible()
    return [(str(words), bool(front)) for words, front in found.evaluate_all(IN_FRONT)]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(
    "viewport", [{"width": 1440, "height": 900}, {"width": 390, "height": 844}], ids=["desk", "phone"]
)
def test_cards_that_stand_close_cover_no_label(
    signed_in: Opens, close: tuple[str, str], shot: Callable[[Page, str], None], dark: bool, viewport: dict[str, int]
) -> None:
    workflow, run = close
    name = f"{'dark' if dark else 'light'}-{viewport['width']}"
    page = signed_in(f"/runs/{run}", dark=dark, viewport=viewport)
    if viewport["width"] < 900:
        page.get_by_role("radio", name="Canvas").click()
    expect(page.locator(".react-flow [data-step]")).to_have_count(5)
    found = labels(page)
    assert {words for words, _ in found} >= {"Yes", "No · not taken"}
    assert [words for words, front in found if not front] == []
    shot(page, f"link-labels-run-{name}")
    if viewport["width"] < 900:
        return
    page.goto(f"/workflows/{workflow}/build")
    expect(page.locator(".react-flow [data-step]")).to_have_count(5)
    # Also below the card that is chosen, which stands above the others.
    page.locator(".react-flow [data-step=big]").click(position={"x": 30, "y": 20})
    expect(page.get_by_role("textbox", name="Name of the step")).to_have_value("Is it large?")
    found = labels(page)
    assert {words for words, _ in found} >= {"Yes", "No"}
    assert [words for words, front in found if not front] == []
    shot(page, f"link-labels-build-{name}")
