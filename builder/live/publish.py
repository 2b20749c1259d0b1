"""Carries committed changes from the writer's thread to whoever watches: implements `runtime.ports.LiveSink`.

The writer must never wait for a browser. `publish` puts ids into a dict and wakes a loop; the loop sends what has
gathered, newest seq only, at most every 40 ms. Losing news is allowed: the sockets read the database again every 2 s.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

import structlog
from channels.layers import InMemoryChannelLayer, get_channel_layer  # type: ignore[import-untyped]
from django.conf import settings

from runtime.contracts import RunTouched

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = structlog.get_logger(__name__)

PAUSE: Final = 0.04
#: What a single commit brings in several portions goes together.
GATHER: Final = 0.003
#: For so long it is believed that nobody watches, where nobody did; who joins meanwhile looks again a little later.
UNWATCHED_SECONDS: Final = 0.25
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
        self._detached = False
        self._flushing: asyncio.Task[None] | None = None
        self._sent_at = 0.0
        self._unwatched_until = 0.0
        self._redis: Redis | None = None

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Send from this loop: the web server's own, on which the sockets live."""
        self._loop = loop
        self._detached = False
        # Of an earlier loop, which is over.
        self._flushing = None

    async def detach(self) -> None:
        """Send what waits and nothing more; the loop it was attached to is about to end."""
        self._detached = True
        if self._flushing is not None:
            await asyncio.wait([self._flushing], timeout=1)
        redis, self._redis = self._redis, None
        if redis is not None:
            await redis.aclose()

    def listening(self) -> bool:
        """Within one process it is known whether anybody watches, else how that was a moment ago. Who joins reads what
        is committed by then, and once more when this is known here (`consumers.KNOWN_SECONDS`)."""
        layer = get_channel_layer()
        if isinstance(layer, InMemoryChannelLayer):
            return bool(layer.groups)
        return time.monotonic() >= self._unwatched_until

    def publish(self, touched: Sequence[RunTouched]) -> None:
        """Take note of what changed; called on the writer's thread after COMMIT. Never blocks, never raises."""
        if self._detached:
            return
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
        if self._detached:
            return
        self._flushing = asyncio.get_running_loop().create_task(self._flush())

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(GATHER, self._sent_at + PAUSE - loop.time()))
        self._sent_at = loop.time()
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
        asked_at = time.monotonic()
        watched = await self._watched(layer)
        if not watched:
            self._unwatched_until = asked_at + UNWATCHED_SECONDS
            return
        by_workspace: dict[UUID, list[RunTouched]] = {}
        for change in news.values():
            by_workspace.setdefault(change.workspace_id, []).append(change)
            group = run_group(change.run_id)
            if group in watched:
                await layer.group_send(group, {"type": "run.touched", "run": change.run_id.hex, "seq": change.seq})
        for workspace_id, changes in by_workspace.items():
            group = workspace_group(workspace_id)
            if group in watched:
                runs = [[c.run_id.hex, c.workflow_id.hex] for c in changes[-MOST_IN_ONE_MESSAGE:]]
                await layer.group_send(group, {"type": "runs.touched", "runs": runs})

    async def _watched(self, layer: Any) -> Collection[str]:
        """The groups that somebody has joined: nobody's news costs nothing, however much of it there is."""
        if isinstance(layer, InMemoryChannelLayer):
            return list(layer.groups)
        if self._redis is None:
            from redis.asyncio import Redis  # what one process by itself never needs

            self._redis = Redis.from_url(settings.REDIS_URL, decode_responses=True)
        name = f"{layer.prefix}__group__"
        joined = cast("list[str]", await self._redis.pubsub_channels(f"{name}*"))
        return {channel.removeprefix(name) for channel in joined}
