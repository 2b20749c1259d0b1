"""Which runs are parts of others: whatever stops a run stops these with it.

A part is a run that was begun for a step which waits for its end: an item, a turn, a called workflow. A call that is
not waited for (`Run.detached`) goes its own way, and so does what it begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from django.db.models import F, Q

from runtime.store.models import Run

__all__ = ["IS_ITEM", "OF_ITEM", "locked_parts", "portions"]

#: A run of a container's body, as opposed to one of a workflow, called or not.
IS_ITEM: Final = Q(parent_run_id__isnull=False, trigger_node=F("parent_node"))
#: The same of what belongs to a run, as a dead letter does.
OF_ITEM: Final = Q(run__parent_run_id__isnull=False, run__trigger_node=F("run__parent_node"))
_PORTION: Final = 500


def portions(run_ids: Sequence[UUID]) -> Iterable[Sequence[UUID]]:
    """So many as one statement may name."""
    return (run_ids[start : start + _PORTION] for start in range(0, len(run_ids), _PORTION))


def locked_parts(run_ids: Sequence[UUID]) -> list[UUID]:
    """The open parts of these runs, and the parts of those, with their rows locked. The caller holds the transaction,
    and has seen to it that these runs begin no further ones.

    Locked in the order in which everybody locks rows, so that nobody waits for somebody who waits for him; and looked
    for again, since one may have begun another before it was locked.
    """
    locked: set[UUID] = set()
    while fresh := sorted(_open_parts(run_ids) - locked):
        for some in portions(fresh):
            list(Run.objects.filter(pk__in=some).order_by("pk").select_for_update().values_list("pk", flat=True))
        locked.update(fresh)
    return sorted(locked)


def _open_parts(run_ids: Sequence[UUID]) -> set[UUID]:
    found: set[UUID] = set()
    seen: set[UUID] = set()
    level = list(run_ids)
    while level:
        under: dict[UUID, bool] = {}
        for some in portions(level):
            own = Run.objects.filter(parent_run_id__in=some, detached=False)
            under.update((pk, ended is None) for pk, ended in own.values_list("pk", "finished_at"))
        # Also through those that have ended: a part of theirs may have been gone on with by itself.
        level = [pk for pk in under if pk not in seen]
        seen.update(level)
        found.update(pk for pk, is_open in under.items() if is_open)
    return found
