"""What people are asked, and their answers. One decision counts, whoever is first (I13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal
from uuid import UUID

from django.db.models import BigIntegerField, Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from runtime import queue
from runtime.api.asking import Standing, Whose, anew, asked_of, over, refuse_late, refuse_others
from runtime.api.cursors import decode, encode, page_size
from runtime.api.doubts import in_doubt, meant, said_as, shown
from runtime.api.rows import RUN_COLUMNS, document, run_views
from runtime.contracts import (
    JSON,
    AlreadyDecided,
    NotAsked,
    NotFound,
    Page,
    TaskNote,
    TaskRefused,
    TaskView,
    Voter,
    VoteView,
)
from runtime.engine.jsonprofile import JSONRefused, dumps, loads_stored, normalise
from runtime.interpreter.counting import able, approval, count
from runtime.interpreter.four_eyes import refused_value
from runtime.interpreter.generations import Said, note_decision
from runtime.interpreter.generations import decided as decision
from runtime.interpreter.payloads import INLINE_CHARACTERS, MOST_BYTES, Reference, put_aside, too_large
from runtime.interpreter.people import GIVE_UP, USE_VALUE, tokens
from runtime.interpreter.waiting import iso
from runtime.sdk.forms import FormField, check_form
from runtime.sdk.tasks import ANSWERED
from runtime.store import artifacts, below
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Attempt, HumanNote, HumanTask, HumanVote, Run
from runtime.store.pauses import due_unless_stopped
from runtime.store.trail import said

__all__ = ["decide", "task", "task_count", "tasks"]

_LONGEST_COMMENT: Final = 2000
_MOST_NOTES: Final = 200
#: As `doubts.in_doubt` says it, of rows: within the error, or beside it. In a text the quotes would be escaped.
_DOUBT: Final = Q(kind="exception") & (Q(spec__contains=':"in_doubt"') | Q(spec__contains='"in_doubt":true'))
#: Behind every due date.
_NEVER: Final = 2**62


def tasks(
    *,
    workspace_id: UUID,
    voter: Voter | None = None,
    whose: Whose = "me",
    closed: bool = False,
    run_id: UUID | None = None,
    around: UUID | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[TaskView]:
    """Questions that are open, the most urgent first (`_by_due`); or those that are closed, the newest first.

    `voter`: only what this person is asked, in one way (`whose`), and has not answered yet. `run_id`: only what this
    run asks; `around`: or a run that it waits for, at whatever depth. Raises BadCursor.
    """
    chosen = HumanTask.objects.filter(workspace_id=workspace_id)
    chosen = chosen.exclude(status="open") if closed else chosen.filter(status="open")
    if voter is not None:
        chosen = asked_of(chosen, voter, closed=closed, whose=whose)
    if run_id is not None:
        chosen = chosen.filter(run_id=run_id)
    if around is not None:
        chosen = chosen.filter(run_id__in=below.asking(around))
    last = decode(after)
    size = page_size(limit)
    if closed:
        chosen = chosen if last is None else chosen.filter(id__lt=last)
        rows = list(chosen.order_by("-id")[: size + 1])
    else:
        rows = list(_by_due(chosen, last)[: size + 1])
    return Page(_views(rows[:size]), encode(rows[size - 1].id) if len(rows) > size else None)


def _by_due(chosen: QuerySet[HumanTask], last: UUID | None) -> QuerySet[HumanTask]:
    """Behind this one, where it is given: in the order in which they are due, then the newest. Steps of which nobody
    knows whether they happened, and questions that nobody can decide who is asked, are due since they are."""
    due_at = Case(
        When(stranded_at__isnull=False, then=F("stranded_at")),
        When(_DOUBT, then=F("created_at")),
        default=Coalesce(F("due_at"), Value(_NEVER)),
        output_field=BigIntegerField(),
    )
    ordered = chosen.annotate(due=due_at)
    if last is not None:
        found = HumanTask.objects.filter(pk=last).annotate(due=due_at).values_list("due", flat=True).first()
        due = _NEVER if found is None else found
        ordered = ordered.filter(Q(due__gt=due) | Q(due=due, id__lt=last))
    return ordered.order_by("due", "-id")


def task_count(*, workspace_id: UUID, voter: Voter) -> int:
    """How many open questions this person is asked and has not answered yet."""
    open_tasks = HumanTask.objects.filter(workspace_id=workspace_id, status="open")
    return asked_of(open_tasks, voter, closed=False).count()


def task(*, workspace_id: UUID, task_id: UUID) -> TaskView:
    """One question. Raises NotFound."""
    row = row_of(workspace_id, task_id)
    notes = [
        TaskNote(note.kind, note.at, note.by, note.to, note.text)
        for note in HumanNote.objects.filter(task_id=task_id).order_by("at", "id")[:_MOST_NOTES]
    ]
    view = _views([row])[0]
    again = anew(row) if view.over == "anew" else None
    return replace(view, answer=document(row.answer), notes=notes, anew=again)


def decide(
    *,
    workspace_id: UUID,
    task_id: UUID,
    outcome: str,
    voter: Voter,
    comment: str = "",
    answers: Mapping[str, JSON] | None = None,
    output: JSON = None,
    via: Literal["inbox", "link"] = "inbox",
) -> TaskView:
    """Say what becomes of it. `answers`: of a form, by question. `output`: the value to go on with, for the choices
    `value` of a failed step and `happened` of one in doubt, to which `retry` is no answer. `via`: by what way the
    answer came.

    Raises NotFound, NotAsked (somebody else is asked), AlreadyDecided (somebody was quicker, the time was over, the run
    has ended), TaskRefused (by field).
    """
    comment = comment.strip()
    row = row_of(workspace_id, task_id)
    spec: Any = loads_stored(row.spec)
    refuse_others(row, voter)
    if row.kind == "review":
        # A list is changed, handed over and released by `reviewing.py` alone, which holds its rules.
        raise TaskRefused({"outcome": "A list is reviewed, and released by a second person, on its own page."})
    outcome = meant(spec, outcome)
    if row.kind == "exception" and outcome == USE_VALUE:
        _refuse_value(row, spec)
    accepted = _checked(row, spec, outcome, comment, answers, output)
    kept = _put_aside(workspace_id, row, _answer(row, outcome, comment, (), accepted, voter, database_now()))
    try:
        decided = _decided(row, spec, outcome, comment, voter, accepted, kept, via)
    except (AlreadyDecided, NotAsked):
        if kept is not None:
            artifacts.discard(kept.artifact_id)
        raise
    if decided:
        queue.ring([row.run_id])
    return task(workspace_id=workspace_id, task_id=task_id)


def _decided(
    row: HumanTask,
    spec: Mapping[str, Any],
    outcome: str,
    comment: str,
    voter: Voter,
    accepted: JSON,
    kept: Reference | None,
    via: str,
) -> bool:
    """Put it down; whether that decides the question. Raises AlreadyDecided, NotAsked."""
    task_id = row.id
    with commit("human.decide"):
        # In the order in which a driver locks them.
        run = Run.objects.select_for_update().filter(pk=row.run_id).first()
        row = HumanTask.objects.select_for_update().get(pk=task_id)
        # Under the lock that a time-out takes too: of the two the clock has decided, however long this waited for it.
        now = database_now()
        refuse_late(row, run, voter, now)
        # Somebody may have taken it meanwhile, or handed it over.
        standing: Standing = refuse_others(row, voter)
        HumanVote.objects.create(
            task_id=task_id, voter=voter.id, name=voter.name[:200], at=now, outcome=outcome, comment=comment,
            email=voter.email.lower()[:254], via=via, admin=standing == "admin",
        )  # fmt: skip
        votes = list(HumanVote.objects.filter(task_id=task_id).order_by("at", "voter"))
        decided = _is_decided(row, spec, outcome, votes)
        attempts: list[Said] = []
        if decided:
            answer = kept.text() if kept else dumps(_answer(row, outcome, comment, votes, accepted, voter, now))
            if row.kind == "exception":
                attempts = _note_doubt(row, outcome, voter, now)
            HumanTask.objects.filter(pk=task_id).update(status="decided", closed_at=now, outcome=outcome, answer=answer)
        told = said(
            "decide", f"user:{voter.id}", node=row.node_id, outcome=said_as(spec, outcome), decided=decided,
            attempts=attempts,
        )  # fmt: skip
        changes = {"wake_at": due_unless_stopped(now), "claims": 0} if decided else {}
        Run.objects.filter(pk=row.run_id, finished_at__isnull=True).update(change=told, **changes)
    return decided


def _put_aside(workspace_id: UUID, row: HumanTask, answer: JSON) -> Reference | None:
    """Keep a large answer outside its row; before the transaction, which is no place for files. Raises TaskRefused."""
    text = dumps(answer)
    if row.kind == "approval" or len(text) <= INLINE_CHARACTERS:
        return None
    if too_large(text):
        raise TaskRefused({"output": f"An answer may have at most {MOST_BYTES // 2**20} MiB."})
    return put_aside(text, workspace_id=workspace_id, name="answer.json")


def _refuse_value(row: HumanTask, spec: Mapping[str, Any]) -> None:
    if (why := refused_value(row.run_id, row.node_id, in_doubt=in_doubt(spec))) is not None:
        raise TaskRefused({"output": why})


def _note_doubt(row: HumanTask, outcome: str, voter: Voter, now: int) -> list[Said]:
    """Put what a person said beside the attempt of which nobody knew whether it happened (I12); how that stands now."""
    if outcome == GIVE_UP:
        return []
    happened = outcome == USE_VALUE
    of_step = Attempt.objects.filter(run_id=row.run_id, node_id=row.node_id)
    tries = list(of_step.filter(generation=row.generation, attempt=row.attempt, status="in_doubt"))
    if happened and not tries:
        # What was sent again was refused: the word is about the call before that.
        tries = list(of_step.filter(status="abandoned").order_by("-generation", "-attempt")[:1])
    noted: list[Said] = []
    for found in tries:
        note_decision(found, happened=happened, who=f"user:{voter.id}", now=now)
        noted.append((found.node_id, found.generation, found.attempt, decision(happened)))
    return noted


def row_of(workspace_id: UUID, task_id: UUID) -> HumanTask:
    """One question. Raises NotFound."""
    row = HumanTask.objects.filter(workspace_id=workspace_id, pk=task_id).first()
    if row is None:
        raise NotFound("There is no such question.", code="task_not_found")
    return row


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
    try:
        normalise(comment)
    except JSONRefused as error:
        raise TaskRefused({"comment": error.message}) from None
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
    """An approval needs so many, or everybody who is asked now; a no, and every other answer, counts at once. Asked
    under the row's lock: whoever leaves behind it is counted by `worker.recounts`."""
    if row.kind != "approval" or outcome != spec["choices"][0]["id"]:
        return True
    everyone = spec.get("everyone")
    found = count(row.kind, spec, votes, able(row) if everyone else ())
    # Where nobody is left of those who all had to approve, it is for an admin, whose word is enough.
    return found.decided or bool(everyone and found.stranded)


def _answer(
    row: HumanTask,
    outcome: str,
    comment: str,
    votes: Sequence[HumanVote],
    accepted: JSON,
    voter: Voter,
    now: int,
) -> JSON:
    if row.kind == "exception":
        return accepted if outcome == USE_VALUE else {"outcome": outcome, "by": voter.name, "comment": comment or None}
    if row.kind == "form":
        assert isinstance(accepted, dict)
        return {**accepted, ANSWERED: {"by": voter.name, "at": iso(now), "comment": comment or None}}
    return approval(outcome, comment, votes)


def _views(rows: Sequence[HumanTask]) -> list[TaskView]:
    runs = Run.objects.filter(pk__in={row.run_id for row in rows}).values(*RUN_COLUMNS)
    views = {view.id: view for view in run_views(runs)}
    generations = {run_id: None if view.finished_at else view.generation for run_id, view in views.items()}
    now = database_now() if any(row.status == "open" and row.ends_at is not None for row in rows) else 0
    specs: dict[UUID, Any] = {row.id: loads_stored(row.spec) for row in rows}
    votes: dict[UUID, list[VoteView]] = {row.id: [] for row in rows}
    for vote in HumanVote.objects.filter(task_id__in=list(votes)).order_by("at", "voter"):
        outcome = said_as(specs[vote.task_id], vote.outcome) or ""
        votes[vote.task_id].append(
            VoteView(vote.voter, vote.name, vote.at, outcome, vote.comment, vote.via, vote.admin)
        )
    found = []
    for row in rows:
        spec = specs[row.id]
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
                people=tokens(row.people),
                needs=int(spec.get("needs", 1)),
                due_at=row.due_at,
                created_at=row.created_at,
                closed_at=row.closed_at,
                outcome=said_as(spec, row.outcome),
                votes=votes[row.id],
                spec=shown(spec),
                answer=None,
                barred=tokens(row.barred),
                away=tokens(row.away),
                everyone=bool(spec.get("everyone")),
                ends_at=row.ends_at,
                reminded_at=row.reminded_at,
                escalated_at=row.escalated_at,
                claimed_by=row.claimed_by,
                claimed_name=row.claimed_name,
                stranded_at=row.stranded_at,
                over=over(row, generations[row.run_id], now),
            )
        )
    return found
