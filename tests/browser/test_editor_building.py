"""Building by keyboard and by clicks: everything that is drawn can be done and undone without dragging."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.editing import Editor, Opens, chain, edit_fields, graph, new_editor, step
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def test_a_workflow_is_built_with_the_keyboard_alone(signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, "By keyboard")
    editor.pick("webhook", "Webhook")
    editor.add("edit", "Edit fields")
    editor.add("stop", "Stop")
    expect(editor.steps).to_have_count(3)
    editor.press("Control+z")
    expect(editor.steps).to_have_count(2)
    editor.press("Control+Shift+z")
    expect(editor.steps).to_have_count(3)
    assert editor.links() == {("Webhook", "out", "Edit fields"), ("Edit fields", "out", "Stop")}


def test_l_connects_to_a_step_that_is_chosen_by_name(signed_in: Opens, api: Api) -> None:
    loose = graph(
        [step("orders", "trigger.webhook@1", "Orders", (0, 0)), edit_fields("finish", "Finish", (320, 150))], []
    )
    editor = new_editor(signed_in, api, "By name", loose)
    editor.focus("orders")
    editor.press("l")
    dialog = editor.page.get_by_role("dialog")
    expect(dialog.get_by_label("Search steps")).to_be_focused()
    editor.page.keyboard.type("fin")
    expect(dialog.get_by_role("button", name="Finish")).to_be_visible()
    editor.press("Enter")
    expect(dialog).to_have_count(0)
    assert editor.links() == {("Orders", "out", "Finish")}


def test_two_clicks_connect_and_a_link_that_cannot_be_says_why(signed_in: Opens, api: Api) -> None:
    loose = graph(
        [step("orders", "trigger.webhook@1", "Orders", (0, 0)), edit_fields("finish", "Finish", (320, 150))], []
    )
    editor = new_editor(signed_in, api, "By clicks", loose)
    port = ".react-flow__handle.source[data-handleid=out]"
    editor.card("orders").locator(port).click(force=True)
    expect(editor.page.get_by_text("Choose where it goes next. Esc to cancel.")).to_be_visible()
    editor.card("finish").click(position={"x": 90, "y": 30})
    assert editor.links() == {("Orders", "out", "Finish")}
    editor.card("finish").locator(port).click(force=True)
    editor.card("orders").click(position={"x": 90, "y": 30})
    expect(editor.page.get_by_text("“Orders” starts the workflow: nothing can lead into it.")).to_be_visible()
    assert editor.links() == {("Orders", "out", "Finish")}


def test_steps_are_copied_pasted_and_duplicated(signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, "Copies", chain())
    editor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    editor.focus("finish")
    editor.press("Control+c")
    expect(editor.page.get_by_text("1 step copied")).to_be_visible()
    editor.press("Control+v")
    expect(editor.steps).to_have_count(4)
    editor.focus("finish")
    editor.press("Control+d")
    expect(editor.steps).to_have_count(5)
    nodes = editor.draft()["nodes"]
    assert [node["name"] for node in nodes] == ["Orders", "Prepare", "Finish", "Finish 2", "Finish 3"]
    assert {str(node["config"]) for node in nodes[2:]} == {str(chain()["nodes"][2]["config"])}


def test_deleting_a_step_closes_the_gap_and_undo_brings_it_back(signed_in: Opens, api: Api) -> None:
    document = chain()
    document["nodes"][2]["config"] = {"fields": [{"name": "sum", "value": "{{ trigger.body.total }}"}]}
    editor = new_editor(signed_in, api, "Healing", document)
    editor.focus("prepare")
    editor.press("Delete")
    expect(editor.steps).to_have_count(2)
    assert editor.links() == {("Orders", "out", "Finish")}
    editor.press("Control+z")
    expect(editor.steps).to_have_count(3)
    assert editor.links() == {("Orders", "out", "Prepare"), ("Prepare", "out", "Finish")}


def test_changing_a_key_rewrites_what_reads_it(signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, "Keys", chain())
    editor.card("prepare").click()
    editor.panel.get_by_text("Name in formulas").click()
    editor.panel.get_by_label("Key", exact=True).fill("order_data")
    editor.press("Tab")
    nodes = editor.draft()["nodes"]
    assert nodes[1]["key"] == "order_data"
    assert nodes[2]["config"]["fields"][0]["value"] == "{{ steps.order_data.total }}"


def choose(editor: Editor, search: str, title: str) -> None:
    """Quick-add a step and leave the focus where it goes."""
    expect(editor.page.get_by_role("combobox", name="What should happen?")).to_be_focused()
    editor.page.keyboard.type(search)
    expect(editor.page.get_by_role("listbox").get_by_role("option", selected=True)).to_have_text(
        re.compile(f"^{title}")
    )
    editor.press("Enter")
    expect(editor.panel.get_by_label("Name of the step")).to_have_value(title)


def face(editor: Editor, step_id: str) -> Locator:
    return editor.card(step_id).locator("> button[aria-pressed]")


def has_the_focus(where: Locator) -> None:
    """Once everything that moves the focus has done so: it comes there, and nothing takes it away for a while."""
    inside, at = "element => element.contains(document.activeElement)", "document.activeElement.outerHTML.slice(0, 300)"
    deadline = time.monotonic() + 30
    stays = False
    while not stays:
        assert time.monotonic() < deadline, where.page.evaluate(at)
        there = where.evaluate(inside)
        where.page.wait_for_timeout(600 if there else 50)
        stays = there and where.evaluate(inside)


def test_a_new_step_takes_the_focus_to_its_first_empty_field_or_its_card(signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, "Focus of new steps")
    choose(editor, "webhook", "Webhook")
    has_the_focus(editor.steps.first)
    editor.press("a")
    choose(editor, "edit", "Edit fields")
    has_the_focus(editor.steps.nth(1))
    editor.leave()
    editor.press("a")
    choose(editor, "http", "HTTP request")
    has_the_focus(editor.panel.get_by_test_id("field-url"))
    editor.leave()
    has_the_focus(editor.steps.nth(2))
    editor.press("a", "Escape")
    has_the_focus(editor.steps.nth(2))


def test_renaming_and_undo_give_the_focus_back_to_the_card(signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, "Focus after renaming", chain())
    editor.focus("prepare")
    editor.press("F2")
    expect(editor.panel.get_by_label("Name of the step")).to_be_focused()
    editor.page.keyboard.type("Sum up")
    editor.press("Enter")
    has_the_focus(editor.card("prepare"))
    expect(face(editor, "prepare")).to_contain_text("Sum up")
    editor.press("F2")
    expect(editor.panel.get_by_label("Name of the step")).to_be_focused()
    editor.page.keyboard.type("Not this")
    editor.press("Escape")
    has_the_focus(editor.card("prepare"))
    expect(face(editor, "prepare")).to_contain_text("Sum up")
    editor.focus("finish")
    editor.press("Delete")
    expect(editor.steps).to_have_count(2)
    has_the_focus(editor.page.get_by_role("application"))
    editor.press("Control+z")
    expect(editor.steps).to_have_count(3)
    has_the_focus(editor.card("finish"))


def test_enter_leads_into_the_panel_and_esc_back_to_the_card(signed_in: Opens, api: Api) -> None:
    document = chain()
    document["nodes"].append(step("later", "core.no_such_step@1", "Later", (320, 300)))
    editor = new_editor(signed_in, api, "Focus of the panel", document)
    editor.focus("orders")
    editor.press("Enter")
    has_the_focus(editor.panel.locator("[data-row-field]").first)
    editor.leave()
    has_the_focus(editor.card("orders"))
    editor.press("ArrowDown", "Enter")
    expect(editor.panel.get_by_label("Name of the step")).to_have_value("Prepare")
    has_the_focus(editor.panel.locator("[data-row-field]").first)
    editor.leave()
    has_the_focus(editor.card("prepare"))
    editor.focus("later")
    editor.press("Enter")
    has_the_focus(editor.panel.locator("[data-heading]"))
    editor.press("Escape")
    has_the_focus(editor.card("later"))


def test_keys_in_quick_succession_mean_the_card_that_the_first_led_to(signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, "Quick keys", chain())
    editor.focus("orders")
    # Both before the next picture, when the focus is still where it was: no keyboard test is ever as quick as that.
    editor.page.evaluate(
        """keys => keys.forEach(key => document.activeElement.dispatchEvent(
            new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })))
        """,
        ["ArrowDown", "ArrowDown", "Enter"],
    )
    expect(editor.panel.get_by_label("Name of the step")).to_have_value("Finish")
    has_the_focus(editor.panel.locator("[data-row-field]").first)
    editor.leave()
    has_the_focus(editor.card("finish"))


def test_keys_mean_the_focused_card_when_nothing_is_selected(signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, "Focus without selection", chain())

    def only_focused(step_id: str) -> None:
        editor.focus(step_id)
        editor.press("Escape")
        expect(face(editor, step_id)).to_have_attribute("aria-pressed", "false")
        expect(face(editor, step_id)).to_be_focused()

    only_focused("prepare")
    editor.press("x")
    assert editor.draft()["nodes"][1]["settings"]["disabled"] is True
    only_focused("prepare")
    editor.press("l")
    expect(editor.page.get_by_role("dialog", name=re.compile("Prepare")).locator(":focus")).to_have_count(1)
    editor.press("Escape")
    expect(editor.page.get_by_role("dialog")).to_have_count(0)
    only_focused("prepare")
    editor.press("F2")
    expect(editor.panel.get_by_label("Name of the step")).to_have_value("Prepare")
    expect(editor.panel.get_by_label("Name of the step")).to_be_focused()
    editor.press("Escape")
    only_focused("finish")
    editor.press("Delete")
    expect(editor.steps).to_have_count(2)
    only_focused("orders")
    editor.press("a")
    choose(editor, "edit", "Edit fields")
    expect(
        editor.page.locator(".react-flow__edge")
        .get_by_label(re.compile("Orders.*Edit fields"))
        .or_(editor.page.locator('.react-flow__edge[aria-label*="Orders"][aria-label*="Edit fields"]'))
        .first
    ).to_be_attached()
