"""A person of the business designs a document from a blank page, and runs make it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable

import pypdfium2
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import SHOTS, WANTED
from tests.browser.editing import Editor, Opens, edit_fields, graph, new_editor, step
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.browser.test_documents import is_drawn
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
Shot = Callable[[Page, str], None]

ENTRIES = [
    {"day": f"2026-11-{1 + number % 28:02}", "text": text, "amount": amount}
    for number, (text, amount) in enumerate([("Žluťoučký kůň", 1250), ("Τιμολόγιο", "80.50"), ("Rent", 7)] * 20)
]
TOTAL = "26.750,00 €"
DATA = {
    "number": "{{ steps.account.number }}",
    "customer": {"name": "Καφέ Αθήνα & Söhne", "street": "Příčná 4", "city": "110 00 Praha"},
    "entries": ENTRIES,
}


def designing(signed_in: Opens, api: Api, name: str, **page: object) -> Editor:
    paper = step("paper", "documents.create@1", "Write the statement", (0, 300), data=DATA)
    paper["config"]["name"] = "Statement"
    steps = [
        step("start", "trigger.manual@1", "Start", (0, 0)),
        edit_fields("account", "Account", (0, 150), number="C-20417"),
        paper,
    ]
    editor = new_editor(signed_in, api, name, graph(steps, [("start", "account"), ("account", "paper")]), **page)
    editor.card("paper").click()
    return editor


class Designer:
    """The designer's parts by their names."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.dialog = page.get_by_role("dialog", name="Design of the document")
        self.list = self.dialog.get_by_role("region", name="Blocks")
        self.settings = self.dialog.get_by_role("region", name="Settings")
        self.blocks = self.list.locator("[data-block]")

    def add(self, kind: str) -> None:
        self.list.get_by_role("button", name="Add block").click()
        self.dialog.get_by_role("menuitem", name=kind, exact=True).click()
        expect(self.settings.get_by_role("heading", name=kind)).to_be_visible()

    def part(self, name: str) -> None:
        self.list.get_by_role("button", name=name, exact=True).click()

    def type(self, field: str, text: str) -> None:
        """Type into a text that data can stand in."""
        box = self.settings.get_by_role("textbox", name=field, exact=True).first
        box.click()
        expect(box).to_be_focused()
        self.page.keyboard.type(text)

    def pick(self, path: str) -> None:
        self.page.get_by_test_id(f"data-{path}").click()

    def picture(self, number: int, pages: int) -> Locator:
        return self.dialog.get_by_role("img", name=f"Page {number} of {pages} with sample data")


def test_a_statement_is_designed_from_a_blank_page_and_a_run_makes_it(signed_in: Opens, api: Api, shot: Shot) -> None:
    editor = designing(signed_in, api, "Statements from nothing")
    editor.panel.get_by_role("button", name="Start from a blank page").click()
    page, designer = editor.page, Designer(editor.page)
    expect(designer.picture(1, 1)).to_be_visible()
    expect(designer.list.get_by_text("The page is empty")).to_be_visible()
    designer.settings.get_by_role("combobox", name="Language").select_option(label="German")

    designer.add("Title")
    designer.type("Text", "Kontoauszug ")
    shot(page, "designer-data")
    designer.pick("data.number")
    designer.add("Addresses")
    designer.type("Heading", "Kunde")
    designer.type("Address", "{{ data.customer.name }}")
    page.keyboard.press("Enter")
    page.keyboard.type("{{ data.customer.street }}")
    expect(designer.settings.get_by_text("Καφέ Αθήνα & Söhne Příčná 4")).to_be_visible()

    designer.add("Table")
    columns = designer.settings.get_by_role("group", name="Columns")
    columns.get_by_role("button", name="Remove Day").click()
    expect(columns.get_by_role("button", expanded=False)).to_have_count(2)
    columns.get_by_role("button", name="Amount", expanded=False).click()
    columns.get_by_role("radiogroup", name="Shown as").get_by_text("Amount").click()
    columns.get_by_role("switch", name="Add up").click()
    designer.part("Header and footer")
    designer.type("Footer", "Harbour Supplies Ltd")
    expect(designer.picture(1, 2)).to_be_visible()
    assert is_drawn(designer.picture(1, 2))

    # Esc closes a menu, and the list of data, before it closes the designer.
    designer.list.get_by_role("button", name="Add block").click()
    expect(designer.dialog.get_by_role("menu")).to_be_visible()
    page.keyboard.press("Escape")
    expect(designer.dialog.get_by_role("menu")).to_have_count(0)
    # Also before the menu has the focus.
    adds = designer.list.get_by_role("button", name="Add block")
    adds.click()
    expect(designer.dialog.get_by_role("menu")).to_be_visible()
    adds.press("Escape")
    expect(designer.dialog.get_by_role("menu")).to_have_count(0)
    expect(designer.dialog).to_be_visible()
    designer.settings.get_by_role("textbox", name="Footer").click()
    expect(designer.dialog.get_by_role("region", name="Insert data")).to_be_visible()
    page.keyboard.press("Escape")
    expect(designer.dialog.get_by_role("region", name="Insert data")).to_have_count(0)
    expect(designer.dialog).to_be_visible()

    # A second table by mistake, taken away again; the title by keyboard to the end and back.
    designer.blocks.nth(2).click()
    designer.blocks.nth(2).press("Control+d")
    expect(designer.blocks).to_have_count(4)
    page.keyboard.press("Delete")
    expect(designer.blocks).to_have_count(3)
    page.keyboard.press("Control+z")
    expect(designer.blocks).to_have_count(4)
    page.keyboard.press("Control+z")
    expect(designer.blocks).to_have_count(3)
    designer.blocks.nth(0).press("Alt+ArrowDown")
    expect(designer.blocks.nth(1)).to_have_accessible_name("2. Title Kontoauszug Number")
    expect(designer.blocks.nth(1)).to_be_focused()
    designer.blocks.nth(1).drag_to(designer.blocks.nth(0), target_position={"x": 20, "y": 3})
    expect(designer.blocks.nth(0)).to_have_accessible_name("1. Title Kontoauszug Number")
    shot(page, "designer-statement")

    # What does not fit is said at its field, and the mark leads there.
    designer.part("Page")
    size = designer.settings.get_by_role("textbox", name="Size of letters")
    size.fill("99")
    expect(designer.settings.get_by_text("At most 14.")).to_be_visible()
    expect(designer.list.get_by_role("img", name="Something is wrong here")).to_be_visible()
    size.fill("9.5")
    expect(designer.list.get_by_role("img", name="Something is wrong here")).to_have_count(0)

    designer.dialog.get_by_role("button", name="Done").click()
    expect(designer.dialog).to_have_count(0)
    expect(editor.panel.get_by_role("button", name="Design…")).to_be_focused()
    design = editor.draft()["nodes"][2]["config"]["design"]
    assert [block["kind"] for block in design["blocks"]] == ["title", "parties", "table"]
    looked_at(made_by_a_run(api, editor.workflow))


def made_by_a_run(api: Api, workflow: str) -> bytes:
    path = f"W/workflows/{workflow}"
    revision = api.call("GET", f"{path}/draft")["revision"]
    api.call("POST", f"{path}/publish", {"revision": revision, "note": "for a test"})
    run = api.call("POST", f"{path}/runs", {})["id"]
    deadline = time.monotonic() + 60
    while not (files := api.call("GET", f"W/files?run={run}")["items"]):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    found = api.client.get(f"/api/v1/workspaces/{api.workspace}/files/{files[0]['id']}/content")
    assert found.status_code == 200
    return found.content


def looked_at(pdf: bytes) -> None:
    """The texts are there, each in its place."""
    document = pypdfium2.PdfDocument(pdf)
    pages = [page.get_textpage() for page in document]
    texts = [page.get_text_range() for page in pages]
    assert len(pages) == 2
    for text in (
        "Kontoauszug C-20417",
        "Kunde",
        "Καφέ Αθήνα & Söhne",
        "Příčná 4",
        "Žluťoučký kůň",
        "Τιμολόγιο",
        "1.250,00 €",
    ):
        assert text in texts[0]
    for number, text in enumerate(texts, 1):
        assert f"{number} / 2" in text
        assert "Harbour Supplies Ltd" in text
        assert len(re.findall("Amount", text)) == 1
    assert "Übertrag" in texts[0]
    assert "Übertrag" in texts[1]
    last = pages[-1]
    edges = {text: box(last, text) for text in ("80,50 €", TOTAL, "Summe", "Rent", "2 / 2")}
    # The total ends where the amounts end, at the right of the page, beneath them; its word begins where texts begin.
    assert abs(edges[TOTAL][2] - edges["80,50 €"][2]) < 1.5
    assert edges[TOTAL][2] > document[1].get_width() * 0.85
    assert edges[TOTAL][1] < edges["80,50 €"][1]
    assert abs(edges["Summe"][0] - edges["Rent"][0]) < 1.5
    assert edges["2 / 2"][3] < edges[TOTAL][1]
    if WANTED:
        for number, page in enumerate(document, 1):
            page.render(scale=2).to_pil().save(os.path.join(SHOTS, f"designer-paper-{number}.png"))


def box(page: pypdfium2.PdfTextPage, text: str) -> tuple[float, float, float, float]:
    """Left, bottom, right, top of a text where it stands first."""
    at, count = page.search(text).get_next()
    boxes = [page.get_charbox(at + offset) for offset in range(count)]
    return (
        min(one[0] for one in boxes),
        min(one[1] for one in boxes),
        max(one[2] for one in boxes),
        max(one[3] for one in boxes),
    )


@pytest.mark.parametrize("size", SIZES)
def test_the_designer_is_readable_in_either_theme_at_a_desk_and_on_a_phone(
    size: str, signed_in: Opens, api: Api, shot: Shot
) -> None:
    editor = designing(signed_in, api, f"A designed statement {size}")
    editor.panel.get_by_role("combobox", name="Design to begin with").select_option(label="Statement of account")
    expect(editor.saved).to_be_visible()
    page = signed_in(f"/workflows/{editor.workflow}/build", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    card, row = (
        page.locator('[data-step="paper"]'),
        page.get_by_role("treeitem", name=re.compile("Write the statement")),
    )
    (card if size == "desk" else row).click()
    page.get_by_role("button", name="Design…").click()
    designer = Designer(page)
    if size == "desk":
        designer.blocks.nth(3).click()
        expect(designer.picture(1, 1)).to_be_visible()
        readable(page, size, "designer", shot)
        return
    readable(page, size, "designer-blocks", shot)
    designer.blocks.nth(3).click()
    expect(designer.settings.get_by_role("heading", name="Table")).to_be_visible()
    readable(page, size, "designer-settings", shot)
    designer.dialog.get_by_role("button", name="Preview", exact=True).click()
    expect(designer.picture(1, 1)).to_be_visible()
    readable(page, size, "designer-preview", shot)
