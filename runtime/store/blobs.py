"""Where bytes outside the rows are kept: folders below DATA_DIR, or, where the operator says so, an object storage.

The storage is installed at start. What was written to folders before stays readable there: it is looked for first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

__all__ = ["PLACE", "Storage"]


class Storage(Protocol):
    """An object storage. Every method raises OSError where it does not do what it was asked."""

    def put(self, key: str, portions: Callable[[], Iterator[bytes]], *, size: int, sha256: str) -> None:
        """These bytes are durable under this name when it returns. `portions` gives them anew for each try."""
        ...

    def portions(self, key: str) -> Iterator[bytes]:
        """The bytes as they come. Raises FileNotFoundError where there are none."""
        ...

    def delete(self, key: str) -> None:
        """Remove it; nothing where there is none."""
        ...

    def listing(self, prefix: str) -> Iterator[tuple[str, float]]:
        """What begins so, by name: when it was written, in seconds since the epoch."""
        ...

    def problem(self) -> str:
        """Why it cannot be used, in a sentence; empty where it can: something is written, read and removed."""
        ...


class _Place:
    """What this process has. `storage`: None for folders."""

    def __init__(self) -> None:
        self.storage: Storage | None = None


PLACE = _Place()
