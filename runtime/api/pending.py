"""Answers that can be taken back for some seconds, and take effect then: by the ticker, whoever has left meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from runtime.api.tasks import decide, pending_view, row_of, task
from runtime.contracts import JSON, AlreadyDecided, PendingView, TaskView, Voter
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.interpreter.asking import refuse_late, refuse_others
from runtime.interpreter.deciding import Answer, checked, is_small, refuse_pending, told_as
from runtime.interpreter.waiting import iso
from runtime.store.beside import tell, unchanged
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import HumanTask, HumanVote, PendingAnswer, Run

__all__ = ["Given", "decide_later", "given", "take_back"]

#: An answer takes effect at the latest so long before the run goes on without one.
_BEFORE_THE_END_MS: Final = 3_000
#: A time to take it back that is shorter is none.
_SHORTEST_MS: Final = 1_000
_MOST_GIVEN: Final = 200


@dataclass(frozen=True, slots=True)
class Given:
    """What one person has said that has not taken effect, with the question it is about."""

    task: UUID
    title: str
    pending: PendingView


def decide_later(
    *,
    workspace_id: UUID,
    task_id: UUID,
    outcome: str,
    voter: Voter,
    within_ms: int,
    comment: str = "",
    answers: Mapping[str, JSON] | None = None,
    output: JSON = None,
    record: str = "",
) -> TaskView:
    """Say what becomes of it, as in `decide`, in so many milliseconds: until then `take_back` takes it back. Rights and
    rules are asked now and once more when it takes effect. `record`: handed to `ports.Record` then.

    It takes effect at once where the time for the question is nearly over, and where the answer is large. What the same
    person had said before, and could still take back, gives way to it. Raises what `decide` raises.
    """
    row = row_of(workspace_id, task_id)
    said = Answer(outcome, comment, answers or {}, output)
    found = checked(row, said, voter)
    now = database_now()
    due_at = now + within_ms if row.ends_at is None else min(now + within_ms, row.ends_at - _BEFORE_THE_END_MS)
    if due_at - now < _SHORTEST_MS or not is_small(row, found, voter):
        return decide(
            workspace_id=workspace_id, task_id=task_id, outcome=outcome, voter=voter, comment=comment, answers=answers,
            output=output,
        )  # fmt: skip
    with commit("human.pend"):
        run = Run.objects.filter(pk=row.run_id).first()
        row = HumanTask.objects.select_for_update().get(pk=task_id)
        spec: Any = loads_stored(row.spec)
        refuse_late(row, run, voter, database_now())
        refuse_others(row, voter)
        refuse_pending(row, spec, voter)
        PendingAnswer.objects.filter(task_id=task_id, voter=voter.id).delete()
        PendingAnswer.objects.create(
            task_id=task_id, workspace_id=workspace_id, voter=voter.id, name=voter.name[:200],
            email=voter.email.lower()[:254], outcome=found.outcome, comment=found.comment,
            voter_json=_kept(voter),
            answers=dumps(dict(said.answers)), output=dumps(output), at=now, due_at=due_at, record=record,
        )  # fmt: skip
        tell(takes_effect_at=iso(due_at), **told_as(spec, found.outcome))
    return task(workspace_id=workspace_id, task_id=task_id)


def _kept(voter: Voter) -> str:
    groups: list[JSON] = [str(one) for one in voter.groups]
    return dumps({"groups": groups, "role": voter.role, "retry": voter.may_retry})


def take_back(*, workspace_id: UUID, task_id: UUID, voter: Voter) -> TaskView:
    """Take back what this person has said and has not taken effect; or note that they have read why it could not. Once
    more: nothing happens. Raises NotFound, AlreadyDecided (`took_effect`)."""
    row_of(workspace_id, task_id)
    with commit("human.unpend"):
        # The same lock by which it takes effect: of the two one is first.
        HumanTask.objects.select_for_update().get(pk=task_id)
        mine = PendingAnswer.objects.filter(task_id=task_id, voter=voter.id)
        was_due = mine.filter(due_at__isnull=False).exists()
        gone, _ = mine.delete()
        if not was_due:
            unchanged()
            if not gone and HumanVote.objects.filter(task_id=task_id, voter=voter.id).exists():
                raise AlreadyDecided("This has taken effect: it cannot be taken back any more.", code="took_effect")
    return task(workspace_id=workspace_id, task_id=task_id)


def given(*, workspace_id: UUID, voter: UUID) -> Sequence[Given]:
    """What this person has said that has not taken effect, and what could not; the newest first."""
    rows = PendingAnswer.objects.filter(workspace_id=workspace_id, voter=voter).select_related("task")
    found = []
    for row in rows.order_by("-at", "-id")[:_MOST_GIVEN]:
        spec: Any = loads_stored(row.task.spec)
        found.append(Given(row.task_id, row.task.title, pending_view(row, spec)))
    return found
