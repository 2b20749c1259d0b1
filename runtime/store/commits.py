"""The only opener of transactions in the runtime: every durable change passes a named commit point.

`commit("version.publish")` wraps Django's own connection; the writer passes its dedicated connection instead. The
block runs inside one transaction; leaving it hits `name:before`, commits, and hits `name:after`. What whoever asked for
the change wants to be committed with it (`beside.py`) is written just before that.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Protocol

from django.db import connection, transaction

from runtime.store import beside, failpoints
from runtime.store.dialect import FarLink, Link
from runtime.store.turn import at_turn

logger = logging.getLogger("millrace.store.writer")

__all__ = ["Transaction", "Transactional", "commit", "listen", "set_out"]


class Transactional(Protocol):
    """A connection that can open, commit and undo one transaction."""

    def begin(self) -> None: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...


class Transaction:
    """A link's transaction, and how far it got."""

    __slots__ = ("_link", "committing", "identity", "took_place")

    def __init__(self, link: Link) -> None:
        self._link = link
        self.committing = False
        self.took_place = False
        self.identity: str | None = None

    def begin(self) -> None:
        self._link.begin()

    def commit(self) -> None:
        self.identity = self._link.transaction_id()
        self.committing = True
        self._link.commit()
        self.took_place = True

    def rollback(self) -> None:
        self._link.rollback()


_listeners: dict[str, list[Callable[[], None]]] = {}


def listen(name: str, callback: Callable[[], None]) -> Callable[[], None]:
    """Call back in this process after each commit that passes this point; returns a function that ends it.

    For caches that want to be right at once in the process that made the change. Called on the committing thread.
    """
    _listeners.setdefault(name, []).append(callback)
    return lambda: _listeners[name].remove(callback)


@contextmanager
def commit(name: str, *names: str, on: Transactional | None = None) -> Iterator[None]:
    """One durable transaction that passes the commit points `name, *names`.

    Without `on` it is Django's connection of this thread, and nesting is refused: a commit point cannot become a
    savepoint unnoticed. On SQLite the settings open it with BEGIN IMMEDIATE.
    """
    points = (name, *names)
    if unknown := set(points) - failpoints.COMMIT_POINTS:
        raise ValueError(f"{sorted(unknown)} are no commit points: add them to failpoints.COMMIT_POINTS.")
    if on is None:
        with at_turn() if connection.vendor == "sqlite" else nullcontext(), transaction.atomic(durable=True):
            with beside.within(points) as occasion:
                yield
            if occasion is not None:
                occasion.write()
            _hit(points, "before")
        if occasion is not None:
            occasion.done()
    else:
        on.begin()
        try:
            yield
            _hit(points, "before")
        except BaseException:
            on.rollback()
            raise
        on.commit()
    _passed(points)


def set_out(name: str, *names: str, on: FarLink, write: Callable[[], None]) -> Callable[[], bool] | None:
    """`commit` that does not wait: `write` what belongs to it, and send it off.

    Returns what tells whether it was committed, to be asked whenever the link becomes readable, and raises what
    `commit` would have; None, with nothing sent, where it has to go the other way.
    """
    points = (name, *names)
    on.begin()
    try:
        write()
        _hit(points, "before")
    except BaseException:
        on.rollback()
        raise
    if not on.leave():
        on.rollback()
        return None

    def arrived() -> bool:
        if not on.arrived():
            return False
        try:
            _passed(points)
        except Exception:
            # It is committed, whatever becomes of those who want to know.
            logger.exception("A commit took place, and what listens to it failed.")
        return True

    return arrived


def _passed(points: tuple[str, ...]) -> None:
    _hit(points, "after")
    if _listeners:
        for point in dict.fromkeys(points):
            for callback in tuple(_listeners.get(point, ())):
                callback()


def _hit(points: tuple[str, ...], side: str) -> None:
    if failpoints.armed():
        for point in points:
            failpoints.hit(f"{point}:{side}")
