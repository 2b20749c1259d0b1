"""The monitor: figures of real runs that lead to their lists, charts with their tables, and the screen on the wall."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit
from zoneinfo import ZoneInfo

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import THEMED, findings
from tests.browser.conftest import fits
from tests.browser.editing import edit_fields, graph, step
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
PHONE = {"width": 390, "height": 844}
Opens = Callable[..., Page]
Shot = Callable[[Page, str], None]
GOOD, BAD, TWICE = 60, 4, 5


@pytest.fixture(scope="module")
def busy(api: Api, product: Product) -> str:
    """A workflow of which many runs ended well, some failed, and some deliveries came twice; its id."""
    rule = {"left": "{{ trigger.body.ok }}", "op": "eq", "right": "yes", "type": "text"}
    drawn = graph(
        [
            step("start", "trigger.webhook@1", "Orders", (0, 0), dedupe="header", dedupe_header="X-Id"),
            step("known", "flow.decision@1", "Known?", (0, 150), conditions={"match": "all", "rules": [rule]}),
            edit_fields("keep", "Keep", (200, 300), ok="yes"),
            step("refuse", "flow.fail@1", "Refuse", (0, 300), message="This customer is not known."),
        ],
        [("start", "known"), ("known", "yes", "keep"), ("known", "no", "refuse")],
    )
    live = api.publish("Incoming orders", drawn)
    for number in range(GOOD + BAD):
        times = 2 if number < TWICE else 1
        for _ in range(times):
            answer = httpx2.post(
                product.url + live.path, json={"ok": "yes" if number < GOOD else "no"}, headers={"X-Id": str(number)}
            )
            assert answer.status_code < 300
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        happened = api.call("GET", "W/monitor")["happened"]
        if (happened["completed"], happened["failed"]) == (GOOD, BAD):
            return live.workflow
        time.sleep(0.2)
    pytest.fail(f"The figures did not come: {happened}")


def test_figures_are_told_and_each_leads_to_its_list(signed_in: Opens, busy: str, shot: Shot) -> None:
    page = signed_in("/monitor")
    expect(page.get_by_role("link", name="Monitor", exact=True)).to_have_attribute("aria-current", "page")
    expect(page.get_by_test_id("tile-started")).to_contain_text(str(GOOD + BAD))
    expect(page.get_by_test_id("tile-completed")).to_contain_text(str(GOOD))
    expect(page.get_by_test_id("tile-success")).to_contain_text("93.8%")
    repeated = page.get_by_test_id("tile-repeated")
    expect(repeated).to_contain_text(f"{TWICE} of {GOOD + BAD + TWICE} deliveries")
    expect(repeated).to_contain_text("7.2%")
    expect(page.get_by_test_id("tile-letters")).to_contain_text(f"{BAD} new")
    expect(page.get_by_test_id("tile-workers")).to_contain_text("1 of 1")
    expect(page.get_by_test_id("p95")).to_contain_text(re.compile(r"\d\s(ms|sec)"))
    expect(page.get_by_role("region", name="Published").get_by_role("listitem").first).to_contain_text(
        "Incoming orders"
    )
    room = page.get_by_test_id("tile-database").get_by_role("link")
    expect(room.first).to_have_attribute("href", "/settings/data")
    expect(room.last).to_have_attribute("href", "/files")
    expect(page.get_by_test_id("tile-database")).to_contain_text("free")
    shot(page, "monitor")

    page.get_by_test_id("tile-failed").get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/runs\?(?=.*dead_lettered)(?=.*since=1h)"))
    expect(page.get_by_label("Time", exact=True)).to_have_value("1h")
    page.go_back()
    page.get_by_test_id("tile-letters").get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(r"/dead-letters$"))
    page.go_back()
    repeated.get_by_role("link").click()
    expect(page).to_have_url(re.compile(f"/workflows/{busy}/starts"))
    page.go_back()
    line = page.get_by_test_id("workflow-figures").filter(has_text="Incoming orders")
    expect(line).to_contain_text("6.3%")
    ended = line.get_by_role("link", name=str(GOOD + BAD), exact=True)
    expect(ended).to_have_attribute("href", re.compile(r"/runs\?(?=.*compensated)(?=.*cancelled)(?=.*dead_lettered)"))
    expect(page.get_by_test_id("tile-late").get_by_role("link")).to_have_attribute("href", re.compile("who=anybody"))
    longest = re.compile(r"/runs\?(?=.*sort=longest)(?=.*since=1h)(?=.*completed)")
    failed = re.compile(r"/runs\?(?=.*since=1h)(?=.*dead_lettered)(?=.*mode=live)")
    for one in ("p50", "p95", "p99"):
        expect(page.get_by_test_id(one).get_by_role("link")).to_have_attribute("href", longest)
    expect(page.get_by_test_id("tile-letters").get_by_role("link", name=f"{BAD} new")).to_have_attribute("href", failed)
    expect(line.get_by_role("link", name="6.3%")).to_have_attribute("href", failed)
    expect(line.get_by_role("link", name=re.compile(r"(ms|sec|min)$"))).to_have_attribute("href", longest)
    line.get_by_role("link", name="Incoming orders").click()
    expect(page.get_by_label("Workflow", exact=True)).to_have_value(busy)
    expect(page.get_by_test_id("tile-letters").get_by_role("link").first).to_have_text(str(BAD))
    expect(page.get_by_test_id("tile-late")).to_contain_text("All workflows together")
    expect(page.get_by_role("region", name="What waits, of all workflows")).to_be_visible()
    page.get_by_label("Time", exact=True).select_option("15m")
    expect(page).to_have_url(re.compile(f"(?=.*workflow={busy})(?=.*range=15m)"))
    expect(page.get_by_test_id("tile-started")).to_contain_text(str(GOOD + BAD))
    page.get_by_test_id("tile-started").get_by_role("link").click()
    expect(page).to_have_url(re.compile(f"/runs\\?(?=.*workflow={busy})(?=.*since=15m)"))
    expect(page.get_by_label("Time", exact=True)).to_contain_text("Last 15 minutes")
    expect(page.get_by_role("table").get_by_role("link", name=re.compile(".")).first).to_be_visible()


def test_a_chart_is_also_a_table_and_a_file_and_is_read_by_keyboard(signed_in: Opens, busy: str, shot: Shot) -> None:
    page = signed_in("/monitor?range=15m")
    chart = page.get_by_role("region", name="Runs that ended", exact=True)
    picture = chart.get_by_role("img")
    picture.focus()
    page.keyboard.press("ArrowLeft")
    expect(picture).to_have_attribute("aria-label", re.compile(r"Done \d+, Failed \d+"))
    shot(page, "monitor-hint")
    chart.get_by_role("button", name="Show as table").press("Enter")
    table = chart.get_by_role("table")
    expect(table).to_be_visible()
    # In one look: with the next minute a row comes and another goes.
    read = "table => [...table.rows].slice(1).map(row => [...row.cells].map(cell => cell.innerText))"
    cells = table.evaluate(read)
    assert sum(int(row[1].replace(",", "")) for row in cells) == GOOD
    assert sum(int(row[2].replace(",", "")) for row in cells) == BAD
    with page.expect_download() as download:
        chart.get_by_role("button", name="Runs that ended as CSV").click()
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "From,Done,Failed,Undone,Cancelled"
    assert sum(int(line.split(",")[1]) for line in lines[1:]) == GOOD
    shot(page, "monitor-table")


def test_few_runs_say_so_instead_of_percentiles(signed_in: Opens, product: Product, api: Api, busy: str) -> None:
    steps = [step("start", "trigger.webhook@1", "Start", (0, 0)), edit_fields("keep", "Keep", (0, 150), a="1")]
    quiet = api.publish("Rarely", graph(steps, [("start", "keep")]))
    httpx2.post(product.url + quiet.path, json={}).raise_for_status()
    page = signed_in(f"/monitor?workflow={quiet.workflow}")
    expect(page.get_by_test_id("tile-took")).to_contain_text("Not enough data yet (1 run). Percentiles show from 50.")


def test_a_time_of_ones_own_is_asked_for(signed_in: Opens, busy: str, shot: Shot) -> None:
    page = signed_in("/monitor")
    page.get_by_label("Time", exact=True).select_option("own")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("From", exact=True).fill("2026-01-01T08:00")
    dialog.get_by_label("To", exact=True).fill("2026-01-01T08:05")
    dialog.get_by_role("button", name="Show this time").click()
    expect(dialog).to_contain_text("At least 15 minutes.")
    dialog.get_by_label("To", exact=True).fill("2026-01-02T08:00")
    dialog.get_by_role("button", name="Show this time").click()
    expect(page.get_by_test_id("tile-started")).to_contain_text("0")
    expect(page).to_have_url(re.compile("begin=.*2026-01-01"))


#: Whether the number of runs that began leads to the runs of this time.
LEADS_TO = """([since, until]) => {
  const link = document.querySelector("[data-testid=tile-started] a");
  const asked = new URL(link?.href ?? "about:blank").searchParams;
  const at = (name) => Date.parse((asked.get(name) ?? "").replaceAll('"', ""));
  return at("since") === since && at("until") === until;
}"""


def test_a_time_of_ones_own_leads_to_the_runs_of_exactly_that_time(
    signed_in: Opens, busy: str, api: Api, shot: Shot
) -> None:
    # The browser is in Berlin: what is asked for and shown is the time of the workspace all the same.
    zone = ZoneInfo("Asia/Kolkata")
    api.call("PATCH", f"/workspaces/{api.workspace}", {"time_zone": zone.key})
    try:
        runs = api.call("GET", f"W/runs?workflow={busy}&limit=200&mode=live")["items"]
        moments = sorted(datetime.fromisoformat(run["accepted_at"]) for run in runs)
        begin = moments[0].replace(second=0, microsecond=0)
        whole = (begin, begin + timedelta(minutes=30), len(runs))
        before = (begin - timedelta(minutes=45), begin, 0)
        for since, until, number in (whole, before):
            page = signed_in("/monitor")
            page.get_by_label("Time", exact=True).select_option("own")
            dialog = page.get_by_role("dialog")
            expect(dialog).to_contain_text("Times in Asia/Kolkata.")
            walls = [at.astimezone(zone).strftime("%Y-%m-%dT%H:%M") for at in (since, until)]
            for label, wall in zip(("From", "To"), walls, strict=True):
                dialog.get_by_label(label, exact=True).fill(wall)
            dialog.get_by_role("button", name="Show this time").click()
            line = page.get_by_test_id("workflow-figures").filter(has_text="Incoming orders")
            if number:
                expect(line.get_by_role("link", name=str(number), exact=True)).to_be_visible()
            # Until the figures of this time have come, those of the time before stand there, with their links.
            page.wait_for_function(LEADS_TO, arg=[at.timestamp() * 1000 for at in (since, until)])
            page.get_by_test_id("tile-started").get_by_role("link").click()
            expect(page).to_have_url(re.compile(r"/runs\?(?=.*since=)(?=.*until=)(?=.*mode=live)"))
            asked = {name: value for name, [value] in parse_qs(urlsplit(page.url).query).items()}
            # Whole minutes are counted: the range is the one that was asked for.
            sides = [datetime.fromisoformat(asked[side].strip('"')) for side in ("since", "until")]
            assert sides == [since, until]
            expect(page.get_by_label("Time", exact=True)).to_have_value("times")
            expect(page.get_by_label("From, day and time in Asia/Kolkata")).to_have_value(walls[0])
            expect(page.get_by_label("Before, day and time in Asia/Kolkata")).to_have_value(walls[1])
            count = urlencode({"since": asked["since"], "until": asked["until"], "mode": "live", "workflow": busy})
            assert api.call("GET", f"W/runs/count?{count}")["count"] == number
            if number:
                expect(page.get_by_role("table").get_by_role("row").nth(1)).to_be_visible()
                shot(page, "monitor-own-runs")
            else:
                expect(page.get_by_text("No runs match these filters.")).to_be_visible()
    finally:
        api.call("PATCH", f"/workspaces/{api.workspace}", {"time_zone": "Europe/Berlin"})


def test_the_screen_on_the_wall_fills_it_and_keeps_itself_fresh(
    signed_in: Opens, busy: str, product: Product, api: Api, shot: Shot
) -> None:
    page = signed_in("/monitor")
    page.get_by_role("button", name="TV mode").click()
    wall = page.get_by_role("dialog", name="Monitor")
    tile = wall.get_by_test_id("tile-started")
    expect(tile).to_be_visible()
    before = api.call("GET", "W/monitor")["happened"]["started"]
    live = api.call("GET", f"W/workflows/{busy}/triggers")["items"][0]
    path = "/hooks/" + live["url"].split("/hooks/")[1]
    httpx2.post(product.url + path, json={"ok": "yes"}, headers={"X-Id": "wall"}).raise_for_status()
    expect(tile).to_contain_text(str(before + 1))
    shot(page, "monitor-wall")
    assert findings(page) == []
    wall.get_by_role("button", name="Leave TV mode").click()
    expect(page.get_by_role("button", name="TV mode")).to_be_visible()
    expect(wall).to_have_count(0)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("viewport", [None, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing_and_it_fits_the_screen(
    signed_in: Opens, busy: str, shot: Shot, dark: bool, viewport: dict[str, int] | None
) -> None:
    page = signed_in("/monitor", dark=dark, viewport=viewport)
    expect(page.get_by_test_id("p95")).to_be_visible()
    expect(page.get_by_role("region", name="Workers and processes")).to_be_visible()
    shot(page, f"monitor-{'phone' if viewport else 'desk'}-{'dark' if dark else 'light'}")
    assert findings(page, only=THEMED if dark else None) == []
    fits(page)


def test_that_a_connection_broke_stays_marked_when_it_is_repaired(
    signed_in: Opens, product: Product, api: Api, busy: str, shot: Shot
) -> None:
    fields = {"token": "a long enough secret", "allowed_hosts": ["practice-company"]}
    body = {"kind": "http_bearer", "name": "Ledger", "fields": fields, "if_broken": "wait"}
    made = api.call("POST", "W/connections", body)["id"]
    url = "http://practice-company/with/fail=401*1/invoices"
    ask = step("ask", "http.request@1", "Ask the ledger", (0, 150), url=url, connection=made)
    start = step("start", "trigger.webhook@1", "Start", (0, 0))
    live = api.publish("Asks the ledger", graph([start, ask], [("start", "ask")]))
    httpx2.post(product.url + live.path, json={}).raise_for_status()

    def until(stands: Callable[[dict[str, object]], bool]) -> None:
        deadline = time.monotonic() + 60
        while not stands(found := api.call("GET", f"W/connections/{made}")):
            assert time.monotonic() < deadline, found
            time.sleep(0.2)

    until(lambda found: found["broken"] is not None)
    page = signed_in(f"/monitor?workflow={live.workflow}")
    changes = page.get_by_role("region", name="Connections that changed").get_by_role("listitem")
    expect(changes).to_have_text([re.compile("^Broken.*Ledger")])
    api.call("POST", f"W/connections/{made}/go-on", {})
    until(lambda found: found["broken"] is None)
    page.reload()
    expect(changes.first).to_contain_text("Repaired")
    expect(changes.last).to_have_text(re.compile("^Broken.*Ledger"))
    shot(page, "monitor-repaired")
    assert findings(page) == []
    page.goto(f"/monitor?workflow={busy}")
    expect(page.get_by_test_id("p95")).to_be_visible()
    expect(changes).to_have_count(0)
    page.goto(f"/connections?history={made}")
    history = page.get_by_role("dialog")
    history.get_by_role("button", name=re.compile("epaired")).first.click()
    expect(history).to_contain_text("Broken since")
    shot(page, "connection-history-repaired")
