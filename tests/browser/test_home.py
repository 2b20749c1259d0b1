"""The first page: what needs somebody, and how the day goes, without loading it again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.conftest import sign_in
from tests.browser.editing import edit_fields, graph, step
from tests.browser.members import joined, member_of
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.browser.test_retrying import fire, order_to_payment
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def test_a_run_that_fails_is_seen_on_a_home_page_that_stands_open(
    signed_in: Callable[..., Page], api: Api, product: Product
) -> None:
    live = api.publish("Seen at home", order_to_payment("/paymets"))
    # Of the very first run of all, the page would lead to it.
    fire(api, product, api.publish("Ran before", order_to_payment("/payments")), "SO-7099")
    page = signed_in("/")
    attention = page.get_by_role("region", name="Needs attention")
    expect(attention).to_be_visible()
    expect(attention.get_by_text("Seen at home")).to_have_count(0)
    # Not the bars of the hours, some of which name how many failed.
    link = page.get_by_role("region", name="Last 24 hours").get_by_role("link", name=re.compile("^Failed"))
    failed = link.locator("b")
    expect(failed).to_have_text(re.compile(r"^\d+$"))
    before = failed.inner_text()
    fire(api, product, live, "SO-7100")
    expect(attention.get_by_text("Seen at home")).to_be_visible()
    expect(failed).not_to_have_text(before)
    expect(link).to_have_attribute("href", re.compile(r"/runs\?(?=.*since=24h)(?=.*dead_lettered)"))
    expect(attention.get_by_role("link", name=re.compile("dead letter"))).to_have_attribute("href", "/dead-letters")


@pytest.mark.parametrize("size", SIZES)
def test_the_last_hours_stand_in_bars_and_in_a_table_and_lead_to_their_runs(
    signed_in: Callable[..., Page], api: Api, product: Product, shot: Callable[[Page, str], None], size: str
) -> None:
    live = api.publish(f"By the hour {size}", order_to_payment("/paymets"))
    fire(api, product, live, "SO-7200")
    page = signed_in("/", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    today = page.get_by_role("region", name="Last 24 hours")
    bars = today.get_by_role("list", name="Runs of the last 24 hours, by the hour")
    expect(bars.get_by_role("link")).to_have_count(24)
    last = bars.get_by_role("link", name=re.compile(r"\d+ began · \d+ failed$"))
    expect(last.last).to_be_visible()
    readable(page, size, "home-hours", shot)

    # One of them is reached with Tab, the others with the arrow keys.
    bars.get_by_role("link").last.focus()
    page.keyboard.press("ArrowLeft")
    expect(bars.get_by_role("link").nth(22)).to_be_focused()
    page.keyboard.press("End")
    expect(bars.get_by_role("link").last).to_be_focused()
    expect(bars.locator('a[tabindex="0"]')).to_have_count(1)

    today.get_by_role("button", name="Show as table").click()
    table = today.get_by_role("table")
    expect(table.get_by_role("row")).to_have_count(25)
    numbers = "table => [...table.rows].slice(1).map(row => [1, 2].map(at => Number(row.cells[at].innerText)))"
    told = table.evaluate(numbers)
    assert (sum(one[0] for one in told) > 0, sum(one[1] for one in told) > 0) == (True, True)
    shot(page, f"home-hours-table-{size}")
    busy = next(at for at, one in enumerate(told) if one[0])
    table.get_by_role("row").nth(busy + 1).get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/runs\?(?=.*since=.*Z)(?=.*until=.*Z)(?=.*mode=live)"))
    expect(page.get_by_label("Time", exact=True)).to_have_value("times")
    expect(page.get_by_role("link", name=re.compile("SO-7200")).first).to_be_visible()


def test_what_one_is_asked_stands_first_and_what_runs_out_is_told(
    signed_in: Callable[..., Page], api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    steps = [
        step("start", "trigger.webhook@1", "Orders", (0, 0)),
        step("ask", "people.approval@1", "Approve", (0, 150), title="Pay the rent?"),
        edit_fields("keep", "Keep", (0, 300), a="1"),
    ]
    live = api.publish("Asks somebody", graph(steps, [("start", "ask"), ("ask", "approved", "keep")]))
    httpx2.post(product.url + live.path, json={}, timeout=60).raise_for_status()
    fields = {"token": "of the bank", "base_url": "https://bank.example"}
    bank = {"kind": "http_bearer", "name": "Bank", "fields": fields, "expires_on": "2020-01-01"}
    api.call("POST", "W/connections", bank)
    page = signed_in("/")
    mine = page.get_by_role("region", name="Needs you")
    expect(mine.get_by_role("link", name=re.compile("Pay the rent?"))).to_be_visible()
    expect(page.get_by_role("main").get_by_role("region").first).to_have_accessible_name("Needs you")
    attention = page.get_by_role("region", name="Needs attention")
    expect(attention.get_by_role("link", name=re.compile("Bank"))).to_contain_text("Expired")
    assert findings(page) == []
    shot(page, "home")


def test_what_cannot_be_read_says_so_in_its_place_and_is_asked_for_again(signed_in: Callable[..., Page]) -> None:
    page = signed_in("/")
    mine, attention = (page.get_by_role("region", name=name) for name in ("Needs you", "Needs attention"))
    expect(mine).to_be_visible()
    for path in ("**/inbox/count", "**/connections*"):
        page.route(path, lambda route: route.fulfill(status=500, json={"code": "internal", "title": "Away"}))
    page.reload()
    for region in (mine, attention):
        expect(region.get_by_text("This part could not be loaded.")).to_be_visible()
    for path in ("**/inbox/count", "**/connections*"):
        page.unroute(path)
    for region in (mine, attention):
        region.get_by_role("button", name="Try again").click()
        expect(region.get_by_text("This part could not be loaded.")).to_have_count(0)


@pytest.fixture
def vera(product: Product, api: Api) -> Iterator[Api]:
    """A viewer, who is gone afterwards: others share the installation."""
    person = joined(product, api, "Vera Lind", "viewer")
    yield person
    api.call("DELETE", f"W/members/{member_of(api, 'Vera Lind')}")
    person.close()


def test_the_home_page_asks_for_nothing_that_a_viewer_may_not_see(
    new_page: Callable[..., Page], api: Api, product: Product, vera: Api, shot: Callable[[Page, str], None]
) -> None:
    fire(api, product, api.publish("Seen by a viewer", order_to_payment("/payments")), "SO-7200")
    page = new_page()
    sign_in(page, vera)
    answers: dict[str, int] = {}
    page.on("response", lambda one: answers.__setitem__(one.url, one.status) if "/api/" in one.url else None)
    page.goto("/")
    expect(page.get_by_role("region", name="Last 24 hours")).to_be_visible()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    page.wait_for_load_state("networkidle")
    shot(page, "home-viewer")
    assert answers, "it asks for something"
    assert {url: status for url, status in answers.items() if status >= 400} == {}
    assert not [
        url for url in answers if re.search(r"/(connections|expiring|monitor|alerts|members|tokens|audit)\b", url)
    ]
    assert findings(page) == []


def test_the_workflows_that_one_worked_on_stand_first_and_lead_to_where_one_was(
    signed_in: Callable[..., Page], new_page: Callable[..., Page], api: Api, product: Product
) -> None:
    graph_ = graph([step("start", "trigger.manual@1", "Begin", (0, 0))], [])
    mine = api.publish("Mine for a while", graph_)
    page = signed_in("/")
    recent = page.get_by_role("region", name="Recent workflows")
    first = recent.get_by_role("link", name=re.compile("Mine for a while"))
    expect(first).to_contain_text("You published it")
    expect(first).to_contain_text("Live")
    expect(first).to_have_attribute("href", f"/workflows/{mine.workflow}/build")
    api.call("POST", f"W/workflows/{mine.workflow}/runs", {"input": {}})
    # The run is told of by itself, and the list is read anew with it.
    expect(first).to_contain_text("You ran it")
    expect(first).to_have_attribute("href", f"/workflows/{mine.workflow}/runs")
    assert findings(page) == []

    nobody = joined(product, api, "Newton Fresh", "reviewer")
    other = new_page()
    sign_in(other, nobody)
    other.goto("/")
    theirs = other.get_by_role("region", name="Recent workflows")
    expect(theirs.get_by_text("You have not edited, published or run a workflow here yet.")).to_be_visible()
    expect(theirs.get_by_role("link", name=re.compile("Mine for a while"))).not_to_contain_text("You ")
    nobody.close()


@pytest.mark.parametrize("size", SIZES)
def test_what_one_worked_on_last_is_readable(
    signed_in: Callable[..., Page], api: Api, shot: Callable[[Page, str], None], size: str
) -> None:
    api.publish(f"Read at {size}", graph([step("start", "trigger.manual@1", "Begin", (0, 0))], []))
    page = signed_in("/", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    recent = page.get_by_role("region", name="Recent workflows")
    expect(recent.get_by_role("link", name=re.compile(f"Read at {size}"))).to_be_visible()
    recent.scroll_into_view_if_needed()
    readable(page, size, "home-recent", shot)
