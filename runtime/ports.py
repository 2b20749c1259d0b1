"""What the runtime needs from outside: Protocols it declares and others implement.

News goes up only through these. The builder wires its implementations in `builder/config/wiring.py` by calling
`configure(...)` once at start-up; a process without a builder (a test, a bench) runs on the quiet defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from uuid import UUID

from runtime.contracts import RunTouched
from runtime.contracts.people import Addressee, Away, Person, StandIn, Voter


class LiveSink(Protocol):
    """Hears of committed changes. Called on the writer's thread after COMMIT: never blocks, never raises."""

    def listening(self) -> bool:
        """Whether anybody could be told; asked before the news is put together."""
        ...

    def publish(self, touched: Sequence[RunTouched]) -> None: ...


class Vault(Protocol):
    """Opens connections. Called on a worker thread for each step that names one."""

    def open(self, *, workspace_id: UUID, connection_id: UUID) -> OpenConnection:
        """The connection's kind and decrypted fields; raises ConnectionMissing where this workspace has none such."""
        ...

    def note_secrets(
        self, *, workspace_id: UUID, connection_id: UUID, current: float | None, previous: float | None
    ) -> None:
        """Of one that holds a secret and the one before: when each last let somebody in, seconds since the epoch."""
        ...


class People(Protocol):
    """Knows who is here. Called on a thread that may ask the database."""

    def find(self, *, workspace_id: UUID, names: Sequence[str]) -> tuple[Addressee, ...]:
        """Whom these are: e-mail addresses, names of groups, `role:admin`, tokens. Raises PeopleUnknown."""
        ...

    def known(self, *, workspace_id: UUID, tokens: Sequence[str]) -> tuple[Addressee, ...]:
        """The same of tokens, without those that mean nobody any more; of none: everybody in the workspace."""
        ...

    def voter(self, *, workspace_id: UUID, email: str) -> Voter | None:
        """Whoever has this address, with all by which they can be asked today; None for whoever is no member."""
        ...

    def mark(self, *, workspace_id: UUID) -> str | None:
        """Another text whenever somebody has come, left, or is asked by another way than before; None where nobody
        keeps a list of people."""
        ...

    def stand_ins(self, *, workspace_id: UUID, emails: Sequence[str]) -> tuple[StandIn, ...]:
        """Who decides right now in the place of those of these people who are away; nobody for whoever is here, or
        has no stand-in who is."""
        ...

    def absences(self) -> tuple[Away, ...]:
        """Everybody who is away right now, in all workspaces."""
        ...


class Names(Protocol):
    """Knows what people call things. Called on a thread that may ask the database."""

    def workspace(self, *, workspace_id: UUID) -> str: ...
    def workflow(self, *, workspace_id: UUID, workflow_id: UUID) -> str: ...
    def connection(self, *, workspace_id: UUID, connection_id: UUID) -> str:
        """Empty for what is not there any more, here and above."""
        ...


class PeopleUnknown(Exception):
    """Nobody in this workspace is called so. `names`: those that mean nobody."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(", ".join(names))
        self.names = tuple(names)


@dataclass(frozen=True, slots=True)
class Post:
    """The installation's own mail server, and whom its mail comes from."""

    host: str
    port: int
    security: Literal["none", "starttls", "tls"]
    sender: str
    username: str = ""
    password: str = field(default="", repr=False)


class OpenConnection(Protocol):
    """A decrypted connection, in memory only for as long as the step runs."""

    @property
    def kind(self) -> str: ...
    @property
    def fields(self) -> dict[str, Any]: ...
    @property
    def secrets(self) -> tuple[str, ...]:
        """The secret values, so that what is written down can be redacted."""
        ...


class ConnectionMissing(Exception):
    """This workspace has no such connection, or it can no longer be opened."""


class Seal(Protocol):
    """Signs what this installation has made, so that others can tell."""

    def sign(self, text: str) -> dict[str, str] | None:
        """The signature of this text (ASCII): `algorithm`, `key` (which one), `signature` (base64); None where this
        installation has no key."""
        ...

    def is_genuine(self, text: str, signature: object) -> bool:
        """Whether this installation has signed that text so."""
        ...


class Record(Protocol):
    """Puts on record what the runtime does after whoever asked for it has gone, in the transaction of the change:
    either both are there or neither."""

    def decided(
        self,
        record: str,
        became: Literal["took_effect", "refused"],
        ask: Callable[[str, Sequence[Any]], list[tuple[Any, ...]]],
        facts: Mapping[str, Any],
    ) -> None:
        """A decision has come to its effect, or to none. `record`: what was given when it was accepted; `ask`: over the
        connection of the change."""
        ...

    def swept(
        self,
        *,
        workspace_id: UUID,
        by: UUID | None,
        removed: Mapping[str, int],
        kept: Mapping[str, int],
        rules: Mapping[str, int],
    ) -> None:
        """A sweep has ended: so much of each class was removed by these rules (days), so much was kept, by reason.
        `by`: who wanted it at that moment; None: its time had come. Over Django's connection."""
        ...


class NoRecord:
    """A Record for processes where nobody keeps one."""

    def decided(
        self,
        record: str,
        became: Literal["took_effect", "refused"],
        ask: Callable[[str, Sequence[Any]], list[tuple[Any, ...]]],
        facts: Mapping[str, Any],
    ) -> None:
        return None

    def swept(
        self,
        *,
        workspace_id: UUID,
        by: UUID | None,
        removed: Mapping[str, int],
        kept: Mapping[str, int],
        rules: Mapping[str, int],
    ) -> None:
        return None


class NoSeal:
    """A Seal for processes without a key."""

    def sign(self, text: str) -> dict[str, str] | None:
        return None

    def is_genuine(self, text: str, signature: object) -> bool:
        return False


class QuietSink:
    """A LiveSink for processes that nobody watches."""

    def listening(self) -> bool:
        return False

    def publish(self, touched: Sequence[RunTouched]) -> None:
        return None


class EmptyVault:
    """A Vault that holds nothing."""

    def open(self, *, workspace_id: UUID, connection_id: UUID) -> OpenConnection:
        raise ConnectionMissing(f"There is no connection {connection_id}.")

    def note_secrets(
        self, *, workspace_id: UUID, connection_id: UUID, current: float | None, previous: float | None
    ) -> None:
        return None


class Anybody:
    """A People for processes where nobody keeps a list: every address is somebody, and there are no groups."""

    def find(self, *, workspace_id: UUID, names: Sequence[str]) -> tuple[Addressee, ...]:
        unknown = [name for name in names if "@" not in name]
        if unknown:
            raise PeopleUnknown(unknown)
        return self.known(workspace_id=workspace_id, tokens=names)

    def known(self, *, workspace_id: UUID, tokens: Sequence[str]) -> tuple[Addressee, ...]:
        return tuple(Addressee(one, one, (Person(None, one, one),)) for one in tokens if "@" in one)

    def voter(self, *, workspace_id: UUID, email: str) -> Voter | None:
        return None

    def mark(self, *, workspace_id: UUID) -> str | None:
        return None

    def stand_ins(self, *, workspace_id: UUID, emails: Sequence[str]) -> tuple[StandIn, ...]:
        return ()

    def absences(self) -> tuple[Away, ...]:
        return ()


class NoNames:
    """A Names for processes where nobody calls anything by a name."""

    def workspace(self, *, workspace_id: UUID) -> str:
        return ""

    def workflow(self, *, workspace_id: UUID, workflow_id: UUID) -> str:
        return ""

    def connection(self, *, workspace_id: UUID, connection_id: UUID) -> str:
        return ""


class Ports:
    """The implementations this process runs on. `post`: None where the installation sends no mail of its own."""

    def __init__(self) -> None:
        self.live: LiveSink = QuietSink()
        self.vault: Vault = EmptyVault()
        #: Where the world reaches this installation, without a slash at the end; empty where nobody said so.
        self.public_url = ""
        self.people: People = Anybody()
        self.names: Names = NoNames()
        self.post: Post | None = None
        self.seal: Seal = NoSeal()
        self.record: Record = NoRecord()


PORTS = Ports()


def configure(
    *,
    live: LiveSink | None = None,
    vault: Vault | None = None,
    people: People | None = None,
    names: Names | None = None,
    post: Post | None = None,
    public_url: str | None = None,
    seal: Seal | None = None,
    record: Record | None = None,
) -> None:
    """Set this process's implementations; called by the composition root before anything starts."""
    if people is not None:
        PORTS.people = people
    if names is not None:
        PORTS.names = names
    if post is not None:
        PORTS.post = post
    if live is not None:
        PORTS.live = live
    if vault is not None:
        PORTS.vault = vault
    if seal is not None:
        PORTS.seal = seal
    if record is not None:
        PORTS.record = record
    if public_url is not None:
        PORTS.public_url = public_url.rstrip("/")
