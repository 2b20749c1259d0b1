"""Why an open run does not end this moment: one cause, who has to move, and when something happens next (I17)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from runtime.contracts import Because, NotFound
from runtime.engine.jsonprofile import loads_stored
from runtime.interpreter.waiting import OWNERS
from runtime.store.dialect import database_now
from runtime.store.models import HumanTask, Run
from runtime.store.statements import HELD

__all__ = ["because", "unexplained"]

_COLUMNS: Final = (
    "id", "status", "waiting", "lease_owner", "lease_expires_at", "wake_at", "accepted_at", "started_at", "finished_at",
    "paused_at", "paused_by", "min_engine",
)  # fmt: skip
#: States in which nobody works on a run: each says in `waiting` what it waits for.
RESTS: Final = frozenset({"waiting_timer", "waiting_event", "waiting_human", "parked"})
#: How long a lease may have run out, or a run be due, before that counts as nobody coming for it.
LATE_MS: Final = 30_000


def because(*, workspace_id: UUID, run_id: UUID) -> Because | None:
    """The cause; None of a run that has ended, and of one that has none, which `unexplained` finds. Raises NotFound."""
    row = Run.objects.filter(workspace_id=workspace_id, pk=run_id).values(*_COLUMNS).first()
    if row is None:
        raise NotFound("There is no such run.", code="run_not_found")
    return None if row["finished_at"] is not None else cause_of(dict(row), database_now())


def cause_of(row: Mapping[str, Any], now: int) -> Because | None:
    """The one cause that holds of an open run, by its columns: a worker that has it; else that somebody paused it, or
    its workflow holds it; else what it waits for; else that it is due, or will be."""
    expires, wake = row["lease_expires_at"], row["wake_at"]
    if expires is not None and expires > now:
        since = row["started_at"] or row["accepted_at"]
        return Because("working", "worker", [str(row["lease_owner"])], since, expires, None)
    if row["min_engine"] >= HELD:
        if row["paused_at"] is not None:
            return Because("paused", "operator", [str(row["paused_by"])], row["paused_at"], None, None)
        return Because("held", "workflow", [], row["accepted_at"], None, None)
    waiting: Any = None if row["waiting"] is None else loads_stored(row["waiting"])
    if row["status"] in RESTS or (wake is None and waiting is not None):
        if not isinstance(waiting, dict) or waiting.get("kind") not in OWNERS:
            return None
        kind = str(waiting["kind"])
        until = waiting.get("until")
        owner, names = OWNERS[kind], list[str]()
        if owner == "people":
            owner, names = _people(row["id"], str(waiting.get("node")))
        return Because(kind, owner, names, waiting.get("since"), until or wake, waiting.get("node"))
    if wake is None:
        return None
    return Because("due", "next_worker", [], row["accepted_at"], wake, None)


def unexplained() -> Q:
    """Open runs without a stated cause: a state that waits and does not say for what, or says what nobody knows."""
    known = Q()
    for kind in OWNERS:
        known |= Q(waiting__startswith=f'{{"kind":"{kind}"')
    silent = Q(waiting__isnull=True) | ~known
    # What is paused or held says that, whatever it waited for before.
    return Q(status__in=sorted(RESTS), lease_expires_at__isnull=True, min_engine__lt=HELD) & silent


def _people(run_id: UUID, node: str) -> tuple[str, list[str]]:
    """Who is asked; nobody in particular where everybody is; the admins where none of them can decide any more."""
    row = HumanTask.objects.filter(run_id=run_id, node_id=node, status="open").order_by("-id").first()
    if row is not None and row.stranded_at is not None:
        return "admins", ["role:admin"]
    return "people", [] if row is None else [one for one in row.people.split(",") if one]
