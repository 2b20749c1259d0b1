"""Runs are found by what people call them, from the list and from anywhere; and many are acted on at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.conftest import fits
from tests.browser.editing import Opens
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
SUPPLIERS = ("Brinkmann Papier GmbH", "Hansen Druck", "Okoye Logistik", "Lindqvist Metall")


def invoices() -> dict[str, Any]:
    """An invoice comes in; one without an account fails at its check."""
    steps = [
        ("invoice", "trigger.webhook@1", "Invoice comes in", {"methods": ["POST"], "respond": "when_finished"}),
        (
            "check",
            "data.edit_fields@1",
            "Check the account",
            {"fields": [{"name": "account", "value": "{{ 1 / trigger.body.account }}"}]},
        ),
    ]
    nodes = [
        {
            "id": id_,
            "key": id_,
            "type": kind,
            "name": name,
            "config": config,
            "position": {"x": 0, "y": 140 * at},
            "settings": {},
        }
        for at, (id_, kind, name, config) in enumerate(steps)
    ]
    edge = {"id": "e", "source": "invoice", "sourceHandle": "out", "target": "check", "targetHandle": "in"}
    naming = {
        "key": "{{ trigger.body.number }}",
        "fields": [
            {"name": "supplier", "label": "Supplier", "kind": "text", "value": "{{ trigger.body.supplier }}"},
            {
                "name": "total", "label": "Total", "kind": "amount", "value": "{{ trigger.body.total }}",
                "currency": "EUR",
            },
        ],
    }  # fmt: skip
    return {
        "format": "millrace.workflow", "version": 1, "nodes": nodes, "edges": [edge], "annotations": [],
        "naming": naming,
    }  # fmt: skip


@pytest.fixture(scope="module")
def books(api: Api, product: Product) -> str:
    """Forty invoices, every fifth of which has failed; the workflow's id."""
    live = api.publish("Supplier invoices", invoices())
    for number in range(400, 440):
        body = {
            "number": f"R-2026-{number:04d}", "supplier": SUPPLIERS[number % 4], "total": f"{number * 37}.50",
            "account": 0 if number % 5 == 0 else 1,
        }  # fmt: skip
        api.client.post(product.url + live.path, json=body)
    return live.workflow


def rows(page: Page) -> Any:
    return page.locator("tbody tr")


def test_an_invoice_is_found_from_anywhere_in_two_steps_and_typing(signed_in: Opens, books: str) -> None:
    page = signed_in("/connections")
    expect(page.get_by_text("Practice company mail")).to_be_visible()
    # The pointer rests where the list will open: it chooses nothing.
    page.mouse.move(720, 330)
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog", name="Go to").get_by_role("combobox")).to_be_focused()
    page.keyboard.type("R-2026-0417")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/runs/[0-9a-f-]{36}"))
    expect(page.get_by_role("heading", name="R-2026-0417")).to_be_visible()


def test_what_is_typed_becomes_chips_that_stand_in_the_address(signed_in: Opens, books: str) -> None:
    page = signed_in("/runs")
    box = page.get_by_label("Search runs")
    conditions = page.get_by_role("list", name="Conditions").get_by_role("listitem")
    box.fill("supplier:brink total>15000")
    # Whoever pauses has it searched by already; it stays in the box, and is there once.
    page.wait_for_url(re.compile("supplier"))
    expect(page.get_by_text("Hansen Druck")).to_have_count(0)
    expect(conditions).to_have_count(0)
    box.press("Enter")
    expect(page.get_by_role("list", name="Conditions").get_by_role("listitem")).to_have_count(2)
    expect(box).to_have_value("")
    expect(page.get_by_text("Brinkmann Papier GmbH").first).to_be_visible()
    expect(page.get_by_text("Hansen Druck")).to_have_count(0)
    assert "supplier" in page.url
    page.reload()
    expect(page.get_by_role("list", name="Conditions").get_by_role("listitem")).to_have_count(2)
    page.get_by_role("button", name="Take away supplier:brink").click()
    expect(page.get_by_text("Hansen Druck").first).to_be_visible()


def test_a_filter_is_built_without_knowing_the_words(signed_in: Opens, books: str) -> None:
    page = signed_in("/runs")
    page.get_by_role("button", name="Add filter").click()
    page.get_by_label("What", exact=True).select_option("total")
    page.get_by_label("How", exact=True).select_option(">")
    page.get_by_label("Value", exact=True).fill("16100")
    expect(page.get_by_text("total>16100")).to_be_visible()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(rows(page)).to_have_count(4)


def test_what_cannot_be_understood_is_said_beside_the_box(signed_in: Opens, books: str) -> None:
    page = signed_in("/runs")
    page.get_by_label("Search runs").fill("totl>5")
    expect(page.get_by_role("alert")).to_contain_text("Did you mean “total”?")


def test_the_list_sorts_by_amount_and_keeps_the_columns_of_a_person(signed_in: Opens, books: str) -> None:
    page = signed_in("/runs")
    page.get_by_role("button", name="Total").click()
    expect(rows(page).first).to_contain_text("R-2026-0439")
    page.get_by_role("button", name="Columns").click()
    # The table has it at once; the next page asks the server.
    with page.expect_response(lambda answer: answer.request.method == "PUT" and answer.url.endswith("/runs/columns")):
        page.get_by_label("Supplier").check()
    page.keyboard.press("Escape")
    expect(page.get_by_role("columnheader", name="Supplier")).to_be_visible()
    page.reload()
    expect(page.get_by_role("columnheader", name="Supplier")).to_be_visible()
    page.get_by_role("button", name="Columns").click()
    page.get_by_label("Supplier").uncheck()


def test_a_search_is_saved_and_chosen_again(signed_in: Opens, books: str) -> None:
    page = signed_in("/runs?q=supplier:hansen")
    page.get_by_role("button", name="Save this search").click()
    page.get_by_label("Name").fill("Hansen")
    page.get_by_role("button", name="Save", exact=True).click()
    saved = page.get_by_role("group", name="Saved searches")
    expect(saved.get_by_role("button", name="Hansen", exact=True)).to_have_attribute("aria-pressed", "true")
    saved.get_by_role("button", name="All").click()
    expect(page.get_by_text("Brinkmann Papier GmbH").first).to_be_visible()
    saved.get_by_role("button", name="Failed or waiting, last 7 days").click()
    expect(rows(page)).to_have_count(8)
    saved.get_by_role("button", name="Hansen", exact=True).click()
    expect(page.get_by_text("Brinkmann Papier GmbH")).to_have_count(0)


def test_the_list_of_all_runs_is_opened_with_a_saved_search(signed_in: Opens, books: str, api: Api) -> None:
    made = api.call("POST", "W/runs/views", {"name": "Of Okoye", "search": {"q": "supplier:okoye"}})
    page = signed_in("/runs?q=supplier%3Aokoye")
    saved = page.get_by_role("group", name="Saved searches")
    chip = saved.get_by_role("button", name=re.compile("^Of Okoye"))
    expect(chip).to_have_attribute("aria-pressed", "true")
    saved.get_by_role("button", name="More for “Of Okoye”").click()
    page.get_by_role("menuitem", name="Open the list with this").click()
    expect(chip).to_contain_text("opened first")
    page.goto("/runs")
    expect(chip).to_have_attribute("aria-pressed", "true")
    expect(rows(page).first).to_contain_text("Okoye Logistik")
    expect(page.get_by_text("Brinkmann Papier GmbH")).to_have_count(0)
    # A part of it is changed; and everything is still to be had, also after going away and coming back.
    page.get_by_role("button", name="Failed", exact=True).click()
    expect(page).to_have_url(re.compile(r"okoye.*dead_lettered|dead_lettered.*okoye"))
    saved.get_by_role("button", name="All").click()
    expect(page.get_by_text("Brinkmann Papier GmbH").first).to_be_visible()
    page.reload()
    expect(page.get_by_text("Brinkmann Papier GmbH").first).to_be_visible()
    expect(saved.get_by_role("button", name="All")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="Home").first.click()
    page.get_by_role("link", name="Runs", exact=True).first.click()
    expect(chip).to_have_attribute("aria-pressed", "true")
    # The runs of one workflow are opened with nothing.
    page.goto(f"/workflows/{books}/runs")
    expect(page.get_by_text("Brinkmann Papier GmbH").first).to_be_visible()
    api.call("DELETE", f"W/runs/views/{made['id']}")
    page.goto("/runs")
    expect(page.get_by_text("Brinkmann Papier GmbH").first).to_be_visible()


def test_new_runs_wait_behind_a_pill(signed_in: Opens, books: str, api: Api, product: Product) -> None:
    page = signed_in("/runs?q=supplier:ito")
    expect(page.get_by_text("No runs match these filters.")).to_be_visible()
    page.goto("/runs?q=supplier:okoye")
    expect(rows(page)).to_have_count(10)
    live = api.call("GET", f"W/workflows/{books}/triggers")["items"][0]["url"]
    path = "/hooks/" + live.split("/hooks/", 1)[1]
    body = {"number": "R-2026-0998", "supplier": "Okoye Logistik", "total": "1.00", "account": 1}
    api.client.post(product.url + path, json=body)
    expect(page.get_by_role("button", name="1 new")).to_be_visible()
    expect(rows(page)).to_have_count(10)
    page.get_by_role("button", name="1 new").click()
    expect(rows(page).first).to_contain_text("R-2026-0998")


def test_many_failed_runs_are_retried_by_a_plan_and_followed_across_pages(signed_in: Opens, books: str) -> None:
    page = signed_in("/runs?q=status:failed")
    page.get_by_label("Choose all that are shown").check()
    bar = page.get_by_role("region", name="Chosen runs")
    expect(bar).to_contain_text("8 chosen")
    bar.get_by_role("button", name="Retry failed…").click()
    dialog = page.get_by_role("dialog", name="Retry from the failed step")
    expect(dialog).to_contain_text("Retry 8 runs from their failed step. 8 safe to repeat.")
    dialog.get_by_label("As fast as possible").check()
    dialog.get_by_label("Stop when too many fail again").uncheck()
    dialog.get_by_role("button", name="Retry 8 runs").click()
    drawer = page.get_by_role("region", name="Under way for many runs")
    expect(drawer).to_be_visible()
    page.get_by_role("link", name="Home").first.click()
    expect(drawer).to_contain_text("8 of 8 runs, 8 failed again.")
    drawer.get_by_role("button", name="Show…").click()
    expect(page.get_by_role("dialog")).to_contain_text("0 of 8 retried runs worked.")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [(1440, 900), (390, 844)], ids=["desk", "phone"])
def test_the_list_and_its_dialogs_are_accessible(
    signed_in: Opens, books: str, shot: Callable[[Page, str], None], dark: bool, size: tuple[int, int]
) -> None:
    name = f"run-search-{'dark' if dark else 'light'}-{size[0]}"
    viewport = {"width": size[0], "height": size[1]}
    page = signed_in("/runs?q=supplier:brink%20total%3E15000", dark=dark, viewport=viewport)
    expect(page.get_by_text("Brinkmann Papier GmbH").first).to_be_visible()
    assert findings(page) == []
    page.get_by_role("button", name="Add filter").click()
    expect(page.get_by_label("What", exact=True)).to_be_visible()
    assert findings(page) == []
    shot(page, f"{name}-add")
    page.get_by_label("What", exact=True).press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.locator("tbody input").first.check()
    shot(page, name)
    page.get_by_role("button", name="Retry failed…").click()
    expect(page.get_by_role("dialog")).to_contain_text("run from its failed step")
    assert findings(page) == []
    shot(page, f"{name}-bulk")


def test_the_list_is_used_with_the_keyboard_alone(signed_in: Opens, books: str) -> None:
    page = signed_in("/runs")
    expect(rows(page).first).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_label("Search runs")).to_be_focused()
    page.keyboard.type("supplier:lindqvist")
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="Conditions").get_by_role("listitem")).to_have_count(1)
    # The rows of before go away a moment after the condition stands there.
    expect(rows(page)).to_have_count(10)
    page.locator("tbody input").first.focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("region", name="Chosen runs")).to_contain_text("1 chosen")
    page.locator("tbody a").first.focus()
    page.keyboard.press("Tab")
    opens = rows(page).first.get_by_role("button", name="Open")
    expect(opens).to_be_focused()
    expect(opens.locator("xpath=..")).to_have_css("opacity", "1")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/runs/[0-9a-f-]{36}"))


def test_what_runs_are_called_is_said_at_publish(
    signed_in: Opens, books: str, shot: Callable[[Page, str], None]
) -> None:
    page = signed_in(f"/workflows/{books}/build")
    page.get_by_role("button", name="Publish…").click()
    dialog = page.get_by_role("dialog", name=re.compile("Publish"))
    dialog.get_by_text("What do people call one of these?").click()
    expect(dialog.get_by_label("Field", exact=True)).to_have_count(2)
    shot(page, "run-naming")
    assert findings(page) == []
    dialog.get_by_role("button", name="Add a field").click()
    dialog.get_by_label("Choose data for Value of field").select_option(label="Body › Account")
    expect(dialog.get_by_label("Field", exact=True).nth(2)).to_have_value("Account")
    expect(dialog.get_by_text("Searched as account:…")).to_be_visible()
    dialog.get_by_label("What is new?").fill("Found by account, too")
    dialog.get_by_role("button", name="Publish v2").click()
    expect(page.get_by_text("v2 is live")).to_be_visible()
    page.goto("/runs")
    page.get_by_role("button", name="Add filter").click()
    expect(page.get_by_label("What", exact=True).locator("option", has_text="Account")).to_have_count(1)


def test_a_key_leads_to_everything_that_happened_to_it(
    signed_in: Opens, books: str, shot: Callable[[Page, str], None]
) -> None:
    page = signed_in("/runs?q=R-2026-0405")
    page.locator("tbody a").first.click()
    page.get_by_role("link", name="All of R-2026-0405").click()
    page.wait_for_url("**/keys/R-2026-0405")
    expect(page.get_by_role("heading", name="R-2026-0405")).to_be_visible()
    expect(page.get_by_text("Started by webhook")).to_be_visible()
    expect(page.get_by_text("A formula could not be worked out").first).to_be_visible()
    assert findings(page) == []
    shot(page, "run-key")


def test_a_list_that_is_not_live_stands_still(signed_in: Opens, api: Api, product: Product) -> None:
    live = api.publish("Read in peace", invoices())
    body = {"supplier": "Hansen Druck", "total": "12.50", "account": 1}
    api.client.post(product.url + live.path, json=body | {"number": "P-1"})
    page = signed_in(f"/workflows/{live.workflow}/runs")
    expect(rows(page)).to_have_count(1)
    switch = page.get_by_role("switch", name="Live")
    expect(switch).to_be_checked()
    switch.focus()
    page.keyboard.press("Space")
    expect(switch).not_to_be_checked()
    page.reload()
    expect(switch).not_to_be_checked()
    expect(rows(page)).to_have_count(1)
    # A second page, which is live, has seen the new run: by then the first one would have, too.
    api.client.post(product.url + live.path, json=body | {"number": "P-2"})
    other = page.context.new_page()
    other.goto(f"{product.url}/workflows/{live.workflow}/runs")
    other.get_by_role("switch", name="Live").click()
    expect(rows(other)).to_have_count(2)
    api.client.post(product.url + live.path, json=body | {"number": "P-3"})
    expect(other.get_by_role("button", name="1 new")).to_be_visible()
    expect(rows(page)).to_have_count(1)
    expect(page.get_by_role("button", name=re.compile("new$"))).to_have_count(0)
    page.get_by_role("switch", name="Live").click()
    expect(rows(page)).to_have_count(3)


def test_the_picture_of_a_workflow_says_where_its_runs_are(
    signed_in: Opens, product: Product, books: str, shot: Callable[[Page, str], None]
) -> None:
    page = signed_in(f"/workflows/{books}/runs")
    page.get_by_role("button", name="Where are runs now?").click()
    steps = page.get_by_role("list", name="Steps with runs")
    picture = page.get_by_role("region", name="Where runs are now")
    expect(steps.get_by_role("listitem")).to_contain_text(re.compile(r"Check the account ?8 failed"))
    on_card = picture.get_by_test_id("step-check").get_by_role("link", name="8 failed at Check the account: show them")
    expect(on_card).to_be_visible()
    assert findings(page) == []
    shot(page, "run-where")
    assert "where=true" in page.url
    page.reload()
    expect(page.get_by_role("button", name="Where are runs now?")).to_have_attribute("aria-expanded", "true")
    steps.get_by_role("button").click()
    expect(page.get_by_role("list", name="Conditions")).to_contain_text("check")
    expect(page.get_by_role("list", name="Conditions")).to_contain_text("running, waiting or failed")
    expect(rows(page)).to_have_count(8)
    page.goto(f"{product.url}/workflows/{books}/runs?where=true")
    on_card.click()
    expect(page.get_by_role("list", name="Conditions")).to_contain_text("How it stands at the step failed")
    expect(rows(page)).to_have_count(8)
    assert "stands" in page.url
    assert "mode=live" in page.url


def test_a_name_of_a_hundred_letters_pushes_nothing_out(
    signed_in: Opens, api: Api, product: Product, books: str, shot: Callable[[Page, str], None]
) -> None:
    long = ("Incoming_invoices_of_all_subsidiaries_" * 3)[:100]
    live = api.publish(long, invoices())
    key = f"{long}-7"[-90:]
    api.client.post(product.url + live.path, json={"number": key, "supplier": long, "total": "1.50", "account": 0})
    page = signed_in("/runs")
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 844})
        expect(page.get_by_role("link", name=key)).to_be_visible()
        fits(page)
        box = "document.querySelector('tbody').closest('div')"
        page.wait_for_function(f"() => {box}.scrollWidth <= {box}.clientWidth")
        shot(page, f"runs-long-{width}")
    page.get_by_role("link", name=key).click()
    title = page.get_by_role("heading", level=1, name=key)
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        expect(title).to_be_visible()
        page.wait_for_function("() => document.querySelector('h1').getBoundingClientRect().width >= 120")
        fits(page)
        shot(page, f"run-long-{width}")
