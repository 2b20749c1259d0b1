"""The places of a drill where files are saved: folders beside its ledger, and objects that its ledger remembers."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

from runtime.sdk.folders import Folder
from runtime.worker.folders import LocalFolders

__all__ = ["MARK", "Places", "found", "stored_answer"]

#: By which an object is known to be of a step.
MARK: Final = "x-amz-meta-millrace"
_SIGNED: Final = "x-amz-content-sha256"


class Places:
    """Every server and every folder of this machine is one folder of the drill. `saved` is told of what got its name
    there: the method that it was like, and its path."""

    def __init__(self, folder: Path, saved: Callable[[str, str], None]) -> None:
        self._folder = folder
        self._saved = saved

    @contextlib.asynccontextmanager
    async def open(self, _where: object, *, total_seconds: float = 30.0) -> AsyncIterator[Folder]:
        self._folder.mkdir(exist_ok=True)
        async with LocalFolders([str(self._folder)]).open(str(self._folder)) as folder:
            yield _Noted(folder, self._saved)


class _Noted:
    def __init__(self, folder: Folder, saved: Callable[[str, str], None]) -> None:
        self._folder = folder
        self._saved = saved

    async def size(self, path: str) -> int | None:
        return await self._folder.size(path)

    async def digest(self, path: str) -> str:
        return await self._folder.digest(path)

    async def make(self, folders: tuple[str, ...]) -> None:
        await self._folder.make(folders)

    async def write(self, path: str, file: BinaryIO, size: int) -> None:
        await self._folder.write(path, file, size)

    async def move(self, path: str, to: str, *, replace: bool) -> bool:
        done = await self._folder.move(path, to, replace=replace)
        if done:
            # What replaces the same leaves the same.
            self._saved("PUT" if replace else "SAVE", to)
        return done

    async def remove(self, path: str) -> None:
        await self._folder.remove(path)


def stored_answer(method: str, headers: Sequence[tuple[str, str]]) -> bool:
    """Whether this asks a storage what it has."""
    return method == "HEAD" and any(name.lower() == _SIGNED for name, _ in headers)


def found(ledger: Path, url: str) -> Mapping[str, Any] | None:
    """The last call that wrote this object, as the ledger has it."""
    if not ledger.exists():
        return None
    calls = [json.loads(line) for line in ledger.read_bytes().splitlines() if line.endswith(b"}")]
    return next((call for call in reversed(calls) if (call["method"], call["to"]) == ("PUT", url)), None)
