"""What crosses the front door when people are asked something."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import UUID

from runtime.engine.jsonprofile import JSON

if TYPE_CHECKING:
    from runtime.contracts import RunView


#: A name with fewer letters stands in other words, too.
LONG_ENOUGH: Final = 5


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can be asked. `id` is None where nobody keeps a list of people."""

    id: UUID | None
    email: str
    name: str
    language: str = "en"
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Addressee:
    """One of those whom a question goes to: a person, or people who share a group or a role.

    `token`: how it is kept: an e-mail address, `group:<id>` or `role:<role>`. `people`: who that is right now.
    """

    token: str
    label: str
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Absent:
    """Somebody who is away right now. `until`: the last day of it, `2026-12-03`; None where nobody knows."""

    id: UUID
    email: str
    name: str
    until: str | None = None


@dataclass(frozen=True, slots=True)
class StandIn:
    """Who stands in right now, and for whom."""

    absent: Absent
    person: Person


@dataclass(frozen=True, slots=True)
class Away:
    """That somebody is away right now, since that moment (ms): the beginning of the first day. `hand`: who sees what
    they are asked; None for nobody."""

    workspace_id: UUID
    absent: Absent
    since: int
    hand: Person | None


@dataclass(frozen=True, slots=True)
class VoteView:
    """What one person said. `via`: inbox, or the link of a mail; `admin`: who was not asked, and may as an admin.
    `for_id`, `for_name`: in whose place, who was away; None and empty for whoever was asked."""

    voter: UUID
    name: str
    at: int
    outcome: str
    comment: str
    via: str = "inbox"
    admin: bool = False
    for_id: UUID | None = None
    for_name: str = ""


@dataclass(frozen=True, slots=True)
class SaidView:
    """Of a question of a run: at which step it was asked, and what was said to it that stands, as who (id), outcome and
    comment."""

    node: str
    votes: tuple[tuple[UUID, str, str], ...]


@dataclass(frozen=True, slots=True)
class PendingView:
    """What one person has said and can still take back until `until`; or what could not take effect: then `refused`
    says why, `params` for a catalogue (by, in_place_of, outcome), and `until` is None. `called`: the
    builder's own name for it; None where it has its usual one."""

    voter: UUID
    name: str
    outcome: str
    at: int
    until: int | None
    refused: str | None = None
    code: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    called: str | None = None


@dataclass(frozen=True, slots=True)
class TaskNote:
    """What happened to a question meanwhile. `kind`: comment, remind, escalate, hand_over, leave (to the
    admins), take, give_back, mail_failed, stranded (nobody who is asked can decide it any more), recount (decided, for
    who had not said so has left). `to_for`: in whose place whoever is told of by `to` had it; empty for nobody's."""

    kind: str
    at: int
    by: str
    to: str
    to_for: str
    text: str


@dataclass(frozen=True, slots=True)
class TaskView:
    """A question to people. `kind`: approval, form, exception. `status`: open, decided, late, cancelled.

    `people`: who may answer, as `Addressee.token` has it; empty: everybody. `barred`: who may not, though asked;
    `away`: who has handed it over. `needs`: how many have to approve; with `everyone` each of those who are asked.
    `due_at`: when it should be answered, `ends_at`: when the run goes on without. `claimed_by`: who has taken it,
    or was away when `claimed_name` took it in the place of `claimed_for`.
    `stranded_at`: since when too few of those who are asked are left to decide it; then admins may.
    `over`: why no answer is taken though nothing in `status` says so: `late` (open, but its time has passed: the run
    takes note of that when it goes on), `anew` (somebody has gone on with the run, which asks again where it still
    needs to). `anew`: the open question that stands in its place; of one that is read alone. `pending`: what people
    have said that has not taken effect. `snoozed`: until when it is out of whose list.
    `spec`: the question itself: text, facts [{label, value}], warnings (texts; missing where there are none), choices
    [{id, label, comment, own}], fields of a form, error of a failed step. `answer`: what the run goes on with.
    `notes`: of one question that is read alone.
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
    barred: list[str] = field(default_factory=list)
    away: list[str] = field(default_factory=list)
    everyone: bool = False
    ends_at: int | None = None
    reminded_at: int | None = None
    escalated_at: int | None = None
    claimed_by: UUID | None = None
    claimed_name: str = ""
    claimed_for: str = ""
    stranded_at: int | None = None
    over: Literal["late", "anew"] | None = None
    anew: UUID | None = None
    notes: list[TaskNote] = field(default_factory=list)
    pending: list[PendingView] = field(default_factory=list)
    snoozed: dict[UUID, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Voter:
    """Who answers. `groups` and `role`: how else they may be asked than by their address. `may_retry`: whether they may
    decide what becomes of failures. `stands_for`: who is away right now, and has them decide in their place what they
    are asked by name."""

    id: UUID
    name: str
    email: str
    groups: tuple[UUID, ...] = ()
    role: str = ""
    may_retry: bool = True
    stands_for: tuple[Absent, ...] = ()

    @property
    def tokens(self) -> tuple[str, ...]:
        """All that a question can name them by."""
        role = (f"role:{self.role}",) if self.role else ()
        return (self.email.lower(), *(f"group:{one}" for one in self.groups), *role)

    @property
    def barred_by(self) -> tuple[str, ...]:
        """All that can keep them from deciding."""
        return (self.email.lower(), f"user:{self.id}")


@dataclass(frozen=True, slots=True)
class Fixable:
    """A failed step, as somebody can give it something else before it is tried again. `type`: of the step; `ended`: the
    run has stopped at it already; `why`: why it cannot be given anything else, in a sentence. `asks`: see `RetryStep`.
    """

    node: str
    type: str
    input: JSON
    ended: bool
    why: str | None
    asks: str | None = None


@dataclass(frozen=True, slots=True)
class Erased:
    """Somebody who is to be forgotten: by which id, names and addresses they are told of; `pseudonym` and `email_then`
    stand in the place of those from now on."""

    id: UUID
    names: frozenset[str]
    emails: frozenset[str]
    pseudonym: str
    email_then: str

    def cleaned(self, text: str) -> str:
        """A text without them. A short name stands in other words, too: it is replaced where it is the whole text."""
        if text in self.names:
            return self.pseudonym
        long = {name for name in self.names if len(name) >= LONG_ENOUGH}
        for one in sorted(self.emails, key=len, reverse=True):
            text = _replaced(text, one, self.email_then)
        for one in sorted(long, key=len, reverse=True):
            text = _replaced(text, one, self.pseudonym)
        return text

    def cleaned_in(self, value: Any, *, keys: bool = False) -> Any:
        """A JSON value without them, in all its texts; `keys`: in the names of its fields, too."""
        match value:
            case str():
                return self.cleaned(value)
            case list():
                return [self.cleaned_in(one, keys=keys) for one in value]
            case dict():
                return {
                    self.cleaned(name) if keys else name: self.cleaned_in(one, keys=keys) for name, one in value.items()
                }
            case _:
                return value


def _replaced(text: str, one: str, by: str) -> str:
    return re.sub(rf"(?<!\w){re.escape(one)}(?!\w)", lambda _: by, text, flags=re.IGNORECASE)
