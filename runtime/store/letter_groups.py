"""Which groups of dead letters nobody is told of for now, and how many letters that leaves out; and when what was said
about a group goes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Case, Count, Exists, OuterRef, Q, When

from runtime.store.dialect import queue_up
from runtime.store.figures import counted_below
from runtime.store.models import DeadLetter, LetterGroup
from runtime.store.parts import OF_ITEM

__all__ = ["Asked", "are_muted", "forget_groups", "muted_letters"]


def are_muted(now: int) -> Q:
    """Groups that nobody is told of at this moment (ms)."""
    return Q(muted_at__isnull=False) & (Q(muted_until__isnull=True) | Q(muted_until__gt=now))


@dataclass(frozen=True, slots=True)
class Asked:
    """Letters that came from `begin` on (ms), of one workflow or of all. `whole_runs`: only those of runs that figures
    count as failed, which items of lists are not."""

    begin: int
    workflow_id: UUID | None = None
    whole_runs: bool = False


def muted_letters(workspace_id: UUID, asked: Collection[Asked], now: int) -> dict[Asked, int]:
    """How many of the letters that came until `now` (ms) and stand in the figures are of groups that are muted now: by
    what was asked, all of it in one query.

    Ask behind the figures: what is added to them in between would else be taken for something that is not muted.
    """
    causes = list(LetterGroup.objects.filter(are_muted(now), workspace_id=workspace_id).values_list("cause", flat=True))
    begins = sorted({one.begin for one in asked})
    if not causes or not begins:
        return dict.fromkeys(asked, 0)
    rows = DeadLetter.objects.filter(
        workspace_id=workspace_id, cause__in=causes, at__gte=begins[0], at__lte=now, run__mode="live",
        stamp__lt=counted_below(),
    )  # fmt: skip
    of_item = Case(When(OF_ITEM, then=True), default=False, output_field=BooleanField())
    since = {f"since_{begin}": Count("pk", filter=Q(at__gte=begin)) for begin in begins}
    counted: list[Any] = list(
        rows.annotate(of_item=of_item).values("workflow_id", "of_item").annotate(**since).order_by()
    )
    return {
        one: sum(
            row[f"since_{one.begin}"]
            for row in counted
            if one.workflow_id in (None, row["workflow_id"]) and not (one.whole_runs and row["of_item"])
        )
        for one in asked
    }


def forget_groups(workspace_id: UUID) -> int:
    """Remove what was said about groups of which no letter is left, not even a decided one; of how many. The caller
    holds the transaction."""
    queue_up(workspace_id)
    any_letter = DeadLetter.objects.filter(workspace_id=OuterRef("workspace_id"), cause=OuterRef("cause"))
    gone = LetterGroup.objects.filter(~Exists(any_letter), workspace_id=workspace_id)
    causes: list[Any] = list(gone.values_list("cause", flat=True))
    return LetterGroup.objects.filter(workspace_id=workspace_id, cause__in=causes).delete()[0]
