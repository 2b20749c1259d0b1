"""Two people, or a person and the ticker, at the same moment: what one of them does while the other's transaction is
open, or just before it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import ModuleType
from typing import Any, TypeVar

import pytest
from django.db import connection, connections, transaction

PATIENCE = 60.0

T = TypeVar("T")


def while_open(change: Callable[[], object], other: Callable[[], T]) -> T:
    """What `other` returns, or raises, that comes while what `change` has changed is not committed yet. On PostgreSQL
    it has begun, and waits, when that is committed; on SQLite nothing else begins meanwhile."""
    came: list[T] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            came.append(other())
        except BaseException as error:
            failed.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    with transaction.atomic():
        change()
        thread.start()
        deadline = time.monotonic() + PATIENCE
        while connection.vendor == "postgresql" and thread.is_alive() and not _somebody_waits():
            assert time.monotonic() < deadline, "it neither ended nor waits"
            time.sleep(0.01)
    thread.join(PATIENCE)
    assert not thread.is_alive(), "it did not end"
    if failed:
        raise failed[0]
    return came[0]


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def just_before(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, act: Callable[[], object]) -> None:
    """Have `act` done once just before this module calls what it knows by this name, such as `commit`."""
    real: Callable[..., AbstractContextManager[Any]] = getattr(module, name)

    def after_that(*args: Any, **named: Any) -> Any:
        monkeypatch.setattr(module, name, real)
        act()
        return real(*args, **named)

    monkeypatch.setattr(module, name, after_that)


def elsewhere(act: Callable[[], object]) -> Callable[[], None]:
    """The same on a connection of its own, as by another process: nothing that goes on here is a part of it."""

    def work() -> None:
        try:
            act()
        finally:
            connections.close_all()

    def then() -> None:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(PATIENCE)
        assert not thread.is_alive(), "it did not end"

    return then
