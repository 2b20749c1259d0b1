"""A document of one's own HTML, set up in the editor and made by a run."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.editing import Opens, graph, new_editor, step
from tests.browser.test_designer import made_by_a_run
from tests.documents.extra import needs_html
from tests.documents.test_draw import pages
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900), needs_html]
Shot = Callable[[Page, str], None]
DATA = {"number": "2026-118", "customer": "Καφέ Αθήνα", "lines": [{"name": "Žluťoučký kůň", "amount": 1250}]}
TEMPLATE = (
    '<h1>Rechnung {{ data.number }}</h1><p data-each="{{ data.lines }}">{{ item.name }} '
    '<b data-format="money">{{ item.amount }}</b></p>'
)


def test_a_template_is_written_in_the_editor_and_a_run_makes_a_pdf_of_it(
    signed_in: Opens, api: Api, shot: Shot
) -> None:
    paper = step("paper", "documents.from_html@1", "Print the invoice", (0, 150), data=DATA, language="de")
    paper["config"] |= {"name": "Invoice", "template": "<p>"}
    steps = [step("start", "trigger.manual@1", "Start", (0, 0)), paper]
    editor = new_editor(signed_in, api, "Own paper", graph(steps, [("start", "paper")]))
    editor.card("paper").click()
    field = editor.panel.get_by_test_id("field-template")
    template = field.get_by_role("textbox", name="Template")
    template.fill(TEMPLATE.replace("item.name", "steps.read.name"))
    expect(field.get_by_text("Line 1: The template knows “data” only")).to_be_visible()
    template.fill(TEMPLATE)
    expect(field.get_by_text("Line 1:")).to_have_count(0)
    # Its formulas are the document's: nothing is said of data that the workflow does not have.
    expect(field.locator("[data-state]")).to_have_count(0)
    shot(editor.page, "html-template")
    assert editor.draft()["nodes"][1]["config"]["template"] == TEMPLATE
    (text,) = pages(made_by_a_run(api, editor.workflow))
    assert " ".join(text.split()) == "Rechnung 2026-118 Žluťoučký kůň 1.250,00 €"
