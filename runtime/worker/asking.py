"""Asks the database from an event loop, in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import copy_context
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, connections

from runtime.contracts import StoreUnavailable

T = TypeVar("T")


async def ask_in(threads: Executor, query: Callable[[], T]) -> T:
    """What the query answers, asked in one of these threads. Raises StoreUnavailable where the database fails; the
    thread's connection is closed then, so that the next query opens a new one."""

    def asked() -> T:
        try:
            return query()
        except (DatabaseError, InterfaceError) as error:
            connections.close_all()
            raise StoreUnavailable(str(error)) from error

    # What it logs there is about the same run as what is logged here.
    return await asyncio.get_running_loop().run_in_executor(threads, copy_context().run, asked)
