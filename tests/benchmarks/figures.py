"""One function per figure: each drives a running product and returns a number."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psycopg

from tests.benchmarks import graphs
from tests.product import ROOT, Api, Product, ProductFailed
from tests.services.process import free_port

#: Runs in flight while durable steps are counted, and how many there are to count.
IN_FLIGHT = 64
STEPPED = 6_000
#: Runs of one workflow that wait while another one's are begun.
BACKLOG = 20_000


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `details` say what stood behind it."""

    bench: str
    value: float
    unit: str
    details: dict[str, Any]

    def line(self, mode: str) -> str:
        """The line of JSON that `make bench` prints."""
        told = {"bench": self.bench, "mode": mode, "value": round(self.value, 2), "unit": self.unit, **self.details}
        return json.dumps(told)


@dataclass(frozen=True, slots=True)
class Stage:
    """What the figures are taken from: a product that is set up, and the target that its steps call."""

    product: Product
    api: Api
    target: httpx2.Client


@contextmanager
def target() -> Iterator[int]:
    """The lean server that steps call; yields its port."""
    with serving("tests.benchmarks.target") as port:
        yield port


@contextmanager
def serving(module: str, *arguments: str) -> Iterator[int]:
    """A server in a process of its own that prints its port first; yields that."""
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, cwd=ROOT)
    try:
        assert process.stdout is not None
        yield int(json.loads(process.stdout.readline())["port"])
    finally:
        process.kill()
        process.wait(5)
        if process.stdout is not None:
            process.stdout.close()


def load(port: int, path: str, **arguments: object) -> dict[str, Any]:
    """Run the caller's process to its end and return what it says."""
    command = [sys.executable, "-m", "tests.benchmarks.load", "--port", str(port), "--path", path]
    for name, value in arguments.items():
        command += [f"--{name}", str(value)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def bare_intake() -> float:
    """Bodies a second that a bare ASGI app stores over as many connections, this very minute: see `bare`."""
    with (
        tempfile.TemporaryDirectory(prefix="millrace-bench-") as folder,
        serving("tests.benchmarks.bare", "intake", folder) as port,
    ):
        report = load(port, "/", connections=32, seconds=3, warm=1)
    refuse_failures(report)
    return float(report["per_second"])


def bare_steps(database: str) -> float:
    """Commits a second that 64 bare coroutines are answered, on this database or else on SQLite: see `bare`."""
    with tempfile.TemporaryDirectory(prefix="millrace-bench-") as folder:
        command = [sys.executable, "-m", "tests.benchmarks.bare", "steps", database or folder]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)["per_second"])


def ended(api: Api, workflow: str) -> int:
    """How many runs of a workflow have ended well."""
    statistics = api.call("GET", f"W/workflows/{workflow}")["stats_24h"]
    return int(statistics["done"])


def wait_for(api: Api, workflow: str, number: int, *, seconds: float) -> float:
    """Wait until so many runs have ended; returns how long it took. Raises ProductFailed.

    Counting runs is work for what is measured: it is asked twice a second, and not at all while it is sure to be early.
    """
    began = time.monotonic()
    done = 0
    while time.monotonic() - began < seconds:
        done = ended(api, workflow)
        if done >= number:
            return time.monotonic() - began
        time.sleep(0.5)
    raise ProductFailed(f"{done} of {number} runs ended within {seconds} s")


def intake_per_s(stage: Stage) -> Figure:
    """Webhooks accepted each second over 32 keep-alive connections; all their runs must end too."""
    bare = bare_intake()
    live = stage.api.publish("Bench intake", graphs.accepts())
    report = load(stage.product.port, live.path, connections=32, seconds=10, warm=2)
    refuse_failures(report)
    drained = wait_for(stage.api, live.workflow, report["sent"], seconds=120)
    details = {
        "p50_ms": report["p50_ms"],
        "p95_ms": report["p95_ms"],
        "drained_s": round(drained, 1),
        "bare_per_s": bare,
        "of_bare": round(report["per_second"] / bare, 3),
    }
    return Figure("intake_per_s", report["per_second"], "webhooks/s", details)


def flow_runs_per_s(stage: Stage, runs: int = 6000) -> Figure:
    """Whole runs of webhook → edit → decision → edit → HTTP each second, from the first post to the last end."""
    live = stage.api.publish("Bench flow", graphs.flow())
    load(stage.product.port, live.path, connections=16, count=200)
    wait_for(stage.api, live.workflow, 200, seconds=60)
    before = calls_so_far(stage)
    began = time.monotonic()
    report = load(stage.product.port, live.path, connections=32, count=runs)
    refuse_failures(report)
    # The call is a run's last step but for the commit of its result: so the target knows when it is worth asking.
    while time.monotonic() - began < 180 and calls_so_far(stage) - before < runs:
        time.sleep(0.02)
    wait_for(stage.api, live.workflow, 200 + runs, seconds=30)
    took = time.monotonic() - began
    calls = calls_so_far(stage) - before
    if calls != runs:
        raise ProductFailed(f"{runs} runs made {calls} calls")
    return Figure("flow_runs_per_s", runs / took, "runs/s", {"runs": runs, "calls": calls})


def undo_runs_per_s(stage: Stage, runs: int = 2000) -> Figure:
    """Whole runs of webhook → HTTP → failure → undo by HTTP each second, from the first post to the last end."""
    live = stage.api.publish("Bench undo", graphs.undone())
    before = calls_so_far(stage)
    began = time.monotonic()
    refuse_failures(load(stage.product.port, live.path, connections=32, count=runs))
    while time.monotonic() - began < 180 and calls_so_far(stage) - before < 2 * runs:
        time.sleep(0.02)
    while time.monotonic() - began < 200 and undone(stage.api, live.workflow) < runs:
        time.sleep(0.2)
    took = time.monotonic() - began
    found, calls = undone(stage.api, live.workflow), calls_so_far(stage) - before
    if (found, calls) != (runs, 2 * runs):
        raise ProductFailed(f"Of {runs} runs {found} were undone, with {calls} calls")
    return Figure("undo_runs_per_s", runs / took, "runs/s", {"runs": runs, "calls": calls})


def retry_runs_per_s(stage: Stage, runs: int = 2000) -> Figure:
    """Whole runs of webhook → HTTP that is refused once and tried again 50 ms later, each second."""
    live = stage.api.publish("Bench retry", graphs.retried())
    before = calls_so_far(stage)
    began = time.monotonic()
    refuse_failures(load(stage.product.port, live.path, connections=32, count=runs))
    while time.monotonic() - began < 180 and calls_so_far(stage) - before < 2 * runs:
        time.sleep(0.02)
    wait_for(stage.api, live.workflow, runs, seconds=30)
    took, calls = time.monotonic() - began, calls_so_far(stage) - before
    if calls != 2 * runs:
        raise ProductFailed(f"{runs} runs with one retry each made {calls} calls")
    return Figure("retry_runs_per_s", runs / took, "runs/s", {"runs": runs, "calls": calls})


def each_items_per_s(stage: Stage, runs: int = 30, items: int = 100) -> Figure:
    """Items each second of runs with a For each of a hundred, ten at a time, one HTTP call an item."""
    live = stage.api.publish("Bench each", graphs.each(items))
    before = calls_so_far(stage)
    began = time.monotonic()
    refuse_failures(load(stage.product.port, live.path, connections=4, count=runs))
    while time.monotonic() - began < 180 and calls_so_far(stage) - before < runs * items:
        time.sleep(0.02)
    wait_for(stage.api, live.workflow, runs, seconds=60)
    took, calls = time.monotonic() - began, calls_so_far(stage) - before
    if calls != runs * items:
        raise ProductFailed(f"{runs} runs of {items} items each made {calls} calls")
    return Figure("each_items_per_s", calls / took, "items/s", {"runs": runs, "items": items, "calls": calls})


def each_growth_mb(stage: Stage, items: int = 12_000) -> Figure:
    """By how much the largest process grows while a For each of 12,000 items is carried out, ten at a time, of which
    every other one fails; after one of a hundred that has loaded all there is to load."""
    small, large = (stage.api.publish(f"Bench each {count}", graphs.each_halved(count)) for count in (100, items))
    refuse_failures(load(stage.product.port, small.path, connections=1, count=1))
    wait_for(stage.api, small.workflow, 1, seconds=60)
    before, most = max(stage.product.memory_mb().values()), 0.0
    began = time.monotonic()
    refuse_failures(load(stage.product.port, large.path, connections=1, count=1))
    while not ended(stage.api, large.workflow):
        if time.monotonic() - began > 600 or undone(stage.api, large.workflow):
            raise ProductFailed(f"The run of {items} items did not end well within 600 s")
        most = max(most, *stage.product.memory_mb().values())
        time.sleep(0.5)
    took = time.monotonic() - began
    details = {"items": items, "before_mb": before, "items_per_s": round(items / took, 1)}
    return Figure("each_growth_mb", most - before, "MB", details)


def fair_share_delay_ms(stage: Stage, backlog: int = BACKLOG, posts: int = 20) -> Figure:
    """From the post to the first byte of the first step's call, one at a time, while another workflow has a backlog of
    accepted runs, of forty pure steps each so that they pile up: whoever went in the order of acceptance would wait for
    all of it. The value is the median."""
    busy = stage.api.publish("Bench backlog", graphs.pure_steps(40))
    fresh = stage.api.publish("Bench newcomer", graphs.first_step())
    refuse_failures(load(stage.product.port, busy.path, connections=32, count=backlog))
    waiting = [backlog - ended(stage.api, busy.workflow)]
    waited = []
    with httpx2.Client(base_url=stage.product.url, trust_env=False, timeout=60) as client:
        for number in range(posts):
            name, sent = f"n{number}", time.monotonic()
            client.post(fresh.path, json={"id": name}).raise_for_status()
            while name not in (seen := stage.target.get("/-/times").json()):
                if time.monotonic() - sent > 120:
                    raise ProductFailed(f"Newcomer {number} did not begin within 120 s, behind {waiting[0]} runs")
                time.sleep(0.02)
            waited.append((seen[name] - sent) * 1000)
    waiting.append(backlog - ended(stage.api, busy.workflow))
    if waiting[-1] < backlog // 2:
        raise ProductFailed(f"Only {waiting[-1]} of {backlog} runs still waited at the end: that is no backlog")
    waited.sort()
    details = {
        "p95_ms": round(waited[int(posts * 0.95)], 1),
        "posts": posts,
        "waiting_before": waiting[0],
        "waiting_after": waiting[-1],
    }
    return Figure("fair_share_delay_ms", waited[posts // 2], "ms", details)


def undone(api: Api, workflow: str) -> int:
    """How many runs of a workflow failed or were undone: here, all are undone."""
    return int(api.call("GET", f"W/workflows/{workflow}")["stats_24h"]["failed"])


def calls_so_far(stage: Stage) -> int:
    """How many calls of steps came to the target."""
    return int(stage.target.get("/-/count").json()["count"])


def durable_steps_per_s(stage: Stage) -> Figure:
    """Pure steps each second, each with its own commit, with 64 runs of ten in flight; their starts were accepted
    before, as in the bare loop beside it. Counting begins a little later: runs make way for what is being accepted,
    and that this is over is noticed within a second. With each start posted and each end waited for by 64 callers, it
    is what `posted_steps_per_s` says."""
    bare = bare_steps(stage.product.database_url)
    live = stage.api.publish("Bench steps", graphs.ten_steps())
    refuse_failures(load(stage.product.port, live.path, connections=64, count=STEPPED))
    time.sleep(1.5)
    first, began = ended(stage.api, live.workflow), time.monotonic()
    wait_for(stage.api, live.workflow, STEPPED * 4 // 5, seconds=120)
    last, now = ended(stage.api, live.workflow), time.monotonic()
    if not STEPPED / 3 < last - first < STEPPED - first:
        raise ProductFailed(f"Of {STEPPED} runs {first} had ended before and {last} when enough should have.")
    value = (last - first) * 10 / (now - began)
    wait_for(stage.api, live.workflow, STEPPED, seconds=60)
    posted = stage.api.publish("Bench posted steps", graphs.ten_steps("when_finished"))
    report = load(stage.product.port, posted.path, connections=64, seconds=8, warm=2)
    refuse_failures(report)
    details = {
        "runs": last - first,
        "bare_per_s": bare,
        "of_bare": round(value / bare, 3),
        "posted_steps_per_s": report["per_second"] * 10,
        "posted_run_p50_ms": report["p50_ms"],
        "posted_run_p95_ms": report["p95_ms"],
    }
    return Figure("durable_steps_per_s", value, "steps/s", details)


def post_to_first_step_p50_ms(stage: Stage, posts: int = 100) -> Figure:
    """From the post to the first byte of the first step's call, one at a time on an idle system."""
    live = stage.api.publish("Bench latency", graphs.first_step())
    rest = random.Random(7)
    sent: dict[str, float] = {}
    with httpx2.Client(base_url=stage.product.url, trust_env=False, timeout=30) as client:
        for number in range(posts + 10):
            name = f"p{number}"
            sent[name] = time.monotonic()
            client.post(live.path, json={"id": name}).raise_for_status()
            time.sleep(0.06 + 0.08 * rest.random())
    wait_for(stage.api, live.workflow, posts + 10, seconds=30)
    seen = stage.target.get("/-/times").json()
    waited = sorted((seen[f"p{number}"] - sent[f"p{number}"]) * 1000 for number in range(10, posts + 10))
    details = {"p95_ms": round(waited[int(posts * 0.95)], 1), "most_ms": round(waited[-1], 1)}
    return Figure("post_to_first_step_p50_ms", waited[posts // 2], "ms", details)


def idle_rss_mb(stage: Stage) -> Figure:
    """Resident memory a few seconds after the start, set up and with one workflow live; scaled: the largest process.
    With it, what each uses of a processor while nothing happens."""
    time.sleep(3)
    memory = stage.product.memory_mb()
    before, began = stage.product.processor_seconds(), time.monotonic()
    time.sleep(10)
    passed = time.monotonic() - began
    after = stage.product.processor_seconds()
    idle = {name: round((after[name] - before[name]) / passed * 100, 1) for name in after}
    return Figure("idle_rss_mb", max(memory.values()), "MB", {"processes": memory, "idle_cpu_percent": idle})


def refuse_failures(report: dict[str, Any]) -> None:
    """A figure with refused or broken requests is none. Raises ProductFailed."""
    bad = {status: number for status, number in report["statuses"].items() if not 200 <= int(status) < 300}
    if bad or report["failures"]:
        raise ProductFailed(f"Some requests were not accepted: {bad}, {report['failures']} connections broke")


def ready_s_embedded() -> Figure:
    """From typing `make run` a second time to the first page."""
    with tempfile.TemporaryDirectory(prefix="millrace-bench-") as folder:
        for _ in range(2):
            took = one_make_run(Path(folder) / "data")
    return Figure("ready_s", took, "s", {})


def one_make_run(data: Path) -> float:
    """Run `make run` until the first page comes, then stop it."""
    port = free_port()
    environment = {**os.environ, "PORT": str(port), "DATA_DIR": str(data)}
    began = time.monotonic()
    process = subprocess.Popen(
        ["make", "run"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        with httpx2.Client(trust_env=False, timeout=2) as client:
            while time.monotonic() - began < 120:
                try:
                    if client.get(f"http://127.0.0.1:{port}/").status_code == 200:
                        return time.monotonic() - began
                except httpx2.TransportError:
                    time.sleep(0.02)
        raise ProductFailed("make run did not come up")
    finally:
        os.killpg(process.pid, 15)
        process.wait(20)


def more_workers(product: Product, number: int) -> None:
    """Start so many worker processes beside the first, and wait until all of them have shown a sign of life."""
    for _ in range(number):
        product.spawn("worker")
    began = time.monotonic()
    with psycopg.connect(product.database_url, autocommit=True) as database:
        while time.monotonic() - began < 60:
            row = database.execute("SELECT count(*) FROM store_process WHERE kind = 'worker'").fetchone()
            if row is not None and row[0] > number:
                return
            time.sleep(0.1)
    raise ProductFailed("A worker did not come up.")


def ready_s_scaled(product: Product) -> Figure:
    """From starting web, worker and ticker on a migrated database to the first page."""
    began = time.monotonic()
    product.spawn("web")
    product.spawn("worker")
    product.spawn("ticker")
    product.wait_until_ready(seconds=60, path="/")
    return Figure("ready_s", time.monotonic() - began, "s", {})
