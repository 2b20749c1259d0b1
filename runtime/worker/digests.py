"""What is open already when somebody is away from now on: told to whoever stands in, once, in one mail with all of it.

What is asked from then on has mails of its own. A row of the kind `listed` for each question says that the stand-in was
told of it, and is kept open (`due_at`) for as long as the absence holds: whatever is changed of that meanwhile, and
whoever looks, also after a restart, it is the same absence, and there is no second mail.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from runtime.contracts.people import Away, Person
from runtime.engine.jsonprofile import loads_stored
from runtime.interpreter.asking import asked_of
from runtime.interpreter.stand_ins import letter
from runtime.ports import PORTS
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import HumanMail, HumanTask

__all__ = ["DIGEST", "Digests", "told_of"]

#: The kinds of the mail, and of what says of a question that it was in one.
DIGEST: Final = "digest"
_LISTED: Final = "listed"
#: When such a row is due: never. By this those of absences that hold are found.
HOLDS: Final = 2**62
#: So many questions at the most are told of in one mail.
_MOST: Final = 500
#: Behind the numbers of all other mails about a question.
_BEHIND_ALL: Final = 1_000_000_000

#: An absence and a stand-in: whose, where, and whom it was told to.
Told = tuple[UUID, UUID, str]


class Digests:
    """Looks who is away; remembers when it looked, and nothing else."""

    #: Between two looks.
    period_seconds: ClassVar[float] = 5.0

    def __init__(self) -> None:
        self._next = 0.0

    def look(self) -> int:
        """Write what is to be written where it is time to look; how many mails that were."""
        if time.monotonic() < self._next:
            return 0
        self._next = time.monotonic() + self.period_seconds
        away = PORTS.people.absences()
        told = _told()
        over = told - {(one.workspace_id, one.absent.id, email) for one in away for _, _, email in told}
        if over:
            _end(over)
        return sum(_write(one, one.hand) for one in away if one.hand is not None and _of(one, one.hand) not in told)


def told_of(row: HumanMail) -> list[HumanTask]:
    """The questions that this mail tells of: those that are still open and for the stand-in to decide."""
    if row.task is None:
        return []
    rows = HumanMail.objects.filter(
        pk__gt=row.pk, kind=_LISTED, email=row.email, for_id=row.for_id, created_at=row.created_at
    )
    chosen = HumanTask.objects.filter(pk__in=list(rows.values_list("task_id", flat=True)))
    return list(_asked_for(row.for_id, row.task.workspace_id, row.email, chosen))


def _told() -> set[Told]:
    """Of which absences that have not been seen to be over somebody was told."""
    rows = HumanMail.objects.filter(due_at=HOLDS, kind=_LISTED)
    told = rows.values_list("task__workspace_id", "for_id", "email")
    return {(workspace_id, absent, email) for workspace_id, absent, email in told if absent is not None}


def _of(away: Away, hand: Person) -> Told:
    return away.workspace_id, away.absent.id, hand.email.lower()


def _end(over: Collection[Told]) -> None:
    """These absences are over: the next one of the same person is another."""
    with commit("human.notice"):
        for workspace_id, absent, email in over:
            rows = HumanMail.objects.filter(due_at=HOLDS, kind=_LISTED, for_id=absent, email=email)
            ids = list(rows.filter(task__workspace_id=workspace_id).values_list("pk", flat=True))
            HumanMail.objects.filter(pk__in=ids).update(due_at=None)


def _write(away: Away, hand: Person) -> bool:
    """Write the mail about this absence; False where there is nothing to tell, or somebody has."""
    found = [row.pk for row in _untold(away, hand) if _has_mail(row)]
    if not found:
        return False
    with commit("human.notice"):
        # Of two who look at once the second waits here, and then sees what the first has written.
        locked = {row.pk: row for row in HumanTask.objects.select_for_update().filter(pk__in=found).order_by("pk")}
        now = database_now()
        mine = HumanMail.objects.filter(due_at=HOLDS, kind=_LISTED, for_id=away.absent.id, email=hand.email.lower())
        if mine.filter(task__workspace_id=away.workspace_id).exists():
            return False
        rows = [row for pk in found if (row := locked.get(pk)) and row.status == "open" and not row.is_too_late(now)]
        if not rows:
            return False
        _put_down(rows, away, hand, now)
    return True


def _untold(away: Away, hand: Person) -> Sequence[HumanTask]:
    """What the stand-in may decide in their place, and was not told of since the absence began."""
    chosen = HumanTask.objects.filter(workspace_id=away.workspace_id)
    told = HumanMail.objects.filter(task_id=OuterRef("pk"), email=hand.email.lower(), created_at__gte=away.since)
    asked = _asked_for(away.absent.id, away.workspace_id, hand.email, chosen)
    return list(asked.exclude(Exists(told.exclude(_OF_DIGESTS)))[:_MOST])


_OF_DIGESTS: Final = Q(kind__in=(DIGEST, _LISTED))


def _asked_for(absent: UUID | None, workspace_id: UUID, email: str, rows: QuerySet[HumanTask]) -> QuerySet[HumanTask]:
    """Those of these questions that are open and for this person to decide in the place of who is away, the most urgent
    first."""
    voter = PORTS.people.voter(workspace_id=workspace_id, email=email)
    if voter is None:
        return rows.none()
    mine = replace(voter, stands_for=tuple(one for one in voter.stands_for if one.id == absent))
    asked = asked_of(rows.filter(status="open"), mine, closed=False, whose="stand_in")
    return asked.order_by(F("due_at").asc(nulls_last=True), "pk")


def _has_mail(row: HumanTask) -> bool:
    """Whether mail is sent about it at all, and those who are asked have been told: what comes yet goes to the stand-in
    by itself."""
    spec: Any = loads_stored(row.spec)
    if not (spec.get("mail") or PORTS.post is not None):
        return False
    first = next(iter(spec.get("notices") or ()), None)
    return row.notices > 0 or first is None or first[1] != "ask"


def _put_down(rows: Sequence[HumanTask], away: Away, hand: Person, now: int) -> None:
    email = hand.email.lower()
    before = HumanMail.objects.filter(task_id__in=[row.pk for row in rows], email=email, number__gte=_BEHIND_ALL)
    number = max([_BEHIND_ALL, *(one + 1 for one in before.values_list("number", flat=True))])

    def one(row: HumanTask, **fields: Any) -> HumanMail:
        return letter(email, hand, away.absent, task_id=row.pk, created_at=now, **fields)

    # The mail goes before what it lists: by that it finds it.
    mails = [one(rows[0], number=number, kind=DIGEST, due_at=now)]
    mails += [one(row, number=number + 1, kind=_LISTED, status="listed", due_at=HOLDS) for row in rows]
    HumanMail.objects.bulk_create(mails)
