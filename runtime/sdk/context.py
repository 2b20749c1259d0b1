"""What a running step is given. The worker implements these; step types see nothing else of the runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Literal, Protocol
from uuid import UUID

from runtime.contracts.people import Addressee
from runtime.engine.jsonprofile import JSON
from runtime.ports import OpenConnection
from runtime.sdk.datatables import Tables
from runtime.sdk.documents import Documents
from runtime.sdk.files import Files
from runtime.sdk.signals import SentEvent


@dataclass(frozen=True, slots=True)
class EventView:
    """What started the run, as a trigger's ``run`` sees it.

    ``source``: webhook, manual, schedule, api or test. ``body``: raw bytes as received. ``headers``: lower-case names.
    ``input``: the already parsed JSON for starts that have no bytes (a form, a schedule tick, a test with own data);
    a trigger prefers it over ``body``.
    """

    source: str
    received_at: int
    method: str = ""
    path: str = ""
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = ""
    body: bytes = b""
    input: JSON = None
    has_input: bool = False


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An HTTP response, read completely and decompressed. ``headers``: lower-case names, equal names joined by ", "."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    duration_ms: int
    url: str


class HttpClient(Protocol):
    """The only door to the network for HTTP. Every address is vetted at connect time, on every redirect too."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Sequence[tuple[str, str]] = (),
        content: bytes = b"",
        connect_seconds: float = 5.0,
        total_seconds: float = 30.0,
        follow_redirects: bool = True,
        max_bytes: int | None = None,
        drop_on_redirect: Sequence[str] = (),
    ) -> HttpAnswer:
        """Send and read the whole answer. Any status is an answer; failures raise RetryableError or PermanentError.

        ``drop_on_redirect``: header names, besides the usual secret ones, that never go to another host.
        """
        ...


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where and how to hand over mail."""

    host: str
    port: int
    security: Literal["none", "starttls", "tls"]
    username: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class MailReceipt:
    """The server took responsibility. ``refused``: recipients it did not take, with its words."""

    accepted: tuple[str, ...]
    refused: Mapping[str, str]


class MailSender(Protocol):
    """The only door to the network for mail, vetted like HTTP."""

    async def send(
        self,
        *,
        server: MailServer,
        message: EmailMessage,
        sender: str,
        recipients: Sequence[str],
        total_seconds: float = 30.0,
    ) -> MailReceipt:
        """Deliver one message; raises RetryableError or PermanentError."""
        ...

    async def check(self, *, server: MailServer, total_seconds: float = 15.0) -> None:
        """Connect and sign in, send nothing; raises RetryableError or PermanentError."""
        ...


class Context(Protocol):
    """Handed to ``run``."""

    @property
    def run_id(self) -> UUID: ...
    @property
    def workflow_id(self) -> UUID: ...
    @property
    def workspace_id(self) -> UUID: ...
    @property
    def node_key(self) -> str: ...
    @property
    def attempt(self) -> int: ...
    @property
    def generation(self) -> int: ...
    @property
    def mode(self) -> str:
        """``live`` or ``test``."""
        ...

    @property
    def idempotency_key(self) -> str:
        """Names this step of this run to the outside world; the same on every attempt."""
        ...

    @property
    def now_ms(self) -> int:
        """When this attempt began, milliseconds since the epoch (UTC)."""
        ...

    @property
    def event(self) -> EventView | None:
        """What started the run; for triggers."""
        ...

    @property
    def timeout_seconds(self) -> float:
        """How long the step may still take. It ends a little before the attempt is cut off from outside."""
        ...

    @property
    def http(self) -> HttpClient: ...
    @property
    def mail(self) -> MailSender: ...
    @property
    def files(self) -> Files:
        """The workspace's files; only for steps that are coroutines."""
        ...

    @property
    def documents(self) -> Documents:
        """Where documents are drawn; only for steps that are coroutines."""
        ...

    @property
    def tables(self) -> Tables:
        """The workspace's data tables; only for steps that are coroutines."""
        ...

    async def connection(self, connection_id: str) -> OpenConnection:
        """Open a connection of this workspace; raises PermanentError when there is none such."""
        ...

    async def send_event(self, name: str, key: str, data: JSON) -> SentEvent:
        """Send an event to the runs of this workspace that wait for it; the same one on every attempt."""
        ...

    async def people(self, names: Sequence[str]) -> tuple[Addressee, ...]:
        """Who is meant: e-mail addresses, names of groups, roles. Raises PermanentError where somebody is unknown."""
        ...

    async def started_by(self) -> str:
        """Who or what started the run: `user:<id>`, `webhook`, `schedule` and so on."""
        ...

    def log(self, message: str) -> None: ...
