"""What acts for real is said before it acts, and undo takes back nobody else's work."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.axe import findings
from tests.browser.editing import Editor, Opens, chain, edit_fields, graph, new_editor, step
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def orders() -> dict[str, Any]:
    """A start, a step that reads, and three that change something."""
    erp = "https://erp.example.com"
    return graph(
        [
            step("orders", "trigger.webhook@1", "Orders", (0, 0)),
            step("look", "http.request@1", "Look up customer", (0, 150), method="GET", url=f"{erp}/customers"),
            step("invoice", "http.request@1", "Create invoice", (0, 300), method="POST", url=f"{erp}/invoices"),
            step("pay", "http.request@1", "Take payment", (0, 450), method="POST", url=f"{erp}/pay", send_key=False),
            step("confirm", "http.request@1", "Send confirmation", (0, 600), method="POST", url=f"{erp}/mail"),
        ],
        [("orders", "look"), ("look", "invoice"), ("invoice", "pay"), ("pay", "confirm")],
    )


def test_the_test_dialog_names_every_step_that_changes_something(signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, "Real", orders())
    repeat = editor.panel.get_by_test_id("safe-to-repeat")
    editor.card("look").click()
    expect(repeat).to_contain_text("This step only reads.")
    editor.leave()
    editor.card("pay").click()
    expect(repeat).to_contain_text("Not safe to repeat")
    expect(repeat).to_contain_text("Changes something outside.")
    editor.leave()
    editor.page.get_by_role("button", name="Test", exact=True).click()
    words = editor.page.get_by_test_id("test-writers")
    expect(words).to_contain_text("3 steps change something: Create invoice, Take payment, Send confirmation.")
    editor.page.get_by_role("dialog").get_by_role("button", name="Cancel").click()

    # Changed a moment ago and not saved yet: the dialog goes by what is on the screen.
    editor.card("look").click()
    editor.panel.get_by_label("Method", exact=True).select_option("DELETE")
    editor.press("Control+Alt+Enter")
    expect(words).to_contain_text("4 steps change something: Look up customer, Create invoice")


def test_undo_never_takes_back_what_somebody_else_saved(signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, "Together", chain())
    path = f"W/workflows/{editor.workflow}/draft"
    draft = api.call("GET", path)
    document = draft["graph"]
    document["nodes"].append(edit_fields("theirs", "Of a colleague", (320, 300), x="1"))
    document["nodes"][1]["name"] = "Renamed by a colleague"
    address = f"/api/v1/workspaces/{api.workspace}/workflows/{editor.workflow}/draft"
    headers = {"X-CSRFToken": api.csrf, "If-Match": f'"{draft["revision"]}"'}
    assert api.client.put(address, json={"graph": document}, headers=headers).status_code == 200

    editor.card("finish").click()
    name = editor.panel.get_by_label("Name of the step")
    name.fill("Mine")
    name.press("Enter")
    editor.leave()
    expect(editor.card("theirs")).to_be_visible()
    expect(editor.saved).to_be_visible()
    editor.focus("finish")
    editor.press("Control+z")
    expect(editor.card("finish")).to_contain_text("Finish")
    expect(editor.card("theirs")).to_be_visible()
    expect(editor.card("prepare")).to_contain_text("Renamed by a colleague")
    editor.press("Control+z", "Control+z")
    names = [node["name"] for node in editor.draft()["nodes"]]
    assert names == ["Orders", "Renamed by a colleague", "Finish", "Of a colleague"]


def test_while_a_test_is_shown_nothing_is_built(signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, "Shown", chain())
    editor.press("Control+Alt+Enter")
    editor.page.get_by_role("dialog").get_by_role("button", name="Run test").click()
    expect(editor.card("finish")).to_have_attribute("data-status", "succeeded")
    before = api.call("GET", f"W/workflows/{editor.workflow}/draft")["graph"]
    editor.card("finish").get_by_role("button").first.focus()
    editor.press("Delete", "Control+d", "n", "x", "Control+z")
    expect(editor.steps).to_have_count(3)
    expect(editor.page.get_by_role("button", name=re.compile("^Undo")).first).to_be_disabled()
    assert editor.draft() == before
    editor.page.get_by_test_id("test-bar").get_by_role("button", name="Back to building").last.click()
    editor.focus("finish")
    editor.press("Delete")
    expect(editor.steps).to_have_count(2)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_test_on_a_phone_shows_how_each_step_went(dark: bool, signed_in: Opens, api: Api, shot: Any) -> None:
    phone = {"width": 390, "height": 800}
    editor = new_editor(signed_in, api, f"Phone test {dark}", chain(), viewport=phone, dark=dark)
    editor.page.get_by_test_id("test-button").click()
    editor.page.get_by_role("dialog").get_by_role("button", name="Run test").click()
    expect(editor.page.get_by_test_id("test-bar")).to_contain_text("Done")
    for key in ("orders", "prepare", "finish"):
        expect(editor.page.get_by_test_id(f"test-step-{key}")).to_have_attribute("data-status", "succeeded")
    shot(editor.page, f"editor-test-phone-{'dark' if dark else 'light'}")
    assert findings(editor.page) == []
    editor.page.get_by_test_id("test-bar").get_by_role("button", name="Back to building").last.click()
    expect(editor.page.get_by_role("tree", name="Outline")).to_be_visible()


def test_the_next_person_at_this_computer_gets_nothing_of_what_was_not_saved(
    signed_in: Opens, api: Api, product: Product
) -> None:
    editor = new_editor(signed_in, api, "Shared desk", chain())
    page = editor.page
    page.route("**/draft", lambda route: route.abort() if route.request.method == "PUT" else route.continue_())
    editor.card("finish").click()
    editor.panel.get_by_label("Name of the step").fill("Only mine")
    expect(page.locator('[data-testid="save-state"][data-state="offline"]')).to_be_visible()
    page.wait_for_timeout(600)

    link = api.call("POST", "W/members", {"email": "bo@example.com", "role": "builder"})["link"]
    bo = Api(product.url)
    bo.call(
        "POST",
        "/invitations/accept",
        {"token": link.rsplit("=", 1)[-1], "name": "Bo", "password": "a steady builder 42"},
    )
    page.context.clear_cookies()
    page.context.add_cookies(
        [{"name": each.name, "value": each.value or "", "url": product.url} for each in bo.client.cookies.jar]
    )
    bo.close()
    page.goto(f"/workflows/{editor.workflow}/build")
    expect(editor.card("finish")).to_contain_text("Finish")
    page.wait_for_timeout(1500)
    assert api.call("GET", f"W/workflows/{editor.workflow}/draft")["graph"]["nodes"][2]["name"] == "Finish"


def test_a_refused_save_is_asked_about_before_another_page_opens(signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, "Refused", chain())
    page = editor.page
    refuse = '{"title": "Not now", "status": 422, "code": "refused", "detail": "Not now."}'
    page.route(
        "**/draft",
        lambda route: (
            route.fulfill(status=422, content_type="application/problem+json", body=refuse)
            if route.request.method == "PUT"
            else route.continue_()
        ),
    )
    editor.card("finish").click()
    editor.panel.get_by_label("Name of the step").fill("Kept")
    expect(page.locator('[data-testid="save-state"][data-state="failed"]')).to_be_visible()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Runs").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Your last changes are not saved")
    dialog.get_by_role("button", name="Stay here").click()
    expect(editor.panel.get_by_label("Name of the step")).to_have_value("Kept")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Runs").click()
    dialog.get_by_role("button", name="Leave without saving").click()
    expect(page).to_have_url(re.compile("/runs$"))
    page.unroute("**/draft")
    page.goto(f"/workflows/{editor.workflow}/build")
    expect(editor.card("finish")).to_contain_text("Kept")
    expect(page).to_have_title("Build · Refused · Millrace")


def test_of_two_tabs_of_one_person_the_newer_one_edits(signed_in: Opens, api: Api) -> None:
    older = new_editor(signed_in, api, "Twice", chain())
    newer = Editor(older.page.context.new_page(), api, older.workflow)
    newer.page.goto(f"/workflows/{older.workflow}/build")
    expect(newer.steps).to_have_count(3)
    bar = older.page.get_by_test_id("bar-elsewhere")
    expect(bar).to_contain_text("You opened this in another tab.")
    expect(older.page.get_by_test_id("publish-button")).to_have_count(0)
    expect(newer.page.get_by_test_id("bar-elsewhere")).to_have_count(0)
    newer.focus("finish")
    newer.press("Delete")
    newer.draft()
    bar.get_by_role("button", name="Edit here instead").click()
    expect(bar).to_have_count(0)
    expect(older.steps).to_have_count(2)
    expect(newer.page.get_by_test_id("bar-elsewhere")).to_be_visible()
