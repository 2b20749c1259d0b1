"""Runs get words, by the dozen and one by one; they are found by them, and a list is kept as a file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from tests.browser.axe import findings
from tests.browser.conftest import fits
from tests.browser.editing import Opens
from tests.browser.test_run_search import SUPPLIERS, invoices, rows
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def books(api: Api, product: Product) -> list[str]:
    """Twelve invoices; the ids of their runs, the oldest first."""
    live = api.publish("Supplier invoices", invoices())
    for number in range(400, 412):
        body = {"number": f"R-2026-{number:04d}", "supplier": SUPPLIERS[number % 4], "total": f"{number}.50"}
        api.client.post(product.url + live.path, json={**body, "account": 1})
    return [run["id"] for run in reversed(api.call("GET", "W/runs")["items"])]


def put(api: Api, runs: list[str], *words: str) -> None:
    api.call("POST", "W/runs/tags", {"runs": runs, "add": list(words)})


def take_all(api: Api, runs: list[str]) -> None:
    """No run says anything any more."""
    used = api.call("GET", "W/runs/tags")["tags"]
    for start in range(0, len(used), 5):
        api.call("POST", "W/runs/tags", {"runs": runs, "remove": used[start : start + 5]})


@pytest.fixture(autouse=True)
def nothing_said(books: list[str], api: Api) -> None:
    take_all(api, books)


def row_of(page: Page, key: str) -> Any:
    return page.locator("tbody tr").filter(has_text=key)


def test_many_runs_get_a_word_and_are_found_by_it(signed_in: Opens, books: list[str], api: Api) -> None:
    put(api, books[:1], "Quarter-End")
    page = signed_in("/runs?q=supplier:brink")
    expect(rows(page)).to_have_count(3)
    page.get_by_label("Choose all that are shown").check()
    bar = page.get_by_role("region", name="Chosen runs")
    bar.get_by_role("button", name="Tag…").click()
    dialog = page.get_by_role("dialog")
    word = dialog.get_by_role("combobox", name="Add a tag")
    expect(word).to_be_focused()
    page.keyboard.type("quart")
    expect(dialog.get_by_role("option")).to_have_text(["Quarter-End"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("list", name="To be added").get_by_role("listitem")).to_have_text(["Quarter-End"])
    # What is typed and not settled is meant, too.
    page.keyboard.type("to check")
    dialog.get_by_role("button", name="Change tags of 3 runs").click()
    expect(page.get_by_text("Tags of 3 runs changed")).to_be_visible()
    expect(rows(page).first).to_contain_text("Quarter-End")
    expect(rows(page).first).to_contain_text("to check")
    page.get_by_label("Search runs").fill("tag:quarter-end")
    page.get_by_label("Search runs").press("Enter")
    expect(page.get_by_role("list", name="Conditions").get_by_role("listitem")).to_have_text(
        ["Supplier brink", "Tag quarter-end"]
    )
    expect(rows(page)).to_have_count(3)
    page.get_by_role("button", name="Save this search").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Quarter")
    page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="All", exact=True).first.click()
    expect(rows(page)).to_have_count(12)
    page.get_by_role("button", name="Quarter", exact=True).click()
    expect(rows(page)).to_have_count(3)


def test_a_filter_by_a_word_is_built_by_choosing(signed_in: Opens, books: list[str], api: Api) -> None:
    put(api, books[3:5], "to check")
    page = signed_in("/runs")
    page.get_by_role("button", name="Add filter").click()
    page.get_by_label("What", exact=True).select_option("tag")
    page.get_by_role("combobox", name="Value").click()
    page.get_by_role("option", name="to check").click()
    expect(page.get_by_text('tag:"to check"')).to_be_visible()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(rows(page)).to_have_count(2)


def test_words_take_nothing_of_the_key(signed_in: Opens, books: list[str], api: Api) -> None:
    page = signed_in("/runs")
    key = row_of(page, "R-2026-0411").locator("td[data-cell=key] a")
    expect(key).to_be_visible()
    before = key.bounding_box()
    put(api, books[-1:], "a word of just forty letters and no more", "quarter-end", "to check", "late")
    page.reload()
    expect(row_of(page, "R-2026-0411")).to_contain_text("+1")
    after = key.bounding_box()
    assert before is not None
    assert after is not None
    assert (after["x"], after["width"]) == (before["x"], before["width"])
    fits(page)


def test_a_word_is_put_on_a_run_and_taken_away_at_once(signed_in: Opens, books: list[str]) -> None:
    page = signed_in(f"/runs/{books[2]}")
    tags = page.get_by_role("list", name="Tags")
    tags.get_by_role("button", name="Tag", exact=True).click()
    word = page.get_by_role("combobox", name="Add a tag")
    expect(word).to_be_focused()
    held: list[Route] = []
    page.route("**/runs/*/tags", lambda route: route.continue_() if held else held.append(route))
    page.keyboard.type("to check")
    page.keyboard.press("Enter")
    page.keyboard.type("late")
    page.keyboard.press("Enter")
    # Both stand there before the server has heard of the second.
    expect(tags.get_by_role("link")).to_have_text(["late", "to check"])
    held[0].continue_()
    word.press("Escape")
    expect(word).to_have_count(0)
    expect(tags.get_by_role("link")).to_have_text(["late", "to check"])
    with page.expect_response(lambda answer: answer.url.endswith("/tags") and answer.request.method == "POST"):
        tags.get_by_role("button", name="Take away the tag late").click()
    expect(tags.get_by_role("link")).to_have_text(["to check"])
    page.reload()
    expect(tags.get_by_role("link")).to_have_text(["to check"])
    tags.get_by_role("link", name="to check").click()
    page.wait_for_url(re.compile("tag"))
    expect(rows(page)).to_have_count(1)


def test_a_word_that_cannot_be_kept_comes_back_into_its_field(signed_in: Opens, books: list[str]) -> None:
    page = signed_in(f"/runs/{books[4]}", viewport=PHONE)
    tags = page.get_by_role("list", name="Tags")
    tags.get_by_role("button", name="Tag", exact=True).click()
    word = page.get_by_role("combobox", name="Add a tag")
    expect(word).to_be_focused()
    page.route("**/runs/*/tags", lambda route: route.fulfill(status=503, json={"title": "The database is away."}))
    page.keyboard.type("to check")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("“to check” was not added")
    expect(tags.get_by_role("link")).to_have_count(0)
    expect(word).to_have_value("to check")
    page.unroute("**/runs/*/tags")
    page.get_by_role("alert").get_by_role("button", name="Try again").click()
    expect(tags.get_by_role("link")).to_have_text(["to check"])
    expect(page.get_by_role("button", name="Take away the tag to check")).to_be_enabled()
    # Pressing elsewhere has closed the field.
    expect(word).to_have_count(0)
    # The other ways of looking at it know it, too, and it is there on coming back.
    with page.expect_response(lambda answer: "/tags" in answer.url and answer.request.method == "POST"):
        tags.get_by_role("button", name="Take away the tag to check").click()
    views = page.get_by_role("radiogroup", name="Show")
    views.get_by_role("radio", name="Timeline").click()
    expect(tags).to_have_count(0)
    views.get_by_role("radio", name="Steps").click()
    expect(tags).to_be_visible()
    expect(tags.get_by_role("link")).to_have_count(0)


@pytest.mark.parametrize("way", ["shown", "chosen"])
def test_a_list_is_kept_as_a_file(signed_in: Opens, books: list[str], api: Api, tmp_path: Path, way: str) -> None:
    put(api, books[-1:], "to check")
    page = signed_in("/runs?q=total%3E407")
    expect(rows(page)).to_have_count(5)
    place: Any = page
    if way == "chosen":
        rows(page).first.get_by_role("checkbox").check()
        place = page.get_by_role("region", name="Chosen runs")
    place.get_by_role("button", name="Export").first.click()
    with page.expect_download() as coming:
        page.get_by_role("menuitem", name="CSV: 1250.5").click()
    kept = tmp_path / "runs.csv"
    coming.value.save_as(kept)
    assert re.fullmatch(r"runs-\d{4}-\d\d-\d\d\.csv", coming.value.suggested_filename)
    text = kept.read_bytes().decode()
    assert text.startswith("\ufeff")
    found = list(csv.DictReader(io.StringIO(text[1:])))
    assert [row["Key"] for row in found] == [f"R-2026-{number:04d}" for number in ((411,) if way == "chosen" else
        range(411, 406, -1))]  # fmt: skip
    assert {name: found[0][name] for name in ("Tags", "Supplier", "Total", "Total: currency")} == {
        "Tags": "to check", "Supplier": SUPPLIERS[3], "Total": "411.50", "Total: currency": "EUR",
    }  # fmt: skip


def test_of_two_quick_choices_of_columns_the_last_one_is_kept(signed_in: Opens, books: list[str]) -> None:
    page = signed_in("/runs")
    expect(rows(page)).to_have_count(12)
    held: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == "PUT" and not held:
            held.append(route)
        else:
            route.continue_()

    page.route("**/runs/columns", hold)
    page.get_by_role("button", name="Columns").click()
    page.get_by_label("Supplier").check()
    page.get_by_role("checkbox", name="Workflow").check()
    expect(page.get_by_role("columnheader", name="Workflow")).to_be_visible()
    # The first is slow; the second does not overtake it.
    last = lambda answer: answer.request.method == "PUT" and "workflow" in (answer.request.post_data or "")  # noqa: E731
    with page.expect_response(last):
        held[0].continue_()
    page.reload()
    expect(page.get_by_role("columnheader", name="Supplier")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Workflow")).to_be_visible()
    page.get_by_role("button", name="Columns").click()
    with page.expect_response(lambda answer: answer.request.method == "PUT"):
        page.get_by_label("Supplier").uncheck()
    with page.expect_response(lambda answer: answer.request.method == "PUT"):
        page.get_by_role("checkbox", name="Workflow").uncheck()


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_nothing_moves_when_live_updates_pause(
    new_page: Callable[..., Page], signed_in: Opens, books: list[str], viewport: dict[str, int],
    shot: Callable[[Page, str], None],
) -> None:  # fmt: skip
    page = signed_in("/runs", viewport=viewport)
    expect(rows(page).first).to_be_visible()
    sockets: list[WebSocketRoute] = []
    away = False

    def meet(socket: WebSocketRoute) -> None:
        if away:
            socket.close()
        else:
            socket.connect_to_server()
            sockets.append(socket)

    page.route_web_socket(re.compile("/ws"), meet)
    page.goto(f"/runs/{books[0]}")
    facts = page.get_by_test_id("run-facts").first
    expect(facts).to_be_visible()
    below = page.get_by_role("radiogroup", name="Show") if viewport is PHONE else page.locator(".react-flow")
    expect(below).to_be_visible()
    before = (facts.bounding_box(), below.bounding_box())
    away = True
    for socket in sockets:
        socket.close()
    expect(page.get_by_text(re.compile("Live updates paused"))).to_be_visible()
    assert (facts.bounding_box(), below.bounding_box()) == before
    shot(page, f"live-paused-{viewport['width']}")
    assert findings(page) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_words_and_their_dialogs_are_accessible(
    signed_in: Opens, books: list[str], api: Api, shot: Callable[[Page, str], None], dark: bool,
    viewport: dict[str, int],
) -> None:  # fmt: skip
    name = f"run-tags-{'dark' if dark else 'light'}-{viewport['width']}"
    put(
        api,
        books[-1:],
        "quarter-end",
        "to check",
        "late",
        "Ines knows more",
        "a rather long word of forty letters or s",
    )
    put(api, books[-3:], "quarter-end")
    page = signed_in("/runs", dark=dark, viewport=viewport)
    expect(row_of(page, "R-2026-0411")).to_contain_text("+2")
    fits(page)
    rows(page).first.get_by_role("checkbox").check()
    assert findings(page) == []
    shot(page, name)
    page.get_by_role("region", name="Chosen runs").get_by_role("button", name="Tag…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("combobox", name="Add a tag")).to_be_focused()
    page.keyboard.type("late,")
    expect(dialog.get_by_role("list", name="To be added").get_by_role("listitem")).to_have_count(1)
    page.keyboard.type("e")
    expect(dialog.get_by_role("option").first).to_be_visible()
    assert findings(page) == []
    shot(page, f"{name}-dialog")
    page.goto(f"/runs/{books[-1]}")
    tags = page.get_by_role("list", name="Tags")
    expect(tags.get_by_role("link")).to_have_count(5)
    fits(page)
    assert findings(page) == []
    shot(page, f"{name}-run")
    tags.get_by_role("button", name="Tag", exact=True).click()
    expect(page.get_by_role("combobox", name="Add a tag")).to_be_focused()
    assert findings(page) == []
    shot(page, f"{name}-run-add")
