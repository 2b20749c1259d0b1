"""What is committed together with a change, because whoever asked for the change wants that: a record of it.

They say so around it, and name the commit points at which the change becomes durable:

    with beside.keeping(("run.pause",), write):
        pause_run(...)

The transaction that passes such a point then holds what `write` writes, too: either both are there or neither is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import sha256
from typing import Any, TypeAlias
from uuid import UUID

from django.db import connection

from runtime.engine.jsonprofile import JSON, dumps_bytes, normalise
from runtime.store import failpoints

__all__ = [
    "Ask",
    "Beside",
    "Facts",
    "Occasion",
    "Write",
    "ask",
    "digest",
    "keeping",
    "tell",
    "tell_texts",
    "unchanged",
    "wanted",
    "within",
]

#: Runs SQL within the transaction (parameters as `%s`: texts and numbers only); the rows, where there are any.
Ask: TypeAlias = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]
#: What only the change itself knows: `id` of what it made or is about, digests of data before and after.
Facts: TypeAlias = Mapping[str, JSON]
Write: TypeAlias = Callable[[Ask, Facts], None]


class Beside:
    """What is to be committed with changes that pass these points. `write` may be called more than once for one change,
    where the transaction has to be made again; what it raises undoes the change. `told`: once it is committed, whether
    anything was changed at all."""

    __slots__ = ("points", "told", "write")

    def __init__(self, points: Collection[str], write: Write, told: Callable[[bool], None]) -> None:
        if wrong := set(points) - failpoints.COMMIT_POINTS:
            raise ValueError(f"{sorted(wrong)} are no commit points.")
        self.points = frozenset(points)
        self.write = write
        self.told = told


class Occasion:
    """One transaction with which something is to be committed."""

    __slots__ = ("_beside", "changed", "facts")

    def __init__(self, beside: Beside) -> None:
        self._beside = beside
        self.changed = True
        self.facts: dict[str, JSON] = {}

    def write(self) -> None:
        """Before COMMIT."""
        if self.changed:
            self._beside.write(ask, self.facts)

    def done(self) -> None:
        """Behind COMMIT."""
        self._beside.told(self.changed)


_wanted: ContextVar[Beside | None] = ContextVar("beside", default=None)
_occasion: ContextVar[Occasion | None] = ContextVar("occasion", default=None)


@contextmanager
def keeping(points: Collection[str], write: Write, told: Callable[[bool], None]) -> Iterator[None]:
    """Have what `write` writes committed with each change of this thread that passes one of these points."""
    token = _wanted.set(Beside(points, write, told))
    try:
        yield
    finally:
        _wanted.reset(token)


def wanted(*points: str) -> Beside | None:
    """What is to be committed with a change that passes one of these points; None where nobody asked for that."""
    found = _wanted.get()
    return found if found is not None and not found.points.isdisjoint(points) else None


@contextmanager
def within(points: Sequence[str]) -> Iterator[Occasion | None]:
    """Around what a transaction over Django's connection does, but its COMMIT."""
    found = wanted(*points)
    if found is None:
        yield None
        return
    occasion = Occasion(found)
    token = _occasion.set(occasion)
    try:
        yield occasion
    finally:
        _occasion.reset(token)


def unchanged() -> None:
    """Say within `commit(...)` that it changes nothing after all, so that nothing is put on record."""
    if (occasion := _occasion.get()) is not None:
        occasion.changed = False


def tell(**facts: JSON) -> None:
    """Say within `commit(...)` what only the change itself knows."""
    if (occasion := _occasion.get()) is not None:
        occasion.facts.update(facts)


def tell_texts(before: str | None, after: str | None, *, row: UUID | None) -> None:
    """`tell` of a row of a table, by the digests of its cells as they are kept."""
    if (occasion := _occasion.get()) is not None:
        texts = {"sha256_before": before, "sha256_after": after}
        found = {name: sha256(text.encode()).hexdigest() for name, text in texts.items() if text is not None}
        occasion.facts.update({"row": None if row is None else str(row), **found})


def digest(value: Any) -> str:
    """The sha256 of a document, by which it is known again and nothing of it is told."""
    return sha256(dumps_bytes(normalise(value))).hexdigest()


def ask(sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """`Ask` over Django's connection of this thread."""
    with connection.cursor() as cursor:
        cursor.execute(sql, list(parameters))
        return cursor.fetchall() if cursor.description else []
