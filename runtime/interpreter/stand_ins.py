"""Who decides in the place of somebody who is away: what that person is asked by name, and nothing else.

It is worked out whenever it is read, from who is away right now; no question is written anew. So all goes back by
itself when they are here again. A voice stays one voice: it is the absent person's, whoever gives it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from runtime.contracts import Absent, Person, StandIn, Voter
from runtime.interpreter.people import tokens
from runtime.ports import PORTS
from runtime.store.models import HumanMail, HumanTask, HumanVote

__all__ = ["any_of", "letter", "letters", "seat", "stood_for", "stood_in_for"]


def stood_for(
    people: Sequence[str],
    barred: Collection[str],
    away: Collection[str],
    claimed_by: UUID | None,
    voter: Voter,
    said: Collection[UUID],
) -> Absent | None:
    """In whose place this person may decide: of who has taken it first, then in the order in which they are asked.
    `said`: whose voices were given. Who may not decide themselves, or has handed it over, has nobody who does."""
    found = []
    for one in voter.stands_for:
        email = one.email.lower()
        if one.id in said or not {email, f"user:{one.id}"}.isdisjoint(barred):
            continue
        if one.id == claimed_by:
            return one
        if email in people and email not in away:
            found.append((people.index(email), one))
    return min(found, key=lambda pair: pair[0])[1] if found else None


def stood_in_for(voter: Voter) -> Q:
    """The same of rows: questions in which this person stands in for somebody."""
    found = Q(pk__in=())
    for one in voter.stands_for:
        email = one.email.lower()
        named = (any_of("people", (email,)) & ~any_of("away", (email,))) | Q(claimed_by=one.id)
        votes = HumanVote.objects.filter(Q(voter=one.id) | Q(for_id=one.id), task_id=OuterRef("pk"))
        found |= named & ~any_of("barred", (email, f"user:{one.id}")) & ~Q(Exists(votes))
    return found


def any_of(column: str, wanted: Iterable[str]) -> Q:
    """Rows that name one of these between the commas of this column."""
    found = Q(pk__in=())
    for one in wanted:
        found |= Q(**{f"{column}__contains": f",{one},"})
    return found


def seat(email: str, for_email: str, able: Collection[str]) -> str:
    """Whose voice a vote is: of who was away, unless whoever gave it is asked as well. Nobody has two."""
    return for_email if for_email and email not in able else email


def letters(
    row: HumanTask, *, number: int, kind: str, people: Mapping[str, Person], named: Collection[str], now: int
) -> list[HumanMail]:
    """What is written to these people, by address, and to whoever stands in for those of them who are `named`: those
    have a link of their own. Nobody gets two."""
    about: dict[str, Any] = {"task_id": row.id, "number": number, "kind": kind, "due_at": now, "created_at": now}
    found = {email: letter(email, one, **about) for email, one in people.items()}
    wanted = [email for email in people if email in named]
    for one in stand_ins(row, wanted):
        email = one.person.email.lower()
        found.setdefault(email, letter(email, one.person, one.absent, **about))
    return list(found.values())


def letter(email: str, person: Person, absent: Absent | None = None, **fields: Any) -> HumanMail:
    """A mail to this person, in the place of whoever is away; not stored yet."""
    if absent is not None:
        fields |= {"for_id": absent.id, "for_name": absent.name[:200], "for_until": absent.until or ""}
    return HumanMail(
        email=email, name=person.name[:200], language=person.language, time_zone=person.time_zone, **fields
    )


def stand_ins(row: HumanTask, emails: Sequence[str]) -> list[StandIn]:
    """Who may decide it in the place of those of these who are away; without who may not decide it, or has already."""
    if not emails:
        return []
    found = PORTS.people.stand_ins(workspace_id=row.workspace_id, emails=emails)
    if not found:
        return []
    out = {*tokens(row.barred)}
    votes = HumanVote.objects.filter(task_id=row.id).values_list("voter", "for_id")
    said = {one for pair in votes for one in pair if one is not None}
    return [
        one
        for one in found
        if {one.person.email.lower(), f"user:{one.person.id}"}.isdisjoint(out)
        and one.person.id not in said
        and one.absent.id not in said
    ]
