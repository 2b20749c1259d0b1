"""What crosses the front door when people are asked something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from runtime.engine.jsonprofile import JSON

if TYPE_CHECKING:
    from runtime.contracts import RunView


@dataclass(frozen=True, slots=True)
class VoteView:
    """What one person said."""

    voter: UUID
    name: str
    at: int
    outcome: str
    comment: str


@dataclass(frozen=True, slots=True)
class TaskView:
    """A question to people. `kind`: approval, form, exception. `status`: open, decided, late, cancelled.

    `people`: e-mail addresses of those who may answer; empty: everybody. `needs`: how many have to approve. `spec`: the
    question itself: text, facts [{label, value}], choices [{id, label, comment}], fields of a form, error of a failed
    step. `answer`: what the run goes on with.
    """

    id: UUID
    run: RunView
    node: str
    kind: str
    status: str
    title: str
    amount: JSON
    currency: str
    people: list[str]
    needs: int
    due_at: int | None
    created_at: int
    closed_at: int | None
    outcome: str | None
    votes: list[VoteView]
    spec: dict[str, Any]
    answer: JSON


@dataclass(frozen=True, slots=True)
class Voter:
    """Who answers."""

    id: UUID
    name: str
    email: str
