"""Files are looked at where they stand: documents, pictures, tables and texts; nothing in them is carried out."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page, expect
from reportlab.pdfgen.canvas import Canvas

from tests.browser.editing import Opens, edit_fields, graph, step
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.browser.test_files import row, upload
from tests.browser.test_inbox import pick, question_of, start
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
Shot = Callable[[Page, str], None]

IS_DRAWN = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  for (let at = 0; at < data.length; at += 4) if (data[at] < 99 && data[at + 3] === 255) return true;
  return false;
}"""
#: Of so many pages only those near by are drawn, and none of them larger than it may be.
FEW = """() => {
  const drawn = [...document.querySelectorAll("[data-page] canvas")].map((one) => one.width * one.height);
  return drawn.length > 0 && drawn.length <= 4 && Math.max(...drawn) <= 8_000_000;
}"""

#: How wide the pages are that are drawn.
WIDEST = """() => Math.max(0, ...[...document.querySelectorAll("[data-page] canvas")].map((one) => one.clientWidth))"""


def pdf(pages: int, password: str | None = None) -> bytes:
    """A document whose font every reader has to bring itself."""
    out = io.BytesIO()
    canvas = Canvas(out, encrypt=password)
    for number in range(1, pages + 1):
        canvas.setFont("Helvetica", 24)
        canvas.drawString(72, 700, f"Sheet {number} of the contract")
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def by_hand(*objects: str) -> bytes:
    """A PDF of these objects, numbered from 1; the first is its catalog."""
    data, places = b"%PDF-1.7\n", []
    for number, said in enumerate(objects, 1):
        places.append(len(data))
        data += f"{number} 0 obj\n{said}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    end = f"trailer\n<</Size {size} /Root 1 0 R>>\nstartxref\n{len(data)}\n%%EOF\n"
    return data + f"xref\n0 {size}\n0000000000 65535 f \n{table}{end}".encode()


def endless() -> bytes:
    """Two pages, and the word that there are five hundred million."""
    return by_hand(
        "<</Type /Catalog /Pages 2 0 R>>",
        "<</Type /Pages /Count 500000001 /Kids [3 0 R 4 0 R]>>",
        "<</Type /Pages /Count 500000000 /Parent 2 0 R /Kids [5 0 R]>>",
        "<</Type /Page /Parent 2 0 R /MediaBox [0 0 600 800]>>",
        "<</Type /Page /Parent 3 0 R /MediaBox [0 0 600 800]>>",
    )


def line(width: float, height: float) -> bytes:
    """A page that is nothing but a line."""
    return by_hand(
        "<</Type /Catalog /Pages 2 0 R>>",
        "<</Type /Pages /Count 1 /Kids [3 0 R]>>",
        f"<</Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}]>>",
    )


def kept(api: Api, name: str, data: bytes) -> dict[str, Any]:
    """A file of the workspace, as data has it."""
    answer = api.client.post(
        f"/api/v1/workspaces/{api.workspace}/files?name={name}", content=data, headers={"X-CSRFToken": api.csrf}
    )
    assert answer.status_code == 201, answer.text
    return {key: answer.json()[key] for key in ("id", "name", "mime", "size", "sha256")}


def scan() -> bytes:
    """A picture like a photographed receipt."""
    image = Image.new("RGB", (640, 900), "white")
    pen = ImageDraw.Draw(image)
    for line in range(12):
        pen.rectangle((60, 80 + line * 60, 580 - line * 22, 100 + line * 60), fill=(40, 44, 60))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def invoice(title: str, file: str) -> dict[str, Any]:
    """A document is made, and somebody is asked about it."""
    paper = step("paper", "documents.create@1", "Write the invoice", (0, 150), data={"number": "2026-0417"})
    paper["config"]["name"] = "Invoice 2026-0417"
    blocks = [
        {"kind": "title", "text": "Invoice {{ data.number }}"},
        *({"kind": "text", "text": "Paper for the office, 40 boxes\n" * 45} for _ in range(3)),
    ]
    paper["config"]["design"] = {"version": 1, "title": "Invoice", "blocks": blocks}
    facts = [
        {"name": "Supplier", "value": "Brinkmann Papier"},
        {"name": "Invoice", "value": "{{ steps.paper.file }}"},
        {"name": "Rows", "value": file},
    ]
    ask = step("ask", "people.approval@1", "Approve the invoice", (0, 300), title=title, facts=facts)
    return graph(
        [step("start", "trigger.manual@1", "Invoice comes in", (0, 0)), paper, ask],
        [("start", "paper"), ("paper", "ask")],
    )


def shown_page(where: Locator, number: int) -> Locator:
    """A page of the document that is drawn."""
    sheet = where.locator(f'[data-page="{number}"]')
    expect(sheet).to_have_attribute("data-state", re.compile("drawn|bare"))
    return sheet


def look(page: Page, name: str) -> Locator:
    """Open a file of the page Files over it."""
    row(page, name).get_by_role("button", name=f"Preview {name}").click()
    dialog = page.get_by_role("dialog", name=name)
    expect(dialog).to_be_visible()
    return dialog


def opened(api: Api, name: str) -> list[str]:
    """What is on record of a file, the oldest first."""
    items = api.call("GET", "W/audit?kind=file")["items"]
    return [one["verb"] for one in reversed(items) if one["object"]["name"] == name]


def test_whoever_is_asked_sees_the_invoice_that_the_run_has_made(signed_in: Opens, api: Api, shot: Shot) -> None:
    run = start(api, "Pay by sight", invoice("Pay the invoice?", "none"))
    task = question_of(api, run)
    page = signed_in("/inbox")
    question = pick(page, task)
    expect(question.get_by_role("button", name="Hide the preview of Invoice 2026-0417.pdf")).to_be_visible()
    first = shown_page(question, 1)
    assert first.locator("canvas").evaluate(IS_DRAWN)
    expect(first).to_contain_text("Invoice 2026-0417")
    expect(question.get_by_text(re.compile("Page 1 of [3-9]"))).to_be_visible()
    shot(page, "preview-inbox")
    question.get_by_role("button", name="Next page").click()
    expect(question.get_by_text(re.compile("Page 2 of"))).to_be_visible()
    shown_page(question, 2)
    question.get_by_role("button", name=re.compile("^Hide the preview")).click()
    expect(question.locator("canvas")).to_have_count(0)
    with page.expect_download() as loaded:
        question.get_by_role("link", name="Download Invoice 2026-0417.pdf").click()
    assert loaded.value.path().read_bytes().startswith(b"%PDF-")

    page.goto(f"/runs/{run}?step=paper")
    page.get_by_role("tab", name="Output").click()
    page.get_by_role("button", name="Preview Invoice 2026-0417.pdf").click()
    dialog = page.get_by_role("dialog", name="Invoice 2026-0417.pdf")
    shown_page(dialog, 1)
    shot(page, "preview-run")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Preview Invoice 2026-0417.pdf")).to_be_focused()


def test_of_two_hundred_pages_only_those_near_by_are_in_memory(signed_in: Opens, shot: Shot) -> None:
    page = signed_in("/files")
    upload(page, "Contract.pdf", pdf(200), "application/octet-stream")
    dialog = look(page, "Contract.pdf")
    expect(shown_page(dialog, 1)).to_contain_text("Sheet 1 of the contract")
    assert dialog.locator('[data-page="1"] canvas').evaluate(IS_DRAWN)
    sheets = dialog.get_by_role("group", name="Contract.pdf, 200 pages")
    expect(sheets.locator("[data-page]")).to_have_count(200)
    sheets.focus()
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_text("Page 2 of 200")).to_be_visible()
    page.keyboard.press("End")
    expect(dialog.get_by_text("Page 200 of 200")).to_be_visible()
    expect(shown_page(dialog, 200)).to_contain_text("Sheet 200 of the contract")
    page.wait_for_function(FEW)
    for number in range(150, 100, -10):
        sheets.evaluate("(box, at) => { box.scrollTop = box.children[at].offsetTop }", number)
        shown_page(dialog, number + 1)
    page.wait_for_function(FEW)
    before = page.evaluate(WIDEST)
    page.keyboard.press("+")
    expect(dialog.get_by_text("125%")).to_be_visible()
    page.wait_for_function(f"before => ({WIDEST})() > before * 1.2", arg=before)
    shot(page, "preview-zoomed")
    dialog.get_by_role("button", name="Close").click()
    expect(row(page, "Contract.pdf").get_by_role("button", name="Preview Contract.pdf")).to_be_focused()


def test_a_document_that_says_it_has_no_end_leaves_the_inbox_as_it_is(signed_in: Opens, api: Api, shot: Shot) -> None:
    facts = [{"name": "Papers", "value": "{{ trigger.paper }}"}]
    ask = step("ask", "people.approval@1", "Ask", (0, 150), title="Read all of it?", facts=facts)
    document = graph([step("start", "trigger.manual@1", "Papers come in", (0, 0)), ask], [("start", "ask")])
    run = start(api, "Endless", document, paper=kept(api, "Endless.pdf", endless()))
    page = signed_in(f"/inbox?task={question_of(api, run)}")
    question = page.get_by_role("article")
    shown_page(question, 1)
    expect(question.get_by_text("Page 1 of 2000")).to_be_visible()
    expect(
        question.get_by_text("The first 2,000 of 500,000,001 pages are shown. This is the beginning.")
    ).to_be_visible()
    sheets = question.get_by_role("group", name="Endless.pdf, 2000 pages")
    sheets.focus()
    page.keyboard.press("End")
    expect(question.get_by_text("Page 2000 of 2000")).to_be_visible()
    shot(page, "preview-endless")


def test_of_a_list_of_many_files_the_first_have_a_line_until_more_are_asked_for(signed_in: Opens, api: Api) -> None:
    document = graph(
        [
            step("start", "trigger.manual@1", "Papers come in", (0, 0)),
            edit_fields("keep", "Keep", (0, 150), kept="yes"),
        ],
        [("start", "keep")],
    )
    run = start(api, "Many files", document, files=[kept(api, "Row.txt", b"x")] * 61)
    page = signed_in(f"/runs/{run}?step=start")
    page.get_by_role("tab", name="Output").click()
    lines = page.get_by_role("button", name="Preview Row.txt")
    expect(lines).to_have_count(50)
    page.get_by_role("button", name="Show 11 more files").click()
    expect(lines).to_have_count(61)


@pytest.mark.parametrize(("width", "height"), [(0.001, 14_400), (14_400, 0.001)], ids=["upright", "lying"])
def test_a_page_that_is_a_line_has_a_sheet_that_can_be_drawn(width: float, height: float, signed_in: Opens) -> None:
    page = signed_in("/files")
    name = f"Line {width}.pdf"
    upload(page, name, line(width, height))
    box = shown_page(look(page, name), 1).bounding_box()
    assert box is not None
    assert 1 / 21 < box["width"] / box["height"] < 21


def test_what_a_pdf_is_read_by_may_open_nothing(signed_in: Opens, api: Api) -> None:
    page = signed_in("/files")
    upload(page, "Small.pdf", pdf(1), "application/pdf")
    with page.expect_event("response", lambda answer: "/assets/pdf.worker." in answer.url) as loaded:
        dialog = look(page, "Small.pdf")
    assert loaded.value.headers["content-security-policy"] == "default-src 'none'; script-src 'wasm-unsafe-eval'"
    shown_page(dialog, 1)
    assert opened(api, "Small.pdf") == ["file.added", "file.downloaded"]


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("Torn.pdf", pdf(3)[:400], "This file is damaged and cannot be shown."),
        ("Locked.pdf", pdf(1, "secret"), "This PDF is protected by a password."),
        ("Torn.png", scan()[:-300] + b"x" * 10, None),
        ("Half.png", b"\x89PNG\r\n\x1a\nxx", "This file is damaged and cannot be shown."),
        ("Page.html", b"<html><script>document.title = 'taken'</script>", "Web pages and drawings of this sort"),
        ("Logo.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "Web pages and drawings"),
        ("Book.xlsx", b"PK\x03\x04" + bytes(300), "Files of this sort are not shown here."),
        ("Nothing.txt", b"", "This file is empty."),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value and " " not in value else "",
)
def test_what_cannot_be_shown_says_so_and_can_be_downloaded(
    name: str, data: bytes, says: str | None, signed_in: Opens, shot: Shot
) -> None:
    page = signed_in("/files")
    upload(page, name, data, "application/pdf")
    dialog = look(page, name)
    if says is None:
        # Browsers show as much of a picture as there is.
        expect(dialog.get_by_role("img", name=name)).to_be_visible()
    else:
        expect(dialog.get_by_role("status")).to_contain_text(says)
        shot(page, f"preview-{name}")
    expect(dialog.get_by_role("link", name="Download")).to_be_visible()
    assert page.title() == "Files · Millrace"
    assert page.locator("iframe, object, embed").count() == 0


def test_tables_texts_and_pictures_are_shown(signed_in: Opens, api: Api, shot: Shot) -> None:
    page = signed_in("/files")
    lines = ["Number;Name;Amount", *(f"P-{number:03};Müller {number};{number},50" for number in range(1, 301))]
    upload(page, "May.csv", "\r\n".join(lines).encode("cp1252"))
    dialog = look(page, "May.csv")
    table = dialog.get_by_role("table", name="May.csv")
    expect(table.get_by_role("columnheader")).to_have_text(["Number", "Name", "Amount"])
    expect(table.get_by_role("row")).to_have_count(201)
    expect(table).to_contain_text("Müller 200")
    expect(dialog.get_by_text("This is the beginning.")).to_be_visible()
    shot(page, "preview-table")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert opened(api, "May.csv") == ["file.added", "file.shown"]

    upload(page, "Notes.txt", b"First line\n<b>Second line</b>\n", "text/plain")
    dialog = look(page, "Notes.txt")
    expect(dialog.locator("pre")).to_have_text("First line\n<b>Second line</b>")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)

    upload(page, "Receipt", scan(), "text/html")
    dialog = look(page, "Receipt")
    picture = dialog.get_by_role("img", name="Receipt")
    page.wait_for_function("image => image.naturalWidth === 640", arg=picture.element_handle())
    expect(dialog.get_by_text("640 × 900")).to_be_visible()
    before = picture.evaluate("image => image.getBoundingClientRect().width")
    dialog.get_by_role("button", name="Larger").click()
    expect(dialog.get_by_text("125%")).to_be_visible()
    page.wait_for_function(
        "([image, before]) => image.getBoundingClientRect().width > before", arg=[picture.element_handle(), before]
    )


def test_a_file_that_was_removed_meanwhile_says_so(signed_in: Opens, api: Api) -> None:
    run = start(api, "Removed", invoice("Pay what is gone?", "none"))
    task = question_of(api, run)
    [made] = api.call("GET", f"W/files?run={run}")["items"]
    api.call("POST", f"W/runs/{run}/cancel", {})
    deadline = time.monotonic() + 120
    while not api.call("GET", f"W/runs/{run}")["finished_at"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    api.call("DELETE", f"W/files/{made['id']}")
    page = signed_in(f"/inbox?task={task}")
    question = page.get_by_role("article")
    question.get_by_role("button", name=re.compile("^Preview Invoice")).click()
    expect(question.get_by_text("This file was removed.")).to_be_visible()


@pytest.mark.parametrize("size", SIZES)
def test_previews_are_readable_in_either_theme_at_a_desk_and_on_a_phone(
    size: str, signed_in: Opens, api: Api, shot: Shot
) -> None:
    run = start(api, f"Readable {size}", invoice(f"Pay the readable one on the {size}?", "none"))
    task = question_of(api, run)
    page = signed_in(f"/inbox?task={task}", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    question = page.get_by_role("article")
    if size == "phone":
        question.get_by_role("button", name="Preview Invoice 2026-0417.pdf").click()
        dialog = page.get_by_role("dialog", name="Invoice 2026-0417.pdf")
        box = dialog.bounding_box()
        assert box is not None
        assert (box["x"], box["width"]) == (0, 390)
        shown_page(dialog, 1)
    else:
        shown_page(question, 1)
    readable(page, size, "preview-question", shot)
    if size == "phone":
        page.get_by_role("dialog").get_by_role("button", name="Close").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        readable(page, size, "preview-line", shot)
    page.goto("/files")
    name = f"Rows {size}.csv"
    upload(page, name, b"Number;Name\r\n" + b"1;A name that is rather long\r\n" * 30)
    expect(row(page, name)).to_be_visible()
    # What says that it was uploaded goes by itself.
    expect(page.get_by_role("button", name="Close")).to_have_count(0)
    dialog = look(page, name)
    expect(dialog.get_by_role("table")).to_be_visible()
    readable(page, size, "preview-rows", shot)
    page.keyboard.press("Escape")
    picture = f"Receipt {size}.png"
    upload(page, picture, scan(), "image/png")
    dialog = look(page, picture)
    image = dialog.get_by_role("img", name=picture).element_handle()
    page.wait_for_function("image => image.naturalWidth > 0", arg=image)
    readable(page, size, "preview-picture", shot)
    assert page.evaluate("image => getComputedStyle(image).filter", image) in ("brightness(0.92)", "brightness(1)")
