"""What the doorbell does: the one actor, and the threads that wait for its messages where the broker is Redis."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as NotYet
from typing import Final

import dramatiq

from runtime import queue
from runtime.worker.pump import Pump

_THREADS: Final = 4
#: How long the consumer waits at Redis, and a thread at the consumer, before it asks again: well below what Redis may
#: take to answer, and below what is felt when a process is told to stop.
_WAIT_MS: Final = 100
#: How long a message may wait for room here. Then its runs are left to the sweep, and the thread to the next message.
_PATIENCE_SECONDS: Final = 0.25
_STOP_MS: Final = 3_000


class Doorman:
    """Listens to the doorbell for a pump."""

    def __init__(self, pump: Pump, loop: asyncio.AbstractEventLoop) -> None:
        self._pump = pump
        self._loop = loop
        self._worker: dramatiq.Worker | None = None

    def start(self) -> None:
        """Declare the actor, and start the threads if messages come from outside."""
        if queue.is_off():
            return
        broker = queue.broker()
        if isinstance(broker, queue.InProcessBroker):
            queue.declare(self._pass_on)
            return
        queue.declare(self._bring)
        self._worker = dramatiq.Worker(broker, queues={queue.QUEUE}, worker_timeout=_WAIT_MS, worker_threads=_THREADS)
        self._worker.start()

    def stop(self) -> None:
        """Take no more messages; those not begun go back to the broker. Blocks for up to three seconds."""
        if queue.is_off():
            return
        if self._worker is not None:
            self._worker.stop(timeout=_STOP_MS)
            self._worker = None
        queue.broker().actors.pop(queue.ACTOR, None)

    def _pass_on(self, *, run_ids: object = None, **_later: object) -> None:
        """In this process: the event loop hears of it at its next turn."""
        with contextlib.suppress(RuntimeError):  # the loop has ended: so has this process's work
            self._loop.call_soon_threadsafe(self._pump.rung, queue.ids_of(run_ids))

    def _bring(self, *, run_ids: object = None, **_later: object) -> None:
        """From the broker: wait until there is room, so that a full process leaves messages to the others."""
        found = queue.ids_of(run_ids)
        if not found:
            return
        try:
            admitted = asyncio.run_coroutine_threadsafe(self._pump.admit(found), self._loop)
        except RuntimeError:  # the loop has ended
            return
        try:
            admitted.result(_PATIENCE_SECONDS)
        except NotYet:
            admitted.cancel()
        except CancelledError:
            return
