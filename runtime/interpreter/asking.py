"""Who may decide: the one function that says so, and the same as a filter of rows."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, Literal
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from runtime.contracts import Absent, AlreadyDecided, NotAsked, TaskView, Voter
from runtime.engine.jsonprofile import loads_stored
from runtime.interpreter.counting import able, able_of_all
from runtime.interpreter.doubt_words import said_as
from runtime.interpreter.people import tokens
from runtime.interpreter.stand_ins import any_of, stood_for, stood_in_for
from runtime.store.dialect import database_now
from runtime.store.models import HumanSnooze, HumanTask, HumanVote, PendingAnswer, Run
from runtime.store.people import Names, in_time

#: Those to whom a failure is left that others cannot resolve.
ADMINS: Final = "role:admin"

Standing = Literal["asked", "stand_in", "admin"]
Whose = Literal["me", "named", "groups", "stand_in", "snoozed"]
#: As what, and in whose place.
As = tuple[Standing | None, Absent | None]


def standing(row: HumanTask, voter: Voter) -> Standing | None:
    """As what this person may decide; None for whoever may not. Whether it is still open is another question."""
    return standing_as(row, voter)[0]


def standing_as(row: HumanTask, voter: Voter) -> As:
    """The same, and in whose place."""
    spec: Any = loads_stored(row.spec)
    said: Collection[UUID] = ()
    if voter.stands_for:
        votes = HumanVote.objects.filter(task_id=row.id).values_list("voter", "for_id")
        said = {one for pair in votes for one in pair if one is not None}
    return _standing(
        row.kind, tokens(row.people), tokens(row.barred), tokens(row.away), row.claimed_by,
        spec.get("admins") or row.stranded_at is not None, voter, said,
    )  # fmt: skip


def may_decide(*, task: TaskView, voter: Voter) -> bool:
    """Whether it is open, and for this person to decide, who has not said so yet; nor has somebody else taken it."""
    as_what, absent = _concerns(task, voter)
    mine = (None, voter.id, absent.id) if absent is not None else (None, voter.id)
    return as_what is not None and task.claimed_by in mine


def stands_in_for(*, task: TaskView, voter: Voter) -> Absent | None:
    """Who is away, and in whose place this person may decide it right now."""
    return _concerns(task, voter)[1]


def may_take(*, task: TaskView, voter: Voter) -> bool:
    """Whether this person may see to it alone, also in place of who does now."""
    alone = task.needs == 1 and not task.everyone
    as_what, absent = _concerns(task, voter)
    held = task.claimed_by == voter.id or (absent is not None and task.claimed_by == absent.id)
    return alone and not held and as_what is not None


def may_hand_over(*, task: TaskView, voter: Voter) -> bool:
    """Whether this person may let a colleague decide: who is asked, and admins for them."""
    if voter.role == "admin" and task.kind != "exception" and task.status == "open":
        # Also one who has said so already: others have to be found where one voice is not enough.
        return True
    return _concerns(task, voter)[0] is not None


def may_leave(*, task: TaskView, voter: Voter) -> bool:
    """Whether this person may leave a failure to the admins, to whom it is not left yet."""
    return task.kind == "exception" and ADMINS not in task.people and _concerns(task, voter)[0] is not None


def _is_open(task: TaskView, voter: Voter) -> bool:
    said = any(voter.id in (vote.voter, vote.for_id) for vote in task.votes)
    return task.status == "open" and task.over is None and not said and not _is_being_decided(task, voter)


def _is_being_decided(task: TaskView, voter: Voter) -> bool:
    """Whether an answer that can still be taken back is this person's own, or will decide it alone: `deciding` refuses
    others by the same."""
    several = task.kind == "approval" and (task.needs > 1 or task.everyone)
    first = task.spec["choices"][0]["id"] if task.pending else None
    beside_it = [one for one in task.pending if one.until is not None]
    return any(one.voter == voter.id or not (several and one.outcome == first) for one in beside_it)


def _concerns(task: TaskView, voter: Voter) -> As:
    if not _is_open(task, voter):
        return None, None
    admins = task.spec.get("admins") or task.stranded_at is not None
    said = {one for vote in task.votes for one in (vote.voter, vote.for_id) if one is not None}
    return _standing(task.kind, task.people, task.barred, task.away, task.claimed_by, admins, voter, said)


def _standing(
    kind: str,
    people: list[str],
    barred: list[str],
    away: list[str],
    claimed_by: UUID | None,
    admins: Any,
    voter: Voter,
    said: Collection[UUID],
) -> As:
    named = not people or claimed_by == voter.id or not set(people).isdisjoint(voter.tokens)
    if kind == "exception":
        # For everybody who may retry runs, until somebody leaves it to others.
        if not voter.may_retry:
            return None, None
    elif not set(barred).isdisjoint(voter.barred_by):
        # Nobody may by standing in what they may not by themselves.
        return None, None
    elif claimed_by != voter.id and voter.email.lower() in away:
        named = False
    absent = stood_for(people, barred, away, claimed_by, voter, said)
    if absent is not None and absent.id == claimed_by:
        return "stand_in", absent
    if named:
        return "asked", None
    if absent is not None:
        return "stand_in", absent
    return ("admin" if kind != "exception" and admins and voter.role == "admin" else None), None


def asked_of(chosen: QuerySet[HumanTask], voter: Voter, *, closed: bool, whose: Whose = "me") -> QuerySet[HumanTask]:
    """Only what this person is asked; of what is open, what still has time, nobody else has taken, and they have not
    answered yet.
    `whose`: `named`: by their address, or taken by them; `groups`: by way of a group or role; `stand_in`: in the place
    of who is away; `snoozed`: what they do not want to see yet, which is in none of the others."""
    stood = stood_in_for(voter)
    named = any_of("people", (voter.email.lower(),)) | Q(claimed_by=voter.id)
    shared = any_of("people", voter.tokens[1:])
    match whose:
        case "named":
            wanted = named
        case "groups":
            wanted = shared & ~named
        case "stand_in":
            held = Q(claimed_by__in=[one.id for one in voter.stands_for])
            wanted = stood & (held | ~named & ~shared & ~Q(people=""))
            if closed:
                # What is decided has nobody's voice left to give: it is what they said in somebody's place.
                wanted = _said_in_place(voter)
        case _:
            wanted = Q(people="") | named | shared | stood
            if voter.role == "admin":
                wanted |= Q(stranded_at__isnull=False)
            if closed:
                # Whoever was away is here again; what was decided in their place stays told.
                wanted |= _said_in_place(voter)
    chosen = chosen.filter(wanted).exclude(any_of("barred", voter.barred_by))
    gone = any_of("away", (voter.email.lower(),)) & ~_taken_by(voter)
    if voter.stands_for:
        gone &= ~stood
    chosen = chosen.exclude(gone & Q(stranded_at__isnull=True) if voter.role == "admin" else gone)
    if not voter.may_retry:
        chosen = chosen.exclude(kind="exception")
    if not closed:
        now = database_now()
        chosen = chosen.filter(in_time(now))
        later = Exists(HumanSnooze.objects.filter(task_id=OuterRef("pk"), voter=voter.id, until__gt=now))
        chosen = chosen.filter(later) if whose == "snoozed" else chosen.exclude(later)
        free = Q(claimed_by__isnull=True) | Q(claimed_by=voter.id)
        if voter.stands_for:
            free |= Q(claimed_by__in=[one.id for one in voter.stands_for]) & stood
        chosen = chosen.filter(free)
        chosen = chosen.exclude(Exists(_votes().filter(voter=voter.id)))
        chosen = chosen.exclude(pk__in=_spent(chosen, voter))
        given = PendingAnswer.objects.filter(task_id=OuterRef("pk"), voter=voter.id, due_at__isnull=False)
        chosen = chosen.exclude(Exists(given))
    return chosen


def _votes() -> QuerySet[HumanVote]:
    return HumanVote.objects.filter(task_id=OuterRef("pk"))


def _said_in_place(voter: Voter) -> Q:
    return Q(Exists(_votes().filter(voter=voter.id, for_id__isnull=False)))


def _spent(chosen: QuerySet[HumanTask], voter: Voter) -> list[UUID]:
    """Those of these where somebody has given this person's voice: see `said_for`. Who is in a group only those know
    who keep it, so these few are looked at one by one."""
    rows = list(chosen.filter(Exists(_votes().filter(for_id=voter.id))))
    if not rows:
        return []
    asked = able_of_all(rows)
    given = HumanVote.objects.filter(task_id__in=list(asked), for_id=voter.id).values_list("task_id", "email")
    return [task_id for task_id, email in given if email not in asked[task_id]]


def _taken_by(voter: Voter) -> Q:
    return Q(claimed_by__isnull=False, claimed_by=voter.id)


def refuse_others(row: HumanTask, voter: Voter) -> tuple[Standing, Absent | None]:
    """As what they decide, and in whose place. Raises NotAsked, or AlreadyDecided where somebody else has taken it."""
    found, absent = standing_as(row, voter)
    if found is None:
        if not set(tokens(row.barred)).isdisjoint(voter.barred_by):
            raise NotAsked("Whoever asks for it, or changed what is asked, may not decide about it.")
        raise NotAsked("Others are asked this.")
    if row.claimed_by is not None and row.claimed_by not in (voter.id, None if absent is None else absent.id):
        takers = row.takers
        raise AlreadyDecided(
            f"{takers.words} has taken this. Take it over first, if you are to decide.", code="taken", **takers.params
        )
    return found, absent


def said_for(row: HumanTask, voter: Voter) -> str | None:
    """Who has given this person's voice while they were away. It is their own again where whoever gave it came to be
    asked as well: nobody has two."""
    votes = list(HumanVote.objects.filter(task_id=row.id, for_id=voter.id).values_list("name", "email"))
    if not votes:
        return None
    asked = able(row)
    return next((name for name, email in votes if email not in asked), None)


def over(row: HumanTask, generation: int | None, now: int) -> Literal["late", "anew"] | None:
    """Why no answer is taken though nothing in the row says so. `generation`: of the run while it is open."""
    if row.status in ("open", "cancelled") and generation is not None and generation != row.generation:
        return "anew"
    return "late" if row.status == "open" and row.is_too_late(now) else None


def anew(row: HumanTask) -> UUID | None:
    """The open question that the same step of the run asks in the place of this one."""
    later = HumanTask.objects.filter(
        run_id=row.run_id, node_id=row.node_id, generation__gt=row.generation, status="open"
    )
    return later.order_by("-generation", "-id").values_list("id", flat=True).first()


def refuse_late(row: HumanTask, run: Run | None, voter: Voter, now: int, *, again: bool = False) -> None:
    """Raises AlreadyDecided where no answer of this person is needed any more. `now`: read under the row's lock, by the
    clock that ends the wait too, so that a paused run, or a late ticker, gives nobody more time. `again`: even if they
    gave an answer."""
    if row.status == "decided" or row.outcome is not None:
        last = HumanVote.objects.filter(task_id=row.id).order_by("-at", "voter").first()
        who = Names("Somebody", "") if last is None else last.names
        spec: Any = loads_stored(row.spec)
        outcome = said_as(spec, row.outcome)
        raise AlreadyDecided(f"{who.words} has decided this already.", outcome=outcome, at=row.closed_at, **who.params)
    if row.status == "late":
        raise AlreadyDecided("The time for this is over: the run went on without an answer.", code="too_late")
    ended = run is None or run.finished_at is not None or run.cancel_requested_at is not None
    if ended or run is None:
        raise AlreadyDecided("The run has ended: nobody needs an answer any more.", code="run_ended")
    why = over(row, run.generation, now)
    if why == "anew":
        found = anew(row)
        raise AlreadyDecided(
            "This question is over: somebody has gone on with the run, which asks anew where it needs to.",
            code="asked_anew",
            **({} if found is None else {"task": str(found)}),
        )
    if row.status == "cancelled":
        raise AlreadyDecided("The run has gone on: nobody needs an answer any more.", code="run_ended")
    if why == "late":
        raise AlreadyDecided("The time for this is over: nobody answered in time.", code="too_late")
    if again:
        return
    if HumanVote.objects.filter(task_id=row.id, voter=voter.id).exists():
        raise AlreadyDecided("You have said so already; others are still asked.", code="already_said")
    if (other := said_for(row, voter)) is not None:
        raise AlreadyDecided(
            f"{other} has said so in your place; others are still asked.", code="already_said", by=other
        )
