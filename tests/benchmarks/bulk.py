"""Twelve thousand statements: how many a minute, what memory that takes, and what others feel of it.

python -m tests.benchmarks.bulk                     embedded and scaled (`make bench-bulk`)
python -m tests.benchmarks.bulk scaled 2000         one of them, with fewer statements
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any, Final

import httpx2

from runtime.documents.ready import ready
from runtime.engine.jsonprofile import dumps
from tests.benchmarks import graphs, naive
from tests.benchmarks.__main__ import MODES, staged
from tests.benchmarks.figures import Figure, Stage, calls_so_far, load, refuse_failures
from tests.product import ProductFailed

ITEMS: Final = 12_000
#: Memory is compared from here on: by then everything is loaded.
WARM: Final = 1_000
_LONGEST: Final = 3_600.0
_EVERY: Final = 0.5
#: Webhook → decision → HTTP, so many a second, while nothing else happens and while the batch does.
_POSTS_PER_S: Final = 5.0
#: As many as come while a batch of a few thousand is under way: the fewer there are, the more its p95 is chance.
_IDLE_S: Final = 60.0
_COLUMNS: Final = [
    {"name": "number", "type": "text", "key": True},
    {"name": "amount", "type": "number"},
    {"name": "sha256", "type": "text"},
]


class Others:
    """Posts to another workflow at a steady pace, and how long each took to be answered when its run had ended."""

    def __init__(self, stage: Stage, path: str) -> None:
        self._stage, self._path = stage, path
        self._over = threading.Event()
        self.took: list[float] = []
        self._thread = threading.Thread(target=self._post, daemon=True)

    def __enter__(self) -> Others:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(60)

    def _post(self) -> None:
        with httpx2.Client(base_url=self._stage.product.url, trust_env=False, timeout=60) as client:
            while not self._over.wait(1 / _POSTS_PER_S):
                began = time.monotonic()
                client.post(self._path, json={"id": f"o{len(self.took)}", "total": 150}).raise_for_status()
                self.took.append((time.monotonic() - began) * 1000)

    def ms(self, percent: int) -> float:
        """So many percent took no longer. Milliseconds."""
        if not self.took:
            raise ProductFailed("Nothing was posted beside the batch.")
        return sorted(self.took)[len(self.took) * percent // 100]


def measure(stage: Stage, items: int) -> list[Figure]:
    """All figures of one batch."""
    beside = stage.api.publish("Beside", graphs.flow("when_finished"))
    refuse_failures(load(stage.product.port, beside.path, connections=4, count=50))
    with Others(stage, beside.path) as idle:
        time.sleep(_IDLE_S)
    for page in range(1, items // 500 + 1):
        stage.target.get(f"/students/{page}/{items // 500}").raise_for_status()
    table = stage.api.call("POST", "W/tables", {"name": "Statements", "columns": _COLUMNS})["id"]
    live = stage.api.publish(
        "Statements", graphs.statements(items, table, json.loads(dumps(ready("statement").stored)))
    )
    before = calls_so_far(stage)
    began = time.monotonic()
    posted = httpx2.post(stage.product.url + live.path, json={}, timeout=60, trust_env=False)
    path = f"W/runs/{posted.json()['run']}/batches/each"
    warm: dict[str, float] = {}
    most: dict[str, float] = {}
    with Others(stage, beside.path) as busy:
        while (batch := stage.api.call("GET", path))["finished_at"] is None:
            if time.monotonic() - began > _LONGEST:
                raise ProductFailed(f"{batch['done']} of {items} were done after {_LONGEST:g} s")
            memory = stage.product.memory_mb()
            if batch["done"] >= min(WARM, items // 4) and not warm:
                warm = dict(memory)
            most = {name: max(most.get(name, 0.0), mb) for name, mb in memory.items()}
            time.sleep(_EVERY)
        took = time.monotonic() - began
    check = stage.api.call("POST", f"{path}/checks")
    calls = calls_so_far(stage) - before - len(busy.took)
    wrong = batch["failed"] + (items - batch["done"] - batch["failed"]) + abs(calls - items)
    proof = {"items": items, "verified": check["checked"], "well": check["well"], "ledger_calls": calls}
    grown = {name: round(100 * (most[name] / warm[name] - 1), 1) for name in warm if name in most}
    return [
        Figure(
            "documents_per_min", batch["done"] / took * 60, "documents/min", {"items": items, "took_s": round(took, 1)}
        ),
        Figure("bulk_peak_rss_mb", max(most.values()), "MB", {name: round(mb, 1) for name, mb in most.items()}),
        Figure("bulk_rss_growth_percent", max(grown.values()), "%", dict(grown)),
        Figure("bulk_failures", wrong, "items", proof),
        Figure(
            "bulk_others_p95_ratio",
            busy.ms(95) / idle.ms(95),
            "times",
            {
                "idle_p50_ms": round(idle.ms(50), 1),
                "idle_p95_ms": round(idle.ms(95), 1),
                "busy_p50_ms": round(busy.ms(50), 1),
                "busy_p95_ms": round(busy.ms(95), 1),
                "posts": len(busy.took),
            },
        ),
    ]


def main(chosen: list[str]) -> int:
    """Measure what was chosen, or both modes."""
    items = next((int(one) for one in chosen if one.isdecimal()), ITEMS)
    failed = 0
    rates: dict[str, float] = {}
    for mode in [mode for mode in MODES if mode in chosen] or MODES:
        settings: dict[str, Any] = {}
        with staged(mode, lambda _: False, workers=2 if mode == "scaled" else 1, **settings) as stage:
            try:
                for figure in measure(stage, items):
                    print(figure.line(mode), flush=True)
                    if figure.bench == "documents_per_min":
                        rates[mode] = figure.value
            except (ProductFailed, httpx2.HTTPError) as error:
                failed += 1
                print(f"bulk ({mode}) could not be measured: {error}", file=sys.stderr, flush=True)
    try:
        for mode, figure in naive.compared(rates):
            print(figure.line(mode), flush=True)
    except ProductFailed as error:
        failed += 1
        print(f"The naive loop could not be measured: {error}", file=sys.stderr, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
