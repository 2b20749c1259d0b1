"""What the runtime needs from outside: Protocols it declares and others implement.

News goes up only through these. The builder wires its implementations in `builder/config/wiring.py` by calling
`configure(...)` once at start-up; a process without a builder (a test, a bench) runs on the quiet defaults.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID

from runtime.contracts import RunTouched


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


class Ports:
    """The implementations this process runs on."""

    def __init__(self) -> None:
        self.live: LiveSink = QuietSink()
        self.vault: Vault = EmptyVault()
        #: Where the world reaches this installation, without a slash at the end; empty where nobody said so.
        self.public_url = ""


PORTS = Ports()


def configure(*, live: LiveSink | None = None, vault: Vault | None = None, public_url: str | None = None) -> None:
    """Set this process's implementations; called by the composition root before anything starts."""
    if live is not None:
        PORTS.live = live
    if vault is not None:
        PORTS.vault = vault
    if public_url is not None:
        PORTS.public_url = public_url.rstrip("/")
