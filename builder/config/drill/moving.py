"""Seeing a run of a drill to its end: time passes, people say yes, signals and events come."""

from __future__ import annotations

import contextlib
import time
from typing import Any, Final
from uuid import UUID

from builder.config.drill.crowd import voter
from runtime import api
from runtime.contracts import AlreadyDecided, EventRefused, NotAsked, NotFound, RunView, TaskRefused, TaskView
from runtime.ports import PORTS
from runtime.store.dialect import database_now
from runtime.store.models import Run, SignalWait, StepRun, Timer

__all__ = ["WORKSPACE", "at_rest", "family"]

ROUND_SECONDS: Final = 30.0
WORKSPACE: Final = UUID(int=1)
_ENDS: Final = frozenset({"completed", "compensated", "cancelled", "dead_lettered", "parked"})
#: What comes by a link or as an event, where nobody can say what would.
_COMES: Final[dict[str, Any]] = {"ok": True}
#: A plausible answer to a question of each kind; to all others a short text.
_ANSWERS: Final[dict[str, Any]] = {
    "number": 1, "money": "1.00", "date": "2030-01-15", "yes_no": True,
    "email": "drill@sandbox.invalid",
}  # fmt: skip


def at_rest(run_id: UUID) -> RunView:
    """The run when it and all that it began have ended, or nobody but a person could move them."""
    until = time.monotonic() + ROUND_SECONDS
    while True:
        run = api.run(workspace_id=WORKSPACE, run_id=run_id)
        rows = list(Run.objects.filter(pk__in=family(run_id)).values_list("id", "status"))
        under_way = [(one, status) for one, status in rows if status not in _ENDS]
        # A run that called another waits for as long as that one does.
        parked = any(status == "parked" for _, status in rows)
        if (run.status in _ENDS and not under_way) or parked or time.monotonic() > until:
            return run
        moved = [_moved(one, status) for one, status in under_way]
        if not all(moved):
            return api.run(workspace_id=WORKSPACE, run_id=run_id)
        time.sleep(0.02)


def family(run_id: UUID) -> list[UUID]:
    """The run and every run that it began, at whatever depth."""
    found = layer = [run_id]
    while layer:
        layer = list(Run.objects.filter(parent_run_id__in=layer).values_list("id", flat=True))
        found = found + layer
    return found


def _moved(run_id: UUID, status: str) -> bool:
    """Let come what this run waits for; False where only a person could move it."""
    match status:
        case "waiting_timer":
            _move_on(run_id)
        case "waiting_event":
            return _signal(run_id)
        case "waiting_human":
            return _answer(run_id) and _signal(run_id)
    return True


def _move_on(run_id: UUID) -> None:
    """It is as late as the run waits for: this database is nobody else's."""
    now = database_now()
    StepRun.objects.filter(run_id=run_id, status__in=("waiting", "retrying"), due_at__gt=now).update(due_at=now)
    Timer.objects.filter(run_id=run_id).update(due_at=now)
    Run.objects.filter(pk=run_id, lease_owner__isnull=True, wake_at__gt=now).update(wake_at=now)


def _signal(run_id: UUID) -> bool:
    """Send what its steps wait for."""
    for node in SignalWait.objects.filter(run_id=run_id, status="open").values_list("node_id", flat=True):
        try:
            # Whoever waits no longer has got what it waited for.
            with contextlib.suppress(AlreadyDecided, NotFound):
                api.resume(workspace_id=WORKSPACE, run_id=run_id, node_id=node, voter=voter(), data=_COMES)
        except EventRefused:
            return False
    return True


def _answer(run_id: UUID) -> bool:
    """Say yes to what is asked; False where only a person could answer."""
    for task in api.tasks(workspace_id=WORKSPACE, run_id=run_id).items:
        if task.kind not in ("approval", "form") or task.run.id != run_id:
            return False
        if not _said_yes(task):
            return False
    return True


def _said_yes(task: TaskView) -> bool:
    """As many as have to say yes; False where they cannot."""
    choice = str(task.spec["choices"][0]["id"])
    answers = _filled_in(task) if task.kind == "form" else None
    people = PORTS.people.known(workspace_id=WORKSPACE, tokens=task.people)
    counted = False
    for one in people:
        try:
            now = api.decide(
                workspace_id=WORKSPACE, task_id=task.id, outcome=choice, voter=voter(one.token), comment="Drill",
                answers=answers,
            )  # fmt: skip
        except AlreadyDecided:
            # Of those who had said so before the plug was pulled, or the run went on without.
            counted = True
        except NotAsked:
            continue
        except TaskRefused:
            return False
        else:
            counted = True
            if now.status != "open":
                break
    return counted


def _filled_in(task: TaskView) -> dict[str, Any]:
    """The questions of a form that have no answer yet, with one that fits most."""
    found: dict[str, Any] = {}
    for one in task.spec["fields"]:
        if one.get("default"):
            continue
        options = one.get("options") or ()
        value = options[0] if options else _ANSWERS.get(one["type"], "drill")
        if one["type"] in ("number", "money"):
            least, most = one.get("minimum"), one.get("maximum")
            value = least if least is not None else most if most is not None else value
        found[one["name"]] = value
    return found
