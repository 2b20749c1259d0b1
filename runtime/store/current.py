"""The writer of this process: one, started by the worker's boot, used by whoever has something to commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from runtime.contracts import StoreUnavailable
from runtime.engine.ids import uuid7
from runtime.store.writer import Writer

__all__ = ["borrowed", "install", "remove", "writer"]

_current: Writer | None = None


def install(writer: Writer) -> None:
    """Make this the process's writer."""
    global _current
    _current = writer


def remove(writer: Writer) -> None:
    """Forget it, if it is this one."""
    global _current
    if _current is writer:
        _current = None


def writer() -> Writer:
    """The process's writer. Raises StoreUnavailable where none runs."""
    if _current is None or not _current.running:
        raise StoreUnavailable("This process has no running writer.")
    return _current


@contextmanager
def borrowed() -> Iterator[Writer]:
    """The process's writer, or one for the moment in a process that has none (a management command)."""
    if _current is not None and _current.running:
        yield _current
        return
    own = Writer(owner=f"command-{uuid7().hex}")
    own.start()
    try:
        yield own
    finally:
        own.stop()
