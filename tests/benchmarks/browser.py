"""Figures that only a browser can tell: how soon a commit is painted, and how the canvas bears a big workflow."""

from __future__ import annotations

import gzip
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from playwright.sync_api import Page, Response, sync_playwright

from tests.benchmarks import graphs
from tests.benchmarks.figures import Figure, Stage
from tests.product import ProductFailed

#: Notes the wall clock, after the next paint, when a step's card first shows each status.
WATCH = """
() => {
  window.painted = {};
  const look = () => {
    for (const card of document.querySelectorAll("[data-step][data-status]")) {
      const name = card.dataset.step + " " + card.dataset.status;
      if (!(name in window.painted)) {
        window.painted[name] = 0;
        requestAnimationFrame(() => setTimeout(() => { window.painted[name] = Date.now(); }, 0));
      }
    }
  };
  new MutationObserver(look).observe(document.body, {subtree: true, childList: true, attributes: true});
  look();
}
"""

#: Counts frames for a while; resolves with the times between them in ms.
FRAMES = """
(ms) => new Promise((resolve) => {
  const gaps = [];
  let before = performance.now();
  const end = before + ms;
  const next = (now) => {
    gaps.push(now - before);
    before = now;
    if (now < end) requestAnimationFrame(next); else resolve(gaps.slice(1));
  };
  requestAnimationFrame(next);
})
"""


@contextmanager
def page(stage: Stage, executable: Path) -> Iterator[Page]:
    """A page of the product with the administrator's session."""
    options = ["--disable-background-networking", "--disable-dev-shm-usage", "--no-first-run"]
    if os.geteuid() == 0:
        options.append("--no-sandbox")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=options)
        context = browser.new_context(base_url=stage.product.url, viewport={"width": 1440, "height": 900})
        context.add_cookies(
            [
                {"name": cookie.name, "value": cookie.value or "", "url": stage.product.url}
                for cookie in stage.api.client.cookies.jar
            ]
        )
        yield context.new_page()
        browser.close()


def live_paint(stage: Stage, executable: Path, runs: int = 8) -> list[Figure]:
    """From a step's commit to its painted status, over runs whose steps follow each other every 150 ms.

    Steps count whose card had been painted in an earlier status before: a page that is still loading shows no news.
    """
    steps = 12
    live = stage.api.publish("Bench paint", graphs.waits(steps, 0.15))
    waited: list[float] = []
    with page(stage, executable) as shown, httpx2.Client(base_url=stage.product.url, trust_env=False) as caller:
        for _ in range(runs):
            started = caller.post(live.path, json={"id": 1, "total": 1}).json()["run"]
            shown.goto(f"/runs/{started}")
            shown.evaluate(WATCH)
            finished = wait_for_run(stage, started)
            shown.wait_for_timeout(700)
            painted: dict[str, int] = shown.evaluate("() => window.painted")
            shown_at: dict[str, int] = {}
            for name, first in sorted(painted.items(), key=lambda one: one[1]):
                if first:
                    shown_at.setdefault(name.partition(" ")[0], first)
            for step in finished["steps"]:
                at = milliseconds(step["finished_at"])
                seen = painted.get(f"{step['node']} succeeded")
                if at is not None and seen and shown_at[step["node"]] < at:
                    waited.append(seen - at)
    if len(waited) < runs * 3:
        raise ProductFailed(f"only {len(waited)} steps were seen changing")
    waited.sort()
    details = {"p50_ms": round(waited[len(waited) // 2], 1), "steps": len(waited)}
    return [Figure("live_paint_p95_ms", waited[int(len(waited) * 0.95)], "ms", details)]


def canvas(stage: Stage, executable: Path, steps: int = 500) -> list[Figure]:
    """Open the editor on 500 steps, drag one of them and pan the canvas."""
    workflow = stage.api.call("POST", "W/workflows", {"name": "Bench canvas", "graph": graphs.many(steps)})["id"]
    with page(stage, executable) as shown:
        shown.goto("/workflows")
        shown.wait_for_load_state("networkidle")
        times = []
        for _ in range(3):
            began = time.monotonic()
            shown.goto(f"/workflows/{workflow}/build")
            shown.wait_for_selector(".react-flow__node", state="visible")
            shown.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            times.append(time.monotonic() - began)
        card = shown.locator(".react-flow__node").nth(4)
        box = card.bounding_box()
        if box is None:
            raise ProductFailed("no card to drag is visible")
        x, y = box["x"] + box["width"] / 2, box["y"] + 12
        shown.mouse.move(x, y)
        shown.mouse.down()
        dragging = frames_while(shown, x, y)
        shown.mouse.up()
        shown.mouse.move(x + 300, y + 300)
    return [
        Figure("canvas_open_500_s", sorted(times)[1], "s", {"steps": steps}),
        Figure("canvas_drag_fps", dragging, "fps", {"steps": steps}),
    ]


def scripts(stage: Stage, executable: Path) -> list[Figure]:
    """JavaScript, gzipped, that a browser with an empty cache loads: for the home page, and for the editor."""
    workflow = stage.api.call("GET", "W/workflows")["items"][0]["id"]
    figures = []
    for name, path in (("first_load_js_kb", "/"), ("editor_js_kb", f"/workflows/{workflow}/build")):
        with page(stage, executable) as shown:
            sizes: dict[str, int] = {}

            def loaded(answer: Response, sizes: dict[str, int] = sizes) -> None:
                if answer.url.endswith(".js"):
                    sizes[answer.url] = len(gzip.compress(answer.body(), 6))

            shown.on("response", loaded)
            shown.goto(path)
            shown.wait_for_load_state("networkidle")
        figures.append(Figure(name, sum(sizes.values()) / 1024, "kB gzip", {"files": len(sizes)}))
    return figures


def frames_while(shown: Page, x: float, y: float) -> float:
    """Frames per second while the mouse moves in small steps for two seconds."""
    shown.evaluate(f"() => {{ window.gaps = ({FRAMES})(2000); }}")
    end = time.monotonic() + 2.0
    step = 0
    while time.monotonic() < end:
        step += 1
        shown.mouse.move(x + (step * 3) % 300, y + (step * 2) % 200)
    gaps: list[float] = shown.evaluate("() => window.gaps")
    return 1000 * len(gaps) / sum(gaps)


def wait_for_run(stage: Stage, run: str, *, seconds: float = 30) -> dict[str, Any]:
    """The snapshot of a run that has ended. Raises ProductFailed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        snapshot: dict[str, Any] = stage.api.call("GET", f"W/runs/{run}/snapshot")
        if snapshot["run"]["status"] == "completed":
            return snapshot
        time.sleep(0.3)
    raise ProductFailed(f"run {run} did not end")


def milliseconds(instant: str | None) -> float | None:
    """An instant of the API as ms since the epoch."""
    if instant is None:
        return None
    from datetime import datetime

    return datetime.fromisoformat(instant).timestamp() * 1000
