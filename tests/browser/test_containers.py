"""Containers: drawing what is done for each of a list, and watching it being done."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import findings
from tests.browser.editing import Opens, edit_fields, graph, new_editor, step
from tests.product import Api, Product, Published

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
Shot = Callable[[Page, str], None]
PHONE = {"width": 390, "height": 844}


def inside(container: str, *steps: dict[str, Any]) -> list[dict[str, Any]]:
    """These steps in the body of a container."""
    return [{**one, "parent": container} for one in steps]


def each(key: str, name: str, at: tuple[int, int], items: str, **config: Any) -> dict[str, Any]:
    return step(key, "flow.for_each@1", name, at, items=items, **config)


def order() -> dict[str, Any]:
    """Order › For each line (Price › Check) › Done."""
    return graph(
        [
            step("order", "trigger.webhook@1", "Order", (0, 0)),
            each("lines", "For each line", (-24, 128), "{{ trigger.body.lines }}"),
            *inside(
                "lines",
                edit_fields("price", "Price", (0, 0), sku="{{ item.sku }}"),
                edit_fields("check", "Check", (0, 128), sku="{{ steps.price.sku }}"),
            ),
            edit_fields("done", "Done", (0, 500), count="{{ steps.lines.total }}"),
        ],
        [("order", "lines"), ("lines", "done"), ("price", "check")],
    )


def parents(document: dict[str, Any]) -> dict[str, str | None]:
    """In which container each step stands, by names."""
    names = {node["id"]: node["name"] for node in document["nodes"]}
    return {node["name"]: names.get(node.get("parent") or "") for node in document["nodes"]}


def drag(page: Page, what: Locator, to: tuple[float, float], grip: tuple[float, float] = (60, 20)) -> None:
    """Drag by a point of `what` to a point of the screen, as a hand does."""
    box = what.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + grip[0], box["y"] + grip[1])
    page.mouse.down()
    for part in range(1, 9):
        page.mouse.move(
            box["x"] + grip[0] + (to[0] - box["x"] - grip[0]) * part / 8,
            box["y"] + grip[1] + (to[1] - box["y"] - grip[1]) * part / 8,
        )
    page.mouse.up()


def middle(card: Locator) -> tuple[float, float]:
    box = card.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_for_each_with_a_step_inside_is_drawn_with_the_keyboard_alone(signed_in: Opens, api: Api, shot: Shot) -> None:
    editor = new_editor(signed_in, api, "For each by keyboard")
    page = editor.page
    editor.pick("webhook", "Webhook")
    editor.add("for each", "For each")
    frame = page.get_by_role("group", name="For each, 0 steps inside")
    expect(frame.get_by_text("Drag steps here")).to_be_visible()
    shot(page, "container-empty")
    editor.add("edit", "Edit fields")
    assert parents(editor.draft()) == {"Webhook": None, "For each": None, "Edit fields": "For each"}
    expect(page.get_by_role("group", name="For each, 1 steps inside")).to_be_visible()
    # Out of the body again, and on after the container.
    editor.press("ArrowUp")
    expect(page.get_by_test_id("step-for_each").get_by_role("button").first).to_be_focused()
    editor.add("stop", "Stop")
    assert editor.links() == {("Webhook", "out", "For each"), ("For each", "out", "Stop")}
    editor.press("ArrowUp", "ArrowDown")
    expect(page.get_by_test_id("step-edit_fields").get_by_role("button").first).to_be_focused()
    shot(page, "container-drawn")
    editor.press("Control+z", "Control+z")
    assert parents(editor.draft()) == {"Webhook": None, "For each": None}


def test_a_step_is_dragged_into_a_container_and_out_of_it(signed_in: Opens, api: Api, shot: Shot) -> None:
    editor = new_editor(signed_in, api, "In and out", order())
    page = editor.page
    shot(page, "container-editor")
    frame = editor.card("lines")
    assert findings(page) == []
    editor.settled()
    x, y = middle(frame)
    drag(page, editor.card("check"), (x + 420, y))
    expect(page.get_by_text("1 link was cut: links cannot cross the frame.")).to_be_visible()
    assert parents(editor.draft())["Check"] is None
    editor.settled()
    drag(page, editor.card("check"), (middle(frame)[0] - 80, middle(frame)[1] + 20))
    assert parents(editor.draft())["Check"] == "For each line"
    editor.press("Control+z", "Control+z")
    assert parents(editor.draft())["Check"] == "For each line"
    assert ("Price", "out", "Check") in editor.links()


def test_a_container_moves_and_goes_with_what_stands_in_it(signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, "Together", order())
    page = editor.page
    editor.settled()
    before = middle(editor.card("price"))
    head = editor.card("lines")
    box = head.bounding_box()
    assert box is not None
    drag(page, head, (box["x"] + 140, box["y"] + 22), (60, 22))
    editor.settled()
    assert abs(middle(editor.card("price"))[0] - before[0] - 80) < 9
    editor.focus("lines")
    editor.press("Delete")
    page.get_by_role("dialog").get_by_role("button", name=re.compile("Delete")).click()
    expect(editor.steps).to_have_count(2)
    assert editor.links() == {("Order", "out", "Done")}
    editor.press("Control+z")
    expect(editor.steps).to_have_count(5)


def test_i_moves_a_step_out_and_the_formula_that_it_leaves_says_so(signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, "By a list", order())
    page = editor.page
    editor.focus("price")
    editor.press("i")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Out of all containers").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_test_id("problems-bar")).to_contain_text("only known inside")
    assert parents(editor.draft())["Price"] is None


def test_the_data_list_begins_with_the_item(signed_in: Opens, api: Api, shot: Shot) -> None:
    editor = new_editor(signed_in, api, "Item", order())
    page = editor.page
    editor.card("price").get_by_role("button").first.click()
    editor.panel.get_by_role("textbox", name="Value").click()
    flyout = page.locator("[data-flyout]")
    expect(flyout.get_by_role("group").first).to_have_accessible_name("Each item of “For each line”")
    expect(flyout.get_by_text("The whole item")).to_be_visible()
    expect(flyout.get_by_text("Its place, from 0")).to_be_visible()
    shot(page, "container-data")


def test_the_outline_has_the_body_and_adds_to_it_on_a_phone(signed_in: Opens, api: Api, shot: Shot) -> None:
    document = order()
    editor = new_editor(signed_in, api, "Phone", document, viewport=PHONE)
    page = editor.page
    tree = page.get_by_role("tree", name="Outline")
    expect(tree.get_by_role("treeitem", name=re.compile("For each item, 2 steps"))).to_be_visible()
    shot(page, "container-phone")
    page.get_by_role("button", name="Add a step inside For each line").click()
    page.get_by_role("combobox").fill("stop")
    page.get_by_role("option", name=re.compile("^Stop")).first.click()
    expect(editor.panel.get_by_label("Name of the step")).to_have_value("Stop")
    editor.leave()
    assert parents(editor.draft())["Stop"] == "For each line"
    assert findings(page) == []


def decision(key: str, name: str, at: tuple[int, int], left: str, right: str) -> dict[str, Any]:
    rules = {"match": "all", "rules": [{"left": left, "op": "eq", "right": right, "type": "text"}]}
    return step(key, "flow.decision@1", name, at, conditions=rules)


def lines() -> dict[str, Any]:
    """Order › For each line (bad: Refuse; else › to be asked about: Ask somebody; else Book) › Done."""
    return graph(
        [
            step("order", "trigger.webhook@1", "Order", (0, 0)),
            each(
                "lines", "For each line", (-24, 128), "{{ trigger.body.lines }}", label="{{ item.sku }}", stop="never"
            ),
            *inside(
                "lines",
                decision("bad", "Is it bad?", (160, 0), "{{ item.sku }}", "bad"),
                step("refuse", "flow.fail@1", "Refuse", (0, 136), message="Nobody sells this: {{ item.sku }}"),
                decision("dear", "Is it dear?", (320, 136), "{{ item.sku }}", "dear"),
                step("ask", "people.approval@1", "Ask somebody", (160, 272), title="Buy {{ item.sku }}?", limit="2"),
                edit_fields("book", "Book", (480, 272), sku="{{ item.sku }}"),
            ),
            edit_fields("done", "Done", (0, 720), count="{{ steps.lines.total }}"),
        ],
        [
            ("order", "lines"),
            ("lines", "done"),
            ("bad", "yes", "refuse"),
            ("bad", "no", "dear"),
            ("dear", "yes", "ask"),
            ("dear", "no", "book"),
        ],
    )


def post(product: Product, live: Published, skus: Sequence[str]) -> str:
    """Start a run with these lines; its id."""
    body = {"lines": [{"sku": sku} for sku in skus]}
    answer = httpx2.post(product.url + live.path, json=body, timeout=30)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["run"])


def cell(page: Page, number: int) -> Locator:
    return page.get_by_test_id(f"cell-lines-{number}")


@pytest.fixture(scope="module")
def live(api: Api) -> Published:
    return api.publish("Lines", lines())


def test_the_cells_go_live_and_a_failed_item_is_opened(
    signed_in: Opens, api: Api, product: Product, live: Published, shot: Shot
) -> None:
    run = post(product, live, ["a", "dear", "bad", "c"])
    page = signed_in(f"/runs/{run}")
    # One after another: it stops at the second until somebody has decided.
    expect(cell(page, 2)).to_have_attribute("data-kind", "waiting_person")
    expect(cell(page, 1)).to_have_attribute("data-kind", "done")
    expect(cell(page, 3)).to_have_attribute("data-kind", "not_started")
    expect(page.get_by_test_id("run-facts")).to_contain_text("Waiting for a person")
    expect(page.locator('[data-step="book"][data-status="succeeded"]')).to_be_visible()
    page.evaluate("() => { window.loaded = 'once' }")
    shot(page, "items-running")
    [task] = [one for one in api.call("GET", "W/inbox")["items"] if one["title"] == "Buy dear?"]
    api.call("POST", f"W/inbox/{task['id']}/decide", {"outcome": "approved"})

    expect(cell(page, 4)).to_have_attribute("data-kind", "done")
    expect(page.locator('[data-step="done"][data-status="succeeded"]')).to_be_visible()
    # It is opened by itself: what failed is what people come for.
    expect(cell(page, 3)).to_have_attribute("data-kind", "failed")
    expect(cell(page, 3)).to_have_attribute("aria-pressed", "true")
    expect(page.locator('[data-step="refuse"][data-status="failed"]')).to_be_visible()
    cell(page, 4).click()
    expect(page.locator('[data-step="book"][data-status="succeeded"]')).to_be_visible()
    expect(page.locator('[data-step="refuse"][data-status="failed"]')).to_have_count(0)
    cell(page, 3).click()
    page.locator('[data-step="refuse"]').get_by_role("button").first.click()
    panel = page.get_by_role("region", name="Refuse")
    expect(panel).to_contain_text("Nobody sells this")
    expect(panel).to_contain_text("Item 3 · bad")
    shot(page, "items-failed")
    assert page.evaluate("() => window.loaded") == "once"
    assert findings(page) == []

    panel.get_by_role("link", name="Open its run").click()
    expect(page.get_by_role("heading", name="3 of 4")).to_be_visible()
    expect(page.locator("[data-step]")).to_have_count(5)
    expect(page.locator('[data-step="refuse"][data-status="failed"]')).to_be_visible()
    shot(page, "items-own-run")
    page.get_by_role("link", name="For each line").click()
    expect(page).to_have_url(re.compile(rf"/runs/{run}\?step=lines"))


def test_the_list_of_items_shows_the_failed_ones_first(
    signed_in: Opens, product: Product, live: Published, shot: Shot
) -> None:
    run = post(product, live, [f"s{number}" for number in range(29)] + ["bad"])
    page = signed_in(f"/runs/{run}")
    expect(page.get_by_role("heading", name="The run is done, 1 item failed")).to_be_visible(timeout=120_000)
    expect(page.get_by_test_id("run-facts")).to_contain_text("Done, 1 item failed")
    shot(page, "items-done-one-failed")
    page.goto("/runs")
    expect(page.get_by_test_id(f"run-{run}")).to_contain_text("Done, 1 item failed")
    shot(page, "items-done-in-the-list")
    page.goto(f"/runs/{run}?step=lines&tab=items")
    panel = page.get_by_role("region", name="For each line")
    expect(panel.get_by_test_id("item-30")).to_be_visible()
    expect(page.locator('[data-step="done"][data-status="succeeded"]')).to_be_visible()
    expect(panel.get_by_test_id(re.compile("^item-"))).to_have_count(1)
    expect(panel.get_by_test_id("item-30")).to_contain_text("Nobody sells this")
    shot(page, "items-many")
    panel.get_by_role("button", name="Done 29").click()
    expect(panel.get_by_test_id(re.compile("^item-"))).to_have_count(29)
    panel.get_by_test_id("item-4").get_by_role("button").click()
    expect(page.locator('[data-step="book"][data-status="succeeded"]')).to_be_visible()
    expect(page.get_by_text("4 of 30")).to_be_visible()


def test_what_is_repeated_until_it_holds_shows_its_turns(
    signed_in: Opens, api: Api, product: Product, shot: Shot
) -> None:
    document = graph(
        [
            step("order", "trigger.webhook@1", "Order", (0, 0)),
            step("again", "flow.repeat@1", "Ask until it is ready", (-24, 128), until="{{ item.asked >= 3 }}", pause=1),
            *inside("again", edit_fields("ask", "Ask", (0, 0), asked="{{ index + 1 }}")),
            edit_fields("done", "Done", (0, 400), asked="{{ steps.again.turns }}"),
        ],
        [("order", "again"), ("again", "done")],
    )
    page = signed_in(f"/runs/{post(product, api.publish('Repeated', document), [])}")
    first = page.get_by_role("group", name="Turns of Ask until it is ready")
    expect(first.get_by_role("button", name="Turn 1, Done")).to_be_visible()
    expect(page.locator('[data-step="done"][data-status="succeeded"]')).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Turn [0-9], Done$"))).to_have_count(3)
    page.get_by_role("button", name="Turn 2, Done").click()
    page.locator('[data-step="ask"]').get_by_role("button").first.click()
    expect(page.get_by_role("region", name="Ask")).to_contain_text("Turn 2")
    page.locator('[data-step="again"]').get_by_role("button").first.click()
    panel = page.get_by_role("region", name="Ask until it is ready")
    panel.get_by_role("tab", name=re.compile("Turns")).click()
    expect(panel.get_by_role("list", name="Turns of Ask until it is ready").get_by_role("listitem")).to_have_count(3)
    shot(page, "turns")
    assert findings(page) == []


def test_on_a_phone_the_items_are_a_list_that_leads_to_their_runs(
    signed_in: Opens, product: Product, live: Published, shot: Shot
) -> None:
    run = post(product, live, ["a", "bad"])
    page = signed_in(f"/runs/{run}", viewport=PHONE)
    page.get_by_role("button", name=re.compile("^For each line")).click()
    sheet = page.get_by_role("dialog", name="For each line")
    sheet.get_by_role("tab", name=re.compile("Items")).click()
    expect(sheet.get_by_test_id("item-2")).to_be_visible()
    shot(page, "items-phone")
    sheet.get_by_test_id("item-2").get_by_role("link").click()
    expect(page.get_by_role("heading", name="2 of 2")).to_be_visible()


def test_another_workflow_is_chosen_by_name_and_its_run_is_one_click_away(
    signed_in: Opens, api: Api, product: Product, shot: Shot
) -> None:
    called = graph(
        [
            step("called", "trigger.called@1", "Called", (0, 0)),
            edit_fields("answer", "Answer", (0, 128), ok="{{ trigger.supplier }}"),
        ],
        [("called", "answer")],
    )
    api.publish("Check a supplier", called)
    editor = new_editor(signed_in, api, "Calls another")
    page = editor.page
    editor.pick("webhook", "Webhook")
    editor.press("a")
    page.get_by_role("combobox", name="What should happen?").fill("run another")
    editor.press("Enter")
    page.get_by_role("button", name="Workflow", exact=True).click()
    choices = page.get_by_role("group", name="Workflow", exact=True)
    expect(choices.get_by_role("button", name=re.compile("^Check a supplier"))).to_be_visible()
    shot(page, "call-picker")
    choices.get_by_role("textbox").fill("check")
    editor.press("Enter")
    # Nobody had named the step: it is called after what it runs.
    expect(editor.panel.get_by_label("Name of the step")).to_have_value("Check a supplier")
    document = editor.draft()
    [call] = [node for node in document["nodes"] if node["type"] == "flow.run_workflow@1"]
    call["config"]["input"] = "{{ trigger.body }}"
    live = api.publish("Calls", document)
    answer = httpx2.post(product.url + live.path, json={"supplier": "Brinkmann"}, timeout=30)
    page.goto(f"/runs/{answer.json()['run']}?step={call['id']}")
    page.get_by_role("link", name=re.compile("The run of the other workflow")).click()
    expect(page.locator('[data-step="answer"][data-status="succeeded"]')).to_be_visible()
    expect(page.locator("[data-step]")).to_have_count(2)
    expect(page.get_by_role("navigation").get_by_role("link", name="Check a supplier")).to_be_visible()


def test_containers_in_containers_in_the_dark(signed_in: Opens, api: Api, product: Product, shot: Shot) -> None:
    """Every order of a list, and every line of each."""
    document = graph(
        [
            step("start", "trigger.webhook@1", "Orders", (0, 0)),
            each("orders", "For each order", (-48, 128), "{{ trigger.body.orders }}", label="{{ item.number }}"),
            *inside("orders", each("lines", "For each line", (0, 0), "{{ item.lines }}", label="{{ item }}")),
            *inside("lines", edit_fields("price", "Price", (0, 0), sku="{{ item }}")),
        ],
        [("start", "orders")],
    )
    live = api.publish("Nested", document)
    orders = [{"number": "SO-1", "lines": ["a", "b"]}, {"number": "SO-2", "lines": ["c", "d", "e"]}]
    answer = httpx2.post(product.url + live.path, json={"orders": orders}, timeout=30)
    run = answer.json()["run"]
    page = signed_in(f"/runs/{run}", dark=True)
    expect(page.get_by_test_id("cell-lines-2")).to_have_attribute("data-kind", "done")
    expect(page.get_by_test_id(re.compile("^cell-lines-"))).to_have_count(2)
    page.get_by_test_id("cell-orders-2").click()
    expect(page.get_by_test_id(re.compile("^cell-lines-"))).to_have_count(3)
    page.get_by_test_id("cell-lines-3").click()
    page.locator('[data-step="price"]').get_by_role("button").first.click()
    panel = page.get_by_role("region", name="Price")
    expect(panel).to_contain_text("Item 3 · e")
    panel.get_by_role("tab", name="Output").click()
    expect(panel.get_by_text("e", exact=True)).to_be_visible()
    shot(page, "items-nested-dark")
    assert findings(page) == []
    panel.get_by_role("link", name="Open its run").click()
    expect(page.get_by_role("heading", name="3 of 3")).to_be_visible()
    for name in ("For each order", "For each line"):
        expect(page.get_by_role("navigation").get_by_role("link", name=name)).to_be_visible()


def test_what_the_items_did_is_undone_with_their_run(signed_in: Opens, api: Api, product: Product, shot: Shot) -> None:
    def http(key: str, name: str, at: tuple[int, int], path: str, **body: str) -> dict[str, Any]:
        url = f"http://practice-company{path}"
        return step(key, "http.request@1", name, at, method="POST", url=url, body_type="json", json_body=body)

    document = graph(
        [
            step("order", "trigger.webhook@1", "Order", (0, 0)),
            each("lines", "For each line", (-24, 128), "{{ trigger.body.lines }}"),
            *inside(
                "lines",
                http(
                    "invoice",
                    "Create invoice",
                    (0, 0),
                    "/invoices",
                    order="{{ item }}",
                    customer="Brinkmann Papier",
                    amount="10.00",
                    currency="EUR",
                    reference="{{ run.id }}",
                ),
                http("void", "Void the invoice", (352, 0), "/invoices/{{ run.id }}/void", reason="Undone"),
            ),
        ],
        [("order", "lines"), ("invoice", "undo", "void")],
    )
    live = api.publish("Invoices of an order", document)
    answer = httpx2.post(product.url + live.path, json={"lines": ["SO-1", "SO-2"]}, timeout=30)
    page = signed_in(f"/runs/{answer.json()['run']}")
    expect(page.get_by_role("heading", name="The run is done")).to_be_visible()
    page.get_by_role("button", name="Undo run…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("For each line")
    dialog.get_by_role("textbox").fill("Both were wrong")
    dialog.get_by_role("button", name=re.compile("^Undo")).last.click()
    expect(page.locator('[data-testid="run-facts"][data-status="compensated"]')).to_be_visible()
    undo = page.get_by_role("button", name=re.compile("^Undo of For each line Undoes"))
    expect(undo).to_have_attribute("data-status", "done")
    expect(page.get_by_test_id("step-lines").get_by_role("button").first).to_have_accessible_name(re.compile("Undone"))
    expect(page.locator('[data-step="void"][data-status="succeeded"]')).to_be_visible()
    shot(page, "items-undone")
    undo.click()
    expect(page.get_by_role("region", name="Undo of For each line")).to_contain_text("Undoes “For each line”")
