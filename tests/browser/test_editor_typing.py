"""Whatever is typed is kept where it was typed, and never taken for something else."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.editing import Editor, Opens, chain, graph, new_editor, step
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def stored(editor: Editor, read: Callable[[dict[str, Any]], Any], expected: object) -> dict[str, Any]:
    """The document on the server as soon as this part of it is as expected, without a key press that would end the
    typing."""
    deadline = time.monotonic() + 60
    while True:
        found: dict[str, Any] = editor.api.call("GET", f"W/workflows/{editor.workflow}/draft")["graph"]
        if read(found) == expected:
            expect(editor.saved.first).to_be_visible()
            return found
        assert time.monotonic() < deadline, read(found)
        editor.page.wait_for_timeout(50)


def test_a_name_a_key_and_a_note_are_saved_while_they_are_typed(signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, "Typing", chain())
    page = editor.page
    editor.card("prepare").click()
    editor.panel.get_by_label("Name of the step").fill("Prepared")
    stored(editor, lambda found: (found["nodes"][1]["name"], found["nodes"][1]["key"]), ("Prepared", "prepared"))

    editor.panel.get_by_text("Name in formulas").click()
    key = editor.panel.get_by_label("Key", exact=True)
    key.fill("made_ready")
    document = stored(editor, lambda found: found["nodes"][1]["key"], "made_ready")
    assert document["nodes"][2]["config"]["fields"][0]["value"] == "{{ steps.made_ready.total }}"
    # No key: it stays in sight with the reason, and formulas keep the one from before.
    key.fill("Not a key")
    document = stored(editor, lambda found: found["nodes"][1]["key"], "prepared")
    assert document["nodes"][2]["config"]["fields"][0]["value"] == "{{ steps.prepared.total }}"

    editor.focus("finish")
    editor.press("n")
    note = page.get_by_label("Text of the note")
    expect(note).to_be_focused()
    page.keyboard.type("Ask Ines about credit notes")
    stored(editor, lambda found: [one["text"] for one in found["annotations"]], ["Ask Ines about credit notes"])
    # The panel or the page may go away without another key.
    page.reload()
    expect(page.get_by_text("Ask Ines about credit notes")).to_be_visible()


def field(editor: Editor, name: str) -> Any:
    return editor.panel.get_by_test_id(f"field-{name}")


def test_a_formula_is_typed_to_its_end_where_a_choice_was(signed_in: Opens, api: Api) -> None:
    document = graph(
        [
            step("orders", "trigger.webhook@1", "Orders", (0, 0)),
            step("wait", "flow.wait@1", "Wait", (0, 150), mode="for"),
        ],
        [("orders", "wait")],
    )
    editor = new_editor(signed_in, api, "Formula", document)
    page: Page = editor.page
    editor.card("wait").click()
    row = field(editor, "amount")
    row.get_by_role("button", name="Use data instead").click()
    row.get_by_role("textbox").click()
    expect(page.locator(".cm-content:focus")).to_be_visible()
    page.keyboard.type("{{ trigger.body.days }} x n o")
    expect(page.locator(".cm-content:focus")).to_be_visible()
    found = stored(
        editor,
        lambda found: "x n o" in found["nodes"][1]["config"].get("amount", ""),
        True,
    )
    assert found["nodes"][1]["config"]["amount"].startswith("{{ trigger.body.days }}")
    assert (len(found["nodes"]), found["annotations"]) == (2, [])


def test_a_number_with_two_meanings_is_asked_about_and_never_guessed(signed_in: Opens, api: Api) -> None:
    document = graph(
        [
            step("orders", "trigger.webhook@1", "Orders", (0, 0)),
            step("call", "http.request@1", "Call", (0, 150), url="https://erp.example.com/x"),
        ],
        [("orders", "call")],
    )
    editor = new_editor(signed_in, api, "Numbers", document)
    page = editor.page
    editor.card("call").click()
    editor.panel.get_by_text("More options").click()
    row = field(editor, "connect_seconds")
    number = row.get_by_role("textbox")
    number.fill("")
    number.press_sequentially("10,000")
    expect(row).to_contain_text("Write 10000 or 10.")
    assert row.is_visible(), "more options stay open while something is typed in them"
    stored(editor, lambda found: found["nodes"][1]["config"].get("connect_seconds"), "10,000")
    number.fill("12,5")
    stored(editor, lambda found: found["nodes"][1]["config"].get("connect_seconds"), 12.5)

    editor.panel.get_by_role("tab", name="If it fails").click()
    tries = editor.panel.get_by_label("Number of tries")
    tries.fill("")
    tries.press_sequentially("12")
    expect(tries).to_have_value("12")
    tries.fill("50")
    expect(editor.panel.get_by_role("alert")).to_contain_text("from 1 to 20")
    page.wait_for_timeout(1200)
    stored(editor, lambda found: found["nodes"][1]["settings"]["retry"]["attempts"], 12)
