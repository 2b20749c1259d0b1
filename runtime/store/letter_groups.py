"""Which groups of dead letters nobody is told of for now, and how many letters that leaves out; and when what was said
about a group goes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from runtime.store.dialect import queue_up
from runtime.store.figures import counted_below
from runtime.store.models import DeadLetter, LetterGroup
from runtime.store.parts import OF_ITEM

__all__ = ["are_muted", "forget_groups", "muted_letters"]


def are_muted(now: int) -> Q:
    """Groups that nobody is told of at this moment (ms)."""
    return Q(muted_at__isnull=False) & (Q(muted_until__isnull=True) | Q(muted_until__gt=now))


def muted_letters(
    workspace_id: UUID, workflow_id: UUID | None, begin: int, now: int, *, whole_runs: bool = False
) -> int:
    """How many of the letters that came from `begin` until `now` (ms) and stand in the figures are of groups that are
    muted now. `whole_runs`: only those of runs that figures count as failed, which items of lists are not.

    Ask behind the figures: what is added to them in between would else be taken for something that is not muted.
    """
    causes = list(LetterGroup.objects.filter(are_muted(now), workspace_id=workspace_id).values_list("cause", flat=True))
    if not causes:
        return 0
    rows = DeadLetter.objects.filter(
        workspace_id=workspace_id, cause__in=causes, at__gte=begin, at__lte=now, run__mode="live",
        stamp__lt=counted_below(),
    )  # fmt: skip
    if workflow_id is not None:
        rows = rows.filter(workflow_id=workflow_id)
    if whole_runs:
        rows = rows.exclude(OF_ITEM)
    return rows.count()


def forget_groups(workspace_id: UUID) -> int:
    """Remove what was said about groups of which no letter is left, not even a decided one; of how many. The caller
    holds the transaction."""
    queue_up(workspace_id)
    any_letter = DeadLetter.objects.filter(workspace_id=OuterRef("workspace_id"), cause=OuterRef("cause"))
    gone = LetterGroup.objects.filter(~Exists(any_letter), workspace_id=workspace_id)
    causes: list[Any] = list(gone.values_list("cause", flat=True))
    return LetterGroup.objects.filter(workspace_id=workspace_id, cause__in=causes).delete()[0]
