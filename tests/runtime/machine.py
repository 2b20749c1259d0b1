"""A runtime process within the test: on a loop of its own, stopped properly or let die.

    machine.start(); run = machine.finish(machine.run(flow(...)))

`crash()` leaves everything as a killed process would: leases held, intents without results. Real kills of real
processes are in `tests/faults`.
"""

from __future__ import annotations

import asyncio
import faulthandler
import itertools
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection

from runtime import api
from runtime.contracts import JSON, RunView, StepDetail
from runtime.contracts.refusals import StoreUnavailable
from runtime.engine.ids import uuid7
from runtime.store import current
from runtime.store.dialect import database_now
from runtime.store.models import Run, StepRun, Timer
from runtime.store.transitions import Transition
from runtime.worker.boot import Kind, Runtime

T = TypeVar("T")

WORKSPACE = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
#: So long a machine may take for what takes a moment, where others keep it busy.
PATIENCE = 90.0


def step(key: str, type: str, config: Mapping[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    """One step of a document; its key is its id and its name."""
    return {
        "id": key,
        "key": key,
        "name": key,
        "type": type,
        "config": dict(config or {}),
        "position": {"x": 0, "y": 0},
        "settings": settings,
    }


def flow(links: str, *steps: dict[str, Any], start: str = "trigger.manual@1") -> dict[str, Any]:
    """A document: `links` as in `start -> a, a:yes -> b`; steps not given are the start and steps that pass data on."""
    given: dict[str, Any] = {item["key"]: item for item in steps}
    edges: list[dict[str, Any]] = []
    names: dict[str, None] = {}
    for part in filter(None, (part.strip() for part in links.split(","))):
        ends = [end.strip() for end in part.split("->")]
        for end in ends:
            names.setdefault(end.partition(":")[0])
        for source, target in itertools.pairwise(ends):
            name, _, port = source.partition(":")
            edges.append(
                {
                    "id": f"e{len(edges)}",
                    "source": name,
                    "sourceHandle": port or "out",
                    "target": target.partition(":")[0],
                    "targetHandle": "in",
                }
            )
    nodes = [given.pop(name, None) or (step(name, start) if name == "start" else fields(name)) for name in names]
    return {
        "format": "millrace.workflow",
        "version": 1,
        "nodes": [*nodes, *given.values()],
        "edges": edges,
        "annotations": [],
    }


def fields(key: str, *, settings: Mapping[str, Any] | None = None, **values: Any) -> dict[str, Any]:
    """An *edit fields* step with these fields."""
    chosen = values or {"from": key}
    return step(
        key,
        "data.edit_fields@1",
        {"fields": [{"name": name, "value": value} for name, value in chosen.items()]},
        **(settings or {}),
    )


def post(key: str, url: str, body: Any = None, **settings: Any) -> dict[str, Any]:
    """A POST with a key: it may be sent again."""
    return step(
        key, "http.request@1", {"method": "POST", "url": url, "body_type": "json", "json_body": body}, **settings
    )


def unsafe_post(key: str, url: str, body: Any = None, **settings: Any) -> dict[str, Any]:
    """A POST without a key: nobody may repeat it unasked."""
    made = post(key, url, body, **settings)
    made["config"]["send_key"] = False
    return made


def get(key: str, url: str, **settings: Any) -> dict[str, Any]:
    """A GET."""
    return step(key, "http.request@1", {"method": "GET", "url": url}, **settings)


def pause(key: str, seconds: float) -> dict[str, Any]:
    """A wait."""
    return step(key, "flow.wait@1", {"mode": "for", "amount": str(seconds), "unit": "seconds"})


RETRY_SOON = {"attempts": 3, "strategy": "fixed", "first_seconds": 0.1, "jitter": 0}


class Machine:
    """One runtime process at a time, in a thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self.runtime: Runtime | None = None

    def start(self, kind: Kind = "embedded", **options: Any) -> Runtime:
        """Start, as a new boot."""
        assert self._thread is None, "it runs already"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="test-machine", daemon=True)
        self._thread.start()
        self.runtime = Runtime(kind=kind, **options)
        self.on_loop(self.runtime.start())
        return self.runtime

    def stop(self, grace_seconds: float = 5.0) -> None:
        """Stop as SIGTERM does."""
        if self.runtime is not None:
            self.on_loop(self.runtime.stop(grace_seconds))
        self._end()

    def crash(self) -> None:
        """Die as SIGKILL does: nothing is said to the database any more."""
        assert self.runtime is not None
        assert self._loop is not None
        if self.runtime.writer is not None:
            current.remove(self.runtime.writer)
        self.on_loop(self._fall_silent(self.runtime))
        self._end()

    def on_loop(self, work: Coroutine[Any, Any, T]) -> T:
        """Run this on the machine's loop."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    @staticmethod
    async def _fall_silent(runtime: Runtime) -> None:
        writer = runtime.writer
        if writer is not None:
            # What is handed in from now on is never committed.
            await asyncio.to_thread(writer.stop)
        me = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not me]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await runtime.fall_deaf()
        await runtime.let_go()

    def _end(self) -> None:
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(PATIENCE)
            self._loop.close()
        self._loop = self._thread = self.runtime = None

    # --- work -----------------------------------------------------------------------------------------------------

    def publish(self, graph: Mapping[str, Any], workflow_id: UUID | None = None) -> UUID:
        """Make this graph live; the workflow's id."""
        workflow_id = workflow_id or uuid7()
        api.publish(workspace_id=WORKSPACE, workflow_id=workflow_id, graph=graph, by=None)
        return workflow_id

    def begin(self, graph: Mapping[str, Any], input: JSON = None) -> UUID:
        """Publish and start; the run's id."""
        return self.begin_again(self.publish(graph), input)

    def begin_again(self, workflow_id: UUID, input: JSON = None) -> UUID:
        """Start a published workflow; the run's id. Who is told that the database did not answer in time (I2) asks once
        more with the same key, as anybody would, and prints what everybody was at."""
        ask = partial(
            api.start_run, workspace_id=WORKSPACE, workflow_id=workflow_id, input=input, key=f"again-{uuid7()}"
        )
        try:
            return ask().run_id
        except StoreUnavailable:
            faulthandler.dump_traceback(sys.__stderr__ or 2)
            return ask().run_id

    def claimable(self) -> set[UUID]:
        """What a sweep would take now; it is given back."""
        assert self.runtime is not None
        assert self.runtime.writer is not None
        writer = self.runtime.writer
        claimed = self.on_loop(_awaited(writer.claim(limit=1_000)))
        self.on_loop(writer.release([(one.run_id, one.token) for one in claimed]))
        return {one.run_id for one in claimed}

    def now_ms(self) -> int:
        """The database's clock, as this machine knows it."""
        assert self.runtime is not None
        assert self.runtime.writer is not None
        return self.runtime.writer.now_ms()

    def finish(self, run_id: UUID, patience: float = PATIENCE) -> RunView:
        """The run once it has ended."""
        deadline = time.monotonic() + patience
        while not (mark := _mark(run_id)) or mark[-1] is None:
            assert time.monotonic() < deadline, f"{look(run_id)} did not end"
            time.sleep(0.01)
        return look(run_id)

    def until(self, run_id: UUID, reached: Callable[[RunView], bool], patience: float = PATIENCE) -> RunView:
        """The run as soon as this holds of it."""
        deadline = time.monotonic() + patience
        seen, looked_at = None, 0.0
        while True:
            # To look is work for the processor that the run needs too: only where something may have changed.
            now, mark = time.monotonic(), _mark(run_id)
            if mark != seen or now > looked_at + 0.1:
                seen, looked_at = mark, now
                run = look(run_id)
                if reached(run):
                    return run
                assert now < deadline, f"{run} did not get there"
            time.sleep(0.01)

    def run(self, graph: Mapping[str, Any], input: JSON = None) -> RunView:
        """Publish, start, and wait for the end."""
        return self.finish(self.begin(graph, input))


def _mark(run_id: UUID) -> tuple[Any, ...]:
    """Another one after each commit of the run."""
    key = run_id if connection.vendor == "postgresql" else run_id.hex
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq, status, finished_at FROM store_run WHERE id = %s", [key])
        return tuple(cursor.fetchone() or ())


async def _awaited(work: Awaitable[T]) -> T:
    return await work


def look(run_id: UUID) -> RunView:
    return api.run(workspace_id=WORKSPACE, run_id=run_id)


def detail(run_id: UUID, node_id: str) -> StepDetail:
    return api.step(workspace_id=WORKSPACE, run_id=run_id, node_id=node_id)


def lived(run_id: UUID) -> tuple[int, int]:
    """When the run began and when it ended, by the database's clock: what its row says a process has reckoned, which on
    a busy machine is a moment off."""
    rows = Transition.objects.filter(run_id=run_id).exclude(status="accepted").order_by("number")
    times = list(rows.values_list("at", flat=True))
    assert look(run_id).finished_at is not None
    return times[0], times[-1]


def statuses(run_id: UUID) -> dict[str, str]:
    """Each step's status, by key."""
    snapshot = api.snapshot(workspace_id=WORKSPACE, run_id=run_id)
    return {found.key: found.status for found in snapshot.steps}


def cut_short(run_id: UUID) -> None:
    """Let what this run waits for be due now: a pause that is longer than any test may take ends when the test says so.
    Of one that somebody paused it is due, and nothing more. The step has to come to its end, for its record says
    otherwise until then."""
    now = database_now()
    StepRun.objects.filter(run_id=run_id, status="waiting", due_at__gt=now).update(due_at=now)
    Timer.objects.filter(run_id=run_id, due_at__gt=now).update(due_at=now)
    Run.objects.filter(pk=run_id, finished_at__isnull=True, wake_at__isnull=False).update(wake_at=now)


def rung_and_swept(machine: Machine, run_id: UUID) -> None:
    """Ring for this run; back when the pump has looked around since, and has had time to claim what it found."""
    pump = machine.runtime and machine.runtime.pump
    assert pump
    look_around = pump._look_around
    swept = threading.Event()

    def seen() -> None:
        look_around()
        swept.set()

    pump._look_around = seen  # type: ignore[method-assign]
    machine.on_loop(pump.admit([run_id]))
    assert swept.wait(PATIENCE)
    time.sleep(0.2)
    pump._look_around = look_around  # type: ignore[method-assign]


def wait_until(holds: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait for something that must come."""
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
