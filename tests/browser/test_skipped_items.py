"""An item of a list that failed is skipped in the inbox, with the keys or the mouse, and every page says who it was."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.editing import Opens, edit_fields, graph, step
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.browser.test_containers import each, inside
from tests.browser.test_inbox import answer, pick, question_of, start, takes_effect, votes
from tests.browser.test_retrying import wait_for_end
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
Shot = Callable[[Page, str], None]
WHY = "A double of R-0417."
ASKED = "Skip this item? Say why in the comment."


def asking(api: Api, name: str) -> tuple[str, str]:
    """A list whose second item fails and asks: the run around it, and the question."""
    lines = [{"number": f"R-{4 + at}", "amount": amount} for at, amount in enumerate((50, 0, 20))]
    listed = each(
        "each", "For each invoice", (-24, 128), "{{ trigger.lines }}", label="{{ item.number }}",
        amount="{{ item.amount }}", currency="EUR", manifest=True,
    )  # fmt: skip
    share = edit_fields("share", "Work out the share", (0, 0), of="{{ 100 / item.amount }}")
    share["settings"] = {"on_failure": "person"}
    document = graph(
        [step("start", "trigger.manual@1", "Start", (0, 0)), listed, *inside("each", share)], [("start", "each")]
    )
    run = start(api, name, document, lines=lines)
    return run, question_of(api, second_of(api, run))


def second_of(api: Api, run: str) -> str:
    """The run of the second item, as soon as there is one."""
    deadline = time.monotonic() + 120
    while len(found := api.call("GET", f"W/runs/{run}/items?node={node_of(api, run)}")["items"]) < 2:
        assert time.monotonic() < deadline, "the second item was not begun"
        time.sleep(0.1)
    return str(found[1]["run_id"])


def node_of(api: Api, run: str) -> str:
    nodes = api.call("GET", f"W/runs/{run}/snapshot")["graph"]["nodes"]
    return next(str(one["id"]) for one in nodes if one["key"] == "each")


def test_an_item_is_skipped_with_the_keys_and_says_who_and_why(signed_in: Opens, api: Api, shot: Shot) -> None:
    run, task = asking(api, "Skip with the keys")
    page = signed_in(f"/inbox?task={task}")
    question = page.get_by_role("article")
    expect(question.locator('[data-choice="skip"]')).to_be_enabled()
    comment = question.get_by_label("Comment")
    page.keyboard.press("s")
    expect(comment).to_be_focused()
    expect(question.get_by_text(ASKED)).to_be_visible()
    shot(page, "inbox-skip")
    question.get_by_role("button", name="Skip this item", exact=True).click()
    expect(comment).to_have_attribute("aria-invalid", "true")
    page.keyboard.type(WHY)
    question.get_by_role("button", name="Skip this item", exact=True).click()
    expect(page.get_by_test_id(f"task-{task}")).to_have_count(0)
    takes_effect(api, task)
    assert votes(api, task) == [("Alice", "skip")]
    wait_for_end(api, run)

    page.goto(f"/inbox?state=closed&task={task}")
    expect(page.get_by_role("article").get_by_text("Skipped").first).to_be_visible()
    page.goto(f"/runs/{run}?step={node_of(api, run)}&tab=items")
    item = page.get_by_test_id("item-2")
    expect(item).to_have_attribute("data-status", "skipped")
    expect(item).to_contain_text(f"Skipped by Alice: {WHY}")
    shot(page, "run-skipped-item")
    page.goto(f"/runs/{second_of(api, run)}")
    expect(page.get_by_role("heading", name="The run was skipped")).to_be_visible()
    expect(page.get_by_text("Skipped by Alice").first).to_be_visible()


@pytest.mark.parametrize("size", SIZES)
def test_pages_of_a_skipped_item_can_be_read(signed_in: Opens, api: Api, shot: Shot, size: str) -> None:
    run, task = asking(api, f"Skip and read {size}")
    page = signed_in("/inbox", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    question = pick(page, task)
    answer(question, "skip")
    expect(question.get_by_text(ASKED)).to_be_visible()
    readable(page, size, "inbox-skipping", shot)
    api.call("POST", f"W/inbox/{task}/decide", {"outcome": "skip", "comment": WHY})
    wait_for_end(api, run)
    page.goto(f"/batches/{run}/{node_of(api, run)}?tab=items")
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "3")
    expect(page.get_by_test_id("entry-2")).to_contain_text(f"Skipped by Alice: {WHY}")
    page.get_by_role("button", name="Skipped", exact=True).click()
    expect(page.get_by_test_id("entry-1")).to_have_count(0)
    readable(page, size, "batch-skipped", shot)
    page.goto(f"/batches/{run}/{node_of(api, run)}?tab=totals")
    expect(page.get_by_text("3 received = 2 done + 0 failed + 1 skipped + 0 came twice + 0 open")).to_be_visible()
    readable(page, size, "batch-skipped-totals", shot)
    page.evaluate("localStorage.setItem('millrace.language', 'de')")
    page.goto(f"/batches/{run}/{node_of(api, run)}?tab=items")
    expect(page.get_by_test_id("entry-2")).to_contain_text(f"Übersprungen von Alice: {WHY}")
    shot(page, f"batch-skipped-{size}-german")


def test_the_values_of_an_item_are_put_right_where_its_question_leads_to(
    signed_in: Opens, api: Api, shot: Shot
) -> None:
    run, task = asking(api, "Other values for an item")
    item = second_of(api, run)
    page = signed_in(f"/inbox?task={task}")
    question = page.get_by_role("article")
    expect(question.get_by_text("Other values for this item? Give up here", exact=False)).to_be_visible()
    expect(question.get_by_role("button", name="Fix and retry…")).to_have_count(0)
    for width, height in ((1440, 900), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            shot(page, f"inbox-mend-item-{width}-{theme}")
    page.set_viewport_size({"width": 1440, "height": 900})
    api.call("POST", f"W/inbox/{task}/decide", {"outcome": "give_up"})
    takes_effect(api, task)
    wait_for_end(api, run)

    page.goto(f"/inbox?state=closed&task={task}")
    expect(question.get_by_text("This item stands among those of its list that failed.", exact=False)).to_be_visible()
    question.get_by_role("link", name="See what failed of the list").click()
    expect(page.get_by_role("tab", name="Failed")).to_have_attribute("aria-selected", "true")
    page.get_by_label("amount, R-5").fill("10")
    page.get_by_role("button", name="Retry the changed one").click()
    expect(page.get_by_text("Nothing failed")).to_be_visible()
    wait_for_end(api, item)
    assert api.call("GET", f"W/runs/{item}")["status"] == "completed"
