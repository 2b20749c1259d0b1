"""What the inbox shows and is told, and how a question becomes what one person sees of it."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from builder.accounts import absences
from builder.accounts.directory import labels, voter_of
from builder.accounts.rights import Action, allows
from builder.accounts.times import stamp
from builder.api.cursors import PageQuery
from builder.api.due import Due
from builder.api.operation import Body, Call, View
from builder.workflows import seen, selectors
from builder.workflows.shapes import RunShape
from runtime import api as runtime_api
from runtime.contracts import PendingView, TaskView, Voter


class InboxQuery(PageQuery):
    """`who`: what is asked of me; of that, what I am named in or have taken, what comes by way of my groups, or what I
    see in the place of somebody who is away; what I have put off for later; or what is asked of anybody. `state`: open
    (the most urgent first), or closed.
    `run`: what this run asks; `around`: also what the runs ask that it waits for, its items and the workflows it
    called.
    `kind`: an approval, a form, a failure (`exception`) or a list to review. `due`: `late`, or due on this day or in
    this week of the workspace, Monday to Sunday, also if it is late by now.
    `sort`: open ones by when they are due, then by amount; by `amount`, the largest first, one currency after the
    other; or by `age`, those that wait longest first. Closed ones are always the newest first."""

    who: Literal["me", "named", "groups", "stand_in", "snoozed", "anybody"] = "me"
    state: Literal["open", "closed"] = "open"
    run: UUID | None = None
    around: UUID | None = None
    kind: Literal["approval", "form", "exception", "review"] | None = None
    due: Due | None = None
    sort: Literal["due", "amount", "age"] = "due"


class Vote(View):
    """What one person said. `via`: the inbox, or the link of a mail. `admin`: not asked, but allowed as an admin.
    `in_place_of`: who was away, and had them decide; `for_me`: that was I, and it is my voice that is given."""

    by: str
    me: bool
    at: str
    outcome: str
    comment: str
    via: str
    admin: bool
    in_place_of: str | None
    for_me: bool


class AwayNow(View):
    """That somebody is away right now, until that day, `2026-12-03` (null: nobody knows). `hand`: who sees their
    questions; null: nobody does."""

    until: str | None
    hand: str | None


class InPlaceOf(View):
    """Who is away, until that day, `2026-12-03`; null: nobody knows."""

    name: str
    until: str | None


class Asked(View):
    """Somebody who is asked. `kind`: person, group or role; `key`: e-mail address, `group:<id>` or `role:<role>`."""

    kind: str
    key: str
    name: str
    away: AwayNow | None


class Note(View):
    """What happened meanwhile. `kind`: comment, escalate, hand_over, leave (to the admins), take, give_back,
    mail_failed, stranded (nobody who is asked could decide it any more), recount (decided, for who had not said so has
    left). `to_for`: in whose place `to` had it."""

    kind: str
    at: str
    by: str
    to: str
    to_for: str | None
    text: str


class Pending(View):
    """What somebody has said that has not taken effect. `until`: when it does, in `left_ms` from now; before, it can be
    taken back. Where it could not take effect: null, and `refused` says why (`code`, `params` as of that problem).
    `called`: the builder's own name for `outcome`; null where it has its usual one."""

    by: str
    me: bool
    outcome: str
    called: str | None
    at: str
    until: str | None
    left_ms: int
    code: str | None
    params: dict[str, str]
    refused: str | None


class Given(View):
    """The same of oneself, with the question it is about."""

    task: UUID
    title: str
    pending: Pending


class TaskShape(View):
    """A question. `kind`: approval · form · exception (a step failed). `status`: open · decided · late · cancelled.

    `named`: the builder's own names for answers, by outcome; the others have their usual ones. `warnings`: what the
    workflow warns of, in words. `asked`: who is asked; empty: everybody. `needs`: how many have to approve; with
    `everyone` each of those who are asked. `due_at`: when it should be answered; `ends_at`: when the run goes on
    without. `taken_by`: who sees to it alone, `taken_for`: in the place of who was away then; `taken_by_me`.
    `stranded_at`: since when too few are left of those who are asked; then admins may decide.
    `over`: why no answer is taken any more though the status does not say so: late (its time has passed, and the run
    has not gone on yet) · anew (somebody has gone on with the run, which asks again where it needs to).
    `pending`: who is deciding it right now. `snoozed_until`: till then it is out of my list. `in_place_of`: who is
    away, and in whose place I may decide it. `asks_me`: it is among what `/inbox/count` counts; `unread`: of that, what
    I have not seen since it came to me. `may_decide`, `may_take`, `may_hand_over`, `may_leave` (to the admins): whether
    it is open and for me to do so. `form`: alike for questions that can be decided together.
    """

    id: UUID
    kind: str
    status: str
    title: str
    run: RunShape
    node: str
    step: str
    named: dict[str, str]
    amount: Any
    currency: str
    warnings: list[str]
    asked: list[Asked]
    needs: int
    everyone: bool
    due_at: str | None
    ends_at: str | None
    reminded_at: str | None
    escalated_at: str | None
    stranded_at: str | None
    taken_by: str | None
    taken_for: str | None
    taken_by_me: bool
    form: str | None
    created_at: str
    closed_at: str | None
    outcome: str | None
    over: str | None
    votes: list[Vote]
    pending: list[Pending]
    snoozed_until: str | None
    in_place_of: InPlaceOf | None
    asks_me: bool
    unread: bool
    may_decide: bool
    may_take: bool
    may_hand_over: bool
    may_leave: bool


class TaskDetail(TaskShape):
    """The same with the question itself.

    `facts`: [{label, value}], each value a text, a file, a list of files, or a table {columns: [{name, number}], rows:
    [[text]], more, more_columns} with how many rows and columns are not shown; `choices`: [{id, label, comment,
    own}], `comment`: whoever chooses it says why, `own`: true where `label` is the builder's, else missing; `fields`:
    the questions of a form; `error`: of a failed step; `in_doubt`: nobody knows whether the step happened; `answer`:
    what the run went on with; `anew`: the open question that stands in the place of this one, where the run asks anew.
    """

    text: str
    facts: list[dict[str, Any]]
    choices: list[dict[str, Any]]
    fields: list[dict[str, Any]]
    error: dict[str, Any] | None
    in_doubt: bool
    answer: Any
    anew: UUID | None
    notes: list[Note]


class CountView(View):
    """How many open questions I am asked, together with the failed runs that were sent to me (each sending is one); how
    many of them I have not seen. `letters`: how many of them are such sendings."""

    count: int
    unread: int
    letters: int


class DoneView(View):
    """How many questions I have answered this week, which began on Monday (`since`) in the workspace's time zone."""

    count: int
    since: str


class SeenBody(Body):
    """Whether I have seen it; false: it is as new to me."""

    seen: bool


class SeenShape(View):
    """Whether it is as new to me."""

    unread: bool


class DecideBody(Body):
    """An answer: one of the choices, a comment, the answers of a form, the value to go on with after a failure.

    Of a step of which nobody knows whether it happened: `happened` (with its result as `output`), `send_again` or
    `give_up`; a plain `retry` is refused. `skip`: leaves an item of a list out, with the reason as `comment`. `undo`:
    it takes effect only in so many seconds as the person has set (`undo_seconds`), and can be taken back before.
    """

    outcome: Annotated[str, Field(min_length=1, max_length=64)]
    comment: Annotated[str, Field(max_length=2000)] = ""
    answers: Annotated[dict[str, Any], Field(max_length=200)] = {}
    output: Any = None
    undo: bool = False


class TakeBody(Body):
    """`over`: although somebody else has taken it."""

    over: bool = False


class HandOverBody(Body):
    """To whom, by e-mail address, and why."""

    to: Annotated[str, Field(min_length=3, max_length=254)]
    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class LeaveBody(Body):
    """What the admins have to know."""

    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class DecideManyBody(Body):
    """One answer to several approvals that have the same form. `undo`: as of one."""

    tasks: Annotated[list[UUID], Field(min_length=1, max_length=100)]
    outcome: Annotated[str, Field(min_length=1, max_length=64)]
    comment: Annotated[str, Field(max_length=2000)] = ""
    undo: bool = False


class TakeManyBackBody(Body):
    """Whose answers are taken back."""

    tasks: Annotated[list[UUID], Field(min_length=1, max_length=100)]


class OneOfMany(View):
    """What became of one of them; `left_ms`: for how long it can be taken back. `code`, `params` and `message`: why it
    was not taken."""

    id: UUID
    taken: bool
    left_ms: int
    code: str | None
    params: dict[str, Any]
    message: str | None


def asker(call: Call) -> Voter:
    may_retry = allows(call.role, Action.RUN_RETRY, call.actor)
    return voter_of(call.person, call.workspace.id, call.role, may_retry=may_retry)


def left_of(one: PendingView) -> int:
    """For how many milliseconds it can be taken back, at the least."""
    return 0 if one.until is None else max(0, one.until - round(time.time() * 1000))


def pending_of(call: Call, one: PendingView) -> Pending:
    return Pending(
        by=one.name,
        me=one.voter == call.person.id,
        outcome=one.outcome,
        called=one.called,
        at=stamp(one.at),
        until=_maybe(one.until),
        left_ms=left_of(one),
        code=one.code,
        params=dict(one.params),
        refused=one.refused,
    )


def form_of(view: TaskView) -> str | None:
    """What questions that can be decided together have in common."""
    if view.kind != "approval":
        return None
    # Versions may call the same answer otherwise, and one button says one thing.
    label = named_of(view).get("approved")
    return f"{view.run.workflow_id}:{view.node}:{view.currency}" + (f":{label}" if label else "")


def named_of(view: TaskView) -> dict[str, str]:
    """The builder's own names for the answers to a question."""
    return {one["id"]: one["label"] for one in view.spec.get("choices") or () if one.get("own")}


def shaped(call: Call, views: list[TaskView]) -> list[TaskShape]:
    return [TaskShape(**fields) for fields in _fields(call, views)]


def detailed(call: Call, view: TaskView) -> TaskDetail:
    spec = view.spec
    return TaskDetail(
        **_fields(call, [view])[0],
        text=spec.get("text") or "",
        facts=spec.get("facts") or [],
        choices=spec["choices"],
        fields=spec.get("fields") or [],
        error=spec.get("error"),
        in_doubt=runtime_api.in_doubt(spec),
        answer=view.answer,
        anew=view.anew,
        notes=[
            Note(kind=note.kind, at=stamp(note.at), by=note.by, to=note.to, to_for=note.to_for or None, text=note.text)
            for note in view.notes
        ],
    )


def _fields(call: Call, views: list[TaskView]) -> list[dict[str, Any]]:
    workspace_id = call.workspace.id
    runs = selectors.shaped(workspace_id=workspace_id, views=[view.run for view in views])
    voter = asker(call)
    names = labels(workspace_id=workspace_id, tokens=[one for view in views for one in view.people])
    away = _away(workspace_id)
    mine = {call.person.id, *(one.id for one in voter.stands_for)}
    still_open = [view.id for view in views if view.status == "open"]
    asks_me = runtime_api.asked_among(workspace_id=workspace_id, voter=voter, tasks=still_open)
    new = asks_me - seen.of(person=call.person, tasks=still_open)
    found = []
    for view, run in zip(views, runs, strict=True):
        steps = selectors.step_names(workspace_id=workspace_id, version_id=view.run.version_id)
        absent = runtime_api.stands_in_for(task=view, voter=voter)
        snoozed_until = _later(view.snoozed.get(call.person.id))
        found.append(
            {
                "id": view.id,
                "kind": view.kind,
                "status": view.status,
                "title": view.title,
                "run": run,
                "node": view.node,
                "step": steps.get(view.node, view.node),
                "named": named_of(view),
                "amount": view.amount,
                "currency": view.currency,
                "warnings": list(view.spec.get("warnings") or ()),
                "asked": [
                    Asked(kind=kind_of(one), key=one, name=names[one], away=away.get(one)) for one in view.people
                ],
                "needs": view.needs,
                "everyone": view.everyone,
                "due_at": _maybe(view.due_at),
                "ends_at": _maybe(view.ends_at),
                "reminded_at": _maybe(view.reminded_at),
                "escalated_at": _maybe(view.escalated_at),
                "stranded_at": _maybe(view.stranded_at),
                "taken_by": view.claimed_name or None,
                "taken_for": view.claimed_for or None,
                "taken_by_me": view.claimed_by in mine,
                "form": form_of(view),
                "created_at": stamp(view.created_at),
                "closed_at": _maybe(view.closed_at),
                "outcome": view.outcome,
                "over": view.over,
                "votes": [
                    Vote(
                        by=vote.name,
                        me=vote.voter == call.person.id,
                        at=stamp(vote.at),
                        outcome=vote.outcome,
                        comment=vote.comment,
                        via=vote.via,
                        admin=vote.admin,
                        in_place_of=vote.for_name or None,
                        for_me=vote.for_id == call.person.id,
                    )
                    for vote in view.votes
                ],
                # Why an answer did not count is for whoever gave it.
                "pending": [
                    pending_of(call, one)
                    for one in view.pending
                    if one.until is not None or one.voter == call.person.id
                ],
                "snoozed_until": _maybe(snoozed_until),
                "in_place_of": None if absent is None else InPlaceOf(name=absent.name, until=absent.until),
                "asks_me": view.id in asks_me,
                "unread": view.id in new,
                "may_decide": runtime_api.may_decide(task=view, voter=voter),
                "may_take": runtime_api.may_take(task=view, voter=voter),
                "may_hand_over": runtime_api.may_hand_over(task=view, voter=voter),
                "may_leave": runtime_api.may_leave(task=view, voter=voter),
            }
        )
    return found


def _away(workspace_id: UUID) -> dict[str, AwayNow]:
    """Who is away right now, by address."""
    found = {}
    for one in absences.all_of(workspace_id=workspace_id):
        if one.holds:
            hand = None if one.hand is None else one.hand.user.name or one.hand.user.email
            last = one.row.last_day
            until = None if last is None else last.isoformat()
            found[one.row.member.user.email] = AwayNow(until=until, hand=hand)
    return found


def kind_of(token: str) -> str:
    """Whether this is a person, a group or a role."""
    return "person" if "@" in token else token.partition(":")[0]


def _later(at: int | None) -> int | None:
    return at if at is not None and at > time.time() * 1000 else None


def _maybe(at: int | None) -> str | None:
    return None if at is None else stamp(at)
