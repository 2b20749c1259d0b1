"""The live socket: one for each open workspace in a browser.

    browser → {"type":"subscribe","run":id,"after":seq}  {"type":"unsubscribe","run":id}
              {"type":"subscribe","topic":"runs","workflow":id|null}  {"type":"unsubscribe","topic":"runs"}
              {"type":"subscribe","topic":"figures"}  {"type":"unsubscribe","topic":"figures"}  {"type":"ping"}
    server  → {"type":"changes","run","after","seq","state","steps"}  {"type":"runs","items"}  {"type":"gone","run"}
              {"type":"absences"}  {"type":"figures"}  {"type":"pong"}

News over the channel layer only says "look": what is sent is always read from the database, as the rows that changed
after the seq the browser knows. So nothing depends on news arriving in order, once, or at all; where it is lost, a look
every two seconds finds the change. `absences`: somebody is away, or here again, and others are asked by that; it is
looked for whenever the rights of the socket are. `figures`: those of the monitor have changed; for who may see them,
at most once every two seconds, as often as they are added up. Closes with 4401 signed out, 4403 no longer allowed, 1008
too many messages.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final
from uuid import UUID

import structlog
from channels.generic.websocket import AsyncWebsocketConsumer  # type: ignore[import-untyped]

from builder.accounts import absences
from builder.live import readings, watching
from builder.live.publish import UNWATCHED_SECONDS, run_group, workspace_group
from builder.live.threads import DatabaseThreads
from runtime.contracts import TERMINAL, JSONRefused, dumps, loads

log = structlog.get_logger(__name__)

#: At most eight messages a second for one run, which with what its page asks for then are ten; and three for a list.
RUN_PAUSE: Final = 0.125
LIST_PAUSE: Final = 0.3
#: A run of so many items changes all the time, and what its page is told has it ask for more.
MANY_ITEMS: Final = 100
MANY_PAUSE: Final = 0.4
#: How often the database is read although no news came.
LOOK_SECONDS: Final = 2.0
LOOK_ENDED_SECONDS: Final = 15.0
#: When every process knows surely that somebody watches: what they kept to themselves before is looked at then.
KNOWN_SECONDS: Final = UNWATCHED_SECONDS + 0.15
#: How often session and role are read again.
CHECK_SECONDS: Final = 3.0
MOST_RUNS: Final = 50
MOST_MESSAGE: Final = 2_000
#: A browser sends a handful of messages; this is a burst, then so many a second.
BURST: Final = 120
PER_SECOND: Final = 20.0
MOST_SOCKETS_OF_ONE_SESSION: Final = 30
MOST_LISTED: Final = 60

THREADS: Final = DatabaseThreads("live", 4)
in_thread: Final = THREADS.run


@dataclass(slots=True)
class Watched:
    """A run that the browser follows, and where it stands."""

    after: int
    #: By when everybody knows that it is followed.
    known_at: float
    dirty: bool = True
    ended: bool = False
    sent_at: float = 0.0
    looked_at: float = 0.0
    pause: float = RUN_PAUSE

    def due_at(self) -> float:
        """When to read it next: soon where there is news, else when news might have been lost."""
        if self.dirty:
            return self.sent_at + self.pause
        if self.looked_at < self.known_at:
            return self.known_at
        return self.looked_at + (LOOK_ENDED_SECONDS if self.ended else LOOK_SECONDS)


@dataclass(slots=True)
class Listed:
    """The list of runs that the browser follows."""

    workflow_id: UUID | None
    #: By when everybody knows that it is followed.
    known_at: float
    touched: dict[UUID, None] = field(default_factory=dict)
    seqs: dict[str, int] = field(default_factory=dict)
    sent_at: float = 0.0
    looked_at: float = 0.0

    def look_at(self) -> float:
        """When to read all of it next."""
        if 0.0 < self.looked_at < self.known_at:
            return self.known_at
        return self.looked_at + LOOK_SECONDS

    def due_at(self) -> float:
        """When to read it next."""
        return min(self.look_at(), self.sent_at + LIST_PAUSE) if self.touched else self.look_at()


@dataclass(slots=True)
class Figures:
    """The figures of the monitor, which the browser follows: how they stood when it was told last."""

    state: str | None = None
    looked_at: float = 0.0


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One socket. Its pump is the only task that sends, so a slow reader slows nobody else and piles nothing up."""

    sockets_of: ClassVar[dict[str, int]] = {}

    async def connect(self) -> None:
        """Let in who may watch; everybody else is turned away before the handshake is answered."""
        headers = dict(self.scope["headers"])
        workspace_id: UUID = self.scope["url_route"]["kwargs"]["workspace_id"]
        session_key = watching.session_key_of(headers)
        secure = self.scope.get("scheme") == "wss"
        if session_key is None or not watching.same_origin(headers, secure=secure):
            await self.close(code=watching.FORBIDDEN)
            return
        self.visitor = watching.Visitor(session_key, workspace_id)
        refused = await in_thread(lambda: watching.verdict(self.visitor))
        if refused is None and self.sockets_of.get(session_key, 0) >= MOST_SOCKETS_OF_ONE_SESSION:
            refused = watching.FORBIDDEN
        if refused is not None:
            await self.close(code=refused)
            return
        self.away = await in_thread(lambda: absences.mark(workspace_id=workspace_id))
        self.sockets_of[session_key] = self.sockets_of.get(session_key, 0) + 1
        self.runs: dict[UUID, Watched] = {}
        self.listed: Listed | None = None
        self.figures: Figures | None = None
        self.pongs = 0
        self.gone: list[UUID] = []
        self.allowance = float(BURST)
        self.heard_at = asyncio.get_running_loop().time()
        self.wake = asyncio.Event()
        await self.accept()
        self.tasks = [
            asyncio.create_task(self._guarded(self._pump()), name="live-pump"),
            asyncio.create_task(self._guarded(self._check()), name="live-check"),
        ]

    async def disconnect(self, code: int) -> None:
        """Leave every group and stop."""
        tasks = getattr(self, "tasks", None)
        if tasks is None:
            return
        for task in tasks:
            if task is not asyncio.current_task():
                task.cancel()
        key = self.visitor.session_key
        self.sockets_of[key] = self.sockets_of.get(key, 1) - 1
        if self.sockets_of[key] <= 0:
            del self.sockets_of[key]
        with contextlib.suppress(Exception):
            for run_id in self.runs:
                await self.channel_layer.group_discard(run_group(run_id), self.channel_name)
            if self.listed is not None:
                await self.channel_layer.group_discard(workspace_group(self.visitor.workspace_id), self.channel_name)

    # --- what the browser says ------------------------------------------------------------------------------------

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """One message. What makes no sense is ignored; too much of it ends the socket."""
        if not self._allowed() or text_data is None or len(text_data) > MOST_MESSAGE:
            await self.close(code=1008)
            return
        try:
            message = loads(text_data)
        except JSONRefused:
            return
        if not isinstance(message, dict):
            return
        match message:
            case {"type": "ping"}:
                self.pongs = 1
                self.wake.set()
            case {"type": "subscribe", "run": str(run), "after": int(after)} if after >= 0:
                await self._watch(_id(run), after)
            case {"type": "unsubscribe", "run": str(run)}:
                await self._unwatch(_id(run))
            case {"type": "subscribe", "topic": "runs"}:
                workflow = message.get("workflow")
                workflow_id = _id(workflow) if isinstance(workflow, str) else None
                if workflow is None or workflow_id is not None:
                    await self._list(workflow_id)
            case {"type": "subscribe", "topic": "figures"}:
                self.figures = self.figures or Figures()
                self.wake.set()
            case {"type": "unsubscribe", "topic": "figures"}:
                self.figures = None
            case {"type": "unsubscribe", "topic": "runs"}:
                if self.listed is not None:
                    self.listed = None
                    await self.channel_layer.group_discard(
                        workspace_group(self.visitor.workspace_id), self.channel_name
                    )
            case _:
                return

    def _allowed(self) -> bool:
        now = asyncio.get_running_loop().time()
        self.allowance = min(float(BURST), self.allowance + (now - self.heard_at) * PER_SECOND) - 1
        self.heard_at = now
        return self.allowance >= 0

    async def _watch(self, run_id: UUID | None, after: int) -> None:
        if run_id is None:
            return
        if run_id not in self.runs:
            if len(self.runs) >= MOST_RUNS:
                await self.close(code=1008)
                return
            # Join first, read then: what changes in between is news and is read once more.
            await self.channel_layer.group_add(run_group(run_id), self.channel_name)
        self.runs[run_id] = Watched(after, _soon_known())
        self.wake.set()

    async def _unwatch(self, run_id: UUID | None) -> None:
        if run_id is not None and self.runs.pop(run_id, None) is not None:
            await self.channel_layer.group_discard(run_group(run_id), self.channel_name)

    async def _list(self, workflow_id: UUID | None) -> None:
        if self.listed is None:
            await self.channel_layer.group_add(workspace_group(self.visitor.workspace_id), self.channel_name)
        self.listed = Listed(workflow_id, _soon_known())
        self.wake.set()

    # --- news from the channel layer ------------------------------------------------------------------------------

    async def run_touched(self, message: dict[str, Any]) -> None:
        """A commit raised a run's seq."""
        watched = self.runs.get(UUID(message["run"]))
        if watched is not None and message["seq"] > watched.after:
            watched.dirty = True
            self.wake.set()

    async def runs_touched(self, message: dict[str, Any]) -> None:
        """Commits touched runs of this workspace."""
        if self.listed is None:
            return
        for run, workflow in message["runs"]:
            if self.listed.workflow_id is None or UUID(workflow) == self.listed.workflow_id:
                self.listed.touched[UUID(run)] = None
        if self.listed.touched:
            self.wake.set()

    # --- the pump -------------------------------------------------------------------------------------------------

    async def _pump(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            now = loop.time()
            if self.pongs:
                self.pongs = 0
                await self._say({"type": "pong"})
            for run_id, watched in list(self.runs.items()):
                if now >= watched.due_at():
                    await self._send_changes(run_id, watched)
            if self.listed is not None and now >= self.listed.due_at():
                await self._send_list(self.listed)
            if self.figures is not None and now >= self.figures.looked_at + LOOK_SECONDS:
                await self._send_figures(self.figures)
            self.wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._until_next()):
                    await self.wake.wait()
            # News of a moment is gathered; `wake` may be set hundreds of times a second.
            await asyncio.sleep(0.01)

    def _until_next(self) -> float:
        now = asyncio.get_running_loop().time()
        if self.pongs:
            return 0.0
        due = [now + LOOK_SECONDS, *(watched.due_at() for watched in self.runs.values())]
        if self.listed is not None:
            due.append(self.listed.due_at())
        if self.figures is not None:
            due.append(self.figures.looked_at + LOOK_SECONDS)
        return max(0.0, min(due) - now)

    async def _send_changes(self, run_id: UUID, watched: Watched) -> None:
        watched.dirty = False
        after = watched.after
        # What changes while it is read is not part of this look.
        watched.looked_at = asyncio.get_running_loop().time()
        try:
            message = await in_thread(
                lambda: readings.changes(workspace_id=self.visitor.workspace_id, run_id=run_id, after=after)
            )
        except Exception as error:
            log.warning("live changes could not be read; the next look tries again", error=str(error))
            return
        if self.runs.get(run_id) is not watched:
            return  # unsubscribed, or subscribed anew, while we read
        if message is None:
            await self._unwatch(run_id)
            await self._say({"type": "gone", "run": str(run_id)})
            return
        watched.ended = message["state"]["status"] in TERMINAL
        if message["seq"] > watched.after:
            watched.after = message["seq"]
            watched.sent_at = asyncio.get_running_loop().time()
            watched.pause = MANY_PAUSE if _has_many(message["steps"]) else RUN_PAUSE
            await self._say(message)

    async def _send_list(self, listed: Listed) -> None:
        now = asyncio.get_running_loop().time()
        touched = list(listed.touched)
        listed.touched.clear()
        looking = now >= listed.look_at()
        workspace_id = self.visitor.workspace_id
        try:
            if looking or len(touched) > readings.LIST_LENGTH:
                items = await in_thread(
                    lambda: readings.newest(workspace_id=workspace_id, workflow_id=listed.workflow_id)
                )
                listed.looked_at = now
            else:
                items = []
            seen = {item["id"] for item in items}
            rest = [run_id for run_id in touched[-MOST_LISTED:] if str(run_id) not in seen]
            if rest:
                items += await in_thread(lambda: readings.some(workspace_id=workspace_id, run_ids=rest))
        except Exception as error:
            log.warning("the live list could not be read; the next look tries again", error=str(error))
            listed.looked_at = now
            return
        fresh = [item for item in items if listed.seqs.get(item["id"]) != item["seq"]]
        for item in fresh:
            listed.seqs[item["id"]] = item["seq"]
        while len(listed.seqs) > 1_000:
            del listed.seqs[next(iter(listed.seqs))]
        if fresh and self.listed is listed:
            listed.sent_at = now
            await self._say({"type": "runs", "items": fresh})

    async def _send_figures(self, figures: Figures) -> None:
        figures.looked_at = asyncio.get_running_loop().time()
        try:
            state = await in_thread(
                lambda: (
                    readings.figures_state(workspace_id=self.visitor.workspace_id)
                    if watching.may_see_figures(self.visitor)
                    else None
                )
            )
        except Exception as error:
            log.warning("figures could not be looked at; the next look tries again", error=str(error))
            return
        # Whoever follows them has just read them: the first look only says how they stand.
        before, figures.state = figures.state, state
        if before is not None and state is not None and state != before and self.figures is figures:
            await self._say({"type": "figures"})

    async def _check(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                refused = await in_thread(lambda: watching.verdict(self.visitor))
                away = await in_thread(lambda: absences.mark(workspace_id=self.visitor.workspace_id))
            except Exception as error:
                # The database is away: nothing can be read either, so nothing leaks meanwhile.
                log.warning("a live socket's rights could not be read", error=str(error))
                continue
            if refused is not None:
                await self.close(code=refused)
                return
            if away != self.away:
                self.away = away
                await self._say({"type": "absences"})

    async def _guarded(self, work: Any) -> None:
        try:
            await work
        except asyncio.CancelledError:
            raise
        except Exception as error:
            # The line is gone, most likely; `disconnect` follows and tidies up.
            log.info("a live socket ended", error=str(error))
            with contextlib.suppress(Exception):
                await self.close(code=1011)

    async def _say(self, message: dict[str, Any]) -> None:
        await self.send(text_data=dumps(message))


def _soon_known() -> float:
    return asyncio.get_running_loop().time() + KNOWN_SECONDS


def _has_many(steps: list[dict[str, Any]]) -> bool:
    """Whether one of these steps has begun many runs of its own."""
    return any(items["started"] > MANY_ITEMS for step in steps if (items := step.get("items")) is not None)


def _id(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None
