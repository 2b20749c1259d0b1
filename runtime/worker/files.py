"""A step's door to the files of its workspace: streams them in and out, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from typing import Any, BinaryIO, Final, TypeVar, cast
from uuid import UUID

from django.db import InterfaceError, OperationalError, connections

from runtime.contracts import StoreUnavailable
from runtime.engine.jsonprofile import JSON
from runtime.interpreter.records import Asked
from runtime.sdk.files import Chunks, FileValue, clean_mime, clean_name, file_id, missing, other_bytes, too_large
from runtime.store import files
from runtime.store.records import FileWrite

R = TypeVar("R")

#: So much is gathered of small portions before a thread writes it.
_GATHERED: Final = 1024 * 1024


class StepFiles:
    """See `runtime.sdk.files.Files`. One for each attempt that asks for it; what it saves is noted in `asked`."""

    def __init__(self, workspace_id: UUID, asked: Asked, pool: Executor) -> None:
        self._workspace_id = workspace_id
        self._asked = asked
        self._pool = pool

    async def save(self, name: str, mime: str, chunks: Chunks, *, most: int | None = None) -> FileValue:
        saving: files.Saving | None = None

        def opened() -> files.Saving:
            nonlocal saving
            saving = files.Saving(most)
            return saving

        try:
            if isinstance(chunks, AsyncIterable):
                begun = await self._in_thread(opened)
                await self._gather(begun, chunks)
                await self._in_thread(begun.finish)
            else:
                # Whatever makes the portions runs in the thread, too.
                begun = await self._in_thread(lambda: _write_all(opened(), iter(chunks)))
        except files.FileTooLarge as error:
            await self._in_thread(lambda: None if saving is None else saving.abandon())
            raise too_large(error.most) from None
        except BaseException:
            # The attempt may be cut off: the thread that may still write is followed by the one that removes.
            self._pool.submit(lambda: None if saving is None else saving.abandon())
            raise
        return self._noted(begun, name, mime)

    def _noted(self, saving: files.Saving, name: str, mime: str) -> FileValue:
        value = FileValue(str(saving.id), clean_name(name), clean_mime(mime), saving.size, saving.sha256)
        node = self._asked.step.node.id
        written = value.name, value.mime, value.size, value.sha256
        self._asked.files += (FileWrite(saving.id, node, self._asked.generation, *written),)
        return value

    async def open(self, value: JSON | FileValue) -> AsyncIterator[bytes]:
        wanted = file_id(value)
        found = await self._in_thread(lambda: self._known(wanted))
        portions = files.portions(UUID(found.id), found.sha256, found.size)
        while (portion := await self._in_thread(lambda: next(portions, None))) is not None:
            yield portion

    async def known(self, value: JSON | FileValue) -> FileValue:
        wanted = file_id(value)
        found = await self._in_thread(lambda: self._known(wanted))
        if (value.sha256 if isinstance(value, FileValue) else cast("Any", value)["sha256"]) != found.sha256:
            raise other_bytes()
        return found

    async def reading(self, value: JSON | FileValue) -> BinaryIO:
        wanted = file_id(value)

        def opened() -> BinaryIO:
            found = self._known(wanted)
            return files.opened(wanted, found.sha256, found.size)

        opening = asyncio.get_running_loop().run_in_executor(self._pool, opened)
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            # The thread may open it all the same, and nobody would close it.
            opening.add_done_callback(_close)
            raise

    def _known(self, wanted: UUID) -> FileValue:
        """The file as it is on record: what the data says of it proves nothing."""
        for own in self._asked.files:
            if own.id == wanted:
                return FileValue(str(own.id), own.name, own.mime, own.size, own.sha256)
        try:
            row = files.found(self._workspace_id, wanted)
        except (OperationalError, InterfaceError) as error:
            connections.close_all()
            raise StoreUnavailable(str(error)) from error
        if row is None:
            raise missing()
        return FileValue(str(row.pk), row.name, row.mime, row.size, row.sha256)

    async def _gather(self, saving: files.Saving, chunks: AsyncIterable[bytes]) -> None:
        held = bytearray()
        async for chunk in chunks:
            held += chunk
            if len(held) >= _GATHERED:
                data, held = bytes(held), bytearray()
                await self._in_thread(lambda data=data: saving.write(data))  # type: ignore[misc]
        rest = bytes(held)
        await self._in_thread(lambda: saving.write(rest))

    async def _in_thread(self, call: Callable[[], R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._pool, call)


def _close(opening: asyncio.Future[BinaryIO]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def _write_all(saving: files.Saving, chunks: Iterator[bytes]) -> files.Saving:
    for chunk in chunks:
        saving.write(chunk)
    saving.finish()
    return saving
