"""Data of earlier steps: tried out, chosen from a list, seen under the field; and the same work on a phone."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from builder.practice.example import EXAMPLES, Example
from runtime.contracts import dumps
from tests.browser.axe import findings
from tests.browser.editing import Opens, chain, new_editor
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

PHONE = {"width": 390, "height": 800}


def test_a_test_turns_cards_green_and_its_data_can_be_inserted(signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, "Data", chain())
    editor.page.get_by_role("button", name="Test", exact=True).click()
    dialog = editor.page.get_by_role("dialog")
    dialog.get_by_label("Data that arrives").fill('{"total": 129.90, "customer": {"name": "Brinkmann Papier GmbH"}}')
    assert findings(editor.page) == []
    dialog.get_by_role("button", name="Run test").click()
    for key in ("orders", "prepare", "finish"):
        expect(editor.card(key)).to_have_attribute("data-status", "succeeded")
    assert findings(editor.page) == []
    editor.page.get_by_test_id("test-bar").get_by_role("button", name="Back to building").last.click()

    editor.card("finish").click()
    field = editor.panel.get_by_role("textbox", name="Value").first
    field.click()
    expect(editor.page.locator(".cm-content:focus")).to_be_visible()
    editor.press("Control+a", "Delete")
    flyout = editor.page.get_by_role("region", name="Insert data")
    flyout.get_by_label("Search fields and values").fill("brink")
    flyout.get_by_role("treeitem").filter(has_text="Brinkmann").first.click()
    editor.leave()
    editor.card("finish").click()
    expect(editor.panel.get_by_text("Orders › ").first).to_be_visible()
    expect(editor.panel.get_by_text("Brinkmann Papier GmbH").first).to_be_visible()
    assert editor.draft()["nodes"][2]["config"]["fields"][0]["value"] == "{{ trigger.body.customer.name }}"


#: The others are started by a form, which has its answers.
POSTED = [one for one in EXAMPLES if one.graph()["nodes"][0]["type"] == "trigger.webhook@1"]


@pytest.mark.parametrize("shipped", POSTED, ids=lambda one: one.slug)
def test_an_example_is_tried_with_data_that_goes_all_the_way(shipped: Example, signed_in: Opens, api: Api) -> None:
    (mail, *_) = [one for one in api.call("GET", "W/connections")["items"] if one["kind"] == "smtp"]
    live = api.publish(shipped.name, json.loads(dumps(shipped.graph(mail["id"]))))
    page = signed_in(f"/workflows/{live.workflow}/build")
    page.get_by_role("button", name="Test", exact=True).click()
    data = page.get_by_role("dialog").get_by_label("Data that arrives")
    expect(data).to_have_value(re.compile(shipped.sample["number"]))
    assert json.loads(data.input_value()) == shipped.sample
    # Other tests copy the examples by their names.
    api.call("DELETE", f"W/workflows/{live.workflow}")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_on_a_phone_the_outline_edits_a_value(dark: bool, signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, f"Phone {dark}", chain(), viewport=PHONE, dark=dark)
    expect(editor.page.get_by_role("tree", name="Outline")).to_be_visible()
    assert findings(editor.page) == []
    editor.page.get_by_test_id("outline-finish").click()
    expect(editor.panel).to_be_visible()
    assert findings(editor.page) == []
    editor.panel.get_by_role("textbox", name="Field", exact=True).first.fill("amount")
    editor.leave()
    assert editor.draft()["nodes"][2]["config"]["fields"][0]["name"] == "amount"
