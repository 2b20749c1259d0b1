"""Which questions of the inbox a person has seen, and which failed runs that were sent to them. A mark is for their own
eyes: nobody else is told of it, and it is gone when the question is closed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from builder.accounts.models import User, Workspace
from builder.workflows.models import SeenQuestion
from runtime import api as runtime_api
from runtime.contracts import Voter

__all__ = ["count", "forget", "of", "set_seen", "sweep"]

_PORTION: Final = 500


def of(*, person: User, tasks: Sequence[UUID]) -> set[UUID]:
    """Those of these that the person has seen, since when nothing has happened that puts them before people anew."""
    marks = SeenQuestion.objects.filter(person=person, task_id__in=tasks).values_list("task_id", "at")
    return runtime_api.same_since(seen=dict(marks), voter_id=person.pk)


def count(*, workspace: Workspace, person: User, voter: Voter) -> int:
    """How many of the open questions that the person is asked they have seen."""
    found = 0
    marks = list(SeenQuestion.objects.filter(workspace=workspace, person=person).values_list("task_id", "at"))
    for first in range(0, len(marks), _PORTION):
        same = runtime_api.same_since(seen=dict(marks[first : first + _PORTION]), voter_id=person.pk)
        found += len(runtime_api.asked_among(workspace_id=workspace.pk, voter=voter, tasks=same))
    return found


def set_seen(*, workspace: Workspace, person: User, task_id: UUID, seen: bool, now: int) -> None:
    """`now`: ms. Twice is as once."""
    if seen:
        SeenQuestion.objects.update_or_create(
            person=person, task_id=task_id, defaults={"workspace": workspace, "at": now}
        )
    else:
        SeenQuestion.objects.filter(person=person, task_id=task_id).delete()


def forget(person: User) -> None:
    """Remove all marks of a person, who is erased."""
    SeenQuestion.objects.filter(person=person).delete()


def sweep() -> int:
    """Remove the marks of questions that are open no more; how many. Two at once do no harm."""
    removed = 0
    last = None
    while True:
        rows = SeenQuestion.objects.order_by("pk")
        some = list((rows if last is None else rows.filter(pk__gt=last)).values_list("pk", "task_id")[:_PORTION])
        if not some:
            return removed
        last = some[-1][0]
        ids = {task_id for _, task_id in some}
        still = runtime_api.open_among(ids) | runtime_api.open_sendings(ids)
        over = [pk for pk, task_id in some if task_id not in still]
        removed += SeenQuestion.objects.filter(pk__in=over).delete()[0]
