"""The inbox on a phone: everything within reach of a thumb, and nothing wider than the screen."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.test_inbox import answer, approval, question_of, takes_effect, votes
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
Opens = Callable[..., Page]
Shot = Callable[[Page, str], None]
PHONE = {"width": 390, "height": 844}
SMALL = {"width": 320, "height": 640}
#: The height of a button for a thumb.
THUMB = 50


def asked(api: Api, count: int) -> list[str]:
    """Open questions of one step, in the order of the inbox: the newest first."""
    live = api.publish("Pay invoices", approval("Invoice R-{{ trigger.number }}"))
    given = [{"number": number, "amount": "601.70", "order": "PO-1"} for number in range(count)]
    runs = [api.call("POST", f"W/workflows/{live.workflow}/runs", {"input": one})["id"] for one in given]
    return [question_of(api, run) for run in runs]


def test_ten_approvals_are_decided_with_one_thumb_and_a_press_each(signed_in: Opens, api: Api, shot: Shot) -> None:
    tasks = asked(api, 10)
    page = signed_in("/inbox", viewport=PHONE)
    rows = page.locator("[data-task]")
    expect(rows).to_have_count(10)
    shot(page, "inbox-phone-list")
    titles = {task: f"Invoice R-{number}" for number, task in enumerate(tasks)}
    presses = 1
    rows.first.click()
    page.wait_for_function("() => location.search.includes('task=')")
    question = page.get_by_role("article")
    decided: list[str] = []
    while len(decided) < 10:
        found = re.search(r"task=([0-9a-f-]{36})", page.evaluate("location.search"))
        assert found
        task = found[1]
        # The address may be there before the question is.
        expect(question.get_by_role("heading", level=2)).to_have_text(titles[task])
        approve = question.locator('[data-choice="approved"]')
        expect(approve).to_be_enabled()
        box = approve.bounding_box()
        assert box is not None
        assert box["height"] >= THUMB
        assert box["y"] > PHONE["height"] * 2 / 3, "where the thumb is"
        if not decided:
            shot(page, "inbox-phone-question")
        approve.click()
        presses += 1
        decided.append(task)
        # The next one opens by itself.
        page.wait_for_function("(task) => !location.href.includes(task)", arg=task)
    assert presses <= 20
    assert sorted(decided) == sorted(tasks)
    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    for task in tasks:
        takes_effect(api, task)
        assert votes(api, task) == [("Alice", "approved")]


@pytest.mark.parametrize("size", [PHONE, SMALL], ids=["390", "320"])
def test_nothing_is_wider_than_the_phone_and_every_decision_is_within_reach(
    size: dict[str, int], signed_in: Opens, api: Api, shot: Shot
) -> None:
    wide = size["width"]
    long = "Brinkmann-Papierverarbeitungsgesellschaft mit beschränkter Haftung und Compagnie"
    live = api.publish(f"Long {wide}", approval(long))
    given = {"amount": "1234567890.12", "order": "PO-" + "7" * 60}
    run = api.call("POST", f"W/workflows/{live.workflow}/runs", {"input": given})["id"]
    task = question_of(api, run)
    page = signed_in("/inbox", viewport=size)
    row = page.get_by_test_id(f"task-{task}")
    expect(row).to_be_visible()
    fits = "width => document.documentElement.scrollWidth <= width"
    page.wait_for_function(fits, arg=wide)
    shot(page, f"inbox-list-{wide}")
    row.click()
    question = page.get_by_role("article")
    expect(question.get_by_role("heading", level=2)).to_have_text(long)
    expect(question.locator('[data-choice="approved"]')).to_be_enabled()
    for choice in question.locator("[data-choice]").all():
        box = choice.bounding_box()
        assert box is not None
        assert box["height"] >= THUMB
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= wide
        assert box["y"] > size["height"] / 2
    page.wait_for_function(fits, arg=wide)
    shot(page, f"inbox-question-{wide}")
    answer(question, "rejected")
    expect(question.get_by_text("Say why, in a few words.")).to_be_visible()
    expect(question.get_by_label("Comment")).to_be_focused()
    shot(page, f"inbox-comment-{wide}")
    assert findings(page) == []
    api.call("POST", f"W/runs/{run}/cancel", {})


def test_on_a_phone_a_decision_is_taken_back_by_a_press(signed_in: Opens, api: Api, shot: Shot) -> None:
    [task] = asked(api, 1)
    page = signed_in(f"/inbox?task={task}", viewport=PHONE)
    question = page.get_by_role("article")
    answer(question, "approved")
    toast = page.get_by_role("status").filter(has_text="Takes effect in")
    expect(toast).to_be_visible()
    shot(page, "inbox-phone-undo")
    toast.get_by_role("button", name="Undo").click()
    expect(question.locator('[data-choice="approved"]')).to_be_enabled()
    assert votes(api, task) == []
    assert api.call("GET", f"W/inbox/{task}")["pending"] == []
