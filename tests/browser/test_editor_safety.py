"""What acts for real is said before it acts, and undo takes back nobody else's work."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.editing import Opens, chain, edit_fields, graph, new_editor, step
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


def orders() -> dict[str, Any]:
    """A start, a step that reads, and three that change something."""
    erp = "https://erp.example.com"
    return graph(
        [
            step("orders", "trigger.webhook@1", "Orders", (0, 0)),
            step("look", "http.request@1", "Look up customer", (0, 150), method="GET", url=f"{erp}/customers"),
            step("invoice", "http.request@1", "Create invoice", (0, 300), method="POST", url=f"{erp}/invoices"),
            step("pay", "http.request@1", "Take payment", (0, 450), method="POST", url=f"{erp}/pay", send_key=False),
            step("confirm", "http.request@1", "Send confirmation", (0, 600), method="POST", url=f"{erp}/mail"),
        ],
        [("orders", "look"), ("look", "invoice"), ("invoice", "pay"), ("pay", "confirm")],
    )


def test_the_test_dialog_names_every_step_that_changes_something(signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, "Real", orders())
    repeat = editor.panel.get_by_test_id("safe-to-repeat")
    editor.card("look").click()
    expect(repeat).to_contain_text("Safe to repeat")
    editor.leave()
    editor.card("pay").click()
    expect(repeat).to_contain_text("Not safe to repeat")
    expect(repeat).to_contain_text("Changes something outside.")
    editor.leave()
    editor.page.get_by_role("button", name="Test", exact=True).click()
    words = editor.page.get_by_test_id("test-writers")
    expect(words).to_contain_text("3 steps change something: Create invoice, Take payment, Send confirmation.")
    editor.page.get_by_role("dialog").get_by_role("button", name="Cancel").click()

    # Changed a moment ago and not saved yet: the dialog goes by what is on the screen.
    editor.card("look").click()
    editor.panel.get_by_label("Method", exact=True).select_option("DELETE")
    editor.press("Control+Alt+Enter")
    expect(words).to_contain_text("4 steps change something: Look up customer, Create invoice")


def test_undo_never_takes_back_what_somebody_else_saved(signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, "Together", chain())
    path = f"W/workflows/{editor.workflow}/draft"
    draft = api.call("GET", path)
    document = draft["graph"]
    document["nodes"].append(edit_fields("theirs", "Of a colleague", (320, 300), x="1"))
    document["nodes"][1]["name"] = "Renamed by a colleague"
    address = f"/api/v1/workspaces/{api.workspace}/workflows/{editor.workflow}/draft"
    headers = {"X-CSRFToken": api.csrf, "If-Match": f'"{draft["revision"]}"'}
    assert api.client.put(address, json={"graph": document}, headers=headers).status_code == 200

    editor.card("finish").click()
    name = editor.panel.get_by_label("Name of the step")
    name.fill("Mine")
    name.press("Enter")
    editor.leave()
    expect(editor.card("theirs")).to_be_visible()
    expect(editor.saved).to_be_visible()
    editor.focus("finish")
    editor.press("Control+z")
    expect(editor.card("finish")).to_contain_text("Finish")
    expect(editor.card("theirs")).to_be_visible()
    expect(editor.card("prepare")).to_contain_text("Renamed by a colleague")
    editor.press("Control+z", "Control+z")
    names = [node["name"] for node in editor.draft()["nodes"]]
    assert names == ["Orders", "Renamed by a colleague", "Finish", "Of a colleague"]
