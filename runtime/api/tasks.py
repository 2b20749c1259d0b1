"""What people are asked, and their answers. One decision counts, whoever is first (I13)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet

from runtime import queue
from runtime.api.cursors import decode, encode, page_size
from runtime.api.rows import RUN_COLUMNS, run_views
from runtime.contracts import (
    JSON,
    AlreadyDecided,
    NotAsked,
    NotFound,
    Page,
    TaskRefused,
    TaskView,
    Voter,
    VoteView,
)
from runtime.engine.jsonprofile import JSONRefused, dumps, loads_stored, normalise
from runtime.interpreter.payloads import INLINE_CHARACTERS, put_aside
from runtime.interpreter.people import USE_VALUE
from runtime.interpreter.waiting import iso
from runtime.sdk.forms import FormField, check_form
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import HumanTask, HumanVote, Run

__all__ = ["decide", "task", "task_count", "tasks"]

_LONGEST_COMMENT: Final = 2000


def tasks(
    *,
    workspace_id: UUID,
    email: str | None = None,
    closed: bool = False,
    run_id: UUID | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[TaskView]:
    """Questions that are open, those due first being up to the reader, the newest first; or those that are closed.
    `email`: only what this person may answer. Raises BadCursor."""
    chosen = HumanTask.objects.filter(workspace_id=workspace_id)
    chosen = chosen.exclude(status="open") if closed else chosen.filter(status="open")
    if email is not None:
        chosen = _asked(chosen, email)
    if run_id is not None:
        chosen = chosen.filter(run_id=run_id)
    last = decode(after)
    if last is not None:
        chosen = chosen.filter(id__lt=last)
    size = page_size(limit)
    rows = list(chosen.order_by("-id")[: size + 1])
    return Page(_views(rows[:size]), encode(rows[size - 1].id) if len(rows) > size else None)


def task_count(*, workspace_id: UUID, email: str) -> int:
    """How many open questions this person may answer."""
    return _asked(HumanTask.objects.filter(workspace_id=workspace_id, status="open"), email).count()


def task(*, workspace_id: UUID, task_id: UUID) -> TaskView:
    """One question. Raises NotFound."""
    return _views([_row(workspace_id, task_id)])[0]


def decide(
    *,
    workspace_id: UUID,
    task_id: UUID,
    outcome: str,
    voter: Voter,
    comment: str = "",
    answers: Mapping[str, JSON] | None = None,
    output: JSON = None,
) -> TaskView:
    """Say what becomes of it. `answers`: of a form, by question. `output`: the value to go on with, for the choice
    `value` of a failed step.

    Raises NotFound, NotAsked (somebody else is asked), AlreadyDecided (somebody was quicker, the time was over, the run
    has ended), TaskRefused (by field).
    """
    comment = comment.strip()
    row = _row(workspace_id, task_id)
    spec: Any = loads_stored(row.spec)
    _refuse_others(row, voter)
    accepted = _checked(row, spec, outcome, comment, answers, output)
    with commit("human.decide"):
        now = database_now()
        # In the order in which a driver locks them.
        run = Run.objects.select_for_update().filter(pk=row.run_id).first()
        row = HumanTask.objects.select_for_update().get(pk=task_id)
        _refuse_late(row, run, voter)
        HumanVote.objects.create(
            task_id=task_id, voter=voter.id, name=voter.name[:200], at=now, outcome=outcome, comment=comment
        )
        votes = list(HumanVote.objects.filter(task_id=task_id).order_by("at"))
        decided = _is_decided(row, spec, outcome, votes)
        if decided:
            answer = dumps(_answer(row, outcome, comment, votes, accepted, voter, now))
            if len(answer) > INLINE_CHARACTERS:
                answer = put_aside(answer, workspace_id=workspace_id, name="answer.json").text()
            HumanTask.objects.filter(pk=task_id).update(status="decided", closed_at=now, outcome=outcome, answer=answer)
            Run.objects.filter(pk=row.run_id, finished_at__isnull=True).update(wake_at=now, claims=0)
    if decided:
        queue.ring([row.run_id])
    return task(workspace_id=workspace_id, task_id=task_id)


def _row(workspace_id: UUID, task_id: UUID) -> HumanTask:
    row = HumanTask.objects.filter(workspace_id=workspace_id, pk=task_id).first()
    if row is None:
        raise NotFound("There is no such question.", code="task_not_found")
    return row


def _asked(chosen: QuerySet[HumanTask], email: str) -> QuerySet[HumanTask]:
    return chosen.filter(Q(people="") | Q(people__contains=f",{email.lower()},"))


def _refuse_others(row: HumanTask, voter: Voter) -> None:
    if row.people and f",{voter.email.lower()}," not in row.people:
        raise NotAsked("Others are asked this: " + ", ".join(_people(row)) + ".")


def _refuse_late(row: HumanTask, run: Run | None, voter: Voter) -> None:
    if row.status == "decided":
        last = HumanVote.objects.filter(task_id=row.id).order_by("-at").first()
        who = "Somebody" if last is None else last.name
        raise AlreadyDecided(f"{who} has decided this already.", outcome=row.outcome, by=who, at=row.closed_at)
    if row.status == "late":
        raise AlreadyDecided("The time for this is over: the run went on without an answer.", code="too_late")
    ended = run is None or run.finished_at is not None or run.cancel_requested_at is not None
    if row.status == "cancelled" or ended or (run is not None and run.generation != row.generation):
        raise AlreadyDecided("The run has ended: nobody needs an answer any more.", code="run_ended")
    if HumanVote.objects.filter(task_id=row.id, voter=voter.id).exists():
        raise AlreadyDecided("You have said so already; others are still asked.", code="already_said")


def _checked(
    row: HumanTask,
    spec: Mapping[str, Any],
    outcome: str,
    comment: str,
    answers: Mapping[str, JSON] | None,
    output: JSON,
) -> JSON:
    """What the run gets of it. Raises TaskRefused."""
    choice = next((one for one in spec["choices"] if one["id"] == outcome), None)
    if choice is None:
        raise TaskRefused({"outcome": "There is no such answer to this question."})
    if len(comment) > _LONGEST_COMMENT:
        raise TaskRefused({"comment": f"A comment has at most {_LONGEST_COMMENT:,} characters."})
    if choice["comment"] and not comment:
        raise TaskRefused({"comment": "Say why, in a few words."})
    if row.kind == "form":
        fields = [FormField.model_validate(one) for one in spec["fields"]]
        accepted, refused = check_form(fields, dict(answers or {}))
        if refused:
            raise TaskRefused({f"answers.{name}" if name else "answers": text for name, text in refused.items()})
        return accepted
    if row.kind == "exception" and outcome == USE_VALUE:
        try:
            return normalise(output)
        except JSONRefused as error:
            raise TaskRefused({"output": error.message}) from None
    return None


def _is_decided(row: HumanTask, spec: Mapping[str, Any], outcome: str, votes: Sequence[HumanVote]) -> bool:
    """An approval needs so many; a no, and every other answer, counts at once."""
    first = spec["choices"][0]["id"]
    if row.kind != "approval" or outcome != first:
        return True
    return len([vote for vote in votes if vote.outcome == first]) >= int(spec.get("needs", 1))


def _answer(
    row: HumanTask,
    outcome: str,
    comment: str,
    votes: Iterable[HumanVote],
    accepted: JSON,
    voter: Voter,
    now: int,
) -> JSON:
    if row.kind == "exception":
        return accepted if outcome == USE_VALUE else {"outcome": outcome, "by": voter.name, "comment": comment or None}
    if row.kind == "form":
        assert isinstance(accepted, dict)
        return {"answered": {"by": voter.name, "at": iso(now), "comment": comment or None}, **accepted}
    return {
        "outcome": outcome,
        "comment": comment or None,
        "decisions": [
            {"by": vote.name, "at": iso(vote.at), "outcome": vote.outcome, "comment": vote.comment or None}
            for vote in votes
        ],
    }


def _people(row: HumanTask) -> list[str]:
    return [one for one in row.people.split(",") if one]


def _views(rows: Sequence[HumanTask]) -> list[TaskView]:
    runs = Run.objects.filter(pk__in={row.run_id for row in rows}).values(*RUN_COLUMNS)
    views = {view.id: view for view in run_views(runs)}
    votes: dict[UUID, list[VoteView]] = {row.id: [] for row in rows}
    for vote in HumanVote.objects.filter(task_id__in=list(votes)).order_by("at"):
        votes[vote.task_id].append(VoteView(vote.voter, vote.name, vote.at, vote.outcome, vote.comment))
    found = []
    for row in rows:
        spec: Any = loads_stored(row.spec)
        found.append(
            TaskView(
                id=row.id,
                run=views[row.run_id],
                node=row.node_id,
                kind=row.kind,
                status=row.status,
                title=row.title,
                amount=spec.get("amount"),
                currency=spec.get("currency") or "",
                people=_people(row),
                needs=int(spec.get("needs", 1)),
                due_at=row.due_at,
                created_at=row.created_at,
                closed_at=row.closed_at,
                outcome=row.outcome,
                votes=votes[row.id],
                spec=dict(spec),
                answer=None if row.answer is None else loads_stored(row.answer),
            )
        )
    return found
