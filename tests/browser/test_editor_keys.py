"""The editor's keys: who may use them, which layer Esc closes, and that nothing needs a pointer."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.editing import Editor, Opens, chain, edit_fields, graph, new_editor, step
from tests.browser.test_editor_building import has_the_focus
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def test_a_viewer_is_offered_nothing_that_changes_the_workflow(as_viewer: Opens, api: Api) -> None:
    made = api.call("POST", "W/workflows", {"name": "Looked at", "graph": chain()})["id"]
    editor = Editor(as_viewer(f"/workflows/{made}/build"), api, made)
    expect(editor.steps).to_have_count(3)
    editor.focus("finish")
    editor.press("Delete", "x", "a", "n", "l", "F2", "Control+d", "Control+Shift+P", "Control+Enter", "Control+s")
    editor.page.locator(".react-flow__pane").dblclick(position={"x": 60, "y": 300})
    editor.card("finish").click(button="right")
    editor.page.wait_for_timeout(300)
    expect(editor.page.get_by_role("dialog")).to_have_count(0)
    expect(editor.page.get_by_role("menu")).to_have_count(0)
    expect(editor.page.get_by_text("Deleted")).to_have_count(0)
    expect(editor.steps).to_have_count(3)
    editor.card("finish").dblclick()
    expect(editor.panel.get_by_label("Name of the step")).to_have_attribute("readonly", "")


def test_esc_closes_what_was_opened_last(signed_in: Opens, api: Api) -> None:
    broken = chain()
    broken["nodes"].append(step("mail", "http.request@1", "Tell them", (320, 300)))
    editor = new_editor(signed_in, api, "Layers", broken)
    page = editor.page
    editor.card("prepare").click()
    expect(editor.panel).to_be_visible()
    count = page.get_by_test_id("problems-bar").get_by_role("button").first
    count.click()
    listed = page.locator(".mantine-Popover-dropdown")
    # It hears keys, and knows where they were heard before, once it has the focus.
    expect(listed.locator(":focus")).to_have_count(1)
    editor.press("Escape")
    expect(listed).to_have_count(0)
    expect(editor.panel).to_be_visible()
    expect(count).to_be_focused()
    editor.press("Escape")
    expect(editor.panel).to_have_count(0)
    has_the_focus(editor.card("prepare"))
    # The drawer of steps, from its empty search.
    editor.press("/")
    search = page.locator("[data-palette] input")
    expect(search).to_be_focused()
    page.keyboard.type("wait")
    editor.press("Escape")
    expect(search).to_have_value("")
    editor.press("Escape")
    expect(page.locator("[data-palette]")).to_have_count(0)
    has_the_focus(page.get_by_role("application"))


def test_the_outline_is_left_by_its_key_and_by_esc(signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, "In and out", chain())
    tree = editor.page.get_by_role("tree", name="Outline")
    editor.focus("prepare")
    editor.press("o")
    has_the_focus(tree)
    editor.press("o")
    expect(tree).to_have_count(0)
    has_the_focus(editor.card("prepare"))
    editor.press("o")
    has_the_focus(tree)
    editor.press("Control+l")
    expect(editor.page.get_by_role("dialog")).to_have_count(0)
    editor.press("a")
    expect(editor.page.get_by_role("combobox", name="What should happen?")).to_be_focused()
    editor.press("Escape")
    has_the_focus(tree)
    editor.press("Escape")
    expect(tree).to_have_count(0)


def test_nothing_is_pasted_behind_a_dialog(signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, "Behind", chain())
    editor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    editor.focus("finish")
    editor.press("Control+c")
    expect(editor.page.get_by_text("1 step copied")).to_be_visible()
    editor.press("?")
    expect(editor.page.get_by_role("dialog").locator(":focus")).to_have_count(1)
    editor.press("Control+v")
    editor.page.wait_for_timeout(200)
    editor.press("Escape")
    expect(editor.steps).to_have_count(3)


def test_a_link_is_removed_without_a_pointer(signed_in: Opens, api: Api) -> None:
    forked = graph(
        [
            step("orders", "trigger.webhook@1", "Orders", (0, 0)),
            step("big", "flow.decision@1", "Big?", (0, 150)),
            edit_fields("finish", "Finish", (0, 300)),
        ],
        [("orders", "big"), ("big", "yes", "finish")],
    )
    editor = new_editor(signed_in, api, "Unlinked", forked)
    editor.focus("orders")
    editor.press("l")
    expect(editor.page.get_by_label("Search steps")).to_be_focused()
    editor.page.get_by_role("button", name="Disconnect from Big?").press("Enter")
    expect(editor.page.get_by_label("Search steps")).to_be_focused()
    editor.press("Escape")
    assert ("Orders", "out", "Big?") not in editor.links()
    editor.press("o")
    tree = editor.page.get_by_role("tree", name="Outline")
    tree.locator("[data-kind=way]").first.focus()
    editor.press("Delete")
    expect(editor.page.get_by_text("Deleted a link").last).to_be_visible()
    editor.press("Escape")
    assert editor.links() == set()


def test_a_note_is_reached_and_written_in_with_the_keyboard(signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, "Notes", chain())
    editor.focus("prepare")
    editor.press("n")
    text = editor.page.get_by_label("Text of the note")
    expect(text).to_be_focused()
    editor.page.keyboard.type("Ask Ines")
    editor.press("Escape")
    note = editor.page.get_by_role("button", name="Ask Ines")
    expect(note).to_be_focused()
    editor.press("Enter")
    expect(text).to_be_focused()
    editor.press("End")
    editor.page.keyboard.type(" first")
    editor.press("Escape")
    expect(editor.page.get_by_role("button", name="Ask Ines first")).to_be_focused()
    editor.press("F2")
    expect(text).to_be_focused()
    editor.press("Escape")
    document = editor.draft()
    (written,) = document["annotations"]
    assert written["text"] == "Ask Ines first"
    left, top = written["position"]["x"], written["position"]["y"]
    for node in document["nodes"]:
        x, y = node["position"]["x"], node["position"]["y"]
        apart = left >= x + 284 or left + 200 <= x or top >= y + 68 or top + 104 <= y
        assert apart, f"the note lies on {node['name']}"


def test_data_is_picked_with_the_keyboard(signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, "Picked", chain())
    editor.card("prepare").click()
    field = editor.panel.get_by_role("textbox").filter(has_text="Orders").last
    field.click()
    flyout = editor.page.locator("[data-flyout]")
    expect(flyout.get_by_role("treeitem").first).to_be_visible()
    expect(editor.page.locator(".cm-content:focus")).to_be_visible()
    editor.press("End", "ArrowDown")
    has_the_focus(flyout.get_by_role("treeitem").first)
    editor.press("ArrowDown")
    second = flyout.get_by_role("treeitem").nth(1)
    expect(second).to_be_focused()
    editor.press("Escape")
    has_the_focus(editor.panel.locator(".cm-content"))
    editor.press("ArrowDown", "Enter")
    has_the_focus(editor.panel.locator(".cm-content"))
    value = editor.draft()["nodes"][1]["config"]["fields"][0]["value"]
    assert value.count("{{") == 2, value


def test_deleting_from_the_panel_or_the_outline_asks_as_the_key_does(signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, "Asked", chain())
    page = editor.page
    editor.card("prepare").click()
    editor.panel.get_by_role("button", name="More", exact=False).first.click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text("Finish")
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    editor.leave()
    editor.focus("prepare")
    editor.press("o")
    has_the_focus(page.get_by_test_id("outline-prepare"))
    editor.press("Delete")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Finish")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Deleted “Prepare”")).to_be_visible()
    has_the_focus(page.get_by_role("tree", name="Outline"))
    assert len(editor.draft()["nodes"]) == 2


def test_keys_that_need_shift_on_some_keyboards_and_enter_in_find(signed_in: Opens, api: Api) -> None:
    broken = chain()
    broken["nodes"] += [
        step("first", "http.request@1", "First call", (320, 150)),
        step("last", "http.request@1", "Last call", (320, 300)),
    ]
    editor = new_editor(signed_in, api, "Keys of others", broken)
    page = editor.page
    editor.focus("orders")
    page.evaluate(
        "document.activeElement.dispatchEvent("
        "new KeyboardEvent('keydown', {key: '/', shiftKey: true, bubbles: true, cancelable: true}))"
    )
    expect(page.locator("[data-palette] input")).to_be_focused()
    editor.press("Escape", "Control+f")
    expect(page.get_by_role("dialog").get_by_role("textbox")).to_be_focused()
    page.keyboard.type("finish")
    editor.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    has_the_focus(editor.card("finish"))
    editor.leave()
    editor.press("Shift+F8")
    expect(editor.panel.get_by_label("Name of the step")).to_have_value("Last call")
    editor.press("Control+Enter")
    expect(page.get_by_role("dialog", name="Test")).to_be_visible()


def test_on_a_phone_the_step_is_a_sheet_that_keeps_the_focus(signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, "In the hand", chain(), viewport={"width": 390, "height": 844})
    row = editor.page.get_by_test_id("outline-prepare")
    row.focus()
    editor.press("Enter")
    sheet = editor.page.get_by_role("dialog", name="Step")
    expect(sheet).to_be_visible()
    has_the_focus(sheet)
    for _ in range(30):
        editor.press("Tab")
    has_the_focus(sheet)
    sheet.get_by_role("button", name="Close").click()
    expect(sheet).to_have_count(0)
    has_the_focus(row)
