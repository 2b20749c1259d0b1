"""A batch on the screen: watched, mended, gone on with, added up, and proven."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect
from python_calamine import CalamineWorkbook
from xlsxwriter import Workbook

from tests.browser.axe import findings
from tests.browser.editing import Opens, graph, step
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.browser.test_containers import each, inside
from tests.browser.test_inbox import question_of
from tests.browser.test_retrying import COMPANY, wait_for_end
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
Shot = Callable[[Page, str], None]
DESIGN = {"version": 1, "title": "Statement", "blocks": [{"kind": "title", "text": "Statement {{ data.number }}"}]}
LIST = "For each student"


def month_end() -> dict[str, Any]:
    """A statement and a ledger row for each student; those whose `way` says so are refused by the ledger."""
    start = step("start", "trigger.webhook@1", "Start", (0, 0))
    batch = each(
        "each",
        LIST,
        (-24, 128),
        "{{ trigger.body.students }}",
        label="{{ item.number }}",
        stop="never",
        collect=False,
        at_a_time=10,
        amount="{{ item.amount }}",
        currency="{{ item.currency }}",
        posted="{{ item.amount }}",
        expected_count=12,
        expected_amount="{{ trigger.body.total }}",
        manifest=True,
    )
    draw = step("draw", "documents.create@1", "Draw statement", (0, 0), design=DESIGN, data="{{ item }}")
    draw["config"]["name"] = "{{ item.number }}"
    body = {"order": "{{ run.id }}", "customer": "C-200", "amount": "{{ item.amount }}"}
    post = step(
        "post", "http.request@1", "Post to ledger", (0, 128), method="POST", url=COMPANY + "{{ item.way }}/invoices",
        body_type="json", json_body=body,
    )  # fmt: skip
    post["settings"] = {"retry": {"attempts": 1}}
    return graph([start, batch, *inside("each", draw, post)], [("start", "each"), ("draw", "post")])


def students(bad: int = 2) -> list[dict[str, Any]]:
    return [
        {
            "number": f"S-{number:03}",
            "amount": number,
            "currency": "EUR" if number % 3 else "CZK",
            "way": "/with/fail=422" if number <= bad else "",
        }
        for number in range(1, 13)
    ]


def done_batch(api: Api, product: Product, name: str, bad: int = 2) -> tuple[str, str]:
    """A run of such a workflow that has ended, and the node of its list."""
    live = api.publish(name, month_end())
    total = {"EUR": 48, "CZK": 30}
    posted = httpx2.post(product.url + live.path, json={"students": students(bad), "total": total}, timeout=60)
    run_id: str = posted.json()["run"]
    wait_for_end(api, run_id)
    graph_ = api.call("GET", f"W/runs/{run_id}/snapshot")["graph"]
    return run_id, next(node["id"] for node in graph_["nodes"] if node["key"] == "each")


def test_only_those_that_failed_are_retried_in_four_clicks(
    signed_in: Opens, api: Api, product: Product, shot: Shot
) -> None:
    run_id, node = done_batch(api, product, "Month end, a few refused")
    page = signed_in(f"/batches/{run_id}/{node}")
    expect(page.get_by_role("heading", level=1, name=LIST)).to_be_visible()
    expect(page.get_by_text("Done, some failed")).to_be_visible()
    expect(page.get_by_text(re.compile("By webhook$"))).to_be_visible()
    assert findings(page) == []
    shot(page, "batch-failed")
    page.get_by_role("button", name="Retry failed 2…").click()
    page.get_by_role("button", name="Retry 2 items").click()
    # They are refused again: nothing of the data has changed, and no other item was touched.
    expect(page.get_by_role("dialog").get_by_text("0 of 2 retried runs worked.")).to_be_visible()
    page.get_by_role("button", name="Close").last.click()
    invoices = api.call("GET", f"W/runs/{run_id}/batches/{node}")
    assert (invoices["done"], invoices["failed"]) == (10, 2)


def test_what_failed_is_mended_in_the_table_and_goes_on(
    signed_in: Opens, api: Api, product: Product, shot: Shot
) -> None:
    run_id, node = done_batch(api, product, "Month end, mended here")
    page = signed_in(f"/batches/{run_id}/{node}?tab=failed")
    first, second = page.get_by_label("way, S-001"), page.get_by_label("way, S-002")
    first.fill("")
    second.fill("")
    page.get_by_label("amount, S-002").fill("two")
    expect(page.get_by_role("button", name="Retry the 2 changed")).to_be_disabled()
    page.get_by_label("amount, S-002").fill("2")
    shot(page, "batch-mending")
    page.get_by_role("button", name="Retry the 2 changed").click()
    expect(page.get_by_text("Nothing failed")).to_be_visible()
    page.get_by_role("tab", name="Control totals").click()
    expect(page.get_by_test_id("total-EUR")).to_contain_text("Adds up")
    expect(page.get_by_test_id("total-CZK")).to_contain_text("Adds up")
    expect(page.get_by_text("12 were expected, and 12 came.")).to_be_visible()
    assert findings(page) == []
    shot(page, "batch-totals")
    # Who gave the first one what, and what stood there before.
    page.get_by_role("tab", name="All items").click()
    expect(page.get_by_role("button", name=re.compile("^What was corrected of item"))).to_have_count(2)
    page.get_by_role("button", name="What was corrected of item 1").click()
    told = page.get_by_test_id("corrections-1")
    expect(told).to_contain_text("Alice")
    expect(told).to_contain_text("way/with/fail=422 → (empty)")
    assert findings(page) == []
    shot(page, "batch-corrected")


@pytest.mark.parametrize("size", SIZES)
def test_why_something_failed_is_seen_beside_its_name_however_many_fields_there_are(
    signed_in: Opens, api: Api, product: Product, shot: Shot, size: str
) -> None:
    live = api.publish(f"Many fields {size}", month_end())
    more = {f"field_{number}": f"Something of a length, number {number}" for number in range(8)}
    sent = {"students": [one | more for one in students()], "total": {}}
    run_id: str = httpx2.post(product.url + live.path, json=sent, timeout=60).json()["run"]
    wait_for_end(api, run_id)
    page = signed_in(f"/batches/{run_id}/each?tab=failed", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    row = page.get_by_test_id("failed-1")
    why = row.locator("span[title]").first
    expect(why).to_be_visible()
    width = SIZES[size]["width"]
    for seen in (row.get_by_text("S-001", exact=True), row.get_by_role("link", name="Open the run of item 1"), why):
        box = seen.bounding_box()
        assert box is not None
        assert 0 <= box["x"] < box["x"] + box["width"] <= width
    assert why.evaluate("one => one.scrollHeight <= one.clientHeight + 1"), "it is cut"
    if size == "phone":
        # As cards: nothing is to be scrolled to the side.
        far = page.get_by_label("field_7, S-001").bounding_box()
        assert far is not None
        assert far["x"] + far["width"] <= width
    readable(page, size, "batch-why", shot)


def test_what_was_approved_is_shown_and_not_typed_into(
    signed_in: Opens, api: Api, product: Product, shot: Shot
) -> None:
    made = month_end()
    made["nodes"].append(step("ask", "people.approval@1", "Approve the list", (0, 64), title="All of these?"))
    made["edges"][0] = {**made["edges"][0], "target": "ask"}
    made["edges"].append({"id": "e9", "source": "ask", "sourceHandle": "approved", "target": "each"})
    live = api.publish("Month end, approved", made)
    posted = httpx2.post(product.url + live.path, json={"students": students(), "total": {}}, timeout=60)
    run_id: str = posted.json()["run"]
    api.call("POST", f"W/inbox/{question_of(api, run_id)}/decide", {"outcome": "approved"})
    wait_for_end(api, run_id)
    page = signed_in(f"/batches/{run_id}/each?tab=failed")
    why = re.compile("^This list was approved as it is, so its items cannot be changed here.")
    expect(page.get_by_text(why)).to_be_visible()
    cell = page.get_by_label("amount, S-001")
    expect(cell).not_to_be_editable()
    expect(cell).to_have_attribute("title", why)
    expect(cell).to_have_accessible_description(why)
    expect(page.get_by_role("button", name="Send mended file…")).to_have_count(0)
    expect(page.get_by_role("button", name="Retry these 2…")).to_be_visible()
    assert findings(page) == []
    shot(page, "batch-approved")


def test_the_error_file_is_mended_in_a_spreadsheet_and_sent_back(
    signed_in: Opens, api: Api, product: Product, tmp_path: Path
) -> None:
    run_id, node = done_batch(api, product, "Month end, mended elsewhere", bad=3)
    page = signed_in(f"/batches/{run_id}/{node}")
    with page.expect_download() as coming:
        page.get_by_role("link", name="Download failed (Excel)").click()
    names, *rows = read_sheet(Path(coming.value.path()))
    assert names[:3] == ["Number", "Name", "Problem"]
    assert len(rows) == 3
    mended = [["" if name == "way" else value for name, value in zip(names, row, strict=True)] for row in rows]
    write_sheet(tmp_path / "mended.xlsx", [names, *mended])
    page.locator("input[type=file]").set_input_files(tmp_path / "mended.xlsx")
    expect(page.get_by_text("3 items go on.")).to_be_visible()
    expect(page.get_by_text("Nothing failed")).to_be_visible()


def test_the_files_are_compared_with_the_manifest_on_the_server_and_in_the_browser(
    signed_in: Opens, api: Api, product: Product, shot: Shot
) -> None:
    run_id, node = done_batch(api, product, "Month end, proven", bad=0)
    page = signed_in(f"/batches/{run_id}/{node}?tab=files")
    # The manifest is looked at where it stands.
    show = page.get_by_role("button", name=re.compile("^Preview ")).first
    show.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("pre")).to_contain_text("S-005")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(show).to_be_focused()
    # It is read in a spreadsheet, too.
    page.get_by_role("button", name="Download manifest as of now").click()
    shot(page, "batch-manifest-formats")
    with page.expect_download() as loading:
        page.get_by_role("menuitem", name="CSV with semicolons").click()
    assert loading.value.suggested_filename == "manifest.csv"
    head, *entries = loading.value.path().read_text("utf-8-sig").splitlines()
    assert head.startswith("number;key;status")
    assert len(entries) == 12
    page.get_by_role("button", name="Verify checksums").click()
    checks = page.get_by_test_id("check")
    expect(checks).to_have_count(1)
    expect(checks.first).to_contain_text("12 of 12 match")
    expect(checks.first).to_contain_text("signature is genuine")
    page.get_by_role("button", name="Verify in this browser").click()
    expect(checks).to_have_count(2)
    expect(checks.first).to_contain_text("Compared in the browser")
    shot(page, "batch-files")
    # One byte of one file is changed behind everybody's back.
    files = api.call("GET", f"W/runs/{run_id}/batches/{node}/files")["items"]
    changed = next(one for one in files if one["key"] == "S-005")
    change_a_byte(product.directory, changed["id"])
    page.get_by_role("button", name="Verify checksums").click()
    expect(checks.first).to_contain_text("11 of 12 match")
    expect(checks.first).to_contain_text("S-005.pdf (no. 5, S-005)")
    shot(page, "batch-changed")


def test_items_are_found_by_name_and_number(signed_in: Opens, api: Api, product: Product, shot: Shot) -> None:
    run_id, node = done_batch(api, product, "Month end, searched", bad=0)
    page = signed_in(f"/batches/{run_id}/{node}")
    page.get_by_label("Find by name or number").fill("S-007")
    expect(page.get_by_test_id("entry-7")).to_be_visible()
    expect(page.get_by_test_id("entry-8")).to_have_count(0)
    page.get_by_label("Find by name or number").fill("nobody")
    expect(page.get_by_text("No item is called “nobody”.")).to_be_visible()


def read_sheet(path: Path) -> list[list[Any]]:
    return CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()


def write_sheet(path: Path, rows: list[list[Any]]) -> None:
    with Workbook(path) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)


def change_a_byte(data_dir: Path, file_id: str) -> None:
    (path,) = data_dir.rglob(file_id.replace("-", ""))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
