"""What a running step is handed: its identity, its event, and the doors to connections and the network."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from runtime.contracts.people import Addressee
from runtime.documents.processes import Drawing
from runtime.engine.jsonprofile import JSON
from runtime.interpreter import signals
from runtime.interpreter.keys import effect_key
from runtime.interpreter.started import event_view
from runtime.ports import PORTS, ConnectionMissing, OpenConnection, PeopleUnknown
from runtime.sdk import EventView, HttpClient, MailSender, PermanentError
from runtime.sdk.calendars import WorkCalendar
from runtime.sdk.context import FolderDoor, HttpAnswer, SftpDoor, Ways
from runtime.sdk.datatables import Tables
from runtime.sdk.documents import Documents
from runtime.sdk.files import Files
from runtime.sdk.reviews import Reviews
from runtime.sdk.signals import SentEvent
from runtime.sdk.tasks import unknown_people
from runtime.store import hands
from runtime.store.calendars import calendar_for
from runtime.store.datatable_changes import Origin
from runtime.store.datatable_groups import Groups
from runtime.store.records import Claimed, EventRow
from runtime.store.reviews import Place
from runtime.worker.datatables import StepTables
from runtime.worker.documents import Pictures, StepDocuments
from runtime.worker.files import StepFiles
from runtime.worker.metering import MeteredHttp, Turns, meter_of
from runtime.worker.reviews import StepReviews

if TYPE_CHECKING:
    from runtime.interpreter import Driver
    from runtime.interpreter.records import Asked

logger = logging.getLogger("millrace.steps")


#: By how much a step's own patience ends before the interpreter's: a second, of short times a tenth.
MARGIN_SECONDS: Final = 1.0
MARGIN_SHARE: Final = 0.1


class CountedHttp:
    """The door to the network, which knows how many calls are under way."""

    __slots__ = ("_http", "under_way")

    def __init__(self, http: HttpClient) -> None:
        self._http = http
        self.under_way = 0

    async def request(self, method: str, url: str, **more: Any) -> HttpAnswer:
        self.under_way += 1
        try:
            return await self._http.request(method, url, **more)
        finally:
            self.under_way -= 1


class Doors:
    """The process's ways out, shared by all steps."""

    __slots__ = ("drawing", "groups", "http", "mail", "pictures", "pool", "ways")

    def __init__(self, ways: Ways, *, pool: Executor, drawing: Drawing) -> None:
        self.drawing = drawing
        self.pictures = Pictures()
        self.groups = Groups()
        self.http = CountedHttp(ways.http)
        self.mail = ways.mail
        self.ways = ways
        self.pool = pool

    @property
    def sftp(self) -> SftpDoor:
        """Made when somebody asks for it."""
        return self.ways.sftp

    @property
    def folders(self) -> FolderDoor:
        return self.ways.folders


class StepContext:
    """See `runtime.sdk.context.Context`. One for each attempt."""

    __slots__ = (
        "_asked", "_began", "_claimed", "_doors", "_event", "_files", "_meter", "_seconds", "_secrets", "_undoes",
        "attempt", "idempotency_key", "node_key", "now_ms",
    )  # fmt: skip

    def __init__(
        self,
        claimed: Claimed,
        doors: Doors,
        node_key: str,
        attempt: int,
        idempotency_key: str,
        now_ms: int,
        timeout_seconds: float,
        event: EventRow | None,
        asked: Asked | None = None,
        undoes: tuple[str, str] | None = None,
        meter: Turns | None = None,
    ) -> None:
        self._asked = asked
        self._undoes = undoes
        self._meter = meter
        self._files: Files | None = None
        self._claimed = claimed
        self._doors = doors
        self._event = event
        self._secrets: tuple[str, ...] = ()
        self.node_key = node_key
        self.attempt = attempt
        self.idempotency_key = idempotency_key
        self.now_ms = now_ms
        self._seconds = timeout_seconds
        self._began: float | None = None

    @property
    def timeout_seconds(self) -> float:
        """How much time is left to the step, less a margin.

        The interpreter stops the attempt at the full time, and knows nothing then of what was sent. A step that gives
        up a moment earlier says so itself: with its request, its own words, and whether anything may have happened.
        """
        passed = time.monotonic() - self._start()
        if self._meter is not None:
            passed -= self._meter.waited_seconds
        return max(self._seconds - min(MARGIN_SECONDS, self._seconds * MARGIN_SHARE) - passed, 0.01)

    def _start(self) -> float:
        """When the step first asked its context for anything: opening a connection is part of its time."""
        if self._began is None:
            self._began = time.monotonic()
        return self._began

    @property
    def run_id(self) -> UUID:
        return self._claimed.run_id

    @property
    def workflow_id(self) -> UUID:
        return self._claimed.workflow_id

    @property
    def workspace_id(self) -> UUID:
        return self._claimed.workspace_id

    @property
    def generation(self) -> int:
        return self._claimed.generation

    @property
    def mode(self) -> str:
        return self._claimed.mode

    @property
    def event(self) -> EventView | None:
        return None if self._event is None else event_view(self._event)

    @property
    def http(self) -> HttpClient:
        if self._meter is not None and self._meter.counts:
            return MeteredHttp(self._doors.http, self._meter)
        return self._doors.http

    @property
    def http_aside(self) -> HttpClient:
        return self._doors.http

    def timed_by(self, limit: asyncio.Timeout) -> None:
        if self._meter is not None:
            self._meter.limit = limit

    @property
    def mail(self) -> MailSender:
        return self._doors.mail

    @property
    def sftp(self) -> SftpDoor:
        return self._doors.sftp

    @property
    def folders(self) -> FolderDoor:
        return self._doors.folders

    @property
    def files(self) -> Files:
        self._start()
        if self._files is None:
            assert self._asked is not None
            self._files = StepFiles(self._claimed.workspace_id, self._asked, self._doors.pool)
        return self._files

    @property
    def documents(self) -> Documents:
        return StepDocuments(self._claimed.workspace_id, self.files, self._doors.drawing, self._doors.pictures)

    @property
    def tables(self) -> Tables:
        self._start()
        assert self._asked is not None
        claimed = self._claimed
        by, node = f"run:{claimed.run_id}", self._asked.step.node.id
        origin = Origin(claimed.workspace_id, by, self.idempotency_key, claimed.run_id, node, claimed.generation)
        return StepTables(origin, self._doors.pool, self._doors.groups, self._undoes)

    @property
    def reviews(self) -> Reviews:
        self._start()
        assert self._asked is not None
        claimed, node = self._claimed, self._asked.step.node.id
        place = Place(claimed.workspace_id, claimed.run_id, node, claimed.generation, self.attempt)
        return StepReviews(place, self._doors.pool)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What was decrypted for this attempt, to be kept out of everything written down."""
        return self._secrets

    async def connection(self, connection_id: str) -> OpenConnection:
        self._start()
        try:
            identity = UUID(connection_id)
        except ValueError:
            raise _missing(connection_id) from None
        opened = await asyncio.get_running_loop().run_in_executor(self._doors.pool, self._open, identity)
        self._secrets = (*self._secrets, *opened.secrets)
        if self._meter is not None:
            await self._meter.opened(identity)
        return opened

    def conceal(self, secret: str) -> None:
        self._secrets = (*self._secrets, secret)

    async def send_event(self, name: str, key: str, data: JSON) -> SentEvent:
        self._start()
        return await asyncio.get_running_loop().run_in_executor(self._doors.pool, self._send_event, name, key, data)

    def _send_event(self, name: str, key: str, data: JSON) -> SentEvent:
        run_id = self._claimed.run_id
        try:
            made = signals.draft(
                workspace_id=self._claimed.workspace_id,
                kind="event",
                data=data,
                by=f"run {run_id}",
                sent_by=f"run:{run_id}",
                name=name,
                key=key,
                mode=self._claimed.mode,
                run_id=run_id,
                dedupe_key=f"step:{self.idempotency_key}",
            )
        except signals.SignalTooLarge:
            raise PermanentError(
                "The event is too large", "An event carries at most 10 MiB.", "event_too_large"
            ) from None
        sent = signals.send(made)
        return SentEvent(sent.id, sent.duplicate)

    async def people(self, names: Sequence[str]) -> tuple[Addressee, ...]:
        if not names:
            return ()
        workspace_id = self._claimed.workspace_id
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._doors.pool, lambda: PORTS.people.find(workspace_id=workspace_id, names=names)
            )
        except PeopleUnknown as unknown:
            raise unknown_people(unknown.names) from None

    async def calendar(self, named: str) -> WorkCalendar:
        workspace_id = self._claimed.workspace_id
        return await asyncio.get_running_loop().run_in_executor(self._doors.pool, calendar_for, workspace_id, named)

    async def started_by(self) -> tuple[str, ...]:
        return await asyncio.get_running_loop().run_in_executor(self._doors.pool, hands.starters, self.run_id)

    async def changed_by(self) -> tuple[str, ...]:
        return await asyncio.get_running_loop().run_in_executor(self._doors.pool, hands.changed_by, self.run_id)

    def log(self, message: str) -> None:
        logger.info("run %s step %s: %s", self._claimed.run_id, self.node_key, message[:2000])

    def _open(self, connection_id: UUID) -> OpenConnection:
        try:
            return PORTS.vault.open(workspace_id=self._claimed.workspace_id, connection_id=connection_id)
        except ConnectionMissing:
            raise _missing(str(connection_id)) from None


def _missing(connection_id: str) -> PermanentError:
    return PermanentError(
        "The connection is not there",
        "This step uses a connection that was removed or can no longer be opened. Choose another one in its settings.",
        "connection_missing",
        detail=connection_id,
    )


def context_of(driver: Driver, asked: Asked, doors: Doors) -> StepContext:
    """What the step of this attempt is handed."""
    node = asked.step.node
    # By their places: a keyword costs as much as all else here.
    return StepContext(
        driver.claimed,
        doors,
        node.key,
        asked.attempt,
        asked.key,
        asked.at,
        node.settings.timeout_seconds,
        driver.event if driver.event is not None and node.is_trigger else None,
        asked,
        _undone(driver, node.id) if driver.graph.undoes else None,
        meter_of(driver, asked),
    )


def _undone(driver: Driver, node_id: str) -> tuple[str, str] | None:
    """The step that this one undoes, and the key of its effect, also where that never came."""
    action = driver.graph.undoes.get(node_id)
    if action is None:
        return None
    claimed, epoch = driver.claimed, driver.epochs.get(action, 0)
    key = driver.keys.get(action) or effect_key(
        driver.shell.key_secret, claimed.run_id, action, claimed.generation, epoch
    )
    return action, key
