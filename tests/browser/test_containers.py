"""Containers: drawing what is done for each of a list, and watching it being done."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import findings
from tests.browser.editing import Editor, Opens, edit_fields, graph, new_editor, step
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(150)]
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


def test_a_for_each_with_a_step_inside_is_drawn_with_the_keyboard_alone(
    signed_in: Opens, api: Api, shot: Shot
) -> None:
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
    x, y = middle(frame)
    drag(page, editor.card("check"), (x + 420, y))
    expect(page.get_by_text("1 link was cut: links cannot cross the frame.")).to_be_visible()
    assert parents(editor.draft())["Check"] is None
    drag(page, editor.card("check"), (middle(frame)[0] - 80, middle(frame)[1] + 20))
    assert parents(editor.draft())["Check"] == "For each line"
    editor.press("Control+z", "Control+z")
    assert parents(editor.draft())["Check"] == "For each line"
    assert ("Price", "out", "Check") in editor.links()


def test_a_container_moves_and_goes_with_what_stands_in_it(signed_in: Opens, api: Api) -> None:
    editor = new_editor(signed_in, api, "Together", order())
    page = editor.page
    before = middle(editor.card("price"))
    head = editor.card("lines")
    box = head.bounding_box()
    assert box is not None
    drag(page, head, (box["x"] + 140, box["y"] + 22), (60, 22))
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
    editor.press("Escape")
    page.wait_for_timeout(200)
    assert parents(editor.draft())["Stop"] == "For each line"
    assert findings(page) == []
