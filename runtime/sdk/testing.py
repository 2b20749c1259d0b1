"""What tests of step types need: a context without a worker, and one way to run a step from its example."""

from __future__ import annotations

import hashlib
import inspect
import io
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, BinaryIO
from uuid import UUID

from runtime.contracts.datatables import IfThere, RowFilters, RowView
from runtime.contracts.people import Addressee, Person
from runtime.documents.draw import drawn
from runtime.documents.model import Drawn, design_of
from runtime.documents.problems import DocumentProblem
from runtime.documents.processes import Drawing
from runtime.engine.jsonprofile import JSON, dumps
from runtime.sdk.calendars import WorkCalendar
from runtime.sdk.connections import KINDS
from runtime.sdk.context import EventView, FolderDoor, HttpClient, MailSender, SftpDoor
from runtime.sdk.datatables import ChangedRow, FoundRows
from runtime.sdk.documents import document_refused, html_stored, pictures_of, template_pictures
from runtime.sdk.errors import PermanentError
from runtime.sdk.files import Chunks, FileValue, clean_mime, clean_name, file_id, missing, other_bytes, too_large
from runtime.sdk.nodetype import NodeType
from runtime.sdk.results import Outcome
from runtime.sdk.reviews import Judge, StagedList
from runtime.sdk.signals import SentEvent
from runtime.sdk.tasks import unknown_people

#: 20 Nov 2026, 09:41:07.123 UTC.
NOW_MS = 1795167667123


@dataclass(frozen=True, slots=True)
class KnownConnection:
    """An opened connection of a test."""

    kind: str
    fields: dict[str, Any]

    @property
    def secrets(self) -> tuple[str, ...]:
        return KINDS[self.kind].secrets(self.fields)


class MemoryFiles:
    """The files of a test, in memory; one is there from the beginning. `kept`: bytes by id; `most`: so many a file may
    have."""

    EXAMPLE = UUID("0199a7f0-0000-7000-8000-0000000000f1")

    def __init__(self) -> None:
        self.kept: dict[UUID, bytes] = {self.EXAMPLE: "Customer;Amount\nMüller;1250\n".encode()}
        self.most = 2**30

    async def save(self, name: str, mime: str, chunks: Chunks, *, most: int | None = None) -> FileValue:
        held = bytearray()
        async for chunk in chunks if isinstance(chunks, AsyncIterable) else _each(chunks):
            held += chunk
            if len(held) > min(self.most, most or self.most):
                raise too_large(min(self.most, most or self.most))
        data = bytes(held)
        made = UUID(int=self.EXAMPLE.int + len(self.kept))
        self.kept[made] = data
        return FileValue(str(made), clean_name(name), clean_mime(mime), len(data), hashlib.sha256(data).hexdigest())

    async def open(self, value: JSON | FileValue) -> AsyncIterator[bytes]:
        yield (await self.reading(value)).read()

    async def known(self, value: JSON | FileValue) -> FileValue:
        data = (await self.reading(value)).read()
        said = value.as_json() if isinstance(value, FileValue) else value
        digest = hashlib.sha256(data).hexdigest()
        if not isinstance(said, dict) or said["sha256"] != digest:
            raise other_bytes()
        return FileValue(str(said["id"]), str(said["name"]), str(said["mime"]), len(data), digest)

    async def reading(self, value: JSON | FileValue) -> BinaryIO:
        try:
            return io.BytesIO(self.kept[file_id(value)])
        except KeyError:
            raise missing() from None


async def _each(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


class MemoryTables:
    """One table of a test, in memory: `Customer` is its key, `Limit` a number. `kept`: limits by customer. What is
    asked of it is noted in `asked`; how real tables behave is tested with them."""

    ROW = UUID("0199a7f0-0000-7000-8000-0000000000e1")

    def __init__(self) -> None:
        self.kept: dict[JSON, JSON] = {"C-200": 5000}
        self.asked: list[tuple[Any, ...]] = []

    async def find(
        self, table: str, filters: RowFilters, *, most: int, after: JSON = None, with_total: bool = False
    ) -> FoundRows:
        self.asked.append((table, filters, most, after))
        rows = [RowView(self.ROW, self._values(one), self.ROW, 0, 0, "") for one in self.kept]
        return FoundRows(tuple(rows[:most]), len(rows) > most, total=len(rows) if with_total else None)

    async def save(
        self, table: str, values: Mapping[str, JSON], *, must_be_there: bool = False, if_there: IfThere = "change"
    ) -> ChangedRow:
        self.asked.append((table, dict(values), must_be_there, if_there))
        key: Any = values.get("Customer")
        before = self._values(key)
        if before is not None and if_there == "keep":
            return ChangedRow("kept", self.ROW, before, before)
        self.kept[key] = values.get("Limit")
        return ChangedRow("added" if before is None else "changed", self.ROW, before, self._values(key))

    async def add(self, table: str, key: Mapping[str, JSON], column: str, amount: JSON) -> ChangedRow:
        self.asked.append((table, dict(key), column, amount))
        customer: Any = key["Customer"]
        before, was = self._values(customer), self.kept.get(customer, 0)
        self.kept[customer] = was + amount  # type: ignore[operator]
        return ChangedRow("changed", self.ROW, before, self._values(customer), was, self.kept[customer])

    async def delete(self, table: str, key: Mapping[str, JSON], *, must_be_there: bool = False) -> ChangedRow:
        self.asked.append((table, dict(key), must_be_there))
        customer: Any = key.get("Customer")
        before = self._values(customer)
        self.kept.pop(customer, None)
        return ChangedRow("unchanged" if before is None else "deleted", self.ROW, before, None)

    async def put_back(self) -> ChangedRow:
        return ChangedRow("put_back", self.ROW, {"Customer": "C-200", "Limit": 7500}, self._values("C-200"))

    def _values(self, customer: Any) -> Any:
        return {"Customer": customer, "Limit": self.kept[customer]} if customer in self.kept else None


class MemoryReviews:
    """The lists of a test, in memory. `kept`: the rows of each; `specs`: what was kept with it."""

    LIST = UUID("0199a7f0-0000-7000-8000-0000000000d1")

    def __init__(self) -> None:
        self.kept: list[dict[str, JSON]] = []
        self.judges: list[Judge] = []
        self.specs: list[dict[str, JSON]] = []

    async def stage(self, judge: Judge, spec: Mapping[str, JSON]) -> UUID:
        self.kept, self.judges, self.specs = [], [judge], [dict(spec)]
        return self.LIST

    async def add(self, review: UUID, judge: Judge, rows: Sequence[Mapping[str, JSON]], first: int) -> None:
        self.kept[first:] = [dict(row) for row in rows]

    async def staged(self, review: UUID) -> StagedList:
        found: dict[str, tuple[int, Decimal]] = {}
        judged = [self.judges[0].look(row, number) for number, row in enumerate(self.kept)]
        for one in judged:
            count, amount = found.get(one.currency, (0, Decimal(0)))
            found[one.currency] = (count + 1, amount + (one.amount or 0))
        return StagedList(review, len(self.kept), found, sum(one.amount is None for one in judged))

    async def rows(self, review: UUID, which: str, *, after: int, most: int) -> tuple[list[tuple[int, JSON]], int]:
        found: list[tuple[int, JSON]] = list(enumerate(self.kept))
        return [one for one in found if one[0] > after][:most], len(found)


@dataclass
class MemoryDocuments:
    """Draws in the test's own process, but for HTML."""

    files: MemoryFiles

    async def draw(self, design: Mapping[str, Any], data: JSON) -> Drawn:
        given: Any = data
        images = {name: self.files.kept[UUID(name)] for name in pictures_of(design)}
        try:
            return Drawn(*drawn(design_of(design), given, images))
        except DocumentProblem as problem:
            raise document_refused(problem) from None

    async def print_html(self, template: str, data: JSON, *, language: str, currency: str) -> Drawn:
        images = {name: self.files.kept[UUID(name)] for name in template_pictures(template)}
        drawing = Drawing(1)
        try:
            told = html_stored(template, language, currency)
            return await drawing.draw(told, dumps(data).encode(), images, by="html")
        except DocumentProblem as problem:
            raise document_refused(problem) from None
        finally:
            drawing.close()


@dataclass
class StepTestContext:
    """A Context for tests; give it real doors (``http``, ``mail``) where the step needs them."""

    doors: Any = None
    connections: Mapping[str, KnownConnection] = field(default_factory=dict)
    event: EventView | None = None
    idempotency_key: str = "OJXGK3LFNZXW4"
    now_ms: int = NOW_MS
    attempt: int = 1
    generation: int = 0
    mode: str = "live"
    node_key: str = "step"
    timeout_seconds: float = 30.0
    run_id: UUID = field(default_factory=lambda: UUID("0199a7f0-0000-7000-8000-00000000000a"))
    workflow_id: UUID = field(default_factory=lambda: UUID("0199a7f0-0000-7000-8000-00000000000b"))
    workspace_id: UUID = field(default_factory=lambda: UUID("0199a7f0-0000-7000-8000-00000000000c"))
    logged: list[str] = field(default_factory=list)
    concealed: list[str] = field(default_factory=list)
    sent: list[tuple[str, str, JSON]] = field(default_factory=list)
    #: Groups and roles by name, with the addresses of those in them. Every address is somebody.
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: Those of the workspace, by `@key`.
    calendars: Mapping[str, WorkCalendar] = field(default_factory=dict)
    starter: str = "webhook"
    changers: Sequence[str] = ()
    files: MemoryFiles = field(default_factory=MemoryFiles)
    tables: MemoryTables = field(default_factory=MemoryTables)
    reviews: MemoryReviews = field(default_factory=MemoryReviews)

    @property
    def documents(self) -> MemoryDocuments:
        return MemoryDocuments(self.files)

    @property
    def http(self) -> HttpClient:
        found: HttpClient = self.doors.http
        return found

    @property
    def http_aside(self) -> HttpClient:
        return self.http

    @property
    def mail(self) -> MailSender:
        found: MailSender = self.doors.mail
        return found

    @property
    def sftp(self) -> SftpDoor:
        found: SftpDoor = self.doors.sftp
        return found

    @property
    def folders(self) -> FolderDoor:
        found: FolderDoor = self.doors.folders
        return found

    async def connection(self, connection_id: str) -> KnownConnection:
        try:
            return self.connections[connection_id]
        except KeyError:
            raise PermanentError(
                "The connection is not there", "There is no such connection.", "connection_missing"
            ) from None

    def conceal(self, secret: str) -> None:
        self.concealed.append(secret)

    async def send_event(self, name: str, key: str, data: JSON) -> SentEvent:
        self.sent.append((name, key, data))
        return SentEvent(UUID("0199a7f0-0000-7000-8000-00000000000d"))

    async def people(self, names: Sequence[str]) -> tuple[Addressee, ...]:
        unknown = [name for name in names if "@" not in name and name not in self.groups]
        if unknown:
            raise unknown_people(unknown)
        found = []
        for name in names:
            emails = (name,) if "@" in name else self.groups[name]
            token = name if "@" in name or name.startswith("role:") else f"group:{name.lower()}"
            found.append(Addressee(token, name, tuple(Person(None, email, email) for email in emails)))
        return tuple(found)

    async def calendar(self, named: str) -> WorkCalendar:
        return self.calendars.get(named) or WorkCalendar(named)

    async def started_by(self) -> tuple[str, ...]:
        return (self.starter,)

    async def changed_by(self) -> tuple[str, ...]:
        return tuple(self.changers)

    def log(self, message: str) -> None:
        self.logged.append(message)


async def run_step(
    node_type: NodeType[Any],
    config: Mapping[str, JSON],
    *,
    data: Mapping[str, Any] | None = None,
    step_input: JSON = None,
    context: StepTestContext | None = None,
) -> Outcome:
    """Prepare, resolve and run one step, as the interpreter does."""
    resolved = node_type.prepare(config).resolve(data or {})
    outcome = node_type.run(resolved, step_input, context or StepTestContext())
    if inspect.isawaitable(outcome):
        outcome = await outcome
    return outcome
