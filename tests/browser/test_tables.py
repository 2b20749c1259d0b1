"""Tables: made, filled by hand and from a file, used by a workflow, written out, deleted."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import sign_in
from tests.browser.editing import Opens, graph, new_editor, step
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
Shot = Callable[[Page, str], None]

CUSTOMERS = [
    {"name": "Customer", "key": True},
    {"name": "Owes", "type": "amount"},
    {"name": "Since", "type": "date"},
    {"name": "Blocked", "type": "yes_no"},
]
FILE = "customer;owes;Since;Remark\r\nC-1;2.250,50;28.11.2026;x\r\nC-9;-0,05;;y\r\n;1,00;;no number\r\n"


def make(api: Api, name: str, *rows: dict[str, Any]) -> str:
    table = api.call("POST", "W/tables", {"name": name, "columns": CUSTOMERS})
    for values in rows:
        api.call("POST", f"W/tables/{table['id']}/rows", {"values": values})
    return str(table["id"])


def row(page: Page, table: str, text: str) -> Locator:
    return page.get_by_role("table", name=table).get_by_role("row").filter(has_text=text)


def cells(page: Page, table: str) -> list[list[str]]:
    """What stands in the first four columns, row by row."""
    body = page.get_by_role("table", name=table).locator("tbody tr[data-row]")
    return [[cell.strip() for cell in line.locator("td").all_inner_texts()[:4]] for line in body.all()]


def test_a_table_is_made_and_filled_by_hand_with_the_keyboard_alone(signed_in: Opens, shot: Shot) -> None:
    page = signed_in("/tables")
    expect(page.get_by_role("heading", name="No tables yet")).to_be_visible()
    shot(page, "tables-empty")
    page.get_by_role("button", name="New table").last.press("Enter")
    dialog = page.get_by_role("dialog", name="New table")
    expect(dialog.get_by_label("Name of the table")).to_be_focused()
    page.keyboard.type("Customers")
    dialog.get_by_label("Name of column 1").fill("Customer")
    expect(dialog.get_by_role("checkbox", name="Customer is part of the key")).to_be_checked()
    for number, (name, kind) in enumerate((("Owes", "Amount"), ("Since", "Date"), ("Blocked", "Yes or no")), start=2):
        dialog.get_by_role("button", name="Add a column").press("Enter")
        expect(dialog.get_by_label(f"Name of column {number}")).to_be_focused()
        page.keyboard.type(name)
        dialog.get_by_label(f"Type of {name}").select_option(label=kind)
    shot(page, "tables-new")
    dialog.get_by_role("button", name="Make table").press("Enter")

    expect(page.get_by_role("heading", level=1, name="Customers")).to_be_visible()
    expect(page.get_by_role("heading", name="No rows yet")).to_be_visible()
    shot(page, "table-without-rows")
    page.get_by_role("button", name="Add row").first.press("Enter")
    expect(page.get_by_label("Customer", exact=True)).to_be_focused()
    page.keyboard.type("C-1")
    page.keyboard.press("Tab")
    page.keyboard.type("lots")
    page.keyboard.press("Enter")
    owes = page.get_by_label("Owes", exact=True)
    expect(owes).to_be_focused()
    expect(owes).to_have_attribute("aria-invalid", "true")
    shot(page, "table-row-wrong")
    page.keyboard.type("1250,50")
    page.get_by_label("Blocked", exact=True).select_option(label="Yes")
    owes.press("Enter")
    expect(row(page, "Customers", "C-1")).to_contain_text("1,250.50")
    # There is room for the next one.
    customer = page.get_by_label("Customer", exact=True)
    expect(customer).to_be_focused()
    expect(customer).to_have_value("")
    page.keyboard.type("C-1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("There is a row with Customer “C-1” already")
    customer.fill("C-2")
    page.keyboard.press("Enter")
    expect(row(page, "Customers", "C-2")).to_be_visible()
    page.keyboard.press("Escape")
    assert cells(page, "Customers") == [["C-2", "", "", ""], ["C-1", "1,250.50", "", "Yes"]]

    row(page, "Customers", "C-1").get_by_role("button", name="Edit C-1").press("Enter")
    expect(owes).to_have_value("1250.50")
    owes.fill("-0.05")
    page.get_by_label("Since", exact=True).fill("2026-11-28")
    shot(page, "table-row-edit")
    owes.press("Enter")
    expect(row(page, "Customers", "C-1")).to_contain_text("-0.05")
    expect(row(page, "Customers", "C-1")).to_contain_text("Nov 28, 2026")
    expect(row(page, "Customers", "C-1").get_by_role("button", name="Edit C-1")).to_be_focused()

    row(page, "Customers", "C-2").get_by_role("button", name="Delete C-2").press("Enter")
    page.get_by_role("dialog", name="Delete the row C-2?").get_by_role("button", name="Delete row").click()
    expect(row(page, "Customers", "C-2")).to_have_count(0)
    expect(page.get_by_text("1 row", exact=True)).to_be_visible()


def test_a_file_is_taken_in_and_the_rows_are_sorted_searched_and_written_out(
    signed_in: Opens, api: Api, shot: Shot
) -> None:
    table = make(api, "Debtors", {"Customer": "C-1", "Owes": "1"}, {"Customer": "C-2", "Owes": "300.00"})
    page = signed_in(f"/tables/{table}")
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Import…").click()
    dialog = page.get_by_role("dialog", name="Import into Debtors")
    page.get_by_test_id("import-file").set_input_files(
        {"name": "debtors.csv", "mimeType": "text/csv", "buffer": FILE.encode()}
    )
    expect(dialog.get_by_label(re.compile("^customer"))).to_have_value("Customer")
    expect(dialog.get_by_label(re.compile("^Remark"))).to_have_value("")
    shot(page, "table-import")
    dialog.get_by_role("button", name="Import rows").press("Enter")
    expect(dialog.get_by_role("status")).to_have_text(re.compile("Added1.*Changed1.*Unchanged0.*Refused1"))
    expect(dialog.get_by_text("Row 4: The column “Customer” must be filled in.")).to_be_visible()
    shot(page, "table-imported")
    dialog.get_by_role("button", name="Close").last.click()

    page.get_by_role("button", name="Owes").click()
    expect(page.get_by_role("columnheader", name="Owes")).to_have_attribute("aria-sort", "ascending")
    expect(page.locator("tbody tr").first).to_contain_text("C-9")
    assert [line[:2] for line in cells(page, "Debtors")] == [["C-9", "-0.05"], ["C-2", "300.00"], ["C-1", "2,250.50"]]
    page.keyboard.press("/")
    expect(page.locator("input:focus")).to_be_visible()
    page.keyboard.type("c-2")
    expect(page.get_by_text("1 of 3 rows")).to_be_visible()
    expect(row(page, "Debtors", "C-9")).to_have_count(0)
    page.get_by_role("button", name="More actions").click()
    shot(page, "table-menu")
    with page.expect_download() as loaded:
        page.get_by_role("menuitem", name="CSV with semicolons: 1250,5").click()
    assert loaded.value.suggested_filename == "Debtors.csv"
    assert loaded.value.path().read_text("utf-8-sig").splitlines() == [
        "Customer;Owes;Since;Blocked", "C-2;300,00;;",
    ]  # fmt: skip


def test_a_new_table_is_like_a_file_and_takes_its_rows_in(signed_in: Opens, shot: Shot) -> None:
    page = signed_in("/tables")
    page.get_by_role("button", name="New table").first.click()
    dialog = page.get_by_role("dialog")
    page.get_by_test_id("columns-file").set_input_files(
        {
            "name": "Suppliers.csv",
            "mimeType": "text/csv",
            "buffer": b"Number;City;Rating\r\n70012;Ulm;5\r\n70013;Bonn;3\r\n",
        }
    )
    expect(dialog.get_by_label("Name of column 3")).to_have_value("Rating")
    expect(dialog.get_by_label("Name of the table")).to_have_value("Suppliers")
    expect(dialog.get_by_label("Type of Rating")).to_have_value("number")
    dialog.get_by_role("checkbox", name="Number is part of the key").check()
    dialog.get_by_role("button", name="Make table").click()
    dialog = page.get_by_role("dialog", name="Import into Suppliers")
    dialog.get_by_role("button", name="Import rows").click()
    expect(dialog.get_by_role("status")).to_have_text(re.compile("Added2"))
    page.keyboard.press("Escape")
    expect(row(page, "Suppliers", "Bonn")).to_be_visible()
    expect(page).not_to_have_url(re.compile("import="))


def test_what_somebody_changed_meanwhile_is_not_overwritten(signed_in: Opens, api: Api, shot: Shot) -> None:
    table = make(api, "Shared", {"Customer": "C-1", "Owes": "1"})
    page = signed_in(f"/tables/{table}")
    row(page, "Shared", "C-1").get_by_role("button", name="Edit C-1").click()
    (other,) = api.call("GET", f"W/tables/{table}/rows")["items"]
    api.call("PATCH", f"W/tables/{table}/rows/{other['id']}", {"values": {"Owes": 7}, "stamp": other["stamp"]})
    page.get_by_label("Owes", exact=True).fill("8")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Somebody changed this row meanwhile")
    shot(page, "table-row-changed")
    page.get_by_role("button", name="Show what it is now").click()
    expect(row(page, "Shared", "C-1")).to_contain_text("7.00")


def test_what_is_typed_of_the_next_row_while_one_is_being_saved_stays(signed_in: Opens, api: Api) -> None:
    table = make(api, "Quick")
    page = signed_in(f"/tables/{table}")
    held: list[Route] = []
    page.route(
        "**/rows",
        lambda route: route.continue_() if held or route.request.method != "POST" else held.append(route),
    )
    page.get_by_role("button", name="Add row").first.click()
    customer = page.get_by_label("Customer", exact=True)
    customer.fill("C-1")
    page.get_by_label("Owes", exact=True).fill("1")
    with page.expect_request(lambda request: request.method == "POST" and request.url.endswith("/rows")):
        customer.press("Enter")
    customer.fill("C-2")
    held[0].continue_()
    expect(row(page, "Quick", "C-1")).to_be_visible()
    expect(page.get_by_label("Owes", exact=True)).to_have_value("")
    expect(customer).to_have_value("C-2")
    customer.press("Enter")
    expect(row(page, "Quick", "C-2")).to_be_visible()


def test_columns_are_renamed_and_removed_and_a_used_table_says_who_uses_it(
    signed_in: Opens, api: Api, shot: Shot
) -> None:
    table = make(api, "Used", {"Customer": "C-1", "Owes": "1"})
    save = step("save", "tables.save@1", "Remember it", (0, 150), table=table, values=[{"name": "Owes", "value": 1}])
    document = graph([step("start", "trigger.manual@1", "Start", (0, 0)), save], [("start", "save")])
    api.call("POST", "W/workflows", {"name": "Bookkeeping", "graph": document})
    page = signed_in(f"/tables/{table}")
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Name and columns…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Type of Since")).to_be_disabled()
    dialog.get_by_label("Name of column 2").fill("Balance")
    expect(dialog.get_by_text("Steps that name the column Owes have to be changed: Bookkeeping.")).to_be_visible()
    dialog.get_by_role("button", name="Remove Since").click()
    expect(dialog.get_by_text("The column Since goes, with everything that stands in it.")).to_be_visible()
    shot(page, "table-columns")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("columnheader", name="Balance")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Since")).to_have_count(0)
    expect(row(page, "Used", "C-1")).to_contain_text("1.00")

    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Delete table…").click()
    dialog = page.get_by_role("dialog", name="Delete the table Used?")
    expect(dialog.get_by_role("listitem")).to_have_text("Bookkeeping: Remember it")
    shot(page, "table-delete-used")
    dialog.get_by_role("button", name="Delete it anyway").click()
    expect(page).to_have_url(re.compile("/tables$"))
    expect(page.get_by_role("link", name="Used", exact=True)).to_have_count(0)


def test_a_workflow_adds_to_a_table_and_the_row_says_which_run_did(signed_in: Opens, api: Api, shot: Shot) -> None:
    table = make(api, "Balances", {"Customer": "C-1", "Owes": "10.10"})
    add = step("add", "tables.add@1", "Add to a number", (0, 150))
    document = graph([step("start", "trigger.manual@1", "Start", (0, 0)), add], [("start", "add")])
    editor = new_editor(signed_in, api, "Book", document)
    editor.card("add").get_by_role("button").first.click()
    panel = editor.panel
    panel.get_by_role("button", name="Table", exact=True).click()
    panel.get_by_role("textbox", name="Search by name").fill("balan")
    # Enter takes the first one that is found.
    found = panel.get_by_role("group", name="Table", exact=True).get_by_role("listitem")
    expect(found).to_have_count(1)
    expect(found).to_contain_text("Balances")
    shot(editor.page, "table-picker")
    editor.page.keyboard.press("Enter")
    expect(panel.get_by_role("button", name="Table", exact=True)).to_have_text("Balances")
    which = panel.get_by_role("group", name="Which row")
    which.get_by_role("button", name=re.compile("^Add")).click()
    which.get_by_label("Column", exact=True).select_option(label="Customer")
    expect(which.get_by_label("Column", exact=True).locator("option")).to_have_text(["Choose a column…", "Customer"])
    which.get_by_role("textbox", name="Value").click()
    expect(editor.page.locator(".cm-content:focus")).to_be_visible()
    editor.page.keyboard.type("C-1")
    panel.get_by_label("Column", exact=True).last.select_option(label="Owes")
    shot(editor.page, "table-step")
    config = next(node for node in editor.draft()["nodes"] if node["id"] == "add")["config"]
    assert (config["table"], config["column"], config["key"]) == (table, "Owes", [{"name": "Customer", "value": "C-1"}])

    path = f"W/workflows/{editor.workflow}"
    revision = api.call("GET", f"{path}/draft")["revision"]
    api.call("POST", f"{path}/publish", {"revision": revision, "note": "for a test"})
    api.call("POST", f"{path}/runs", {})
    page = signed_in(f"/tables/{table}")
    expect(row(page, "Balances", "C-1")).to_contain_text("11.10")
    row(page, "Balances", "C-1").get_by_role("link", name="A run").click()
    expect(page).to_have_url(re.compile("/runs/"))
    expect(page.get_by_role("link", name="Book").first).to_be_visible()


def test_who_may_only_look_sees_rows_and_changes_nothing(signed_in: Opens, api: Api) -> None:
    table = make(api, "Looked at", {"Customer": "C-1"})
    page = signed_in("/")

    def as_viewer(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        for workspace in body["workspaces"]:
            workspace["role"] = "viewer"
        route.fulfill(response=answer, body=json.dumps(body))

    page.route(re.compile(r"/api/v1/session$"), as_viewer)
    page.goto(f"/tables/{table}")
    expect(row(page, "Looked at", "C-1")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^(Add|Edit|Delete)"))).to_have_count(0)
    row(page, "Looked at", "C-1").get_by_text("C-1").dblclick()
    expect(page.get_by_label("Customer", exact=True)).to_have_count(0)
    page.get_by_role("button", name="More actions").click()
    offered = ["Excel (.xlsx)", "CSV: 1,250.5", "CSV with semicolons: 1250,5", "History"]
    expect(page.get_by_role("menuitem")).to_have_text(offered)


@pytest.mark.parametrize("size", SIZES)
def test_tables_are_readable_in_either_theme_at_a_desk_and_on_a_phone(
    size: str, signed_in: Opens, api: Api, shot: Shot
) -> None:
    name = f"Customers of all branches {size}"
    rows = [
        {"Customer": f"C-{number:03} Harbour Supplies and Sons", "Owes": f"{number * 137}.5", "Since": "2026-02-28",
         "Blocked": number % 3 == 0}
        for number in range(12)
    ]  # fmt: skip
    table = make(api, name, *rows)
    page = signed_in("/tables", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    expect(page.get_by_role("link", name=name)).to_be_visible()
    readable(page, size, "tables", shot)
    page.get_by_role("button", name="New table").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Add a column").click()
    readable(page, size, "tables-new", shot)
    page.keyboard.press("Escape")
    page.goto(f"/tables/{table}")
    expect(row(page, name, "C-011")).to_be_visible()
    readable(page, size, "table", shot)
    page.get_by_role("button", name="Add row").first.click()
    expect(page.get_by_label("Customer", exact=True)).to_be_focused()
    readable(page, size, "table-adding", shot)
    page.keyboard.type(f"A new one {size}")
    page.get_by_label("Owes", exact=True).fill("1")
    page.keyboard.press("Enter")
    expect(row(page, name, f"A new one {size}")).to_have_count(1)
    expect(page.get_by_label("Customer", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    row(page, name, "A new one").get_by_role("button", name=f"Edit A new one {size}").click()
    page.get_by_label("Owes", exact=True).fill("2.25")
    page.keyboard.press("Enter")
    expect(row(page, name, "A new one")).to_contain_text("2.25")


def test_tables_are_shown_in_german(new_page: Callable[..., Page], product: Product, api: Api, shot: Shot) -> None:
    table = make(api, "Kunden", {"Customer": "C-1", "Owes": "1250.5"})
    page = new_page(viewport=SIZES["desk"])
    sign_in(page, api)
    page.add_init_script("localStorage.setItem('millrace.language', 'de')")
    page.goto("/tables")
    expect(page.get_by_role("heading", level=1, name="Tabellen")).to_be_visible()
    page.goto(f"/tables/{table}")
    expect(page.get_by_role("button", name="C-1 bearbeiten")).to_be_visible()
    expect(page.get_by_text("1 Zeile")).to_be_visible()
    shot(page, "table-german")
