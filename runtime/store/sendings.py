"""Dead letters that are with somebody: which row says so, and when it goes."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from runtime.store.dialect import queue_up
from runtime.store.models import LetterSending, SentLetter
from runtime.store.parts import portions

__all__ = ["end", "forget", "place"]


def place(made: LetterSending, run_ids: Sequence[UUID], now: int) -> None:
    """Store it with its letters. What had these and has none any more was handed on. The caller holds the transaction,
    and has queued up for the workspace."""
    made.save(force_insert=True)
    before: set[UUID] = set()
    for some in portions(run_ids):
        rows = SentLetter.objects.filter(run_id__in=some)
        before.update(rows.values_list("sending_id", flat=True))
        rows.delete()
        SentLetter.objects.bulk_create([SentLetter(run_id=one, sending_id=made.pk) for one in some])
    left = set(SentLetter.objects.filter(sending_id__in=before).values_list("sending_id", flat=True).distinct())
    for one in sorted(before - left):
        end(one, "handed_on", made.by, now)


def end(sending_id: UUID, how: str, by: UUID | None, now: int) -> bool:
    """Say that it is over, and how; its letters are with nobody then. False where it was over. The caller holds the
    transaction, and has queued up for the workspace."""
    mine = LetterSending.objects.filter(pk=sending_id, ended_at__isnull=True)
    ended = mine.update(ended_at=now, ended_as=how, ended_by=by)
    SentLetter.objects.filter(sending_id=sending_id).delete()
    return bool(ended)


def forget(workspace_id: UUID, before: int) -> int:
    """Remove those that were over before this moment (ms); of how many. The caller holds the transaction."""
    queue_up(workspace_id)
    over = LetterSending.objects.filter(workspace_id=workspace_id, ended_at__lt=before)
    return over.delete()[1].get("store.LetterSending", 0)
