"""What groups of dead letters come to: how many came on which day, and how much money their runs are about."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import BigIntegerField, Count, F, Func

from runtime.api.searching import searched_fields
from runtime.contracts.retries import LetterFigures
from runtime.interpreter.letters import open_letters
from runtime.store.dialect import database_now

__all__ = ["amount_text", "letter_figures", "letters_before"]

DAYS: Final = 7
_DAY_MS: Final = 86_400_000
_SCALE: Final = 10_000


def letter_figures(*, workspace_id: UUID, sending_id: UUID | None = None) -> dict[str, LetterFigures]:
    """Of the letters that wait for a decision, by cause: how many came in each 24 hours of the last seven days, the
    oldest first, and the sums of what their runs are worth, by currency, in ten-thousandths. `sending_id`: of those
    alone that were sent to somebody with it."""
    now = database_now()
    days: dict[str, list[int]] = {}
    recent = open_letters(workspace_id, sending_id).filter(at__gt=now - DAYS * _DAY_MS)
    age = Func(F("at"), template=f"(({now} - %(expressions)s) / {_DAY_MS})", output_field=BigIntegerField())
    for cause, place, count in recent.values("cause").annotate(age=age, count=Count("at")).values_list(
        "cause", "age", "count"
    ):  # fmt: skip
        if 0 <= place < DAYS:
            days.setdefault(cause, [0] * DAYS)[DAYS - 1 - int(place)] += count
    worth = _worth(workspace_id, sending_id)
    return {cause: LetterFigures(tuple(days.get(cause, [0] * DAYS)), worth.get(cause, {})) for cause in days | worth}


def letters_before(*, workspace_id: UUID, cause: str, moment: int, sending_id: UUID | None = None) -> int:
    """How many of this cause, which wait for a decision, failed before this moment (ms); `sending_id`: of those that
    were sent to somebody with it."""
    return open_letters(workspace_id, sending_id).filter(cause=cause, at__lt=moment).count()


def _worth(workspace_id: UUID, sending_id: UUID | None) -> dict[str, dict[str, int]]:
    """By cause and currency; of workflows that name several amounts, the first of them counts."""
    names = [one.name for one in searched_fields(workspace_id=workspace_id) if one.kind == "amount"]
    found: dict[str, dict[str, int]] = {}
    if not names:
        return found
    marks = ", ".join(["%s"] * len(names))
    workspace, sending = (
        one.hex if one is not None and connection.vendor == "sqlite" else one for one in (workspace_id, sending_id)
    )
    sent = "" if sending is None else " AND d.run_id IN (SELECT run_id FROM store_sentletter WHERE sending_id = %s)"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT d.cause, f.currency, f.name, sum(f.number), count(*) FROM store_deadletter AS d"
            f" JOIN store_runfield AS f ON f.workspace_id = d.workspace_id AND f.name IN ({marks})"
            " AND f.run_id = d.run_id WHERE d.workspace_id = %s AND d.solved_at IS NULL AND f.number IS NOT NULL"
            f"{sent} GROUP BY d.cause, f.currency, f.name ORDER BY d.cause, count(*) DESC, f.name",
            [*names, workspace, *([] if sending is None else [sending])],
        )
        chosen: dict[str, str] = {}
        for cause, currency, name, total, _ in cursor.fetchall():
            if chosen.setdefault(cause, name) == name and currency:
                found.setdefault(cause, {})[currency] = int(total)
    return found


def amount_text(number: int) -> str:
    """Ten-thousandths as a decimal number, with the places that it needs, two at the least."""
    whole, part = divmod(abs(number), _SCALE)
    places = f"{part:04d}".rstrip("0").ljust(2, "0")
    return f"{'-' if number < 0 else ''}{whole}.{places}"
