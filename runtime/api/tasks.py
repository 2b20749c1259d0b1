"""What people are asked, and their answers. One decision counts, whoever is first (I13)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal
from uuid import UUID

from django.db.models import BigIntegerField, Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from runtime import queue
from runtime.api.cursors import decode, encode, page_size
from runtime.api.letter_figures import amount_text
from runtime.api.rows import RUN_COLUMNS, document, run_views
from runtime.contracts import JSON, Page, PendingView, SaidView, TaskNote, TaskView, Voter, VoteView
from runtime.engine.jsonprofile import loads_stored
from runtime.interpreter.asking import Whose, anew, asked_of, over
from runtime.interpreter.counting import able_of_all
from runtime.interpreter.deciding import Answer, put_down, row_of
from runtime.interpreter.doubt_words import said_as, shown
from runtime.interpreter.people import called, listed, tokens
from runtime.store import below
from runtime.store.dialect import database_now
from runtime.store.models import HumanNote, HumanSnooze, HumanTask, HumanVote, PendingAnswer, Run
from runtime.store.people import Names, read_refusal

__all__ = [
    "alike",
    "answered_since",
    "asked_alone",
    "decide",
    "open_among",
    "row_of",
    "said_in",
    "same_since",
    "task",
    "task_count",
    "tasks",
]

_MOST_NOTES: Final = 200
_MOST_ALIKE: Final = 5
#: As `doubts.in_doubt` says it, of rows: within the error, or beside it. In a text the quotes would be escaped.
_DOUBT: Final = Q(kind="exception") & (Q(spec__contains=':"in_doubt"') | Q(spec__contains='"in_doubt":true'))
#: Notes of what lets a question come to others, or come back: whoever has seen it before sees it anew.
_ANEW: Final = ("hand_over", "leave", "escalate", "stranded", "release", "send_back", "give_back")
#: In which order open questions are listed.
Sort = Literal["due", "amount", "age"]
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
    kind: str | None = None,
    due: tuple[int, int] | None = None,
    sort: Sort = "due",
    after: str | None = None,
    limit: int = 50,
) -> Page[TaskView]:
    """Questions that are open, in this order (`_sorted`); or those that are closed, the newest first.

    `voter`: only what this person is asked, in one way (`whose`), and has not answered yet. `run_id`: only what this
    run asks; `around`: or a run that it waits for, at whatever depth. `kind`: only questions of this kind. `due`: only
    those that are due from this moment on and before that one, ms. Raises BadCursor.
    """
    chosen = HumanTask.objects.filter(workspace_id=workspace_id)
    chosen = chosen.exclude(status="open") if closed else chosen.filter(status="open")
    if voter is not None:
        chosen = asked_of(chosen, voter, closed=closed, whose=whose)
    if run_id is not None:
        chosen = chosen.filter(run_id=run_id)
    if around is not None:
        chosen = chosen.filter(run_id__in=below.asking(around))
    if kind is not None:
        chosen = chosen.filter(kind=kind)
    if due is not None:
        chosen = chosen.filter(due_at__gte=due[0], due_at__lt=due[1])
    last = decode(after)
    size = page_size(limit)
    if closed:
        chosen = chosen if last is None else chosen.filter(id__lt=last)
        rows = list(chosen.order_by("-id")[: size + 1])
    else:
        rows = list(_sorted(chosen, sort, last)[: size + 1])
    return Page(_views(rows[:size]), encode(rows[size - 1].id) if len(rows) > size else None)


def _sorted(chosen: QuerySet[HumanTask], sort: Sort, last: UUID | None) -> QuerySet[HumanTask]:
    """Behind this one, where it is given. `due`: in the order in which they are due, those that are due at once by
    amount. `amount`: by amount alone. `age`: those that wait longest first.

    Steps of which nobody knows whether they happened, and questions that nobody can decide who is asked, are due since
    they are. Amounts of one currency stand together, the largest first, for those of two cannot be compared; then what
    has none, the newest first.
    """
    if sort == "age":
        return (chosen if last is None else chosen.filter(id__gt=last)).order_by("id")
    keys = ("due", "none", "currency", "-worth", "-id") if sort == "due" else ("none", "currency", "-worth", "-id")
    ordered = _keyed(chosen)
    if last is not None:
        columns = [key.removeprefix("-") for key in keys]
        found = _keyed(HumanTask.objects.filter(pk=last)).values(*columns).first()
        if found is None:
            # It was erased with its run while somebody read on.
            found = {"due": _NEVER, "none": 1, "currency": "", "worth": 0, "id": last}
        ordered = ordered.filter(_behind(keys, {**found, "worth": found["worth"] or 0}))
    return ordered.order_by(*keys)


def _keyed(chosen: QuerySet[HumanTask]) -> QuerySet[HumanTask]:
    due_at = Case(
        When(stranded_at__isnull=False, then=F("stranded_at")),
        When(_DOUBT, then=F("created_at")),
        default=Coalesce(F("due_at"), Value(_NEVER)),
        output_field=BigIntegerField(),
    )
    none = Case(When(worth__isnull=True, then=Value(1)), default=Value(0), output_field=BigIntegerField())
    return chosen.annotate(due=due_at, none=none)


def _behind(keys: Sequence[str], values: Mapping[str, Any]) -> Q:
    """What stands behind these values in this order. Nothing that has no amount is compared by it."""
    found, alike = Q(pk__in=[]), Q()
    for key in keys:
        name = key.removeprefix("-")
        if name == "worth" and values["none"]:
            continue
        found |= alike & Q(**{f"{name}__{'lt' if key.startswith('-') else 'gt'}": values[name]})
        alike &= Q(**{name: values[name]})
    return found


def said_in(*, workspace_id: UUID, run_id: UUID) -> dict[UUID, SaidView]:
    """What this run has asked, by the id of the question, and what was said to it that stands; empty for a run that is
    not here."""
    chosen = HumanTask.objects.filter(workspace_id=workspace_id, run_id=run_id)
    nodes = dict(chosen.values_list("id", "node_id"))
    votes = HumanVote.objects.filter(task__workspace_id=workspace_id, task__run_id=run_id)
    # Only of a step that failed an answer may be stored by another name than people call it by.
    failed = chosen.filter(kind="exception", pk__in=votes.values("task_id")).values_list("id", "spec")
    specs: dict[UUID, Any] = {one: loads_stored(spec) for one, spec in failed}
    said: dict[UUID, list[tuple[UUID, str, str]]] = {one: [] for one in nodes}
    for task_id, voter, outcome, comment in votes.values_list("task_id", "voter", "outcome", "comment"):
        # Whoever is asked between the two readings is told of with the next one.
        if task_id in said:
            said[task_id].append((voter, said_as(specs.get(task_id, {}), outcome) or outcome, comment))
    return {one: SaidView(node, tuple(said[one])) for one, node in nodes.items()}


def alike(*, workspace_id: UUID, task_id: UUID) -> list[TaskView]:
    """What was decided last of questions of the same step, the newest first. Raises NotFound."""
    row = row_of(workspace_id, task_id)
    decided = HumanTask.objects.filter(workflow_id=row.workflow_id, node_id=row.node_id, status="decided")
    return _views(list(decided.filter(workspace_id=workspace_id).exclude(pk=task_id).order_by("-id")[:_MOST_ALIKE]))


def task_count(*, workspace_id: UUID, voter: Voter) -> int:
    """How many open questions this person is asked and has not answered yet."""
    open_tasks = HumanTask.objects.filter(workspace_id=workspace_id, status="open")
    return asked_of(open_tasks, voter, closed=False).count()


def answered_since(*, workspace_id: UUID, voter_id: UUID, since: int) -> int:
    """How many questions this person has answered from this moment, ms, on: read from the index of their answers."""
    said = HumanVote.objects.filter(voter=voter_id, at__gte=since)
    return said.filter(task__workspace_id=workspace_id).count()


def asked_among(*, workspace_id: UUID, voter: Voter, tasks: Collection[UUID]) -> set[UUID]:
    """Those of these questions, at most 500, that `task_count` counts."""
    if not tasks:
        return set()
    open_tasks = HumanTask.objects.filter(workspace_id=workspace_id, status="open", pk__in=tasks)
    return set(asked_of(open_tasks, voter, closed=False).values_list("pk", flat=True))


def open_among(ids: Collection[UUID]) -> set[UUID]:
    """Those of these questions, at most 500, that are open; of whatever workspace."""
    return set(HumanTask.objects.filter(pk__in=ids, status="open").values_list("pk", flat=True))


def same_since(*, seen: Mapping[UUID, int], voter_id: UUID) -> set[UUID]:
    """Those of these questions, at most 500, to which nothing has happened since that moment, ms, that puts them before
    people anew; but what this person has done to them themselves."""
    happened = HumanNote.objects.filter(task_id__in=list(seen), kind__in=_ANEW).exclude(by_id=voter_id)
    return set(seen) - {task_id for task_id, at in happened.values_list("task_id", "at") if at > seen[task_id]}


def asked_alone(*, workspace_id: UUID, email: str) -> int:
    """How many open questions are asked of this person by name, and of nobody else."""
    alone = HumanTask.objects.filter(workspace_id=workspace_id, status="open", people=listed([email.lower()]))
    return alone.count()


def task(*, workspace_id: UUID, task_id: UUID) -> TaskView:
    """One question. Raises NotFound."""
    row = row_of(workspace_id, task_id)
    notes = [
        TaskNote(note.kind, note.at, note.by, *Names.read(note.to), note.text)
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

    Raises NotFound, NotAsked (somebody else is asked), AlreadyDecided (somebody was quicker or is deciding it right
    now, the time was over, the run has ended), TaskRefused (by field).
    """
    row = row_of(workspace_id, task_id)
    if put_down(row, Answer(outcome, comment, answers or {}, output), voter, via=via):
        queue.ring([row.run_id])
    return task(workspace_id=workspace_id, task_id=task_id)


def _views(rows: Sequence[HumanTask]) -> list[TaskView]:
    runs = Run.objects.filter(pk__in={row.run_id for row in rows}).values(*RUN_COLUMNS)
    views = {view.id: view for view in run_views(runs)}
    generations = {run_id: None if view.finished_at else view.generation for run_id, view in views.items()}
    now = database_now() if any(row.status == "open" and row.ends_at is not None for row in rows) else 0
    specs: dict[UUID, Any] = {row.id: loads_stored(row.spec) for row in rows}
    votes: dict[UUID, list[VoteView]] = {row.id: [] for row in rows}
    given = list(HumanVote.objects.filter(task_id__in=list(votes)).order_by("at", "voter"))
    in_place = {vote.task_id for vote in given if vote.for_id is not None}
    asked = able_of_all([row for row in rows if row.id in in_place and row.status == "open"])
    for vote in given:
        outcome = said_as(specs[vote.task_id], vote.outcome) or ""
        # Whoever was away has their voice again where whoever gave it came to be asked as well.
        spent = None if vote.email in asked.get(vote.task_id, ()) else vote.for_id
        votes[vote.task_id].append(
            VoteView(vote.voter, vote.name, vote.at, outcome, vote.comment, vote.via, vote.admin, spent, vote.for_name)
        )
    pending: defaultdict[UUID, list[PendingView]] = defaultdict(list)
    for one in PendingAnswer.objects.filter(task_id__in=list(specs)).order_by("at", "id"):
        pending[one.task_id].append(pending_view(one, specs[one.task_id]))
    snoozed: defaultdict[UUID, dict[UUID, int]] = defaultdict(dict)
    for later in HumanSnooze.objects.filter(task_id__in=list(specs)):
        snoozed[later.task_id][later.voter] = later.until
    found = []
    for row in rows:
        spec = specs[row.id]
        amount, currency = _amount_of(row, spec)
        found.append(
            TaskView(
                id=row.id,
                run=views[row.run_id],
                node=row.node_id,
                kind=row.kind,
                status=row.status,
                title=row.title,
                amount=amount,
                currency=currency,
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
                claimed_name=row.takers.by,
                claimed_for=row.takers.in_place_of,
                stranded_at=row.stranded_at,
                over=over(row, generations[row.run_id], now),
                pending=pending[row.id],
                snoozed=snoozed[row.id],
            )
        )
    return found


def _amount_of(row: HumanTask, spec: Mapping[str, Any]) -> tuple[JSON, str]:
    """What it is about, as its builder has it; else what its run is worth."""
    amount = spec.get("amount")
    if amount in (None, "") and row.worth is not None:
        return amount_text(row.worth), row.currency
    return amount, spec.get("currency") or ""


def pending_view(one: PendingAnswer, spec: Mapping[str, Any]) -> PendingView:
    """What somebody has said that has not taken effect."""
    outcome = said_as(spec, one.outcome) or ""
    why, named = (None, {}) if one.refused is None else read_refusal(one.refused)
    return PendingView(
        one.voter, one.name, outcome, one.at, one.due_at, why, one.refused_code, named, called(spec, one.outcome)
    )
