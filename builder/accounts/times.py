"""Instants and lengths of time as the API writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import overload


def stamp(value: datetime | int) -> str:
    """ISO 8601 in UTC with milliseconds, such as `2026-11-20T09:41:07.123Z`; ints are milliseconds since the epoch."""
    moment = datetime.fromtimestamp(value / 1000, UTC) if isinstance(value, int) else value.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


@overload
def maybe(value: None) -> None: ...
@overload
def maybe(value: datetime | int) -> str: ...
def maybe(value: datetime | int | None) -> str | None:
    """`stamp`, or None for what has not happened."""
    return None if value is None else stamp(value)


@overload
def ms_of(value: None) -> None: ...
@overload
def ms_of(value: datetime) -> int: ...
def ms_of(value: datetime | None) -> int | None:
    """Whole milliseconds since the epoch, as the runtime takes instants; None for none."""
    return None if value is None else int(value.timestamp() * 1000)


def lasted(started_at: int | None, finished_at: int | None) -> int | None:
    """Milliseconds between the two; None while it goes on."""
    return None if started_at is None or finished_at is None else max(0, finished_at - started_at)
