"""Going places: what Ctrl+K opens, and where the focus is after each step of a walk through a run."""

from __future__ import annotations

import contextlib
import re

import pytest
from playwright.sync_api import Error, Route, expect

from tests.browser.editing import Opens, chain, new_editor
from tests.browser.test_editor_building import has_the_focus
from tests.browser.test_retrying import wait_for_end
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def test_enter_takes_the_answer_to_what_was_typed_and_nothing_older(signed_in: Opens, api: Api) -> None:
    api.call("POST", "W/workflows", {"name": "Alpha", "graph": chain()})
    beta = api.call("POST", "W/workflows", {"name": "Beta", "graph": chain()})["id"]
    page = signed_in("/runs")
    page.get_by_role("heading", name="Runs", exact=True).wait_for()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("listbox", name="Go to").get_by_role("option", name="Alpha")).to_be_visible()
    page.keyboard.type("Beta")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/workflows/{beta}/build*")


#: A letter into the search, and a click on a row before the address has followed it: that takes 200 ms.
QUICK = """([label, name]) => {
  const box = document.querySelector(`input[aria-label="${label}"]`);
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(box, "F");
  box.dispatchEvent(new Event("input", { bubbles: true }));
  const link = [...document.querySelectorAll("a")].find((one) => one.textContent === name);
  setTimeout(() => link.click(), 120);
}"""


def test_a_click_is_followed_though_the_address_had_still_to_follow_what_was_typed(signed_in: Opens, api: Api) -> None:
    followed = api.call("POST", "W/workflows", {"name": "Followed", "graph": chain()})["id"]
    page = signed_in("/workflows")
    expect(page.get_by_role("link", name="Followed", exact=True)).to_be_visible()
    held: list[Route] = []
    page.route("**/assets/*.js", lambda route: held.append(route))
    page.evaluate(QUICK, ["Search workflows", "Followed"])
    # The other page takes its time.
    expect(page.get_by_label("Search workflows")).to_have_count(0)
    # First nothing more is held: what is asked for meanwhile would never come.
    page.unroute("**/assets/*.js")
    for route in held:
        with contextlib.suppress(Error):
            route.continue_()
    expect(page.get_by_role("application")).to_be_visible()
    expect(page).to_have_url(re.compile(f"/workflows/{followed}/build"))


def test_the_editor_offers_its_steps_and_actions(signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, "Offered", chain())
    page = editor.page
    editor.press("Control+k")
    expect(page.get_by_role("dialog", name="Go to").get_by_role("combobox")).to_be_focused()
    page.keyboard.type("Finish")
    expect(page.get_by_role("option", name="Finish", selected=True)).to_be_visible()
    editor.press("Enter")
    expect(editor.panel.get_by_label("Name of the step")).to_have_value("Finish")
    editor.press("Control+k")
    expect(page.get_by_role("dialog", name="Go to").get_by_role("combobox")).to_be_focused()
    page.keyboard.type("Publish")
    expect(page.get_by_role("option", name="Publish…")).to_be_visible()
    page.get_by_role("option", name="Publish…").click()
    expect(page.get_by_role("dialog", name="Publish")).to_be_visible()


def test_walking_through_the_steps_of_a_run_keeps_the_focus(signed_in: Opens, api: Api) -> None:
    published = api.publish("Walked", chain())
    run = api.client.post(published.path, json={"total": 5}).raise_for_status().json()["run"]
    wait_for_end(api, run)
    page = signed_in(f"/runs/{run}?step=orders")
    following = page.get_by_role("button", name="Next step")
    following.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Prepare")).to_be_visible()
    has_the_focus(following)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Finish")).to_be_visible()
    has_the_focus(following)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Finish")).to_be_visible()
    has_the_focus(following)
