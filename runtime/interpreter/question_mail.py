"""The mail to those who are asked a question: to whom it goes, written with what causes it."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice
from typing import Final

from runtime.contracts.people import Person
from runtime.interpreter.people import tokens
from runtime.interpreter.stand_ins import letters
from runtime.store.models import HumanMail, HumanTask, HumanVote

__all__ = ["write_mail"]

#: More people than this are not written to about one question.
_MOST_MAILS: Final = 500


def write_mail(
    row: HumanTask, number: int, kind: str, people: dict[str, Person], named: Collection[str], now: int
) -> int:
    """Write to these people, by address, and to whoever stands in for those who are `named`; without who may not
    decide, or has answered; where somebody has taken it, to them alone. `number`: what is written twice under one
    number is written once. Returns how many mails there are to be; within the caller's transaction."""
    out = {*tokens(row.barred), *tokens(row.away)}
    votes = HumanVote.objects.filter(task_id=row.id).values_list("email", "for_email")
    said = {email for pair in votes for email in pair}
    if row.claimed_by is not None:
        people = {email: person for email, person in people.items() if person.id in (row.claimed_by, None)}
        named = {*people}
    wanted = {
        email: person
        for email, person in people.items()
        if email not in out and email not in said and f"user:{person.id}" not in out
    }
    rows = list(islice(letters(row, number=number, kind=kind, people=wanted, named=named, now=now), _MOST_MAILS))
    HumanMail.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)
