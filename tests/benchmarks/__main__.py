"""Measures the product and prints one line of JSON per figure: `make bench`.

    python -m tests.benchmarks                              all figures, embedded and scaled
    python -m tests.benchmarks scaled intake_per_s          some of them

Every commit is fsynced in both modes. Embedded is one process on SQLite; scaled is one web, one worker and one ticker
process on a private PostgreSQL and Redis, and where whole runs are counted a second worker, one for each core. The
caller and the server that steps call run on the same machine.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
from playwright.sync_api import Error as BrowserError

from tests.benchmarks import browser, documents, figures, huge_run, monitor, retention, tasks
from tests.benchmarks.figures import Figure, Stage
from tests.product import Product, ProductFailed
from tests.services import MissingService, find_chromium, postgres, redis

MODES = ("embedded", "scaled")
ON_STAGE: tuple[Callable[[Stage], Figure], ...] = (
    figures.idle_rss_mb,
    figures.post_to_first_step_p50_ms,
    figures.intake_per_s,
    figures.flow_runs_per_s,
    figures.undo_runs_per_s,
    figures.retry_runs_per_s,
    figures.each_items_per_s,
    figures.each_growth_mb,
    figures.fair_share_delay_ms,
    figures.durable_steps_per_s,
    monitor.monitor_p95_ms,
    retention.retention_rows_per_s,
)
#: Worker processes of the scaled product where it is not one.
WORKERS = dict.fromkeys(
    ("durable_steps_per_s", "flow_runs_per_s", "undo_runs_per_s", "retry_runs_per_s", "each_items_per_s"), 2
)
IN_BROWSER: dict[str, Callable[[Stage, Path], list[Figure]]] = {
    "live_paint_p95_ms": browser.live_paint,
    "canvas": browser.canvas,
    "scripts": browser.scripts,
    # Before the huge run, which leaves thousands of failures in the lists that these go by.
    "tasks": tasks.tasks,
    "huge_run_open_ms": huge_run.huge_run,
}


def main(chosen: list[str]) -> int:
    """Measure what was chosen, or everything; 1 when a figure could not be taken."""
    modes = [mode for mode in MODES if mode in chosen] or list(MODES)
    names = [name for name in chosen if name not in MODES]
    failed = 0
    for mode in modes:
        failed += measure(mode, lambda name: not names or name in names)
    return 1 if failed else 0


def measure(mode: str, wanted: Callable[[str], bool]) -> int:
    """All wanted figures of one mode, each printed as it is known; returns how many failed."""
    failed = 0

    def attempt(name: str, take: Callable[[], list[Figure]]) -> None:
        nonlocal failed
        try:
            for figure in take():
                print(figure.line(mode), flush=True)
        except (ProductFailed, MissingService, httpx2.HTTPError, BrowserError) as error:
            failed += 1
            print(f"{name} ({mode}) could not be measured: {error}", file=sys.stderr, flush=True)

    if mode == "embedded" and wanted("ready_s"):
        attempt("ready_s", lambda: [figures.ready_s_embedded()])
    if mode == "embedded" and wanted("documents_per_s"):
        attempt("documents_per_s", lambda: [documents.statements()])
    for measurement in ON_STAGE:
        name = measurement.__name__
        if not wanted(name):
            continue
        with ExitStack() as cleanup:
            workers = WORKERS.get(name, 1)
            settings: dict[str, str] = {}
            if measurement is figures.durable_steps_per_s:
                in_each = figures.IN_FLIGHT // (workers if mode == "scaled" else 1)
                settings["RUNS_AT_A_TIME"] = str(in_each)
            try:
                stage = cleanup.enter_context(
                    staged(mode, wanted if name == "idle_rss_mb" else lambda _: False, workers=workers, **settings)
                )
            except (ProductFailed, MissingService) as error:
                print(f"{mode} could not be started: {error}", file=sys.stderr, flush=True)
                return failed + 1
            attempt(name, lambda stage=stage, measurement=measurement: [measurement(stage)])  # type: ignore[misc]
    # What the canvas and the scripts cost is the browser's affair: once is enough.
    looks = {
        name: look
        for name, look in IN_BROWSER.items()
        if wanted(name) and (mode == "embedded" or name == "live_paint_p95_ms")
    }
    if looks:
        try:
            executable = find_chromium()
        except MissingService as missing:
            print(f"browser figures skipped: {missing}", file=sys.stderr, flush=True)
            return failed
        with staged(mode, lambda _: False) as stage:
            for name, look in looks.items():
                attempt(name, lambda look=look: look(stage, executable))  # type: ignore[misc]
    return failed


@contextmanager
def staged(mode: str, wanted: Callable[[str], bool], *, workers: int = 1, **settings: str) -> Iterator[Stage]:
    """A fresh product in this mode, set up, whose steps reach the lean target by the practice company's name; scaled
    with so many workers."""
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="millrace-bench-")))
        port = cleanup.enter_context(figures.target())
        environment = {
            "PRACTICE_ADDRESS": f"127.0.0.1:{port}",
            "PRACTICE_COMPANY": "true",
            "LOG_LEVEL": "WARNING",
            **settings,
        }
        if mode == "scaled":
            database = cleanup.enter_context(postgres())
            queue = cleanup.enter_context(redis())
            product = Product(folder / "data", database.url, queue.url, environment)
            cleanup.enter_context(product)
            product.choose_ports()
            product.manage("migrate", "--no-input")
            ready = figures.ready_s_scaled(product)
            if wanted("ready_s"):
                print(ready.line(mode), flush=True)
            figures.more_workers(product, workers - 1)
        else:
            product = Product(folder / "data", environment=environment)
            cleanup.enter_context(product)
            product.start()
        api = product.set_up()
        cleanup.callback(api.close)
        client = cleanup.enter_context(httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False))
        yield Stage(product, api, client)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
