"""Telling everybody what became of a batch: those who waited for their units, and who watches runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from runtime.contracts import StoreUnavailable
from runtime.ports import LiveSink
from runtime.store import units
from runtime.store.reads import RunEnd
from runtime.store.tickets import Ticket

__all__ = ["Watchers", "current_loop", "deliver_all", "expire", "publish", "still_waiting"]

Watcher = Callable[[RunEnd | None], None]

logger = logging.getLogger("millrace.store.writer")


def publish(sink: LiveSink, batch: units.Batch) -> None:
    """Tell who watches runs. Never raises."""
    try:
        if sink.listening() and (touched := batch.touched()):
            sink.publish(touched)
    except Exception:
        logger.exception("The live sink raised; the news is lost, the rows are not.")


def expire(future: asyncio.Future[Any]) -> None:
    """Answer whoever has waited long enough."""
    if not future.done():
        future.set_exception(StoreUnavailable("The database did not answer in time."))


def current_loop() -> asyncio.AbstractEventLoop | None:
    """The loop that runs on this thread."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def still_waiting(tickets: Sequence[Ticket]) -> list[Ticket]:
    """Those whose time is not up; the others are answered."""
    now = time.monotonic()
    late = [ticket for ticket in tickets if ticket.deadline is not None and ticket.deadline <= now]
    if late:
        deliver_all([t.failed(StoreUnavailable("The database did not answer in time.")) for t in late])
    return [ticket for ticket in tickets if ticket.deadline is None or ticket.deadline > now]


def deliver_all(tickets: Sequence[Ticket]) -> None:
    """Answer every ticket; one call into each loop however many of its coroutines wait."""
    here = current_loop()
    by_loop: dict[asyncio.AbstractEventLoop, list[Ticket]] = {}
    for ticket in tickets:
        if ticket.loop is None:
            _deliver([ticket])
        elif ticket.loop in by_loop:
            by_loop[ticket.loop].append(ticket)
        else:
            by_loop[ticket.loop] = [ticket]
    for loop, theirs in by_loop.items():
        if loop is here:
            _deliver(theirs)
            continue
        try:
            loop.call_soon_threadsafe(_deliver, theirs)
        except RuntimeError:
            logger.debug("A loop ended before its answers came.")


def _deliver(tickets: Sequence[Ticket]) -> None:
    for ticket in tickets:
        future = ticket.future
        if future.done():
            continue
        if ticket.error is not None:
            future.set_exception(ticket.error)
        else:
            future.set_result(ticket.result)


class Watchers:
    """Who wants to hear of a run's end."""

    def __init__(self) -> None:
        self.callbacks: dict[UUID, list[Watcher]] = {}
        self._lock = threading.Lock()

    def watch(self, run_id: UUID, callback: Watcher) -> None:
        """Call back, on the committing thread, whenever this process ends this run or writes its response: with its
        end, or with None where that has to be looked up."""
        with self._lock:
            self.callbacks.setdefault(run_id, []).append(callback)

    def unwatch(self, run_id: UUID, callback: Watcher) -> None:
        """Undo `watch`."""
        with self._lock:
            callbacks = self.callbacks.get(run_id, [])
            if callback in callbacks:
                callbacks.remove(callback)
            if not callbacks:
                self.callbacks.pop(run_id, None)

    def tell(self, ends: Sequence[tuple[UUID, RunEnd | None]]) -> None:
        """Call whoever watches these runs."""
        if not self.callbacks:
            return
        for run_id, end in ends:
            with self._lock:
                callbacks = list(self.callbacks.get(run_id, ()))
            for callback in callbacks:
                with contextlib.suppress(RuntimeError):  # the loop that waited has ended
                    callback(end)
