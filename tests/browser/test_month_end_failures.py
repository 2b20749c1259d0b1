"""The whole month for many students, one in a hundred of whom the ledger refuses: watched, mended, and gone on with.

MILLRACE_STUDENTS=12000    the whole school, which takes some minutes; otherwise a few hundred
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from builder.practice.example import MONTH_END
from tests.browser.axe import findings
from tests.browser.editing import Opens
from tests.browser.test_batches import read_sheet, write_sheet
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(3_600)]
#: A product of its own: here the example has to be as the first start published it.
OWN_PRODUCT = True
Shot = Callable[[Page, str], None]
STUDENTS = int(os.environ.get("MILLRACE_STUDENTS", "400"))
REFUSED = STUDENTS // 100
#: Heaps are compared from here on.
WARM = STUDENTS // 12
MOST_A_SECOND = 10
#: Of a page that has loaded, what may come and go with what is shown and what the browser keeps of requests.
MOST_GROWTH = 3_000_000
SECONDS = 120 + STUDENTS / 10
#: Times between frames of two seconds, in ms.
FRAMES = """() => new Promise((resolve) => {
  const gaps = [];
  let before = performance.now();
  const end = before + 2000;
  const next = (now) => {
    gaps.push(now - before);
    before = now;
    if (now < end) requestAnimationFrame(next); else resolve(gaps.slice(1));
  };
  requestAnimationFrame(next);
})"""


class Watch:
    """What a page that has loaded asks and is told, by the browser's own clock, and what it keeps in memory."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.heap: dict[int, int] = {}
        self.longest_frames: list[float] = []
        self.messages: list[tuple[float, str]] = []
        self._devtools = page.context.new_cdp_session(page)
        self._devtools.send("Network.enable")
        self._devtools.on("Network.requestWillBeSent", self._asked)
        for way in ("Sent", "Received"):
            self._devtools.on(f"Network.webSocketFrame{way}", self._told)

    def _asked(self, told: dict[str, Any]) -> None:
        if not told["request"]["url"].startswith("data:") and not told["request"]["url"].endswith("/snapshot"):
            self.messages.append((told["timestamp"], told["request"]["url"].rpartition("/api")[2]))

    def _told(self, told: dict[str, Any]) -> None:
        # What the page says of its own is that somebody has gone to another run.
        if not told["response"]["payloadData"].startswith(('{"type":"subscribe"', '{"type":"unsubscribe"')):
            self.messages.append((told["timestamp"], told["response"]["payloadData"][:200]))

    def loaded(self) -> None:
        """Count from here on: loading a page takes many requests at once."""
        self.page.wait_for_timeout(1_500)
        self.messages.clear()

    def busiest_second(self) -> list[str]:
        """What was asked and told in the second of the most messages."""
        times = sorted(self.messages)
        found: list[str] = []
        first = 0
        for last, (at, _) in enumerate(times):
            while times[first][0] <= at - 1:
                first += 1
            if last - first + 1 > len(found):
                found = [what for _, what in times[first : last + 1]]
        return found

    def look(self, done: int) -> None:
        """Note what scripts keep, without what they have let go of."""
        self._devtools.send("HeapProfiler.collectGarbage")
        self.heap[done] = int(self._devtools.send("Runtime.getHeapUsage")["usedSize"])
        self.longest_frames.append(max(self.page.evaluate(FRAMES), default=0))

    def told(self, what: str) -> str:
        """A line of figures."""
        told = {
            "page": what,
            "messages": len(self.messages),
            "most_messages_a_second": len(self.busiest_second()),
            "heap_mb": {done: round(size / 1e6, 2) for done, size in self.heap.items()},
            "longest_frame_ms": [round(one) for one in self.longest_frames],
        }
        return json.dumps(told)


def test_those_that_the_ledger_refused_are_mended_in_a_spreadsheet_or_retried_in_four_clicks(
    signed_in: Opens, api: Api, shot: Shot, tmp_path: Path
) -> None:
    page = signed_in("/workflows")
    page.get_by_role("row").filter(has_text=MONTH_END.name).get_by_role("link", name=MONTH_END.name).click()
    page.get_by_test_id("run-button").click()
    page.locator("form").get_by_label("Students").fill(str(STUDENTS))
    page.get_by_label("Let one in 100 fail").check(force=True)
    page.get_by_test_id("start-run").click()
    page.wait_for_url("**/runs/*")
    run_id = page.url.rsplit("/", 1)[1].partition("?")[0]
    on_run = Watch(page)
    batch = signed_in("about:blank")
    on_batch = Watch(batch)
    page.reload()
    batch.goto(f"/batches/{run_id}/each")
    expect(batch.get_by_role("heading", level=1, name="For each student")).to_be_visible()
    path = f"W/runs/{run_id}/batches/each"
    watched(api, path, on_run, on_batch)
    print(on_run.told("run"), on_batch.told("batch"), sep="\n")
    for watch in (on_run, on_batch):
        assert len(watch.busiest_second()) <= MOST_A_SECOND, "\n".join(watch.busiest_second())
        first, last = watch.heap[min(watch.heap)], watch.heap[max(watch.heap)]
        assert last - first < MOST_GROWTH, watch.told("")
        assert watch.messages

    expect(batch.get_by_text("Done, some failed")).to_be_visible()
    stand = api.call("GET", path)
    assert (stand["done"], stand["failed"]) == (STUDENTS - REFUSED, REFUSED)
    done = api.call("GET", f"W/runs/{run_id}/items?node=each&status=done&limit=200")["items"]
    shot(batch, "month-end-refused")

    # Half of them are mended in a spreadsheet and sent back.
    batch.reload()
    with batch.expect_download() as coming:
        batch.get_by_role("link", name="Download failed (Excel)").click()
    names, *rows = read_sheet(Path(coming.value.path()))
    assert len(rows) == REFUSED
    mended = [[f"{value} Mended" if name == "name" else value for name, value in zip(names, row, strict=True)]
              for row in rows[: REFUSED // 2]]  # fmt: skip
    write_sheet(tmp_path / "mended.xlsx", [names, *mended])
    batch.locator("input[type=file]").set_input_files(tmp_path / "mended.xlsx")
    expect(batch.get_by_text(f"{REFUSED // 2} items go on.")).to_be_visible()
    left = REFUSED - REFUSED // 2
    expect(batch.get_by_role("button", name=f"Retry failed {left}…")).to_be_visible()

    # The others are retried from the screen of the run: four clicks.
    page.get_by_role("button", name="See the failed items of “For each student”").click()
    page.get_by_role("link", name=re.compile("^Open as a batch")).click()
    page.get_by_role("button", name=f"Retry failed {left}…").click()
    page.get_by_role("button", name=f"Retry {left} items").click()
    expect(page.get_by_role("dialog").get_by_text(f"All {left} worked.")).to_be_visible()
    expect(page.get_by_role("dialog", name=f"Retry the {left} items that failed")).to_be_visible()
    page.get_by_role("button", name="Close").last.click()
    expect(page.get_by_text("Nothing failed")).to_be_visible()
    stand = api.call("GET", path)
    assert (stand["done"], stand["failed"], stand["files"]) == (STUDENTS, 0, STUDENTS)
    # No other one was touched.
    again = api.call("GET", f"W/runs/{run_id}/items?node=each&status=done&limit=200")["items"]
    kept = {one["run_id"]: one["finished_at"] for one in again}
    assert all(kept.get(one["run_id"], one["finished_at"]) == one["finished_at"] for one in done)

    page.get_by_role("tab", name="All items").click()
    page.get_by_label("Find by name or number").fill("S-00100")
    page.get_by_role("button", name="What was corrected of item 100").click()
    expect(page.get_by_test_id("corrections-100")).to_contain_text(" Mended")
    page.get_by_role("tab", name="Control totals").click()
    expect(page.get_by_test_id("total-EUR")).to_contain_text("Adds up")
    assert findings(page) == []
    shot(page, "month-end-all-done")


def watched(api: Api, path: str, *watches: Watch) -> None:
    """Wait until the batch is over, and look at the pages' memory on the way."""
    for watch in watches:
        watch.loaded()
    deadline = time.monotonic() + SECONDS
    marks = [WARM, *(STUDENTS * part // 4 for part in (1, 2, 3))]
    while (stand := api.call("GET", path))["finished_at"] is None:
        assert time.monotonic() < deadline, stand
        if marks and stand["done"] >= marks[0]:
            marks.pop(0)
            for watch in watches:
                watch.look(stand["done"])
        for watch in watches:
            watch.page.wait_for_timeout(250)
    for watch in watches:
        watch.look(STUDENTS)
