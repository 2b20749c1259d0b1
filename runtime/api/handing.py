"""Who of those who are asked sees to it: taking a question, giving it back, handing it over to a colleague; and
what is said about it, and seen of it, meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal
from uuid import UUID

from django.db.models import Q

from runtime.api.tasks import row_of, task
from runtime.contracts import AlreadyDecided, NotAsked, Person, TaskRefused, TaskView, Voter
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import JSONRefused, loads_stored, normalise
from runtime.interpreter.asking import ADMINS, refuse_late, said_for, standing, standing_as
from runtime.interpreter.deciding import told_of
from runtime.interpreter.people import listed, tokens
from runtime.interpreter.stand_ins import letters
from runtime.ports import PORTS
from runtime.store.beside import tell, unchanged
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import HumanMail, HumanNote, HumanSnooze, HumanTask, HumanVote, Run
from runtime.store.people import Names

__all__ = ["GivenAway", "comment", "give_back", "given_away", "hand_over", "leave_to_admins", "snooze", "take"]


#: Why somebody cannot see to a question in the place of another; empty: they can.
WhyNot = Literal["", "failures", "barred", "answered", "asked"]
_WHY_NOT: Final[Mapping[WhyNot, str]] = MappingProxyType(
    {
        "failures": "{name} may not decide what becomes of failures.",
        "barred": "{name} asks for it, or changed what is asked, and may not decide about it.",
        "answered": "{name} has answered already.",
        "asked": "{name} is asked already, and can answer only once.",
    }
)
_LONGEST_REASON: Final = 2000
_MOST_COMMENTS: Final = 100
_LONGEST_SNOOZE_MS: Final = 60 * 86_400_000
#: Mail about handing over is numbered behind all notices of a question.
_BEHIND_NOTICES: Final = 1_000


@dataclass(frozen=True, slots=True)
class GivenAway:
    """A question that somebody else is to see to, and why this person cannot."""

    id: UUID
    title: str
    why: WhyNot


def take(*, workspace_id: UUID, task_id: UUID, voter: Voter, over: bool = False) -> TaskView:
    """See to it oneself: it leaves the lists of the others. `over`: although somebody else has taken it.

    Raises NotFound, NotAsked, AlreadyDecided (also `taken`), TaskRefused where several have to decide.
    """
    row_of(workspace_id, task_id)
    with commit("human.assign"):
        row = _locked(task_id, voter)
        as_what, absent = standing_as(row, voter)
        if as_what is None:
            raise NotAsked("Others are asked this.")
        # Taken for whoever is away: it is theirs when they are here again.
        holder = voter.id if absent is None else absent.id
        names = Names(voter.name, "" if absent is None else absent.name)
        if not _is_for_one(row):
            raise TaskRefused({"": "Several have to decide this: nobody can take it alone."})
        if row.claimed_by not in (None, voter.id, holder) and not over:
            takers = row.takers
            raise AlreadyDecided(f"{takers.words} has taken this.", code="taken", **takers.params)
        if row.claimed_by not in (voter.id, holder):
            before = row.claimed_name if row.claimed_by is not None else ""
            HumanTask.objects.filter(pk=task_id).update(claimed_by=holder, claimed_name=names.text)
            _note(task_id, "take", voter, to=before)
        else:
            unchanged()
    return task(workspace_id=workspace_id, task_id=task_id)


def give_back(*, workspace_id: UUID, task_id: UUID, voter: Voter) -> TaskView:
    """Let the others see to it again. Raises NotFound, NotAsked, AlreadyDecided."""
    row_of(workspace_id, task_id)
    with commit("human.assign"):
        row = _locked(task_id, voter)
        if row.claimed_by is not None:
            absent = standing_as(row, voter)[1]
            mine = row.claimed_by == voter.id or (absent is not None and row.claimed_by == absent.id)
            if not mine and voter.role != "admin":
                raise NotAsked(f"{row.takers.words} has taken this.", **row.takers.params)
            HumanTask.objects.filter(pk=task_id).update(claimed_by=None, claimed_name="")
            _note(task_id, "give_back", voter, to="" if mine else row.claimed_name)
        else:
            unchanged()
    return task(workspace_id=workspace_id, task_id=task_id)


def hand_over(
    *, workspace_id: UUID, task_id: UUID, voter: Voter, to: str, reason: str, of: Voter | None = None
) -> TaskView:
    """Let a colleague decide in one's place; an admin may do so for those who are asked. `of`: whose place an admin
    gives away, who is asked by name or has taken it; then also that of a failure. It is on record.

    Raises NotFound, NotAsked, AlreadyDecided, TaskRefused (`to`, `reason`).
    """
    reason = _why(reason)
    row_of(workspace_id, task_id)
    heir = PORTS.people.voter(workspace_id=workspace_id, email=to.strip().lower())
    if heir is None:
        raise TaskRefused({"to": "Nobody in this workspace has this address."})
    person = next(
        (who for one in PORTS.people.known(workspace_id=workspace_id, tokens=[heir.email]) for who in one.people), None
    )
    with commit("human.assign"):
        now = database_now()
        row = _locked(task_id, voter, again=voter.role == "admin")
        asked, absent = standing_as(row, voter)
        if of is not None:
            asked, absent = None, None
            if voter.role != "admin" or not _is_of(row, of):
                raise NotAsked("Others are asked this.")
        elif asked is None and (voter.role != "admin" or row.kind == "exception"):
            raise NotAsked("Others are asked this.")
        _refuse_heir(row, voter if of is None else of, heir)
        # Whoever has given their own voice already, or had it given while they were away, hands over that of others.
        mine = asked == "asked" and said_for(row, voter) is None
        mine = mine and not HumanVote.objects.filter(task_id=task_id, voter=voter.id).exists()
        giver = voter if mine else of
        if absent is not None:
            # It is the voice of whoever is away that goes to somebody else.
            giver = PORTS.people.voter(workspace_id=workspace_id, email=absent.email)
        HumanTask.objects.filter(pk=task_id).update(**_changes(row, giver, heir))
        _note(task_id, "hand_over", voter, to=heir.name, text=reason)
        tell(**told_of(absent))
        _tell(row, [] if person is None else [person], now, (heir.email.lower(),))
    return task(workspace_id=workspace_id, task_id=task_id)


def given_away(
    *, workspace_id: UUID, of: Voter, heir: Voter | None, after: UUID | None = None, most: int
) -> tuple[int, list[GivenAway]]:
    """The open questions that somebody is asked by name or has taken, and has not answered, nor has anybody in their
    place: how many there are behind `after`, and the first `most` of these, the oldest first, with why `heir` cannot
    have one in their place."""
    mine = Q(people__contains=f",{of.email.lower()},") | Q(claimed_by=of.id)
    rows = HumanTask.objects.filter(mine, workspace_id=workspace_id, status="open")
    rows = rows.exclude(pk__in=HumanVote.objects.filter(voter=of.id).values("task_id"))
    in_place = rows.filter(pk__in=HumanVote.objects.filter(for_id=of.id).values("task_id"))
    rows = rows.exclude(pk__in=[row.pk for row in in_place if said_for(row, of) is not None])
    if after is not None:
        rows = rows.filter(pk__gt=after)
    found = [
        GivenAway(row.id, row.title, "" if heir is None else _why_not(row, heir)) for row in rows.order_by("id")[:most]
    ]
    return rows.count(), found


def _is_of(row: HumanTask, person: Voter) -> bool:
    """Whether this person has a place of their own in it, and has not answered, nor has anybody in their place."""
    named = person.email.lower() in tokens(row.people) or row.claimed_by == person.id
    said = HumanVote.objects.filter(task_id=row.id, voter=person.id).exists() or said_for(row, person) is not None
    return named and not said


def leave_to_admins(*, workspace_id: UUID, task_id: UUID, voter: Voter, reason: str) -> TaskView:
    """Leave a failure to the admins: it leaves the lists of all others, who may no longer decide it. It is on record.

    Raises NotFound, NotAsked, AlreadyDecided, TaskRefused (`reason`; ``: it is no failure, or nobody could see to it).
    """
    reason = _why(reason)
    row_of(workspace_id, task_id)
    admins = PORTS.people.known(workspace_id=workspace_id, tokens=[ADMINS])
    people = [one for addressee in admins for one in addressee.people]
    if not people:
        raise TaskRefused({"": "There is no admin here who could see to it."})
    with commit("human.assign"):
        row = _locked(task_id, voter)
        if row.kind != "exception":
            raise TaskRefused({"": "Only what becomes of a failure can be left to the admins. Hand this over instead."})
        if standing(row, voter) is None:
            raise NotAsked("Others are asked this.")
        if ADMINS in tokens(row.people):
            raise TaskRefused({"": "This is left to the admins already."})
        HumanTask.objects.filter(pk=task_id).update(people=listed([ADMINS]), away="", claimed_by=None, claimed_name="")
        _note(task_id, "leave", voter, text=reason)
        _tell(row, [one for one in people if one.id != voter.id], database_now())
    return task(workspace_id=workspace_id, task_id=task_id)


def snooze(*, workspace_id: UUID, task_id: UUID, voter: Voter, until: int | None) -> TaskView:
    """Keep it out of this person's list until then; None: it is back at once. Others see it as before.

    Raises NotFound, NotAsked, AlreadyDecided, TaskRefused where that is too late or over already.
    """
    row_of(workspace_id, task_id)
    with commit("human.assign"):
        row = _locked(task_id, voter)
        if standing(row, voter) is None:
            raise NotAsked("Others are asked this.")
        now = database_now()
        if until is not None and not now < until < now + _LONGEST_SNOOZE_MS:
            raise TaskRefused({"until": "Choose a time within the next 60 days."})
        if until is not None and row.ends_at is not None and until >= row.ends_at:
            raise TaskRefused({"until": "By then the run has gone on without an answer. Choose an earlier time."})
        mine = HumanSnooze.objects.filter(task_id=task_id, voter=voter.id)
        if until is None:
            if not mine.delete()[0]:
                unchanged()
        elif not mine.update(until=until):
            HumanSnooze.objects.create(task_id=task_id, voter=voter.id, until=until)
    return task(workspace_id=workspace_id, task_id=task_id)


def comment(*, workspace_id: UUID, task_id: UUID, voter: Voter, text: str) -> TaskView:
    """Say something about it without deciding: everybody who sees the question reads it, and whoever asks for it may
    answer so. Raises NotFound, AlreadyDecided, TaskRefused."""
    text = text.strip()
    try:
        normalise(text)
    except JSONRefused as error:
        raise TaskRefused({"text": error.message}) from None
    if not text or len(text) > _LONGEST_REASON:
        raise TaskRefused({"text": "Write a few words."})
    row_of(workspace_id, task_id)
    with commit("human.assign"):
        _locked(task_id, voter, again=True)
        if HumanNote.objects.filter(task_id=task_id, kind="comment").count() >= _MOST_COMMENTS:
            raise TaskRefused({"text": f"There are {_MOST_COMMENTS} comments already."})
        _note(task_id, "comment", voter, text=text)
    return task(workspace_id=workspace_id, task_id=task_id)


def _why(reason: str) -> str:
    """What stands in the record. Raises TaskRefused."""
    reason = reason.strip()
    try:
        normalise(reason)
    except JSONRefused as error:
        raise TaskRefused({"reason": error.message}) from None
    if not reason or len(reason) > _LONGEST_REASON:
        raise TaskRefused({"reason": "Say why, in a few words."})
    return reason


def _tell(row: HumanTask, people: Sequence[Person], now: int, named: Collection[str] = ()) -> None:
    """Write to those who are to see to it from now on, where mail is sent at all; to the stand-ins of those of them who
    are `named`, too."""
    spec: Any = loads_stored(row.spec)
    if not people or not (spec.get("mail") or PORTS.post is not None):
        return
    number = _BEHIND_NOTICES + HumanNote.objects.filter(task_id=row.id).count()
    told = {one.email.lower(): one for one in people}
    HumanMail.objects.bulk_create(
        letters(row, number=number, kind="hand_over", people=told, named=named, now=now), ignore_conflicts=True
    )


def _locked(task_id: UUID, voter: Voter, *, again: bool = False) -> HumanTask:
    """The row, for change. `again`: though this person has answered. Raises AlreadyDecided."""
    row = HumanTask.objects.select_for_update().get(pk=task_id)
    refuse_late(row, Run.objects.filter(pk=row.run_id).first(), voter, database_now(), again=again)
    return row


def _is_for_one(row: HumanTask) -> bool:
    spec: Any = loads_stored(row.spec)
    return int(spec.get("needs", 1)) == 1 and not spec.get("everyone")


def _refuse_heir(row: HumanTask, voter: Voter, heir: Voter) -> None:
    if heir.id == voter.id:
        raise TaskRefused({"to": "This is yourself: take it instead."})
    why = _why_not(row, heir)
    if why:
        raise TaskRefused({"to": _WHY_NOT[why].format(name=heir.name)})


def _why_not(row: HumanTask, heir: Voter) -> WhyNot:
    """Why this person cannot see to it in the place of another."""
    if row.kind == "exception":
        if not heir.may_retry:
            return "failures"
    elif not set(tokens(row.barred)).isdisjoint(heir.barred_by):
        return "barred"
    if HumanVote.objects.filter(task_id=row.id, voter=heir.id).exists():
        return "answered"
    if not _is_for_one(row) and standing(row, heir) == "asked":
        return "asked"
    return ""


def _changes(row: HumanTask, giver: Voter | None, heir: Voter) -> dict[str, Any]:
    """What handing over changes. Who is named is replaced; who is asked in a group is left out from now on."""
    mine, theirs = (giver.email.lower() if giver else ""), heir.email.lower()
    people = tokens(row.people)
    away = [one for one in tokens(row.away) if one != theirs]
    if mine in people:
        people.remove(mine)
        if giver is not None and not set(people).isdisjoint(giver.tokens):
            away.append(mine)
    elif mine:
        away.append(mine)
    if row.people and theirs not in people:
        people.append(theirs)
    found: dict[str, Any] = {"people": listed(people), "away": listed(dict.fromkeys(away))}
    if _is_for_one(row):
        found |= {"claimed_by": heir.id, "claimed_name": heir.name[:200]}
    return found


def _note(task_id: UUID, kind: str, voter: Voter, *, to: str = "", text: str = "") -> None:
    HumanNote.objects.create(
        id=uuid7(), task_id=task_id, kind=kind, at=database_now(), by=voter.name[:200], by_id=voter.id, to=to[:1000],
        text=text,
    )  # fmt: skip
