"""Which dead letters wait for a decision, and which of those that are with somebody."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from runtime.interpreter.generations import given_up
from runtime.store.models import DeadLetter, LetterSending, Run, SentLetter

__all__ = ["has_open", "is_open", "open_by_workspace", "open_letters", "sent_in"]

#: So many runs around a failed one are asked whether they were given up: each is a look into an index.
_LEVELS: Final = 4


def open_letters(workspace_id: UUID, sending_id: UUID | None = None) -> QuerySet[DeadLetter]:
    """Without those of a part of a run that was undone, cancelled or left out: of that run they are settled. Should it
    be gone on with, its parts are too, and what fails again is there again. `sending_id`: only what was sent with
    it."""
    rows = DeadLetter.objects.filter(_waits(), workspace_id=workspace_id)
    return rows if sending_id is None else rows.filter(run_id__in=sent_in(workspace_id, sending_id).values("run_id"))


def open_by_workspace() -> dict[UUID, int]:
    """How many wait for a decision, by workspace."""
    rows = DeadLetter.objects.filter(_waits()).order_by()
    return dict(rows.values_list("workspace_id").annotate(Count("at")))


def sent_in(workspace_id: UUID, sending_id: UUID) -> QuerySet[SentLetter]:
    """The runs that are with somebody by this sending; of another workspace's none."""
    return SentLetter.objects.filter(sending_id=sending_id, sending__workspace_id=workspace_id)


def is_open() -> Exists:
    """Of runs that are with somebody: whether there is a letter of theirs that waits for a decision."""
    return Exists(DeadLetter.objects.filter(_waits(), run_id=OuterRef("run_id")))


def has_open(rows: QuerySet[LetterSending]) -> QuerySet[LetterSending]:
    """Those of these sendings of which a letter still waits for a decision."""
    return rows.filter(Exists(SentLetter.objects.filter(is_open(), sending_id=OuterRef("pk"))))


def _waits() -> Q:
    around = Run.objects.filter(given_up(_LEVELS - 1), pk=OuterRef("run__parent_run_id"))
    return Q(solved_at__isnull=True) & ~(Q(Exists(around)) & Q(run__detached=False))
