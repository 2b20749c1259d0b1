"""Where one run stands that nobody has in hand: how many are before it, how fast they go, and whether it is stuck."""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db.models import F, Q, Sum

from runtime.engine.jsonprofile import loads_stored
from runtime.store.dialect import database_now
from runtime.store.figure_models import Figure, StandingFigure
from runtime.store.figure_rows import MINUTE
from runtime.store.models import Hold, HumanTask, Run
from runtime.store.standing import OVERDUE_MS
from runtime.store.statements import HELD, LEASE_MS

__all__ = ["MOST_AHEAD", "Line", "Stands", "stands"]

#: More are not counted: whoever waits behind a thousand does not need the number.
MOST_AHEAD: Final = 1_000
_LATELY_MINUTES: Final = 10
_COLUMNS: Final = (
    "workspace_id", "workflow_id", "status", "wake_at", "lease_owner", "lease_expires_at", "min_engine", "finished_at",
    "accepted_at", "held", "mode", "trigger_node", "parent_node", "waiting", "cancel_requested_at",
)  # fmt: skip

#: What is taken of a workflow that is paused: see `claims`.
_GOES_ON: Final = (
    ~Q(status="accepted") | Q(held=0) | ~Q(mode="live") | Q(cancel_requested_at__isnull=False)
    | Q(trigger_node=F("parent_node"))
)  # fmt: skip


class Line(NamedTuple):
    """`ahead`: runs of the workflow whose turn comes first, `MOST_AHEAD` for so many or more. `seconds`: how long they
    take as the workflow's runs went lately while there was a line; None where that is not known."""

    ahead: int
    seconds: int | None


class Stands(NamedTuple):
    """`stuck`: as `store.standing` calls it, since `since`; the last sign of life, where there was one."""

    line: Line | None = None
    stuck: str | None = None
    since: int = 0


def stands(run_id: UUID) -> Stands | None:
    """One run; None where there is no such run. Reads its row, and more only of one that is due and that nobody has."""
    row = Run.objects.filter(pk=run_id).values(*_COLUMNS).first()
    if row is None:
        return None
    if row["finished_at"] is not None or row["min_engine"] >= HELD:
        return Stands()
    now = database_now()
    if row["status"] == "parked":
        # One that waits for a newer worker is looked at again and again; it stands still all the same.
        waiting: Any = loads_stored(row["waiting"] or "{}")
        return Stands(None, "set_aside", waiting.get("since") or row["accepted_at"])
    if row["status"] == "waiting_human":
        stranded = HumanTask.objects.filter(run_id=run_id, status="open", stranded_at__isnull=False)
        since = stranded.values_list("stranded_at", flat=True).first()
        return Stands() if since is None else Stands(None, "nobody_can_decide", since)
    wake, expires = row["wake_at"], row["lease_expires_at"]
    if wake is None or wake > now or (expires is not None and expires > now) or _waits_for_its_workflow(row):
        return Stands()
    if expires is not None:
        lost = expires < now - OVERDUE_MS
        return Stands(None, "lease_over", expires - LEASE_MS) if lost else Stands()
    line = Line(ahead := _ahead(row), _seconds(row, ahead, now))
    return Stands(line, "not_taken", wake) if wake < now - OVERDUE_MS and not ahead else Stands(line)


def _waits_for_its_workflow(row: dict[str, Any]) -> bool:
    """Accepted before its workflow was paused: it is no part of any line until that is over; see `claims`."""
    begins = row["status"] == "accepted" and row["held"] is None and row["mode"] == "live"
    begins = begins and row["cancel_requested_at"] is None and row["trigger_node"] != row["parent_node"]
    return begins and Hold.objects.filter(pk=row["workflow_id"]).exists()


def _ahead(row: dict[str, Any]) -> int:
    # The workflows take turns (`store.turns`), so a run's line is its workflow's: the index `run_turn`, alone.
    before = Run.objects.filter(workflow_id=row["workflow_id"], wake_at__lt=row["wake_at"], lease_owner__isnull=True)
    before = before.filter(min_engine__lt=HELD)
    if Hold.objects.filter(pk=row["workflow_id"]).exists():
        before = before.filter(_GOES_ON)
    return before.order_by().values("wake_at")[:MOST_AHEAD].count()


def _seconds(row: dict[str, Any], ahead: int, now: int) -> int | None:
    """By the minutes of late in which runs waited: what was begun in a quiet one says nothing of how many could be."""
    begin = (now // 60_000 - _LATELY_MINUTES) * 60_000
    span = {"workspace_id": row["workspace_id"], "level": MINUTE}
    busy = StandingFigure.objects.filter(**span, at__gte=begin, queue__gt=0).values_list("at", flat=True)
    # The minute that is not over has not all of its figures yet.
    minutes = [at for at in busy if at + 60_000 <= now]
    if not minutes:
        return None
    begun = Figure.objects.filter(**span, workflow_id=row["workflow_id"], at__in=minutes)
    total = begun.aggregate(total=Sum("started"))["total"] or 0
    return None if total == 0 else max(1, round(ahead * 60 * len(minutes) / total))
