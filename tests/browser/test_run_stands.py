"""What the run view tells of a run: when it is tried again, what its cards decided by, and why nothing happens."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import fits
from tests.browser.editing import edit_fields, graph, step
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.browser.test_inbox import question_of
from tests.browser.test_retrying import wait_for_end, write
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
Opens = Callable[..., Page]
Shot = Callable[[Page, str], None]
GIVEN = {"number": "R-2026-0417", "total": 13412.8, "currency": "EUR", "country": "DE"}


def invoice(fault: str = "") -> dict[str, Any]:
    """Total over 10,000? › which country › approve › post, which is tried again in an hour where there is a fault."""
    rules = [{"left": "{{ trigger.total }}", "op": "gt", "right": "10000", "type": "number"}]
    if_over = {"match": "all", "rules": rules}
    cases = [{"id": "de", "name": "Germany", "value": "DE"}]
    by_country = {"mode": "value", "value": "{{ trigger.country }}", "cases": cases}
    asked = {"order": "{{ run.id }}", "customer": "C-200", "amount": 5, "currency": "EUR"}
    post = write("post", "Post to ERP", (0, 512), f"{fault}/invoices", asked)
    post["settings"] = {"retry": {"attempts": 5, "strategy": "fixed", "first_seconds": 3600, "jitter": 0}}
    return graph(
        [
            step("start", "trigger.manual@1", "Invoice received", (0, 0)),
            step("big", "flow.decision@1", "Is the total over 10,000?", (0, 128), conditions=if_over),
            step("where", "flow.switch@1", "Which country?", (0, 256), **by_country),
            step("ask", "people.approval@1", "Ask finance to approve", (0, 384), title="Pay {{ trigger.number }}?"),
            post,
            edit_fields("done", "Done", (0, 640), done="yes"),
        ],
        [
            ("start", "big"),
            ("big", "yes", "where"),
            ("where", "de", "ask"),
            ("ask", "approved", "post"),
            ("post", "done"),
        ],
    )


def begin(api: Api, name: str, document: dict[str, Any]) -> str:
    live = api.publish(name, document)
    run = str(api.call("POST", f"W/workflows/{live.workflow}/runs", {"input": GIVEN})["id"])
    api.call("POST", f"W/inbox/{question_of(api, run)}/decide", {"outcome": "approved"})
    return run


def until(api: Api, run: str, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while True:
        found: dict[str, Any] = api.call("GET", f"W/runs/{run}/snapshot")
        if reached(found):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def is_retrying(found: dict[str, Any]) -> bool:
    return any(one["status"] == "retrying" for one in found["steps"])


def test_a_step_that_is_tried_again_in_an_hour_is_tried_now(signed_in: Opens, api: Api, shot: Shot) -> None:
    run = begin(api, "Tried now", invoice("/with/fail=503*1"))
    until(api, run, is_retrying)
    page = signed_in(f"/runs/{run}", viewport={"width": 1440, "height": 900})
    page.get_by_test_id("step-post").click()
    panel = page.get_by_role("region", name="Post to ERP")
    expect(panel.get_by_text("try 2 of 5")).to_be_visible()
    shot(page, "run-retrying")
    again = panel.get_by_role("button", name="Try now")
    again.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("step-post")).to_have_attribute("data-status", "succeeded")
    expect(again).to_have_count(0)
    wait_for_end(api, run)


@pytest.mark.parametrize("size", SIZES)
def test_the_cards_say_what_decided_who_answered_and_what_came_of_it(
    size: str, signed_in: Opens, api: Api, shot: Shot
) -> None:
    run = begin(api, f"Cards that tell, {size}", invoice())
    wait_for_end(api, run)
    page = signed_in(f"/runs/{run}", viewport=SIZES[size])
    lines = ["13,412.80 → Yes", "DE → Germany", "Approved by Alice", "201"]
    if SIZES[size]["width"] < 900:
        for line in lines:
            expect(page.get_by_role("list", name="Steps").get_by_text(line)).to_be_visible()
    else:
        for key, line in zip(("big", "where", "ask", "post"), lines, strict=True):
            expect(page.get_by_test_id(f"step-{key}")).to_contain_text(line)
    fits(page)
    for theme in THEMES[size]:
        page.emulate_media(color_scheme=theme)
        shot(page, f"run-cards-{size}-{theme}")
    readable(page, size, "run-cards", shot)


def test_a_sensitive_value_is_dots_on_the_card(signed_in: Opens, api: Api) -> None:
    workspace = f"/workspaces/{api.workspace}"
    before = api.call("GET", workspace)["sensitive_fields"]
    api.call("PATCH", workspace, {"sensitive_fields": ["country"]})
    try:
        run = begin(api, "Cards with dots", invoice())
        wait_for_end(api, run)
        page = signed_in(f"/runs/{run}", viewport={"width": 1440, "height": 900})
        expect(page.get_by_test_id("step-where")).to_contain_text("•••• → Germany")
        expect(page.get_by_test_id("step-big")).to_contain_text("13,412.80 → Yes")
    finally:
        api.call("PATCH", workspace, {"sensitive_fields": before})


@pytest.mark.parametrize("size", SIZES)
def test_a_run_says_where_it_stands_in_line_and_that_it_is_stuck(
    size: str, signed_in: Opens, api: Api, shot: Shot
) -> None:
    run = begin(api, f"In line, {size}", invoice("/with/fail=503*1"))
    until(api, run, is_retrying)
    page = signed_in("/runs", viewport=SIZES[size])
    told: dict[str, Any] = {"line": {"ahead": 14, "more": False, "seconds": 20}, "stuck": None}
    page.route("**/standing", lambda route: route.fulfill(json=told) if run in route.request.url else route.continue_())
    page.goto(f"/runs/{run}")
    expect(page.get_by_test_id("in-line")).to_have_text("In line: 14 runs ahead, about 20 sec")
    fits(page)
    shot(page, f"run-in-line-{size}")
    since = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - 360))
    why = {"reason": "lease_over", "since": since, "expected_ms": 30_000, "workers": 2, "may_take_up": False}
    told.update(line=None, stuck=why)
    stuck = page.get_by_test_id("stuck")
    expect(stuck).to_contain_text("No sign of life for 6 min")
    expect(stuck).to_contain_text("Expected under 30 sec.")
    fits(page)
    for theme in THEMES[size]:
        page.emulate_media(color_scheme=theme)
        shot(page, f"run-stuck-{size}-{theme}")
    stuck.get_by_role("link", name="Check workers").click()
    expect(page.get_by_role("heading", name="Workers")).to_be_visible()
