"""Figures: what happened in each minute, hour, day and week, added up once and kept when the rows are gone.

Nothing is counted while runs go: rows that count carry a stamp, the number of the transaction that wrote them
(`dialect.STAMP_SQL`): transitions that say that a run began or ended, events, repeated deliveries, dead letters, failed
tries. `roll` takes the rows whose stamps lie between the mark and the last transaction below which all have ended, adds
them up, and moves the mark in the same commit. So a row counts exactly once, whatever dies, and however late the commit
comes that brings it. A row may be removed when its stamp is below the mark, and not before: `counted`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.db import connection
from django.db.models import Q

from runtime.store import figure_rows
from runtime.store.commits import commit
from runtime.store.figure_models import FigureMark

__all__ = ["counted", "counted_below", "follow_transactions", "roll"]

#: The rows of the trail that one commit takes, or somewhat more: all of a transaction come together.
PORTION: Final = 5_000
_TABLES: Final = ("store_transition", "store_event", "store_delivery", "store_deadletter", "store_attempt")


def roll(*, portion: int = PORTION) -> bool:
    """Add up what has come since the last time; whether there is more. Two at once take turns."""
    mark = FigureMark.objects.filter(pk=1).first()
    if mark is not None and not _waits(mark):
        return False
    with commit("figures.roll"):
        mark = _locked()
        end, more = _end(mark, portion)
        if end <= mark.upto:
            return False
        figure_rows.add(mark.upto, end)
        FigureMark.objects.filter(pk=1).update(upto=end)
    return more


def counted() -> Q:
    """What may be removed of stamped rows: those that stand in the figures, and those that never will."""
    return Q(stamp__isnull=True) | Q(stamp__lt=counted_below())


def counted_below() -> int:
    """The mark: rows with a lower stamp stand in the figures."""
    return FigureMark.objects.filter(pk=1).values_list("upto", flat=True).first() or 0


def follow_transactions() -> None:
    """Before this process writes anything: see that the numbers of the database's transactions go on behind the stamps.

    A backup that is restored into another server brings stamps along that are above that one's numbers.
    """
    if connection.vendor != "postgresql":
        return
    with commit("figures.mark"):
        mark = _locked()
        last = max(mark.upto, *_last_stamps())
        following = _ask("SELECT CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)")
        if mark.base + following <= last:
            FigureMark.objects.filter(pk=1).update(base=last + 1 - following)


def _locked() -> FigureMark:
    """The mark, ours until the commit; on SQLite the whole database is."""
    mark = FigureMark.objects.select_for_update().filter(pk=1).first()
    if mark is None:
        FigureMark.objects.bulk_create([FigureMark(pk=1)], ignore_conflicts=True)
        mark = FigureMark.objects.select_for_update().get(pk=1)
    return mark


def _waits(mark: FigureMark) -> bool:
    """Whether anything is to be added up: an idle system writes nothing."""
    end = _settled(mark)
    some = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE stamp >= %s AND stamp < %s)" for table in _TABLES)
    return bool(_ask(f"SELECT CASE WHEN {some} THEN 1 ELSE 0 END", [mark.upto, end] * len(_TABLES)))


def _settled(mark: FigureMark) -> int:
    """The stamp below which no row can come any more."""
    if connection.vendor != "postgresql":
        # What comes from the moment on that the mark stands higher has a higher stamp.
        return max(mark.upto + 1, 0)
    return mark.base + _ask("SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)")


def _end(mark: FigureMark, portion: int) -> tuple[int, bool]:
    end = _settled(mark)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT stamp FROM store_transition WHERE stamp > %s AND stamp < %s ORDER BY stamp LIMIT 1 OFFSET %s",
            [mark.upto, end, portion],
        )
        later = cursor.fetchone()
    return (end, False) if later is None else (int(later[0]), True)


def _last_stamps() -> list[int]:
    return [_ask(f"SELECT COALESCE(MAX(stamp), 0) FROM {table} WHERE stamp IS NOT NULL") for table in _TABLES]


def _ask(sql: str, parameters: Sequence[int] = ()) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.fetchone()[0])
