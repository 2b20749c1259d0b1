"""A workflow that keeps failing is paused, still accepting, and never switched off (I43).

Called by the leading ticker, in a thread. It goes by the dead letters: nothing is counted while runs do well, and
whoever leads next comes to the same result. What counts are runs of the workflow, not the items within one of them.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Max, QuerySet

from runtime.engine.jsonprofile import dumps
from runtime.store import holds
from runtime.store.commits import commit
from runtime.store.dialect import database_now, queue_up
from runtime.store.models import DeadLetter, Deployment, Hold, Run
from runtime.store.parts import IS_ITEM, OF_ITEM

__all__ = ["MILLRACE", "Breaker"]

#: Who paused it, where nobody did.
MILLRACE: Final = "millrace"
#: A commit may become visible a little later than the moment it names.
_OVERLAP_MS: Final = 10_000
#: What a new leader looks back at.
_LOOK_BACK_MS: Final = 3_600_000
#: A share of fewer runs than this says nothing.
_LEAST: Final = 10
_MINUTE_MS: Final = 60_000
#: Runs accepted so long before the first failure are not looked at.
_OLDEST_MS: Final = 86_400_000
#: Letters of what was done for one entry of a list: what becomes of them all is the run's own affair.


class Breaker:
    """Remembers how far it has looked; everything else is in the rows."""

    def __init__(self) -> None:
        self._looked_at = 0
        self._seen: dict[UUID, tuple[int, int]] = {}

    def look(self) -> list[UUID]:
        """Pause the workflows that keep failing; which."""
        now = database_now()
        since = self._looked_at - _OVERLAP_MS if self._looked_at else now - _LOOK_BACK_MS
        rows = DeadLetter.objects.filter(at__gt=since).exclude(OF_ITEM).values("workflow_id")
        rows = rows.annotate(last=Max("at"), count=Count("at"))
        failed = {row["workflow_id"]: (row["last"], row["count"]) for row in rows}
        # Where nothing failed since the last look, nothing has changed.
        fresh = [workflow_id for workflow_id, seen in failed.items() if self._seen.get(workflow_id) != seen]
        paused = [workflow_id for workflow_id in fresh if _looks_bad(workflow_id, now) and _pause(workflow_id)]
        self._looked_at, self._seen = now, failed
        return paused


def _looks_bad(workflow_id: UUID, now: int, *, lock: bool = False) -> tuple[Deployment, dict[str, Any]] | None:
    """What is live of a workflow that is to be paused, and why; None where it is not. `lock`: the rows that people
    change who pause it, let it go or switch it off, in the order in which they lock them."""
    held = Hold.objects.filter(pk=workflow_id)
    hold = (held.select_for_update() if lock else held).first()
    lives = Deployment.objects.filter(pk=workflow_id, enabled=True, retired=False)
    live = (lives.select_for_update() if lock else lives).first()
    if live is None or (hold is not None and hold.mode != "draining"):
        return None
    since = max(live.breaker_since, (hold.drained_from or 0) if hold is not None else 0)
    facts = _in_a_row(live, since) or _too_many(live, since, now)
    return None if facts is None else (live, facts)


def _in_a_row(live: Deployment, since: int) -> dict[str, Any] | None:
    """The last failures, where there are enough and none of the runs accepted since the first of these runs has ended
    well since the first of them."""
    if not live.breaker_failures:
        return None
    letters = _letters(live, since)[: live.breaker_failures]
    if len(letters) < live.breaker_failures:
        return None
    first = letters[len(letters) - 1].at
    # Those accepted before say little of today, and those that ended before stand in no row with what failed after: an
    # old run may be gone on with, and fail once more.
    oldest = max(min(letter.run_id for letter in letters), UUID(int=max(0, first - _OLDEST_MS) << 80))
    newest = _completed(live).filter(id__gt=oldest, finished_at__gte=first).order_by("-id")
    later = newest.values_list("id", flat=True)[:1]
    return None if list(later) else {"rule": "row", "failures": len(letters), **_about(letters[0])}


def _too_many(live: Deployment, since: int, now: int) -> dict[str, Any] | None:
    """How many failed, where that is too large a share of the runs of late."""
    if not live.breaker_percent:
        return None
    since = max(since, now - live.breaker_minutes * _MINUTE_MS)
    letters = _letters(live, since)
    failed = letters.count()
    done = _completed(live).filter(id__gte=UUID(int=since << 80)).count()
    if failed + done < _LEAST or failed * 100 < live.breaker_percent * (failed + done):
        return None
    share = failed * 100 // (failed + done)
    return {"rule": "share", "failures": failed, "runs": failed + done, "percent": share, **_about(letters[0])}


def _letters(live: Deployment, since: int) -> Any:
    letters = DeadLetter.objects.filter(workflow_id=live.workflow_id, at__gt=since).exclude(OF_ITEM)
    return letters.order_by("-at", "-run_id")


def _completed(live: Deployment) -> QuerySet[Run]:
    return Run.objects.filter(workflow_id=live.workflow_id, mode="live", status="completed").exclude(IS_ITEM)


def _about(letter: DeadLetter) -> dict[str, Any]:
    return {"run": str(letter.run_id), "title": letter.title, "node": letter.node_id}


def _pause(workflow_id: UUID) -> bool:
    """Pause it, if it still looks bad: somebody may have looked at what failed meanwhile, or have paused it."""
    with commit("hold.begin"):
        queue_up(workflow_id)
        now = database_now()
        bad = _looks_bad(workflow_id, now, lock=True)
        if bad is None:
            return False
        live, facts = bad
        values = {
            "workspace_id": live.workspace_id,
            "since": now,
            "by": MILLRACE,
            "cause": "failures",
            "reason": "",
            "facts": dumps(facts),
            "open_runs": "finish",
            "mode": "held",
            "trial_run_id": None,
            "trial": None,
            "per_minute": None,
            "at_once": None,
            "drained_by": None,
            "drained_from": None,
            "onto_version_id": None,
            "let_go": 0,
        }
        # One that was found is locked, and nobody else makes one meanwhile.
        Hold.objects.update_or_create(workflow_id=workflow_id, defaults=values)
        holds.gather(workflow_id, now, who=MILLRACE, also_let_go=True)
    return True
