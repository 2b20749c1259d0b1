"""Whether a question to people is decided by what was said so far, counted against those who can decide it now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from runtime.engine.jsonprofile import JSON
from runtime.interpreter.people import tokens
from runtime.interpreter.stand_ins import seat
from runtime.interpreter.waiting import iso
from runtime.ports import PORTS
from runtime.store.models import HumanTask, HumanVote


class Vote(Protocol):
    """What one person said: `HumanVote`, or the columns of one."""

    email: str
    for_email: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Count:
    """`decided`: enough have said the first of the choices. `stranded`: too few are left who could still say it.
    `needs`: how many voices it takes, with those that were given."""

    decided: bool
    stranded: bool
    needs: int


def able(row: HumanTask) -> dict[str, str]:
    """Who is asked and may decide right now, by address, with their names."""
    out = {*tokens(row.barred), *tokens(row.away)}
    found = PORTS.people.known(workspace_id=row.workspace_id, tokens=tokens(row.people))
    people = {person.email.lower(): person for one in found for person in one.people}
    return {
        email: person.name for email, person in people.items() if email not in out and f"user:{person.id}" not in out
    }


def count(kind: str, spec: Mapping[str, Any], votes: Collection[Vote], able: Iterable[str]) -> Count:
    """How a question stands, by the votes there are and the addresses of those who can decide it now.

    Who has said yes and left since has said so; who has left and said nothing is not waited for. Where each of them
    has to approve and nobody is left, what those said who left decides nothing.
    """
    able = set(able)
    if kind != "approval":
        return Count(False, not able, 1)
    first = spec["choices"][0]["id"]
    said = [seat(vote.email, vote.for_email, able) for vote in votes if vote.outcome == first]
    # Who has given the voice of somebody who is away has none left.
    left = able - set(said) - {vote.email for vote in votes}
    if spec.get("everyone"):
        return Count(bool(able) and not left, not able, len(said) + len(left))
    needs = int(spec.get("needs", 1))
    return Count(len(said) >= needs, len(said) < needs > len(said) + len(left), needs)


def approval(outcome: str, comment: str, votes: Sequence[HumanVote]) -> dict[str, JSON]:
    """What a run goes on with behind an approval."""
    return {
        "outcome": outcome,
        "comment": comment or None,
        "decisions": [
            {
                "by": vote.name,
                "at": iso(vote.at),
                "outcome": vote.outcome,
                "comment": vote.comment or None,
                **({"for": vote.for_name} if vote.for_name else {}),
                **({"as": "admin"} if vote.admin else {}),
            }
            for vote in votes
        ],
    }
