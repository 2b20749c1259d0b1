"""A document is begun with a ready design, looked at, changed, and made by a run."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.editing import Editor, Opens, graph, new_editor, step
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def editing(signed_in: Opens, api: Api, name: str) -> Editor:
    paper = step("paper", "documents.create@1", "Write the invoice", (0, 150), data={"number": "2026-7"})
    paper["config"]["name"] = "No 7"
    document = graph([step("start", "trigger.manual@1", "Start", (0, 0)), paper], [("start", "paper")])
    editor = new_editor(signed_in, api, name, document)
    editor.card("paper").click()
    return editor


IS_DRAWN = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  for (let at = 0; at < data.length; at += 4) if (data[at] < 99 && data[at + 3] === 255) return true;
  return false;
}"""


def is_drawn(picture: Locator) -> bool:
    """Whether anything dark stands on the page."""
    return bool(picture.evaluate(IS_DRAWN))


def test_a_ready_design_is_looked_at_and_changed_and_a_run_makes_the_document(
    signed_in: Opens, api: Api, shot: Callable[[Page, str], None]
) -> None:
    editor = editing(signed_in, api, "An invoice on paper")
    panel = editor.panel
    panel.get_by_role("combobox", name="Design to begin with").select_option(label="Invoice")
    picture = panel.get_by_role("img", name="Page 1 of 1 with sample data")
    expect(picture).to_be_visible()
    assert is_drawn(picture)
    shot(editor.page, "document-design")

    panel.get_by_text("Change the design as text").click()
    text = panel.get_by_role("textbox", name="Design")
    blocks = [{"kind": "text", "text": "{{ data.words }}"}]
    text.fill(json.dumps({"version": 1, "title": "Invoice", "sample": {"words": "line\n" * 90}, "blocks": blocks}))
    expect(panel.get_by_role("img", name="Page 1 of 2 with sample data")).to_be_visible()
    panel.get_by_role("button", name="Next page").click()
    expect(panel.get_by_role("img", name="Page 2 of 2 with sample data")).to_be_visible()
    expect(panel.get_by_role("combobox", name="Design to begin with")).to_contain_text("Changed by you")
    with editor.page.expect_download() as loaded:
        panel.get_by_role("button", name="PDF").click()
    with open(loaded.value.path(), "rb") as file:
        assert file.read(5) == b"%PDF-"
    text.fill('{"version": 1, "title": "Invoice {{ data.number }}", "blocks": [{"kind": "title", "text": "Invoice"}]}')
    expect(panel.get_by_role("status").filter(has_text="number")).to_be_visible()
    shot(editor.page, "document-design-problem")

    draft = editor.draft()
    assert draft["nodes"][1]["config"]["design"]["title"] == "Invoice {{ data.number }}"
    path = f"W/workflows/{editor.workflow}"
    api.call(
        "POST", f"{path}/publish", {"revision": api.call("GET", f"{path}/draft")["revision"], "note": "for a test"}
    )
    run = api.call("POST", f"{path}/runs", {})["id"]
    deadline = time.monotonic() + 60
    while not (files := api.call("GET", f"W/files?run={run}")["items"]):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert [(one["name"], one["mime"]) for one in files] == [("No 7.pdf", "application/pdf")]


@pytest.mark.parametrize("size", SIZES)
def test_the_preview_is_readable_in_either_theme_at_a_desk_and_on_a_phone(
    size: str, signed_in: Opens, api: Api, shot: Callable[[Page, str], None]
) -> None:
    editor = editing(signed_in, api, f"A statement {size}")
    editor.panel.get_by_role("combobox", name="Design to begin with").select_option(label="Statement of account")
    expect(editor.saved).to_be_visible()
    page = signed_in(f"/workflows/{editor.workflow}/build", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    card, row = page.locator('[data-step="paper"]'), page.get_by_role("treeitem", name=re.compile("Write the invoice"))
    (card if size == "desk" else row).click()
    expect(page.get_by_role("img", name="Page 1 of 1 with sample data")).to_be_visible()
    readable(page, size, "document-preview", shot)
