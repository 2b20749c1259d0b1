"""A business person starts a workflow with a file: dropped, understood, asked about, mapped, checked, started."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import fits, sign_in
from tests.browser.editing import Editor, Opens, edit_fields, graph, new_editor, step
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.browser.test_containers import inside
from tests.browser.test_retrying import wait_for_end
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
Shot = Callable[[Page, str], None]

COLUMNS = [
    {"name": "invoice", "label": "Invoice number", "key": True},
    {"name": "centre", "label": "Cost centre", "required": True},
    {"name": "amount", "label": "Amount", "type": "amount", "currency": "EUR", "required": True},
    {"name": "due", "label": "Due date", "type": "date"},
    {"name": "paid", "label": "Paid", "type": "yes_no"},
]
HEAD = "Belegnr.;KST;Betrag;Fällig am;Bezahlt;Bemerkung"
GOOD = [
    f"R-{number};{'Küche' if number % 2 else 'Büro'};{number}.234,50 €;0{number}/04/2026;ja;" for number in range(1, 9)
]
BAD = ["R-9;;12,00;01/05/2026;nein;", "R-3;Küche;1,00;01/05/2026;nein;", "R-10;Büro;zwölf;01/05/2026;nein;"]


def statement(*rows: str) -> bytes:
    return "\r\n".join(["Monatsabschluss Mai", "", HEAD, *rows, ""]).encode("cp1252")


def month_end(**more: Any) -> dict[str, Any]:
    asks = {
        "title": "Month-end statements",
        "text": "One row for each invoice of the month, as the ERP exports them.",
        "fields": [{"name": "invoices", "label": "Invoices", "type": "table", "required": True, "columns": COLUMNS}],
        **more,
    }
    start = step("start", "trigger.manual@1", "Month end", (0, 0), **asks)
    each = step("each", "flow.for_each@1", "Each invoice", (-24, 150), source="file", file="{{ trigger.invoices }}")
    note = edit_fields("note", "Note", (0, 0), text="{{ item.invoice }}: {{ item.amount.amount }} on {{ item.due }}")
    return graph([start, each, *inside("each", note)], [("start", "each")])


def give(page: Page, name: str, data: bytes) -> None:
    page.get_by_test_id("intake-input").set_input_files({"name": name, "mimeType": "text/csv", "buffer": data})


def startable(page: Page) -> Locator:
    return page.get_by_test_id("start-run")


def answer_day_first(page: Page) -> None:
    page.get_by_test_id("ask-dates").get_by_role("radio").first.check()


DROP = """([name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([Uint8Array.from(atob(text), (one) => one.charCodeAt(0))], name, { type: "text/csv" }));
  const box = document.querySelector("[data-testid=intake-invoices] button").parentElement;
  for (const type of ["dragenter", "dragover", "drop"])
    box.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


def test_a_file_is_dropped_understood_checked_and_started(signed_in: Opens, api: Api, shot: Shot) -> None:
    import base64

    live = api.publish("Month end", month_end())
    page = signed_in(f"/workflows/{live.workflow}/runs")
    page.get_by_test_id("run-button").click()
    expect(page.get_by_role("heading", name="Month-end statements")).to_be_visible()
    expect(startable(page)).to_be_disabled()
    expect(page.get_by_text("Choose the file first.")).to_be_visible()
    shot(page, "upload-empty")

    intake = page.get_by_test_id("intake-invoices")
    expect(intake.get_by_role("button", name="Choose a file")).to_be_visible()
    page.evaluate(DROP, ["May.csv", base64.b64encode(statement(*GOOD, *BAD)).decode()])
    expect(intake).to_contain_text("Semicolons")
    expect(intake).to_contain_text("Windows-1252")
    expect(intake).to_contain_text("Names of columns in row 3")
    # 01/04/2026 may be the 1st of April or the 4th of January: nobody guesses.
    question = page.get_by_test_id("ask-dates")
    expect(question).to_contain_text(re.compile(r"is 01/04/2026 Apr 1, 2026 or Jan 4, 2026\?"))
    expect(page.get_by_text("Answer the question above.")).to_be_visible()
    shot(page, "upload-question")
    question.get_by_role("radio").first.press("Space")
    report = page.get_by_test_id("report")
    expect(report).to_contain_text("3 of 11 rows do not fit.")
    expect(report.get_by_role("listitem")).to_have_text(
        [
            re.compile(r"1 row has an empty “Cost centre”.*Row 12"),
            re.compile(r"1 row has the same “Invoice number” as an earlier one.*Row 13 like row 6"),
            re.compile(r"1 row has no number in “Amount”.*Row 14 · “zwölf”"),
        ]
    )
    preview = page.get_by_role("region", name=re.compile("^The first 11 rows"))
    expect(preview.get_by_role("row").nth(1)).to_contain_text("€1,234.50")
    expect(preview.get_by_role("row").nth(9)).to_contain_text("may not be empty")
    expect(startable(page)).to_be_disabled()
    shot(page, "upload-report")

    with page.expect_download() as loaded:
        report.get_by_role("button", name="Download 3 rows").click()
    text = loaded.value.path().read_bytes().decode("utf-8-sig")
    assert text.splitlines()[1] == "R-9;;12,00;01/05/2026;nein;;12;“Cost centre” is empty"
    report.get_by_role("button", name="Continue without them").click()
    expect(report).to_contain_text("8 rows are started; 3 rows are left out.")
    expect(report).to_contain_text("May (left out).csv")
    shot(page, "upload-without")
    expect(startable(page)).to_have_text("Start with 8 rows")
    startable(page).click()
    expect(page).to_have_url(re.compile("/runs/"))
    run = page.url.rsplit("/", 1)[1].partition("?")[0]
    expect(page.get_by_text(re.compile("^8 of 8")).first).to_be_visible(timeout=120_000)
    wait_for_end(api, run)
    output = api.call("GET", f"W/runs/{run}/steps/each")["output"]
    assert [one["text"] for one in output["results"]][:2] == [
        "R-1: 1234.50 on 2026-04-01",
        "R-2: 2234.50 on 2026-04-02",
    ]

    # The same file again, and the next month's: the one is warned of, the other understood without a question.
    page.goto(f"/workflows/{live.workflow}/run")
    give(page, "May again.csv", statement(*GOOD, *BAD))
    again = page.get_by_test_id("ran-before")
    expect(again).to_contain_text(re.compile("The same file ran on .*, started by"))
    expect(again.get_by_role("link")).to_have_attribute("href", f"/runs/{run}")
    expect(page.get_by_test_id("ask-dates")).to_have_count(0)
    page.get_by_test_id("go-on-without").click()
    expect(page.get_by_text("Say that the same file is to run again.")).to_be_visible()
    shot(page, "upload-again")
    again.get_by_role("checkbox").check()
    expect(startable(page)).to_be_enabled()
    give(page, "June.csv", statement(*GOOD[:4]))
    expect(again).to_have_count(0)
    expect(page.get_by_test_id("intake-invoices")).to_contain_text(re.compile("As .+ said on"))
    expect(page.get_by_test_id("report")).to_contain_text("All 4 rows fit.")
    expect(startable(page)).to_have_text("Start with 4 rows")


def test_columns_are_chosen_and_the_format_is_put_right_by_keys(signed_in: Opens, api: Api, shot: Shot) -> None:
    live = api.publish("By hand", month_end())
    page = signed_in(f"/workflows/{live.workflow}/run")
    give(page, "odd.csv", b"A,B,C\n1,kitchen,1.234\n2,office,2.345\n")
    intake = page.get_by_test_id("intake-invoices")
    expect(intake).to_contain_text("Choose the column of the file that holds “Amount”.")
    for label, header in (("Invoice number", "A"), ("Cost centre", "B"), ("Amount", "C")):
        intake.get_by_label(label).select_option(header)
    # 1.234 is more than a thousand, or a bit more than one.
    question = page.get_by_test_id("ask-decimal")
    expect(question).to_contain_text("is 1.234 1234 or about 1.2?")
    shot(page, "upload-decimal")
    question.get_by_role("radio").first.check()
    expect(page.get_by_test_id("report")).to_contain_text("All 2 rows fit.")
    expect(intake.get_by_role("cell", name="€1,234.00")).to_be_visible()
    intake.get_by_role("button", name="Change").press("Enter")
    shot(page, "upload-format")
    intake.get_by_label("Names of the columns").select_option(label="No names of columns")
    expect(intake).to_contain_text("0 of 5 columns were found")
    intake.get_by_label("Names of the columns").select_option(label="In row 1")
    for label, header in (("Invoice number", "A"), ("Cost centre", "A")):
        intake.get_by_label(label).select_option(header)
    # A column of the file stands for one only.
    expect(intake.get_by_label("Invoice number")).to_have_value("")

    other = signed_in(f"/workflows/{live.workflow}/run")
    other.get_by_role("button", name="Take one that is here already").press("Enter")
    other.get_by_role("group", name="Take one that is here already").get_by_role(
        "button", name=re.compile("^odd.csv")
    ).click()
    expect(other.get_by_test_id("intake-invoices")).to_contain_text("Commas")


def test_an_upload_goes_on_while_somebody_looks_at_another_page(signed_in: Opens, api: Api, shot: Shot) -> None:
    live = api.publish("Elsewhere", month_end())
    page = signed_in(f"/workflows/{live.workflow}/run")
    expect(startable(page)).to_be_visible()
    held: list[Route] = []
    page.route(re.compile(r"/files\?name="), lambda route: held.append(route))
    give(page, "Slow.csv", statement(*GOOD))
    expect(page.get_by_role("progressbar", name="Slow.csv")).to_be_visible()
    while not held:
        page.wait_for_timeout(20)
    page.get_by_role("link", name="Home").first.click()
    tray = page.get_by_role("region", name="Uploads")
    expect(tray).to_contain_text("Uploading a file")
    shot(page, "upload-tray")
    held.pop().continue_()
    expect(tray).to_have_count(0)
    page.go_back()
    expect(page.get_by_test_id("intake-invoices")).to_contain_text("Semicolons")

    page.unroute(re.compile(r"/files\?name="))
    page.route(re.compile(r"/files\?name="), lambda route: held.append(route))
    page.get_by_role("link", name="Files", exact=True).click()
    page.get_by_test_id("upload-input").first.set_input_files(
        {"name": "Beside.csv", "mimeType": "text/csv", "buffer": b"a;b\n"}
    )
    while not held:
        page.wait_for_timeout(20)
    page.get_by_role("link", name="Home").first.click()
    expect(tray.get_by_role("progressbar", name="Beside.csv")).to_be_visible()
    held.pop().continue_()
    expect(page.get_by_text("Uploaded “Beside.csv”")).to_be_visible()
    expect(tray).to_have_count(0)


def test_an_author_says_what_a_file_holds_and_tests_the_draft_with_one(signed_in: Opens, api: Api, shot: Shot) -> None:
    editor: Editor = new_editor(signed_in, api, "Drawn", month_end(fields=[]))
    page, panel = editor.page, editor.panel
    editor.card("start").get_by_role("button").first.click()
    panel.get_by_role("button", name="Add question").click()
    panel.get_by_label("Question", exact=True).fill("Invoices")
    panel.get_by_label("Kind", exact=True).select_option(label="Rows of a file")
    panel.get_by_role("button", name="Add a column").click()
    columns = panel.get_by_role("group", name="Columns")
    columns.get_by_label("Name of the column", exact=True).fill("Amount")
    columns.get_by_label("Kind", exact=True).select_option(label="Amount of money")
    shot(page, "upload-author")
    config = next(node for node in editor.draft()["nodes"] if node["id"] == "start")["config"]
    assert config["fields"][0]["columns"][0]["name"] == "amount"
    assert config["fields"][0]["type"] == "table"
    page.keyboard.press("Escape")
    page.get_by_test_id("test-button").click()
    dialog = page.get_by_role("dialog")
    give(page, "May.csv", b"Amount\n1.50\n")
    expect(dialog.get_by_test_id("report")).to_contain_text("The one row fits.")
    shot(page, "upload-test")


@pytest.mark.parametrize("size", SIZES)
def test_the_page_is_readable_in_either_theme_at_a_desk_and_on_a_phone(
    size: str, signed_in: Opens, api: Api, shot: Shot
) -> None:
    live = api.publish(f"Readable {size}", month_end())
    page = signed_in(f"/workflows/{live.workflow}/runs", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    expect(page.get_by_test_id("run-button")).to_be_visible()
    readable(page, size, "upload-runs", shot)
    page.get_by_test_id("run-button").click()
    expect(startable(page)).to_be_visible()
    readable(page, size, "upload-start", shot)
    give(page, f"May {size}.csv", statement(*GOOD, *BAD))
    expect(page.get_by_test_id("ask-dates")).to_be_visible()
    readable(page, size, "upload-asked", shot)
    answer_day_first(page)
    expect(page.get_by_test_id("report")).to_contain_text("3 of 11 rows")
    page.get_by_test_id("report").scroll_into_view_if_needed()
    readable(page, size, "upload-checked", shot)
    fits(page)


def test_it_is_shown_in_german(new_page: Callable[..., Page], product: Product, api: Api, shot: Shot) -> None:
    live = api.publish("Monatsende", month_end())
    page = new_page(viewport=SIZES["desk"])
    sign_in(page, api)
    page.add_init_script("localStorage.setItem('millrace.language', 'de')")
    page.goto(f"/workflows/{live.workflow}/run")
    give(page, "Mai.csv", statement(*GOOD, *BAD))
    expect(page.get_by_test_id("ask-dates")).to_contain_text("Der Tag steht zuerst.")
    answer_day_first(page)
    expect(page.get_by_test_id("report")).to_contain_text("In 1 Zeile ist „Cost centre“ leer")
    shot(page, "upload-german")
