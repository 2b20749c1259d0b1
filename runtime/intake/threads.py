"""A few threads of the door's own, each with a database connection that is closed at the end."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from django.db import connection

__all__ = ["Threads"]

T = TypeVar("T")


class Threads:
    """Runs functions, a few at a time."""

    def __init__(self, name: str, count: int) -> None:
        self._count = count
        self._pool = ThreadPoolExecutor(max_workers=count, thread_name_prefix=f"millrace-{name}")

    def submit(self, function: Callable[..., T], *arguments: Any) -> Future[T]:
        """Run it as soon as a thread is free, for whoever asks for it. Raises RuntimeError once closed."""
        return self._pool.submit(copy_context().run, function, *arguments)

    def run(self, function: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:
        """The same, to be awaited; to cancel it is to take it out of the queue, if it has not begun."""
        return asyncio.wrap_future(self.submit(function, *arguments))

    def close(self) -> None:
        """Finish what was handed in and end the threads. Blocks."""
        everybody = threading.Barrier(self._count)
        for _ in range(self._count):
            self._pool.submit(_let_go, everybody)
        self._pool.shutdown(wait=True)


def _let_go(everybody: threading.Barrier) -> None:
    """Close this thread's connection; waiting for the others makes sure that every thread gets one such call."""
    connection.close()
    with contextlib.suppress(threading.BrokenBarrierError):
        everybody.wait(2)
