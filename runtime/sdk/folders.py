"""A folder outside, as steps see it: of this machine or another one."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import BinaryIO, Protocol, TypeAlias

__all__ = ["Folder", "Open"]


class Folder(Protocol):
    """A folder outside, open. Paths are relative to it, with / between names, and are never made of anything else.

    Each method raises StepFailure; one that may have moved something, with `maybe_applied`.
    """

    async def size(self, path: str) -> int | None:
        """Bytes of the file there; None where there is nothing."""
        ...

    async def digest(self, path: str) -> str:
        """The SHA-256 of the file there; read in portions."""
        ...

    async def make(self, folders: tuple[str, ...]) -> None:
        """The folder stands, with all above it."""
        ...

    async def write(self, path: str, file: BinaryIO, size: int) -> None:
        """These bytes stand there, in place of whatever did."""
        ...

    async def move(self, path: str, to: str, *, replace: bool) -> bool:
        """Give it another name; false, and nothing was done, where there is one already and `replace` is not said."""
        ...

    async def remove(self, path: str) -> None:
        """Take away what is there; nothing where there is nothing."""
        ...


#: A folder, open until the block ends.
Open: TypeAlias = AbstractAsyncContextManager[Folder]
