"""What *late*, *today* and *this week* mean of a question, by the clock of a workspace."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from builder.accounts.times import ms_of

__all__ = ["Due", "span_of"]

Due = Literal["late", "today", "week"]


def span_of(due: Due, now: datetime, zone: str) -> tuple[int, int]:
    """From when until when such a question has to be answered: ms since 1970, without the end. `week`: the one around
    `now`, from Monday on. `now`: with a time zone."""
    if due == "late":
        return 0, ms_of(now)
    here = ZoneInfo(zone)
    first = now.astimezone(here).date()
    days = 1
    if due == "week":
        first -= timedelta(days=first.weekday())
        days = 7
    # Midnight of each end by itself: days are not 24 hours when the clocks change.
    begin, end = (datetime.combine(day, time(), here) for day in (first, first + timedelta(days=days)))
    return ms_of(begin), ms_of(end)
