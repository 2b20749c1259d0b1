"""What a running step is given. The worker implements these; step types see nothing else of the runtime."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Literal, Protocol, TypeAlias
from uuid import UUID

from runtime.contracts.people import Addressee
from runtime.engine.jsonprofile import JSON
from runtime.ports import OpenConnection
from runtime.sdk.attachments import Attachment
from runtime.sdk.calendars import WorkCalendar
from runtime.sdk.datatables import Tables
from runtime.sdk.documents import Documents
from runtime.sdk.errors import PermanentError
from runtime.sdk.files import Files
from runtime.sdk.folders import Folder
from runtime.sdk.reviews import Reviews
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


@dataclass(frozen=True, slots=True)
class Portions:
    """A body that is sent as it is read. ``size``: bytes; ``portions``: them, anew each time it is called."""

    size: int
    portions: Callable[[], AsyncIterator[bytes]]


#: Takes an answer's body as it comes, decompressed.
Sink: TypeAlias = Callable[[AsyncIterator[bytes]], Awaitable[None]]
#: Asked with an answer's status and headers who takes its body; None: nobody, it is read into ``content``.
OpenSink: TypeAlias = Callable[[int, Mapping[str, str]], Sink | None]


class HttpClient(Protocol):
    """The only door to the network for HTTP. Every address is vetted at connect time, on every redirect too."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Sequence[tuple[str, str]] = (),
        content: bytes | Portions = b"",
        connect_seconds: float = 5.0,
        total_seconds: float = 30.0,
        follow_redirects: bool = True,
        max_bytes: int | None = None,
        drop_on_redirect: Sequence[str] = (),
        sink: OpenSink | None = None,
    ) -> HttpAnswer:
        """Send and read the whole answer. Any status is an answer; failures raise RetryableError or PermanentError.

        ``drop_on_redirect``: header names, besides the usual secret ones, that never go to another host. ``sink``: who
        takes the body of the last answer instead, without ``max_bytes``; ``content`` is empty then.
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
        attachments: Sequence[Attachment] = (),
    ) -> MailReceipt:
        """Deliver one message; raises RetryableError or PermanentError. ``attachments`` are added to it."""
        ...

    async def check(self, *, server: MailServer, total_seconds: float = 15.0) -> None:
        """Connect and sign in, send nothing; raises RetryableError or PermanentError."""
        ...


@dataclass(frozen=True, slots=True)
class SftpServer:
    """Where files are kept over SSH. ``host_key``: the kind and the fingerprint that somebody confirmed, as in
    ``ssh-ed25519 SHA256:…``; ``private_key``: its text, used in place of the password; ``folder``: where paths begin,
    empty for where the account begins."""

    host: str
    port: int
    username: str
    host_key: str = ""
    password: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    passphrase: str = field(default="", repr=False)
    folder: str = ""


class HostKeyUnknown(PermanentError):
    """Nobody has confirmed yet that this is the server. ``host_key``: what it shows, as `SftpServer` keeps it."""

    def __init__(self, host: str, host_key: str) -> None:
        super().__init__(
            "Nobody has confirmed this server yet",
            f"{host} shows the key {host_key}. Compare it with what its operator tells you, and confirm it where the "
            "connection is tested.",
            "host_key_unknown",
        )
        self.host_key = host_key


class SftpDoor(Protocol):
    """The only door to the network for SFTP, vetted like HTTP."""

    def open(self, server: SftpServer, *, total_seconds: float = 30.0) -> AbstractAsyncContextManager[Folder]:
        """Sign in; the folder is open within the block. Raises StepFailure, and HostKeyUnknown before a secret is
        sent."""
        ...


class FolderDoor(Protocol):
    """The door to folders of this machine, of which the operator says which are open."""

    def open(self, path: str) -> AbstractAsyncContextManager[Folder]:
        """The folder is open within the block. Raises StepFailure."""
        ...


class Ways(Protocol):
    """All doors to the outside: what steps have, and what a connection is tested with."""

    @property
    def http(self) -> HttpClient: ...
    @property
    def mail(self) -> MailSender: ...
    @property
    def sftp(self) -> SftpDoor: ...
    @property
    def folders(self) -> FolderDoor: ...


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
    def http_aside(self) -> HttpClient:
        """The same door for what is no call of the connection's own system: it needs no turn of that, and takes none
        away from the call that had it."""
        ...

    @property
    def mail(self) -> MailSender: ...
    @property
    def sftp(self) -> SftpDoor: ...
    @property
    def folders(self) -> FolderDoor: ...
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

    @property
    def reviews(self) -> Reviews:
        """The lists that people review; only for steps that are coroutines."""
        ...

    async def connection(self, connection_id: str) -> OpenConnection:
        """Open a connection of this workspace; raises PermanentError when there is none such."""
        ...

    def conceal(self, secret: str) -> None:
        """Keep this out of everything that is written down of the attempt, as what a connection holds is."""
        ...

    async def send_event(self, name: str, key: str, data: JSON) -> SentEvent:
        """Send an event to the runs of this workspace that wait for it; the same one on every attempt."""
        ...

    async def people(self, names: Sequence[str]) -> tuple[Addressee, ...]:
        """Who is meant: e-mail addresses, names of groups, roles. Raises PermanentError where somebody is unknown."""
        ...

    async def calendar(self, named: str) -> WorkCalendar:
        """The working days of a country, or of a calendar of the workspace (`@key`) as it is now; Monday to Friday
        where neither is named."""
        ...

    async def started_by(self) -> tuple[str, ...]:
        """Who or what started the run, or the one that it is a part of: `user:<id>`, `webhook`, `schedule` and so on.
        Of one that was started anew in the place of another, who started that, too."""
        ...

    async def changed_by(self) -> tuple[str, ...]:
        """People (`user:<id>`) who gave the run something else than its workflow did: other settings, or a result."""
        ...

    def log(self, message: str) -> None: ...
