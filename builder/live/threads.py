"""A few threads that live long and keep their database connections, for synchronous work asked for on a loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import DEFAULT_DB_ALIAS, close_old_connections, connections
from django.db.backends.base.base import BaseDatabaseWrapper

T = TypeVar("T")


class DatabaseThreads:
    """At most `most` threads, begun when needed."""

    def __init__(self, name: str, most: int) -> None:
        self._wrappers: list[BaseDatabaseWrapper] = []
        self._pool = ThreadPoolExecutor(max_workers=most, thread_name_prefix=name, initializer=self._enter)

    async def run(self, call: Callable[[], T]) -> T:
        """Call it in a thread, on a connection that is alive."""

        def tidily() -> T:
            close_old_connections()
            try:
                return call()
            finally:
                close_old_connections()

        return await asyncio.get_running_loop().run_in_executor(self._pool, tidily)

    async def let_go(self) -> None:
        """Close the threads' database connections; they are opened again when needed."""
        await asyncio.get_running_loop().run_in_executor(None, self._close)

    def _enter(self) -> None:
        wrapper = connections[DEFAULT_DB_ALIAS]
        # So that `let_go` may close it from another thread.
        wrapper.inc_thread_sharing()
        self._wrappers.append(wrapper)

    def _close(self) -> None:
        for wrapper in self._wrappers:
            wrapper.close()
