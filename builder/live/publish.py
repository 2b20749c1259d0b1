"""Carries committed changes from the writer's thread to whoever watches: implements `runtime.ports.LiveSink`.

The writer must never wait for a browser. `publish` puts ids into a dict and wakes a loop; the loop sends what has
gathered, newest seq only, every 40 ms. Losing news is allowed: the sockets read the database again every 2 s.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import structlog
from channels.layers import InMemoryChannelLayer, get_channel_layer  # type: ignore[import-untyped]

from runtime.contracts import RunTouched

log = structlog.get_logger(__name__)

PAUSE: Final = 0.04
#: More news than this at once is cut: a list shows the newest, and a watched run is read again anyway.
MOST_WAITING: Final = 20_000
MOST_IN_ONE_MESSAGE: Final = 200


def run_group(run_id: UUID) -> str:
    """The group of those who watch one run."""
    return f"run.{run_id.hex}"


def workspace_group(workspace_id: UUID) -> str:
    """The group of those who watch a workspace's list of runs."""
    return f"workspace.{workspace_id.hex}"


class ChannelSink:
    """Publishes over the channel layer, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[UUID, RunTouched] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = False
        self._flushing: asyncio.Task[None] | None = None

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Send from this loop: the web server's own, on which the sockets live."""
        self._loop = loop

    def publish(self, touched: Sequence[RunTouched]) -> None:
        """Take note of what changed; called on the writer's thread after COMMIT. Never blocks, never raises."""
        try:
            with self._lock:
                for change in touched:
                    earlier = self._waiting.get(change.run_id)
                    if earlier is None and len(self._waiting) >= MOST_WAITING:
                        continue
                    if earlier is None or earlier.seq <= change.seq:
                        self._waiting[change.run_id] = change
                if self._woken or not self._waiting:
                    return
                loop = self._loop or self._own_loop()
                if loop is None:
                    self._waiting.clear()
                    return
                self._woken = True
            loop.call_soon_threadsafe(self._start)
        except Exception:
            # A closed loop at shutdown, for one: the change is committed, which is all that matters.
            with self._lock:
                self._waiting.clear()
                self._woken = False

    def _own_loop(self) -> asyncio.AbstractEventLoop | None:
        """A loop on a thread of its own, for workers; none where the layer cannot leave the process."""
        if isinstance(get_channel_layer(), InMemoryChannelLayer):
            return None
        loop = asyncio.new_event_loop()
        threading.Thread(target=loop.run_forever, name="live-publish", daemon=True).start()
        self._loop = loop
        return loop

    def _start(self) -> None:
        self._flushing = asyncio.get_running_loop().create_task(self._flush())

    async def _flush(self) -> None:
        await asyncio.sleep(PAUSE)
        with self._lock:
            news = self._waiting
            self._waiting = {}
            self._woken = False
        try:
            await self._send(news)
        except Exception as error:
            log.warning("live news was not sent; watchers will read the database", error=str(error))

    async def _send(self, news: dict[UUID, RunTouched]) -> None:
        layer = get_channel_layer()
        if layer is None:
            return
        # Within one process it is known who watches, and nobody's news costs nothing.
        watched = layer.groups if isinstance(layer, InMemoryChannelLayer) else None
        if watched is not None and not watched:
            return
        by_workspace: dict[UUID, list[RunTouched]] = {}
        messages: list[tuple[str, dict[str, Any]]] = []
        for change in news.values():
            by_workspace.setdefault(change.workspace_id, []).append(change)
            messages.append(
                (run_group(change.run_id), {"type": "run.touched", "run": change.run_id.hex, "seq": change.seq})
            )
        for workspace_id, changes in by_workspace.items():
            runs = [[c.run_id.hex, c.workflow_id.hex] for c in changes[-MOST_IN_ONE_MESSAGE:]]
            messages.append((workspace_group(workspace_id), {"type": "runs.touched", "runs": runs}))
        for group, message in messages:
            if watched is None or group in watched:
                await layer.group_send(group, message)
