"""Nothing that was drawn gets lost: not by a reload, not offline, not to somebody else, not a single digit."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.editing import Editor, Opens, chain, edit_fields, graph, new_editor, step
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
#: The names of the steps of the draft that this computer keeps, if it keeps one.
KEPT = """() => new Promise((tell) => {
  const open = indexedDB.open("millrace-drafts");
  open.onsuccess = () => {
    const rows = open.result.transaction("drafts").objectStore("drafts").getAll();
    rows.onsuccess = () => {
      open.result.close();
      tell(rows.result.flatMap((text) => JSON.parse(text).document.nodes.map((node) => node.name)));
    };
  };
})"""


def wait_until_kept(page: Page, name: str) -> None:
    """Wait until this computer keeps a step of this name."""
    deadline = time.monotonic() + 60
    while name not in page.evaluate(KEPT):
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)


def rename(editor: Editor, key: str, name: str) -> None:
    editor.card(key).click()
    field = editor.panel.get_by_label("Name of the step")
    field.fill(name)
    field.press("Enter")
    editor.leave()


def test_undo_survives_a_reload(signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, "Reload", chain())
    rename(editor, "finish", "Close the order")
    editor.draft()
    wait_until_kept(editor.page, "Close the order")
    editor.page.reload()
    expect(editor.card("finish")).to_contain_text("Close the order")
    editor.press("Control+z")
    expect(editor.card("finish")).to_contain_text("Finish")
    assert editor.draft()["nodes"][2]["name"] == "Finish"


def test_edits_made_offline_are_kept_here_and_saved_later(signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, "Offline", chain())
    editor.page.context.set_offline(True)
    rename(editor, "finish", "Written on a train")
    expect(editor.page.get_by_text("Saved on this computer — offline")).to_be_visible()
    editor.page.context.set_offline(False)
    expect(editor.saved).to_be_visible()
    assert editor.draft()["nodes"][2]["name"] == "Written on a train"


def test_two_tabs_that_changed_the_same_step_are_asked_which_stays(signed_in: Opens, api: Api) -> None:
    first = new_editor(signed_in, api, "Two tabs", chain())
    second = Editor(signed_in(f"/workflows/{first.workflow}/build"), api, first.workflow)
    expect(second.steps).to_have_count(3)
    rename(first, "finish", "Mine")
    rename(first, "prepare", "Only here")
    assert first.draft()["nodes"][2]["name"] == "Mine"
    # Nothing more than the letters: the question may come while they are typed, and has the page to itself.
    second.card("finish").click()
    second.panel.get_by_label("Name of the step").fill("Theirs")
    dialog = second.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Both you and Alice changed")
    dialog.get_by_role("button", name="Compare").click()
    expect(second.page.get_by_test_id("conflict-compare")).to_contain_text("“Finish” is now called “Mine”")
    expect(second.page.get_by_test_id("conflict-compare")).to_contain_text("“Finish” is now called “Theirs”")
    dialog.get_by_role("button", name="Keep mine").click()
    expect(dialog).to_have_count(0)
    assert [node["name"] for node in second.draft()["nodes"]] == ["Orders", "Only here", "Theirs"]


def test_no_digit_of_a_number_is_lost(signed_in: Opens, api: Api, product: object) -> None:
    made = api.call("POST", "W/workflows", {"name": "Digits"})
    raw = (
        '{"graph": {"format": "millrace.workflow", "version": 1, "edges": [], "annotations": [], "nodes": ['
        '{"id": "orders", "key": "orders", "name": "Orders", "type": "trigger.webhook@1", "config": {}, '
        '"position": {"x": 0, "y": 0}, "settings": {}},'
        '{"id": "set", "key": "set", "name": "Set", "type": "data.edit_fields@1", "position": {"x": 0, "y": 150},'
        '"config": {"fields": [{"name": "id", "value": 1234567890123456789}, {"name": "price", "value": 10.50}]},'
        '"settings": {"on_failure": "continue", "fallback": {"rate": 0.100000000000000000001}}}]}}'
    )
    path = f"/api/v1/workspaces/{api.workspace}/workflows/{made['id']}/draft"
    revision = api.call("GET", f"W/workflows/{made['id']}/draft")["revision"]
    headers = {"X-CSRFToken": api.csrf, "If-Match": f'"{revision}"', "Content-Type": "application/json"}
    assert api.client.put(path, content=raw, headers=headers).status_code == 200

    editor = Editor(signed_in(f"/workflows/{made['id']}/build"), api, made["id"])
    rename(editor, "set", "Set fields")
    editor.draft()
    stored = api.client.get(path).text.replace(" ", "")
    for digits in (":1234567890123456789}", ":10.50}", ":0.100000000000000000001}"):
        assert digits in stored


def test_numbers_of_a_test_reach_the_run_as_they_were_typed(signed_in: Opens, api: Api) -> None:
    document = graph(
        [
            step("orders", "trigger.webhook@1", "Orders", (0, 0)),
            edit_fields("copy", "Copy", (0, 150), id="{{ trigger.body.id }}", price="{{ trigger.body.price }}"),
        ],
        [("orders", "copy")],
    )
    editor = new_editor(signed_in, api, "Typed", document)
    editor.press("Control+Alt+Enter")
    dialog = editor.page.get_by_role("dialog")
    dialog.get_by_label("Data that arrives").fill('{"id": 1234567890123456789, "price": 10.50}')
    dialog.get_by_role("button", name="Run test").click()
    for key in ("orders", "copy"):
        expect(editor.card(key)).to_have_attribute("data-status", "succeeded")
    editor.page.get_by_test_id("test-bar").get_by_role("button", name="Back to building").last.click()
    samples = api.client.get(f"/api/v1/workspaces/{api.workspace}/workflows/{editor.workflow}/samples").text
    assert "1234567890123456789" in samples
    assert "10.50" in samples
    editor.card("copy").click()
    expect(editor.panel.get_by_text("1234567890123456789").first).to_be_visible()
    expect(editor.panel.get_by_text("10.50").first).to_be_visible()
