"""Files: uploaded, found, looked at, packed, removed; and a document made for each row of one."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import sign_in
from tests.browser.editing import Editor, Opens, graph, new_editor, step
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.browser.test_containers import inside
from tests.browser.test_retrying import wait_for_end
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
Shot = Callable[[Page, str], None]

PUPILS = [f"P-{number:03};Pupil {number};{number * 7},50" for number in range(1, 31)]
STATEMENTS = "\r\n".join(["Number;Name;Amount", *PUPILS, PUPILS[3], ""]).encode()


def upload(page: Page, name: str, data: bytes, mime: str = "text/csv") -> None:
    page.get_by_test_id("upload-input").first.set_input_files({"name": name, "mimeType": mime, "buffer": data})


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("table", name="Files").get_by_role("row").filter(has_text=name)


def packed_by(page: Page, link: str) -> list[str]:
    """What stands in the ZIP that this link brings."""
    with page.expect_download() as loaded:
        page.get_by_role("link", name=re.compile(f"^{link}")).click()
    with zipfile.ZipFile(io.BytesIO(loaded.value.path().read_bytes())) as archive:
        assert archive.testzip() is None
        return archive.namelist()


DROP = """([name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name, { type: "text/csv" }));
  const fire = (type) =>
    document.body.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
  window.dropFiles = () => fire("drop");
  fire("dragenter");
}"""


def test_a_file_is_uploaded_found_and_removed(signed_in: Opens, shot: Shot) -> None:
    page = signed_in("/files")
    expect(page.get_by_role("heading", name="No files yet")).to_be_visible()
    shot(page, "files-empty")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload").last.press("Enter")
    chooser.value.set_files({"name": "May.csv", "mimeType": "text/csv", "buffer": STATEMENTS})
    may = row(page, "May.csv")
    expect(may).to_contain_text("Table · CSV")
    expect(may).to_contain_text("Uploaded by")
    expect(may.locator("code")).to_have_text(re.compile("^[0-9a-f]{8}$"))

    page.evaluate(DROP, ["June.csv", "a;b\n1;2\n"])
    expect(page.get_by_text("Drop files to upload them")).to_be_visible()
    shot(page, "files-drop")
    page.evaluate("() => window.dropFiles()")
    expect(row(page, "June.csv")).to_contain_text("8 bytes")
    expect(page.get_by_text("Drop files to upload them")).to_have_count(0)

    page.keyboard.press("/")
    expect(page.locator("input:focus")).to_be_visible()
    page.keyboard.type("may")
    expect(row(page, "June.csv")).to_have_count(0)
    expect(may).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?q=may$"))
    page.keyboard.press("Escape")
    expect(row(page, "June.csv")).to_be_visible()

    with page.expect_download() as loaded:
        may.get_by_role("link", name="Download May.csv").click()
    assert loaded.value.path().read_bytes() == STATEMENTS
    page.get_by_role("checkbox", name="Choose all 2").check()
    expect(page.get_by_role("status").filter(has_text="2 chosen")).to_be_visible()
    shot(page, "files-chosen")
    with page.expect_download() as packed:
        page.get_by_role("link", name="Download as ZIP").click()
    with zipfile.ZipFile(io.BytesIO(packed.value.path().read_bytes())) as archive:
        assert (sorted(archive.namelist()), archive.read("May.csv")) == (["June.csv", "May.csv"], STATEMENTS)

    for name in ("June.csv", "May.csv"):
        row(page, name).get_by_role("button", name=f"Remove {name}").press("Enter")
        dialog = page.get_by_role("dialog", name=f"Remove “{name}”?")
        expect(dialog).to_contain_text("This cannot be taken back.")
        dialog.get_by_role("button", name="Remove file").click()
        expect(row(page, name)).to_have_count(0)
    expect(page.get_by_role("heading", name="No files yet")).to_be_visible()


def test_an_upload_shows_how_far_it_is_and_goes_on_after_a_failure(signed_in: Opens, shot: Shot) -> None:
    page = signed_in("/files")
    held: list[Route] = []
    page.route(re.compile(r"/files\?name="), lambda route: held.append(route))
    upload(page, "Slow.csv", b"x" * 5_000_000)
    uploads = page.get_by_role("list", name="Uploads")
    expect(uploads.get_by_role("progressbar", name="Slow.csv")).to_be_visible()
    shot(page, "files-uploading")
    # The bar is there before the request is.
    while not held:
        page.wait_for_timeout(20)
    held.pop().abort("connectionreset")
    expect(uploads.get_by_role("alert")).to_be_visible()
    shot(page, "files-upload-failed")
    page.unroute(re.compile(r"/files\?name="))
    uploads.get_by_role("button", name="Try again").click()
    expect(row(page, "Slow.csv")).to_contain_text("5 MB")
    expect(uploads).to_have_count(0)

    page.route(re.compile(r"/files\?name="), lambda route: held.append(route))
    upload(page, "Stopped.csv", b"x" * 1_000)
    uploads.get_by_role("button", name="Stop uploading Stopped.csv").click()
    expect(uploads).to_have_count(0)
    expect(row(page, "Stopped.csv")).to_have_count(0)


def statements() -> dict[str, Any]:
    """A button, then a document for each of a list that nobody has chosen yet."""
    design = {
        "version": 1,
        "title": "Statement {{ data.Number }}",
        "blocks": [{"kind": "title", "text": "{{ data.Name }}"}, {"kind": "text", "text": "{{ data.Amount }}"}],
    }
    paper = step("paper", "documents.create@1", "Write the statement", (0, 0), design=design, data="{{ item }}")
    paper["config"]["name"] = "{{ item.Number }}"
    pupils = step("pupils", "flow.for_each@1", "For each pupil", (-24, 150))
    start = step("start", "trigger.manual@1", "Start", (0, 0))
    return graph([start, pupils, *inside("pupils", paper)], [("start", "pupils")])


def take_rows_of(editor: Editor, file: str) -> None:
    panel = editor.panel
    panel.get_by_label("Where the entries come from", exact=True).select_option(label="The rows of a file (CSV, Excel)")
    panel.get_by_role("button", name=re.compile("^File: ")).click()
    panel.get_by_role("textbox", name="Search files").fill(file)
    panel.get_by_role("group", name="File").get_by_role("button", name=re.compile(f"^{file}")).click()
    expect(panel.get_by_role("button", name=re.compile("^File: "))).to_have_text(file)


def test_each_row_of_an_uploaded_file_becomes_a_document(signed_in: Opens, api: Api, shot: Shot) -> None:
    page = signed_in("/files")
    upload(page, "Pupils.csv", STATEMENTS)
    expect(row(page, "Pupils.csv")).to_be_visible()

    editor = new_editor(signed_in, api, "Statements", statements())
    editor.card("pupils").get_by_role("button").first.click()
    take_rows_of(editor, "Pupils.csv")
    editor.panel.get_by_label("Column that tells rows apart", exact=True).fill("Number")
    expect(editor.panel.get_by_text("needs a value")).to_have_count(0)
    shot(editor.page, "for-each-file")
    config = next(node for node in editor.draft()["nodes"] if node["id"] == "pupils")["config"]
    assert (config["source"], config["file"]["name"], config["key_column"]) == ("file", "Pupils.csv", "Number")

    path = f"W/workflows/{editor.workflow}"
    revision = api.call("GET", f"{path}/draft")["revision"]
    api.call("POST", f"{path}/publish", {"revision": revision, "note": "for a test"})
    run = api.call("POST", f"{path}/runs", {})["id"]
    watching = signed_in(f"/runs/{run}")
    expect(watching.get_by_text(re.compile("^30 of 30")).first).to_be_visible(timeout=300_000)
    shot(watching, "for-each-file-done")
    wait_for_end(api, run)
    assert sorted(packed_by(watching, "30 files as ZIP")) == [f"P-{number:03}.pdf" for number in range(1, 31)]
    output = api.call("GET", f"W/runs/{run}/steps/pupils")["output"]
    assert (output["total"], output["done"], output["skipped"]) == (30, 30, 1)
    assert output["results"][6]["file"]["name"] == "P-007.pdf"

    page.reload()
    expect(row(page, "P-030.pdf")).to_contain_text("Write the statement")
    expect(row(page, ".pdf")).to_have_count(30)
    row(page, "P-007.pdf").get_by_role("link", name="Statements").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("7 of 30")
    page.goto("/files?q=Pupils")
    row(page, "Pupils.csv").get_by_role("button", name="Remove Pupils.csv").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("listitem")).to_have_text("Statements: For each pupil")
    expect(dialog.get_by_role("button", name="Remove it anyway")).to_be_enabled()
    shot(page, "files-remove-used")
    page.keyboard.press("Escape")
    expect(row(page, "Pupils.csv").get_by_role("button", name="Remove Pupils.csv")).to_be_focused()


def test_more_than_are_shown_come_as_one_archive(signed_in: Opens, shot: Shot) -> None:
    page = signed_in("/files")
    names = [f"S-{number:03}.csv" for number in range(60)]
    given: Any = [{"name": name, "mimeType": "text/csv", "buffer": name.encode()} for name in (*names, "other.txt")]
    page.get_by_test_id("upload-input").first.set_input_files(given)
    expect(row(page, "other.txt")).to_be_visible(timeout=300_000)
    page.goto("/files?q=S-0")
    expect(page.get_by_role("button", name="Show more")).to_be_visible()
    assert sorted(packed_by(page, "Download all 60 as ZIP")) == names
    shot(page, "files-all")


def test_a_logo_says_which_document_it_stands_on(signed_in: Opens, api: Api) -> None:
    page = signed_in("/files")
    upload(page, "Logo.png", b"\x89PNG", "image/png")
    expect(row(page, "Logo.png")).to_contain_text("Picture · PNG")
    logo = api.call("GET", "W/files?search=Logo")["items"][0]["id"]
    design = {"version": 1, "title": "x", "blocks": [{"kind": "logo", "image": logo}]}
    paper = step("paper", "documents.create@1", "Letter", (0, 150), design=design)
    paper["config"]["name"] = "x"
    document = graph([step("start", "trigger.manual@1", "Start", (0, 0)), paper], [("start", "paper")])
    api.call("POST", "W/workflows", {"name": "Letters", "graph": document})
    row(page, "Logo.png").get_by_role("button", name="Remove Logo.png").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("listitem")).to_have_text("Letters: Letter (only in the draft)")
    dialog.get_by_role("button", name="Remove it anyway").click()
    expect(row(page, "Logo.png")).to_have_count(0)


def test_who_may_only_look_sees_files_and_changes_nothing(signed_in: Opens) -> None:
    page = signed_in("/files")
    upload(page, "Kept.csv", b"a\n1\n")
    expect(row(page, "Kept.csv")).to_be_visible()
    role = re.compile(r"/api/v1/session$")

    def as_viewer(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        for workspace in body["workspaces"]:
            workspace["role"] = "viewer"
        route.fulfill(response=answer, body=json.dumps(body))

    page.route(role, as_viewer)
    page.reload()
    expect(row(page, "Kept.csv").get_by_role("link", name="Download Kept.csv")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^(Upload|Remove)"))).to_have_count(0)


@pytest.mark.parametrize("size", SIZES)
def test_files_are_readable_in_either_theme_at_a_desk_and_on_a_phone(
    size: str, signed_in: Opens, api: Api, shot: Shot
) -> None:
    page = signed_in("/files", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    name = f"Bank statement of the whole year {size}.xlsx"
    upload(page, name, b"PK\x03\x04" + b"x" * 2_400_000, "application/vnd.openxmlformats")
    expect(row(page, name)).to_be_visible()
    # What says that it was uploaded goes by itself.
    expect(page.get_by_role("button", name="Close")).to_have_count(0)
    page.get_by_role("checkbox", name=f"Choose {name}").check()
    readable(page, size, "files", shot)
    row(page, name).get_by_role("button", name=f"Remove {name}").click()
    expect(page.get_by_role("dialog").get_by_role("button", name="Remove file")).to_be_enabled()
    readable(page, size, "files-remove", shot)


def test_files_are_shown_in_german(new_page: Callable[..., Page], product: Product, api: Api, shot: Shot) -> None:
    page = new_page(viewport=SIZES["desk"])
    sign_in(page, api)
    page.add_init_script("localStorage.setItem('millrace.language', 'de')")
    page.goto("/files")
    expect(page.get_by_role("heading", level=1, name="Dateien")).to_be_visible()
    upload(page, "Mai.csv", STATEMENTS)
    expect(page.get_by_role("button", name="Mai.csv entfernen")).to_be_visible()
    expect(page.get_by_role("link", name="Mai.csv herunterladen")).to_be_visible()
    shot(page, "files-german")


@pytest.mark.parametrize("size", SIZES)
def test_the_settings_of_rows_are_readable_in_either_theme_at_a_desk_and_on_a_phone(
    size: str, signed_in: Opens, api: Api, shot: Shot
) -> None:
    page = signed_in("/files")
    name = f"Rows {size}.csv"
    upload(page, name, STATEMENTS)
    expect(row(page, name)).to_be_visible()
    editor = new_editor(signed_in, api, f"Rows {size}", statements(), viewport=SIZES[size])
    editor.page.emulate_media(color_scheme=THEMES[size][0])
    outline = editor.page.get_by_test_id("outline-pupils")
    (editor.card("pupils").get_by_role("button").first if size == "desk" else outline).click()
    take_rows_of(editor, name)
    editor.panel.get_by_role("button", name=re.compile("^File: ")).click()
    expect(editor.panel.get_by_role("group", name="File")).to_contain_text(name)
    expect(editor.saved.first).to_be_visible()
    readable(editor.page, size, "for-each-file", shot)
