"""Whether a question to people is decided by what was said so far, counted against those who can decide it now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from runtime.contracts import Addressee
from runtime.engine.jsonprofile import JSON
from runtime.interpreter.people import called, tokens
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
    found = PORTS.people.known(workspace_id=row.workspace_id, tokens=tokens(row.people))
    return _left_of(row, found)


def able_of_all(rows: Sequence[HumanTask]) -> dict[UUID, dict[str, str]]:
    """The same of many questions of one workspace, by their ids: everybody is looked up at most twice for all of them,
    those who are named and, where a question names nobody, all there are."""
    found: dict[UUID, dict[str, str]] = {}
    asks_all = [row for row in rows if not row.people]
    if asks_all:
        everybody = PORTS.people.known(workspace_id=asks_all[0].workspace_id, tokens=())
        found |= {row.id: _left_of(row, everybody) for row in asks_all}
    named = [row for row in rows if row.people]
    if named:
        wanted = list(dict.fromkeys(token for row in named for token in tokens(row.people)))
        known = {one.token: one for one in PORTS.people.known(workspace_id=named[0].workspace_id, tokens=wanted)}
        for row in named:
            found[row.id] = _left_of(row, [known[token] for token in tokens(row.people) if token in known])
    return found


def _left_of(row: HumanTask, asked: Iterable[Addressee]) -> dict[str, str]:
    """Who of these may decide it."""
    out = {*tokens(row.barred), *tokens(row.away)}
    people = {person.email.lower(): person for one in asked for person in one.people}
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


def approval(spec: Mapping[str, Any], outcome: str, comment: str, votes: Sequence[HumanVote]) -> dict[str, JSON]:
    """What a run goes on with behind an approval."""
    return {
        "outcome": outcome,
        "comment": comment or None,
        "decisions": [
            {
                "by": vote.name,
                "at": iso(vote.at),
                "outcome": vote.outcome,
                **({"called": name} if (name := called(spec, vote.outcome)) else {}),
                "comment": vote.comment or None,
                **({"for": vote.for_name} if vote.for_name else {}),
                **({"as": "admin"} if vote.admin else {}),
            }
            for vote in votes
        ],
    }
