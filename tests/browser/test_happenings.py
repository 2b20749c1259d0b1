"""The events of a run tell what people did in it beside what its steps did, and lead to the steps."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.test_inbox import approval, question_of, start
from tests.browser.test_looking_back import SIZES
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
Opens = Callable[..., Page]


@pytest.fixture(scope="module")
def handled(api: Api) -> str:
    """A run that was tagged, exported, and whose question was decided."""
    run = start(api, "Orders with people", approval("Approve the order"), order="PO-1", amount=12)
    api.call("POST", f"W/runs/{run}/tags", {"add": ["quarter-end"]})
    api.call("GET", f"W/runs/{run}/export")
    api.call("POST", f"W/inbox/{question_of(api, run)}/decide", {"outcome": "approved", "comment": "Agreed by phone."})
    return run


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_what_people_did_stands_among_the_events_and_leads_to_the_step(
    signed_in: Opens, handled: str, shot: Callable[[Page, str], None], size: str, dark: bool
) -> None:
    page = signed_in(f"/runs/{handled}?dock=events", dark=dark, viewport=SIZES[size])
    filters = page.get_by_role("search", name="Filter events")
    expect(page.get_by_role("cell", name=re.compile("^Approve the invoice finished"))).to_be_visible()
    expect(page.get_by_role("cell", name="Tags changed, by Alice")).to_be_visible()
    assert findings(page) == []
    shot(page, f"happenings-{size}-{'dark' if dark else 'light'}")
    filters.get_by_role("button", name="People").click()
    expect(page).to_have_url(re.compile("only=people"))
    rows = page.locator("tbody").get_by_role("row")
    expect(rows).to_have_count(4)
    expect(rows.nth(0)).to_contain_text("Accepted")
    expect(rows.nth(1)).to_contain_text("added: quarter-end")
    expect(rows.nth(2)).to_contain_text("Exported, by Alice")
    expect(rows.nth(3)).to_contain_text("Approved · “Agreed by phone.”")
    assert findings(page) == []
    shot(page, f"happenings-people-{size}-{'dark' if dark else 'light'}")
    filters.get_by_role("button", name="Steps").press("Enter")
    expect(page.get_by_text("Tags changed")).to_have_count(0)
    page.get_by_role("button", name="Show all events").click()
    page.get_by_role("button", name=re.compile("was decided, by Alice")).click()
    expect(page).to_have_url(re.compile("step="))


def test_what_somebody_does_meanwhile_comes_in_by_itself(signed_in: Opens, api: Api) -> None:
    run = start(api, "Orders that are paused", approval("Approve this"), order="PO-2", amount=12)
    page = signed_in(f"/runs/{run}?dock=events&only=people")
    expect(page.get_by_role("cell", name=re.compile("^Accepted"))).to_be_visible()
    api.call("POST", f"W/runs/{run}/pause", {"reason": "Asking the supplier."})
    expect(page.get_by_role("row").filter(has_text="Paused, by Alice")).to_contain_text("Because: Asking the supplier.")
