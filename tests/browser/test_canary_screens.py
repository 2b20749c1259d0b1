"""S59, S61: of fifty secrets in use, none is on a screen, in a field, kept by the browser, or told by a socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.browser.conftest import sign_in
from tests.canaries import HOST, Canaries, take_in, use
from tests.product import Api, Product
from tests.runtime.machine import flow, step

OWN_PRODUCT = True
pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

#: What every screen has, once it is there.
READY = "#content h1, #content h2, #content p, header"
#: What stands in fields, which is not in the page's markup.
FIELDS = "[...document.querySelectorAll('input, textarea')].map((one) => one.value).join(' ')"
ROOMS = [
    "/",
    "/workflows",
    "/workflows/{workflow}/build",
    "/workflows/{workflow}/runs",
    "/workflows/{workflow}/versions",
    "/workflows/{workflow}/starts",
    "/workflows/{workflow}/events",
    "/workflows/{workflow}/history",
    "/workflows/{workflow}/settings",
    "/runs",
    "/runs/{run}",
    "/inbox",
    "/dead-letters",
    "/monitor",
    "/monitor/alerts",
    "/schedules",
    "/files",
    "/tables",
    "/connections",
    "/settings/profile",
    "/settings/workspace",
    "/settings/members",
    "/settings/tokens",
    "/settings/audit",
    "/settings/data",
    "/settings/system",
]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with Product(tmp_path_factory.mktemp("canaries") / "data", environment={"PRACTICE_COMPANY": "true"}) as running:
        running.start()
        yield running


class Heard:
    """All that comes to a page, and goes from it, by its sockets."""

    def __init__(self, page: Page) -> None:
        self.frames: list[bytes] = []
        page.on("websocket", self._opened)

    def _opened(self, socket: WebSocket) -> None:
        for what in ("framereceived", "framesent"):
            socket.on(what, lambda data: self.frames.append(data if isinstance(data, bytes) else data.encode()))


def test_none_of_fifty_secrets_is_on_a_screen_or_told_by_a_socket(
    api: Api, product: Product, new_page: Callable[..., Page]
) -> None:
    canaries = Canaries()
    web = take_in(api, canaries)
    assert canaries.left == 0
    watcher = new_page()
    sign_in(watcher, api)
    heard = Heard(watcher)
    # Slow enough to be seen coming, and refused: what was sent is told then.
    url = f"{HOST}/with/slow=4000;fail=401/invoices"
    call = step("call", "http.request@1", {"method": "GET", "url": url, "connection": web[0]})
    live = api.publish("Watched", flow("start -> call", call))
    run = str(api.call("POST", f"W/workflows/{live.workflow}/runs", {})["id"])
    watcher.goto(f"/runs/{run}")
    expect(watcher.get_by_text("Failed").first).to_be_visible()
    watcher.goto("/runs")
    expect(watcher.locator(READY).first).to_be_visible()
    use(api, web)
    for room in ROOMS:
        path = room.format(workflow=live.workflow, run=run)
        watcher.goto(path)
        expect(watcher.locator(READY).first).to_be_visible()
        watcher.wait_for_load_state("networkidle")
        shown = watcher.content() + watcher.evaluate(FIELDS)
        assert canaries.found_in(shown.encode()) == [], path
    # As somebody who changes one would see it, filled in.
    watcher.goto("/connections")
    watcher.get_by_role("button", name="Edit").first.click()
    expect(watcher.get_by_role("dialog")).to_be_visible()
    shown = watcher.evaluate(
        "document.body.innerHTML + [...document.querySelectorAll('input')].map((one) => one.value).join(' ')"
    )
    assert canaries.found_in(shown.encode()) == []
    stored = watcher.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert canaries.found_in(stored.encode()) == []
    assert heard.frames, "no socket said anything"
    told = b" ".join(heard.frames)
    assert b'"changes"' in told
    assert b'"runs"' in told
    assert canaries.found_in(told) == []
    # What is there is found.
    assert canaries.found_in(told + canaries.made[3].encode()) == [canaries.made[3]]
