"""A run of twenty thousand items in the browser: how soon it is there, what it asks of the server, what it weighs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

import httpx2
from playwright.sync_api import Page

from tests.benchmarks import browser, graphs
from tests.benchmarks.figures import Figure, Stage, ended
from tests.product import ProductFailed

ITEMS: Final = 20_000
_LONGEST: Final = 900.0
_ROUNDS: Final = 5
#: Beside it a run that nobody would call large: what a page costs by itself, on this machine.
SMALL: Final = 100
#: Which answers of the server the last page waited for longest: the end of the path, and ms.
SLOWEST: Final = """
() => performance.getEntriesByType("resource").filter((one) => one.name.includes("/api/"))
  .map(({name, startTime, duration}) =>
    [name.split("/").slice(-2).join("/").slice(0, 60), Math.round(startTime), Math.round(duration)])
  .sort((left, right) => right[2] - left[2]).slice(0, 8)
"""


def huge_run(stage: Stage, executable: Path, items: int = ITEMS) -> list[Figure]:
    """From the address to the painted picture, timeline and items of a run of so many items, the program itself being
    in the cache, and what the tab weighs after it was scrubbed from end to end. The value is the median."""
    small, run = _lived(stage, SMALL), _lived(stage, items)
    asked = _asked(stage, run)
    with browser.page(stage, executable) as shown:
        shown.goto("/runs")
        shown.wait_for_load_state("networkidle")
        _open(shown, run)
        _open(shown, small)
        usual = sorted(_open(shown, small) for _ in range(_ROUNDS))
        times = sorted(_open(shown, run) for _ in range(_ROUNDS))
        slowest = shown.evaluate(SLOWEST)
        heap = _scrubbed(shown)
    details: dict[str, Any] = {"items": items, "worst_ms": round(times[-1] * 1000, 1), **asked}
    details |= {"of_a_hundred_ms": round(usual[len(usual) // 2] * 1000, 1), "slowest": slowest}
    return [
        Figure("huge_run_open_ms", times[len(times) // 2] * 1000, "ms", details),
        Figure("huge_run_tab_mb", heap, "MB", {"items": items}),
    ]


def _lived(stage: Stage, items: int) -> str:
    """A run of so many items that has ended."""
    live = stage.api.publish(f"Bench run of {items}", graphs.each_halved(items))
    run = _start(stage, live.path)
    deadline = time.monotonic() + _LONGEST
    while not ended(stage.api, live.workflow):
        if time.monotonic() > deadline:
            raise ProductFailed(f"the run of {items} items did not end")
        time.sleep(0.5)
    return run


def _start(stage: Stage, path: str) -> str:
    answer = httpx2.post(stage.product.url + path, json={"id": 1, "total": 1}, timeout=60)
    return str(answer.json()["run"])


def _asked(stage: Stage, run: str) -> dict[str, float]:
    """How long the server takes for each of what the page asks. ms"""
    found = {}
    for name in ("snapshot", "playback", "since-good", "items?node=each&limit=100"):
        began = time.monotonic()
        stage.api.call("GET", f"W/runs/{run}/{name}")
        found[f"{name.partition('?')[0]}_ms"] = round((time.monotonic() - began) * 1000, 1)
    return found


def _open(shown: Page, run: str) -> float:
    """Seconds until the container says how its items stand, and the timeline has its rows."""
    shown.goto("about:blank")
    began = time.monotonic()
    shown.goto(f"/runs/{run}", wait_until="commit")
    shown.wait_for_selector("[data-testid=step-each] [role=group] button", state="visible")
    shown.wait_for_selector("[role=tree] [role=treeitem]", state="visible")
    shown.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return time.monotonic() - began


def _scrubbed(shown: Page) -> float:
    """What the tab's JavaScript holds once every part of the film was looked at. MB"""
    slider = shown.get_by_test_id("scrubber")
    with shown.expect_response(lambda answer: "/playback" in answer.url):
        slider.focus()
    for _ in range(60):
        slider.press("PageDown")
    session = shown.context.new_cdp_session(shown)
    session.send("HeapProfiler.enable")
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")
    return float(used["usedSize"] + used.get("embedderHeapUsedSize", 0) + used.get("backingStorageSize", 0)) / 1e6
